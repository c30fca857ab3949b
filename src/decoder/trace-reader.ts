import type { EventCatalog } from '../format/index.ts';
import type { TraceClock } from './clock.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { RecordBatch } from './record-batch.ts';

/** What there is to know of a trace besides its records. */
export interface TraceFacts {
  /** The path, or what stands for it. */
  readonly name: string;
  /** Length of the trace, decompressed. */
  readonly bytes: number;
  /** What the records mean: {@link RecordBatch.layout} is an index into its layouts. */
  readonly catalog: EventCatalog;
  /** How ticks of the TSC became nanoseconds, and how sure that is. */
  readonly clock: TraceClock;
  /** pCPUs that have windows in the trace, ascending. */
  readonly pcpus: readonly number[];
  /** What is wrong with the trace; complete when it has been read to its end. */
  diagnostics(): readonly Diagnostic[];
  /** Sums over what has been read so far; complete likewise. */
  counts(): TraceCounts;
  /**
   * A second reader of the same trace, from its start, with diagnostics and counts of its own: they begin as those of
   * this reader did when it was opened. A stream can be read again so, as it was kept. Close both; this one last.
   *
   * @throws UserError reader-closed after {@link close}; as openTrace does, where the file has to be opened again.
   */
  reopen(): Promise<TraceReader>;
  /**
   * Gives back files and memory; a second time it does nothing. Facts, diagnostics and counts can still be asked for,
   * records cannot be read any more, not by readers from {@link reopen} either.
   */
  close(): void;
}

/** Decodes one trace, once, from its start to its end. Made by `openTrace`; `reopen()` gives another. */
export interface TraceReader extends TraceFacts {
  /**
   * Fills `batch` with the next records, as many as there is room for. Returns false when there are none
   * left.
   *
   * @throws UserError read-failed, when the operating system cannot read on; reader-closed after {@link close};
   *   bad-batch, for one without room.
   */
  readBatch(batch: RecordBatch): boolean;
}

/** Sums over what a reader has read so far. */
export interface TraceCounts {
  /** All records but window headers. */
  readonly records: number;
  /** Records by layout index; [0]: those of unknown (event, words). */
  readonly byLayout: Float64Array;
  /** Unknown records by kind, `0x0002f123/5` for event 0x0002f123 with 5 extra words. */
  readonly unknown: ReadonlyMap<string, number>;
  /** The sum of what lost-records records say. */
  readonly lostRecords: number;
  /** Windows: xentrace writes one each time it finds records in a pCPU's ring. */
  readonly windows: number;
  /** headerBytes + recordBytes + skippedBytes = the trace's length. */
  readonly headerBytes: number;
  readonly recordBytes: number;
  /** Bytes that are in diagnostics. */
  readonly skippedBytes: number;
  /** Records whose TSC is lower than the one before it on their pCPU; they keep their place in the file. */
  readonly lateRecords: number;
  /** Time from the first to the last record. */
  readonly spanNs: number;
  /** pCPU -> records. */
  readonly recordsOfPcpu: ReadonlyMap<number, number>;
}
