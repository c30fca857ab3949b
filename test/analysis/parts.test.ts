import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entitlements } from '../../src/analysis/entitlement.ts';
import { jainIndex, mean, sum } from '../../src/analysis/statistics.ts';
import { WindowedSums } from '../../src/analysis/windowed-sums.ts';

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
