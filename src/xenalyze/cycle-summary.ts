import type { XenalyzeOptions } from './options.ts';
import { divide, grownSampleSize, nextReplacement } from './wasm/sample-rules.ts';

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
  /** The sample is full: at which count the next duration replaces another. */
  #replacement = 0;
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
  #addBeyond(cycles: number, { sampleSize, sampleMax }: SampleLimits): void {
    const { count, sample } = this;
    if (sampleSize === 0 || count < this.#replacement) return;
    if (count >= this.sampleSize)
      this.sampleSize = grownSampleSize(this.sampleSize, count, sampleSize, sampleMax);
    const size = this.sampleSize;
    // The first duration that comes after the sample is full replaces one.
    if (count >= size) this.#replacement = nextReplacement(count + 1, size);
    if (size === 0) return;
    const index = count % size;
    if (index >= sample.length) {
      this.sample = new Float64Array(Math.min(size, Math.max(ROOM_MIN, count * 2)));
      this.sample.set(sample);
    }
    this.sample[index] = cycles;
  }
}
