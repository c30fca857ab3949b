import { UserError } from '../base/errors.ts';
import { type EventCatalog, loadCatalog, WINDOW_HEADER_BYTES } from '../format/index.ts';
import { findClock, type TraceClock } from './clock.ts';
import { DecodingReader } from './decoding-reader.ts';
import { DiagnosticLog } from './diagnostic-log.ts';
import { indexWindows } from './index-windows.ts';
import { openSource, type TraceInput } from './open-source.ts';
import type { TraceReader } from './trace-reader.ts';
import type { TraceSource } from './trace-source.ts';
import type { WindowIndex } from './window-index.ts';

/** What {@link openTrace} may be told; nothing has to be. */
export interface OpenTraceOptions {
  /** Files with a user's own event definitions (`--formats`). */
  readonly formats?: readonly string[] | undefined;
  /** The definitions, where the caller has them already; then `formats` is not looked at. */
  readonly catalog?: EventCatalog | undefined;
  /** The frequency of the TSC, where the user knows it better. */
  readonly cpuHz?: number | undefined;
  /** `time` (the default): across pCPUs by TSC. `file`: as the records lie in the file. */
  readonly order?: 'time' | 'file' | undefined;
  /** Called now and then; `totalBytes` is NaN as long as a stream is taken in. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Bytes of a stream that are kept in memory before a temporary file takes over (16 MiB). */
  readonly spoolMemoryBytes?: number | undefined;
  /** Words of each pCPU that are loaded ahead, at least 32; chosen by the number of pCPUs where not given. */
  readonly blockWords?: number | undefined;
}

/**
 * Opens a trace: a file, `-` for standard input, bytes, or a stream; plain or gzip.
 *
 * Streams and gzip are first taken in wholly. Damage never throws: it becomes rows of `diagnostics()`.
 *
 * @throws UserError not-found, no-permission, is-a-directory, cannot-open, read-failed, not-a-trace, bad-cpu-hz,
 *   stdin-is-a-terminal, temporary-file, bad-input, and those of the definition files.
 */
export async function openTrace(input: TraceInput, options: OpenTraceOptions = {}): Promise<TraceReader> {
  const { cpuHz, order = 'time', onProgress, blockWords } = options;
  checkCpuHz(cpuHz);
  const catalog = options.catalog ?? loadCatalog(options.formats);
  const log = new DiagnosticLog();
  const source = await openSource(input, log, options);
  let index: WindowIndex | undefined;
  try {
    index = indexWindows(source, order, catalog, log);
    if (source.bytes === 0) reportEmpty(log);
    else if (index.windows === 0) refuseOther(source, log);
    const findings = findClock(source, index);
    const clock = chooseClock(findings, cpuHz, log, index.windows > 0);
    return new DecodingReader({ source, index, order, catalog, clock, log, onProgress, blockWords });
  } catch (error) {
    index?.close();
    source.close();
    throw error;
  }
}

/** @throws UserError bad-cpu-hz. */
export function checkCpuHz(cpuHz: number | undefined): void {
  if (cpuHz !== undefined && !(cpuHz >= 1 && cpuHz <= 1e12)) {
    throw new UserError('bad-cpu-hz', `${cpuHz} Hz is no frequency of a CPU`, {
      hint: 'for example 2400000000',
    });
  }
}

/** The clock that the user gave, or else the one that was found, with a diagnostic where there is neither. */
export function chooseClock(
  { tscStart, frequency }: ReturnType<typeof findClock>,
  given: number | undefined,
  log: DiagnosticLog,
  hasWindows: boolean,
): TraceClock {
  const pairs = frequency?.pairs ?? 0;
  const spreadPpm = frequency?.spreadPpm ?? 0;
  if (given !== undefined) return { cpuHz: Math.round(given), source: 'given', pairs, spreadPpm, tscStart };
  if (frequency) return { cpuHz: frequency.hz, source: 'derived', pairs, spreadPpm, tscStart };
  if (hasWindows) {
    log.add({
      severity: 'info',
      code: 'unknown_cpu_hz',
      message:
        'The trace has no records that tell the CPU frequency: times are in TSC ticks, shown as nanoseconds.',
      advice:
        'Give the frequency with --cpu-hz (see "xl dmesg | grep MHz"), or trace the event class 0x00028000 too.',
    });
  }
  return { cpuHz: undefined, source: 'unknown', pairs, spreadPpm, tscStart };
}

export function reportEmpty(log: DiagnosticLog): void {
  log.add({
    severity: 'data_loss',
    code: 'empty_trace',
    offset: 0,
    message: 'The trace is empty: it has no bytes at all.',
    advice:
      'xentrace writes nothing when no event of its mask happened, or when it was killed before its first sweep.',
  });
}

/**
 * Not even one window: a trace that ends within its first header is one; anything else is some other file.
 *
 * @throws UserError not-a-trace.
 */
export function refuseOther(source: TraceSource, log: DiagnosticLog): void {
  const onlyHeader =
    source.bytes < WINDOW_HEADER_BYTES && log.rows().some((row) => row.code === 'truncated_header');
  if (onlyHeader) return;
  const head = new Uint8Array(Math.min(16, source.bytes));
  source.read(head, 0, 0, head.length);
  const hex = [...head].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new UserError('not-a-trace', `${source.name} is not a xentrace file: it starts with ${hex}`, {
    hint: 'a trace starts with 03 f0 01 20; gzip is fine',
  });
}
