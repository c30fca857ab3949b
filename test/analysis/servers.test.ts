/** Servers: a hand-made trace worked out on paper, theorems of EDF, and what Xen's own C code did. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { servers } from '../../src/analysis/servers.ts';
import { type Runstate, TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { analyze, type Row } from './analyze-bytes.ts';

const MS = 1_000_000;
const REPLENISH = 0x22804;
const BURN = 0x22803;
/** Xen's system time here: 2000 days since the host was booted, beyond what a double holds exactly. */
const BOOT = 2000n * 86_400n * 10n ** 9n + 1n;

const at = (ms: number) => 1000 + Math.round(ms * MS);

/** Records of d1v0 under Xen 4.10 or later: a server of 4 ms in 10. */
class ServerTrace {
  readonly builder = new TraceBuilder().window(0);

  replenish(ms: number, deadlineMs: number, budgetMs = 4): this {
    const deadline = BOOT + BigInt(Math.round(deadlineMs * MS));
    this.builder.record(REPLENISH, at(ms), [vcpuWord(1, 0), 0, ...u64(deadline), ...u64(budgetMs * MS)]);
    return this;
  }

  burn(ms: number, budgetMs: number, deltaMs: number, level = 0): this {
    const words = [vcpuWord(1, 0), ...u64(budgetMs * MS), deltaMs * MS, level, level > 0 ? 1 : 0];
    this.builder.record(BURN, at(ms), words);
    return this;
  }

  state(ms: number, from: Runstate, to: Runstate): this {
    this.builder.runstate(at(ms), 1, 0, from, to);
    return this;
  }
}

/**
 *          0         2         6         10        18        20        26        30        34        40 ms
 *     d1v0 rrrrrrrrrrRRRRRRRRRRttttttttttrrrrrrrrrrRRRRRRRRRRRRRRRRRRRRttttttttttRRRRRRRRRR..........r
 *          ^                             ^                   ^                   ^                   ^
 */
function workedExample(): Uint8Array {
  return new ServerTrace()
    .state(-0.0005, 'blocked', 'runnable')
    .replenish(0, 10)
    .state(2, 'runnable', 'running')
    .burn(6, 0, 4)
    .state(6, 'running', 'runnable')
    .replenish(10, 20)
    .state(18, 'runnable', 'running')
    .burn(20, 2, 2)
    .replenish(20, 30)
    .burn(26, 0, 6)
    .state(26, 'running', 'runnable')
    .replenish(30, 40)
    .state(30, 'runnable', 'running')
    .state(34, 'running', 'blocked')
    .state(40, 'blocked', 'runnable')
    .replenish(40, 50)
    .builder.bytes();
}

async function rowsOf(bytes: Uint8Array | string, options = {}): Promise<Row[]> {
  const { rows } = await analyze(bytes, { analyses: [servers], ...options });
  return rows('servers');
}

describe('servers of a hand-made trace', () => {
  test('the worked example of docs/metrics.md: periods served, missed, overrun, and one that it blocks in', async () => {
    // The first record is at -500 ns of the example, so that all is 500 ns later in the trace.
    const [row] = await rowsOf(workedExample(), { endNs: 42 * MS });
    expect(row).toMatchObject({
      dom: 1,
      vcpu: 0,
      period_ns: 10 * MS,
      budget_ns: 4 * MS,
      periods: 4,
      unknown_periods: 0,
      backlogged: 3,
      missed: 1,
      shortfall_ns_max: 2 * MS,
      shortfall_max_start_ns: 10 * MS + 500,
      supply_ns_mean: 4 * MS,
      supply_ns_min: 2 * MS,
      supply_ns_max: 6 * MS,
      supply_ns_total: 16 * MS,
      demand_ns_total: 18 * MS,
      extra_ns_total: 0,
      overruns: 1,
      overrun_ns_max: 2 * MS,
      replenishments: 5,
      depletions: 2,
      gap_ns_max: 12 * MS,
      gap_max_start_ns: 6 * MS + 500,
      gap_bound_ns: 12 * MS,
      coverage: 1,
    });
    expect(row.miss_ratio).toBeCloseTo(1 / 3, 12);
    expect(row.supplied_of_demand).toBeCloseTo(16 / 18, 12);
  });

  test('what runs on a higher priority level is extra time, not the reservation', async () => {
    const trace = new ServerTrace()
      .state(0, 'runnable', 'running')
      .replenish(1, 11)
      .burn(5, 4, 4, 1)
      .burn(9, 4, 4, 2)
      .replenish(11, 21)
      .replenish(21, 31);
    const [row] = await rowsOf(trace.builder.bytes(), { endNs: 31 * MS });
    expect(row).toMatchObject({
      supply_ns_max: 10 * MS,
      supply_ns_total: 14 * MS,
      extra_ns_total: 6 * MS,
      depletions: 1,
      missed: 0,
      backlogged: 2,
    });
  });

  test('a period that woke late or of which records are lost is not judged', async () => {
    const late = new ServerTrace()
      .state(0, 'running', 'blocked')
      .state(7, 'blocked', 'runnable')
      .replenish(7, 10)
      .replenish(10, 20)
      .state(11, 'runnable', 'running')
      .replenish(20, 30);
    expect(await rowsOf(late.builder.bytes(), { endNs: 21 * MS })).toMatchObject([
      { periods: 2, backlogged: 1, missed: 0 },
    ]);
    const lossy = new ServerTrace()
      .state(0, 'runnable', 'running')
      .replenish(0, 10)
      .state(1, 'running', 'runnable')
      .replenish(10, 20);
    lossy.builder.lost(at(15), { count: 3, firstTsc: at(12) });
    lossy.replenish(20, 30).replenish(30, 40);
    expect(await rowsOf(lossy.builder.bytes(), { endNs: 40 * MS })).toMatchObject([
      { periods: 1, unknown_periods: 2, backlogged: 1, missed: 1, supply_ns_total: 1 * MS },
    ]);
  });

  test('a replenishment may be lost though the vCPU runs in sight all the time', async () => {
    const trace = new ServerTrace().replenish(0, 10).replenish(10, 20);
    trace.builder.lost(at(22), { count: 3, firstTsc: at(18) });
    trace
      .replenish(30, 40)
      .replenish(40, 50)
      .builder.window(1)
      .runstate(at(-0.0005), 1, 0, 'runnable', 'running');
    expect(await rowsOf(trace.builder.bytes(), { endNs: 45 * MS })).toMatchObject([
      { periods: 2, unknown_periods: 1, supply_ns_max: 10 * MS, coverage: 1 },
    ]);
  });

  test('differences of deadlines are exact however long the host has been up', async () => {
    const trace = new ServerTrace();
    for (const index of [0, 1, 2, 3]) trace.replenish(index * 10, index * 10.001);
    expect(await rowsOf(trace.builder.bytes())).toMatchObject([{ period_ns: 10_001_000 }]);
  });

  test('the period follows a change of parameters, and sleeping does not make it longer', async () => {
    const trace = new ServerTrace().state(0, 'blocked', 'runnable').state(0, 'runnable', 'running');
    for (const ms of [0, 10, 20]) trace.replenish(ms, ms + 10);
    trace.state(25, 'running', 'blocked').state(61, 'blocked', 'running').replenish(61, 70);
    expect(await rowsOf(trace.builder.bytes(), { endNs: 70 * MS })).toMatchObject([{ period_ns: 10 * MS }]);
    for (const ms of [70, 95, 120]) trace.replenish(ms, ms + 25, 9);
    expect(await rowsOf(trace.builder.bytes(), { endNs: 120 * MS })).toMatchObject([
      { period_ns: 25 * MS, budget_ns: 9 * MS },
    ]);
  });

  test.each([
    ['4.7 to 4.9', [] as string[], vcpuWord(2, 1)],
    ['4.5 and 4.6', [join(import.meta.dirname, '../../formats/older/rtds-4.6.json')], vcpuWord(1, 2)],
  ])('the records of Xen %s have no priority level', async (_, formats, vcpu) => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(at(0), 2, 1, 'runnable', 'running')
      .record(REPLENISH, at(1), [vcpu, ...u64(11 * MS), ...u64(3 * MS)])
      .record(BURN, at(4), [vcpu, ...u64(0), 3 * MS])
      .runstate(at(4), 2, 1, 'running', 'runnable')
      .record(REPLENISH, at(11), [vcpu, ...u64(21 * MS), ...u64(3 * MS)])
      .bytes();
    expect(await rowsOf(bytes, { endNs: 12 * MS, formats })).toMatchObject([
      {
        dom: 2,
        vcpu: 1,
        period_ns: 10 * MS,
        periods: 1,
        supply_ns_total: 3 * MS,
        extra_ns_total: null,
        depletions: 1,
      },
    ]);
  });

  test('without runstate records nothing is said of the supply', async () => {
    const trace = new ServerTrace().replenish(0, 10).replenish(10, 20).replenish(20, 30);
    expect(await rowsOf(trace.builder.bytes(), { endNs: 30 * MS })).toMatchObject([
      { period_ns: 10 * MS, periods: 0, unknown_periods: 2, supply_ns_total: null, gap_ns_max: null },
    ]);
  });
});

const BESIDE = join(import.meta.dirname, '../../../shared/reference/xen-c-schedulers/xen-head');

interface Reference {
  readonly duration_ns: number;
  readonly trace_events: Readonly<Record<string, number>>;
  readonly vcpus: readonly { dom: number; vcpu: number; run_ns: number }[];
}

describe.runIf(existsSync(BESIDE))("servers of Xen's own RTDS", () => {
  async function reference(name: string): Promise<{ rows: Row[]; truth: Reference }> {
    const truth = JSON.parse(readFileSync(join(BESIDE, `${name}__rtds.json`), 'utf8')) as Reference;
    const rows = await rowsOf(join(BESIDE, `${name}__rtds.trace.gz`), {
      cpuHz: 1e9,
      endNs: truth.duration_ns,
    });
    return { rows, truth };
  }

  test.each(['p1_U095', 'p1_extratime_both', 'p1_budget_exceeded_alone_no_extratime', 'p1_hog_duty1ms_9ms'])(
    '%s: EDF on one pCPU misses no deadline where budgets ask for no more than all of it',
    async (name) => {
      const { rows, truth } = await reference(name);
      const load = rows.reduce(
        (sum, { budget_ns, period_ns }) => sum + Number(budget_ns) / Number(period_ns),
        0,
      );
      expect(load).toBeLessThanOrEqual(1);
      const replenishments = rows.reduce((sum, row) => sum + Number(row.replenishments), 0);
      expect(replenishments).toBe(truth.trace_events['0x00022804']);
      for (const row of rows) {
        expect([row.missed, row.overruns]).toEqual([0, 0]);
        if (Number(row.backlogged) > 0) expect(row.gap_ns_max).toBeLessThanOrEqual(Number(row.gap_bound_ns));
        const { run_ns } = truth.vcpus.find(({ dom, vcpu }) => dom === row.dom && vcpu === row.vcpu)!;
        const ranNs = Number(row.supply_ns_total) + Number(row.extra_ns_total);
        // The first and the last period are not complete.
        expect(run_ns - ranNs).toBeGreaterThanOrEqual(-1000);
        expect(run_ns - ranNs).toBeLessThanOrEqual(2 * Number(row.period_ns));
      }
    },
  );

  test('p1_U110: with 110 % asked for, somebody misses; what is missing is the 10 %', async () => {
    const { rows } = await reference('p1_U110');
    expect(rows.map(({ budget_ns }) => budget_ns)).toEqual([5 * MS, 6 * MS, 12 * MS]);
    expect(rows.reduce((sum, { missed }) => sum + Number(missed), 0)).toBeGreaterThan(0);
    const [short] = rows.filter(({ missed }) => Number(missed) > 0);
    // 0.1 of 5 s, all of it out of the budgets of one server in its missed periods.
    const missingNs =
      5 * MS * Number(short.backlogged) - Number(short.supply_ns_mean) * Number(short.backlogged);
    expect(missingNs / 5e9).toBeCloseTo(0.1, 2);
  });

  test("Dhall's effect: two light servers make a heavy one miss 1 ms whenever all are released at once", async () => {
    const { rows } = await reference('p2_dhall_2light_1heavy');
    // Periods of 10 and 11 ms meet every 110 ms; the first period of all is not whole in the trace's eyes.
    const meetings = Math.ceil(5000 / 110);
    expect(rows.map(({ missed }) => missed)).toEqual([0, 0, meetings]);
    expect(Math.abs(Number(rows[2].shortfall_ns_max) - MS)).toBeLessThan(1000);
  });
});
