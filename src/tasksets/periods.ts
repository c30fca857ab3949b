import type { Prng } from '../base/prng.ts';
import { between } from './unit.ts';

/** How periods are drawn. Those of ranges are multiples of `granularityNs`. */
export type Periods =
  | {
      readonly kind: 'uniform' | 'log-uniform';
      readonly minNs: number;
      readonly maxNs: number;
      readonly granularityNs: number;
    }
  | { readonly kind: 'choice'; readonly periodsNs: readonly number[] };

/**
 * A period in ns. Log-uniform: each order of magnitude is as likely as another; the logarithm is uniform up to
 * one step beyond the longest, and what is drawn is rounded down (Emberson, Stafford and Davis 2010).
 */
export function drawPeriodNs(periods: Periods, prng: Prng): number {
  if (periods.kind === 'choice') return periods.periodsNs[prng.below(periods.periodsNs.length)]!;
  const { minNs, maxNs, granularityNs } = periods;
  if (periods.kind === 'uniform') {
    const first = Math.ceil(minNs / granularityNs);
    return (first + prng.below(Math.floor(maxNs / granularityNs) - first + 1)) * granularityNs;
  }
  const drawn = Math.exp(between(Math.log(minNs), Math.log(maxNs + granularityNs), prng));
  const rounded = Math.floor(drawn / granularityNs) * granularityNs;
  // Rounding in the logarithm may lead just outside.
  return Math.min(Math.floor(maxNs / granularityNs) * granularityNs, Math.max(minNs, rounded));
}
