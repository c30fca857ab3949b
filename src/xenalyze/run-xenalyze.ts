import { DiagnosticLog, openSource, type TraceSource } from '../decoder/index.ts';
import { Analyser, neverOf } from './analyser.ts';
import { Intervals } from './intervals.ts';
import type { XenalyzeOptions } from './options.ts';
import { parseXenalyzeOptions } from './parse-options.ts';
import { RecordProcessor } from './process-records.ts';
import { dumpRaw } from './raw-dump.ts';
import { RunstateCounter } from './runstate-counter.ts';
import type { RunstateTimes } from './runstate-times.ts';
import type { Pcpu } from './state.ts';
import { printPcpuReport, printSummary, RUNSTATE_LABELS } from './summary.ts';
import { loadSymbols } from './symbols.ts';
import { type ByteSink, TextOutput } from './text-output.ts';
import { type Processor, TraceWalk } from './trace-walk.ts';
import { reportWindow } from './volume-report.ts';

/** TSCs from here on are counted from the trace's first one, to be exact. */
const LARGE_TSC = 2n ** 52n;
/** Among so many at its start, a trace has a record with a TSC. */
const HEAD_WORDS = 1024;

/** From here on, a trace is worth a thread that does the counting. */
const THREAD_BYTES = 2 ** 24;

export interface XenalyzeIo {
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/**
 * Runs xenalyze with the arguments of its command line. Returns the exit code: 0; 1 where the real one would have ended
 * before the end of the trace; what argp gives for arguments that make no sense.
 *
 * @throws UserError as openSource does.
 */
export async function runXenalyze(argv: readonly string[], io: XenalyzeIo): Promise<number> {
  const out = new TextOutput(io.stdout);
  const stderr = new TextOutput(io.stderr);
  try {
    const parsed = parseXenalyzeOptions(argv, out, stderr);
    if ('exitCode' in parsed) return parsed.exitCode;
    const { options } = parsed;
    if (options.traceFile === undefined) return 1;
    const source = await openSource(options.traceFile, new DiagnosticLog(), {});
    try {
      const tscBase = tscBaseOf(source);
      return analyse(source, options, tscBase, await timesOf(source, options, tscBase), out, stderr, io);
    } finally {
      source.close();
    }
  } finally {
    out.flush();
    stderr.flush();
  }
}

function analyse(
  source: TraceSource,
  options: XenalyzeOptions,
  tscBase: bigint,
  times: RunstateTimes | undefined,
  out: TextOutput,
  stderr: TextOutput,
  io: XenalyzeIo,
): number {
  const symbols = loadSymbols(options.symbolFile, stderr);
  const a = new Analyser(options, out, stderr, symbols, tscBase, times);
  if (a.symbols.refused) a.wouldEnd();
  const intervals = options.interval && new Intervals(a, options.interval);
  const processor = new RecordProcessor(a, intervals);
  const walk = new TraceWalk(a, source, processorOf(a, processor), {
    onRead: options.dumpRawReads ? (pcpu) => dumpRead(a, pcpu) : undefined,
    onWindow: options.dumpTraceVolumeOnLostRecord ? (pcpu, bytes) => reportWindow(a, pcpu, bytes) : undefined,
    onProgress: options.progress ? (offset) => io.onProgress?.(offset, source.bytes) : undefined,
  });
  walk.begin();
  walk.run();
  intervals?.end();
  if (options.summary) printSummary(a);
  if (options.reportPcpu) printPcpuReport(a);
  return a.run.ended ? 1 : 0;
}

async function timesOf(
  { bytes }: TraceSource,
  { summary, sampleSize, sampleMax, cpuHz }: XenalyzeOptions,
  tscBase: bigint,
): Promise<RunstateTimes | undefined> {
  if (!summary) return undefined;
  const options = { sampleSize, sampleMax, cpuHz, never: neverOf(tscBase), labels: RUNSTATE_LABELS };
  if (bytes < THREAD_BYTES) return new RunstateCounter(options);
  const { RunstateThread } = await import('./runstate-thread.ts');
  return new RunstateThread(options);
}

function processorOf(a: Analyser, processor: RecordProcessor): Processor {
  const { dumpNoProcessing, dumpRawProcess } = a.options;
  if (!dumpNoProcessing && !dumpRawProcess) return processor;
  return {
    usual: undefined,
    process: (pcpu) => {
      if (dumpNoProcessing) return;
      dumpRaw(a, pcpu, '* ');
      processor.process(pcpu);
    },
  };
}

function dumpRead(a: Analyser, pcpu: Pcpu): void {
  const place = pcpu.fileOffset.toString(16).padStart(16, '0');
  dumpRaw(a, pcpu, `R p${`${pcpu.number}`.padStart(2)} o${place} `);
}

/** What TSCs are counted from: 0, or about the first one if TSCs are too large for that. */
function tscBaseOf(source: TraceSource): bigint {
  const words = new Uint32Array(HEAD_WORDS);
  const count = source.read(new Uint8Array(words.buffer), 0, 0, words.byteLength) >>> 2;
  for (let at = 0; at + 2 < count; at += 1 + ((words[at] >>> 28) & 7)) {
    if (words[at] >>> 31 === 0) continue;
    const tsc = (BigInt(words[at + 2]) << 32n) | BigInt(words[at + 1]);
    // As a number it is exact.
    return tsc >= LARGE_TSC ? tsc & ~0xfffn : 0n;
  }
  return 0n;
}
