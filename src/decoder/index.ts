/**
 * From a trace to columns of numbers.
 *
 * In: a file, a stream or bytes in xentrace's format, plain or gzip. Out: records as columns in bounded
 * batches, in time order across pCPUs, and diagnostics for everything that is not as it should be: damage
 * never throws, and every byte is in a record, in a window header or in a diagnostic. It refuses to know what
 * a record means beyond its layout, and whether a trace was simulated.
 */
export type { TraceClock } from './clock.ts';
export type { Diagnostic, Severity } from './diagnostic.ts';
export { DiagnosticLog, type Finding } from './diagnostic-log.ts';
export { type LiveCounts, LiveReader, type LiveReaderOptions } from './live-reader.ts';
export {
  openFile,
  openSource,
  type Pieces,
  refuseTerminalInput,
  type SourceOptions,
  type TraceInput,
} from './open-source.ts';
export { type OpenTraceOptions, openTrace } from './open-trace.ts';
export { PagedReader } from './paged-reader.ts';
export { BATCH_ROWS, createRecordBatch, type RecordBatch } from './record-batch.ts';
export { type RecordsAround, recordsAround } from './records-around.ts';
export type { TraceCounts, TraceFacts, TraceReader } from './trace-reader.ts';
export type { TraceSource } from './trace-source.ts';
