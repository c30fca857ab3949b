import type { EventCatalog } from '../format/index.ts';
import type { DiagnosticLog } from './diagnostic-log.ts';
import { PagedReader } from './paged-reader.ts';
import type { TraceSource } from './trace-source.ts';
import { PCPU_LIMIT, type WindowQueue } from './window-index.ts';

/** All streams' blocks together: they fit a core's second-level cache, whatever the number of pCPUs. */
const BLOCKS_WORDS = 256 * 1024;
const BLOCK_WORDS_MIN = 1024;
const BLOCK_WORDS_MAX = 32 * 1024;
/** The mean record is longer than this many words; where it is not, a block holds fewer words. */
const WORDS_PER_ROW = 3;

/**
 * The records of all pCPUs, loaded ahead in blocks: one stream per pCPU in time order, one for all of them in
 * file order. Loading walks the headers of a piece of a window and notes each whole record as a row: its
 * place in `data`, its pCPU and its key. Merging and copying into batches then run over these arrays alone.
 *
 * 1. The rows of stream s are `row[s]` (the next to be taken) up to `rowEnd[s]`; a stream has rows, or is
 * `done`.
 * 2. Keys are TSC ticks since the trace's first TSC, whole numbers; in time order they never fall within a
 * stream. A
 *    record without a TSC has the key of the record before it.
 * 3. A row is a whole record, inside its window; everything else has gone to the diagnostics.
 */
export interface RecordStreams {
  readonly count: number;
  readonly order: 'time' | 'file';
  readonly blockRows: number;
  readonly blockWords: number;
  /** Stream s owns [s * blockWords, (s + 1) * blockWords). */
  readonly data: Uint32Array;
  readonly positions: Uint32Array;
  readonly keys: Float64Array;
  readonly pcpus: Uint16Array;
  readonly row: Int32Array;
  readonly rowEnd: Int32Array;
  readonly done: Uint8Array;
  /** End of the used words of each block. */
  readonly wordEnd: Int32Array;
  /** The window that each stream is in: next byte to load, end, pCPU. */
  readonly windowAt: Float64Array;
  readonly windowEnd: Float64Array;
  readonly windowPcpu: Uint16Array;
  /** The TSC with key 0. */
  readonly baseLow: number;
  readonly baseHigh: number;
  /** The key of the last record that was loaded, per pCPU. */
  readonly lastKey: Float64Array;
  /** The key so far ahead that was last not believed, per pCPU; infinite before. */
  readonly doubtedKey: Float64Array;
  /** Nothing with a lower key may come any more; set by the merge. */
  floorKey: number;
  readonly totals: LoadTotals;
  readonly reader: Pick<TraceSource, 'read'>;
  readonly bytes: Uint8Array;
  readonly feeds: readonly WindowQueue[];
  readonly streamOfPcpu: Int32Array;
  readonly catalog: EventCatalog;
  readonly log: DiagnosticLog;
  /** Ticks to nanoseconds, for the times of diagnostics. */
  readonly nsPerTick: number;
  /** Length of the source; infinite while nobody knows. */
  sourceBytes: number;
}

/** What has been loaded so far. */
export interface LoadTotals {
  records: number;
  recordBytes: number;
  /** Windows that were found inside others. */
  innerWindows: number;
  readonly recordsOfPcpu: Float64Array;
  /** TSCs that went back, per pCPU: how many, by how many ticks at most, and where first. */
  readonly backwards: Float64Array;
  readonly backwardsTicks: Float64Array;
  readonly backwardsOffset: Float64Array;
  /** TSCs that jumped ahead and were contradicted by the following ones, likewise. */
  readonly jumps: Float64Array;
  readonly jumpsOffset: Float64Array;
}

export interface StreamOptions {
  readonly source: TraceSource;
  readonly index: { readonly pcpus: readonly number[]; feeds(): WindowQueue[] };
  readonly order: 'time' | 'file';
  readonly tscStart: bigint;
  readonly nsPerTick: number;
  readonly catalog: EventCatalog;
  readonly log: DiagnosticLog;
  /** Words that are loaded ahead for each stream; chosen by the number of streams where not given. */
  readonly blockWords?: number | undefined;
  /** Reads the source, where it should not be read through a cache. */
  readonly reader?: Pick<TraceSource, 'read'>;
}

export function createRecordStreams(options: StreamOptions): RecordStreams {
  const { source, index, order, tscStart, catalog, log, nsPerTick } = options;
  const feeds = index.feeds();
  const count = feeds.length;
  const share = Math.floor(BLOCKS_WORDS / Math.max(1, count));
  const blockWords = options.blockWords ?? Math.max(BLOCK_WORDS_MIN, Math.min(BLOCK_WORDS_MAX, share));
  const blockRows = Math.floor(blockWords / WORDS_PER_ROW);
  const data = new Uint32Array(count * blockWords);
  const streamOfPcpu = new Int32Array(PCPU_LIMIT).fill(order === 'file' ? 0 : -1);
  if (order === 'time') for (const [stream, pcpu] of index.pcpus.entries()) streamOfPcpu[pcpu] = stream;
  const starts = Int32Array.from({ length: count }, (_, stream) => stream * blockRows);
  return {
    count,
    order,
    blockRows,
    blockWords,
    data,
    positions: new Uint32Array(count * blockRows),
    keys: new Float64Array(count * blockRows),
    pcpus: new Uint16Array(count * blockRows),
    row: starts.slice(),
    rowEnd: starts.slice(),
    done: new Uint8Array(count),
    wordEnd: Int32Array.from({ length: count }, (_, stream) => stream * blockWords),
    windowAt: new Float64Array(count),
    windowEnd: new Float64Array(count),
    windowPcpu: new Uint16Array(count),
    baseLow: Number(tscStart & 0xffffffffn),
    baseHigh: Number(tscStart >> 32n),
    lastKey: new Float64Array(PCPU_LIMIT),
    doubtedKey: new Float64Array(PCPU_LIMIT).fill(Number.POSITIVE_INFINITY),
    floorKey: 0,
    totals: {
      records: 0,
      recordBytes: 0,
      innerWindows: 0,
      recordsOfPcpu: new Float64Array(PCPU_LIMIT),
      backwards: new Float64Array(PCPU_LIMIT),
      backwardsTicks: new Float64Array(PCPU_LIMIT),
      backwardsOffset: new Float64Array(PCPU_LIMIT),
      jumps: new Float64Array(PCPU_LIMIT),
      jumpsOffset: new Float64Array(PCPU_LIMIT),
    },
    reader: options.reader ?? new PagedReader(source, Math.max(32, Math.min(512, count * 2))),
    bytes: new Uint8Array(data.buffer),
    feeds,
    streamOfPcpu,
    catalog,
    log,
    nsPerTick,
    sourceBytes: source.bytes,
  };
}

/**
 * The same streams with more pCPUs: `options.index` has those of `streams` and others. What was loaded stays loaded.
 * No row may be staged, as rows have other numbers afterwards.
 */
export function withMorePcpus(streams: RecordStreams, options: StreamOptions): RecordStreams {
  const { blockRows, blockWords } = streams;
  const grown = createRecordStreams({ ...options, blockWords });
  grown.lastKey.set(streams.lastKey);
  grown.doubtedKey.set(streams.doubtedKey);
  grown.floorKey = streams.floorKey;
  grown.sourceBytes = streams.sourceBytes;
  for (const [pcpu, from] of streams.streamOfPcpu.entries()) {
    if (from < 0) continue;
    const to = grown.streamOfPcpu[pcpu];
    const shiftRows = (to - from) * blockRows;
    const shiftWords = (to - from) * blockWords;
    for (const column of ['row', 'rowEnd'] as const) grown[column][to] = streams[column][from] + shiftRows;
    grown.wordEnd[to] = streams.wordEnd[from] + shiftWords;
    for (const column of ['done', 'windowAt', 'windowEnd', 'windowPcpu'] as const)
      grown[column][to] = streams[column][from];
    const [firstRow, firstWord] = [from * blockRows, from * blockWords];
    grown.data.set(streams.data.subarray(firstWord, streams.wordEnd[from]), to * blockWords);
    for (const column of ['keys', 'pcpus'] as const)
      grown[column].set(streams[column].subarray(firstRow, streams.rowEnd[from]), to * blockRows);
    for (let row = streams.row[from]; row < streams.rowEnd[from]; row++)
      grown.positions[row + shiftRows] = streams.positions[row] + shiftWords;
  }
  return { ...grown, totals: streams.totals };
}
