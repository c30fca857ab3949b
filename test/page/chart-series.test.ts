import { expect, test } from 'vitest';
import { domainLooks, type Series, sharedAxes } from '../../src/page/browser/chart-series.ts';

const series = (...y: (number | null)[]): Series => ({
  label: '',
  x: y.map((_, at) => at),
  y,
  color: 'text',
});

test('charts side by side are as high as the highest, and one alone follows its curves', () => {
  const both = sharedAxes([[series(1, null, 3)], [series(10), series(-2)]]);
  expect(both.yRange?.[0]).toBeLessThanOrEqual(-2);
  expect(both.yRange?.[1]).toBeGreaterThanOrEqual(10);
  expect(sharedAxes([[series(10)], [series(1, null, 3)], [series(-2)]])).toEqual(both);
  expect(sharedAxes([[series(1, 3)]])).toEqual({});
});

test('curves of a domain have its colour and differ in looks', () => {
  const looks = domainLooks([7, 3, 7, 7, 3], (dom) => (dom === 7 ? 2 : 0));
  expect(looks.map(({ color }) => color)).toEqual([
    'series-2',
    'series-0',
    'series-2',
    'series-2',
    'series-0',
  ]);
  expect(new Set(looks.map(({ color, nth }) => `${color} ${nth}`)).size).toBe(5);
});
