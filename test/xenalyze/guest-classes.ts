import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { difference, runOurs, runReal } from './real-xenalyze.ts';

/** Calls `use` with the name of a file that holds a trace. */
async function withFile<T>(trace: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'xenscope-'));
  try {
    const file = join(directory, 'a.trace');
    writeFileSync(file, trace);
    return await use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What xenscope prints of a trace, as lines. */
export async function linesOf(trace: Uint8Array, ...options: readonly string[]): Promise<string[]> {
  return (await linesAndWarningsOf(trace, ...options))[0];
}

/** The same, and the lines on standard error. */
export async function linesAndWarningsOf(
  trace: Uint8Array,
  ...options: readonly string[]
): Promise<[lines: string[], warnings: string[]]> {
  const { stdout, stderr } = await withFile(trace, (file) => runOurs([...options, file]));
  return [stdout.toString('latin1').split('\n'), stderr.toString('latin1').split('\n')];
}

/** What a vCPU's records are shown as on a host of one pCPU: dumped lines without time and picture of the pCPU. */
export async function dumpedLines(
  trace: Uint8Array,
  vcpu: string,
  ...options: readonly string[]
): Promise<string[]> {
  const pattern = new RegExp(String.raw`^[ \]!] *\d+\.\d{9} . ${vcpu} (.*)$`);
  const lines = await linesOf(trace, '--dump-all', ...options);
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

/** Where both xenalyzes part on a trace; undefined if they do not. `ours` are options for xenscope only. */
export async function differenceOn(
  trace: Uint8Array,
  options: readonly string[],
  ours: readonly string[] = [],
): Promise<string | undefined> {
  return withFile(trace, async (file) =>
    difference(runReal([...options, file]), await runOurs([...ours, ...options, file])),
  );
}
