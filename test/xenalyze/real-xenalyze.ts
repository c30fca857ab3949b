import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runXenalyze } from '../../src/xenalyze/index.ts';

/** Xen's own analyser, as Debian's xen-utils-4.17 installs it. */
export const REAL_XENALYZE = ['/usr/bin/xenalyze', '/usr/sbin/xenalyze'].find((path) => existsSync(path));

/** A trace can make it go round for ever. */
const PATIENCE_MS = 20_000;

export interface Outcome {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Whether it came to the end by itself. */
  readonly finished: boolean;
}

export function runReal(argv: readonly string[]): Outcome {
  const { stdout, stderr, status, error } = spawnSync(REAL_XENALYZE ?? '', argv, {
    maxBuffer: 2 ** 28,
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  if (stdout === null) throw error ?? new Error('no output');
  return { stdout, stderr, finished: status === 0 };
}

export async function runOurs(argv: readonly string[]): Promise<Outcome> {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const code = await runXenalyze(argv, {
    stdout: (bytes) => parts.stdout.push(Buffer.from(bytes)),
    stderr: (bytes) => parts.stderr.push(Buffer.from(bytes)),
  });
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), finished: code === 0 };
}

/**
 * Where the standard outputs of both part, in words; undefined where they do not. Where the real one did not come to
 * the end, ours may go on.
 */
export function difference(real: Outcome, ours: Outcome): string | undefined {
  const { stdout } = real.finished ? ours : { stdout: ours.stdout.subarray(0, real.stdout.length) };
  if (stdout.equals(real.stdout)) return;
  const length = Math.min(stdout.length, real.stdout.length);
  let at = 0;
  while (at < length && stdout[at] === real.stdout[at]) at++;
  const start = at === 0 ? 0 : real.stdout.lastIndexOf(10, at - 1) + 1;
  const line = real.stdout.subarray(0, start).filter((byte) => byte === 10).length + 1;
  const lines = (bytes: Buffer) =>
    bytes
      .toString('latin1', start, start + 600)
      .split('\n')
      .slice(0, 3)
      .join('\n  ');
  return `line ${line}\nreal:\n  ${lines(real.stdout)}\nours:\n  ${lines(ours.stdout)}`;
}
