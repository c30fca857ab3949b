/**
 * Percentiles of durations, exact in bounded memory as far as it goes.
 *
 * Each duration is kept (4 bytes while all are below 4.29 s, then 8) until the sets of one budget together
 * hold {@link SAMPLES_MAX}. A set that would grow beyond that becomes a histogram (see {@link LogHistogram}):
 * a percentile of it is at most 1/1024 too high; count, sum and maximum stay exact. Should the histograms
 * themselves take more than {@link HISTOGRAM_CELLS_MAX}, as those of a thousand sets would, all of them
 * become half as fine, and so on.
 * @module
 */
import { BITS_MAX, LogHistogram, ranksUpTo } from './log-histogram.ts';
import { sortDurations } from './sort-durations.ts';

/** Durations kept exactly, over all sets of one budget: 32 MiB. */
export const SAMPLES_MAX = 1 << 23;
/** Numbers held by all histograms of one budget: 64 MiB. */
export const HISTOGRAM_CELLS_MAX = 1 << 23;
/** How much a percentile out of a histogram may be too high at first, as a ratio. */
export const HISTOGRAM_ERROR = 2 ** -BITS_MAX;
const FIRST_CAPACITY = 64;
const UINT32_MAX = 0xffffffff;
/** Samples between two running sums that are kept. */
const SUM_STEP = 64;

/** Room for samples that several sets share. */
export class SampleBudget {
  left: number;
  readonly #cellsMax: number;
  readonly #histograms: LogHistogram[] = [];
  #cells = 0;
  #bits = BITS_MAX;

  constructor(samples = SAMPLES_MAX, cellsMax = HISTOGRAM_CELLS_MAX) {
    this.left = samples;
    this.#cellsMax = cellsMax;
  }

  /** How much a percentile out of a histogram may be too high, as a ratio. */
  get error(): number {
    return 2 ** -this.#bits;
  }

  createHistogram(): LogHistogram {
    const histogram = new LogHistogram(this.#bits);
    this.#histograms.push(histogram);
    return histogram;
  }

  discard(histogram: LogHistogram): void {
    this.#histograms.splice(this.#histograms.indexOf(histogram), 1);
    this.#cells -= histogram.cells;
  }

  /** Histograms took `cells` more. */
  grow(cells: number): void {
    this.#cells += cells;
    while (this.#cells > this.#cellsMax && this.#bits > 0) {
      this.#bits--;
      this.#cells = 0;
      for (const histogram of this.#histograms) {
        histogram.coarsen();
        this.#cells += histogram.cells;
      }
    }
  }
}

/** Integer durations of one kind, 0 or more nanoseconds each. */
export class Samples {
  count = 0;
  sum = 0;
  max = 0;
  /** When the longest began, the first of equals. */
  maxAtNs = Number.NaN;
  readonly #budget: SampleBudget;
  #values: Uint32Array | Float64Array = new Uint32Array(0);
  #sorted = true;
  /** Sums of the first 0, {@link SUM_STEP}, 2 * SUM_STEP, ... sorted samples, once they are asked for. */
  #sums: Float64Array | undefined;
  /** Undefined while samples are kept. */
  #histogram: LogHistogram | undefined;

  constructor(budget: SampleBudget) {
    this.#budget = budget;
  }

  /** Whether every sample is kept. */
  get exact(): boolean {
    return this.#histogram === undefined;
  }

  /** How much a percentile may be too high, as a ratio. */
  get error(): number {
    return this.exact ? 0 : this.#budget.error;
  }

  add(value: number, atNs: number): void {
    if (value > this.max || this.count === 0) {
      this.max = value;
      this.maxAtNs = atNs;
    }
    this.sum += value;
    if (this.#histogram === undefined && this.#makeRoom(value)) {
      this.#values[this.count] = value;
      this.#sorted = false;
    } else {
      const cells = this.#histogram!.add(value);
      if (cells > 0) this.#budget.grow(cells);
    }
    this.count++;
  }

  /** Forgets every sample, and gives their room back. */
  clear(): void {
    this.#budget.left += this.#values.length;
    this.#values = new Uint32Array(0);
    if (this.#histogram !== undefined) this.#budget.discard(this.#histogram);
    this.#histogram = undefined;
    this.#sums = undefined;
    this.#sorted = true;
    this.count = 0;
    this.sum = 0;
    this.max = 0;
    this.maxAtNs = Number.NaN;
  }

  /** How many samples are at most `value`; of a histogram, those in buckets that end by then. */
  countUpTo(value: number): number {
    if (this.#histogram !== undefined) return this.#histogram.countUpTo(value);
    this.#sort();
    return ranksUpTo(this.#values, this.count, value);
  }

  /** The sum of those samples. */
  sumUpTo(value: number): number {
    if (this.#histogram !== undefined) return this.#histogram.sumUpTo(value);
    const end = this.countUpTo(value);
    this.#sums ??= this.#sumUp();
    const step = Math.floor(end / SUM_STEP);
    let sum = this.#sums[step];
    for (let index = step * SUM_STEP; index < end; index++) sum += this.#values[index];
    return sum;
  }

  /**
   * Whether there is room for one more sample; where the budget has none, what there is becomes a histogram.
   */
  #makeRoom(value: number): boolean {
    if (value > UINT32_MAX && this.#values instanceof Uint32Array)
      this.#values = Float64Array.from(this.#values);
    const capacity = this.#values.length;
    if (this.count < capacity) return true;
    const more = capacity === 0 ? FIRST_CAPACITY : capacity;
    if (this.#budget.left < more) {
      this.#becomeHistogram();
      return false;
    }
    this.#budget.left -= more;
    const wide = this.#values instanceof Float64Array || value > UINT32_MAX;
    const grown = wide ? new Float64Array(capacity + more) : new Uint32Array(capacity + more);
    grown.set(this.#values);
    this.#values = grown;
    return true;
  }

  #becomeHistogram(): void {
    this.#histogram = this.#budget.createHistogram();
    for (let index = 0; index < this.count; index++) {
      this.#budget.grow(this.#histogram.add(this.#values[index]));
    }
    this.#budget.left += this.#values.length;
    this.#values = new Uint32Array(0);
  }

  #sort(): void {
    if (this.#sorted) return;
    sortDurations(this.#values.subarray(0, this.count));
    this.#sorted = true;
    this.#sums = undefined;
  }

  #sumUp(): Float64Array {
    const sums = new Float64Array(Math.floor(this.count / SUM_STEP) + 1);
    let sum = 0;
    for (let index = 0; index < this.count; index++) {
      if (index % SUM_STEP === 0) sums[index / SUM_STEP] = sum;
      sum += this.#values[index];
    }
    if (this.count % SUM_STEP === 0) sums[this.count / SUM_STEP] = sum;
    return sums;
  }
}

/**
 * The nearest-rank percentile of all samples of `sets` together, sorted[ceil(p * n / 1000) - 1], found
 * without putting them together: the smallest value that enough samples do not exceed. Null where there are
 * none.
 *
 * @param permille the percentile in thousandths, to one decimal: 999 is p99.9, 999.9 is p99.99
 */
export function percentile(sets: readonly Samples[], permille: number): number | null {
  const total = sets.reduce((count, set) => count + set.count, 0);
  return smallest(sets, rankOf(permille, total), (set, value) => set.countUpTo(value));
}

/**
 * The time-weighted percentile of all samples of `sets` together: the smallest sample such that those up to
 * it make up `permille` thousandths of the sum of all. Null where that sum is 0.
 */
export function timeWeightedPercentile(sets: readonly Samples[], permille: number): number | null {
  const total = sets.reduce((sum, set) => sum + set.sum, 0);
  return smallest(sets, rankOf(permille, total), (set, value) => set.sumUpTo(value));
}

/** Ten thousandths are whole numbers, so that a rank that is one comes out as one. */
function rankOf(permille: number, total: number): number {
  return Math.ceil((Math.round(permille * 10) * total) / 10_000);
}

/**
 * The smallest value at which what `upTo` gives for the sets, all in all, reaches `rank`; null for rank 0.
 */
function smallest(
  sets: readonly Samples[],
  rank: number,
  upTo: (set: Samples, value: number) => number,
): number | null {
  if (!(rank > 0)) return null;
  let low = 0;
  let high = sets.reduce((max, set) => Math.max(max, set.max), 0);
  // Beyond 2^53, which only a damaged trace reaches, low and high may never meet.
  for (let step = 0; low < high && step < 64; step++) {
    const middle = low + Math.floor((high - low) / 2);
    if (sets.reduce((sum, set) => sum + upTo(set, middle), 0) >= rank) high = middle;
    else low = middle + 1;
  }
  return high;
}
