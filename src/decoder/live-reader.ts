import { UserError } from '../base/errors.ts';
import { type EventCatalog, loadCatalog } from '../format/index.ts';
import { ClockFinder, isTimed, type TraceClock } from './clock.ts';
import type { Diagnostic } from './diagnostic.ts';
import { DiagnosticLog } from './diagnostic-log.ts';
import { type EmitState, emitRecords } from './emit-records.ts';
import { createWalkBuffer, FeedWalker } from './feed-walker.ts';
import { WindowScanner } from './index-windows.ts';
import { LiveIndex } from './live-index.ts';
import { LiveSource } from './live-source.ts';
import { createSlice, nextSlice, type Slice } from './merge.ts';
import { type Pieces, takePieces } from './open-source.ts';
import { checkCpuHz, chooseClock, type OpenTraceOptions, refuseOther, reportEmpty } from './open-trace.ts';
import { clearRecordBatch, type RecordBatch } from './record-batch.ts';
import { RecordNotes } from './record-notes.ts';
import { createRecordStreams, type RecordStreams, withMorePcpus } from './record-streams.ts';
import { SweepBound } from './sweep-bound.ts';
import type { Window } from './window-index.ts';

/** What a {@link LiveReader} may be told; nothing has to be. */
export interface LiveReaderOptions extends Pick<OpenTraceOptions, 'formats' | 'catalog' | 'cpuHz'> {
  /** What stands for the stream in messages. */
  readonly name?: string | undefined;
  /** Bytes that are held back at most, {@link HELD_BYTES_MAX} unless given. */
  readonly heldBytesMax?: number | undefined;
}

/** More than the rings of most hosts hold together. */
const HELD_BYTES_MAX = 256 << 20;
/** Words of a pCPU that are loaded ahead. */
const BLOCK_WORDS = 8192;
/**
 * Where the stream does not tell its frequency at once, so long is waited for it: bytes, and ticks (2 s at 3 GHz).
 */
const CLOCK_BYTES = 4 << 20;
const CLOCK_TICKS = 6e9;

/**
 * Decodes a trace while it comes in, as `openTrace` would decode it once it is whole: the same records in the same
 * order with the same times, a sweep of xentrace later than they came (see {@link SweepBound}). Push what comes, read
 * batches while there are any, end it.
 *
 * Memory is bounded. A record that comes out of order all the same, because a recorder does not go by sweeps or
 * {@link release} did not wait for it, has the time of the latest record before it and is counted as late. The place of
 * a record without a TSC is that of the record before it on its pCPU, or, where that was given out with the window
 * before, the first place that is left.
 */
export class LiveReader {
  readonly name: string;
  readonly catalog: EventCatalog;
  readonly #cpuHz: number | undefined;
  readonly #heldBytesMax: number;
  readonly #log = new DiagnosticLog();
  readonly #source: LiveSource;
  readonly #index = new LiveIndex();
  readonly #scanner: WindowScanner;
  readonly #sweeps = new SweepBound();
  readonly #notes = new RecordNotes(this.#log);
  /** Looks at each window once when it comes: when its records were made, and what they tell of the clock. */
  readonly #walker: FeedWalker;
  readonly #walkBuffer = createWalkBuffer();
  readonly #arrived: Window[] = [];
  /** The stream's first TSC: sweeps count ticks from it. */
  #origin = -1n;
  #originLow = 0;
  #originHigh = 0;
  /** The last two TSCs of the window that the walker is in. */
  #lastTicks = Number.NaN;
  #secondLastTicks = Number.NaN;
  #finder: ClockFinder | undefined = new ClockFinder();
  #decoding: Decoding | undefined;
  /** Ticks from the origin up to which records are released, whatever the sweeps say. */
  #releasedTicks = Number.NEGATIVE_INFINITY;
  #ended = false;

  /** @throws UserError bad-cpu-hz, and those of definition files. */
  constructor({ name = '(stream)', catalog, formats, cpuHz, heldBytesMax }: LiveReaderOptions = {}) {
    this.name = name;
    checkCpuHz(cpuHz);
    this.#cpuHz = cpuHz;
    this.#heldBytesMax = heldBytesMax ?? HELD_BYTES_MAX;
    this.catalog = catalog ?? loadCatalog(formats);
    this.#source = new LiveSource(name);
    const sink = {
      add: (offset: number, bytes: number, pcpu: number) => this.#addWindow({ offset, bytes, pcpu }),
    };
    this.#scanner = new WindowScanner(this.#source, sink, this.catalog, this.#log);
    this.#walker = new FeedWalker(this.#source, { next: () => this.#arrived.pop() });
  }

  /**
   * Takes in a whole stream, plain or gzip, to its end; calls `onPiece` whenever something has come.
   *
   * @throws UserError read-failed, bad-input, not-a-trace.
   */
  async feed(pieces: Pieces, onPiece: () => void): Promise<void> {
    const take = (piece: Uint8Array) => {
      this.push(piece);
      onPiece();
    };
    await takePieces(this.name, pieces, take, this.#log);
    this.end();
    onPiece();
  }

  /**
   * Takes in more of the stream; `piece` may be reused when this returns.
   *
   * @throws UserError stream-ended after {@link end}; not-a-trace, where its first bytes tell that it is none.
   */
  push(piece: Uint8Array): void {
    if (this.#ended) throw new UserError('stream-ended', `push() after end(): ${this.name} is over`);
    this.#source.append(piece);
    this.#scanner.scan(false);
    this.#refuseOther(false);
    if (this.heldBytes > this.#heldBytesMax) this.#release();
  }

  /** Bytes that have come and whose records were not given out yet. */
  get heldBytes(): number {
    return this.#source.bytes - this.#firstNeeded();
  }

  /**
   * The stream is quiet: what has come may be read now, without waiting for the next sweep.
   *
   * @throws UserError not-a-trace, where nothing that has come is of one.
   */
  release(): void {
    if (!this.#ended) this.#refuseOther(true);
    this.#release();
  }

  #release(): void {
    this.#releasedTicks = this.#sweeps.latest + 1;
  }

  /** A stream may never end: one that is no trace is refused as soon as that can be told. */
  #refuseOther(isQuiet: boolean): void {
    if (this.#index.windows === 0 && this.#scanner.isOther(isQuiet)) refuseOther(this.#source, this.#log);
  }

  /**
   * The stream is over: the rest may be read.
   *
   * @throws UserError not-a-trace, where not one window has come.
   */
  end(): void {
    this.#ended = true;
    this.#scanner.scan(true);
    if (this.#source.bytes === 0) reportEmpty(this.#log);
    else if (this.#index.windows === 0) refuseOther(this.#source, this.#log);
    this.#releasedTicks = Number.POSITIVE_INFINITY;
  }

  /**
   * Fills `batch` with the next records, as far as they are complete. Returns false when there are none for now.
   *
   * @throws UserError bad-batch, for one without room.
   */
  readBatch(batch: RecordBatch): boolean {
    clearRecordBatch(batch);
    const decoding = this.#decode();
    if (decoding === undefined) return false;
    const room = batch.event.length;
    const boundTicks = Math.max(this.#sweeps.bound, this.#releasedTicks);
    while (batch.count < room) {
      const { slice } = decoding;
      if (slice.next < slice.end) emitRecords(decoding.streams, slice, batch, decoding.emit);
      else {
        this.#addPcpus(decoding);
        if (!nextSlice(decoding.streams, decoding.slice, boundTicks + decoding.originKey)) break;
      }
    }
    if (batch.count === 0 && this.#ended && !decoding.reported) {
      decoding.reported = true;
      this.#notes.reportSums(decoding.streams, true);
    }
    this.#source.forget(this.#firstNeeded());
    return batch.count > 0;
  }

  /** Undefined while too little has come to tell. */
  get clock(): TraceClock | undefined {
    return this.#decoding?.clock;
  }

  /** pCPUs that have had windows so far, ascending. */
  get pcpus(): readonly number[] {
    return this.#index.pcpus;
  }

  /** What is wrong with the trace so far; complete when it has been read to its end. */
  diagnostics(): readonly Diagnostic[] {
    return this.#log.rows();
  }

  counts(): LiveCounts {
    const totals = this.#decoding?.streams.totals;
    return {
      bytes: this.#source.bytes,
      records: totals?.records ?? 0,
      lostRecords: this.#notes.lostRecords,
      lateRecords: totals?.backwards.reduce((sum, count) => sum + count, 0) ?? 0,
      spanNs: this.#decoding?.emit.spanNs ?? 0,
    };
  }

  /** The first byte that is still to be read. */
  #firstNeeded(): number {
    let first = Math.min(this.#scanner.at, this.#index.firstOffset);
    if (this.#decoding === undefined) return first;
    const { windowAt, windowEnd, count } = this.#decoding.streams;
    for (let s = 0; s < count; s++) if (windowAt[s] < windowEnd[s]) first = Math.min(first, windowAt[s]);
    return first;
  }

  #addWindow(window: Window): void {
    const { offset, bytes, pcpu } = window;
    this.#lastTicks = Number.NaN;
    this.#secondLastTicks = Number.NaN;
    this.#arrived.push(window);
    while (
      this.#walker.walk(bytes, this.#walkBuffer, (from, header, data, wordsAt) => {
        if (isTimed(header)) this.#see(from, header, data, wordsAt);
      }) > 0
    );
    this.#index.add(offset, bytes, pcpu);
    const stream = this.#decoding?.streams.streamOfPcpu[pcpu] ?? -1;
    if (stream >= 0) this.#decoding!.streams.done[stream] = 0;
    // A single last TSC that is wrong must not let the bound run ahead; the one before it does as well.
    const last = Math.min(this.#lastTicks, this.#secondLastTicks);
    if (!Number.isNaN(this.#lastTicks)) this.#sweeps.pass(pcpu, Number.isNaN(last) ? this.#lastTicks : last);
  }

  #see(pcpu: number, header: number, data: Uint32Array, wordsAt: number): void {
    const [low, high] = [data[wordsAt - 2], data[wordsAt - 1]];
    if (this.#origin < 0n) {
      this.#origin = (BigInt(high) << 32n) | BigInt(low);
      this.#originLow = low;
      this.#originHigh = high;
    }
    this.#secondLastTicks = this.#lastTicks;
    this.#lastTicks = (high - this.#originHigh) * 4294967296 + (low - this.#originLow);
    this.#finder?.see(pcpu, header, data, wordsAt);
  }

  /** The state of decoding, once enough has come to tell the clock. */
  #decode(): Decoding | undefined {
    if (this.#decoding !== undefined || this.#finder === undefined || this.#index.windows === 0)
      return this.#decoding;
    const { sweeps, latest, bound } = this.#sweeps;
    const isLookOver =
      this.#cpuHz !== undefined ||
      this.#finder.isSure ||
      this.#source.bytes >= CLOCK_BYTES ||
      latest >= CLOCK_TICKS;
    const isReleased = this.#releasedTicks > Number.NEGATIVE_INFINITY;
    if (!isReleased && (sweeps === 0 || !isLookOver || bound === Number.NEGATIVE_INFINITY)) return undefined;
    this.#decoding = this.#begin(this.#finder);
    this.#finder = undefined;
    return this.#decoding;
  }

  #begin(finder: ClockFinder): Decoding {
    const findings = finder.findings();
    const clock = chooseClock(findings, this.#cpuHz, this.#log, true);
    const ticksPerSecond = clock.cpuHz ?? 1e9;
    const streams = createRecordStreams(this.#streamOptions(clock));
    streams.sourceBytes = Number.POSITIVE_INFINITY;
    const decoding: Decoding = {
      clock,
      originKey: this.#origin < 0n ? 0 : Number(this.#origin - clock.tscStart),
      streams,
      slice: createSlice(streams),
      reported: false,
      emit: {
        catalog: this.catalog,
        ticksPerSecond,
        secondKey: 0,
        secondNs: 0,
        spanNs: 0,
        byLayout: new Float64Array(this.catalog.layouts.length),
        onSpecial: (event, words, batch, row) => this.#notes.note(event, words, batch, row, decoding.streams),
      },
    };
    return decoding;
  }

  /** Makes streams for pCPUs that have come since; no row may be staged. */
  #addPcpus(decoding: Decoding): void {
    if (this.#ended) decoding.streams.sourceBytes = this.#source.bytes;
    if (decoding.streams.count === this.#index.count) return;
    decoding.streams = withMorePcpus(decoding.streams, this.#streamOptions(decoding.clock));
    decoding.slice = createSlice(decoding.streams);
  }

  #streamOptions({ tscStart, cpuHz }: TraceClock) {
    return {
      source: this.#source,
      reader: this.#source,
      index: this.#index,
      order: 'time' as const,
      tscStart,
      nsPerTick: 1e9 / (cpuHz ?? 1e9),
      catalog: this.catalog,
      log: this.#log,
      blockWords: BLOCK_WORDS,
    };
  }
}

/** What there is once the clock is known. */
interface Decoding {
  readonly clock: TraceClock;
  /** The key of the origin of the sweeps' ticks. */
  readonly originKey: number;
  streams: RecordStreams;
  slice: Slice;
  readonly emit: EmitState;
  /** Whether the diagnostics were told what can only be told at the end. */
  reported: boolean;
}

/** Sums over what has been read so far. */
export interface LiveCounts {
  /** Bytes that have come. */
  readonly bytes: number;
  readonly records: number;
  /** The sum of what lost-records records say. */
  readonly lostRecords: number;
  /** Records that came too late for their place in the order, or whose TSC is lower than the one before it. */
  readonly lateRecords: number;
  /** Time from the first to the last record. */
  readonly spanNs: number;
}
