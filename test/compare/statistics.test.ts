import { describe, expect, test } from 'vitest';
import { standardDeviation } from '../../src/analysis/statistics.ts';
import { Bootstrap } from '../../src/compare/bootstrap.ts';
import { benjaminiHochberg, holm } from '../../src/compare/corrections.ts';
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from '../../src/compare/distributions.ts';
import { cohensD, varghaDelaneyA } from '../../src/compare/effect-size.ts';
import { DRAWN_PATTERNS, EXACT_PAIRS_MAX, SignFlipTest } from '../../src/compare/sign-flip-test.ts';
import { NormalDraws } from './normal-draws.ts';

describe('distributions', () => {
  test('the normal distribution has the values of the tables', () => {
    // Abramowitz and Stegun, table 26.1 and 26.2.
    expect(normalCdf(0)).toBe(0.5);
    expect(normalCdf(1)).toBeCloseTo(0.841344746068543, 14);
    expect(normalCdf(-3)).toBeCloseTo(0.00134989803163, 14);
    expect(normalCdf(-10) / 7.61985302416e-24).toBeCloseTo(1, 9);
    expect(normalQuantile(0.975)).toBeCloseTo(1.95996398454, 10);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
  });

  test('the two ways to compute it meet', () => {
    expect(normalCdf(-6.000001) / normalCdf(-5.999999)).toBeCloseTo(Math.exp(-6 * 2e-6), 6);
  });

  test("Student's t has the critical values of the tables, even and odd degrees", () => {
    const table = { 1: 12.7062, 2: 4.30265, 3: 3.18245, 9: 2.26216, 10: 2.22814, 29: 2.04523, 120: 1.97993 };
    for (const [degrees, t] of Object.entries(table)) {
      expect(studentQuantile(0.975, Number(degrees))).toBeCloseTo(t, 4);
      expect(studentCdf(-t, Number(degrees))).toBeCloseTo(0.025, 5);
    }
  });
});

describe('the sign-flip test', () => {
  test("gives Fisher's p-value for Darwin's plants: 1726 of 32768 patterns", () => {
    // Heights of 15 pairs, differences in eighths of an inch: The Design of Experiments, sections 16, 21.
    const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(new SignFlipTest(15).p(darwin)).toBe(1726 / 32_768);
  });

  test('counts by hand', () => {
    // The sums of +-1 +-2 +-3 are 6, 4, 2, 0 and their negatives, 0 twice: 2 of 8 are as far from 0 as 6.
    expect(new SignFlipTest(3).p([1, 2, 3])).toBe(2 / 8);
    expect(new SignFlipTest(3).p([-1, 2, 3])).toBe(4 / 8);
    expect(new SignFlipTest(3).p([1, 2, -3])).toBe(1);
  });

  test('the least p of n pairs is reached when all differ alike, whatever their size', () => {
    for (const n of [2, 6, 9, EXACT_PAIRS_MAX]) {
      const p = new SignFlipTest(n).p(Array.from({ length: n }, (_, i) => 0.1 + 0.7 * i));
      expect(p).toBe(SignFlipTest.least(n));
      expect(p).toBe(2 / 2 ** n);
    }
    const many = Array.from({ length: 40 }, (_, i) => 1 + i / 3);
    expect(new SignFlipTest(40).p(many)).toBe(1 / (DRAWN_PATTERNS + 1));
  });

  test('is indifferent to the unit: no tie is lost to rounding', () => {
    const values = [3, 1, -2, 4, 1, 1, -3, 5];
    const exact = new SignFlipTest(8).p(values);
    expect(new SignFlipTest(8).p(values.map((value) => value * 0.1))).toBe(exact);
    expect(new SignFlipTest(8).p(values.map((value) => -value / 3e9))).toBe(exact);
  });

  test('drawn patterns come near the exact value', () => {
    // 17 pairs are drawn; the sum of 17 signs is a binomial: P(|S| >= 9) = 2 P(B >= 13) = 2 * 3214 / 131072.
    const values = Array.from({ length: 17 }, (_, i) => (i < 13 ? 1 : -1));
    const exact = (2 * 3214) / 131_072;
    const error = Math.sqrt((exact * (1 - exact)) / DRAWN_PATTERNS);
    expect(Math.abs(new SignFlipTest(17).p(values) - exact)).toBeLessThan(4 * error);
  });

  test.each([8, 20])('without an effect its p-values are uniform (%i pairs)', (n) => {
    const draws = new NormalDraws(`null ${n}`);
    const signFlipTest = new SignFlipTest(n);
    const trials = n === 8 ? 4000 : 200;
    const ps = Array.from({ length: trials }, () => signFlipTest.p(draws.list(n)));
    // Kolmogorov's distance is above 1.95 / sqrt(trials) once in a thousand times; p has steps besides.
    const sorted = ps.sort((a, b) => a - b);
    const distance = Math.max(...sorted.map((p, i) => Math.abs(p - (i + 0.5) / trials)));
    expect(distance).toBeLessThan(1.95 / Math.sqrt(trials) + SignFlipTest.least(n));
  });
});

describe('corrections', () => {
  test('Holm, by hand', () => {
    // Sorted 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1 is 0.02, 0.03, 0.06, 0.04, never below the one before.
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.5, 0.9])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  test("Benjamini and Hochberg's own example: 4 of 15 are shown, 3 by Holm", () => {
    // Section 4.1 of their paper of 1995: endpoints of a trial of two treatments after a heart attack.
    const ps = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
      0.759, 1,
    ];
    const shown = (adjusted: readonly number[]) => adjusted.filter((p) => p <= 0.05).length;
    expect(shown(benjaminiHochberg(ps))).toBe(4);
    expect(shown(holm(ps))).toBe(3);
    // The fourth: 15 / 4 times 0.0095.
    expect(benjaminiHochberg(ps)[3]).toBeCloseTo(0.035625, 12);
  });

  test('Benjamini and Hochberg, in any order', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005]);
    expect(adjusted.map((p) => Number(p.toFixed(12)))).toEqual([0.02, 0.04, 0.04, 0.02]);
  });
});

describe('effect sizes', () => {
  test("Cohen's d of Student's sleep data is his t over the root of n", () => {
    // "The Probable Error of a Mean", 1908: additional hours of sleep, second drug less first; t = 4.0621.
    const differences = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];
    expect(cohensD(differences)! * Math.sqrt(10)).toBeCloseTo(4.0621, 4);
    expect(standardDeviation(differences)).toBeCloseTo(1.229995, 5);
  });

  test("Cohen's d says nothing of differences that are all equal", () => {
    expect(cohensD([3, 3, 3])).toBeNull();
    expect(cohensD([0.1, 0.1, 0.1].map((value) => value + 0.2))).toBeNull();
    expect(cohensD([1])).toBeNull();
  });

  test("Vargha and Delaney's A, by hand", () => {
    // Of the 9 pairs one is a win (3 > 2), two are equal.
    expect(varghaDelaneyA([1, 2, 3], [2, 3, 4])).toBeCloseTo(2 / 9, 15);
    expect(varghaDelaneyA([5, 6], [1, 2])).toBe(1);
    expect(varghaDelaneyA([1, 1], [1, 1])).toBe(0.5);
    expect(varghaDelaneyA([], [1])).toBeNull();
  });
});

describe('bootstrap intervals', () => {
  test.each([
    ['normal', 10, 0.928],
    ['normal', 30, 0.935],
    ['skewed', 30, 0.915],
  ] as const)('hold the true mean as often as they promise: %s, %i observations', (kind, n, least) => {
    const draws = new NormalDraws(`coverage ${kind} ${n}`);
    const bootstrap = new Bootstrap(n);
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      // The square of a normal draw has mean 1 and a long tail.
      const values = draws.list(n).map((value) => (kind === 'normal' ? value + 1 : value * value));
      const { low, high } = bootstrap.ofMean(values);
      if (low <= 1 && 1 <= high) held++;
    }
    expect(held / trials).toBeGreaterThan(least);
    expect(held / trials).toBeLessThan(0.975);
  });

  test('of a ratio of means, pairs drawn together', () => {
    const draws = new NormalDraws('ratio');
    const bootstrap = new Bootstrap(20);
    let held = 0;
    for (let trial = 0; trial < 300; trial++) {
      const base = draws.list(20).map((value) => 10 + value);
      const values = base.map((value) => 3 * value + 2 * draws.next());
      const { low, high } = bootstrap.ofRatio(values, base);
      if (low <= 3 && 3 <= high) held++;
    }
    expect(held / 300).toBeGreaterThan(0.92);
    expect(held / 300).toBeLessThan(0.98);
  });

  test('are as wide as those of t where data are normal', () => {
    const values = new NormalDraws('width').list(25);
    const { low, high } = new Bootstrap(25).ofMean(values);
    const half = (studentQuantile(0.975, 24) * standardDeviation(values)!) / 5;
    expect((high - low) / (2 * half)).toBeGreaterThan(0.9);
    expect((high - low) / (2 * half)).toBeLessThan(1.1);
  });

  test('lean to the side of the long tail, as BCa does and percentiles alone do less', () => {
    const values = [1, 1, 1, 2, 2, 2, 3, 3, 4, 30];
    const mean = 4.9;
    const { low, high } = new Bootstrap(10).ofMean(values);
    expect(high - mean).toBeGreaterThan(1.5 * (mean - low));
  });

  test('the same observations, the same interval; scaled, scaled', () => {
    const values = [5, 9, 2, 7, 7, 3];
    const first = new Bootstrap(6).ofMean(values);
    expect(new Bootstrap(6).ofMean(values)).toEqual(first);
    const scaled = new Bootstrap(6).ofMean(values.map((value) => value * 8));
    expect(scaled).toEqual({ low: first.low * 8, high: first.high * 8 });
  });

  test('of equal observations is that value', () => {
    expect(new Bootstrap(8).ofMean(Array(8).fill(3))).toEqual({ low: 3, high: 3 });
    expect(new Bootstrap(8).ofRatio(Array(8).fill(6), Array(8).fill(3))).toEqual({ low: 2, high: 2 });
  });

  test('where the base may be 0 there is no upper bound', () => {
    const base = [0, 0, 0, 0, 0, 0, 1, 1];
    const { low, high } = new Bootstrap(8).ofRatio(Array(8).fill(2), base);
    expect(low).toBeGreaterThan(2);
    expect(high).toBe(Number.POSITIVE_INFINITY);
  });
});
