/**
 * How large a difference is, as against how certain.
 * @module
 */
import { mean, standardDeviation } from '../analysis/statistics.ts';

/**
 * Cohen's d of paired differences, d_z: their mean over their standard deviation. Null where they do not
 * vary. Source: Lakens, "Calculating and reporting effect sizes to facilitate cumulative science", Frontiers
 * in Psychology 4:863, 2013, formula 7; Cohen, "Statistical Power Analysis for the Behavioral Sciences",
 * 1988.
 */
export function cohensD(differences: readonly number[]): number | null {
  const deviation = standardDeviation(differences);
  const average = mean(differences);
  if (average === null || deviation === null) return null;
  // What is left of equal differences is rounding.
  return deviation > 1e-12 * Math.abs(average) ? average / deviation : null;
}

/**
 * Vargha and Delaney's A: the probability that a run of `values` gives more than one of `base`, equal ones
 * counting half: 0.5 is no difference, 0 and 1 are complete separation. Cliff's delta is 2 A - 1. Source:
 * Vargha and Delaney, "A Critique and Improvement of the CL Common Language Effect Size Statistics of McGraw
 * and Wong", Journal of Educational and Behavioral Statistics 25, 2000.
 */
export function varghaDelaneyA(values: readonly number[], base: readonly number[]): number | null {
  if (values.length === 0 || base.length === 0) return null;
  let halves = 0;
  for (const value of values) {
    for (const other of base) halves += value > other ? 2 : value === other ? 1 : 0;
  }
  return halves / (2 * values.length * base.length);
}
