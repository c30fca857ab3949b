import { assert } from '../base/assert.ts';
import {
  type EventCatalog,
  eventOf,
  extraWordsOf,
  headerWord,
  TRC_LOST_RECORDS,
  TRC_TRACE_WRAP_BUFFER,
  WINDOW_HEADER_BYTES,
} from '../format/index.ts';
import type { TraceClock } from './clock.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { DiagnosticLog } from './diagnostic-log.ts';
import { type EmitState, emitRecords } from './emit-records.ts';
import { createSlice, nextSlice, type Slice } from './merge.ts';
import type { RecordBatch } from './record-batch.ts';
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

/** Kinds of unknown records that are counted one by one. */
const UNKNOWN_KINDS_MAX = 1000;
const OTHER_KINDS = 'other';

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
  /** Header word without the cycle flag -> records. */
  readonly #unknown = new Map<number, number>();
  #otherUnknown = 0;
  #lostRecords = 0;
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
      onSpecial: (event, words, batch, row) => this.#noteSpecial(event, words, batch, row),
    };
  }

  readBatch(batch: RecordBatch): boolean {
    assert(!this.#isClosed, 'readBatch() after close()');
    batch.count = 0;
    batch.wordsOffset[0] = 0;
    const room = batch.event.length;
    while (batch.count < room) {
      if (this.#slice.next < this.#slice.end) emitRecords(this.#streams, this.#slice, batch, this.#emit);
      else if (!nextSlice(this.#streams, this.#slice)) break;
    }
    this.#options.onProgress?.(this.#doneBytes(), this.bytes);
    if (batch.count > 0) return true;
    if (!this.#ended) {
      this.#ended = true;
      this.#reportSums();
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
      unknown: this.#unknownByKind(),
      lostRecords: this.#lostRecords,
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
    assert(!this.#isClosed, 'reopen() after close()');
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

  get #isClosed(): boolean {
    return this.#owner === undefined ? this.#closed : this.#closed || this.#owner.#isClosed;
  }

  #doneBytes(): number {
    const { headerBytes, recordBytes, skippedBytes } = this.counts();
    return this.#ended ? this.bytes : Math.min(this.bytes, headerBytes + recordBytes + skippedBytes);
  }

  #noteSpecial(event: number, words: number, batch: RecordBatch, row: number): void {
    if (event === TRC_LOST_RECORDS && words === 4) this.#noteLost(batch, row);
    if (batch.layout[row] !== 0 || event === TRC_TRACE_WRAP_BUFFER) return;
    const header = headerWord(event, words, false);
    const known = this.#unknown.get(header);
    if (known !== undefined || this.#unknown.size < UNKNOWN_KINDS_MAX)
      this.#unknown.set(header, (known ?? 0) + 1);
    else this.#otherUnknown++;
  }

  #unknownByKind(): Map<string, number> {
    const kinds = new Map<string, number>();
    for (const [header, count] of this.#unknown) {
      kinds.set(`0x${eventOf(header).toString(16).padStart(8, '0')}/${extraWordsOf(header)}`, count);
    }
    if (this.#otherUnknown > 0) kinds.set(OTHER_KINDS, this.#otherUnknown);
    return kinds;
  }

  #noteLost(batch: RecordBatch, row: number): void {
    const w = batch.wordsOffset[row];
    const [count, , firstLow, firstHigh] = batch.words.subarray(w, w + 4);
    const { baseLow, baseHigh, nsPerTick } = this.#streams;
    const firstNs = Math.round(((firstHigh - baseHigh) * 2 ** 32 + (firstLow - baseLow)) * nsPerTick);
    const pcpu = batch.pcpu[row];
    this.#lostRecords += count;
    this.#options.log.add({
      severity: 'data_loss',
      code: 'lost_records',
      pcpu,
      count,
      tNs: batch.tNs[row],
      message: `Xen lost ${count} records on pCPU ${pcpu} between ${firstNs} ns and ${batch.tNs[row]} ns.`,
      advice: 'Larger trace buffers (xentrace -S), a shorter poll (-s) or a smaller mask (-e) lose less.',
    });
  }

  #reportSums(): void {
    for (const [kind, count] of this.#unknownByKind()) this.#reportUnknown(kind, count);
    const { totals } = this.#streams;
    const { nsPerTick } = this.#streams;
    for (const pcpu of totals.backwards.keys()) {
      if (totals.backwards[pcpu] > 0) this.#reportBackwards(pcpu, totals.backwardsTicks[pcpu] * nsPerTick);
      if (totals.jumps[pcpu] > 0) this.#reportJumps(pcpu);
    }
  }

  #reportUnknown(kind: string, count: number): void {
    const [event, words] = kind.split('/');
    this.#options.log.add({
      severity: 'info',
      code: 'unknown_layout',
      count,
      message:
        kind === OTHER_KINDS
          ? `${count} records are of still other kinds that are not defined.`
          : `${count} records of event ${event} with ${words} extra words are not defined: they are shown raw.`,
      advice:
        'Define them in a file of your own (--formats FILE), if your Xen is patched or newer than this program.',
    });
  }

  #reportBackwards(pcpu: number, ns: number): void {
    const { totals } = this.#streams;
    this.#options.log.add({
      severity: 'error',
      code: 'tsc_backwards',
      pcpu,
      offset: totals.backwardsOffset[pcpu],
      count: totals.backwards[pcpu],
      message:
        `The TSC of pCPU ${pcpu} went back in ${totals.backwards[pcpu]} records, by up to ${Math.round(ns)} ns. ` +
        'They keep their place in the file and have the time of the record before them.',
      advice:
        'Damage, two traces in one file, or a host that slept; the times of these records are not known.',
    });
  }

  #reportJumps(pcpu: number): void {
    const { totals } = this.#streams;
    this.#options.log.add({
      severity: 'error',
      code: 'tsc_jump',
      pcpu,
      offset: totals.jumpsOffset[pcpu],
      count: totals.jumps[pcpu],
      message:
        `The TSC of ${totals.jumps[pcpu]} records of pCPU ${pcpu} is far ahead of those that follow. ` +
        'They have the time of the record before them.',
      advice: 'The file was damaged after it was written; the times of these records are not known.',
    });
  }
}
