import { expect, test } from 'vitest';
import { selfWeightedPercentile } from '../../src/xenalyze/cycle-summary.ts';

test('selfWeightedPercentile() ends with durations below zero, where xenalyze goes round for ever', () => {
  expect(selfWeightedPercentile(Float64Array.of(-9, -9), 2, 5)).toBe(-9);
});

test('selfWeightedPercentile() weighs durations by themselves', () => {
  // Of 100 cycles, 50 are spent in stretches of up to 10.
  const durations = Float64Array.of(10, 50, 10, 10, 10, 10);
  expect(selfWeightedPercentile(durations, 6, 40)).toBe(10);
  expect(selfWeightedPercentile(durations, 6, 60)).toBe(50);
});
