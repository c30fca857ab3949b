/**
 * What every verb that reads a trace has in common: its argument, the options that say how to read it, and how to open
 * it with progress and a clear end.
 * @module
 */
import { statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { type OpenTraceOptions, openTrace, type TraceFacts, type TraceReader } from '../decoder/index.ts';
import { TraceAhead } from '../timeline/index.ts';
import { gatherTexts } from './arguments.ts';
import { EXIT } from './exit.ts';
import { createProgress, type Progress } from './output.ts';

export interface TraceOptions {
  readonly formats?: string[];
  readonly cpuHz?: number;
}

/** Adds `--formats` and `--cpu-hz` to a verb that reads traces. */
export function addTraceOptions(verb: Command): Command {
  return addFormatsOption(verb).option(
    '--cpu-hz <hz>',
    'TSC frequency, with G, M or k (2.4G); derived from the records unless given',
    parseHz,
  );
}

/** Adds `--formats` alone. */
export function addFormatsOption(verb: Command): Command {
  return verb.option(
    '--formats <file>',
    'record definitions of a patched hypervisor, JSON or YAML, as in formats/ (repeatable)',
    gatherTexts,
  );
}

/** The help of a trace argument, the same in every verb. */
export const TRACE_ARGUMENT = 'a trace of xentrace or of `record`, plain or gzip; - is standard input';

/** Opens a trace, calls `use`, and closes it whatever happens. Progress goes to standard error, on a terminal only. */
export function withTrace<T>(
  path: string,
  options: OpenOptions,
  label: string,
  use: (reader: TraceReader) => T | Promise<T>,
): Promise<T> {
  return withOpened(label, (onProgress) => openTrace(path, { ...openOptionsOf(options), onProgress }), use);
}

/** The same for an analysis: a large file is decoded, and its timeline followed, in a thread of its own. */
export function withAnalyzable<T>(
  path: string,
  options: OpenOptions,
  label: string,
  use: (trace: TraceReader | TraceAhead) => T | Promise<T>,
): Promise<T> {
  if (!isLarge(path)) return withTrace(path, options, label, use);
  return withOpened(
    label,
    (onProgress) => TraceAhead.open(path, { ...openOptionsOf(options), onProgress }),
    use,
  );
}

type OpenOptions = TraceOptions & { order?: 'time' | 'file' };

function openOptionsOf({ formats, cpuHz, order }: OpenOptions): OpenTraceOptions {
  return { formats, cpuHz, order };
}

async function withOpened<R extends TraceFacts, T>(
  label: string,
  open: (onProgress: Progress['update']) => Promise<R>,
  use: (trace: R) => T | Promise<T>,
): Promise<T> {
  const progress = createProgress(label);
  try {
    const trace = await open(progress.update);
    try {
      return await use(trace);
    } finally {
      trace.close();
    }
  } finally {
    progress.done();
  }
}

/** Bytes from which on a thread of its own is worth its start. */
const LARGE_BYTES = 16 << 20;

function isLarge(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size >= LARGE_BYTES;
}

const DAMAGE_LINES_MAX = 5;

/**
 * What is damaged in a trace that was read to its end, in sentences: the first few, and how many more there are.
 * Records that Xen itself lost are no damage of the trace.
 */
export function damageOf(reader: Pick<TraceFacts, 'diagnostics'>): { sentences: string[]; more: number } {
  const damage = reader
    .diagnostics()
    .filter(
      ({ severity, code }) => severity === 'error' || (severity === 'data_loss' && code !== 'lost_records'),
    );
  const sentences = damage.slice(0, DAMAGE_LINES_MAX).map(({ message }) => message);
  return { sentences, more: damage.length - sentences.length };
}

/**
 * The exit code for a trace that was read to its end: 1 where it is damaged, so that what was reported is not all that
 * there was. With `tell` the damage is told on standard error, for verbs whose output has no place for it.
 */
export function exitCodeOf(reader: Pick<TraceFacts, 'diagnostics'>, { tell = false } = {}): number {
  const { sentences, more } = damageOf(reader);
  if (sentences.length === 0) return EXIT.done;
  if (tell) {
    for (const sentence of sentences) process.stderr.write(`xenscope: ${sentence}\n`);
    if (more > 0) process.stderr.write(`xenscope: ${more} more of this kind; \`xenscope info\` lists them\n`);
  }
  return EXIT.damaged;
}

/** Parses a frequency as people and xenalyze write it: `2.4G`, `2400M`, `1000000000`. In Hz. */
export function parseHz(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([GMk]?)(?:[Hh]z)?$/.exec(text.trim());
  const scale = { G: 1e9, M: 1e6, k: 1e3, '': 1 }[match?.[2] ?? ''] ?? 1;
  const hz = match ? Math.round(Number(match[1]) * scale) : Number.NaN;
  if (!(hz >= 1000 && hz <= 1e12)) {
    throw new InvalidArgumentError('expected a frequency such as 2.4G, 2400M or 1000000000.');
  }
  return hz;
}
