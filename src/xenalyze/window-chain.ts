import { PagedReader, type TraceSource } from '../decoder/index.ts';
import type { Pcpu } from './state.ts';
import { PCPUS_MAX } from './wasm/walk-layout.ts';

/** CPU_CHANGE, two extra words, no TSC. */
const WINDOW_HEADER = 0x2001f003;
/** No real host has pCPUs with higher numbers. */
export const PCPU_NUMBER_MAX = PCPUS_MAX - 1;
export const WINDOW_HEADER_BYTES = 12;
const RECORD_BYTES = 40;
/** Window headers that are remembered; pCPUs that are further apart in the file read theirs again. */
const REMEMBERED = 2 ** 20;
const PAGES = 512;
const NEAR = 3;

/** What {@link WindowChain.peek} finds. */
export interface Peeked {
  readonly event: number;
  readonly timed: boolean;
  readonly size: number;
  /** As a signed number. */
  readonly window: number;
  readonly bytes: number;
}

/**
 * The windows of a file one after the other, as their lengths say, of which each pCPU hops over those of the others: a
 * header is read once, however many pCPUs there are.
 */
export class WindowChain {
  readonly #source: TraceSource;
  readonly #reader: PagedReader;
  readonly #offsets = new Float64Array(REMEMBERED);
  readonly #windows = new Int32Array(REMEMBERED);
  readonly #bytes = new Uint32Array(REMEMBERED);
  /** The next window of the same pCPU, or -1. */
  readonly #nextOwn = new Int32Array(REMEMBERED);
  /** Where the last window up to it is, of a pCPU whose number is smaller than that of the window before it. */
  readonly #epochs = new Float64Array(REMEMBERED);
  /** By pCPU: its last window, or -1. */
  readonly #lastOf = new Int32Array(PCPU_NUMBER_MAX + 1).fill(-1);
  #known = 0;
  /** As many windows, from the first on, are of pCPUs that are familiar. */
  #familiar = 0;
  #nextOffset = 0;
  #broken = false;
  readonly #words = new Uint32Array(RECORD_BYTES / 4);
  readonly #record = new Uint8Array(this.#words.buffer);

  /** Where {@link leap} ends, the pCPU of the last window on the way, and where an epoch began there, or -1. */
  offset = 0;
  lastWindow = 0;
  epoch = 0;
  /** How long the window is that {@link findOwn} found, without its header. */
  ownBytes = 0;

  constructor(source: TraceSource) {
    this.#source = source;
    this.#reader = new PagedReader(source, PAGES);
  }

  /** As {@link TraceSource.read}. */
  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    return this.#reader.read(target, targetAt, at, length);
  }

  /** Finds the window at a pCPU's place in the file, if it is its own; false where none is known to be there. */
  findOwn(pcpu: Pcpu): boolean {
    const ordinal = this.#find(pcpu);
    if (ordinal < 0 || this.#windows[ordinal % REMEMBERED] !== pcpu.number) return false;
    pcpu.windowOrdinal = ordinal;
    this.ownBytes = this.#bytes[ordinal % REMEMBERED];
    return true;
  }

  /**
   * Hops from the window at a pCPU's place in the file over those of other pCPUs, if all of them are familiar, to its
   * own next one; where that is not known, over one. Returns whether it could; it is up to the caller to move the pCPU.
   */
  leap(pcpu: Pcpu, isFamiliar: (pcpuNumber: number) => boolean): boolean {
    const own = pcpu.windowOrdinal;
    const from = this.#find(pcpu);
    if (from < 0 || this.#windows[from % REMEMBERED] === pcpu.number) return false;
    const fromOffset = this.#offsets[from % REMEMBERED];
    const toOwn = this.#findNextOwn(pcpu.number, own, from);
    if (!this.#isRemembered(from)) return false;
    const to = this.#firstUnfamiliar(from, toOwn < 0 ? from + 1 : toOwn, isFamiliar);
    if (to === from) return false;
    const slot = (to - 1) % REMEMBERED;
    this.offset = this.#offsets[slot] + ((WINDOW_HEADER_BYTES + this.#bytes[slot]) >>> 0);
    this.lastWindow = this.#windows[slot];
    this.epoch = this.#epochs[slot];
    if (this.epoch <= fromOffset)
      this.epoch = pcpu.lastCpuChangePcpu > this.#windows[from % REMEMBERED] ? fromOffset : -1;
    pcpu.windowOrdinal = to === toOwn ? to : to - 1;
    return true;
  }

  /** The window of a pCPU behind its own one, reading further ahead if need be; -1 where it is not known. */
  #findNextOwn(pcpuNumber: number, own: number, from: number): number {
    if (!this.#isRemembered(own) || this.#windows[own % REMEMBERED] !== pcpuNumber) return -1;
    while (!this.#broken && this.#lastOf[pcpuNumber] <= own) this.#extend();
    if (!this.#isRemembered(own)) return -1;
    const next = this.#nextOwn[own % REMEMBERED];
    return next > from ? next : -1;
  }

  /** The first window between two of them whose pCPU is not familiar; or `to`. */
  #firstUnfamiliar(from: number, to: number, isFamiliar: (pcpuNumber: number) => boolean): number {
    const isFamiliarAt = (ordinal: number) => isFamiliar(this.#windows[ordinal % REMEMBERED]);
    if (this.#isRemembered(this.#familiar))
      while (this.#familiar < to && isFamiliarAt(this.#familiar)) this.#familiar++;
    if (this.#familiar > from) return Math.min(to, this.#familiar);
    let at = from;
    while (at < to && isFamiliarAt(at)) at++;
    return at;
  }

  /** The window at a pCPU's place in the file, or -1. Mostly that is near the last one. */
  #find({ windowOrdinal, fileOffset }: Pcpu): number {
    for (let ordinal = windowOrdinal; ordinal < windowOrdinal + NEAR; ordinal++)
      if (this.#isAt(ordinal, fileOffset)) return ordinal;
    return this.#search(fileOffset);
  }

  #isRemembered(ordinal: number): boolean {
    return ordinal < this.#known && ordinal >= this.#known - REMEMBERED;
  }

  #isAt(ordinal: number, offset: number): boolean {
    return ordinal < this.#known && this.#offsets[ordinal % REMEMBERED] === offset;
  }

  /** The ordinal of the window whose header is at `offset`, reading further ahead if need be; or -1. */
  #search(offset: number): number {
    while (!this.#broken && this.#nextOffset <= offset) this.#extend();
    let low = Math.max(0, this.#known - REMEMBERED);
    let high = this.#known - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#offsets[middle % REMEMBERED] <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#isAt(low, offset) ? low : -1;
  }

  #extend(): void {
    const got = this.#reader.read(this.#record, 0, this.#nextOffset, WINDOW_HEADER_BYTES);
    if (got < WINDOW_HEADER_BYTES || this.#words[0] !== WINDOW_HEADER) {
      this.#broken = true;
      return;
    }
    const slot = this.#known % REMEMBERED;
    const before = (this.#known + REMEMBERED - 1) % REMEMBERED;
    const window = this.#words[1];
    const bytes = this.#words[2];
    this.#offsets[slot] = this.#nextOffset;
    this.#windows[slot] = window;
    this.#bytes[slot] = bytes;
    const isEpoch = this.#windows[before] > this.#windows[slot];
    this.#epochs[slot] = isEpoch ? this.#nextOffset : this.#epochs[before];
    this.#nextOwn[slot] = -1;
    if (window <= PCPU_NUMBER_MAX) {
      const last = this.#lastOf[window];
      if (last >= 0 && this.#isRemembered(last)) this.#nextOwn[last % REMEMBERED] = this.#known;
      this.#lastOf[window] = this.#known;
    }
    this.#known++;
    this.#nextOffset += WINDOW_HEADER_BYTES + bytes;
  }

  /** The record at `offset`, whatever it is; undefined where there is no whole one. */
  peek(offset: number, complain: (message: string) => void): Peeked | undefined {
    this.#words.fill(0);
    const length = Math.min(RECORD_BYTES, this.#source.bytes - offset);
    const got = length > 0 ? this.#reader.read(this.#record, 0, offset, length) : 0;
    if (got === 0) return undefined;
    if (got < 4) {
      complain(`__read_record: short read (${got} bytes)\n`);
      return undefined;
    }
    const header = this.#words[0];
    const timed = header >>> 31 === 1;
    const size = (1 + ((header >>> 28) & 7) + (timed ? 2 : 0)) * 4;
    if (got < size) {
      complain(`__read_record: short read (${got}, expected ${size})\n`);
      return undefined;
    }
    return {
      event: header & 0x0fffffff,
      timed,
      size,
      window: this.#words[1] | 0,
      bytes: this.#words[2],
    };
  }
}
