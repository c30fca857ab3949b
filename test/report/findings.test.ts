import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ResultTable } from '../../src/analysis/index.ts';
import {
  CULPRIT_LEAD_MIN,
  DRIFT_MIN,
  ENTITLED_SHARE_MIN,
  findingsOf,
  KNOWN_MIN,
  LONG_WAIT_NS,
  LOST_MIN,
  SHARE_ERROR_MIN,
  SHARED_NS_MIN,
  SPREAD_MIN,
  WAITED_MIN,
  WAITED_NS_MIN,
  WAITING_MIN,
  WELL_KNOWN_MIN,
} from '../../src/report/findings.ts';
import type { TraceSummary } from '../../src/report/index.ts';
import { DOM_IDLE } from '../../src/timeline/index.ts';
import { summaryOf } from './summary-of.ts';

type Row = Record<string, number | string | null>;

/** A result with the columns that its rows name. */
function result(name: string, ...rows: Row[]): ResultTable {
  const names = [...new Set(rows.flatMap(Object.keys))];
  return {
    name,
    title: name,
    doc: '',
    columns: names.map((column) => ({ name: column, type: 'int', doc: '' })),
    rows: rows.map((row) => names.map((column) => row[column] ?? null)),
  };
}

const event = (className: string) => [{ name: 'A_RECORD', id: 1, className, records: 1 }];
const part = { fromNs: 0, endNs: 2e9, vcpus: null, pcpus: null };
/** Two seconds of a host under credit. */
const credit = summaryOf({ events: event('credit'), part });
const nameless = summaryOf({ events: event('sched_core'), part });

function textsOf(tables: ResultTable[], summary: TraceSummary = credit): string[] {
  return findingsOf(tables, summary).map(({ text }) => text);
}

describe('findingsOf() tells', () => {
  test('missed deadlines, the highest ratio first, of equals who was latest', () => {
    const task = { vcpu: 0, task: 0, miss_ratio: 0.25, misses_in_row_max: 20, tardiness_ns_max: 117_794_999 };
    const deadlines = result(
      'deadlines',
      { dom: 3, ...task, missed: 0, miss_ratio: 0, misses_in_row_max: 0, tardiness_ns_max: 0 },
      { dom: 4, ...task, missed: 1, miss_ratio: 0.005, misses_in_row_max: 1, tardiness_ns_max: null },
      { dom: 5, ...task, missed: 50, tardiness_ns_max: 117_794_998 },
      { dom: 6, ...task, missed: 1050 },
    );
    expect(findingsOf([deadlines], credit)).toEqual(
      [
        'd6v0 missed 1,050 deadlines of task 0 (25.0 %), 20 in a row at worst; the latest job was 117.8 ms late.',
        'd5v0 missed 50 deadlines of task 0 (25.0 %), 20 in a row at worst; the latest job was 117.8 ms late.',
        'd4v0 missed 1 deadline of task 0 (0.5 %).',
      ].map((text) => ({ result: 'deadlines', text })),
    );
  });

  test('servers that were not served their budget', () => {
    const server = { dom: 1, vcpu: 2, missed: 3, backlogged: 10, coverage: 1 };
    expect(textsOf([result('servers', server)])).toEqual([
      'd1v2 was not served its budget in 3 of the 10 periods throughout which it wanted to run.',
    ]);
    // Of a sporadic server nobody knows.
    expect(textsOf([result('servers', { ...server, missed: null, backlogged: null })])).toEqual([]);
  });

  const ready = (dom: number, ready_ratio: number, more: Row = {}): Row => ({
    dom,
    vcpus: 2,
    ready_ratio,
    ready_ns: ready_ratio * 2e9,
    throttled_ratio: 0,
    coverage: 1,
    ...more,
  });

  test('domains that waited from 5 % on, why, and because of whom, but for their own limits', () => {
    const steal = [
      ready(1, 0.049),
      ready(2, 0.05, { vcpus: 1 }),
      ready(3, 0.5, { coverage: 0.6 }),
      ready(4, 0.4),
      ready(5, 0.9, { ready_ns: 999_999 }),
      ready(6, 0.9, { coverage: 0.49 }),
    ];
    const blame = [
      // Of 100 ns 80 are its own limits': of the other 20 its turn has three quarters.
      { dom: 2, throttled_ns: 80, turn_ns: 15, boost_ns: 5 },
      { dom: 3, idle_ns: 9 },
      { dom: 4, turn_ns: 49, boost_ns: 26, priority_ns: 25 },
    ];
    const antagonists = [
      { dom: 2, culprit_dom: 1, blamed_ns: 15, throttled_ns: 0 },
      { dom: 2, culprit_dom: 2, blamed_ns: 80, throttled_ns: 80 },
      { dom: 2, culprit_dom: 7, blamed_ns: 5, throttled_ns: 0 },
      { dom: 3, culprit_dom: DOM_IDLE, blamed_ns: 9, throttled_ns: 0 },
      { dom: 4, culprit_dom: 4, blamed_ns: 51, throttled_ns: 0 },
      { dom: 4, culprit_dom: 3, blamed_ns: 49, throttled_ns: 0 },
    ];
    const tables = [
      result('steal', ...steal.map(({ vcpus, ...row }) => ({ ...row, vcpu: 0 }))),
      result('steal_by_domain', ...steal),
      result('blame_by_domain', ...blame),
      result('antagonists_by_domain', ...antagonists),
    ];
    expect(textsOf(tables)).toEqual([
      "d3 waited for 50.0 % of its vCPUs' time (1 s), mostly though pCPUs idled (100.0 %); " +
        '60.0 % of the time is known.',
      "d4 waited for 40.0 % of its vCPUs' time (800 ms); no single culprit stands out.",
      'd2 waited for 5.0 % of its time (100 ms), mostly since others had their turn (75.0 %); ' +
        'd1 has the largest part in that (75.0 %).',
    ]);
  });

  test('a vCPU that waited beside many that had nothing to do', () => {
    const vcpus = [ready(1, 0.506, { vcpu: 0 }), ready(1, 0.3, { vcpu: 5 }), ready(1, 0, { vcpu: 1 })];
    const tables = [
      result('steal_by_domain', ready(1, 0.02)),
      result('steal', ...vcpus),
      result('blame', { dom: 1, vcpu: 0, turn_ns: 5 }, { dom: 1, vcpu: 5, boost_ns: 5 }),
      result('antagonists', { dom: 1, vcpu: 0, culprit_dom: 2, culprit_vcpu: 3, blamed_ns: 5 }),
    ];
    expect(textsOf(tables)).toEqual([
      'd1v0 waited for 50.6 % of its time (1.012 s), mostly since others had their turn (100.0 %); ' +
        'd2v3 has the largest part in that (100.0 %).',
    ]);
  });

  test('no more than three of a kind', () => {
    const domains = [1, 2, 3, 4, 5].map((dom) => ready(dom, dom / 10));
    const vcpus = domains.map((row) => ({ ...row, vcpu: 0 }));
    const texts = textsOf([result('steal', ...vcpus), result('steal_by_domain', ...domains)]);
    expect(texts.map((text) => text.slice(0, 9))).toEqual([
      'd5 waited',
      'd4 waited',
      'd3 waited',
      'The like ',
    ]);
    expect(texts[3]).toBe('The like holds for 2 domains more.');
  });

  test('the longest wait for others from 10 ms on', () => {
    const wait = {
      dom: 1,
      vcpu: 0,
      start_ns: 522_654_530,
      ran: 'd2v0',
      ran_dom: 2,
      ran_ns: 94_003_754,
      throttled_ns: 0,
    };
    const longest = (ns: number, more: Row = {}, other: Row = {}) => {
      const rows = [
        { ...wait, wait_ns: ns, ...more },
        { ...wait, dom: 2, wait_ns: 1, ...other },
      ];
      return textsOf([result('worst_waits', ...rows)]);
    };
    expect(longest(142_364_468)).toEqual([
      "The longest wait seen is d1v0's: 142.4 ms from 0.522655 s; d2v0 ran 94.00 ms of it.",
    ]);
    expect(longest(10_000_000, { ran_dom: DOM_IDLE, ran: 'd[IDLE]v1', ran_ns: 5000 })).toEqual([
      "The longest wait seen is d1v0's: 10 ms from 0.522655 s; its pCPU idled for 5 us of it.",
    ]);
    expect(longest(10_000_000, { ran_dom: null, ran: null })[0]).toMatch(/from 0\.522655 s\.$/);
    expect(longest(9_999_999)).toEqual(['Nothing: no wait took 10 ms.']);
    // Its own budget kept the first one back for nearly all of it; others may be longer than the second.
    const budget = { throttled_ns: 80_000_000 };
    expect(longest(85_000_000, budget)).toEqual(['Nothing: no wait took 10 ms.']);
    expect(
      longest(85_000_000, budget, { wait_ns: 20_000_000, throttled_ns: 9_000_000, ran_dom: null }),
    ).toEqual(["A long wait is d2v0's: 20 ms from 0.522655 s, of which its own limits account for 9 ms."]);
    // Ticks are no time.
    const rows = [{ ...wait, wait_ns: 142_364_468 }];
    expect(textsOf([result('worst_waits', ...rows)], summaryOf({ ...credit, cpuHz: null }))).toEqual([]);
  });

  test('what its own cap or budget kept a domain from', () => {
    const rows = [
      ready(1, 0, { throttled_ratio: 0.05, throttled_ns: 2e8, coverage: 0.8 }),
      ready(2, 0, { throttled_ratio: 0.049, throttled_ns: 2e8 }),
    ];
    expect(textsOf([result('steal_by_domain', ...rows)])).toEqual([
      "Its own cap or budget kept d1 back for 5.0 % of its vCPUs' time (200 ms); 80.0 % of the time is known.",
    ]);
    const ofPcpus = summaryOf({ ...credit, part: { ...part, pcpus: [1] } });
    expect(textsOf([result('steal_by_domain', ...rows)], ofPcpus)[0]).toContain(
      "of its vCPUs' time on these pCPUs (200 ms)",
    );
  });

  test('shares that are wrong by 5 % however weights weigh, where all weights are known', () => {
    const share = (dom: number, error: number, vcpuError: number, more: Row = {}) => ({
      dom,
      run_ns: 1000 * (1 + error),
      entitlement_ns: 1000,
      share: 0.25 * (1 + error),
      entitled_share: 0.25,
      share_error: error,
      vcpu_share_error: vcpuError,
      weight_source: 'given',
      reservation: null,
      coverage: 1,
      ...more,
    });
    const rows = [
      share(1, -0.1, -0.06),
      share(2, 0.2, 0.2),
      share(3, 0.2, -0.2),
      share(4, 0.049, 0.3),
      share(5, 0.5, 0.5, { reservation: 0.25, weight_source: null }),
      share(6, -0.5, -0.5, { entitled_share: 0.0099, weight_source: 'assumed' }),
    ];
    const several = result('fairness_summary', { domains: 2 });
    expect(textsOf([several, result('fairness', ...rows)])).toEqual([
      "d2 got 20.0 % more than it is entitled to: 30.0 % of the pCPUs' time in place of 25.0 %.",
      "d1 got 10.0 % less than it is entitled to: 22.5 % of the pCPUs' time in place of 25.0 %.",
    ]);
    // One row of two: it was chosen.
    expect(textsOf([several, result('fairness', rows[0])])).toHaveLength(1);
    const assumed = rows.map((row) => ({ ...row, weight_source: row.weight_source && 'assumed' }));
    expect(textsOf([several, result('fairness', ...assumed)])).toEqual([
      'Shares are not judged: the trace does not tell the weights; --domains and --weights do.',
    ]);
    const alone = result('fairness_summary', { domains: 1 });
    expect(textsOf([alone, result('fairness', rows[0])])).toEqual([]);
    const short = summaryOf({ ...credit, part: { ...part, fromNs: 1_000_000_001 } });
    expect(textsOf([several, result('fairness', ...rows)], short)).toEqual([]);
    expect(textsOf([several, result('fairness', ...rows)], nameless)).toEqual([]);
  });

  test('pCPUs that idled while vCPUs waited, and were not evenly busy', () => {
    const pcpus = result(
      'pcpus',
      { pcpu: 0, utilisation: 0.2, busy_ns: 2e7, idle_ns: 8e7 },
      { pcpu: 1, utilisation: 0.9, busy_ns: 9e7, idle_ns: 1e7 },
      { pcpu: 2, utilisation: null, busy_ns: 0, idle_ns: 0 },
    );
    const balance = { lost_ns: 2e6, utilisation_spread: 0.7, waiting_mean: 0.5, coverage: 1 };
    expect(textsOf([pcpus, result('balance', balance)])).toEqual([
      "pCPUs idled while vCPUs waited: 1.0 % of the pCPUs' time (2 ms), unless affinity or pools want it so.",
      'pCPU 1 was busy for 90.0 % of the time, pCPU 0 for 20.0 %, while 0.5 vCPUs waited on average.',
    ]);
    // ARINC653's slots want it so.
    expect(textsOf([pcpus, result('balance', balance)], nameless)).toEqual([]);
    const fine = { lost_ns: 1.9e6, utilisation_spread: 0.7, waiting_mean: 0.49, coverage: 1 };
    expect(textsOf([pcpus, result('balance', fine)])).toEqual([
      'Nothing: pCPUs hardly idled while vCPUs waited.',
    ]);
  });

  test('frames of another length than was meant, where the scheduler may be one that has frames', () => {
    const frames = result(
      'frames',
      { dom: 1, vcpu: 0, ideal_ns: 40_000_000, frame_ns_median: 40_070_000, frames: 74, coverage: 1 },
      { dom: 2, vcpu: 0, ideal_ns: 40_000_000, frame_ns_median: 39_960_001, frames: 74, coverage: 1 },
      { dom: 3, vcpu: 0, ideal_ns: null, frame_ns_median: 40_070_000, frames: 74, coverage: 1 },
    );
    expect(textsOf([frames], nameless)).toEqual([
      'The frames of d1v0 have 40.07 ms (the median of 74), where 40 ms are probably meant.',
    ]);
    expect(textsOf([frames])).toEqual([]);
  });
});

describe('findingsOf() where it cannot tell', () => {
  const steal = { dom: 0, vcpu: 0, ready_ratio: 0.9, ready_ns: 1e9, throttled_ratio: 0, coverage: 1 };
  const { vcpu, ...domain } = steal;
  const tables = [result('steal', steal), result('steal_by_domain', domain)];

  test('says that pCPUs were not traced, and nothing of what that hides', () => {
    const texts = textsOf(tables, summaryOf({ ...credit, partial: true }));
    expect(texts).toEqual(['Not all pCPUs were traced: nobody can tell who waited, nor who got its share.']);
  });

  test('says that waiting may be by design where no scheduler is known', () => {
    expect(textsOf(tables, nameless)).toEqual([
      'The trace has no records of a scheduler: if it is ARINC653, waiting outside slots is by design.',
      "d0 waited for 90.0 % of its vCPUs' time (1 s).",
    ]);
  });
});

describe('findingsOf() where nothing stands out', () => {
  const steal = { dom: 0, vcpu: 0, ready_ratio: 0, throttled_ratio: 0, coverage: 1 };
  const both = (...rows: Row[]) => [result('steal', ...rows), result('steal_by_domain', ...rows)];

  test('says what it looked at', () => {
    expect(textsOf([...both(steal), result('deadlines', { missed: 0 })])).toEqual([
      'Nothing: no deadline was missed; no vCPU waited for 5.0 % of its time; ' +
        'none was kept back much by its own cap or budget.',
    ]);
  });

  test('says how much of the time it knows of the vCPU that it knows least of', () => {
    const [text] = textsOf(both({ ...steal, coverage: 0.785 }, steal));
    expect(text).toMatch(/own cap or budget; 78\.5 % of the time is known\.$/);
  });

  test('says nothing of what nothing is known of', () => {
    for (const coverage of [0, null, 0.49]) expect(textsOf(both({ ...steal, coverage }))).toEqual([]);
    expect(textsOf([])).toEqual([]);
  });
});

test('docs/metrics.md gives the thresholds', () => {
  const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const section = /## What stands out\n([\s\S]*?)\n## /.exec(docs)![1]!;
  const ratios = [WAITED_MIN, SHARE_ERROR_MIN, ENTITLED_SHARE_MIN, LOST_MIN, SPREAD_MIN, DRIFT_MIN];
  const known = [CULPRIT_LEAD_MIN, KNOWN_MIN, WELL_KNOWN_MIN];
  const words = [
    ...[...ratios, ...known].map((ratio) => `${ratio * 100} %`),
    `${LONG_WAIT_NS / 1e6} ms`,
    `${WAITED_NS_MIN / 1e6} ms`,
    `${SHARED_NS_MIN / 1e9} s`,
    `${WAITING_MIN} vCPUs`,
  ];
  expect(words.filter((word) => !section.includes(word))).toEqual([]);
});
