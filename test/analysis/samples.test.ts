import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogHistogram } from '../../src/analysis/log-histogram.ts';
import { sampleCells, sampleColumns } from '../../src/analysis/sample-columns.ts';
import {
  HISTOGRAM_ERROR,
  percentile,
  SampleBudget,
  Samples,
  timeWeightedPercentile,
} from '../../src/analysis/samples.ts';
import { sortDurations } from '../../src/analysis/sort-durations.ts';

const PERMILLES = [500, 950, 990, 999, 999.9];

function samplesOf(values: readonly number[], budget = new SampleBudget()): Samples {
  const samples = new Samples(budget);
  for (const [index, value] of values.entries()) samples.add(value, index);
  return samples;
}

const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** By whole numbers: permilles have one decimal. */
function nearestRank(values: readonly number[], permille: number): number {
  const rank = (BigInt(Math.round(permille * 10)) * BigInt(values.length) + 9999n) / 10_000n;
  return ascending(values)[Number(rank) - 1];
}

/**
 * The smallest sample such that those up to it make up the part of the sum: by adding up, in whole numbers.
 */
function weighted(values: readonly number[], permille: number): number | null {
  const sum = values.reduce((all, value) => all + BigInt(value), 0n);
  let upTo = 0n;
  for (const value of ascending(values)) {
    upTo += BigInt(value);
    if (upTo > 0n && upTo * 10_000n >= sum * BigInt(Math.round(permille * 10))) return value;
  }
  return null;
}

/** Durations with many equals, some of them 0; the sum is far from 2^53. */
const durations = (minLength: number) =>
  fc.array(fc.oneof(fc.nat(10), fc.nat(2 ** 31 - 1), fc.nat(2 ** 36), fc.nat(100_000)), {
    minLength,
    maxLength: 300,
  });

describe('percentiles', () => {
  test('are the nearest rank of what was put in, over any division into sets', () => {
    fc.assert(
      fc.property(durations(1), fc.nat(300), (values, cut) => {
        const sets = [samplesOf(values.slice(0, cut)), samplesOf(values.slice(cut))];
        for (const permille of PERMILLES)
          expect(percentile(sets, permille)).toBe(nearestRank(values, permille));
        expect(sets.every(({ exact, error }) => exact && error === 0)).toBe(true);
      }),
    );
  });

  test('weighted by time are the sample at which that part of the time is reached', () => {
    fc.assert(
      fc.property(durations(1), fc.nat(300), (values, cut) => {
        const sets = [samplesOf(values.slice(0, cut)), samplesOf(values.slice(cut))];
        for (const permille of PERMILLES)
          expect(timeWeightedPercentile(sets, permille)).toBe(weighted(values, permille));
      }),
    );
  });

  test('by hand: 98 waits of 1, one of 2 and one of 100 have 200 in all', () => {
    const set = samplesOf([...Array(98).fill(1), 2, 100]);
    expect(PERMILLES.map((permille) => percentile([set], permille))).toEqual([1, 1, 2, 100, 100]);
    expect(PERMILLES.map((permille) => timeWeightedPercentile([set], permille))).toEqual([
      2, 100, 100, 100, 100,
    ]);
    expect(timeWeightedPercentile([set], 490)).toBe(1);
  });

  test('stay right when samples come after a question', () => {
    const set = samplesOf(Array.from({ length: 127 }, (_, index) => 127 - index));
    expect([percentile([set], 500), set.sumUpTo(127), set.sumUpTo(63)]).toEqual([64, 127 * 64, 63 * 32]);
    set.add(0, 0);
    expect([percentile([set], 500), set.sumUpTo(127), set.sumUpTo(63)]).toEqual([63, 127 * 64, 63 * 32]);
    for (let value = 1; value < 128; value++) set.add(value, 0);
    expect([percentile([set], 500), set.sumUpTo(127), set.sumUpTo(63)]).toEqual([64, 127 * 128, 63 * 64]);
    expect(timeWeightedPercentile([set], 500)).toBe(90);
  });

  test('of nothing are null, and so are time-weighted ones of waits without length', () => {
    expect(percentile([samplesOf([])], 500)).toBeNull();
    expect(percentile([samplesOf([0, 0])], 500)).toBe(0);
    expect(timeWeightedPercentile([samplesOf([0, 0])], 500)).toBeNull();
  });

  test('p99.99 has rank 9,999 of 10,000 and 19,998 of 20,000: no float rounds a rank up', () => {
    for (const [count, expected] of [
      [20_000, 19_997],
      [10_000, 9998],
      [30_000, 29_996],
    ]) {
      const set = samplesOf(Array.from({ length: count }, (_, index) => index));
      expect(percentile([set], 999.9), String(count)).toBe(expected);
    }
  });
});

describe('a set for which there is no room', () => {
  test('becomes a histogram: percentiles are at most 1/1024 too high, all else is exact', () => {
    fc.assert(
      fc.property(durations(70), (values) => {
        const samples = samplesOf(values, new SampleBudget(64));
        expect([samples.exact, samples.error]).toEqual([false, HISTOGRAM_ERROR]);
        for (const permille of PERMILLES) {
          expectAtMostTooHigh(
            percentile([samples], permille),
            nearestRank(values, permille),
            HISTOGRAM_ERROR,
          );
          expectAtMostTooHigh(
            timeWeightedPercentile([samples], permille),
            weighted(values, permille),
            HISTOGRAM_ERROR,
          );
        }
        expect([samples.count, samples.max]).toEqual([values.length, Math.max(...values)]);
        expect(samples.sum).toBe(total(values));
      }),
    );
  });

  test('gives its room back to the others', () => {
    const budget = new SampleBudget(128);
    const first = samplesOf(Array(64).fill(5), budget);
    const second = samplesOf(Array(64).fill(7), budget);
    expect(budget.left).toBe(0);
    first.add(9, 0);
    expect([first.exact, second.exact, budget.left]).toEqual([false, true, 64]);
  });

  test('is as good as new once it is cleared, and takes no room', () => {
    for (const room of [0, 64]) {
      const budget = new SampleBudget(room, 4096);
      const used = new Samples(budget);
      for (let turn = 0; turn < 10; turn++) {
        for (const value of [5, 2 ** 20, 7]) used.add(value, 8);
        expect([percentile([used], 500), used.count, used.maxAtNs]).toEqual([7, 3, 8]);
        // Had a cleared histogram kept its room, all would become coarser.
        expect(budget.error).toBe(HISTOGRAM_ERROR);
        used.clear();
        expect([used.count, used.sum, used.max, used.maxAtNs]).toEqual([0, 0, 0, Number.NaN]);
        expect([percentile([used], 500), used.exact, budget.left]).toEqual([null, true, room]);
      }
    }
  });

  test('becomes coarser with all others before they take too much memory, and says how coarse', () => {
    const cellsMax = 20_000;
    fc.assert(
      fc.property(durations(70), (values) => {
        const budget = new SampleBudget(0, cellsMax);
        const [some, others] = [samplesOf(values, budget), samplesOf([...values].reverse(), budget)];
        expect(some.error).toBe(others.error);
        for (const permille of PERMILLES) {
          expectAtMostTooHigh(
            percentile([some, others], permille),
            nearestRank(values, permille),
            some.error,
          );
        }
      }),
    );
    const wide = new SampleBudget(0, cellsMax);
    for (let power = 0; power < 40; power++) samplesOf([2 ** power], wide);
    expect([wide.error, wide.error * 2 ** 10]).toEqual([2 ** -7, 8]);
  });

  function expectAtMostTooHigh(found: number | null, exact: number | null, error: number): void {
    if (exact === null) {
      expect(found).toBeNull();
      return;
    }
    expect(found).toBeGreaterThanOrEqual(exact);
    expect(found! - exact).toBeLessThanOrEqual(exact * error);
  }
});

test('sortDurations() sorts as comparing does, whatever the digits', () => {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  const kinds: (() => number)[] = [
    next,
    () => next() % 100,
    () => (next() % 3) * 2 ** 11,
    () => next() & ~(2 ** 22 - 1),
    () => 7,
    () => 0xffffffff - (next() % 2),
  ];
  for (const count of [0, 1, 511, 512, 513, 5000]) {
    for (const kind of kinds) {
      const values = Uint32Array.from({ length: count }, kind);
      for (const copy of [values.slice(), Float64Array.from(values)]) {
        sortDurations(copy);
        expect([...copy]).toEqual(ascending([...values]));
      }
    }
  }
});

describe('LogHistogram', () => {
  test('has the same buckets whether it was made coarse before or after', () => {
    fc.assert(
      fc.property(durations(1), fc.nat(9), (values, times) => {
        const [early, late] = [new LogHistogram(10 - times), new LogHistogram(10)];
        for (const value of values) early.add(value);
        for (const value of values) late.add(value);
        for (let time = 0; time < times; time++) late.coarsen();
        for (const value of [...values, 0, 1, 1023, 1024, 2 ** 37]) {
          expect([late.countUpTo(value), late.sumUpTo(value)]).toEqual([
            early.countUpTo(value),
            early.sumUpTo(value),
          ]);
        }
        const all = 2 ** 38;
        expect([late.countUpTo(all), late.sumUpTo(all)]).toEqual([values.length, total(values)]);
      }),
    );
  });

  test('tells how much memory it takes', () => {
    const histogram = new LogHistogram(4);
    expect([3, 15, 16, 40, 17].map((value) => histogram.add(value))).toEqual([32, 0, 32, 32, 0]);
    expect(histogram.cells).toBe(96);
    histogram.coarsen();
    expect(histogram.cells).toBe(64);
  });
});

describe('sampleColumns() and sampleCells()', () => {
  const NAMES = ['mean', 'p50', 'p95', 'p99', 'p999', 'p9999'].map((name) => `wait_ns_${name}`);
  const columns = (timeWeighted: boolean) =>
    sampleColumns('wait_ns', 'the waits', 'at', 'When.', { timeWeighted });

  test('go together, with and without time-weighted percentiles', () => {
    expect(sampleColumns('wait_ns', 'the waits', 'at', 'When.').map(({ name }) => name)).toEqual([
      ...NAMES,
      'wait_ns_max',
      'at',
      'wait_ns_error',
    ]);
    expect(columns(true)).toHaveLength(14);
    const set = samplesOf([1, 2, 7]);
    expect(sampleCells([set])).toEqual([10 / 3, 2, 7, 7, null, null, 7, 2, 0]);
    expect(sampleCells([set], { timeWeighted: true })).toEqual([
      ...[10 / 3, 2, 7, 7, null, null],
      ...[7, 7, 7, null, null],
      ...[7, 2, 0],
    ]);
    for (const sets of [[], [samplesOf([])]]) {
      expect(sampleCells(sets)).toEqual([...Array(8).fill(null), 0]);
      expect(sampleCells(sets, { timeWeighted: true })).toEqual([...Array(13).fill(null), 0]);
    }
  });

  test.each([
    ['p999', 1000],
    ['p9999', 10_000],
  ])('%s needs %d samples', (name, samplesMin) => {
    const indices = columns(true).flatMap((column, index) => {
      return column.name.endsWith(`_${name}`) ? [index] : [];
    });
    expect(indices.map((index) => columns(true)[index].samplesMin)).toEqual([samplesMin, samplesMin]);
    const cells = (count: number) => {
      const all = sampleCells([samplesOf(Array.from({ length: count }, (_, at) => at))], {
        timeWeighted: true,
      });
      return indices.map((index) => all[index]);
    };
    expect(cells(samplesMin - 1)).toEqual([null, null]);
    expect(cells(samplesMin)[0]).toBe(samplesMin - 2);
    expect(cells(samplesMin)[1]).toBe(samplesMin - 1);
  });
});
