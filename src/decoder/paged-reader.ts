import type { TraceSource } from './trace-source.ts';

const PAGE_BYTES = 32 * 1024;
const SHORT_BYTES = 64;
/** As many pages are kept at first. */
const PAGES_MIN = 32;

/**
 * Reads pieces of a source through a cache of pages, so that hundreds of pCPUs can each take small pieces of
 * windows that lie next to each other in the file without a system call for every piece. Eviction is "second
 * chance": a page that was used since the hand last passed stays. More pages are kept once some have to be read
 * again, and no sooner, as those of a processor's cache are read several times as fast.
 */
export class PagedReader {
  readonly #source: TraceSource;
  readonly #pages: Uint8Array[] = [];
  readonly #pageNumber: Float64Array;
  readonly #pageLength: Int32Array;
  readonly #used: Uint8Array;
  readonly #slotOf = new Map<number, number>();
  #hand = 0;
  /** How many pages are kept. */
  #kept: number;
  /** The last page of those that were read so far. */
  #last = -1;

  /** @param pages How many pages of 32 KiB are kept at most. */
  constructor(source: TraceSource, pages: number) {
    this.#source = source;
    this.#pageNumber = new Float64Array(pages).fill(-1);
    this.#pageLength = new Int32Array(pages);
    this.#used = new Uint8Array(pages);
    this.#kept = Math.min(PAGES_MIN, pages);
  }

  /** As {@link TraceSource.read}. */
  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    if (length >= PAGE_BYTES) return this.#source.read(target, targetAt, at, length);
    let done = 0;
    while (done < length) {
      const position = at + done;
      const inPage = position % PAGE_BYTES;
      const slot = this.#load((position - inPage) / PAGE_BYTES);
      const piece = Math.min(length - done, this.#pageLength[slot] - inPage);
      if (piece <= 0) break;
      copy(this.#pages[slot], inPage, target, targetAt + done, piece);
      done += piece;
    }
    return done;
  }

  #load(page: number): number {
    const known = this.#slotOf.get(page);
    if (known !== undefined) {
      this.#used[known] = 1;
      return known;
    }
    if (page > this.#last) this.#last = page;
    else if (this.#kept < this.#used.length) {
      this.#hand = this.#kept;
      this.#kept = Math.min(this.#kept * 2, this.#used.length);
    }
    while (this.#used[this.#hand]) {
      this.#used[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % this.#kept;
    }
    const slot = this.#hand;
    this.#hand = (slot + 1) % this.#kept;
    if (this.#pageNumber[slot] >= 0) this.#slotOf.delete(this.#pageNumber[slot]);
    this.#pages[slot] ??= new Uint8Array(PAGE_BYTES);
    this.#pageLength[slot] = this.#source.read(this.#pages[slot], 0, page * PAGE_BYTES, PAGE_BYTES);
    this.#pageNumber[slot] = page;
    this.#used[slot] = 1;
    this.#slotOf.set(page, slot);
    return slot;
  }
}

/** Of a few bytes, quicker than the making of a subarray is. */
function copy(source: Uint8Array, at: number, target: Uint8Array, targetAt: number, length: number): void {
  if (length > SHORT_BYTES) target.set(source.subarray(at, at + length), targetAt);
  else for (let i = 0; i < length; i++) target[targetAt + i] = source[at + i];
}
