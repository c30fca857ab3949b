import { assert } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';
import { unit } from './unit.ts';

/** Sets in which a task needs more than it may are drawn again, so often at most. */
const ATTEMPTS_MAX = 100_000;

/**
 * Utilisations of `count` tasks with the sum `total`, uniform over all such sets. With a sum above 1 one of
 * them may be above 1. Source: Bini and Buttazzo, Measuring the performance of schedulability tests, 2005.
 */
export function uunifast(count: number, total: number, prng: Prng): number[] {
  const utilisations: number[] = [];
  let left = total;
  for (let others = count - 1; others > 0; others -= 1) {
    const rest = left * Math.exp(Math.log(1 - unit(prng)) / others);
    utilisations.push(left - rest);
    left = rest;
  }
  utilisations.push(left);
  return utilisations;
}

/**
 * The same, drawn again until no task needs more than `most`: uniform over what is left. undefined if that is
 * so rare that none was found. Source: Davis and Burns, Priority assignment for global fixed priority
 * pre-emptive scheduling in multiprocessor real-time systems, 2009.
 */
export function uunifastDiscard(count: number, total: number, prng: Prng, most = 1): number[] | undefined {
  assert(total <= count * most, `${count} tasks of at most ${most} cannot need ${total}`);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const utilisations = uunifast(count, total, prng);
    if (utilisations.every((one) => one <= most)) return utilisations;
  }
  return undefined;
}
