import type { XenalyzeOptions } from './options.ts';

const NO_SAMPLES = new Float64Array(0);

/**
 * How often something happened and how many cycles it took, with a sample of the single durations. When the sample is
 * as large as it may get, which durations replace which is a fixed rule: the same trace gives the same percentiles.
 */
export class CycleSummary {
  /** All events, those of no cycles among them. */
  eventCount = 0;
  /** Events that took cycles. */
  count = 0;
  cycles = 0;
  sampleSize = 0;
  sample: Float64Array = NO_SAMPLES;
  /** Whether there were durations below 0: TSC skew makes them. */
  hasNegative = false;
  #countBefore = 0;
  #cyclesBefore = 0;

  /** @param cycles A whole number; not 0 if it is to be counted in more than {@link eventCount}. */
  add(cycles: number, options: XenalyzeOptions): void {
    this.eventCount++;
    if (cycles === 0) return;
    if (cycles < 0) this.hasNegative = true;
    const { count } = this;
    if (count < this.sampleSize) this.sample[count] = cycles;
    else this.#addToFullSample(cycles, options);
    this.count = count + 1;
    this.cycles += cycles;
  }

  /** Since the beginning of the interval that the interval options are at. */
  get intervalCount(): number {
    return this.count - this.#countBefore;
  }

  get intervalCycles(): number {
    return this.cycles - this.#cyclesBefore;
  }

  clearInterval(): void {
    this.#countBefore = this.count;
    this.#cyclesBefore = this.cycles;
  }

  /** How many durations the sample holds. */
  get samples(): number {
    return Math.min(this.count, this.sampleSize);
  }

  /** Mean cycles of an event that took any, rounded down; 0 where there was none. */
  get mean(): number | bigint {
    const { count, cycles } = this;
    if (count === 0) return 0;
    if (cycles >= 0) return divide(cycles, count);
    // xenalyze's sums have no sign.
    return BigInt.asIntN(64, BigInt.asUintN(64, BigInt(cycles)) / BigInt(count));
  }

  #addToFullSample(cycles: number, { sampleSize, sampleMax }: XenalyzeOptions): void {
    if (sampleSize === 0) return;
    this.#grow(sampleSize, sampleMax);
    if (this.count < this.sampleSize) this.sample[this.count] = cycles;
    else this.#replace(cycles);
  }

  #grow(sampleSize: number, sampleMax: number): void {
    if (this.count !== 0 && sampleMax !== 0 && this.sampleSize >= sampleMax) return;
    let size = this.sampleSize * 2 || sampleSize;
    if (sampleMax !== 0 && size > sampleMax) size = sampleMax;
    const sample = new Float64Array(Math.max(0, size));
    sample.set(this.sample.subarray(0, sample.length));
    this.sample = sample;
    this.sampleSize = sample.length;
  }

  #replace(cycles: number): void {
    if (this.sampleSize === 0) return;
    const lap = Math.floor(this.count / this.sampleSize) + 1;
    const index = this.count % this.sampleSize;
    if ((index - Math.floor(lap / 3)) % lap === 0) this.sample[index] = cycles;
  }
}

/** Whole-number division towards zero, exact below 2^53. */
export function divide(dividend: number, divisor: number): number {
  const quotient = Math.trunc(dividend / divisor);
  const rest = dividend - quotient * divisor;
  if (rest < 0 && dividend > 0) return quotient - 1;
  if (rest > 0 && dividend < 0) return quotient + 1;
  return quotient;
}

/**
 * The element that `percent` percent of A[0..count) are below, by partition in place: it leaves A partly sorted, and what
 * is asked next starts from there.
 */
export function percentile(A: Float64Array, count: number, percent: number): number {
  if (count === 0) return 0;
  const wanted = Math.floor((count * percent) / 100);
  let left = 0;
  let right = count - 1;
  while (left < right) {
    const pivot = A[wanted];
    let i = left;
    let j = right;
    do {
      while (A[i] < pivot) i++;
      while (pivot < A[j]) j--;
      if (i <= j) {
        const swapped = A[i];
        A[i] = A[j];
        A[j] = swapped;
        i++;
        j--;
      }
    } while (i <= j);
    if (j < wanted) left = i;
    if (wanted < i) right = j;
  }
  return A[wanted];
}

/**
 * The element below which lie `percent` percent of the sum of A[0..count): half of all the time was spent in stretches
 * shorter than the 50th. By partition in place, as {@link percentile}.
 */
export function selfWeightedPercentile(A: Float64Array, count: number, percent: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += A[i];
  const wanted = divide(total * percent, 100);
  let left = 0;
  let leftWeight = 0;
  let right = count - 1;
  let rightWeight = total - A[right];
  while (left < right) {
    const pivot = A[(left + right) >> 1];
    let i = left;
    let j = right;
    let iWeight = leftWeight;
    let jWeight = rightWeight;
    do {
      while (A[i] < pivot) {
        iWeight += A[i];
        i++;
      }
      while (pivot < A[j]) {
        jWeight -= A[j];
        j--;
      }
      if (i <= j) {
        const swapped = A[i];
        A[i] = A[j];
        A[j] = swapped;
        iWeight += A[i];
        i++;
        jWeight -= A[j];
        j--;
      }
    } while (i <= j);
    // With negative durations there may be no way on: xenalyze would go round for ever.
    if (jWeight >= wanted && wanted >= iWeight) break;
    if (jWeight < wanted) {
      left = i;
      leftWeight = iWeight;
    }
    if (wanted < iWeight) {
      right = j;
      rightWeight = jWeight;
    }
  }
  return A[left];
}
