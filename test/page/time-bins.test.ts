import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BINS_MAX, TimeBins } from '../../src/page/time-bins.ts';

const SUM = ['sum'] as const;

describe('TimeBins', () => {
  test('an interval is shared among the bins that it touches', () => {
    const bins = new TimeBins(1000);
    const lane = bins.addLane(SUM);
    bins.addTime(lane, 0, 1000 + 1000, 1000 + 2100);
    expect(bins.widthNs).toBe(1024);
    expect([...bins.component(lane, 0).subarray(0, 4)]).toEqual([24, 1024, 52, 0]);
  });

  test('bins widen with the trace, and what is in them is what was added', () => {
    const interval = fc.record({
      startNs: fc.integer({ min: 0, max: 1e12 }),
      ns: fc.integer({ min: 1, max: 1e10 }),
    });
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 30 }), (intervals) => {
        const bins = new TimeBins(0);
        const lane = bins.addLane(['sum', 'sum']);
        for (const { startNs, ns } of intervals) {
          bins.addTime(lane, 0, startNs, startNs + ns);
          bins.addCount(lane, 1, startNs);
        }
        const { widthNs } = bins;
        const [times, counts] = [bins.component(lane, 0), bins.component(lane, 1)];
        for (let bin = 0; bin < bins.count; bin++) {
          const [from, to] = [bin * widthNs, (bin + 1) * widthNs];
          const overlap = intervals.reduce(
            (sum, { startNs, ns }) => sum + Math.max(0, Math.min(to, startNs + ns) - Math.max(from, startNs)),
            0,
          );
          if (times[bin] !== overlap) return false;
          if (counts[bin] !== intervals.filter(({ startNs }) => startNs >= from && startNs < to).length)
            return false;
        }
        return true;
      }),
      { numRuns: 20 },
    );
  });

  test('extremes stay extremes when bins are joined', () => {
    const bins = new TimeBins(0);
    const lane = bins.addLane(['min', 'max']);
    bins.addValue(lane, 0, 5);
    bins.addValue(lane, 1500, -3);
    bins.addValue(lane, 1600, 9);
    bins.addValue(lane, 1024 * (BINS_MAX + 1), 1);
    expect(bins.widthNs).toBe(2048);
    const [least, most] = [bins.component(lane, 0), bins.component(lane, 1)];
    expect([least[0], most[0]]).toEqual([-3, 9]);
    expect([least[1], most[1]]).toEqual([Number.NaN, Number.NaN]);
    expect([least[BINS_MAX / 2], most[BINS_MAX / 2]]).toEqual([1, 1]);
  });

  test('with many lanes there are fewer bins, and nothing is lost', () => {
    const bins = new TimeBins(0, 4 * BINS_MAX);
    const first = bins.addLane(SUM);
    bins.addTime(first, 0, 0, 1024 * BINS_MAX);
    for (let lane = 1; lane < 16; lane++) bins.addLane(SUM);
    expect(bins.count).toBe(BINS_MAX / 4);
    expect(bins.widthNs).toBe(4096);
    expect(new Set(bins.component(first, 0))).toEqual(new Set([4096]));
  });
});
