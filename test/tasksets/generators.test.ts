/**
 * Generators of task sets against what they are defined to be: sums, bounds, and the marginal distributions that uniform
 * sets have. Distributions are held by the statistic of Kolmogorov and Smirnov, whose 99.9 % bound is 1.95 / sqrt(n).
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import {
  drawPeriodNs,
  drawTaskSet,
  drawUtilisations,
  type PeriodicTask,
  randFixedSum,
  type TaskSetSpec,
  uunifast,
  uunifastDiscard,
} from '../../src/tasksets/index.ts';

const MS = 1_000_000;
const DRAWS = 4000;
const KS_BOUND = 1.95 / Math.sqrt(DRAWS);

/** The largest distance between what was drawn and a distribution function. */
function distance(values: readonly number[], cumulative: (x: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((value, i) => {
      const at = cumulative(value);
      return Math.max(Math.abs(at - i / sorted.length), Math.abs(at - (i + 1) / sorted.length));
    }),
  );
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const draws = <T>(draw: (prng: Prng) => T): T[] => {
  const prng = Prng.fromSeed(7);
  return Array.from({ length: DRAWS }, () => draw(prng));
};

describe('UUniFast', () => {
  const sets = draws((prng) => uunifast(5, 0.8, prng));

  test('keeps the sum', () => {
    for (const set of sets) expect(sum(set)).toBeCloseTo(0.8, 12);
  });

  test.each([0, 1, 4])('each task, here number %i, is as a corner of a uniform simplex demands', (task) => {
    const cumulative = (x: number) => 1 - (1 - x / 0.8) ** 4;
    expect(
      distance(
        sets.map((set) => set[task]!),
        cumulative,
      ),
    ).toBeLessThan(KS_BOUND);
  });

  test('with discard no task needs more than 1, and what remains is uniform', () => {
    const discarded = draws((prng) => uunifastDiscard(3, 1.5, prng)!);
    for (const set of discarded) {
      expect(Math.max(...set)).toBeLessThanOrEqual(1);
      expect(sum(set)).toBeCloseTo(1.5, 12);
    }
    expect(
      distance(
        discarded.map((set) => set[1]!),
        threeOfSum1And5,
      ),
    ).toBeLessThan(KS_BOUND);
  });
});

/** One of three values within [0, 1] with the sum 1.5: the others' sum 1.5 - x has a triangular density. */
function threeOfSum1And5(x: number): number {
  const triangle = (y: number) => (y < 1 ? (y * y) / 2 : 2 * y - (y * y) / 2 - 1);
  return (triangle(1.5) - triangle(1.5 - x)) / (triangle(1.5) - triangle(0.5));
}

describe('RandFixedSum', () => {
  test.each([
    [4, 1.2, 0, 1],
    [10, 6.7, 0, 1],
    [10, 6.7, 0.3, 0.9],
    [3, 0.1, 0, 1],
    [50, 37.5, 0, 1],
    [2, 1.9, 0, 1],
  ])('%i values with the sum %f from %f to %f', (count, total, low, high) => {
    const sets = draws((prng) => randFixedSum(count, total, low, high, prng)).slice(0, 500);
    for (const set of sets) {
      expect(set.length).toBe(count);
      expect(sum(set)).toBeCloseTo(total, 9);
      expect(Math.min(...set)).toBeGreaterThanOrEqual(low - 1e-12);
      expect(Math.max(...set)).toBeLessThanOrEqual(high + 1e-12);
    }
  });

  test('two values are uniform, three have the density that their sum leaves them', () => {
    const two = draws((prng) => randFixedSum(2, 0.6, 0, 1, prng)[0]!);
    expect(distance(two, (x) => x / 0.6)).toBeLessThan(KS_BOUND);
    const three = draws((prng) => randFixedSum(3, 1.5, 0, 1, prng));
    for (const i of [0, 1, 2]) {
      expect(
        distance(
          three.map((set) => set[i]!),
          threeOfSum1And5,
        ),
      ).toBeLessThan(KS_BOUND);
    }
  });

  test('where no value can reach the bound it is the uniform simplex, as UUniFast', () => {
    const sets = draws((prng) => randFixedSum(5, 0.8, 0, 1, prng)[2]!);
    expect(distance(sets, (x) => 1 - (1 - x / 0.8) ** 4)).toBeLessThan(KS_BOUND);
  });
});

const SPEC: TaskSetSpec = {
  generator: 'bimodal-medium',
  count: undefined,
  utilisation: 3.1,
  least: 0,
  most: 1,
  periods: { kind: 'uniform', minNs: 10 * MS, maxNs: 100 * MS, granularityNs: MS },
  deadlineFrom: 1,
  seed: 1,
};
const useOf = (tasks: readonly PeriodicTask[]) => sum(tasks.map(({ wcetNs, periodNs }) => wcetNs / periodNs));

describe('bimodal utilisations', () => {
  test.each([
    ['bimodal-light', 8 / 9],
    ['bimodal-medium', 6 / 9],
    ['bimodal-heavy', 4 / 9],
  ] as const)('%s: light and heavy tasks by the odds', (generator, light) => {
    const prng = Prng.fromSeed(3);
    // The last one is cut to what is left of the sum.
    const values = drawUtilisations({ ...SPEC, generator, utilisation: 1200 }, prng).slice(0, -1);
    const lights = values.filter((value) => value < 0.5);
    expect(Math.abs(lights.length / values.length - light)).toBeLessThan(0.03);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0.001);
    expect(Math.max(...values)).toBeLessThan(0.9);
    expect(distance(lights, (x) => (x - 0.001) / 0.499)).toBeLessThan(1.95 / Math.sqrt(lights.length));
  });

  test('fill the sum', () => {
    for (let seed = 1; seed <= 20; seed += 1)
      expect(useOf(drawTaskSet({ ...SPEC, seed }))).toBeCloseTo(3.1, 6);
  });
});

describe('periods', () => {
  test('log-uniform: each factor is as likely as another, in whole milliseconds', () => {
    const periods = { kind: 'log-uniform', minNs: 10 * MS, maxNs: 1000 * MS, granularityNs: MS } as const;
    const values = draws((prng) => drawPeriodNs(periods, prng));
    for (const value of values) expect(value % MS).toBe(0);
    const cumulative = (x: number) => Math.log(x / 10) / Math.log(1001 / 10);
    // A value stands for all that was rounded down to it: half a step more on average.
    expect(
      distance(
        values.map((ns) => ns / MS + 0.5),
        cumulative,
      ),
    ).toBeLessThan(KS_BOUND + 0.01);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(10 * MS);
    expect(Math.max(...values)).toBeLessThanOrEqual(1000 * MS);
  });

  test('uniform from the first to the last, both included; a choice from nothing else', () => {
    const periods = { kind: 'uniform', minNs: 3 * MS, maxNs: 5 * MS, granularityNs: MS } as const;
    expect(new Set(draws((prng) => drawPeriodNs(periods, prng)))).toEqual(new Set([3 * MS, 4 * MS, 5 * MS]));
    const choice = { kind: 'choice', periodsNs: [5, 7] } as const;
    expect(new Set(draws((prng) => drawPeriodNs(choice, prng)))).toEqual(new Set([5, 7]));
  });
});

describe('a task set', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(drawTaskSet(SPEC)).toEqual(drawTaskSet(SPEC));
    expect(drawTaskSet({ ...SPEC, seed: 2 })).not.toEqual(drawTaskSet(SPEC));
  });

  test('has deadlines from the share that is asked for up to the period', () => {
    for (const { deadlineNs, periodNs, wcetNs } of drawTaskSet({ ...SPEC, deadlineFrom: 0.5 })) {
      expect(deadlineNs).toBeGreaterThanOrEqual(Math.max(wcetNs, Math.floor(periodNs / 2)));
      expect(deadlineNs).toBeLessThanOrEqual(periodNs);
    }
  });

  test('that cannot be is refused', () => {
    const tooMuch = { ...SPEC, generator: 'randfixedsum', count: 3, utilisation: 3.5 } as const;
    expect(() => drawTaskSet(tooMuch)).toThrow('cannot need 3.5');
    expect(() => drawTaskSet({ ...SPEC, generator: 'uunifast' })).toThrow('how many tasks');
  });
});
