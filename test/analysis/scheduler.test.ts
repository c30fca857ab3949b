/**
 * The scheduler pass and the balance of pCPUs, against figures worked out on paper, which docs/metrics.md
 * shows.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { pcpus } from '../../src/analysis/pcpus.ts';
import { runstates } from '../../src/analysis/runstates.ts';
import { scheduler } from '../../src/analysis/scheduler.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { type Analyzed, analyze, type Row } from './analyze-bytes.ts';

const IDLE = 32767;
const NO_SLICE = 0xffffffff;
const at = (us: number) => 1_000_000 + us * 1_000;
const options = { analyses: [pcpus, scheduler], endNs: 2_000_000 };

/** What a switch makes besides SCHEDULE, a microsecond each; vCPUs are [dom, vcpu]. */
function switchTo(
  trace: TraceBuilder,
  us: number,
  [prevDom, prev]: readonly [number, number],
  [nextDom, next]: readonly [number, number],
  to: 'runnable' | 'blocked' | 'offline',
  sliceNs = NO_SLICE,
): TraceBuilder {
  return trace
    .record(0x2800e, at(us), [prevDom, prev, 0])
    .record(0x2800f, at(us + 1), [nextDom, next, 0, sliceNs])
    .record(0x2800a, at(us + 2), [prevDom, prev, nextDom, next])
    .runstate(at(us + 3), prevDom, prev, 'running', to)
    .runstate(at(us + 4), nextDom, next, 'runnable', 'running');
}

/** credit's SCHEDULE. */
const schedule = (trace: TraceBuilder, us: number, pcpu: number) => trace.record(0x22009, at(us), [pcpu]);

/** A call that changes nothing. */
function goOn(trace: TraceBuilder, us: number, dom: number, vcpu: number, sliceNs: number): TraceBuilder {
  return trace
    .record(0x28011, at(us), [dom, vcpu, 0, sliceNs])
    .record(0x21002, at(us + 1), [vcpuWord(dom, vcpu)]);
}

/**
 * The trace of docs/metrics.md: pCPU 0 is d1v0's until d3v0 takes it; d2v0 wakes to idle pCPU 1, which later
 * steals d1v0.
 */
function workedExample(): Uint8Array {
  const trace = new TraceBuilder().window(0);
  goOn(schedule(trace, 0, 0), 3, 1, 0, 10_000_000);
  trace
    .runstate(at(100), 2, 0, 'blocked', 'runnable')
    .record(0x22007, at(101), [2, 0])
    .record(0x22006, at(102), [1]);
  trace.record(0x22006, at(500), [0]);
  schedule(trace, 502, 0).record(0x2200a, at(503), [vcpuWord(1, 0), 402_000]);
  goOn(trace, 506, 1, 0, 600_000);
  switchTo(schedule(trace, 1_110, 0), 1_115, [1, 0], [3, 0], 'runnable', 30_000_000);
  trace.window(1);
  switchTo(schedule(trace, 112, 1), 120, [IDLE, 1], [2, 0], 'runnable', 30_000_000);
  trace.record(0x22008, at(300), [2, 0]);
  trace.record(0x28006, at(800), [2, 0]);
  switchTo(schedule(trace, 801, 1), 803, [2, 0], [IDLE, 1], 'blocked');
  schedule(trace, 1_200, 1).record(0x2200b, at(1_201), [0, 1]).record(0x22004, at(1_202), [0, 1, 0]);
  switchTo(trace, 1_206, [IDLE, 1], [1, 0], 'runnable', 30_000_000);
  return trace.bytes();
}

const counts = ({ rows }: Analyzed) => {
  return Object.fromEntries(rows('scheduler').map(({ event, count }) => [event, count]));
};

describe('the worked example of docs/metrics.md', () => {
  let found: Analyzed;
  beforeAll(async () => {
    found = await analyze(workedExample(), options);
  });

  test('calls by cause, and what they changed', () => {
    expect(counts(found)).toMatchObject({
      schedule_calls: 6,
      calls_block: 1,
      calls_yield: 0,
      calls_sleep: 0,
      calls_tickle: 2,
      calls_slice: 1,
      calls_other: 1,
      calls_unknown: 1,
      continuations: 2,
      switches: 4,
      switches_blocked: 1,
      switches_preempted: 1,
      switches_from_idle: 2,
      switches_to_idle: 1,
    });
  });

  test('tickles, migrations, and what credit has besides', () => {
    expect(counts(found)).toMatchObject({
      tickles_sent: 2,
      tickles_received: 2,
      tickles_answered: 2,
      tickles_useless: 1,
      migrations: 1,
      migrations_stolen: 1,
      migrations_other: 0,
      steals: 1,
      steal_checks: 1,
      boosts: 1,
      boosts_ended: 1,
      ratelimits: 1,
      accounting_starts: 0,
    });
    const [p0, p1] = found.rows('scheduler_by_pcpu');
    expect(p0).toMatchObject({
      pcpu: 0,
      schedule_calls: 3,
      tickles_sent: 2,
      tickles_received: 1,
      migrations: 0,
    });
    expect(p1).toMatchObject({
      pcpu: 1,
      schedule_calls: 3,
      tickles_sent: 0,
      tickles_received: 1,
      migrations: 1,
    });
    expect([p0.tickles_useless, p1.tickles_useless, p1.boosted_ns]).toEqual([1, 0, 199_000]);
    expect(p0.schedule_calls_per_s).toBe(1_500);
  });

  test('what other schedulers would have done has no row and no number, rather than 0', () => {
    const events = counts(found);
    for (const event of ['credit_resets', 'replenishments', 'depletions', 'migrations_shared', 'assignments'])
      expect(events).not.toHaveProperty(event);
    expect(found.rows('scheduler_by_pcpu')[0]).toMatchObject({ credit_resets: null, replenishments: null });
    expect(found.rows('scheduler_by_pcpu')[0]).toMatchObject({ calls_wake: null });
  });

  test('rates and ratios', () => {
    expect(found.rows('scheduler_summary')).toMatchObject([
      {
        schedulers: 'credit',
        schedule_calls_per_s: 3_000,
        switches_per_s: 2_000,
        continued_ratio: 2 / 6,
        preempted_ratio: 1 / 2,
        migrations_per_s: 500,
        useless_tickle_ratio: 1 / 2,
        boosted_ns: 199_000,
        unknown_cause_ratio: 1 / 6,
      },
    ]);
  });

  test('what a decision costs', () => {
    expect(found.rows('decision_cost')).toMatchObject([
      // 112 to 122, 801 to 805, 1,110 to 1,117 and 1,200 to 1,208 us.
      { step: 'schedule_to_switch', count: 4, cost_ns_mean: 7_250, cost_ns_p50: 7_000, cost_ns_max: 10_000 },
      // 0 to 3 and 502 to 506 us.
      { step: 'schedule_to_continue', count: 2, cost_ns_mean: 3_500, cost_max_start_ns: 502_000 },
      { step: 'tickle_to_schedule_own', count: 1, cost_ns_max: 2_000, cost_max_start_ns: 500_000 },
      { step: 'tickle_to_schedule', count: 1, cost_ns_max: 10_000, cost_max_start_ns: 102_000 },
    ]);
  });

  test('balance of the pCPUs', () => {
    // pCPU 1 idles from 0 to 123 and from 807 to 1,209 us; d2v0 waits from 100 to 124 us, d1v0 from 1,118 to
    // 1,210 us. That pCPU 1 idled at first and that d3v0 waited shows only when they stop: what is told at
    // once leaves it out.
    expect(found.rows('pcpus')).toMatchObject([
      { pcpu: 0, busy_ns: 2_000_000 - 1_000, waited_ns: 0 },
      { pcpu: 1, idle_ns: 123_000 + 402_000, waited_ns: 24_000 + 92_000 },
    ]);
    expect(found.rows('balance')).toMatchObject([
      {
        pcpus: 2,
        idle_while_waiting_ns: 91_000,
        lost_ns: 91_000,
        waiting_max: 1,
        waiting_mean: 0.058,
      },
    ]);
  });
});

describe('causes of calls', () => {
  const count = async (trace: TraceBuilder) => counts(await analyze(trace.bytes(), options));

  test('a yield, a pause from another pCPU, and a wake-up where nobody tickles (null)', async () => {
    const trace = new TraceBuilder().window(0);
    const ask = (us: number, pcpu: number) => trace.record(0x22a05, at(us), [pcpu * 0x10000, 0]);
    switchTo(ask(0, 0), 1, [IDLE, 0], [1, 0], 'runnable');
    trace.record(0x28005, at(10), [1, 0]);
    goOn(ask(11, 0), 12, 1, 0, NO_SLICE);
    switchTo(ask(101, 0), 102, [1, 0], [IDLE, 0], 'offline');
    switchTo(ask(202, 0), 203, [IDLE, 0], [1, 0], 'runnable');
    goOn(ask(300, 0), 301, 1, 0, NO_SLICE);
    trace.window(1).record(0x28003, at(100), [1, 0]);
    trace.runstate(at(200), 1, 0, 'offline', 'runnable');
    expect(await count(trace)).toMatchObject({
      schedule_calls: 5,
      calls_unknown: 1,
      calls_yield: 1,
      calls_sleep: 1,
      calls_wake: 1,
      calls_other: 1,
      switches_offline: 1,
    });
  });

  test('what a switch itself tells, where the event mask leaves out all but runstates', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), IDLE, 0, 'running', 'runnable')
      .runstate(at(1), 1, 0, 'runnable', 'running')
      .runstate(at(50), 1, 0, 'running', 'blocked')
      .runstate(at(51), 2, 0, 'runnable', 'running')
      .record(0x21002, at(90), [vcpuWord(2, 0)]);
    const events = await count(trace);
    expect(events).toMatchObject({ schedule_calls: 3, calls_block: 1, calls_unknown: 2, switches: 2 });
    expect(events).toMatchObject({ continuations: 1, migrations: 0, switches_blocked: 1 });
    for (const event of ['calls_tickle', 'calls_other', 'calls_slice', 'switches_yielded', 'tickles_sent'])
      expect(events).not.toHaveProperty(event);
  });

  test('after lost records the cause is unknown, and no cost is measured across them', async () => {
    const trace = new TraceBuilder().window(0);
    goOn(schedule(trace, 0, 0), 2, 1, 0, NO_SLICE);
    schedule(trace, 10, 0).lost(at(30), { count: 4, firstTsc: at(11) });
    goOn(schedule(trace, 40, 0), 42, 1, 0, NO_SLICE);
    goOn(schedule(trace, 50, 0), 52, 1, 0, NO_SLICE);
    const found = await analyze(trace.bytes(), options);
    expect(counts(found)).toMatchObject({ schedule_calls: 4, continuations: 3, calls_unknown: 2 });
    expect(found.rows('decision_cost')).toMatchObject([{ step: 'schedule_to_continue', count: 3 }]);
  });

  test('records of an older Xen: no SCHEDULE, runstates before SWITCH, tickles without a time', async () => {
    const trace = new TraceBuilder().window(0).untimed(0x22006 + 0, [0]);
    trace
      .record(0x2800e, at(0), [IDLE, 5])
      .record(0x2800f, at(1), [1, 5, 30_000_000])
      .runstate(at(2), IDLE, 0, 'running', 'runnable')
      .runstate(at(3), 1, 0, 'runnable', 'running')
      .record(0x2800a, at(4), [IDLE, 0, 1, 0])
      .record(0x21002, at(9), [vcpuWord(1, 0)]);
    const found = await analyze(trace.bytes(), options);
    expect(counts(found)).toMatchObject({
      schedule_calls: 2,
      switches: 1,
      continuations: 1,
      calls_tickle: 1,
    });
    expect(counts(found)).not.toHaveProperty('boosts');
    expect(found.rows('decision_cost')).toEqual([]);
  });
});

describe('what cannot be told is not', () => {
  test('where whole cores are scheduled: SCHEDULE on one pCPU, the switches of both on another', async () => {
    const trace = new TraceBuilder().window(0);
    schedule(trace, 0, 0);
    trace.window(1);
    switchTo(trace, 2, [IDLE, 0], [1, 0], 'runnable');
    trace.runstate(at(7), IDLE, 1, 'running', 'runnable').runstate(at(8), 1, 1, 'runnable', 'running');
    const found = await analyze(trace.runstate(at(99), 1, 1, 'running', 'blocked').bytes(), options);
    expect(counts(found)).toMatchObject({ schedule_calls: 1, switches: 1 });
    for (const event of ['calls_unknown', 'switches_blocked', 'migrations', 'tickles_useless'])
      expect(counts(found)).not.toHaveProperty(event);
    expect(found.rows('decision_cost')).toEqual([]);
    expect(found.rows('scheduler_series').map(({ measure }) => measure)).not.toContain('schedule_calls');
  });

  test('where other pCPUs are left out: a call may be due to a tickle that they made', async () => {
    const trace = new TraceBuilder().window(1);
    for (const us of [0, 100]) goOn(schedule(trace, us, 1), us + 1, 1, 0, NO_SLICE);
    const events = counts(await analyze(trace.bytes(), options));
    expect(events).toMatchObject({ schedule_calls: 2, calls_unknown: 2 });
    expect(events).not.toHaveProperty('calls_other');
  });
});

describe('the scheduler over time', () => {
  const of = (rows: readonly Row[], measure: string) => rows.filter((row) => row.measure === measure);

  test('credit, budget and load of each window, by their own numbers', async () => {
    const burn = (credit: number, budget: number) => [vcpuWord(3, 0), credit, budget, 0];
    const trace = new TraceBuilder()
      .window(0)
      .record(0x22215, at(0), [0, 0])
      .record(0x22203, at(10), burn(9_000, 500))
      .record(0x22203, at(20), burn(-1_000, -7))
      .record(0x22207, at(21), [vcpuWord(3, 0), -1_000, 11_000])
      .record(0x22203, at(1_010), burn(4_000, -0x80000000))
      .record(0x2220c, at(1_020), [...u64(3 << 18), ...u64(0), 0x0001_0002 + (18 << 24), 0]);
    const { rows } = await analyze(trace.bytes(), { ...options, windowNs: 1_000_000 });
    const series = rows('scheduler_series');
    const empty = { pcpu: null, runqueue: null, window_ns: 1_000_000 };
    expect(of(series, 'credit')).toMatchObject([
      { ...empty, dom: 3, window_start_ns: 0, min: -1_000, mean: 4_500, max: 11_000, last: 11_000, count: 4 },
      { ...empty, dom: 3, window_start_ns: 1_000_000, min: 4_000, mean: 4_000, last: 4_000, count: 1 },
    ]);
    expect(of(series, 'budget_ns')).toMatchObject([{ dom: 3, min: -7, mean: 246.5, max: 500, count: 2 }]);
    expect(of(series, 'runqueue_load')).toMatchObject([{ dom: null, runqueue: 1, mean: 3, last: 3 }]);
    expect(of(series, 'runqueue_vcpus')).toMatchObject([{ runqueue: 1, last: 2 }]);
    expect(counts({ rows } as Analyzed)).toMatchObject({ credit_resets: 1, depletions: 1 });
  });

  test('run queue lengths: their integral over all windows is the waiting time', async () => {
    const found = await analyze(workedExample(), { ...options, windowNs: 300_000 });
    const waiting = of(found.rows('scheduler_series'), 'waiting');
    const host = waiting.filter(({ pcpu }) => pcpu === null);
    // d2v0 waits for 24 us in the first window, d1v0 from 1,118 to 1,210 us.
    expect(host.map(({ mean }) => mean)).toEqual([0.08, 0, 0, 0.273, 0.033, 0, 0]);
    expect(host.map(({ max }) => max)).toEqual([1, 0, 0, 1, 1, 0, 0]);
    expect(waiting.filter(({ pcpu }) => pcpu === 0).map(({ window_start_ns }) => window_start_ns)).toEqual([
      900_000, 1_200_000,
    ]);
  });

  test('calls and switches add up to those of the whole', async () => {
    const found = await analyze(workedExample(), { ...options, windowNs: 300_000 });
    const sum = (measure: string) =>
      of(found.rows('scheduler_series'), measure).reduce((total, row) => total + Number(row.count), 0);
    expect([sum('schedule_calls'), sum('switches')]).toEqual([6, 4]);
  });
});

test('a switch by the last record counts for the scheduler, the pCPU and the vCPU alike', async () => {
  const trace = new TraceBuilder().window(0);
  switchTo(schedule(trace, 0, 0), 1, [IDLE, 0], [1, 0], 'runnable');
  switchTo(schedule(trace, 100, 0), 101, [1, 0], [2, 0], 'runnable');
  const { rows } = await analyze(trace.bytes(), { analyses: [pcpus, scheduler, runstates] });
  expect(rows('scheduler_by_pcpu')[0]).toMatchObject({ switches: 2 });
  expect(rows('pcpus')[0]).toMatchObject({ switches: 2 });
  expect(rows('runstates')).toMatchObject([
    { dom: 1, switches_in: 1 },
    { dom: 2, switches_in: 1 },
  ]);
});

test('with --pcpu, no pCPU idles while a vCPU waits that ran on another', async () => {
  const trace = new TraceBuilder()
    .window(0)
    .runstate(0, 1, 0, 'running', 'runnable')
    .runstate(0, 2, 0, 'runnable', 'running')
    .runstate(100, 2, 0, 'running', 'runnable')
    .runstate(100, 1, 0, 'runnable', 'running')
    .window(1)
    .runstate(0, IDLE, 1, 'runnable', 'running')
    .runstate(100, IDLE, 1, 'running', 'runnable');
  const lostNs = async (...of: number[]) => {
    const selection = of.length === 0 ? {} : { pcpus: new Set(of) };
    const { rows } = await analyze(trace.bytes(), { analyses: [pcpus], selection });
    return rows('balance')[0].lost_ns;
  };
  expect(await lostNs()).toBe(100);
  expect(await lostNs(1)).toBe(0);
  expect(await lostNs(0, 1)).toBe(100);
});
