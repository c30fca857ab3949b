import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entitlements } from '../../src/analysis/entitlement.ts';
import { HISTOGRAM_ERROR, percentile, SampleBudget, Samples } from '../../src/analysis/samples.ts';
import { jainIndex, mean, sum } from '../../src/analysis/statistics.ts';
import { WindowedSums } from '../../src/analysis/windowed-sums.ts';

function samplesOf(values: readonly number[], budget = new SampleBudget()): Samples {
  const samples = new Samples(budget);
  for (const [index, value] of values.entries()) samples.add(value, index);
  return samples;
}

describe('percentile()', () => {
  const permilles = [500, 950, 990, 999];
  const nearestRank = (values: readonly number[], permille: number) =>
    [...values].sort((a, b) => a - b)[Math.ceil((permille * values.length) / 1000) - 1];

  test('is the nearest rank of what was put in, over any division into sets', () => {
    const durations = fc.array(fc.oneof(fc.nat(10), fc.nat(2 ** 31 - 1), fc.maxSafeNat(), fc.nat(100_000)), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(durations, fc.nat(300), (values, cut) => {
        const sets = [samplesOf(values.slice(0, cut)), samplesOf(values.slice(cut))];
        for (const permille of permilles)
          expect(percentile(sets, permille)).toBe(nearestRank(values, permille));
        expect(sets.every(({ exact }) => exact)).toBe(true);
      }),
    );
  });

  test('of a histogram it is at most 1/1024 too high, and count, sum and maximum are exact', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { minLength: 70, maxLength: 300 }), (values) => {
        const samples = samplesOf(values, new SampleBudget(64));
        expect(samples.exact).toBe(false);
        for (const permille of permilles) {
          const exact = nearestRank(values, permille);
          const found = percentile([samples], permille)!;
          expect(found).toBeGreaterThanOrEqual(exact);
          expect(found - exact).toBeLessThanOrEqual(exact * HISTOGRAM_ERROR);
        }
        expect([samples.count, samples.max]).toEqual([values.length, Math.max(...values)]);
        expect(samples.sum).toBe(values.reduce((total, value) => total + value, 0));
      }),
    );
  });

  test('of nothing is null', () => {
    expect(percentile([samplesOf([])], 500)).toBeNull();
  });

  test('sets give room back when they become histograms', () => {
    const budget = new SampleBudget(128);
    const first = samplesOf(Array(64).fill(5), budget);
    const second = samplesOf(Array(64).fill(7), budget);
    expect(budget.left).toBe(0);
    first.add(9, 0);
    expect([first.exact, second.exact, budget.left]).toEqual([false, true, 64]);
  });

  test('the maximum remembers the first of equals', () => {
    expect(samplesOf([3, 8, 8, 2]).maxAtNs).toBe(1);
    expect(samplesOf([0, 0]).maxAtNs).toBe(0);
  });
});

describe('entitlements()', () => {
  test('divides by weight, and gives what one does not want to the others', () => {
    expect(entitlements(900, [claim(256), claim(512)])).toEqual([300, 600]);
    expect(entitlements(1000, [claim(256, 100), claim(256), claim(512)])).toEqual([100, 300, 600]);
    expect(entitlements(1000, [claim(1, 200), claim(1, 300)])).toEqual([200, 300]);
    expect(entitlements(0, [claim(1)])).toEqual([0]);
    expect(entitlements(1000, [])).toEqual([]);
  });

  test('nobody gets more than he wants, all is given, and who is short has no less per weight than anyone', () => {
    const claims = fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 65_535 }), limit: fc.nat(10_000) }),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(claims, fc.nat(50_000), (wanted, capacity) => {
        const given = entitlements(capacity, wanted);
        const limits = wanted.map(({ limit }) => limit);
        expect(sum(given)).toBeCloseTo(Math.min(capacity, sum(limits)), 5);
        const levels = given.map((ns, index) => ns / wanted[index].weight);
        for (const [index, ns] of given.entries()) {
          expect(ns).toBeLessThanOrEqual(limits[index]);
          if (ns < limits[index]) expect(levels[index]).toBeGreaterThanOrEqual(Math.max(...levels) - 1e-6);
        }
      }),
    );
  });

  function claim(weight: number, limit = Number.POSITIVE_INFINITY) {
    return { weight, limit };
  }
});

describe('WindowedSums', () => {
  test('divides intervals over windows, in any order', () => {
    const sums = new WindowedSums(100);
    sums.add(0, 250, 430);
    sums.add(0, 0, 100);
    sums.add(1, 90, 110);
    expect([0, 1, 2, 3, 4, 5].map((window) => sums.sum(0, window))).toEqual([100, 0, 50, 100, 30, 0]);
    expect([sums.sum(1, 0), sums.sum(1, 1), sums.sum(7, 0)]).toEqual([10, 10, 0]);
  });

  test('joins windows in pairs when there are too many, and loses nothing', () => {
    const intervals = fc.array(fc.tuple(fc.nat(3), fc.nat(100_000), fc.nat(5_000)), { maxLength: 100 });
    fc.assert(
      fc.property(intervals, (all) => {
        const sums = new WindowedSums(10, 256);
        for (const [series, start, length] of all) sums.add(series, start, start + length);
        const windows = Math.ceil(106_000 / sums.windowNs);
        for (let series = 0; series < 4; series++) {
          let total = 0;
          for (let window = 0; window < windows; window++) total += sums.sum(series, window);
          const added = all.filter(([of]) => of === series).reduce((ns, [, , length]) => ns + length, 0);
          expect(total).toBe(added);
        }
      }),
    );
  });
});

describe('statistics', () => {
  test('jainIndex() is 1 for equals and 1/n for one who has all', () => {
    expect(jainIndex([5, 5, 5, 5])).toBe(1);
    expect(jainIndex([7, 0, 0, 0])).toBe(0.25);
    expect(jainIndex([1, 2, 3])).toBeCloseTo(36 / 42, 12);
    expect(jainIndex([])).toBeNull();
    expect(jainIndex([0, 0])).toBeNull();
  });

  test('mean() and sum() of few and of none', () => {
    expect([mean([1, 2, 6]), mean([]), sum([0.1, 0.2, 0.3]), sum([])]).toEqual([3, null, 0.6, 0]);
  });
});
