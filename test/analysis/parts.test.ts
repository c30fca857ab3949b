import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pour } from '../../src/analysis/entitlement.ts';
import {
  coefficientOfVariation,
  giniIndex,
  jainIndex,
  maxMinRatio,
  mean,
  sum,
} from '../../src/analysis/statistics.ts';
import { WindowedSums } from '../../src/analysis/windowed-sums.ts';

describe('pour()', () => {
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

  function entitlements(capacity: number, claims: readonly { weight: number; limit: number }[]): number[] {
    const shares = new Float64Array(claims.length);
    const weights = Float64Array.from(claims, ({ weight }) => weight);
    pour(
      capacity,
      weights,
      Float64Array.from(claims, ({ limit }) => limit),
      shares,
      0,
      claims.length,
    );
    return [...shares];
  }

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

  test('begins with a given instant, and takes points too: at a border they belong to the window that begins', () => {
    const sums = new WindowedSums(100, 250);
    sums.add(0, 240, 360);
    sums.addAt(0, 350, 7);
    sums.addAt(0, 349, 1);
    sums.add(5, 1_000_000, 1_000_050);
    expect([0, 1, 2].map((window) => sums.sum(0, window))).toEqual([101, 17, 0]);
    expect(sums.sum(5, Math.floor((1_000_000 - 250) / 100))).toBe(50);
    expect(sums.cells[sums.row(1) + sums.column(0)]).toBe(17);
    expect(sums.cells[sums.row(1) + sums.column(3)]).toBe(0);
  });

  test('has every interval and point in its own windows, and says so at any time', () => {
    const span = fc.record({
      series: fc.nat(100),
      start: fc.nat(1_500),
      length: fc.nat(300),
      at: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(span, { maxLength: 60 }), fc.nat(90), (spans, fromNs) => {
        const sums = new WindowedSums(100, fromNs);
        const expected = new Map<string, number>();
        const note = (series: number, ns: number, value: number) => {
          const key = `${series}/${Math.floor((ns - fromNs) / 100)}`;
          if (ns >= fromNs) expected.set(key, (expected.get(key) ?? 0) + value);
        };
        for (const { series, start, length, at } of spans) {
          if (at) {
            sums.addAt(series, fromNs + start, length);
            note(series, fromNs + start, length);
          } else {
            sums.add(series, start, start + length);
            for (let ns = start; ns < start + length; ns++) note(series, ns, 1);
          }
        }
        for (const [key, ns] of expected) {
          const [series, window] = key.split('/').map(Number);
          expect(sums.sum(series, window)).toBe(ns);
        }
      }),
    );
  });

  test('holds no more numbers than it may, however many series come', () => {
    const sums = new WindowedSums(10, 0, 256);
    for (let series = 0; series < 200; series++) sums.add(series, 0, 500);
    for (let series = 0; series < 200; series++) {
      const windows = [...Array(sums.count).keys()];
      expect(windows.reduce((total, window) => total + sums.sum(series, window), 0)).toBe(500);
    }
    expect(sums.count * 200).toBeLessThanOrEqual(256);
    expect(sums.count).toBe(1);
    sums.add(7, 100_000, 100_500);
    expect([sums.sum(7, 0), sums.sum(8, 0)]).toEqual([1000, 500]);
  });

  test('joins windows in pairs when there are too many, and loses nothing', () => {
    const intervals = fc.array(fc.tuple(fc.nat(3), fc.nat(100_000), fc.nat(5_000)), { maxLength: 100 });
    fc.assert(
      fc.property(intervals, (all) => {
        const sums = new WindowedSums(10, 0, 256);
        for (const [series, start, length] of all) {
          sums.add(series, start, start + length);
          if (length % 5 === 0) sums.sum(series, 0);
        }
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

  const positive = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 20 });

  test('jainIndex() is 1 / (1 + CoV^2), whatever the values', () => {
    fc.assert(
      fc.property(positive, (values) => {
        expect(1 / (1 + coefficientOfVariation(values)! ** 2)).toBeCloseTo(jainIndex(values)!, 9);
      }),
    );
    expect([
      coefficientOfVariation([4, 4]),
      coefficientOfVariation([0, 0]),
      coefficientOfVariation([]),
    ]).toEqual([0, null, null]);
    expect(coefficientOfVariation([9, 0, 0, 0])).toBeCloseTo(Math.sqrt(3), 12);
  });

  test('giniIndex() is half of the mean difference over the mean', () => {
    fc.assert(
      fc.property(positive, (values) => {
        let differences = 0;
        for (const a of values) for (const b of values) differences += Math.abs(a - b);
        const expected = differences / (2 * values.length * sum(values));
        expect(giniIndex(values)).toBeCloseTo(expected, 9);
      }),
    );
    expect([giniIndex([3, 3, 3]), giniIndex([8, 0, 0, 0]), giniIndex([0]), giniIndex([])]).toEqual([
      0,
      0.75,
      null,
      null,
    ]);
  });

  test('none of them changes when all values are scaled; maxMinRatio() is of the two ends', () => {
    fc.assert(
      fc.property(positive, fc.integer({ min: 2, max: 1000 }), (values, factor) => {
        const scaled = values.map((value) => value * factor);
        for (const index of [jainIndex, giniIndex, coefficientOfVariation, maxMinRatio]) {
          expect(index(scaled)).toBeCloseTo(index(values)!, 9);
        }
      }),
    );
    expect([maxMinRatio([2, 8, 4]), maxMinRatio([5]), maxMinRatio([0, 5]), maxMinRatio([])]).toEqual([
      4,
      1,
      null,
      null,
    ]);
  });

  test('mean() and sum() of few and of none', () => {
    expect([mean([1, 2, 6]), mean([]), sum([0.1, 0.2, 0.3]), sum([])]).toEqual([3, null, 0.6, 0]);
  });
});
