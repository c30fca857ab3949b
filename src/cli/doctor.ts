import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Command } from 'commander';
import { loadCatalog } from '../format/index.ts';
import { formatBytes } from '../report/index.ts';
import { hasColours, paint, type Tone } from './colours.ts';
import { EXIT } from './exit.ts';
import { print } from './output.ts';
import { VERSION } from './version.ts';

/** `ok`; something that may be missing is missing; it works, but; without this xenscope does not work. */
type Health = 'ok' | 'absent' | 'watch' | 'broken';

interface Finding {
  readonly name: string;
  readonly health: Health;
  readonly text: string;
}

const TONES: Readonly<Record<Health, Tone>> = {
  ok: 'plain',
  absent: 'faint',
  watch: 'watch',
  broken: 'high',
};
/** With less room than this, a long stream may not find a place. */
const ROOM_BYTES = 1e9;
/** Tables of analyze are about this wide. */
const WIDTH = 120;
/** What the optional packages of package.json are for. */
const PURPOSES: Readonly<Record<string, string>> = { '@duckdb/node-api': 'SQL: xenscope query' };

/** `xenscope doctor`: what of it works here, and what to do about the rest. */
export function define(verb: Command, exit: (code: number) => void): void {
  verb.addHelpText('after', '\nExamples:\n  xenscope doctor').action(async () => {
    const checks = [node, definitions, ...packages(), xenalyze, room, cores, terminal];
    const findings: Finding[] = [{ name: 'xenscope', health: 'ok', text: VERSION }];
    for (const check of checks) findings.push(await check());
    const width = Math.max(...findings.map(({ name }) => name.length));
    const colours = hasColours(process.stdout);
    for (const { name, health, text } of findings)
      print(`${paint(health.padEnd(6), TONES[health], colours)}  ${name.padEnd(width)}  ${text}\n`);
    if (findings.some(({ health }) => health === 'broken')) exit(EXIT.damaged);
  });
}

type Check = () => Finding | Promise<Finding>;

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifest: Manifest = readJson(new URL('../../package.json', import.meta.url));

function node(): Finding {
  const wanted = /\d+(?:\.\d+)*/.exec(manifest.engines.node)![0];
  const isNewEnough = compareVersions(process.versions.node, wanted) >= 0;
  return {
    name: 'Node.js',
    health: isNewEnough ? 'ok' : 'broken',
    text: isNewEnough
      ? process.versions.node
      : `${process.versions.node} is too old: ${wanted} or newer is needed`,
  };
}

function definitions(): Finding {
  try {
    return { name: 'record formats', health: 'ok', text: `${loadCatalog().layouts.length - 1} layouts` };
  } catch (error) {
    return { name: 'record formats', health: 'broken', text: (error as Error).message };
  }
}

/** A check for each package that package.json names. */
function packages(): Check[] {
  const needed = Object.keys(manifest.dependencies).map((name): Check => {
    return () => {
      const version = installedVersion(name);
      if (version !== undefined) return { name, health: 'ok', text: version };
      return { name, health: 'broken', text: 'is not installed: npm ci in the folder of xenscope' };
    };
  });
  const optional = Object.keys(manifest.optionalDependencies ?? {}).map((name): Check => {
    return async () => {
      const purpose = PURPOSES[name] === undefined ? '' : ` (${PURPOSES[name]})`;
      const version = installedVersion(name);
      if (version === undefined)
        return { name, health: 'absent', text: `is optional, npm install ${name}${purpose}` };
      try {
        await import(name);
        return { name, health: 'ok', text: `${version}${purpose}` };
      } catch (error) {
        const [line] = (error as Error).message.split('\n');
        return { name, health: 'watch', text: `${version} cannot be loaded here: ${line}${purpose}` };
      }
    };
  });
  return [...needed, ...optional];
}

/** Xen's own analyser is not needed; the tests compare with it where it is. */
function xenalyze(): Finding {
  const name = 'xenalyze';
  const path = onPath(name);
  if (path === undefined) {
    return {
      name,
      health: 'absent',
      text: 'is not needed; xenscope reads the same traces (Debian: xen-utils-common)',
    };
  }
  return { name, health: 'ok', text: `${path}, ${packageOf(path) ?? 'which does not tell its version'}` };
}

function room(): Finding {
  const name = 'temporary files';
  const folder = tmpdir();
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const text = `${folder} has ${formatBytes(free)} left for streams beyond 16 MB`;
    return { name, health: free < ROOM_BYTES ? 'watch' : 'ok', text: `${text}; TMPDIR says where` };
  } catch (error) {
    return { name, health: 'watch', text: `${(error as Error).message}; TMPDIR says where` };
  }
}

function cores(): Finding {
  const count = availableParallelism();
  return { name: 'cores', health: 'ok', text: `${count}: compare does ${count} runs at a time` };
}

function terminal(): Finding {
  const name = 'terminal';
  const { isTTY, columns } = process.stdout;
  if (!isTTY) return { name, health: 'ok', text: 'standard output is none' };
  const colours = hasColours(process.stdout) ? 'colours' : 'no colours';
  const narrow = columns < WIDTH ? `; tables are up to ${WIDTH} wide and more` : '';
  return { name, health: 'ok', text: `${columns} columns, ${colours}${narrow}` };
}

function installedVersion(name: string): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const path = folders.map((folder) => join(folder, name, 'package.json')).find((file) => existsSync(file));
  return path === undefined ? undefined : readJson<Manifest>(path).version;
}

function onPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The Debian or RPM package that a file came with, and its version. */
function packageOf(path: string): string | undefined {
  const owner = spawnSync('dpkg-query', ['-S', path], { encoding: 'utf8' });
  const name = owner.status === 0 ? owner.stdout.split(':')[0] : undefined;
  const query: [string, string[]] =
    name === undefined
      ? ['rpm', ['-qf', path]]
      : ['dpkg-query', ['-W', '-f', '$' + '{Package} $' + '{Version}', name]];
  const told = spawnSync(...query, { encoding: 'utf8' });
  return told.status === 0 ? told.stdout.trim() : undefined;
}

function compareVersions(a: string, b: string): number {
  const [first, second] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  const at = second.findIndex((part, index) => part !== (first[index] ?? 0));
  return at < 0 ? 0 : (first[at] ?? 0) - second[at]!;
}

function readJson<T>(path: string | URL): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
