import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runXenalyze } from '../../src/xenalyze/index.ts';

/** Xen's own analyser, as Debian's xen-utils-4.17 installs it. */
export const REAL_XENALYZE = ['/usr/bin/xenalyze', '/usr/sbin/xenalyze'].find((path) => existsSync(path));

/** Damage can make it go round for ever, or print every interval of a thousand years. */
const PATIENCE_MS = 10_000;
const BYTES_MAX = 2 ** 25;

export interface Outcome {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Whether it came to the end by itself. */
  readonly finished: boolean;
}

export function runReal(argv: readonly string[]): Outcome {
  const { stdout, stderr, status, error } = spawnSync(REAL_XENALYZE ?? '', argv, {
    maxBuffer: BYTES_MAX,
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  if (stdout === null) throw error ?? new Error('no output');
  return { stdout, stderr, finished: status === 0 };
}

export async function runOurs(argv: readonly string[]): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const sinkOf = (parts: Buffer[]) => {
    let size = 0;
    return (bytes: Uint8Array) => {
      parts.push(Buffer.from(bytes));
      size += bytes.length;
      // More than the real one may print before it is stopped.
      if (size > 2 * BYTES_MAX) throw new TooMuch();
    };
  };
  let finished = false;
  try {
    finished = (await runXenalyze(argv, { stdout: sinkOf(stdout), stderr: sinkOf(stderr) })) === 0;
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
  }
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), finished };
}

class TooMuch extends Error {}

/**
 * Where the standard outputs of both part, or else what they say on standard error, in words; undefined where they do
 * not. Where the real one did not come to the end, ours may go on.
 */
export function difference(real: Outcome, ours: Outcome): string | undefined {
  const stdout = real.finished ? ours.stdout : ours.stdout.subarray(0, real.stdout.length);
  if (stdout.equals(real.stdout))
    return real.finished && ours.finished ? differenceOfWarnings(real, ours) : undefined;
  if (showsStack(real)) return difference(withoutStack(real), withoutStack(ours));
  const length = Math.min(stdout.length, real.stdout.length);
  let at = 0;
  while (at < length && stdout[at] === real.stdout[at]) at++;
  const start = at === 0 ? 0 : real.stdout.lastIndexOf(10, at - 1) + 1;
  const line = real.stdout.subarray(0, start).filter((byte) => byte === 10).length + 1;
  if (!real.finished && goesRound(real.stdout.toString('latin1', start))) return;
  const lines = (bytes: Buffer) =>
    bytes
      .toString('latin1', start, start + 600)
      .split('\n')
      .slice(0, 3)
      .join('\n  ');
  return `line ${line}\nreal:\n  ${lines(real.stdout)}\nours:\n  ${lines(ours.stdout)}`;
}

function differenceOfWarnings(real: Outcome, ours: Outcome): string | undefined {
  const lines = ours.stderr.toString('latin1').split('\n');
  const expected = real.stderr.toString('latin1').replace(ADDRESSES, '').split('\n');
  const at = expected.findIndex((line, i) => line !== lines[i]);
  if (at < 0 && lines.length === expected.length) return;
  return `line ${at + 1} of standard error\nreal:\n  ${expected[at]}\nours:\n  ${lines[at]}`;
}

/** What tells of places in its memory, which differ from run to run. */
const ADDRESSES = /^__hvm_set_summary_handler: Unexpected duplicate handler 0x.*\n/gm;

/** Whether a text is a few lines over and over again. */
function goesRound(text: string): boolean {
  const lines = text.split('\n').slice(0, -1);
  return lines.length > 1000 && new Set(lines).size < 5;
}

/** What a rejected record leads the real one to show, if it may go on: whatever lies on its stack. */
const OF_STACK = /( shadow unshadow:[^\n]*) gfn [0-9a-f]+ va [0-9a-f]+/g;

function showsStack({ stdout, stderr }: Outcome): boolean {
  const isRejected = [stdout, stderr].some((text) => text.includes('shadow_parse_other: expected'));
  return isRejected && stdout.toString('latin1').search(OF_STACK) >= 0;
}

function withoutStack({ stdout, ...rest }: Outcome): Outcome {
  return { ...rest, stdout: Buffer.from(stdout.toString('latin1').replace(OF_STACK, '$1'), 'latin1') };
}
