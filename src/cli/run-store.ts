import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../base/make-folder.ts';
import type { RunResult, RunTask } from './simulated-run.ts';
import { VERSION } from './version.ts';

/**
 * A folder with the results of runs, a file each, named by a hash of all that the result depends on: the
 * scenario's text after its changes, the other settings, the seed, and this program. What is in it need not
 * be done again.
 */
export class RunStore {
  readonly folder: string;
  readonly #traces: string | undefined;
  readonly #program = programHash();

  /** `traces`: a folder in which each run leaves its trace too. Throws the operating system's error. */
  constructor(folder: string, traces?: string) {
    this.folder = folder;
    this.#traces = traces;
    makeFolder(folder);
    if (traces !== undefined) makeFolder(traces);
  }

  /** The result of the run, if it is there, whole, and its trace with it where traces are kept. */
  find(name: string, task: RunTask): RunResult | undefined {
    const tracePath = this.tracePath(name, task);
    if (tracePath !== undefined && !existsSync(tracePath)) return undefined;
    let text: string;
    try {
      text = readFileSync(this.#path(name, task), 'utf8');
    } catch {
      return undefined;
    }
    try {
      return JSON.parse(text) as RunResult;
    } catch {
      // Not written by this program, or not to its end.
      return undefined;
    }
  }

  /** Nothing stands under the final name until all of it is written. */
  save(name: string, task: RunTask, json: string): void {
    const path = this.#path(name, task);
    const temporary = `${path}.${process.pid}.part`;
    try {
      writeFileSync(temporary, `${json}\n`);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Where the run's trace goes; undefined where traces are not kept. */
  tracePath(name: string, task: RunTask): string | undefined {
    return this.#traces === undefined ? undefined : join(this.#traces, `${this.#stem(name, task)}.trace`);
  }

  #path(name: string, task: RunTask): string {
    return join(this.folder, `${this.#stem(name, task)}.json`);
  }

  #stem(name: string, task: RunTask): string {
    const content = [
      this.#program,
      task.text,
      task.fileName,
      task.xen ?? null,
      task.scheduler ?? null,
      task.durationNs ?? null,
      task.seed,
      task.windowNs,
      { ...task.selection, pcpu: [...(task.selection.pcpu ?? [])] },
      task.passes ?? null,
    ];
    const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
    return `${slug(name)}-seed${task.seed}-${hash}`;
  }
}

/** A name as a part of a file's name. */
export function slug(name: string): string {
  return (
    name
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60) || 'run'
  );
}

/** What this program is: its version and its own files, since another build may give other figures. */
function programHash(): string {
  const hash = createHash('sha256').update(VERSION);
  for (const folder of ['..', '../../formats']) {
    const root = fileURLToPath(new URL(folder, import.meta.url));
    for (const path of filesBelow(root)) hash.update(path.slice(root.length)).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return /\.(js|json)$/.test(entry.name) || (/\.ts$/.test(entry.name) && !/\.d\.ts$/.test(entry.name))
      ? [path]
      : [];
  });
}
