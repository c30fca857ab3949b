import { recordWords } from '../format/index.ts';

const BUFFER_BYTES = 1 << 16;

/** Called for each record: its header, TSC (0 where it has none) and words. Returns false to see no more. */
export type RecordVisitor = (
  header: number,
  tscHigh: number,
  tscLow: number,
  words: Uint32Array,
  at: number,
) => boolean;

/** Finds the records of a stream that comes in pieces of any size, one behind the other, whatever they are. */
export class RecordFeed {
  readonly #visit: RecordVisitor;
  readonly #words = new Uint32Array(BUFFER_BYTES / 4);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  /** Bytes of the buffer in use: the beginning of a record that goes on in the next piece. */
  #used = 0;

  constructor(visit: RecordVisitor) {
    this.#visit = visit;
  }

  /** Bytes of the last record, of which more should come. */
  get left(): number {
    return this.#used;
  }

  /** Takes the next piece. Returns false when the visitor wants no more. */
  take(piece: Uint8Array): boolean {
    for (let from = 0; from < piece.length; ) {
      const taken = Math.min(piece.length - from, BUFFER_BYTES - this.#used);
      this.#bytes.set(piece.subarray(from, from + taken), this.#used);
      this.#used += taken;
      from += taken;
      if (!this.#visitAll()) return false;
    }
    return true;
  }

  #visitAll(): boolean {
    const words = this.#words;
    const end = this.#used >>> 2;
    let at = 0;
    while (at < end) {
      const header = words[at];
      const next = at + recordWords(header);
      if (next > end) break;
      const timed = header >>> 31;
      const low = timed ? words[at + 1] : 0;
      const high = timed ? words[at + 2] : 0;
      if (!this.#visit(header, high, low, words, at + 1 + 2 * timed)) return false;
      at = next;
    }
    this.#bytes.copyWithin(0, at * 4, this.#used);
    this.#used -= at * 4;
    return true;
  }
}
