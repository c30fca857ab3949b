import type { TraceSource } from './trace-source.ts';

const NEAR_BYTES = 256 * 1024;
const FAR_BYTES = 4096;

/**
 * Reads words at any byte position of a source, mostly forwards. Hops over long windows read a few KiB each,
 * hops over short ones share one large read.
 */
export class ByteWindow {
  readonly #source: TraceSource;
  readonly #buffer = Buffer.allocUnsafe(NEAR_BYTES);
  #start = 0;
  #length = 0;

  constructor(source: TraceSource) {
    this.#source = source;
  }

  /** Length of the source, which may grow. */
  get bytes(): number {
    return this.#source.bytes;
  }

  /** The little-endian word at `at`; the caller knows that it is inside the source. */
  word(at: number): number {
    if (at < this.#start || at + 4 > this.#start + this.#length) this.#fill(at, 4);
    const i = at - this.#start;
    return i + 4 <= this.#length ? this.#buffer.readUInt32LE(i) : 0;
  }

  /** Up to `length` bytes from `at`; fewer at the end. Valid until the next call. */
  slice(at: number, length: number): Buffer {
    if (at < this.#start || at + length > this.#start + this.#length) this.#fill(at, length);
    return this.#buffer.subarray(at - this.#start, Math.min(at - this.#start + length, this.#length));
  }

  /**
   * The first position at or after `from` where `pattern` begins, at any alignment; -1 when there is none.
   */
  indexOf(pattern: Uint8Array, from: number): number {
    for (let at = from; at + pattern.length <= this.bytes; ) {
      const piece = this.slice(at, Math.min(NEAR_BYTES, this.bytes - at));
      if (piece.length < pattern.length) return -1;
      const found = piece.indexOf(pattern);
      if (found >= 0) return at + found;
      at += piece.length - (pattern.length - 1);
    }
    return -1;
  }

  #fill(at: number, length: number): void {
    const distance = at - (this.#start + this.#length);
    const near = distance >= 0 && distance < NEAR_BYTES;
    const wanted = near || length > FAR_BYTES ? NEAR_BYTES : FAR_BYTES;
    this.#start = at;
    this.#length = this.#source.read(this.#buffer, 0, at, wanted);
  }
}
