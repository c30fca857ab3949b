import type { TraceSource } from './trace-source.ts';

const CHUNK_BYTES = 256 * 1024;

/** The end of a stream: what was appended and not forgotten yet, in memory. Offsets count from the stream's start. */
export class LiveSource implements TraceSource {
  readonly name: string;
  #bytes = 0;
  /** Consecutive chunks, the first of which begins at `#firstChunk * CHUNK_BYTES`. */
  readonly #chunks: Uint8Array[] = [];
  #firstChunk = 0;
  /** A chunk that was forgotten, to be used again. */
  #spare: Uint8Array | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Bytes appended so far. */
  get bytes(): number {
    return this.#bytes;
  }

  append(piece: Uint8Array): void {
    for (let from = 0; from < piece.length; ) {
      const inChunk = this.#bytes % CHUNK_BYTES;
      if (inChunk === 0) {
        this.#chunks.push(this.#spare ?? new Uint8Array(CHUNK_BYTES));
        this.#spare = undefined;
      }
      const length = Math.min(piece.length - from, CHUNK_BYTES - inChunk);
      this.#chunks[this.#chunks.length - 1].set(piece.subarray(from, from + length), inChunk);
      this.#bytes += length;
      from += length;
    }
  }

  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    const end = Math.min(at + length, this.#bytes);
    let position = at;
    while (position < end) {
      const inChunk = position % CHUNK_BYTES;
      const chunk = this.#chunks[(position - inChunk) / CHUNK_BYTES - this.#firstChunk];
      if (chunk === undefined) break;
      const piece = Math.min(end - position, CHUNK_BYTES - inChunk);
      target.set(chunk.subarray(inChunk, inChunk + piece), targetAt + position - at);
      position += piece;
    }
    return Math.max(0, position - at);
  }

  /** Bytes before `at` will not be read any more. */
  forget(at: number): void {
    while (this.#chunks.length > 0 && (this.#firstChunk + 1) * CHUNK_BYTES <= at) {
      this.#spare = this.#chunks.shift();
      this.#firstChunk++;
    }
  }

  close(): void {
    this.#chunks.length = 0;
  }
}
