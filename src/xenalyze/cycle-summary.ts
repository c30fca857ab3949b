import type { XenalyzeOptions } from './options.ts';

/** How large samples are at first, and may get; 0: no samples, no limit. */
export type SampleLimits = Pick<XenalyzeOptions, 'sampleSize' | 'sampleMax'>;

const NO_SAMPLES = new Float64Array(0);
const ROOM_MIN = 8;

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
  /** How many durations the sample may have by now. */
  sampleSize = 0;
  sample: Float64Array = NO_SAMPLES;
  /** Whether there were durations below 0: TSC skew makes them. */
  hasNegative = false;
  #countBefore = 0;
  #cyclesBefore = 0;

  /** @param cycles A whole number; not 0 if it is to be counted in more than {@link eventCount}. */
  add(cycles: number, options: SampleLimits): void {
    this.eventCount++;
    if (cycles === 0) return;
    if (cycles < 0) this.hasNegative = true;
    const { count } = this;
    if (count < this.sample.length) this.sample[count] = cycles;
    else this.#addBeyond(cycles, options);
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

  /** Where {@link sample} has no room: it grows as it is needed, but not beyond {@link sampleSize}. */
  #addBeyond(cycles: number, limits: SampleLimits): void {
    const { count, sample } = this;
    if (limits.sampleSize === 0) return;
    if (count >= this.sampleSize) this.sampleSize = grownSampleSize(this.sampleSize, count, limits);
    const size = this.sampleSize;
    const index = count < size ? count : replacedIndex(count, size);
    if (index < 0) return;
    if (index >= sample.length) {
      this.sample = new Float64Array(Math.min(size, Math.max(ROOM_MIN, count * 2)));
      this.sample.set(sample);
    }
    this.sample[index] = cycles;
  }
}

/** How large a sample of `size` gets when it is full and one more duration comes after `count` others. */
export function grownSampleSize(
  size: number,
  count: number,
  { sampleSize, sampleMax }: SampleLimits,
): number {
  if (count !== 0 && sampleMax !== 0 && size >= sampleMax) return size;
  const grown = size * 2 || sampleSize;
  return Math.max(0, sampleMax !== 0 && grown > sampleMax ? sampleMax : grown);
}

/** Which duration of a full sample a new one replaces, after `count` others; -1: none. */
export function replacedIndex(count: number, size: number): number {
  if (size === 0) return -1;
  const lap = Math.floor(count / size) + 1;
  const index = count % size;
  return (index - Math.floor(lap / 3)) % lap === 0 ? index : -1;
}

/** Whole-number division towards zero, exact below 2^53. */
export function divide(dividend: number, divisor: number): number {
  const quotient = Math.trunc(dividend / divisor);
  const rest = dividend - quotient * divisor;
  if (rest < 0 && dividend > 0) return quotient - 1;
  if (rest > 0 && dividend < 0) return quotient + 1;
  return quotient;
}
