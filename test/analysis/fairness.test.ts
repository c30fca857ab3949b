/** Shares, lags and what a trace tells of weights: hand-made traces, laws, and what Xen's own C schedulers did. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fairness } from '../../src/analysis/fairness.ts';
import { VcpuSelection } from '../../src/analysis/selection.ts';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  record,
} from '../../src/recorder/index.ts';
import { parseScenario, type Scenario, scenarioDomainParameters } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { type Analyzed, analyze, type Row } from './analyze-bytes.ts';

const MS = 1_000_000;
const at = (ms: number) => 1000 + ms * MS;
const only = { analyses: [fairness] };

function byWindow({ rows }: Analyzed, windowMs: number): Row {
  return rows('fairness_windows').find(({ window_ns }) => window_ns === windowMs * MS)!;
}

/** d1v0, d2v0 and so on take turns on a pCPU, and all always want to run. Turns in ms. */
function turns(lengths: readonly number[], hogs = 2): { bytes: Uint8Array; endNs: number } {
  const trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running');
  for (let hog = 1; hog < hogs; hog++) trace.runstate(at(0), hog + 1, 0, 'blocked', 'runnable');
  let ms = 0;
  for (const [turn, length] of lengths.entries()) {
    ms += length;
    trace
      .runstate(at(ms), 1 + (turn % hogs), 0, 'running', 'runnable')
      .runstate(at(ms), 1 + ((turn + 1) % hogs), 0, 'runnable', 'running');
  }
  return { bytes: trace.bytes(), endNs: ms * MS };
}

describe('the example of two hogs that run 20 ms each, one after the other', () => {
  test('each got what it is entitled to in all, and was 10 ms behind or ahead on the way', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const { rows } = await analyze(bytes, { ...only, endNs });
    const shared = {
      run_ns: 20 * MS,
      demand_ns: 40 * MS,
      entitlement_ns: 20 * MS,
      share: 0.5,
      share_error: 0,
    };
    expect(rows('fairness')).toMatchObject([
      { dom: 1, ...shared, lag_ns_max: 0, lag_max_at_ns: null, lag_ns_min: -10 * MS, lag_min_at_ns: 20 * MS },
      { dom: 2, ...shared, lag_ns_max: 10 * MS, lag_max_at_ns: 20 * MS, lag_ns_min: 0, lag_min_at_ns: null },
    ]);
    expect(rows('fairness_by_vcpu')).toMatchObject([
      { dom: 1, vcpu: 0, ...pick(shared, ['run_ns', 'entitlement_ns']), lag_ns_min: -10 * MS },
      { dom: 2, vcpu: 0, ...pick(shared, ['run_ns', 'entitlement_ns']), lag_ns_max: 10 * MS },
    ]);
  });

  test('windows of 10 ms have one who got nothing; the one of 30 ms has twice as much for one as for the other', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const analyzed = await analyze(bytes, { ...only, endNs });
    expect(byWindow(analyzed, 10)).toMatchObject({
      judged_ns: 10 * MS,
      windows: 4,
      judged_share: 1,
      jain_mean: 0.5,
      jain_entitled_mean: 0.5,
      jain_entitled_worst: 0.5,
      jain_entitled_worst_start_ns: 0,
      max_min_entitled_mean: null,
      starved_windows: 4,
      shortfall_ns_worst: 5 * MS,
      shortfall_worst_dom: 2,
      shortfall_worst_start_ns: 0,
    });
    const thirty = byWindow(analyzed, 30);
    expect(thirty).toMatchObject({ windows: 1, starved_windows: 0, shortfall_ns_worst: 5 * MS });
    expect(thirty.jain_entitled_worst).toBeCloseTo(0.9, 12);
    expect(thirty.gini_entitled_worst).toBeCloseTo(1 / 6, 12);
    expect(thirty.cov_entitled_worst).toBeCloseTo(1 / 3, 12);
    expect(thirty.max_min_entitled_worst).toBeCloseTo(2, 12);
    expect(byWindow(analyzed, 100)).toMatchObject({
      windows: 0,
      judged_share: null,
      jain_entitled_mean: null,
    });
  });

  test('with weights 1 : 3, the first is entitled to 10 ms of the 40 and the second to 30', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const domainParameters = new Map([
      [1, { weight: 100 }],
      [2, { weight: 300 }],
    ]);
    const { rows } = await analyze(bytes, { ...only, endNs, domainParameters });
    expect(rows('fairness')).toMatchObject([
      { weight: 100, weight_source: 'given', entitlement_ns: 10 * MS, share_error: 1, lag_ns_min: -15 * MS },
      {
        weight: 300,
        weight_source: 'given',
        entitlement_ns: 30 * MS,
        lag_ns_max: 15 * MS,
        lag_max_at_ns: 20 * MS,
      },
    ]);
  });
});

describe('lag', () => {
  test('of the fluid schedule itself is 0', async () => {
    const { bytes, endNs } = turns(Array(100).fill(1));
    const { rows } = await analyze(bytes, { ...only, endNs });
    expect(rows('fairness')).toMatchObject([
      { entitlement_ns: 50 * MS, lag_ns_max: 0, lag_ns_min: 0 },
      { entitlement_ns: 50 * MS, lag_ns_max: 0, lag_ns_min: 0 },
    ]);
  });

  test('of two on a pCPU that is never idle is opposite, and what both are entitled to is what both ran', async () => {
    const drawn = fc.record({
      lengths: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 }),
      weights: fc.tuple(fc.integer({ min: 1, max: 1024 }), fc.integer({ min: 1, max: 1024 })),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ lengths, weights }) => {
        const { bytes, endNs } = turns(lengths);
        const domainParameters = new Map(weights.map((weight, index) => [index + 1, { weight }]));
        const { rows } = await analyze(bytes, { ...only, endNs, domainParameters });
        const [first, second] = rows('fairness');
        // A ns of rounding in each.
        expect(Math.abs(Number(first.lag_ns_max) + Number(second.lag_ns_min))).toBeLessThanOrEqual(1);
        expect(Math.abs(Number(first.lag_ns_min) + Number(second.lag_ns_max))).toBeLessThanOrEqual(1);
        expect(first.lag_max_at_ns).toBe(second.lag_min_at_ns);
        const entitled = Number(first.entitlement_ns) + Number(second.entitlement_ns);
        expect(Math.abs(entitled - endNs)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40 },
    );
  });

  test('of one who is alone, waits for nothing and sleeps now and then is 0', async () => {
    const trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'blocked', 'runnable');
    for (let ms = 0; ms < 200; ms += 7) {
      trace
        .runstate(at(ms), 32767, 0, 'running', 'runnable')
        .runstate(at(ms), 1, 0, 'runnable', 'running')
        .runstate(at(ms + 3), 1, 0, 'running', 'blocked')
        .runstate(at(ms + 3), 32767, 0, 'runnable', 'running')
        .runstate(at(ms + 7), 1, 0, 'blocked', 'runnable');
    }
    const { rows } = await analyze(trace.bytes(), only);
    expect(rows('fairness')).toMatchObject([
      { run_ns: 29 * 3 * MS, share_error: 0, lag_ns_max: 0, lag_ns_min: 0 },
    ]);
  });

  test('begins anew after time that is not known', async () => {
    // d2 waits for 20 ms; 10 ms are lost; then both run for 5 ms in each 10.
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 2, 0, 'blocked', 'runnable')
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .lost(at(30), { count: 9, firstTsc: at(20) });
    for (let ms = 35; ms < 60; ms += 10) {
      trace
        .runstate(at(ms), 1, 0, 'running', 'runnable')
        .runstate(at(ms), 2, 0, 'runnable', 'running')
        .runstate(at(ms + 5), 2, 0, 'running', 'runnable')
        .runstate(at(ms + 5), 1, 0, 'runnable', 'running');
    }
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 60 * MS });
    expect(rows('fairness')[1]).toMatchObject({
      dom: 2,
      lag_ns_max: 10 * MS,
      lag_max_at_ns: 20 * MS,
      lag_ns_min: 0,
    });
  });
});

describe('entitlement', () => {
  test('is divided anew whenever somebody comes: who came late is not owed what went before', async () => {
    // d1 has the pCPU alone for 40 ms; then d2 comes, and they take turns of 5 ms.
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .runstate(at(40), 2, 0, 'blocked', 'runnable');
    for (let ms = 45; ms < 80; ms += 10) {
      trace
        .runstate(at(ms), 1, 0, 'running', 'runnable')
        .runstate(at(ms), 2, 0, 'runnable', 'running')
        .runstate(at(ms + 5), 2, 0, 'running', 'runnable')
        .runstate(at(ms + 5), 1, 0, 'runnable', 'running');
    }
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 80 * MS });
    expect(rows('fairness')).toMatchObject([
      { dom: 1, run_ns: 60 * MS, demand_ns: 80 * MS, entitlement_ns: 60 * MS, share_error: 0 },
      { dom: 2, run_ns: 20 * MS, demand_ns: 40 * MS, entitlement_ns: 20 * MS, share_error: 0 },
    ]);
  });

  test('counts idle time only where somebody waited: else nobody could have had it', async () => {
    // pCPU 1 idles while d1v1 waits for 4 ms; in the other 6 ms it is d1v1 that does not want to run.
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .window(1)
      .runstate(at(0), 32767, 1, 'runnable', 'running')
      .runstate(at(6), 1, 1, 'blocked', 'runnable');
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 10 * MS });
    expect(rows('fairness')).toMatchObject([
      {
        dom: 1,
        run_ns: 10 * MS,
        demand_ns: 14 * MS,
        entitlement_ns: 14 * MS,
        share: 0.5,
        entitled_share: 0.7,
      },
    ]);
  });

  test('of a vCPU is at most one pCPU, and weights may weigh domains or vCPUs', async () => {
    // d1 has three hogs and d2 one, on two pCPUs: d1v0 and d1v1 run all the time.
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .runstate(at(0), 1, 2, 'blocked', 'runnable')
      .window(1)
      .runstate(at(0), 1, 1, 'runnable', 'running')
      .runstate(at(0), 2, 0, 'blocked', 'runnable');
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 30 * MS });
    expect(rows('fairness')).toMatchObject([
      { dom: 1, run_ns: 60 * MS, entitlement_ns: 30 * MS, vcpu_entitlement_ns: 45 * MS },
      { dom: 2, run_ns: 0, entitlement_ns: 30 * MS, share_error: -1, vcpu_entitlement_ns: 15 * MS },
    ]);
    expect(rows('fairness_by_vcpu').map(({ entitlement_ns }) => entitlement_ns)).toEqual([
      10 * MS,
      10 * MS,
      10 * MS,
      30 * MS,
    ]);
  });
});

describe('what a trace tells', () => {
  const BURN = 0x22203;
  const RESET = 0x22207;
  const MAX_WEIGHT = 0x2220e;
  const ASSIGN = 0x2220a;
  const SCHEDULE = 0x22215;
  const NO_CAP = 0x80000000;

  /** d1v0 and d2v0 pay for 1 ms in turn: 2 ms and 1 ms of credit. d2 has a cap. */
  function paying(maxWeight: number | undefined): Uint8Array {
    const trace = new TraceBuilder().window(0).record(SCHEDULE, at(0), [0, 0]);
    if (maxWeight !== undefined) trace.record(MAX_WEIGHT, at(0), [maxWeight * 0x10000]);
    trace.runstate(at(0), 1, 0, 'runnable', 'running').runstate(at(0), 2, 0, 'blocked', 'runnable');
    for (let ms = 1; ms < 9; ms += 2) {
      trace
        .record(BURN, at(ms), [vcpuWord(1, 0), 1000 * MS - ms * MS - MS, NO_CAP, MS])
        .runstate(at(ms), 1, 0, 'running', 'runnable')
        .runstate(at(ms), 2, 0, 'runnable', 'running')
        .record(BURN, at(ms + 1), [vcpuWord(2, 0), 1000 * MS - (ms + 1) * 0.5 * MS, 5 * MS, MS])
        .runstate(at(ms + 1), 2, 0, 'running', 'runnable')
        .runstate(at(ms + 1), 1, 0, 'runnable', 'running');
    }
    return trace.bytes();
  }

  test('weights of credit2, by what vCPUs pay', async () => {
    const { rows } = await analyze(paying(512), only);
    expect(rows('fairness')).toMatchObject([
      { dom: 1, weight: 256, weight_source: 'trace', cap_percent: null, cap_source: 'trace' },
      { dom: 2, weight: 512, weight_source: 'trace', cap_percent: null, cap_source: 'hidden' },
    ]);
  });

  test('only ratios, where the highest weight was told before the trace began', async () => {
    const { rows } = await analyze(paying(undefined), only);
    expect(rows('fairness')).toMatchObject([
      { dom: 1, weight: 128, weight_source: 'relative' },
      { dom: 2, weight: 256, weight_source: 'relative' },
    ]);
  });

  test('goes before what is given, but for ratios', async () => {
    const domainParameters = new Map([[1, { weight: 7, cap: 30 }]]);
    const known = await analyze(paying(512), { ...only, domainParameters });
    expect(known.rows('fairness')).toMatchObject([
      { weight: 256, weight_source: 'trace', cap_percent: null, cap_source: 'trace' },
      { weight: 512, weight_source: 'trace' },
    ]);
    const relative = await analyze(paying(undefined), { ...only, domainParameters });
    expect(relative.rows('fairness')).toMatchObject([
      { weight: 7, weight_source: 'given' },
      { weight: 256, weight_source: 'assumed' },
    ]);
  });

  test('what was given or lost on the way is not taken for a weight', async () => {
    // Credit that a reset gives, and the compensation for a change of pCPU: no two payments agree.
    const trace = new TraceBuilder()
      .window(0)
      .record(SCHEDULE, at(0), [0, 0])
      .record(MAX_WEIGHT, at(0), [256 * 0x10000])
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .record(BURN, at(1), [vcpuWord(1, 0), 9 * MS, NO_CAP, MS])
      .record(BURN, at(2), [vcpuWord(1, 0), 8.4 * MS, NO_CAP, MS])
      .record(RESET, at(3), [vcpuWord(1, 0), 8.4 * MS, 10 * MS])
      .record(BURN, at(4), [vcpuWord(1, 0), 9 * MS, NO_CAP, MS])
      .bytes();
    const { rows } = await analyze(trace, { ...only, endNs: 5 * MS });
    expect(rows('fairness')).toMatchObject([{ dom: 1, weight: 256, weight_source: 'assumed' }]);
  });

  test('nor what a vCPU owed beyond the lowest credit that there is', async () => {
    // From 10 ms to -10 ms of credit for 5 ms, time and again: it would be a quarter of the highest weight.
    const trace = new TraceBuilder()
      .window(0)
      .record(SCHEDULE, at(0), [0, 0])
      .record(MAX_WEIGHT, at(0), [256 * 0x10000])
      .runstate(at(0), 1, 0, 'runnable', 'running');
    for (let ms = 5; ms <= 30; ms += 5) {
      trace
        .record(RESET, at(ms - 5), [vcpuWord(1, 0), 0, 10 * MS])
        .record(BURN, at(ms), [vcpuWord(1, 0), -10 * MS, NO_CAP, 5 * MS]);
    }
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 30 * MS });
    expect(rows('fairness')).toMatchObject([{ dom: 1, weight: 256, weight_source: 'assumed' }]);
  });

  test('nor what it paid when it came from another pCPU, for which it was given credit', async () => {
    // It pays 1 ms for each ms, and 50 us are given to it at each change: 380 x 1 / 0.95 = 400.
    const trace = new TraceBuilder();
    for (const pcpu of [0, 1]) {
      trace.window(pcpu).record(SCHEDULE, at(0), [pcpu, 0]);
      if (pcpu === 0) trace.record(MAX_WEIGHT, at(0), [380 * 0x10000]);
      for (let ms = 1 + pcpu; ms < 12; ms += 2) {
        trace
          .runstate(at(ms - 1), 1, 0, 'runnable', 'running')
          .record(BURN, at(ms), [vcpuWord(1, 0), 100 * MS - ms * 0.95 * MS, NO_CAP, MS])
          .runstate(at(ms), 1, 0, 'running', 'runnable');
      }
    }
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 12 * MS });
    expect(rows('fairness')).toMatchObject([{ dom: 1, weight_source: 'assumed' }]);
  });

  test('ratios are of one run queue: with several they are none of the host', async () => {
    const other = new TraceBuilder()
      .window(1)
      .record(SCHEDULE, at(0), [1 + 5 * 0x10000, 0])
      .bytes();
    const { rows } = await analyze(Buffer.concat([paying(undefined), other]), only);
    expect(rows('fairness')).toMatchObject([{ weight_source: 'assumed' }, { weight_source: 'assumed' }]);
  });

  test('a period that changes, by steps that have no period in common with it', async () => {
    // 4 ms in 10 ms for 20 ms, then 4 ms in 7 ms for 35 ms.
    const trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running');
    for (const deadlineMs of [10, 20, 30, 37, 44, 51, 58, 65]) {
      const words = [vcpuWord(1, 0), 0, ...u64(deadlineMs * MS), ...u64(4 * MS)];
      trace.record(0x22804, at(deadlineMs - 7), words);
    }
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 65 * MS });
    expect(rows('fairness')[0].reservation).toBeCloseTo(4 / 7, 12);
  });

  test('a polling server that gets no budget where it has nothing to do keeps its reservation', async () => {
    const trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running');
    for (const [period, budgetMs] of [2, 2, 0, 0, 0, 0].entries()) {
      const words = [vcpuWord(1, 0), ...u64((period + 1) * 10 * MS), ...u64(budgetMs * MS)];
      trace.record(0x24202, at(10 * period), words);
    }
    const { rows } = await analyze(trace.bytes(), { ...only, endNs: 60 * MS });
    expect(rows('fairness')[0]).toMatchObject({ reservation: 0.2, reservation_source: 'trace' });
  });

  test('reservations of RTDS, and share against them', async () => {
    // d1v0 has 2 ms in 8 ms; it runs 2 ms of the first period, 1 ms of the second, and is there all the time.
    const replenish = (ms: number, deadlineMs: number) =>
      [
        0x22804,
        at(ms),
        [vcpuWord(1, 0), 0, ...u64(7_000_000_123 + deadlineMs * MS), ...u64(2 * MS)],
      ] as const;
    const depleted = (ms: number) => [0x22803, at(ms), [vcpuWord(1, 0), ...u64(0), 2 * MS, 0, 0]] as const;
    const trace = new TraceBuilder()
      .window(0)
      .record(...replenish(0, 8))
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .record(...depleted(2))
      .runstate(at(2), 1, 0, 'running', 'runnable')
      .runstate(at(2), 32767, 0, 'runnable', 'running')
      .record(...replenish(8, 16))
      .runstate(at(9), 32767, 0, 'running', 'runnable')
      .runstate(at(9), 1, 0, 'runnable', 'running')
      .runstate(at(10), 1, 0, 'running', 'runnable')
      .runstate(at(10), 32767, 0, 'runnable', 'running')
      .record(...replenish(16, 32))
      .bytes();
    const { rows } = await analyze(trace, { ...only, endNs: 16 * MS });
    expect(rows('fairness')).toMatchObject([
      {
        dom: 1,
        weight: null,
        weight_source: null,
        reservation: 0.25,
        reservation_source: 'trace',
        run_ns: 3 * MS,
        demand_ns: 16 * MS,
        entitlement_ns: 4 * MS,
        share_error: -0.25,
        lag_ns_max: 1 * MS,
        lag_max_at_ns: 16 * MS,
      },
    ]);
    expect(rows('fairness_summary')).toMatchObject([{ jain: null, jain_entitled: 1 }]);
  });

  test('run queues: who was in which, and what it was entitled to there', async () => {
    // pCPU 0 has run queue 0 and pCPU 1 run queue 7. d1v0 runs on pCPU 0 and d3v0 on pCPU 1. d2v0 waits 10 ms in run
    // queue 0, then it is assigned to 7 and waits 10 ms more there.
    const trace = new TraceBuilder()
      .window(0)
      .record(SCHEDULE, at(0), [0, 0])
      .record(ASSIGN, at(0), [vcpuWord(2, 0), 0])
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .runstate(at(0), 2, 0, 'blocked', 'runnable')
      .record(ASSIGN, at(10), [vcpuWord(2, 0), 7])
      .window(1)
      .record(SCHEDULE, at(0), [1 + 7 * 0x10000, 0])
      .runstate(at(0), 3, 0, 'runnable', 'running')
      .runstate(at(20), 3, 0, 'running', 'runnable')
      .runstate(at(20), 2, 0, 'runnable', 'running')
      .bytes();
    const { rows } = await analyze(trace, { ...only, endNs: 30 * MS });
    const shown = rows('fairness_by_runqueue').map((row) => {
      const { runqueue, dom, pcpus, vcpus, run_ns, demand_ns, entitlement_ns } = row;
      return [
        runqueue,
        dom,
        pcpus,
        vcpus,
        ...[run_ns, demand_ns, entitlement_ns].map((ns) => Number(ns) / MS),
      ];
    });
    expect(shown).toEqual([
      [0, 1, 1, 1, 30, 30, 25],
      [0, 2, 1, 1, 0, 10, 5],
      [7, 2, 1, 1, 10, 20, 10],
      [7, 3, 1, 1, 20, 30, 20],
    ]);
  });
});

describe('a part of a trace', () => {
  test('is judged by itself, in windows from where it begins', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const selection = { fromNs: 15 * MS, toNs: 35 * MS };
    const analyzed = await analyze(bytes, { ...only, endNs, selection });
    expect(analyzed.rows('fairness')).toMatchObject([
      { dom: 1, run_ns: 5 * MS, entitlement_ns: 10 * MS, lag_ns_max: 5 * MS, lag_max_at_ns: 35 * MS },
      { dom: 2, run_ns: 15 * MS, entitlement_ns: 10 * MS, lag_ns_min: -5 * MS, lag_min_at_ns: 35 * MS },
    ]);
    expect(byWindow(analyzed, 10)).toMatchObject({
      windows: 2,
      jain_entitled_worst: 0.5,
      jain_entitled_worst_start_ns: 25 * MS,
      starved_windows: 1,
    });
  });

  test('of some domains counts the others all the same', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const selection = { vcpus: new VcpuSelection([2], []) };
    const { rows } = await analyze(bytes, { ...only, endNs, selection });
    expect(rows('fairness')).toMatchObject([{ dom: 2, share: 0.5, entitlement_ns: 20 * MS }]);
    expect(rows('fairness_summary')).toMatchObject([{ domains: 2 }]);
  });
});

describe('pauses', () => {
  test('leave work undone, but nobody is owed the time of one', async () => {
    // d2 waits from 0 on, is paused from 10 to 30 ms, and runs from 35 ms on; d1 runs until then, and then waits.
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .runstate(at(0), 2, 0, 'blocked', 'runnable')
      .runstate(at(10), 2, 0, 'runnable', 'offline')
      .runstate(at(30), 2, 0, 'offline', 'runnable')
      .runstate(at(35), 1, 0, 'running', 'runnable')
      .runstate(at(35), 2, 0, 'runnable', 'running')
      .bytes();
    const { rows } = await analyze(trace, { ...only, endNs: 40 * MS });
    expect(rows('fairness')).toMatchObject([
      { dom: 1, run_ns: 35 * MS, demand_ns: 40 * MS, entitlement_ns: 30 * MS },
      { dom: 2, run_ns: 5 * MS, demand_ns: 20 * MS, entitlement_ns: 10 * MS, lag_ns_max: 5 * MS },
    ]);
  });
});

describe('windows', () => {
  test('of a length of its own are judged besides', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const lengths = async (windowNs: number) => {
      const { rows } = await analyze(bytes, { ...only, endNs, windowNs });
      return rows('fairness_windows').map(({ window_ns, windows }) => [Number(window_ns) / MS, windows]);
    };
    expect(await lengths(100 * MS)).toEqual([
      [10, 4],
      [30, 1],
      [100, 0],
      [1000, 0],
    ]);
    expect(await lengths(20 * MS)).toEqual([
      [10, 4],
      [20, 2],
      [30, 1],
      [100, 0],
      [1000, 0],
    ]);
    expect(await lengths(8 * MS)).toEqual([
      [8, 5],
      [10, 4],
      [30, 1],
      [100, 0],
      [1000, 0],
    ]);
  });

  test('are told one by one: what each domain got and was entitled to', async () => {
    const { bytes, endNs } = turns([20, 20]);
    const { rows } = await analyze(bytes, { ...only, endNs, windowNs: 20 * MS });
    const row = (dom: number, startMs: number, runMs: number) => {
      return {
        dom,
        window_start_ns: startMs * MS,
        window_ns: 20 * MS,
        run_ns: runMs * MS,
        entitlement_ns: 10 * MS,
      };
    };
    expect(rows('fairness_series')).toEqual([row(1, 0, 20), row(1, 20, 0), row(2, 0, 0), row(2, 20, 20)]);
    const longer = await analyze(turns(Array(80).fill(10_000), 16).bytes, { ...only, endNs: 800_000 * MS });
    expect(longer.rows('fairness_series').length).toBeLessThanOrEqual(8192);
    expect(longer.rows('fairness_series')[0].window_ns).toBe(1600 * MS);
  });

  test('are longer where there would be too many, and say so', async () => {
    // 16 vCPUs with 3 series each: the 80,000 windows of 10 ms in 800 s would be too many.
    const { bytes, endNs } = turns(Array(80).fill(10_000), 16);
    const { rows } = await analyze(bytes, { ...only, endNs });
    const shown = rows('fairness_windows').map(({ window_ns, judged_ns, windows }) => {
      return [Number(window_ns) / MS, judged_ns === null ? null : Number(judged_ns) / MS, windows];
    });
    expect(shown).toEqual([
      [10, null, null],
      [30, 40, 20_000],
      [100, 100, 8000],
      [1000, 1000, 800],
    ]);
  });

  test('do not compare who wanted next to nothing in them', async () => {
    // d2 wakes 50 us before the window ends and gets its turn after it.
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .runstate(at(9.95), 2, 0, 'blocked', 'runnable')
      .runstate(at(10.05), 1, 0, 'running', 'runnable')
      .runstate(at(10.05), 2, 0, 'runnable', 'running')
      .bytes();
    const analyzed = await analyze(trace, { ...only, endNs: 20 * MS });
    expect(byWindow(analyzed, 10)).toMatchObject({ windows: 1, jain_entitled_worst_start_ns: 10 * MS });
  });
});

function recorded(scenario: Scenario): Uint8Array {
  const plan = planRecording(parseRecorderOptions(), scenario);
  const rings = createTraceRings(plan);
  const sink = new MemorySink();
  record(new Simulation(scenario, rings), rings, plan, sink);
  return sink.bytes();
}

describe('two hogs that may have 2 ms in 10 and 6 ms in 20, and have it to the full', () => {
  const domains = (kind: string) => `
domains:
  - vcpus: [{workload: hog, server: {period: 10ms, budget: 2ms, kind: ${kind}}}]
  - vcpus: [{workload: hog, server: {period: 20ms, budget: 6ms, kind: ${kind}}}]
`;
  const slices = `xen: "4.4"
domains:
  - {sedf: {period: 10ms, slice: 2ms}, vcpus: [hog]}
  - {sedf: {period: 20ms, slice: 6ms}, vcpus: [hog]}
`;
  const head = 'duration: 2s\nhost: {pcpus: 1}\n';

  test.each([
    ['deferrable servers of RT-Xen', `scheduler: rtxen${domains('deferrable')}`, 'trace'],
    ['periodic servers of RT-Xen', `scheduler: rtxen${domains('periodic')}`, 'trace'],
    ['sporadic servers of RT-Xen', `scheduler: rtxen${domains('sporadic')}`, 'given'],
    ['SEDF', `scheduler: sedf\n${slices}`, 'given'],
  ])('%s: are entitled to a fifth and to three tenths', async (_, text, source) => {
    const scenario = parseScenario(head + text, 'servers.yaml');
    const domainParameters = scenarioDomainParameters(scenario);
    const { rows } = await analyze(recorded(scenario), { ...only, domainParameters });
    for (const [index, row] of rows('fairness').entries()) {
      expect(row).toMatchObject({ reservation: [0.2, 0.3][index], reservation_source: source });
      expect(Math.abs(Number(row.share_error))).toBeLessThan(0.01);
    }
  });

  test('are entitled to half of the pCPU each, over all as in windows, where nobody tells of it', async () => {
    const { rows } = await analyze(recorded(parseScenario(`${head}scheduler: sedf\n${slices}`, 'x')), only);
    for (const row of rows('fairness')) expect(row.entitled_share).toBeCloseTo(0.5, 2);
    for (const row of rows('fairness_series')) expect(row.entitlement_ns).toBeCloseTo(50 * MS, -5);
  });
});

describe('hogs with weights 256 : 512 : 1024 under credit2', () => {
  test('get a seventh, two and four; the trace tells the weights', async () => {
    const text = `
scheduler: credit2
duration: 3s
domains:
  - {weight: 256, vcpus: [hog]}
  - {weight: 512, vcpus: [hog]}
  - {weight: 1024, vcpus: [hog]}
`;
    const { rows } = await analyze(recorded(parseScenario(text, 'weights.yaml')), only);
    for (const [index, row] of rows('fairness').entries()) {
      expect(row).toMatchObject({ weight: 256 * 2 ** index, weight_source: 'trace', cap_source: 'trace' });
      expect(row.share).toBeCloseTo(2 ** index / 7, 2);
      expect(Math.abs(Number(row.share_error))).toBeLessThan(0.01);
    }
  });
});

/** What Xen's C schedulers did, where it lies beside the project. */
const BESIDE = join(import.meta.dirname, '../../../shared/reference/xen-c-schedulers');

describe.skipIf(!existsSync(BESIDE))("runs of Xen's C schedulers", () => {
  const analyzeRun = (name: string, options = {}) => {
    return analyze(join(BESIDE, 'xen-head', `${name}.trace.gz`), { ...only, cpuHz: 1e9, ...options });
  };
  const scenarioOf = (name: string) => {
    const path = join(BESIDE, 'scenarios', `${name}.json`);
    return parseScenario(readFileSync(path, 'utf8'), path);
  };
  const figuresOf = (name: string): { shares: number[]; endNs: number } => {
    const figures = JSON.parse(readFileSync(join(BESIDE, 'xen-head', `${name}.json`), 'utf8'));
    const shares = figures.vcpus.map(({ cpu_share }: { cpu_share: number }) => cpu_share);
    return { shares, endNs: figures.duration_ns };
  };

  test('weights 256 and 512 under credit2: shares of 1/3 and 2/3, as entitled', async () => {
    const name = 'p1_2hogs_w256_512__credit2';
    const { shares, endNs } = figuresOf(name);
    const { rows } = await analyzeRun(name, { endNs });
    for (const [index, row] of rows('fairness').entries()) {
      expect(row).toMatchObject({ weight: 256 * (index + 1), weight_source: 'trace' });
      expect(row.share).toBeCloseTo(shares[index], 4);
      expect(row.share).toBeCloseTo((index + 1) / 3, 3);
      expect(Math.abs(Number(row.share_error))).toBeLessThan(0.001);
    }
  });

  test.each([
    ['p1_cap25_alone__credit', 0.25],
    ['p1_cap25_alone__credit2', 0.25],
    ['p1_cap50_vs_hog__credit', 0.5],
    ['p1_cap50_vs_hog__credit2', 0.5],
  ])('%s: the capped one gets its cap, and is entitled to no more', async (name, cap) => {
    const { shares, endNs } = figuresOf(name);
    const domainParameters = scenarioDomainParameters(scenarioOf(name));
    const { rows } = await analyzeRun(name, { endNs, domainParameters });
    const [capped] = rows('fairness');
    expect(capped).toMatchObject({ dom: 1, cap_percent: cap * 100, cap_source: 'given' });
    expect(capped.share).toBeCloseTo(shares[0], 4);
    expect(Math.abs(Number(capped.entitled_share) - cap)).toBeLessThan(0.005);
    expect(Math.abs(Number(capped.share_error))).toBeLessThan(0.02);
  });

  const runs = readdirSync(BESIDE).includes('xen-head')
    ? readdirSync(join(BESIDE, 'xen-head')).filter((file) => /(credit2|rtds)\.trace\.gz$/.test(file))
    : [];

  test('what traces tell of weights, caps and reservations is what the scenarios gave', async () => {
    const told = { weights: 0, caps: 0, reservations: 0 };
    // Every fifth: they take a second together.
    for (const run of runs.filter((_, index) => index % 5 === 0)) {
      const name = run.slice(0, -'.trace.gz'.length);
      const given = scenarioDomainParameters(scenarioOf(name));
      const { rows } = await analyzeRun(name);
      for (const { dom, weight, weight_source, cap_source } of rows('fairness')) {
        const domain = given.get(Number(dom))!;
        if (weight_source === 'trace') {
          expect(weight, `${name} d${dom}`).toBe(domain.weight ?? 256);
          told.weights++;
        }
        if (!name.endsWith('credit2')) continue;
        expect(cap_source, `${name} d${dom}`).toBe((domain.cap ?? 0) > 0 ? 'hidden' : 'trace');
        told.caps++;
      }
      for (const { dom, vcpu, reservation } of rows('fairness_by_vcpu')) {
        if (reservation === null) continue;
        const domain = given.get(Number(dom))!;
        const { budgetNs, periodNs } = (domain.vcpus?.get(Number(vcpu)) ?? domain).reservation!;
        expect(reservation, `${name} d${dom}v${vcpu}`).toBeCloseTo(budgetNs / periodNs, 12);
        told.reservations++;
      }
    }
    expect(told.weights).toBeGreaterThan(10);
    expect(told.caps).toBeGreaterThan(10);
    expect(told.reservations).toBeGreaterThan(30);
  });

  test('real credit2, which made its domains before the trace began, tells ratios of weights', async () => {
    const real = join(BESIDE, '../../traces/credit2-weights.trace.gz');
    const { rows } = await analyze(real, only);
    expect(rows('fairness').map(({ dom, weight, weight_source }) => [dom, weight, weight_source])).toEqual(
      // dom0 has 256, and the others 128, 256, 512 and 256.
      [
        [0, 128, 'relative'],
        [1, 64, 'relative'],
        [2, 128, 'relative'],
        [3, 256, 'relative'],
        [4, 128, 'relative'],
      ],
    );
  });
});

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}
