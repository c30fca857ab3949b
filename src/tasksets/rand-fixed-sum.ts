import { assert } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';
import { unit } from './unit.ts';

/** Larger than what the weights of paths are divided by, and far from what a number can hold. */
const LARGE = 1e300;
const TINY = 1e-300;

/**
 * `count` values from `low` to `high` with the sum `total`, uniform over all such sets. Source: Stafford,
 * Random vectors with fixed sum, 2006, as Emberson, Stafford and Davis, Techniques for the synthesis of
 * multiprocessor tasksets, 2010, describe it: the sets form a polytope that is divided into simplices; a path
 * through a table of their volumes chooses one, and a point in it is drawn.
 */
export function randFixedSum(count: number, total: number, low: number, high: number, prng: Prng): number[] {
  assert(
    count * low <= total && total <= count * high,
    `${count} values of ${low} to ${high} make no ${total}`,
  );
  if (count === 1) return [total];
  if (high === low) return new Array<number>(count).fill(low);
  // In the unit cube.
  const sum = Math.min(count, Math.max(0, (total - count * low) / (high - low)));
  const values = inUnitCube(count, sum, prng);
  shuffle(values, prng);
  return values.map((value) => low + (high - low) * value);
}

function inUnitCube(count: number, sum: number, prng: Prng): number[] {
  const floor = Math.max(0, Math.min(Math.floor(sum), count - 1));
  const steps = turnsOf(count, sum, floor);
  const values: number[] = [];
  let left = sum;
  let column = floor + 1;
  let taken = 0;
  let scale = 1;
  for (let size = count - 1; size > 0; size -= 1) {
    const isUp = unit(prng) <= steps[size - 1]![column - 1]! ? 1 : 0;
    const share = Math.exp(Math.log(1 - unit(prng)) / size);
    taken += ((1 - share) * scale * left) / (size + 1);
    scale *= share;
    values.push(taken + scale * isUp);
    left -= isUp;
    column -= isUp;
  }
  values.push(taken + scale * left);
  return values;
}

/** For each number of dimensions and each column of the table: the odds of a turn of the path there. */
function turnsOf(count: number, sum: number, floor: number): Float64Array[] {
  const above = Array.from({ length: count }, (_, i) => sum - floor + i);
  const below = Array.from({ length: count }, (_, i) => floor + count - i - sum);
  let volumes = new Float64Array(count + 1);
  volumes[1] = LARGE;
  const turns: Float64Array[] = [];
  for (let size = 2; size <= count; size += 1) {
    const next = new Float64Array(count + 1);
    const odds = new Float64Array(size);
    for (let i = 0; i < size; i += 1) {
      const fromSame = (volumes[i + 1]! * above[i]!) / size;
      const fromLess = (volumes[i]! * below[count - size + i]!) / size;
      next[i + 1] = fromSame + fromLess;
      const volume = next[i + 1]! + TINY;
      odds[i] = below[count - size + i]! > above[i]! ? fromLess / volume : 1 - fromSame / volume;
    }
    turns.push(odds);
    volumes = next;
  }
  return turns;
}

/** Fisher and Yates: the point's coordinates come in an order of their own. */
function shuffle(values: number[], prng: Prng): void {
  for (let left = values.length; left > 1; left -= 1) {
    const chosen = prng.below(left);
    const value = values[chosen]!;
    values[chosen] = values[left - 1]!;
    values[left - 1] = value;
  }
}
