import { divide } from './cycle-summary.ts';

/** The 5th, the 50th and the 95th percentile of some durations. */
export interface Percentiles {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
}

/** Below so many values, they are compared one by one. */
const BLOCK = 128;
/** Partitions of fewer values are not remembered. */
const REMEMBERED_MIN = 256;
const REMEMBERED_MAX = 128;

const PREPARATION = Float64Array.from({ length: 1300 }, (_, i) => 1 + ((i * 7919) % 1009));

const NONE: Percentiles = { p5: 0, p50: 0, p95: 0 };

/**
 * Finds percentiles by partition in place, as xenalyze does: with the middle one first, as each search leaves the
 * values partly sorted for the next. Which of several near values is found depends on that order, so each partition
 * moves exactly what xenalyze's does; but it goes through the values in blocks, without branches that depend on them,
 * and what the partitions so far have put on one side of the pivot is passed over.
 */
export class PercentileSearch {
  #values: Float64Array = new Float64Array(0);
  /** Where the last partition ended: values up to #j are not above the pivot, those from #i on not below it. */
  #i = 0;
  #j = 0;

  /** The partitions of large ranges so far: pivots, and #i and #j of each. */
  #known = 0;
  readonly #pivots = new Float64Array(REMEMBERED_MAX);
  readonly #is = new Int32Array(REMEMBERED_MAX);
  readonly #js = new Int32Array(REMEMBERED_MAX);

  readonly #low = new Uint8Array(BLOCK + 1);
  readonly #high = new Uint8Array(BLOCK + 1);

  /**
   * To be called before long samples come: code that V8 compiles in the midst of a long loop lacks what comes behind
   * the loop, unless that was seen before. After some hundreds of calls, all of it is compiled.
   */
  prepare(): this {
    for (const count of [3, 700, 1300]) this.selfWeighted(PREPARATION.slice(0, count), count);
    return this;
  }

  /** Of the first `count` values: those that so many percent of them are below. */
  percentiles(values: Float64Array, count: number): Percentiles {
    if (count === 0) return NONE;
    this.#begin(values);
    const p50 = this.#percentile(count, 50);
    return { p50, p5: this.#percentile(count, 5), p95: this.#percentile(count, 95) };
  }

  /**
   * Of the first `count` values: those below which lie so many percent of their sum. Half of all the time was spent in
   * stretches shorter than the 50th.
   *
   * @param before Called before each of the three searches.
   */
  selfWeighted(values: Float64Array, count: number, before?: () => void): Percentiles {
    if (count === 0) return NONE;
    this.#begin(values);
    const total = sum(values, 0, count - 1);
    const search = (percent: number) => {
      before?.();
      return this.#selfWeighted(count, total, percent);
    };
    const p50 = search(50);
    return { p50, p5: search(5), p95: search(95) };
  }

  #begin(values: Float64Array): void {
    this.#values = values;
    this.#known = 0;
  }

  #percentile(count: number, percent: number): number {
    const A = this.#values;
    const wanted = Math.floor((count * percent) / 100);
    let left = 0;
    let right = count - 1;
    while (left < right) {
      this.#partition(left, right, A[wanted]);
      if (this.#j < wanted) left = this.#i;
      if (wanted < this.#i) right = this.#j;
    }
    return A[wanted];
  }

  #selfWeighted(count: number, total: number, percent: number): number {
    const A = this.#values;
    const wanted = divide(total * percent, 100);
    let left = 0;
    let right = count - 1;
    // Of the values in front of the range, and of those up to its end. xenalyze's sum up to a place on the right lacks
    // what was the last value when the search began.
    let before = 0;
    let upTo = total;
    const lacking = A[right];
    while (left < right) {
      this.#partition(left, right, A[(left + right) >> 1]);
      const i = this.#i;
      const j = this.#j;
      const between = i - j > 1 ? A[j + 1] : 0;
      let upToJ = 0;
      if (j - left < right - i) upToJ = before + sum(A, left, j);
      else upToJ = upTo - sum(A, i, right) - between;
      // With negative durations there may be no way on: xenalyze would go round for ever.
      if (upToJ - lacking >= wanted && wanted >= upToJ + between) break;
      if (upToJ - lacking < wanted) left = i;
      if (wanted < upToJ + between) right = j;
      if (left === i) before = upToJ + between;
      if (right === j) upTo = upToJ;
    }
    return A[left];
  }

  /** Hoare's partition of a range by a pivot that is in it. */
  #partition(left: number, right: number, pivot: number): void {
    this.#i = left;
    this.#j = right;
    if (right - left >= REMEMBERED_MIN) {
      this.#passKnown(pivot);
      this.#partitionBlocks(pivot);
    }
    this.#partitionRest(pivot);
    if (right - left >= REMEMBERED_MIN && this.#known < REMEMBERED_MAX) {
      this.#pivots[this.#known] = pivot;
      this.#is[this.#known] = this.#i;
      this.#js[this.#known] = this.#j;
      this.#known++;
    }
  }

  /** Passes over what earlier partitions have put on the side of the pivot where it belongs. */
  #passKnown(pivot: number): void {
    for (let k = 0; k < this.#known; k++) {
      if (this.#pivots[k] < pivot) this.#i = Math.max(this.#i, this.#is[k]);
      if (this.#pivots[k] > pivot) this.#j = Math.min(this.#j, this.#js[k]);
    }
  }

  /** Partitions as long as there are two blocks in between. */
  #partitionBlocks(pivot: number): void {
    const A = this.#values;
    const low = this.#low;
    const high = this.#high;
    // Beginnings of the blocks; what is to be swapped in each, and how much of that was.
    let l = this.#i;
    let r = this.#j;
    let [lows, lowsDone, highs, highsDone] = [0, 0, 0, 0];
    while (r - l >= 2 * BLOCK) {
      if (lows === lowsDone) {
        lowsDone = 0;
        lows = findNotBelow(A, l, pivot, low);
      }
      if (highs === highsDone) {
        highsDone = 0;
        highs = findNotAbove(A, r, pivot, high);
      }
      const swaps = Math.min(lows - lowsDone, highs - highsDone);
      swap(A, l, low, lowsDone, r, high, highsDone, swaps);
      lowsDone += swaps;
      highsDone += swaps;
      if (lows === lowsDone) l += BLOCK;
      if (highs === highsDone) r -= BLOCK;
    }
    this.#i = lows === lowsDone ? l : l + low[lowsDone];
    this.#j = highs === highsDone ? r : r - high[highsDone];
  }

  #partitionRest(pivot: number): void {
    const A = this.#values;
    let i = this.#i;
    let j = this.#j;
    do {
      while (A[i] < pivot) i++;
      while (pivot < A[j]) j--;
      if (i <= j) {
        const value = A[i];
        A[i] = A[j];
        A[j] = value;
        i++;
        j--;
      }
    } while (i <= j);
    this.#i = i;
    this.#j = j;
  }
}

// Loops of their own, without a branch that depends on values.

/**
 * Finds the values of a block from `start` on that are not below the pivot: puts their places, returns their number.
 */
function findNotBelow(A: Float64Array, start: number, pivot: number, places: Uint8Array): number {
  let found = 0;
  for (let k = 0; k < BLOCK; k += 4) {
    places[found] = k;
    found += Number(A[start + k] >= pivot);
    places[found] = k + 1;
    found += Number(A[start + k + 1] >= pivot);
    places[found] = k + 2;
    found += Number(A[start + k + 2] >= pivot);
    places[found] = k + 3;
    found += Number(A[start + k + 3] >= pivot);
  }
  return found;
}

/** Likewise, backwards from `start`, those that are not above the pivot. */
function findNotAbove(A: Float64Array, start: number, pivot: number, places: Uint8Array): number {
  let found = 0;
  for (let k = 0; k < BLOCK; k += 4) {
    places[found] = k;
    found += Number(A[start - k] <= pivot);
    places[found] = k + 1;
    found += Number(A[start - k - 1] <= pivot);
    places[found] = k + 2;
    found += Number(A[start - k - 2] <= pivot);
    places[found] = k + 3;
    found += Number(A[start - k - 3] <= pivot);
  }
  return found;
}

function swap(
  A: Float64Array,
  l: number,
  low: Uint8Array,
  lowFrom: number,
  r: number,
  high: Uint8Array,
  highFrom: number,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    const p = l + low[lowFrom + k];
    const q = r - high[highFrom + k];
    const value = A[p];
    A[p] = A[q];
    A[q] = value;
  }
}

function sum(A: Float64Array, from: number, to: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let k = from;
  for (; k + 3 <= to; k += 4) {
    a += A[k];
    b += A[k + 1];
    c += A[k + 2];
    d += A[k + 3];
  }
  for (; k <= to; k++) a += A[k];
  return a + b + (c + d);
}
