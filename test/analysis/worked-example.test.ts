/** The worked example of docs/metrics.md, word by word. */
import { describe, expect, test } from 'vitest';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { analyze } from './analyze-bytes.ts';

const MS = 1_000_000;

/**
 *          0    1    2    3    4    5    6    7    8    9    10   11   12 ms
 *     d1v0 RRRRRRRRRRRRRRRrrrrrRRRRRRRRRRRRRRRRRRRRRRRRRrrrrrrrrrrRRRRR     a hog
 *     d2v0 ..........rrrrrRRRRR..........rrrrrrrrrrrrrrrRRRRRRRRRR.....     two jobs, deadline 4 ms after release
 */
function workedExample(): Uint8Array {
  const at = (ms: number) => 1000 + ms * MS;
  const release = (job: number) => [vcpuWord(2, 0), 0, job, ...u64(4 * MS), ...u64(0)];
  const task = (job: number) => [vcpuWord(2, 0), 0, job];
  return new TraceBuilder()
    .window(0)
    .runstate(at(0), 1, 0, 'runnable', 'running')
    .record(0x24001, at(2), release(0))
    .runstate(at(2), 2, 0, 'blocked', 'runnable')
    .runstate(at(3), 1, 0, 'running', 'runnable')
    .runstate(at(3), 2, 0, 'runnable', 'running')
    .record(0x24002, at(3), task(0))
    .record(0x24003, at(4), task(0))
    .runstate(at(4), 2, 0, 'running', 'blocked')
    .runstate(at(4), 1, 0, 'runnable', 'running')
    .record(0x24001, at(6), release(1))
    .runstate(at(6), 2, 0, 'blocked', 'runnable')
    .runstate(at(9), 1, 0, 'running', 'runnable')
    .runstate(at(9), 2, 0, 'runnable', 'running')
    .record(0x24002, at(9), task(1))
    .record(0x28005, at(10), [2, 0])
    .record(0x24003, at(11), task(1))
    .runstate(at(11), 2, 0, 'running', 'blocked')
    .runstate(at(11), 1, 0, 'runnable', 'running')
    .bytes();
}

const options = { endNs: 12 * MS, windowNs: 4 * MS };

describe('the worked example', () => {
  test('waits', async () => {
    const { rows } = await analyze(workedExample(), options);
    expect(rows('waits').filter(({ count }) => count !== 0)).toEqual([
      {
        dom: 1,
        vcpu: 0,
        cause: 'preempt',
        count: 2,
        wait_ns_mean: 1.5 * MS,
        wait_ns_p50: 1 * MS,
        wait_ns_p95: 2 * MS,
        wait_ns_p99: 2 * MS,
        wait_ns_p999: null,
        wait_ns_p9999: null,
        wait_ns_tw_p50: 2 * MS,
        wait_ns_tw_p95: 2 * MS,
        wait_ns_tw_p99: 2 * MS,
        wait_ns_tw_p999: null,
        wait_ns_tw_p9999: null,
        wait_ns_max: 2 * MS,
        wait_max_start_ns: 9 * MS,
        wait_ns_error: 0,
        wait_ns_total: 3 * MS,
        throttled_ns: 0,
        coverage: 1,
      },
      {
        dom: 2,
        vcpu: 0,
        cause: 'wake',
        count: 2,
        wait_ns_mean: 2 * MS,
        wait_ns_p50: 1 * MS,
        wait_ns_p95: 3 * MS,
        wait_ns_p99: 3 * MS,
        wait_ns_p999: null,
        wait_ns_p9999: null,
        wait_ns_tw_p50: 3 * MS,
        wait_ns_tw_p95: 3 * MS,
        wait_ns_tw_p99: 3 * MS,
        wait_ns_tw_p999: null,
        wait_ns_tw_p9999: null,
        wait_ns_max: 3 * MS,
        wait_max_start_ns: 6 * MS,
        wait_ns_error: 0,
        wait_ns_total: 4 * MS,
        throttled_ns: 0,
        coverage: 1,
      },
    ]);
    expect(rows('waits')).toHaveLength(6);
  });

  test('blame: each waited for the other, by turns', async () => {
    const { rows } = await analyze(workedExample(), options);
    expect(rows('blame')).toMatchObject([
      {
        dom: 1,
        vcpu: 0,
        waits: 2,
        wait_ns_total: 3 * MS,
        turn_ns: 3 * MS,
        top_culprit: 'd2v0',
        top_share: 1,
      },
      {
        dom: 2,
        vcpu: 0,
        waits: 2,
        wait_ns_total: 4 * MS,
        turn_ns: 4 * MS,
        top_culprit: 'd1v0',
        top_share: 1,
      },
    ]);
    expect(rows('antagonists')).toMatchObject([
      { dom: 1, culprit_dom: 2, culprit_vcpu: 0, blamed_ns: 3 * MS, share: 1, returned_ns: 4 * MS },
      { dom: 2, culprit_dom: 1, culprit_vcpu: 0, blamed_ns: 4 * MS, share: 1, returned_ns: 3 * MS },
    ]);
    expect(rows('mutual_antagonists')).toEqual([
      {
        dom: 1,
        vcpu: 0,
        other_dom: 2,
        other_vcpu: 0,
        mutual_ns: 6 * MS,
        for_other_ns: 3 * MS,
        for_first_ns: 4 * MS,
      },
    ]);
  });

  test('runstates', async () => {
    const { rows } = await analyze(workedExample(), options);
    expect(rows('runstates')).toMatchObject([
      {
        dom: 1,
        pcpu_share: 0.75,
        running_ns: 9 * MS,
        runnable_ns: 3 * MS,
        blocked_ns: 0,
        switches_in: 3,
        preemptions: 2,
        blocks: 0,
        wakes: 0,
        coverage: 1,
      },
      {
        dom: 2,
        pcpu_share: 0.25,
        running_ns: 3 * MS,
        runnable_ns: 4 * MS,
        blocked_ns: 5 * MS,
        switches_in: 2,
        preemptions: 0,
        blocks: 2,
        wakes: 2,
        yields: 1,
        coverage: 1,
      },
    ]);
    expect(rows('pcpus')).toEqual([
      {
        pcpu: 0,
        utilisation: 1,
        busy_ns: 12 * MS,
        idle_ns: 0,
        unknown_ns: 0,
        waited_ns: 7 * MS,
        switches: 5,
        coverage: 1,
      },
    ]);
  });

  test('fairness: what blocks got all it wanted; the hog got the rest, and could have used more', async () => {
    const { rows } = await analyze(workedExample(), options);
    const domains = rows('fairness').map(({ dom, run_ns, demand_ns, entitlement_ns, share_error }) => {
      return [dom, Number(run_ns) / MS, Number(demand_ns) / MS, Number(entitlement_ns) / MS, share_error];
    });
    expect(domains).toEqual([
      [1, 9, 12, 9, 0],
      [2, 3, 3, 3, 0],
    ]);
    const [{ jain, ...summary }] = rows('fairness_summary');
    expect(jain).toBeCloseTo(0.8, 12);
    expect(summary).toMatchObject({ domains: 2, jain_entitled: 1, coverage: 1 });
    const [ofFourMs] = rows('fairness_windows');
    expect(ofFourMs).toMatchObject({
      window_ns: 4 * MS,
      windows: 3,
      judged_share: 1,
      jain_worst: 0.5,
      jain_worst_start_ns: 4 * MS,
      jain_entitled_worst: 0.5,
      jain_entitled_worst_start_ns: 4 * MS,
      starved_windows: 1,
      shortfall_ns_worst: 2 * MS,
      shortfall_worst_dom: 2,
    });
  });

  test('lag: at 10 ms d2 ran 2 ms of the 3 that the fluid schedule had served it, and d1 had the other', async () => {
    const { rows } = await analyze(workedExample(), options);
    expect(rows('fairness')).toMatchObject([
      { dom: 1, lag_ns_max: 0, lag_ns_min: -1 * MS, lag_min_at_ns: 10 * MS },
      { dom: 2, lag_ns_max: 1 * MS, lag_max_at_ns: 10 * MS, lag_ns_min: 0 },
    ]);
  });

  test('fairness with weights and caps: a cap limits what one is entitled to', async () => {
    const domainParameters = new Map([
      [1, { weight: 512, cap: 50 }],
      [2, { weight: 128 }],
    ]);
    const { rows } = await analyze(workedExample(), { ...options, domainParameters });
    expect(rows('fairness')).toMatchObject([
      {
        dom: 1,
        weight: 512,
        weight_source: 'given',
        cap_percent: 50,
        entitlement_ns: 6 * MS,
        share_error: 0.5,
      },
      {
        dom: 2,
        weight: 128,
        weight_source: 'given',
        cap_percent: null,
        entitlement_ns: 3 * MS,
        share_error: 0,
      },
    ]);
  });

  test('deadlines', async () => {
    const { rows } = await analyze(workedExample(), options);
    expect(rows('deadlines')).toEqual([
      {
        dom: 2,
        vcpu: 0,
        task: 0,
        released: 2,
        completed: 2,
        missed: 1,
        missed_unfinished: 0,
        unjudged: 0,
        miss_ratio: 0.5,
        misses_in_row_max: 1,
        misses_in_row_release_ns: 6 * MS,
        misses_in_10_max: 1,
        response_ns_mean: 3.5 * MS,
        response_ns_p50: 2 * MS,
        response_ns_p95: 5 * MS,
        response_ns_p99: 5 * MS,
        response_ns_p999: null,
        response_ns_p9999: null,
        response_ns_max: 5 * MS,
        response_max_release_ns: 6 * MS,
        response_ns_error: 0,
        tardiness_ns_mean: 0.5 * MS,
        tardiness_ns_p50: 0,
        tardiness_ns_p95: 1 * MS,
        tardiness_ns_p99: 1 * MS,
        tardiness_ns_p999: null,
        tardiness_ns_p9999: null,
        tardiness_ns_max: 1 * MS,
        tardiness_max_release_ns: 6 * MS,
        tardiness_ns_error: 0,
        lateness_ns_mean: -0.5 * MS,
        lateness_ns_min: -2 * MS,
        lateness_ns_max: 1 * MS,
        laxity_mean: 0.125,
        laxity_min: -0.25,
        coverage: 1,
      },
    ]);
    expect(rows('job_timing')).toMatchObject([
      {
        dom: 2,
        vcpu: 0,
        task: 0,
        released: 2,
        release_interval_ns_mean: 4 * MS,
        release_interval_ns_min: 4 * MS,
        release_interval_ns_max: 4 * MS,
        release_jitter_ns: 0,
        start_latency_ns_mean: 2 * MS,
        start_latency_ns_max: 3 * MS,
        start_latency_max_release_ns: 6 * MS,
        start_jitter_ns: 2 * MS,
        start_jitter_relative_ns: 2 * MS,
        finish_jitter_ns: 3 * MS,
        finish_jitter_relative_ns: 3 * MS,
        execution_ns_mean: 1.5 * MS,
        execution_ns_min: 1 * MS,
        execution_ns_max: 2 * MS,
      },
    ]);
  });
});

describe('figures of a trace with lost records', () => {
  test('say how much of the time they rest on, and leave the rest out', async () => {
    const at = (ms: number) => 1000 + ms * MS;
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .lost(at(6), { count: 5, firstTsc: at(2) })
      .runstate(at(8), 1, 0, 'running', 'blocked')
      .bytes();
    const { rows } = await analyze(bytes, { endNs: 10 * MS });
    expect(rows('runstates')).toMatchObject([
      { running_ns: 4 * MS, blocked_ns: 2 * MS, unknown_ns: 4 * MS, coverage: 0.6, switches_in: 1 },
    ]);
    expect(rows('runstates')[0].pcpu_share).toBeCloseTo(4 / 6, 12);
    expect(rows('waits')).toMatchObject([{ coverage: 0.6 }, { coverage: 0.6 }, { coverage: 0.6 }]);
    expect(rows('pcpus')).toMatchObject([{ busy_ns: 4 * MS, idle_ns: 0, unknown_ns: 6 * MS, coverage: 0.4 }]);
  });
});
