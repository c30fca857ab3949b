import { EVENT_CLASS_MASK } from './index-windows.ts';
import type { TraceSource } from './trace-source.ts';
import type { Window, WindowQueue } from './window-index.ts';

const PIECE_WORDS = 16 * 1024;

/** Called for each record: header, position of its first extra word, and TSC where it has one (else NaN). */
export type RecordVisitor = (pcpu: number, header: number, data: Uint32Array, wordsAt: number) => void;

/** Walks the records of one chain of windows, some at a time: for a look at a trace before it is decoded. */
export class FeedWalker {
  readonly #source: TraceSource;
  readonly #feed: Pick<WindowQueue, 'next'>;
  #window: Window | undefined;
  #at = 0;

  constructor(source: TraceSource, feed: Pick<WindowQueue, 'next'>) {
    this.#source = source;
    this.#feed = feed;
  }

  /** Visits the records of about the next `bytes` bytes. Returns how many were walked; 0 at the end. */
  walk(bytes: number, data: Uint32Array, visit: RecordVisitor): number {
    let walked = 0;
    while (walked < bytes) {
      if (this.#window === undefined) {
        this.#window = this.#feed.next();
        if (this.#window === undefined) break;
        this.#at = this.#window.offset;
      }
      const end = this.#window.offset + this.#window.bytes;
      const wanted = Math.min(end - this.#at, PIECE_WORDS * 4);
      const got = this.#source.read(new Uint8Array(data.buffer), 0, this.#at, wanted) & ~3;
      const taken = visitRecords(data, got / 4, this.#window.pcpu, visit) * 4;
      walked += Math.max(taken, 4);
      this.#at += taken;
      if (taken === 0 || this.#at >= end) this.#window = undefined;
    }
    return walked;
  }
}

/** A buffer for {@link FeedWalker.walk}; one serves all walkers. */
export function createWalkBuffer(): Uint32Array {
  return new Uint32Array(PIECE_WORDS);
}

/** Visits whole records of data[0..end); stops where none can be. Returns the words walked. */
function visitRecords(data: Uint32Array, end: number, pcpu: number, visit: RecordVisitor): number {
  let at = 0;
  while (at < end) {
    const header = data[at];
    const wordsAt = at + 1 + (header >>> 31) * 2;
    const next = wordsAt + ((header >>> 28) & 7);
    if (next > end || (header & EVENT_CLASS_MASK) === 0) break;
    visit(pcpu, header, data, wordsAt);
    at = next;
  }
  return at;
}
