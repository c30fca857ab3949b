import type { Prng } from '../base/prng.ts';

const TWO_53 = 2 ** 53;

/** Uniform over [0, 1). */
export function unit(prng: Prng): number {
  return prng.u53() / TWO_53;
}

/** Uniform over [low, high). */
export function between(low: number, high: number, prng: Prng): number {
  return low + (high - low) * unit(prng);
}
