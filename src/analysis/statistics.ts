/**
 * The only door to simple-statistics: sums of floats without the error that adding one by one collects.
 * @module
 */
import {
  mean as meanOf,
  standardDeviation as populationStandardDeviation,
  sampleStandardDeviation,
  sum as sumOf,
} from 'simple-statistics';

/** Kahan's compensated sum; 0 for none. */
export function sum(values: readonly number[]): number {
  return sumOf(values as number[]);
}

/** Arithmetic mean; null for none. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : meanOf(values as number[]);
}

/**
 * Jain's fairness index, (sum x)^2 / (n sum x^2): 1 where all are equal, 1/n where one has everything. Null where
 * nobody has anything. Source: Jain, Chiu, Hawe, "A Quantitative Measure of Fairness and Discrimination for
 * Resource Allocation in Shared Computer Systems", DEC-TR-301, 1984.
 */
export function jainIndex(values: readonly number[]): number | null {
  const squares = sum(values.map((value) => value * value));
  if (squares === 0) return null;
  const total = sum(values);
  return Math.min(1, (total * total) / (values.length * squares));
}

/**
 * The coefficient of variation: standard deviation (of all, not of a sample) over mean. 0 where all are equal,
 * sqrt(n - 1) where one has everything; it says what {@link jainIndex} says, which is 1 / (1 + CoV^2). Null where
 * nobody has anything.
 */
export function coefficientOfVariation(values: readonly number[]): number | null {
  const average = mean(values);
  return average === null || average === 0 ? null : populationStandardDeviation(values as number[]) / average;
}

/**
 * The Gini index: half of the mean difference of two values, over the mean. 0 where all are equal, (n - 1) / n
 * where one has everything. Null where nobody has anything. Source: Gini, "Variabilita e mutabilita", 1912.
 */
export function giniIndex(values: readonly number[]): number | null {
  const total = sum(values);
  if (total === 0) return null;
  const ranked = Float64Array.from(values).sort();
  let weighted = 0;
  for (let index = 0; index < ranked.length; index++) {
    weighted += (2 * index + 1 - ranked.length) * ranked[index];
  }
  return Math.max(0, weighted / (values.length * total));
}

/** The largest over the smallest, 1 where all are equal. Null where the smallest is nothing, or there is none. */
export function maxMinRatio(values: readonly number[]): number | null {
  const smallest = Math.min(...values);
  return values.length > 0 && smallest > 0 ? Math.max(...values) / smallest : null;
}

/** Standard deviation of a sample, with n - 1; null for fewer than two values. */
export function standardDeviation(values: readonly number[]): number | null {
  return values.length < 2 ? null : sampleStandardDeviation(values as number[]);
}
