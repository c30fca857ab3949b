/**
 * The only door to simple-statistics: sums of floats without the error that adding one by one collects.
 * @module
 */
import { mean as meanOf, sampleStandardDeviation, sum as sumOf } from 'simple-statistics';

/** Kahan's compensated sum; 0 for none. */
export function sum(values: readonly number[]): number {
  return sumOf(values as number[]);
}

/** Arithmetic mean; null for none. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : meanOf(values as number[]);
}

/**
 * Jain's fairness index, (sum x)^2 / (n sum x^2): 1 where all are equal, 1/n where one has everything. Null
 * where nobody has anything. Source: Jain, Chiu, Hawe, "A Quantitative Measure of Fairness and Discrimination
 * for Resource Allocation in Shared Computer Systems", DEC-TR-301, 1984.
 */
export function jainIndex(values: readonly number[]): number | null {
  const squares = sum(values.map((value) => value * value));
  if (squares === 0) return null;
  const total = sum(values);
  return Math.min(1, (total * total) / (values.length * squares));
}

/** Standard deviation of a sample, with n - 1; null for fewer than two values. */
export function standardDeviation(values: readonly number[]): number | null {
  return values.length < 2 ? null : sampleStandardDeviation(values as number[]);
}
