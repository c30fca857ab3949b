import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PercentileSearch } from '../../src/xenalyze/percentiles.ts';
import { divide } from '../../src/xenalyze/wasm/sample-rules.ts';

const PERCENTS = [50, 5, 95];

/** As xenalyze does it, value by value. */
function plain(A: Float64Array, percent: number): number {
  const wanted = Math.floor((A.length * percent) / 100);
  let [left, right] = [0, A.length - 1];
  while (left < right) {
    const pivot = A[wanted];
    let [i, j] = [left, right];
    do {
      while (A[i] < pivot) i++;
      while (pivot < A[j]) j--;
      if (i <= j) {
        [A[i], A[j]] = [A[j], A[i]];
        i++;
        j--;
      }
    } while (i <= j);
    if (j < wanted) left = i;
    if (wanted < i) right = j;
  }
  return A[wanted];
}

/** Likewise; ends where xenalyze would go round for ever. */
function selfWeighted(A: Float64Array, percent: number): number {
  const total = A.reduce((sum, value) => sum + value, 0);
  const wanted = divide(total * percent, 100);
  let [left, leftWeight] = [0, 0];
  let right = A.length - 1;
  let rightWeight = total - A[right];
  while (left < right) {
    const pivot = A[(left + right) >> 1];
    let [i, iWeight, j, jWeight] = [left, leftWeight, right, rightWeight];
    do {
      while (A[i] < pivot) iWeight += A[i++];
      while (pivot < A[j]) jWeight -= A[j--];
      if (i <= j) {
        [A[i], A[j]] = [A[j], A[i]];
        iWeight += A[i++];
        jWeight -= A[j--];
      }
    } while (i <= j);
    if (jWeight >= wanted && wanted >= iWeight) break;
    if (jWeight < wanted) [left, leftWeight] = [i, iWeight];
    if (wanted < iWeight) [right, rightWeight] = [j, jWeight];
  }
  return A[left];
}

/** Samples of few and of many different durations, short, and long enough to be partitioned in blocks. */
const samples = fc
  .record({
    length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 200, max: 3000 })),
    kinds: fc.constantFrom(1, 3, 100, 100_000),
    lowest: fc.constantFrom(1, -5),
    seed: fc.nat(),
  })
  .map(({ length, kinds, lowest, seed }) => {
    let state = seed;
    return Float64Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return ((state >>> 8) % kinds) + lowest || 1;
    });
  });

const search = new PercentileSearch();

test.each([
  ['percentiles', plain],
  ['selfWeighted', selfWeighted],
] as const)('%s() finds what xenalyze finds, and leaves the sample as xenalyze does', (method, reference) => {
  fc.assert(
    fc.property(samples, (sample) => {
      const theirs = sample.slice();
      const [p50, p5, p95] = PERCENTS.map((percent) => reference(theirs, percent));
      expect(search[method](sample, sample.length)).toEqual({ p5, p50, p95 });
      expect(sample).toEqual(theirs);
    }),
    { numRuns: 300 },
  );
});

test('selfWeighted() weighs durations by themselves', () => {
  // Of 100 cycles, 50 are spent in stretches of up to 10.
  expect(search.selfWeighted(Float64Array.of(10, 50, 10, 10, 10, 10), 6)).toMatchObject({ p5: 10, p95: 50 });
});

test('a sample for which there can be no room is refused with what to do', () => {
  expect(() => search.room(2 ** 29)).toThrow('--sample-max');
});
