/** Bits of a bucket's number within its power of two, at first: percentiles are at most 1/1024 too high. */
export const BITS_MAX = 10;
const TWO_TO_32 = 2 ** 32;

/**
 * How many whole numbers there were, and their sum, in log-linear buckets: below 2^bits each number has its
 * own, beyond that there are 2^bits buckets for each power of two. So the end of a bucket is less than
 * 1/2^bits above any number in it. Counts and sums are exact.
 */
export class LogHistogram {
  #bits: number;
  /** Octave (see {@link octaveOf}) -> count and sum of each of its buckets, in turn. */
  #octaves: (Float64Array | undefined)[] = [];
  #sums: RunningSums | undefined;

  constructor(bits = BITS_MAX) {
    this.#bits = bits;
  }

  /** Numbers held. */
  get cells(): number {
    return this.#octaves.reduce((cells, octave) => cells + (octave?.length ?? 0), 0);
  }

  /** Takes a number in; returns how many more cells that took. */
  add(value: number): number {
    const octave = octaveOf(value, this.#bits);
    const known = this.#octaves[octave];
    const cells = known ?? new Float64Array(2 << this.#bits);
    this.#octaves[octave] = cells;
    const at = 2 * bucketOf(value, octave, this.#bits);
    cells[at]++;
    cells[at + 1] += value;
    this.#sums = undefined;
    return known === undefined ? cells.length : 0;
  }

  /** Joins buckets in pairs: half the memory, twice the error. */
  coarsen(): void {
    const half = 1 << this.#bits;
    const [single, ...octaves] = this.#octaves;
    // The upper half of the numbers that had buckets of their own is an octave now, with as many buckets.
    this.#octaves = [single?.slice(0, half), single?.slice(half), ...octaves.map(joinPairs)];
    this.#bits--;
    this.#sums = undefined;
  }

  /** How many numbers are in buckets that end at `value` or before. */
  countUpTo(value: number): number {
    this.#sums ??= this.#sumUp();
    return this.#sums.count[ranksUpTo(this.#sums.end, this.#sums.end.length, value)];
  }

  /** The sum of those numbers. */
  sumUpTo(value: number): number {
    this.#sums ??= this.#sumUp();
    return this.#sums.sum[ranksUpTo(this.#sums.end, this.#sums.end.length, value)];
  }

  #sumUp(): RunningSums {
    const [end, count, sum]: [number[], number[], number[]] = [[], [0], [0]];
    for (const [octave, cells] of this.#octaves.entries()) {
      if (cells === undefined) continue;
      const width = 2 ** Math.max(0, octave - 1);
      const base = octave === 0 ? 0 : width * 2 ** this.#bits;
      for (let at = 0; at < cells.length; at += 2) {
        if (cells[at] === 0) continue;
        count.push(count[end.length] + cells[at]);
        sum.push(sum[end.length] + cells[at + 1]);
        end.push(base + (at / 2 + 1) * width - 1);
      }
    }
    return { end: Float64Array.from(end), count, sum };
  }
}

/** Over the buckets that are not empty; `count[i]` and `sum[i]` are of those before bucket i. */
interface RunningSums {
  /** The largest number that belongs to each. */
  readonly end: Float64Array;
  readonly count: readonly number[];
  readonly sum: readonly number[];
}

/** How many of the first `count` of ascending numbers are at most `value`. */
export function ranksUpTo(ascending: Float64Array | Uint32Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** 0 below 2^bits; then one for each power of two. */
function octaveOf(value: number, bits: number): number {
  if (value < TWO_TO_32) return Math.max(0, 32 - Math.clz32(value) - bits);
  return 64 - Math.clz32(Math.floor(value / TWO_TO_32)) - bits;
}

/** The bucket of a number within its octave. */
function bucketOf(value: number, octave: number, bits: number): number {
  if (octave === 0) return value;
  const ordinal = value < TWO_TO_32 ? value >>> (octave - 1) : Math.floor(value / 2 ** (octave - 1));
  return ordinal - (1 << bits);
}

function joinPairs(cells: Float64Array | undefined): Float64Array | undefined {
  return (
    cells &&
    Float64Array.from({ length: cells.length / 2 }, (_, cell) => {
      const at = 2 * (cell - (cell % 2)) + (cell % 2);
      return cells[at] + cells[at + 2];
    })
  );
}
