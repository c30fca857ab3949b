import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesRows } from '../../src/analysis/series-rows.ts';

test('SeriesRows joins windows in pairs when there are too many rows, and loses nothing', () => {
  const samples = fc.array(fc.tuple(fc.nat(3), fc.nat(2_000), fc.integer({ min: -50, max: 50 })), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(samples, (all) => {
      const series = new SeriesRows(1_000, 10, 32);
      all.sort((a, b) => a[1] - b[1]);
      for (const [subject, ns, value] of all) {
        series.add(1_000 + ns, {
          window: 0,
          subject,
          min: value,
          max: value,
          last: value,
          sum: value,
          weight: 1,
          count: 1,
          knownNs: 0,
          wholeNs: 0,
        });
      }
      const rows = series.rows();
      expect(rows.length).toBeLessThan(32);
      for (const row of rows) {
        const startNs = series.startOf(row.window) - 1_000;
        const own = all
          .filter(
            ([subject, ns]) => subject === row.subject && Math.floor((ns - startNs) / series.windowNs) === 0,
          )
          .map(([, , value]) => value);
        expect([row.count, row.min, row.max, row.last]).toEqual([
          own.length,
          Math.min(...own),
          Math.max(...own),
          own.at(-1),
        ]);
        expect(row.sum).toBe(own.reduce((sum, value) => sum + value, 0));
      }
      expect(rows.reduce((count, row) => count + row.count, 0)).toBe(all.length);
    }),
  );
});

test('SeriesRows makes windows longer rather than many, however far ahead a damaged time lies', () => {
  const series = new SeriesRows(0, 1);
  expect(series.windowOf(2 ** 60)).toBeLessThan(1 << 12);
  expect(series.windowNs).toBeGreaterThan(2 ** 46);
});
