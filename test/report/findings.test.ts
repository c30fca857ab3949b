import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ResultTable } from '../../src/analysis/index.ts';
import {
  DRIFT_MIN,
  ENTITLED_SHARE_MIN,
  findingsOf,
  LONG_WAIT_NS,
  LOST_MIN,
  SHARE_ERROR_MIN,
  SPREAD_MIN,
  WAITED_MIN,
  WAITING_MIN,
} from '../../src/report/findings.ts';
import { DOM_IDLE } from '../../src/timeline/index.ts';

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

function textsOf(...tables: ResultTable[]): string[] {
  return findingsOf(tables).map(({ text }) => text);
}

const credit = result('scheduler_summary', { schedulers: 'credit' });
const nameless = result('scheduler_summary', { schedulers: null });

describe('findingsOf() tells', () => {
  test('missed deadlines, the task with most of them first', () => {
    const task = { vcpu: 0, task: 0, miss_ratio: 0.25, misses_in_row_max: 20, tardiness_ns_max: 117_794_999 };
    const deadlines = result(
      'deadlines',
      { dom: 3, ...task, missed: 0, miss_ratio: 0, misses_in_row_max: 0, tardiness_ns_max: 0 },
      { dom: 4, ...task, missed: 1, miss_ratio: 0.005, misses_in_row_max: 1, tardiness_ns_max: null },
      { dom: 5, ...task, missed: 1050 },
    );
    expect(findingsOf([deadlines])).toEqual([
      {
        result: 'deadlines',
        text: 'd5v0 missed 1,050 deadlines of task 0 (25.0 %), 20 in a row at worst; the latest job was 117.8 ms late.',
      },
      { result: 'deadlines', text: 'd4v0 missed 1 deadline of task 0 (0.5 %).' },
    ]);
  });

  test('servers that were not served their budget', () => {
    expect(textsOf(result('servers', { dom: 1, vcpu: 2, missed: 3, backlogged: 10, coverage: 1 }))).toEqual([
      'd1v2 was not served its budget in 3 of the 10 periods throughout which it wanted to run.',
    ]);
    // Of a sporadic server nobody knows.
    expect(textsOf(result('servers', { dom: 1, vcpu: 2, missed: null, backlogged: null }))).toEqual([]);
  });

  test('who waited from 5 % on, and because of whom, but for its own limits', () => {
    const steal = result(
      'steal_by_domain',
      { dom: 1, ready_ratio: 0.049, ready_ns: 49, throttled_ratio: 0, coverage: 1 },
      { dom: 2, ready_ratio: 0.05, ready_ns: 50_000_000, throttled_ratio: 0.04, coverage: 1 },
      { dom: 3, ready_ratio: 0.5, ready_ns: 2e9, throttled_ratio: 0.05, throttled_ns: 2e8, coverage: 0.5 },
      { dom: 4, ready_ratio: 0.4, ready_ns: 1e9, throttled_ratio: 0, coverage: 0.9 },
    );
    const antagonists = result(
      'antagonists_by_domain',
      { dom: 2, culprit_dom: 1, blamed_ns: 30, turn_ns: 20, boost_ns: 10, throttled_ns: 0 },
      // Of 100 ns 80 are its own limits': of the other 20 it has none.
      { dom: 2, culprit_dom: 2, blamed_ns: 80, turn_ns: 0, throttled_ns: 80 },
      { dom: 2, culprit_dom: DOM_IDLE, blamed_ns: 10, dispatch_ns: 10, throttled_ns: 0 },
      { dom: 3, culprit_dom: DOM_IDLE, blamed_ns: 9, idle_ns: 9, throttled_ns: 0 },
      { dom: 4, culprit_dom: 4, blamed_ns: 9, ratelimit_ns: 9, throttled_ns: 0 },
    );
    expect(textsOf(steal, antagonists)).toEqual([
      "d3 waited for 50.0 % of its vCPUs' time (2 s); idle pCPUs have the largest part in that (100.0 %); " +
        '50.0 % of the time is known.',
      "d4 waited for 40.0 % of its vCPUs' time (1 s); its own vCPUs have the largest part in that (100.0 %), " +
        'mostly by the ratelimit.',
      "d2 waited for 5.0 % of its vCPUs' time (50 ms); d1 has the largest part in that (75.0 %), mostly by turn.",
      "Its own cap or budget kept d3 back for 5.0 % of its vCPUs' time (200 ms); 50.0 % of the time is known.",
    ]);
  });

  test('no more than three of a kind', () => {
    const rows = [1, 2, 3, 4, 5].map((dom) => ({ dom, ready_ratio: dom / 10, ready_ns: 1, coverage: 1 }));
    const texts = textsOf(result('steal_by_domain', ...rows));
    expect(texts.map((text) => text.slice(0, 9))).toEqual([
      'd5 waited',
      'd4 waited',
      'd3 waited',
      'The like ',
    ]);
    expect(texts[3]).toBe('The like holds for 2 more domains.');
  });

  test('the longest wait from 10 ms on', () => {
    const wait = { dom: 1, vcpu: 0, start_ns: 522_654_530, ran: 'd2v0', ran_dom: 2, ran_ns: 94_003_754 };
    const longest = (ns: number, more: Row = {}) => {
      return textsOf(result('worst_waits', { ...wait, wait_ns: ns, ...more }, { ...wait, wait_ns: 1 }));
    };
    expect(longest(142_364_468)).toEqual([
      "The longest wait is d1v0's: 142.4 ms from 0.522655 s; d2v0 ran 94.00 ms of it.",
    ]);
    expect(longest(10_000_000, { ran_dom: DOM_IDLE, ran: 'd[IDLE]v1', ran_ns: 5000 })).toEqual([
      "The longest wait is d1v0's: 10 ms from 0.522655 s; its pCPU idled for 5 us of it.",
    ]);
    expect(longest(10_000_000, { ran_dom: null, ran: null })[0]).toMatch(/from 0\.522655 s\.$/);
    expect(longest(9_999_999)).toEqual(['Nothing: no wait took 10 ms.']);
  });

  test('shares that are wrong by 5 % however weights weigh', () => {
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
      share(2, 0.2, 0.2, { weight_source: 'assumed' }),
      share(3, 0.2, -0.2),
      share(4, 0.049, 0.3),
      share(5, 0.5, 0.5, { reservation: 0.25, weight_source: null }),
      share(6, -0.5, -0.5, { entitled_share: 0.0099 }),
    ];
    const wrong = [
      "d2 got 20.0 % more than it is entitled to: 30.0 % of the pCPUs' time in place of 25.0 %, " +
        'if weights are equal (--domains tells them).',
      "d1 got 10.0 % less than it is entitled to: 22.5 % of the pCPUs' time in place of 25.0 %.",
    ];
    expect(textsOf(credit, result('fairness', ...rows))).toEqual(wrong);
    // ARINC653 has no weights that could be assumed.
    expect(textsOf(nameless, result('fairness', ...rows))).toEqual(wrong.slice(1));
    expect(textsOf(credit, result('fairness', rows[0]))).toEqual([]);
  });

  test('pCPUs that idled while vCPUs waited, and were not evenly busy', () => {
    const pcpus = result(
      'pcpus',
      { pcpu: 0, utilisation: 0.2, busy_ns: 200, idle_ns: 800 },
      { pcpu: 1, utilisation: 0.9, busy_ns: 900, idle_ns: 100 },
      { pcpu: 2, utilisation: null, busy_ns: 0, idle_ns: 0 },
    );
    const balance = { lost_ns: 20, utilisation_spread: 0.7, waiting_mean: 0.5, coverage: 1 };
    expect(textsOf(pcpus, result('balance', balance))).toEqual([
      "pCPUs idled while vCPUs waited: 1.0 % of the pCPUs' time (20 ns).",
      'pCPU 1 was busy for 90.0 % of the time, pCPU 0 for 20.0 %, while 0.5 vCPUs waited on average.',
    ]);
    const fine = { lost_ns: 19, utilisation_spread: 0.7, waiting_mean: 0.49, coverage: 1 };
    expect(textsOf(pcpus, result('balance', fine))).toEqual([
      'Nothing: pCPUs hardly idled while vCPUs waited.',
    ]);
  });

  test('frames that drift, of a scheduler that has frames', () => {
    const drifting = {
      dom: 1,
      vcpu: 0,
      ideal_ns: 40_000_000,
      drift_ns_per_frame: 70_000,
      drift_ns_total: 5_558_000,
      frames: 74,
      coverage: 1,
    };
    const frames = result(
      'frames',
      drifting,
      { ...drifting, dom: 2, drift_ns_per_frame: -39_999 },
      { ...drifting, dom: 3, ideal_ns: null, drift_ns_per_frame: null },
    );
    expect(textsOf(nameless, frames)).toEqual([
      'd1v0 is started every 40.07 ms, where 40 ms are probably meant: 5.558 ms late after 74 frames.',
    ]);
    expect(textsOf(credit, frames)).toEqual([]);
  });
});

describe('findingsOf() where nothing stands out', () => {
  const steal = { dom: 0, ready_ratio: 0, throttled_ratio: 0, coverage: 1 };

  test('says what it looked at', () => {
    expect(textsOf(credit, result('steal_by_domain', steal), result('deadlines', { missed: 0 }))).toEqual([
      "Nothing: no deadline was missed; no domain waited for 5.0 % of its vCPUs' time; " +
        'none was kept back much by its own cap or budget.',
    ]);
  });

  test('says how much of the time it knows of the domain that it knows least of', () => {
    const [text] = textsOf(result('steal_by_domain', { ...steal, coverage: 0.785 }, steal));
    expect(text).toMatch(/own cap or budget; 78\.5 % of the time is known\.$/);
  });

  test('says nothing of what nothing is known of', () => {
    expect(findingsOf([result('steal_by_domain', { ...steal, coverage: 0 })])).toEqual([]);
    expect(findingsOf([])).toEqual([]);
  });
});

test('docs/metrics.md gives the thresholds', () => {
  const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const section = /## What stands out\n([\s\S]*?)\n## /.exec(docs)![1]!;
  const ratios = [WAITED_MIN, SHARE_ERROR_MIN, ENTITLED_SHARE_MIN, LOST_MIN, SPREAD_MIN, DRIFT_MIN];
  const words = [
    ...ratios.map((ratio) => `${ratio * 100} %`),
    `${LONG_WAIT_NS / 1e6} ms`,
    `${WAITING_MIN} vCPUs`,
  ];
  expect(words.filter((word) => !section.includes(word))).toEqual([]);
});
