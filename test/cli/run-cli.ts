import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const MAIN = resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line as a user does, in a process of its own. */
export function runCli(words: readonly string[], input?: Uint8Array): CliResult {
  const result = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(input ? { input } : {}),
  });
  // A program that has seen enough does not read its input to the end.
  if (result.error && (result.error as NodeJS.ErrnoException).code !== 'EPIPE') throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** The same through a shell, for pipes; `xenscope` stands for the built command line. */
export function runShell(line: string): CliResult {
  const command = line.replace(/\bxenscope(?= )/g, `"${process.execPath}" "${MAIN}"`);
  const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** A folder of its own for a test's files. */
export function scratchFolder(): { path(name: string): string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-test-'));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
