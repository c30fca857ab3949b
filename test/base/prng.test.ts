import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/base/assert.ts';
import { EXPONENTIAL_MEAN_NS_MAX, Prng } from '../../src/base/prng.ts';

const draw = (prng: Prng, count: number) => Array.from({ length: count }, () => prng.u32());
const seed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe('Prng', () => {
  it('gives the published outputs of xoshiro128** 1.1 for the state 1, 2, 3, 4', () => {
    expect(draw(Prng.fromState(1, 2, 3, 4), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('fills its state with the published outputs of SplitMix64 for the seed 1234567', () => {
    const [first, second] = [6457827717110365317n, 3203168211198807973n];
    const words = [first & 0xffffffffn, first >> 32n, second & 0xffffffffn, second >> 32n].map(Number);
    const reference = Prng.fromState(words[0]!, words[1]!, words[2]!, words[3]!);
    expect(draw(Prng.fromSeed(1234567), 20)).toEqual(draw(reference, 20));
  });

  // From a second implementation of the same description, in Python.
  it.each([
    [0, [3737715805, 2584255861, 2876756834, 3286328325, 1553311962]],
    [1, [1695105466, 1423115009, 634581793, 1068227753, 716759206]],
    [Number.MAX_SAFE_INTEGER, [1233166643, 1287031142, 661813442, 2960669951, 2601079046]],
  ])('is the same stream everywhere for seed %i', (value, expected) => {
    expect(draw(Prng.fromSeed(value), 5)).toEqual(expected);
  });

  it('forks the same substreams everywhere', () => {
    const arrivals = Prng.fromSeed(42).fork('web/vcpu0/arrivals');
    expect(draw(arrivals, 5)).toEqual([1824955531, 2326795350, 1713277834, 3799770293, 1240715479]);
    const nested = Prng.fromSeed(42).fork('a').fork('é');
    expect(draw(nested, 5)).toEqual([3748709109, 4078711707, 2538300798, 2105260023, 792963162]);
  });

  it('draws the same exponential times everywhere', () => {
    const prng = Prng.fromSeed(7);
    const times = Array.from({ length: 5 }, () => prng.exponentialNs(1_000_000));
    expect(times).toEqual([869049, 361234, 726493, 255035, 2224583]);
  });

  it('forks by seed and name alone, whatever was drawn or forked before', () => {
    fc.assert(
      fc.property(seed, fc.string(), fc.string(), fc.nat(50), (root, name, other, drawn) => {
        const fresh = Prng.fromSeed(root).fork(name);
        const used = Prng.fromSeed(root);
        draw(used, drawn);
        draw(used.fork(other), drawn);
        const before = draw(used.fork(name), 8);
        expect(before).toEqual(draw(fresh, 8));
        if (name !== other) expect(draw(Prng.fromSeed(root).fork(other), 8)).not.toEqual(before);
      }),
    );
  });

  it('keeps below(n) inside 0 to n - 1 for every n up to 2^53', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (root, n) => {
        const value = Prng.fromSeed(root).below(n);
        expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
      }),
    );
    expect(Prng.fromSeed(1).below(2 ** 53)).toBe(Prng.fromSeed(1).u53());
    expect(Prng.fromSeed(1).below(2 ** 32)).toBe(Prng.fromSeed(1).u32());
    expect(Prng.fromSeed(1).below(1)).toBe(0);
  });

  it('rejects rather than folds, so that no remainder is more likely than another', () => {
    // With n = 3 * 2^30 plain remainders would fall below 2^30 half of the time; without bias it is a third.
    const n = 3 * 2 ** 30;
    const prng = Prng.fromSeed(3);
    const low = Array.from({ length: 30_000 }, () => prng.below(n)).filter((value) => value < 2 ** 30).length;
    expect(low / 30_000).toBeCloseTo(1 / 3, 1);
    expect(low).toBeLessThan(10_600);
  });

  it('spreads a small range evenly: chi-square of 10 boxes below its 99.9 % quantile', () => {
    for (const root of [1, 2, 3, 4]) {
      const prng = Prng.fromSeed(root);
      const boxes = new Array<number>(10).fill(0);
      for (let i = 0; i < 20_000; i += 1) boxes[prng.uniformNs(5, 14) - 5]! += 1;
      const chiSquare = boxes.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
      expect(chiSquare).toBeLessThan(27.9);
    }
  });

  it('draws exponential times of the right mean and tail, never below 1', () => {
    const prng = Prng.fromSeed(11);
    const mean = 1_000_000;
    const times = Array.from({ length: 50_000 }, () => prng.exponentialNs(mean));
    expect(times.every((time) => Number.isSafeInteger(time) && time >= 1)).toBe(true);
    const average = times.reduce((sum, time) => sum + time, 0) / times.length;
    // Five standard errors of the mean are 2.2 %; a tenth of all draws lies beyond ln 10 means.
    expect(Math.abs(average / mean - 1)).toBeLessThan(0.0224);
    const beyond = times.filter((time) => time > mean * Math.LN10).length / times.length;
    expect(Math.abs(beyond - 0.1)).toBeLessThan(0.0068);
    expect(Array.from({ length: 1000 }, () => prng.exponentialNs(1)).every((time) => time >= 1)).toBe(true);
  });

  it('stays within exact integers at the greatest mean', () => {
    const greatest = Math.round(-EXPONENTIAL_MEAN_NS_MAX * Math.log(2 ** -53));
    expect(Number.isSafeInteger(greatest)).toBe(true);
  });

  it('asserts on what it cannot draw from', () => {
    const prng = Prng.fromSeed(0);
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 53 + 2])
      expect(() => prng.below(n)).toThrow(InvariantError);
    for (const bad of [-1, 0.5, 2 ** 53]) expect(() => Prng.fromSeed(bad)).toThrow(InvariantError);
    expect(() => prng.uniformNs(5, 4)).toThrow(InvariantError);
    for (const mean of [0, -1, Number.NaN, 2 ** 53])
      expect(() => prng.exponentialNs(mean)).toThrow(InvariantError);
  });
});
