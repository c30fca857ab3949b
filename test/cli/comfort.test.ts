/**
 * What is made from the table of verbs: help, completion, the manual page; and the doctor. Truth: the shells, groff and
 * man themselves, where they are installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeCommands } from '../../src/cli/command-reference.ts';
import { completionScripts, type Shell } from '../../src/cli/completion-scripts.ts';
import { createProgram } from '../../src/cli/program.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { MAIN, runCli, scratchFolder } from './run-cli.ts';

const samples = resolve(import.meta.dirname, '../../samples');
const scratch = scratchFolder();
afterAll(() => scratch.remove());
const reference = describeCommands(
  await createProgram({ examples: '', isWanted: () => true, exit: () => {} }),
);
const { verbs } = reference;
const names = Object.keys(VERBS);

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function run(command: string, words: readonly string[], input?: string) {
  const { stdout, stderr, status } = spawnSync(command, words, { encoding: 'utf8', input, cwd: samples });
  return { stdout, stderr, status };
}

/** The script of a shell, in a file; made once. */
function savedScript(shell: Shell): string {
  const path = scratch.path(`completion.${shell}`);
  if (!existsSync(path)) writeFileSync(path, completionScripts[shell](reference));
  return path;
}

describe('the help of every verb', () => {
  test('all verbs are described', () => {
    expect(verbs.map(({ name }) => name)).toEqual(names);
  });

  test.each(names)('%s has examples, with options that it has', (name) => {
    const { remarks, options } = verbs.find((verb) => verb.name === name)!;
    expect(remarks).toMatch(/^Examples:\n/m);
    const known = new Set(options.flatMap((option) => option.names));
    // Each call of this verb, up to a pipe, the next command or the remark that stands apart by some spaces.
    const calls = [...remarks.matchAll(new RegExp(`xenscope ${name}\\b(.*)`, 'g'))].map(
      ([, rest]) => rest!.split(/ [|>] |;| {3,}|["`]/)[0]!,
    );
    expect(calls.length).toBeGreaterThan(0);
    // A drop-in for another program reads its options itself: all that is known of here is --help.
    if (options.length === 1) return;
    const unknown = calls
      .flatMap((call) => call.replace(/'[^']*'/g, '').match(/(?<= )--?[A-Za-z][a-z-]*/g) ?? [])
      .filter((option) => !known.has(option));
    expect(unknown).toEqual([]);
  });

  test('is what --help prints', () => {
    const { stdout } = runCli(['top', '--help']);
    const { options, remarks } = verbs.find(({ name }) => name === 'top')!;
    for (const { flags } of options) expect(stdout).toContain(flags);
    expect(stdout.trimEnd().endsWith(remarks)).toBe(true);
  });
});

test('the scripts of the shells are what xenscope completion prints', () => {
  const { stdout, status } = runCli(['completion', 'bash']);
  expect(status).toBe(0);
  expect(stdout).toBe(completionScripts.bash(reference));
});

describe.skipIf(!isInstalled('bash'))('completion in bash', () => {
  /** What each line of words completes to; the last word is the one to complete. */
  const complete = (lines: readonly (readonly string[])[]) => {
    const script = `source '${savedScript('bash')}'
      while IFS=$'\\x1f' read -ra COMP_WORDS; do
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 2)); COMP_WORDS=("\${COMP_WORDS[@]:0:COMP_CWORD+1}"); _xenscope
        printf '%s\\x1f' "\${COMPREPLY[@]}"; echo
      done`;
    const input = lines.map((words) => `${['xenscope', ...words, 'end'].join('\x1f')}\n`).join('');
    const { stdout, stderr } = run('bash', ['--norc', '-c', script], input);
    expect(stderr).toBe('');
    const replies = stdout.split('\n').slice(0, lines.length);
    return replies.map((reply) => reply.split('\x1f').filter((word) => word !== ''));
  };

  test('verbs, options, values, files and folders', () => {
    const cases: [string[], string[]][] = [
      [[''], [...names, 'help', '--help', '--version']],
      [['du'], ['dump']],
      [
        ['dump', '--fo'],
        ['--format', '--formats'],
      ],
      [
        ['dump', '-n', '5', '--format', ''],
        ['text', 'json', 'csv', 'arrow'],
      ],
      [['dump', '-f', 'j'], ['json']],
      [['dump', 'busy'], ['busy-host.yaml']],
      [['decode', '-o', 'tr'], ['traces']],
      [
        ['completion', ''],
        ['bash', 'zsh', 'fish'],
      ],
      [['help', 'an'], ['analyze']],
      [['dump', '--vcpu', ''], []],
    ];
    expect(complete(cases.map(([words]) => words))).toEqual(cases.map(([, replies]) => replies));
  });

  test('every option of every verb', () => {
    const flags = verbs.map(({ options }) => options.flatMap((option) => option.names));
    expect(complete(names.map((name) => [name, '-']))).toEqual(flags);
  });
});

describe.skipIf(!isInstalled('fish'))('completion in fish', () => {
  const complete = (lines: readonly string[]) => {
    const each = lines.map((line) => `complete -C 'xenscope ${line}'; echo =`).join('; ');
    const words = ['--no-config', '-c', `source '${savedScript('fish')}'; ${each}`];
    const { stdout, stderr } = run('fish', words);
    expect(stderr).toBe('');
    const replies = stdout.split('=\n').slice(0, lines.length);
    return replies.map((reply) =>
      reply
        .split('\n')
        .flatMap((entry) => (entry === '' ? [] : [entry.split('\t')[0]!]))
        .sort(),
    );
  };

  test('verbs, options, values, files and folders', () => {
    const cases = {
      '': [...names].sort(),
      'dump --fo': ['--format', '--formats'],
      'dump --format ': ['arrow', 'csv', 'json', 'text'],
      'dump busy': ['busy-host.yaml'],
      'decode -o tra': ['traces/'],
      'completion ': ['bash', 'fish', 'zsh'],
    };
    expect(complete(Object.keys(cases))).toEqual(Object.values(cases));
  });
});

const canType = isInstalled('zsh') && isInstalled('python3');
describe.skipIf(!canType)('completion in zsh', () => {
  test.each([
    ['compl', 'completion'],
    ['decode --ta', '--tables'],
    ['dump --format j', 'json'],
  ])('xenscope %s', (typed, completed) => {
    const setup = scratch.path('setup.zsh');
    writeFileSync(
      setup,
      `autoload -U compinit; compinit -u -D; source '${savedScript('zsh')}'; PROMPT='READY> '\n`,
    );
    const keys = [
      ['\x1b[?2004h', `source ${setup}\n`],
      ['READY> ', `xenscope ${typed}\t`],
      [completed, '\x15exit\n'],
    ];
    const script = resolve(import.meta.dirname, 'pseudo-terminal.py');
    const words = [script, '100x30', JSON.stringify(keys), 'zsh', '-fi'];
    expect(run('python3', words).stdout).toContain(`xenscope ${typed.replace(/\S+$/, '')}${completed}`);
  });
});

describe('the manual page', () => {
  const page = runCli(['man']).stdout;

  test.skipIf(!isInstalled('groff'))('groff has nothing to complain of', () => {
    const { stderr, status } = run('groff', ['-man', '-ww', '-z', '-Tutf8'], page);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test.skipIf(!isInstalled('groff'))('tells of every verb and every option, in plain letters', () => {
    const { stdout } = run('groff', ['-man', '-Tascii', '-P-cbou', '-rLL=300n', '-rHY=0'], page);
    for (const { name, options } of verbs) {
      expect(stdout).toMatch(new RegExp(`^ +xenscope ${name} `, 'm'));
      for (const { flags } of options) expect(stdout).toContain(flags);
    }
    expect(stdout).toContain("xenscope dump run.trace --event 'TRC_CSCHED_*' --pcpu 0 --format json");
  });

  test.skipIf(!isInstalled('man'))('man finds what it is', () => {
    writeFileSync(scratch.path('xenscope.1'), page);
    const { stdout, status } = run('man', ['-l', scratch.path('xenscope.1')]);
    if (stdout.includes('minimized')) return; // Debian's container images have a man that shows nothing.
    expect(status).toBe(0);
    expect(stdout).toMatch(/^XENSCOPE\(1\)/);
  });
});

describe('doctor', () => {
  const doctor = (env: NodeJS.ProcessEnv = {}) => {
    const { stdout, status } = spawnSync(process.execPath, [MAIN, 'doctor'], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    const lines = new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => {
          const [health, name, text] = line.split(/ {2,}/);
          return [name, { health, text }];
        }),
    );
    return { lines, status };
  };

  test('finds that xenscope works here', () => {
    const { lines, status } = doctor();
    expect(status).toBe(0);
    expect(lines.get('Node.js')).toEqual({ health: 'ok', text: process.versions.node });
    expect(lines.get('commander')?.health).toBe('ok');
    expect([...lines.values()].filter(({ health }) => health === 'broken')).toEqual([]);
    expect(lines.get('xenalyze')?.health).toBe(isInstalled('xenalyze') ? 'ok' : 'absent');
  });

  test('tells what is missing, and that it is not needed', () => {
    const { lines, status } = doctor({ PATH: '/nonexistent', TMPDIR: '/nonexistent/too' });
    expect(lines.get('xenalyze')).toMatchObject({ health: 'absent' });
    expect(lines.get('temporary files')).toMatchObject({ health: 'watch' });
    expect(status).toBe(0);
  });
});

describe('demo', () => {
  test('makes everything that its last words name', { timeout: 120_000 }, () => {
    const folder = scratch.path('demo');
    const { status, stdout } = runCli(['demo', '-o', folder]);
    expect(status).toBe(0);
    const [, now, next] = /\nWhat there is now\n-+\n([\s\S]*?)\n\nWhat to try next\n-+\n([\s\S]*)$/.exec(
      stdout,
    )!;
    const named = now!.split('\n').map((line) => resolve(line.split(/ {2,}/)[0]!));
    expect(named.toSorted()).toEqual(readdirSync(folder).map((name) => join(folder, name)));
    const scenario = /compare (\S+)/.exec(next!)![1]!;
    expect(existsSync(resolve(scenario))).toBe(true);
  });
});
