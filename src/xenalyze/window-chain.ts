import { PagedReader, type TraceSource } from '../decoder/index.ts';
import type { Pcpu } from './state.ts';

/** CPU_CHANGE, two extra words, no TSC. */
const WINDOW_HEADER = 0x2001f003;
const HEADER_BYTES = 12;
const RECORD_BYTES = 40;
/** Window headers that are remembered; pCPUs that are further apart in the file read theirs again. */
const REMEMBERED = 2 ** 18;
const PAGES = 512;

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
  #known = 0;
  #nextOffset = 0;
  #broken = false;
  readonly #words = new Uint32Array(RECORD_BYTES / 4);
  readonly #record = new Uint8Array(this.#words.buffer);

  /** The pCPU and the length of the window that {@link find} found. */
  window = 0;
  bytes = 0;

  constructor(source: TraceSource) {
    this.#source = source;
    this.#reader = new PagedReader(source, PAGES);
  }

  /** As {@link TraceSource.read}. */
  read(target: Uint8Array, at: number, length: number): number {
    return this.#reader.read(target, 0, at, length);
  }

  /** Finds the window header at a pCPU's place in the file; false where none is known to be there. */
  find(pcpu: Pcpu): boolean {
    let ordinal = pcpu.windowOrdinal;
    if (!this.#isAt(ordinal, pcpu.fileOffset)) {
      ordinal++;
      if (!this.#isAt(ordinal, pcpu.fileOffset)) {
        ordinal = this.#search(pcpu.fileOffset);
        if (ordinal < 0) return false;
      }
    }
    pcpu.windowOrdinal = ordinal;
    const slot = ordinal % REMEMBERED;
    this.window = this.#windows[slot];
    this.bytes = this.#bytes[slot];
    return true;
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
    const got = this.#reader.read(this.#record, 0, this.#nextOffset, HEADER_BYTES);
    if (got < HEADER_BYTES || this.#words[0] !== WINDOW_HEADER) {
      this.#broken = true;
      return;
    }
    const slot = this.#known % REMEMBERED;
    this.#offsets[slot] = this.#nextOffset;
    this.#windows[slot] = this.#words[1];
    this.#bytes[slot] = this.#words[2];
    this.#known++;
    this.#nextOffset += HEADER_BYTES + this.#words[2];
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
