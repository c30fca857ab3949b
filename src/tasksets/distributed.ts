import type { Prng } from '../base/prng.ts';
import { between } from './unit.ts';

/** Utilisations of single tasks, drawn one by one: from one of two ranges, with odds. */
export interface Bimodal {
  readonly light: readonly [number, number];
  readonly heavy: readonly [number, number];
  /** How many light ones there are to how many heavy ones, on average. */
  readonly odds: readonly [number, number];
}

const LIGHT = [0.001, 0.5] as const;
const HEAVY = [0.5, 0.9] as const;

/** The bimodal distributions of schedcat, which RT-Xen's experiments use. */
export const BIMODAL = {
  'bimodal-light': { light: LIGHT, heavy: HEAVY, odds: [8, 1] },
  'bimodal-medium': { light: LIGHT, heavy: HEAVY, odds: [6, 3] },
  'bimodal-heavy': { light: LIGHT, heavy: HEAVY, odds: [4, 5] },
} as const satisfies Record<string, Bimodal>;

/** What one task needs. */
export function drawBimodal({ light, heavy, odds }: Bimodal, prng: Prng): number {
  const [low, high] = prng.below(odds[0] + odds[1]) < odds[0] ? light : heavy;
  return between(low, high, prng);
}

/**
 * As many tasks as `total` has room for, drawn one by one; the last one is cut to what is left, so that the
 * sum is `total`. With `count` there are never more than so many, and the sum may stay below.
 */
export function drawUntil(total: number, count: number, draw: () => number): number[] {
  const utilisations: number[] = [];
  for (let left = total; left > 1e-9 && utilisations.length < count; ) {
    const one = Math.min(left, draw());
    utilisations.push(one);
    left -= one;
  }
  return utilisations;
}
