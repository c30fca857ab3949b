/**
 * Percentiles of durations, exact in bounded memory as far as it goes.
 *
 * Each duration is kept (4 bytes while all are below 4.29 s, then 8) until the passes together hold
 * {@link SAMPLES_MAX}. A set that would grow beyond that becomes a log-linear histogram: 1024 buckets for each power of
 * two, so that a percentile is at most 1/1024 too high; count, sum and maximum stay exact.
 * @module
 */

/** Durations kept exactly, over all sets of one budget. */
export const SAMPLES_MAX = 1 << 23;
const FIRST_CAPACITY = 64;
const SUB_BITS = 10;
const SUB_BUCKETS = 1 << SUB_BITS;
/** How much a percentile out of a histogram may be too high, as a ratio. */
export const HISTOGRAM_ERROR = 1 / SUB_BUCKETS;
const UINT32_MAX = 0xffffffff;

/** Room for samples that several sets share. */
export class SampleBudget {
  left: number;

  constructor(samples = SAMPLES_MAX) {
    this.left = samples;
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
  /** Octave (see {@link bucketOctave}) -> counts; undefined while samples are kept. */
  #histogram: (Float64Array | undefined)[] | undefined;

  constructor(budget: SampleBudget) {
    this.#budget = budget;
  }

  /** Whether every sample is kept. */
  get exact(): boolean {
    return this.#histogram === undefined;
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
      this.#count(value);
    }
    this.count++;
  }

  /** How many samples are at most `value`; of a histogram, those in buckets that end by then. */
  countUpTo(value: number): number {
    if (this.#histogram !== undefined) return this.#countBucketsUpTo(value);
    this.#sort();
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether there is room for one more sample; where the budget has none, what there is becomes a histogram. */
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
    this.#histogram = [];
    for (let index = 0; index < this.count; index++) this.#count(this.#values[index]);
    this.#budget.left += this.#values.length;
    this.#values = new Uint32Array(0);
  }

  #count(value: number): void {
    const octave = bucketOctave(value);
    this.#histogram![octave] ??= new Float64Array(SUB_BUCKETS);
    this.#histogram![octave]![bucketIndex(value, octave)]++;
  }

  #countBucketsUpTo(value: number): number {
    let count = 0;
    const last = bucketOctave(value);
    for (const [octave, buckets] of this.#histogram!.entries()) {
      if (buckets === undefined || octave > last) continue;
      const width = 2 ** Math.max(0, octave - 1);
      const base = octave === 0 ? 0 : SUB_BUCKETS * width;
      for (let index = 0; index < SUB_BUCKETS; index++) {
        if (base + (index + 1) * width - 1 > value) break;
        count += buckets[index];
      }
    }
    return count;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#values.subarray(0, this.count).sort();
    this.#sorted = true;
  }
}

/** 0 for values below 1024, kept one by one; then one for each power of two. */
function bucketOctave(value: number): number {
  if (value < SUB_BUCKETS) return 0;
  const high = Math.floor(value / 2 ** 32);
  return (high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value)) - SUB_BITS + 1;
}

function bucketIndex(value: number, octave: number): number {
  if (octave === 0) return value;
  const width = 2 ** (octave - 1);
  return Math.floor(value / width) - SUB_BUCKETS;
}

/**
 * The nearest-rank percentile of all samples of `sets` together, sorted[ceil(p * n / 1000) - 1], found without putting
 * them together: the smallest value that enough samples do not exceed. Null where there are none.
 *
 * @param permille the percentile in thousandths: 999 is p99.9
 */
export function percentile(sets: readonly Samples[], permille: number): number | null {
  const total = sets.reduce((count, set) => count + set.count, 0);
  if (total === 0) return null;
  const rank = Math.ceil((permille * total) / 1000);
  let low = 0;
  let high = sets.reduce((max, set) => Math.max(max, set.max), 0);
  // Beyond 2^53, which only a damaged trace reaches, low and high may never meet.
  for (let step = 0; low < high && step < 64; step++) {
    const middle = low + Math.floor((high - low) / 2);
    const upTo = sets.reduce((count, set) => count + set.countUpTo(middle), 0);
    if (upTo >= rank) high = middle;
    else low = middle + 1;
  }
  return high;
}
