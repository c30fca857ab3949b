/** Waits by vCPU, domain and pCPU, and the longest ones: by hand, by identities, and in numbers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/analysis/index.ts';
import { waits } from '../../src/analysis/waits.ts';
import { WorstWaits, worstWaitsOf } from '../../src/analysis/worst-waits.ts';
import { createWaitBatch, RUNNABLE, RUNNING } from '../../src/timeline/runstate-batch.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { type Analyzed, analyze, type Row } from './analyze-bytes.ts';
import { MS, WAITS_EXAMPLE_OPTIONS, waitsExample } from './waits-example.ts';

const seen = (rows: readonly Row[]) => rows.filter(({ count }) => count !== 0);
const figures = (rows: readonly Row[], ...names: string[]) =>
  seen(rows).map((row) => names.map((name) => row[name]));

describe('the example of docs/metrics.md', () => {
  test('waits by vCPU', async () => {
    const { rows } = await analyze(waitsExample(), WAITS_EXAMPLE_OPTIONS);
    expect(figures(rows('waits'), 'dom', 'cause', 'count', 'wait_ns_total', 'throttled_ns')).toEqual([
      [1, 'preempt', 1, 6 * MS, 0],
      [2, 'wake', 1, 2 * MS, 0],
      [2, 'preempt', 1, 6 * MS, 4 * MS],
      [3, 'preempt', 1, 2 * MS, 0],
    ]);
  });

  test('waits by the pCPU that ended them, with both kinds of percentile', async () => {
    const { rows } = await analyze(waitsExample(), WAITS_EXAMPLE_OPTIONS);
    const names = ['pcpu', 'cause', 'count', 'wait_ns_p50', 'wait_ns_tw_p50', 'wait_max_start_ns'];
    expect(figures(rows('waits_by_pcpu'), ...names)).toEqual([
      [0, 'wake', 1, 2 * MS, 2 * MS, 2 * MS],
      [0, 'preempt', 1, 6 * MS, 6 * MS, 4 * MS],
      [1, 'preempt', 2, 2 * MS, 6 * MS, 10 * MS],
    ]);
    expect(rows('waits_by_pcpu').map(({ coverage }) => coverage)).toEqual(Array(6).fill(1));
  });

  test('the longest waits: who ran meanwhile, and how long; of equals the one that ended first', async () => {
    const { rows } = await analyze(waitsExample(), WAITS_EXAMPLE_OPTIONS);
    const common = { vcpu: 0, ran_vcpu: 0 };
    const first = {
      rank: 1,
      dom: 1,
      cause: 'preempt',
      wait_ns: 6 * MS,
      start_ns: 4 * MS,
      end_ns: 10 * MS,
      from_pcpu: 0,
      to_pcpu: 0,
      ran: 'd2v0',
      ran_dom: 2,
      ran_ns: 6 * MS,
      throttled_ns: 0,
    };
    expect(rows('worst_waits')).toEqual([
      { ...common, ...first },
      {
        ...common,
        ...first,
        rank: 2,
        dom: 2,
        start_ns: 10 * MS,
        end_ns: 16 * MS,
        to_pcpu: 1,
        ran: 'd3v0',
        ran_dom: 3,
        throttled_ns: 4 * MS,
      },
      {
        ...common,
        ...first,
        rank: 3,
        dom: 2,
        cause: 'wake',
        wait_ns: 2 * MS,
        start_ns: 2 * MS,
        end_ns: 4 * MS,
        from_pcpu: null,
        ran: 'd1v0',
        ran_dom: 1,
        ran_ns: 2 * MS,
      },
      {
        ...common,
        ...first,
        rank: 4,
        dom: 3,
        wait_ns: 2 * MS,
        start_ns: 16 * MS,
        end_ns: 18 * MS,
        from_pcpu: 1,
        to_pcpu: 1,
        ran_ns: 2 * MS,
      },
    ]);
  });
});

test('a wait on an unknown pCPU is told apart: under core scheduling a place may not be known', async () => {
  // pCPU 1's idle vCPU switches on pCPU 0: whole cores are scheduled, and d1v0's place is a guess no more.
  const bytes = new TraceBuilder()
    .window(0)
    .runstate(1000, 1, 0, 'blocked', 'runnable')
    .runstate(1010, 32767, 1, 'running', 'runnable')
    .runstate(1500, 32767, 0, 'runnable', 'running')
    .runstate(2000, 1, 0, 'runnable', 'running')
    .bytes();
  const { rows } = await analyze(bytes);
  expect(figures(rows('waits_by_pcpu'), 'pcpu', 'cause', 'wait_ns_total')).toEqual([[null, 'wake', 1000]]);
  expect(rows('worst_waits')).toMatchObject([{ from_pcpu: null, to_pcpu: null, ran: null, ran_ns: null }]);
});

describe('the longest waits', () => {
  /** A batch with a wait of each length, of vCPUs d1v0, d1v1, ... */
  function batchOf(lengths: readonly number[]) {
    const batch = createWaitBatch(lengths.length);
    for (const [row, ns] of lengths.entries()) {
      batch.dom[row] = 1;
      batch.vcpu[row] = row;
      batch.startNs[row] = 100;
      batch.endNs[row] = 100 + ns;
    }
    batch.count = lengths.length;
    return batch;
  }

  function longest(lengths: readonly number[], countMax?: number) {
    const worst = new WorstWaits(countMax);
    const batch = batchOf(lengths);
    for (const [row, ns] of lengths.entries()) if (ns > worst.floorNs) worst.add(batch, row);
    return worstWaitsOf(worst.table()).map(({ vcpu, startNs, endNs }) => [vcpu, endNs - startNs]);
  }

  test('are those of a stable sort', () => {
    const lengths = Array.from({ length: 500 }, (_, index) => (index * 7919) % 97);
    const sorted = lengths.map((ns, vcpu) => [vcpu, ns]).sort((a, b) => b[1] - a[1]);
    for (const count of [1, 7, 100, 500, 600])
      expect(longest(lengths, count)).toEqual(sorted.slice(0, count));
    expect(longest(lengths)).toEqual(sorted.slice(0, 10));
    expect(longest(lengths, 0)).toEqual([]);
    expect(longest([0, 0])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});

describe('sums hold together', () => {
  /** Time runnable, by Xen's records, in intervals whose beginning was seen and that ended by running. */
  function runnableThenRunning(): { pass: Analysis; totals: Map<number, number> } {
    const open = new Map<number, { seen: boolean; ended: boolean; ns: number }>();
    const totals = new Map<number, number>();
    const add = (key: number, ns: number) => totals.set(key, (totals.get(key) ?? 0) + ns);
    const pass: Analysis = {
      name: 'runnable-then-running',
      title: '',
      doc: '',
      create: () => ({
        listener: {
          onRunstates(batch) {
            for (let row = 0; row < batch.count; row++) {
              const key = batch.dom[row] * 0x10000 + batch.vcpu[row];
              if (batch.xenState[row] === RUNNABLE) {
                const own = open.get(key) ?? { seen: (batch.complete[row] & 1) === 1, ended: false, ns: 0 };
                own.ns += batch.endNs[row] - batch.startNs[row];
                own.ended = (batch.complete[row] & 2) === 2;
                open.set(key, own);
                continue;
              }
              const own = open.get(key);
              open.delete(key);
              if (own?.seen && own.ended && batch.xenState[row] === RUNNING) add(key, own.ns);
            }
          },
        },
        finish: () => {
          // An interval without length at the end of the trace is not told: what is left over ended by running.
          for (const [key, { seen, ended, ns }] of open) if (seen && ended) add(key, ns);
          return [];
        },
      }),
    };
    return { pass, totals };
  }

  const sumBy = (rows: readonly Row[], key: (row: Row) => unknown, column: string) => {
    const sums = new Map<unknown, number>();
    for (const row of rows) sums.set(key(row), (sums.get(key(row)) ?? 0) + Number(row[column]));
    return sums;
  };

  function expectIdentities({ rows }: Analyzed, runnable: ReadonlyMap<number, number>): void {
    const byVcpu = sumBy(
      rows('waits'),
      ({ dom, vcpu }) => Number(dom) * 0x10000 + Number(vcpu),
      'wait_ns_total',
    );
    for (const [key, ns] of byVcpu) expect(ns, String(key)).toBe(runnable.get(Number(key)) ?? 0);
    for (const column of ['count', 'wait_ns_total', 'throttled_ns']) {
      const byCause = sumBy(rows('waits'), ({ cause }) => cause, column);
      expect(sumBy(rows('waits_by_domain'), ({ cause }) => cause, column)).toEqual(byCause);
      const onPcpus = sumBy(rows('waits_by_pcpu'), ({ cause }) => cause, column);
      for (const [cause, sum] of byCause) expect(onPcpus.get(cause) ?? 0).toBe(sum);
      expect([...byCause.values()].some((sum) => sum > 0) || column === 'throttled_ns').toBe(true);
    }
    const longest = Math.max(...rows('waits').map(({ wait_ns_max }) => Number(wait_ns_max)));
    expect(rows('worst_waits')[0].wait_ns).toBe(longest);
  }

  const SAMPLES = join(import.meta.dirname, '../../samples/traces');

  test('over causes, domains and pCPUs, and are the runnable time of completed waits', async () => {
    const { pass, totals } = runnableThenRunning();
    const trace = readFileSync(join(SAMPLES, 'credit-caps.trace'));
    expectIdentities(await analyze(trace, { analyses: [waits, pass] }), totals);
    expect(totals.size).toBeGreaterThan(4);
  });

  test('in the example too, where budget divides a wait', async () => {
    const { pass, totals } = runnableThenRunning();
    expectIdentities(
      await analyze(waitsExample(), { ...WAITS_EXAMPLE_OPTIONS, analyses: [waits, pass] }),
      totals,
    );
    expect(totals.get(0x20000)).toBe(8 * MS);
  });
});
