/** Frames: what a user found by eye, what Xen's own C code did, and that nothing is found where nothing is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { findPeriod } from '../../src/analysis/find-period.ts';
import { idealLength } from '../../src/analysis/frame-tracker.ts';
import { frames } from '../../src/analysis/frames.ts';
import { Prng } from '../../src/base/prng.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { analyze, type Row } from './analyze-bytes.ts';

const MS = 1_000_000;

async function rowsOf(trace: Uint8Array | string, options = {}): Promise<Row[]> {
  const { rows } = await analyze(trace, { analyses: [frames], ...options });
  return rows('frames');
}

/** d1v0 runs from each of the starts for 10 ms, and d2v0 or nobody the rest of the time. */
function partitions(startsNs: readonly number[], second = true): Uint8Array {
  const builder = new TraceBuilder().window(0);
  const [dom, vcpu] = second ? [2, 0] : [32767, 0];
  for (const [index, startNs] of startsNs.entries()) {
    const at = 1000 + startNs;
    if (index > 0) builder.runstate(at, dom, vcpu, 'running', 'runnable');
    builder.runstate(at, 1, 0, 'runnable', 'running');
    builder.runstate(at + 10 * MS, 1, 0, 'running', 'runnable');
    builder.runstate(at + 10 * MS, dom, vcpu, 'runnable', 'running');
  }
  return builder.bytes();
}

/** Instants, from the lengths between them. */
function startsOf(lengthsNs: readonly number[]): number[] {
  const starts = [0];
  for (const ns of lengthsNs) starts.push((starts.at(-1) as number) + ns);
  return starts;
}

function repeated(count: number, ns: number): number[] {
  return new Array<number>(count).fill(ns);
}

describe('what a user found by eye (Xen commit f2927d8343ae)', () => {
  test('frames of 20 ms slip by 3.5 ms up to the 21st, since each counts from the late start before', async () => {
    // The first and the last length are those of the commit message, and so is their sum; between them the slip is
    // spread unevenly.
    const [first, last, total] = [76_176, 319_088, 3_512_560];
    const middle = repeated(18, (total - first - last) / 18).map((ns, index) => {
      return Math.floor(ns) + (index % 2 === 0 ? 60_000 : -60_000);
    });
    middle[17] += total - first - last - middle.reduce((sum, ns) => sum + ns, 0);
    const slips = [first, ...middle, last];
    const rows = await rowsOf(partitions(startsOf(slips.map((ns) => 20 * MS + ns))));
    expect(rows[0]).toMatchObject({
      dom: 1,
      frames: 20,
      regular: 1,
      ideal_ns: 20 * MS,
      drift_ns_total: 3_512_560,
      frame_ns_min: 20 * MS + first,
      frame_ns_max: 20 * MS + last,
      late: 0,
      skipped: 0,
    });
    expect(rows[0].frame_ns_mean).toBeCloseTo(20 * MS + total / 20, 3);
    expect(Math.abs(Number(rows[0].drift_ns_per_frame) - total / 20)).toBeLessThan(10_000);
    expect(rows[1]).toMatchObject({ dom: 2, ideal_ns: 20 * MS });
  });

  test('schedule() that is called 14 ms late, and the frames go on from there', async () => {
    const late = 34_352_832;
    const starts = startsOf([...repeated(30, 20 * MS), late, ...repeated(30, 20 * MS)]);
    expect((await rowsOf(partitions(starts)))[0]).toMatchObject({
      frames: 61,
      late: 1,
      late_ns_max: late - 20 * MS,
      late_max_start_ns: 30 * 20 * MS + late,
      frame_ns_max: late,
      frame_max_start_ns: 600 * MS,
      skipped: 0,
      drift_ns_total: late - 20 * MS,
    });
  });

  test('schedule() that is called late once, and the frames are where they were', async () => {
    const starts = startsOf([...repeated(30, 20 * MS), 26 * MS, 14 * MS, ...repeated(30, 20 * MS)]);
    expect((await rowsOf(partitions(starts)))[0]).toMatchObject({
      frames: 62,
      late: 1,
      late_ns_max: 6 * MS,
      late_max_start_ns: 626 * MS,
      skipped: 0,
      drift_ns_total: 0,
    });
  });

  test('a frame in which nobody runs', async () => {
    const starts = startsOf([...repeated(30, 20 * MS), 40 * MS, ...repeated(30, 20 * MS)]);
    expect((await rowsOf(partitions(starts, false)))[0]).toMatchObject({
      frames: 62,
      late: 0,
      skipped: 1,
      skipped_start_ns: 620 * MS,
      frame_ns_max: 20 * MS,
      drift_ns_total: 0,
    });
  });
});

describe('patterns', () => {
  test('the worked example of docs/metrics.md', async () => {
    const rows = await rowsOf(
      partitions(startsOf([20, 20, 20, 20, 23, 20, 20, 20, 20, 20].map((ms) => ms * MS))),
    );
    expect(rows[0]).toMatchObject({
      dom: 1,
      vcpu: 0,
      stretch: 0,
      first_start_ns: 0,
      last_start_ns: 203 * MS,
      frames: 10,
      regular: 0.9,
      frame_ns_mean: 20.3 * MS,
      frame_ns_median: 20 * MS,
      frame_ns_max: 23 * MS,
      frame_max_start_ns: 80 * MS,
      ideal_ns: 20 * MS,
      drift_ns_total: 3 * MS,
      jitter_ns_mean: 0.3 * MS,
      jitter_ns_max: 3 * MS,
      late: 1,
      late_ns_max: 3 * MS,
      late_max_start_ns: 103 * MS,
      skipped: 0,
    });
    // Starts are 0 0 0 0 0 3 3 3 3 3 3 ms late: the slope of the line through them is Sxy / Sxx, 45 over 110.
    expect(rows[0].drift_ns_per_frame).toBeCloseTo(((135 - (55 * 18) / 11) / (385 - 55 ** 2 / 11)) * MS, 3);
  });

  test('a table that is changed ends one stretch and begins another', async () => {
    const starts = startsOf([...repeated(40, 40 * MS), 30 * MS, ...repeated(40, 50 * MS)]);
    expect((await rowsOf(partitions(starts))).filter(({ dom }) => dom === 1)).toMatchObject([
      { stretch: 0, frames: 40, ideal_ns: 40 * MS, late: 0, skipped: 0, drift_ns_total: 0 },
      { stretch: 1, ideal_ns: 50 * MS, late: 0, skipped: 0, drift_ns_total: 0 },
    ]);
  });

  test('frames that are evenly longer than a round length were not meant to be that', async () => {
    expect((await rowsOf(partitions(startsOf(repeated(30, 20_150_000)))))[0]).toMatchObject({
      frame_ns_mean: 20_150_000,
      ideal_ns: null,
      drift_ns_total: null,
      drift_ns_per_frame: null,
    });
  });

  test('idealLength() is round, and hardly longer than what was measured', () => {
    expect(
      [20.1756, 20, 19.999, 19.9, 25.1, 40.24, 99.95, 16.667, 33.333, 12.5].map((ms) => idealLength(ms * MS)),
    ).toEqual([
      20 * MS,
      20 * MS,
      20 * MS,
      undefined,
      25 * MS,
      40 * MS,
      100 * MS,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('instants at random are not periodic, however many there are', () => {
    const prng = Prng.fromSeed(7);
    for (let trial = 0; trial < 300; trial++) {
      const mean = 1 + prng.below(5);
      let at = 0;
      // Exponential gaps, and uniform ones up to twice the mean.
      const times = Float64Array.from({ length: 20 + prng.below(364) }, () => {
        at += trial % 2 === 0 ? prng.exponentialNs(mean * MS) : prng.uniformNs(0, 2 * mean * MS);
        return at;
      });
      expect(findPeriod(times), `trial ${trial}`).toBeUndefined();
    }
  });

  test('instants of a damaged trace, so large that a period is lost in them, end the search too', () => {
    const times = Float64Array.from({ length: 384 }, (_, index) => 2 ** 62 + Math.floor(index / 3) * 1024);
    expect(findPeriod(times)?.periodNs ?? 1024).toBe(1024);
    const burst = Float64Array.from({ length: 384 }, (_, index) => (index < 380 ? 3 * index : index * 1e15));
    expect(findPeriod(burst)).toBeUndefined();
  });

  test('a period is found under jitter, between other instants, and with some missing', () => {
    const prng = Prng.fromSeed(11);
    let exact = 0;
    for (let trial = 0; trial < 100; trial++) {
      const period = (5 + prng.below(50)) * MS;
      const times: number[] = [];
      for (let frame = 0; frame < 60; frame++) {
        if (prng.below(20) > 0) times.push(frame * period + prng.below(period / 100));
        if (trial % 2 === 0) times.push(frame * period + period / 5 + prng.below((3 * period) / 5));
      }
      const found = findPeriod(Float64Array.from(times))?.periodNs ?? 0;
      if (Math.abs(found - period) < period / 100) exact++;
      // Where many are missing, it may be that only every second one is seen.
      else expect(Math.abs(found - 2 * period), `trial ${trial}`).toBeLessThan(period / 50);
    }
    expect(exact).toBeGreaterThan(95);
  });
});

const BESIDE = join(import.meta.dirname, '../../../shared');
const OLDER = join(BESIDE, 'reference/xen-c-schedulers/older');

/** When d1v0 began to run, by the list of switches that came with a reference trace. */
function firstDomainStarts(path: string): number[] {
  const lines = gunzipSync(readFileSync(path)).toString().trim().split('\n').slice(1);
  return lines.flatMap((line) => {
    const [tNs, , next] = line.split(',');
    return next === 'd1v0' ? [Number(tNs)] : [];
  });
}

describe.runIf(existsSync(OLDER))("frames of Xen's own ARINC653", () => {
  const names = ['p1_drift_tail_jitter50us', 'p1_drift_tail_jitter500us', 'p1_drift_full_jitter5us'];
  const runs = ['4.17.7', 'head'].flatMap((version) => names.map((name) => ({ version, name })));

  test.each(runs)('$name of $version drifts as its switches do', async ({ version, name }) => {
    const path = join(OLDER, `arinc653-${version}`, `${name}__arinc653`);
    const starts = firstDomainStarts(`${path}.switches.csv.gz`);
    const driftNs = (starts.at(-1) as number) - starts[0] - (starts.length - 1) * 40 * MS;
    const [row] = await rowsOf(`${path}.trace.gz`, { cpuHz: 1e9 });
    expect(row).toMatchObject({ dom: 1, frames: starts.length - 1, ideal_ns: 40 * MS, late: 0, skipped: 0 });
    expect(Math.abs(Number(row.drift_ns_total) - driftNs)).toBeLessThan(100);
    // Only the older one counts each frame from where the one before began.
    if (version === 'head') expect(Math.abs(driftNs)).toBeLessThan(500_000);
    else expect(driftNs).toBeGreaterThan(250_000);
  });

  test('a real host of Xen 4.17 drifts too', async () => {
    const rows = await rowsOf(join(BESIDE, 'traces/arinc653-frame40.trace'));
    const hog = rows.find(({ dom }) => dom === 1) as Row;
    expect(hog).toMatchObject({ ideal_ns: 40 * MS, late: 0, skipped: 0, regular: 1 });
    // Its two slots of 40 ms begin 75 us later each time.
    expect(Number(hog.drift_ns_total) / Number(hog.frames)).toBeGreaterThan(50_000);
    expect(await rowsOf(join(BESIDE, 'traces/arinc653-dom0.trace'))).toEqual([]);
  });
});
