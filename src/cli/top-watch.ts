/**
 * Where the records of `xenscope top` come from, and when it is time to look: a stream or a growing file as it comes, a
 * whole trace at any speed.
 * @module
 */
import { closeSync, createReadStream, fstatSync, readSync, type Stats, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { UserError } from '../base/errors.ts';
import {
  createRecordBatch,
  type Diagnostic,
  LiveReader,
  openFile,
  openTrace,
  type Pieces,
  type RecordBatch,
  refuseTerminalInput,
  type TraceReader,
} from '../decoder/index.ts';
import { LiveModel, LOOKBACK_NS } from '../live/index.ts';
import type { SourceStatus } from './top-text.ts';
import { damageOf, type TraceOptions } from './trace-options.ts';

/** Without anything new for so long, a stream is quiet: what has come is shown without waiting for more. */
const QUIET_MS = 1000;
/** How often a file is looked at for more. */
const FOLLOW_MS = 100;
const FOLLOW_BYTES = 256 * 1024;
/** When more intervals without a record than that are over at once, they are passed over. */
const EMPTY_INTERVALS_MAX = 60;
/** A replay goes on in steps of so long. */
const FRAME_MS = 50;

export interface WatchOptions extends TraceOptions {
  /** Read on as the file grows. */
  readonly follow: boolean;
  /** How many times as fast as it was recorded; as fast as can be unless given. */
  readonly speed: number | undefined;
  /** How often to look, in the trace's own time. */
  readonly intervalNs: number;
}

type OnTick = (passedOver: number) => void;
type Tell = (sentence: string) => void;

/** A source that is watched. */
export interface Watch {
  readonly model: LiveModel;
  status(): SourceStatus;
  /**
   * Follows the source to its end, or until {@link stop}; calls `onTick` each time that an interval is over, with the
   * number of intervals without a record that were passed over before it, and once more at the end. Where a file was
   * rewritten and everything begins anew, calls `tell` with sentences on what was damaged in the one before, and with
   * one that says so; also where the new one cannot be opened yet.
   */
  run(onTick: OnTick, tell: Tell): Promise<void>;
  stop(): void;
  /** Of what is watched now. */
  diagnostics(): readonly Diagnostic[];
  /** Whether something was damaged that another source has taken the place of. */
  readonly wasDamaged: boolean;
  close(): void;
}

/**
 * Opens a source: `-` and a file that is followed are read as they come, any other file is a whole trace.
 *
 * @throws UserError as openTrace does.
 */
export async function openWatch(path: string, options: WatchOptions): Promise<Watch> {
  const { formats, cpuHz } = options;
  if (path === '-') {
    refuseTerminalInput();
    return new LiveWatch('(standard input)', () => [{ pieces: process.stdin }], options);
  }
  if (isPipe(path)) {
    const pieces = createReadStream('', { fd: openFile(path).fd });
    return new LiveWatch(path, () => [{ pieces }], options);
  }
  if (options.follow) {
    const stopped = new AbortController();
    const { fd } = openFile(path);
    const sources = (tell: Tell) => followPath(path, fd, stopped.signal, tell);
    return new LiveWatch(path, sources, options, () => stopped.abort());
  }
  return new TraceWatch(await openTrace(path, { formats, cpuHz }), options);
}

function isPipe(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/** Takes records into the model, and settles it at each instant at which to look. */
class Ticker {
  readonly #model: LiveModel;
  readonly #intervalNs: number;
  readonly #onTick: OnTick;
  /** Stretches without a record that are long and not over yet, in order. */
  readonly #gaps: { readonly fromNs: number; readonly toNs: number }[] = [];
  #nextNs: number;
  stopped = false;

  constructor(model: LiveModel, intervalNs: number, onTick: OnTick) {
    this.#model = model;
    this.#intervalNs = intervalNs;
    this.#nextNs = intervalNs;
    this.#onTick = onTick;
  }

  push(batch: RecordBatch): void {
    this.#noteGaps(batch);
    this.#model.push(batch);
  }

  #noteGaps({ tNs, count }: RecordBatch): void {
    const longNs = EMPTY_INTERVALS_MAX * this.#intervalNs;
    let lastNs = this.#model.pushedNs;
    if (count === 0 || tNs[count - 1] - lastNs <= longNs) return;
    for (let row = 0; row < count; row++) {
      if (tNs[row] - lastNs > longNs) this.#gaps.push({ fromNs: lastNs, toNs: tNs[row] });
      lastNs = tNs[row];
    }
  }

  /** Everything before `toNs` is known. */
  advance(toNs: number): void {
    while (!this.stopped && this.#nextNs <= toNs) {
      const passedOver = this.#emptyBefore(toNs);
      this.#nextNs += passedOver * this.#intervalNs;
      this.#model.settle(this.#nextNs);
      this.#nextNs += this.#intervalNs;
      this.#onTick(passedOver);
    }
  }

  /** How many of the next intervals, that are over at `toNs`, to pass over; at least one is left. */
  #emptyBefore(toNs: number): number {
    while (this.#gaps.length > 0 && this.#gaps[0].toNs < this.#nextNs) this.#gaps.shift();
    const [gap] = this.#gaps;
    if (gap === undefined || this.#nextNs - this.#intervalNs <= gap.fromNs) return 0;
    const empty = Math.floor((Math.min(gap.toNs, toNs) - this.#nextNs) / this.#intervalNs);
    return empty > EMPTY_INTERVALS_MAX ? empty : 0;
  }

  /** The trace is over. */
  finish(endNs: number): void {
    if (this.stopped) return;
    const lastNs = this.#nextNs - this.#intervalNs;
    this.#model.finish(endNs);
    if (endNs > lastNs || endNs === 0) this.#onTick(0);
  }
}

/** A stream from its start. */
interface LiveSource {
  readonly pieces: Pieces;
  /** A sentence on why it took the place of the one before. */
  readonly why?: string | undefined;
}

type LiveSources = (tell: Tell) => Iterable<LiveSource> | AsyncIterable<LiveSource>;

/** Streams, each of which takes the place of the one before, as if it had not been. */
class LiveWatch implements Watch {
  readonly #name: string;
  readonly #sources: LiveSources;
  readonly #options: WatchOptions;
  readonly #onStop: () => void;
  #reader: LiveReader;
  #model: LiveModel;
  #pieces: Pieces | undefined;
  #ticker: Ticker | undefined;
  #isStopped = false;
  #stop: () => void = () => {};
  #phase = 'live';
  #wasDamaged = false;
  #lastPieceMs = performance.now();

  constructor(name: string, sources: LiveSources, options: WatchOptions, onStop = () => {}) {
    this.#name = name;
    this.#sources = sources;
    this.#options = options;
    this.#onStop = onStop;
    [this.#reader, this.#model] = this.#begin();
  }

  #begin(): [LiveReader, LiveModel] {
    const { formats, cpuHz } = this.#options;
    const reader = new LiveReader({ name: this.#name, formats, cpuHz });
    return [reader, new LiveModel(reader.catalog)];
  }

  get model(): LiveModel {
    return this.#model;
  }

  status(): SourceStatus {
    const { records, bytes, lateRecords } = this.#reader.counts();
    const quietMs = performance.now() - this.#lastPieceMs;
    const quiet = quietMs >= 2 * QUIET_MS ? `, nothing new for ${Math.floor(quietMs / 1000)} s` : '';
    const phase = this.#phase === 'live' ? `live${quiet}` : this.#phase;
    return { name: this.#reader.name, records, bytes, lateRecords, cpuHz: this.#reader.clock?.cpuHz, phase };
  }

  async run(onTick: OnTick, tell: Tell): Promise<void> {
    for await (const { pieces, why } of this.#sources(tell)) {
      if (this.#isStopped) break;
      if (why !== undefined) {
        this.#leave(tell);
        tell(why);
        [this.#reader, this.#model] = this.#begin();
      }
      this.#pieces = pieces;
      await this.#watch(pieces, onTick);
    }
  }

  /** Keeps of the reader what is not to be forgotten with it. */
  #leave(tell: Tell): void {
    const { sentences, more } = damageOf(this.#reader);
    for (const sentence of sentences) tell(sentence);
    if (more > 0) tell(`${more} more of this kind`);
    if (sentences.length > 0) this.#wasDamaged = true;
  }

  async #watch(pieces: Pieces, onTick: OnTick): Promise<void> {
    const ticker = new Ticker(this.model, this.#options.intervalNs, onTick);
    this.#ticker = ticker;
    this.#phase = 'live';
    const batch = createRecordBatch();
    const read = () => {
      if (ticker.stopped) return;
      while (this.#reader.readBatch(batch)) ticker.push(batch);
      ticker.advance(this.model.pushedNs - LOOKBACK_NS);
    };
    let fail = (_error: unknown) => {};
    const stopped = new Promise<void>((resolve, reject) => {
      this.#stop = resolve;
      fail = reject;
    });
    const timer = setInterval(() => {
      if (performance.now() - this.#lastPieceMs < QUIET_MS) return;
      try {
        this.#reader.release();
        read();
        ticker.advance(this.model.pushedNs);
      } catch (error) {
        fail(error);
      }
    }, QUIET_MS / 2);
    const fed = this.#reader.feed(pieces, () => {
      this.#lastPieceMs = performance.now();
      read();
    });
    fed.catch(() => {}); // Once it was stopped, nobody asks how it ended.
    try {
      await Promise.race([fed, stopped]);
    } finally {
      clearInterval(timer);
    }
    this.#phase = 'end of the trace';
    ticker.finish(this.#reader.counts().spanNs);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#ticker !== undefined) this.#ticker.stopped = true;
    this.#onStop();
    this.#stop();
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#reader.diagnostics();
  }

  get wasDamaged(): boolean {
    return this.#wasDamaged;
  }

  close(): void {
    this.#onStop();
    if (this.#pieces instanceof Readable) this.#pieces.destroy();
  }
}

class TraceWatch implements Watch {
  readonly model: LiveModel;
  readonly wasDamaged = false;
  readonly #reader: TraceReader;
  readonly #options: WatchOptions;
  #ticker: Ticker | undefined;
  #phase: string;

  constructor(reader: TraceReader, options: WatchOptions) {
    this.#reader = reader;
    this.#options = options;
    this.model = new LiveModel(reader.catalog, reader.pcpus);
    this.#phase = options.speed === undefined ? 'reading' : `replay x${options.speed}`;
  }

  status(): SourceStatus {
    const { records, lateRecords } = this.#reader.counts();
    const { name, bytes, clock } = this.#reader;
    return { name, records, bytes, lateRecords, cpuHz: clock.cpuHz, phase: this.#phase };
  }

  async run(onTick: OnTick): Promise<void> {
    const { model } = this;
    const { speed, intervalNs } = this.#options;
    const ticker = new Ticker(model, intervalNs, onTick);
    this.#ticker = ticker;
    const batch = createRecordBatch();
    const startMs = performance.now();
    let isRead = false;
    while (!ticker.stopped) {
      const nowNs =
        speed === undefined ? Number.POSITIVE_INFINITY : (performance.now() - startMs) * 1e6 * speed;
      const isAhead = () => isRead || model.pushedNs >= nowNs + LOOKBACK_NS;
      if (!isAhead()) {
        isRead = !this.#reader.readBatch(batch);
        ticker.push(batch);
      }
      ticker.advance(Math.min(nowNs, isRead ? model.pushedNs : model.pushedNs - LOOKBACK_NS));
      if (isRead && nowNs >= model.pushedNs) break;
      await (isAhead() ? setTimeout(FRAME_MS) : setImmediate());
    }
    this.#phase = 'end of the trace';
    ticker.finish(this.#reader.counts().spanNs);
  }

  stop(): void {
    if (this.#ticker !== undefined) this.#ticker.stopped = true;
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#reader.diagnostics();
  }

  close(): void {
    this.#reader.close();
  }
}

/**
 * The file of a name as it grows, and whatever file takes its place, as `tail -F` follows them: each from its start.
 * `fd` is the first one.
 */
async function* followPath(
  path: string,
  fd: number,
  stopped: AbortSignal,
  tell: Tell,
): AsyncGenerator<LiveSource> {
  let file = new GrowingFile(path, fd);
  let why: string | undefined;
  while (!stopped.aborted) {
    yield { pieces: file.pieces(stopped), why };
    why = `${path} was ${file.isReplaced ? 'replaced' : 'rewritten'}: it is shown from its start again`;
    const next = await openWhenPossible(path, stopped, tell);
    if (next === undefined) return;
    file = new GrowingFile(path, next);
  }
}

/**
 * The descriptor of a file that may be gone again already, or be none that can be read: then waits for another one, and
 * says so once. Undefined once it was `stopped`.
 */
async function openWhenPossible(path: string, stopped: AbortSignal, tell: Tell): Promise<number | undefined> {
  let isTold = false;
  while (!stopped.aborted) {
    try {
      return openFile(path).fd;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!isTold) tell(`${error.message}; one that can be read is waited for`);
      isTold = true;
    }
    await setTimeout(FOLLOW_MS);
  }
  return undefined;
}

/** Enough to hold the time of a trace's first record, by which another trace is told. */
const HEAD_BYTES = 64;

class GrowingFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #stats: Stats;
  #position = 0;
  #head: Buffer = Buffer.alloc(0);

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
    this.#stats = fstatSync(fd);
  }

  /** Its bytes, and those that are appended to it, until `stopped` or until it is not the same file any more. */
  async *pieces(stopped: AbortSignal): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(FOLLOW_BYTES);
    try {
      while (!stopped.aborted && !this.#isRewritten) {
        const bytes = readSync(this.#fd, buffer, 0, FOLLOW_BYTES, this.#position);
        this.#position += bytes;
        if (this.#head.length < HEAD_BYTES) this.#head = this.#readHead(Math.min(HEAD_BYTES, this.#position));
        if (bytes > 0) yield buffer.subarray(0, bytes);
        else if (this.isReplaced) return;
        await (bytes > 0 ? setImmediate() : setTimeout(FOLLOW_MS));
      }
    } finally {
      closeSync(this.#fd);
    }
  }

  /** Whether another file has its name. Where none has, or none that can be seen, this one may still grow. */
  get isReplaced(): boolean {
    try {
      const now = statSync(this.#path);
      return now.ino !== this.#stats.ino || now.dev !== this.#stats.dev;
    } catch {
      return false;
    }
  }

  /** Whether what was read of it is there no more. */
  get #isRewritten(): boolean {
    return fstatSync(this.#fd).size < this.#position || !this.#readHead(this.#head.length).equals(this.#head);
  }

  #readHead(bytes: number): Buffer {
    const head = Buffer.alloc(bytes);
    return head.subarray(0, readSync(this.#fd, head, 0, bytes, 0));
  }
}
