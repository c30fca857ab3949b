import { Prng } from '../base/prng.ts';
import { normalCdf, normalQuantile, studentQuantile } from './distributions.ts';

/** Resamples of a bootstrap. */
export const RESAMPLES = 5000;
/** What the intervals promise. */
export const CONFIDENCE = 0.95;

/** `low` or `high` is infinite where the resamples set no bound (a ratio whose denominator may be 0). */
export interface ConfidenceInterval {
  readonly low: number;
  readonly high: number;
}

/**
 * Bootstrap confidence intervals for statistics of n paired observations: n pairs are drawn with replacement,
 * 5000 times; the interval is BCa, bias-corrected and accelerated (Efron, "Better Bootstrap Confidence
 * Intervals", Journal of the American Statistical Association 82, 1987), and its percentiles are those that a
 * t distribution would take instead of the normal one, without which intervals from few observations are too
 * short (Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69, 2015,
 * section 4.3; CI.bca(expand = TRUE) of his R package resample).
 *
 * The resamples depend on n alone, so that all figures of a comparison are drawn alike, whatever others there
 * are.
 */
export class Bootstrap {
  readonly #n: number;
  /** Which observation is drawn: RESAMPLES rows of n. */
  readonly #drawn: Uint16Array;
  readonly #statistics = new Float64Array(RESAMPLES);
  readonly #firstSums = new Float64Array(RESAMPLES);
  /** Where the bounds would be in a normal distribution, in standard deviations. */
  readonly #bound: number;

  /** @param n Pairs, at least two. */
  constructor(n: number) {
    this.#n = n;
    this.#bound = Math.sqrt(n / (n - 1)) * studentQuantile((1 + CONFIDENCE) / 2, n - 1);
    this.#drawn = new Uint16Array(RESAMPLES * n);
    const prng = Prng.fromSeed(0).fork(`bootstrap/${n}`);
    for (let i = 0; i < this.#drawn.length; i++) this.#drawn[i] = prng.below(n);
  }

  /** The interval for the mean. */
  ofMean(values: readonly number[]): ConfidenceInterval {
    const n = this.#n;
    sums(values, this.#drawn, this.#statistics);
    for (let row = 0; row < RESAMPLES; row++) this.#statistics[row] /= n;
    const total = values.reduce((sum, value) => sum + value, 0);
    const jackknife = values.map((value) => (total - value) / (n - 1));
    return interval(this.#statistics, total / n, jackknife, this.#bound);
  }

  /**
   * The interval for mean(values) / mean(base), pairs drawn together; nothing of `base` is negative, not all
   * is 0.
   */
  ofRatio(values: readonly number[], base: readonly number[]): ConfidenceInterval {
    sums(values, this.#drawn, this.#firstSums);
    sums(base, this.#drawn, this.#statistics);
    for (let row = 0; row < RESAMPLES; row++) {
      this.#statistics[row] = ratio(this.#firstSums[row], this.#statistics[row]);
    }
    const total = values.reduce((sum, value) => sum + value, 0);
    const baseTotal = base.reduce((sum, value) => sum + value, 0);
    const jackknife = values.map((value, index) => ratio(total - value, baseTotal - base[index]));
    return interval(this.#statistics, total / baseTotal, jackknife, this.#bound);
  }
}

function ratio(value: number, base: number): number {
  if (base > 0) return value / base;
  return value > 0 ? Number.POSITIVE_INFINITY : 0;
}

/** The sum of each resample. */
function sums(values: readonly number[], drawn: Uint16Array, into: Float64Array): void {
  const n = values.length;
  const column = Float64Array.from(values);
  for (let row = 0; row < RESAMPLES; row++) {
    let sum = 0;
    for (let at = row * n; at < (row + 1) * n; at++) sum += column[drawn[at]];
    into[row] = sum;
  }
}

/** Changes the order of `statistics`. */
function interval(
  statistics: Float64Array,
  observed: number,
  jackknife: readonly number[],
  bound: number,
): ConfidenceInterval {
  const bias = biasCorrection(statistics, observed);
  const skew = acceleration(jackknife);
  const [low, high] = [bias - bound, bias + bound].map((z) =>
    quantile(statistics, normalCdf(bias + z / (1 - skew * z))),
  );
  return { low, high };
}

/** z0: how far the median of the resamples lies from what was observed. Of equal ones half lie below. */
function biasCorrection(statistics: Float64Array, observed: number): number {
  // Sums of the same numbers in another order differ by less than this.
  const margin = 1e-12 * Math.abs(observed);
  let halves = 0;
  for (const statistic of statistics) {
    if (statistic < observed - margin) halves += 2;
    else if (statistic <= observed + margin) halves++;
  }
  const part = halves / 2 / statistics.length;
  const least = 0.5 / statistics.length;
  return normalQuantile(Math.min(1 - least, Math.max(least, part)));
}

/** a: from the skewness of the statistic without each observation in turn. */
function acceleration(jackknife: readonly number[]): number {
  const center = jackknife.reduce((sum, value) => sum + value, 0) / jackknife.length;
  let [squares, cubes] = [0, 0];
  for (const value of jackknife) {
    const distance = center - value;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  const scale = 6 * squares * Math.sqrt(squares);
  return scale > 0 && Number.isFinite(cubes) ? cubes / scale : 0;
}

/** Between neighbours by their distance; the least and the greatest stand for what lies beyond them. */
function quantile(statistics: Float64Array, part: number): number {
  const last = statistics.length - 1;
  const at = Math.min(last, Math.max(0, part * (last + 2) - 1));
  const below = Math.floor(at);
  const from = select(statistics, below);
  if (at === below) return from;
  let to = Number.POSITIVE_INFINITY;
  for (let index = below + 1; index <= last; index++) to = Math.min(to, statistics[index]);
  return from === to ? from : from + (to - from) * (at - below);
}

/**
 * The value that would be at `rank` if `values` were sorted; afterwards it is, with none above it before and
 * none below it behind. Source: Hoare, "Algorithm 65: Find", Communications of the ACM 4, 1961.
 */
function select(values: Float64Array, rank: number): number {
  let [left, right] = [0, values.length - 1];
  while (left < right) {
    const pivot = values[(left + right) >>> 1];
    let [up, down] = [left, right];
    while (up <= down) {
      while (values[up] < pivot) up++;
      while (values[down] > pivot) down--;
      if (up > down) break;
      const value = values[up];
      values[up++] = values[down];
      values[down--] = value;
    }
    if (rank <= down) right = down;
    else if (rank >= up) left = up;
    else break;
  }
  return values[rank];
}
