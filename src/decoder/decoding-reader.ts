import { UserError } from '../base/errors.ts';
import { type EventCatalog, WINDOW_HEADER_BYTES } from '../format/index.ts';
import type { TraceClock } from './clock.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { DiagnosticLog } from './diagnostic-log.ts';
import { type EmitState, emitRecords } from './emit-records.ts';
import { createSlice, nextSlice, type Slice } from './merge.ts';
import { clearRecordBatch, type RecordBatch } from './record-batch.ts';
import { RecordNotes } from './record-notes.ts';
import { createRecordStreams, type RecordStreams } from './record-streams.ts';
import type { TraceCounts, TraceReader } from './trace-reader.ts';
import type { TraceSource } from './trace-source.ts';
import type { WindowIndex } from './window-index.ts';

export interface DecodingReaderOptions {
  readonly source: TraceSource;
  readonly index: WindowIndex;
  readonly order: 'time' | 'file';
  readonly catalog: EventCatalog;
  readonly clock: TraceClock;
  readonly log: DiagnosticLog;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  readonly blockWords?: number | undefined;
}

/** The {@link TraceReader} over an indexed source. */
export class DecodingReader implements TraceReader {
  readonly name: string;
  readonly bytes: number;
  readonly catalog: EventCatalog;
  readonly clock: TraceClock;
  readonly pcpus: readonly number[];
  readonly #options: DecodingReaderOptions;
  /** The diagnostics of opening the trace, before anything was read. */
  readonly #openingLog: DiagnosticLog;
  /** Whose source and index this reader uses; undefined where they are its own. */
  #owner: DecodingReader | undefined;
  readonly #streams: RecordStreams;
  readonly #slice: Slice;
  readonly #emit: EmitState;
  readonly #notes: RecordNotes;
  #ended = false;
  #closed = false;

  constructor(options: DecodingReaderOptions) {
    const { source, index, clock, catalog } = options;
    this.name = source.name;
    this.bytes = source.bytes;
    this.catalog = catalog;
    this.clock = clock;
    this.pcpus = index.pcpus;
    this.#options = options;
    this.#openingLog = options.log.copy();
    this.#notes = new RecordNotes(options.log);
    const ticksPerSecond = clock.cpuHz ?? 1e9;
    this.#streams = createRecordStreams({
      ...options,
      tscStart: clock.tscStart,
      nsPerTick: 1e9 / ticksPerSecond,
    });
    this.#slice = createSlice(this.#streams);
    this.#emit = {
      catalog,
      ticksPerSecond,
      secondKey: 0,
      secondNs: 0,
      spanNs: 0,
      byLayout: new Float64Array(catalog.layouts.length),
      onSpecial: (event, words, batch, row) => this.#notes.note(event, words, batch, row, this.#streams),
    };
  }

  readBatch(batch: RecordBatch): boolean {
    this.#refuseClosed('readBatch');
    clearRecordBatch(batch);
    const room = batch.event.length;
    while (batch.count < room) {
      if (this.#slice.next < this.#slice.end) emitRecords(this.#streams, this.#slice, batch, this.#emit);
      else if (!nextSlice(this.#streams, this.#slice)) break;
    }
    this.#options.onProgress?.(this.#doneBytes(), this.bytes);
    if (batch.count > 0) return true;
    if (!this.#ended) {
      this.#ended = true;
      this.#notes.reportSums(this.#streams);
    }
    return false;
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#options.log.rows();
  }

  counts(): TraceCounts {
    const { totals } = this.#streams;
    const { index, log } = this.#options;
    return {
      records: totals.records,
      byLayout: this.#emit.byLayout,
      unknown: this.#notes.unknownByKind(),
      lostRecords: this.#notes.lostRecords,
      windows: index.windows + totals.innerWindows,
      headerBytes: (index.windows + totals.innerWindows) * WINDOW_HEADER_BYTES,
      recordBytes: totals.recordBytes,
      skippedBytes: log.bytes,
      lateRecords: totals.backwards.reduce((sum, count) => sum + count, 0),
      spanNs: this.#emit.spanNs,
      recordsOfPcpu: new Map(this.pcpus.map((pcpu) => [pcpu, totals.recordsOfPcpu[pcpu]])),
    };
  }

  async reopen(): Promise<TraceReader> {
    this.#refuseClosed('reopen');
    const reader = new DecodingReader({ ...this.#options, log: this.#openingLog.copy() });
    reader.#owner = this.#owner ?? this;
    return reader;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#owner !== undefined) return;
    this.#options.index.close();
    this.#options.source.close();
  }

  /** @throws UserError reader-closed. */
  #refuseClosed(method: string): void {
    if (!this.#isClosed) return;
    throw new UserError('reader-closed', `${method}() after close(): the reader of ${this.name} is closed`, {
      hint: 'close a trace after its last batch, and what reopen() gave before the reader it is of',
    });
  }

  get #isClosed(): boolean {
    return this.#owner === undefined ? this.#closed : this.#closed || this.#owner.#isClosed;
  }

  #doneBytes(): number {
    const { headerBytes, recordBytes, skippedBytes } = this.counts();
    return this.#ended ? this.bytes : Math.min(this.bytes, headerBytes + recordBytes + skippedBytes);
  }
}
