/** CPU ready and steal, worked out on paper. */
import { describe, expect, test } from 'vitest';
import { Coverage } from '../../src/analysis/coverage.ts';
import { steal } from '../../src/analysis/steal.ts';
import { loadCatalog } from '../../src/format/index.ts';
import { createRunstateBatch, RUNNABLE, RUNNING } from '../../src/timeline/runstate-batch.ts';
import { type Runstate, TraceBuilder } from '../support/trace-builder.ts';
import { analyze, type Row } from './analyze-bytes.ts';
import { MS, WAITS_EXAMPLE_OPTIONS, waitsExample } from './waits-example.ts';

describe('the example of docs/metrics.md', () => {
  const first = {
    dom: 1,
    verdict: 'high',
    ready_ratio: 0.3,
    ready_ms_per_20s: 6000,
    ready_ns: 6 * MS,
    ready_of_wanted_ratio: 0.3,
    guest_steal_ratio: 0.3,
    throttled_ns: 0,
    throttled_ratio: 0,
    ready_ratio_worst: 1,
    ready_worst_start_ns: 5 * MS,
    window_ns: 5 * MS,
    coverage: 1,
  };
  const expected = [
    first,
    {
      ...first,
      dom: 2,
      ready_ratio: 0.2,
      ready_ms_per_20s: 4000,
      ready_ns: 4 * MS,
      ready_of_wanted_ratio: 0.25,
      guest_steal_ratio: 0.4,
      throttled_ns: 4 * MS,
      throttled_ratio: 0.2,
      ready_ratio_worst: 0.4,
      ready_worst_start_ns: 0,
    },
    {
      ...first,
      dom: 3,
      ready_ratio: 0.1,
      ready_ms_per_20s: 2000,
      ready_ns: 2 * MS,
      ready_of_wanted_ratio: 0.1,
      guest_steal_ratio: 0.1,
      ready_ratio_worst: 0.4,
      ready_worst_start_ns: 15 * MS,
    },
  ];

  test('by vCPU, and by domain', async () => {
    const { rows } = await analyze(waitsExample(), WAITS_EXAMPLE_OPTIONS);
    expect(rows('steal')).toEqual(expected.map((row) => ({ ...row, vcpu: 0 })));
    expect(rows('steal_by_domain')).toEqual(expected.map((row) => ({ ...row, vcpus: 1 })));
  });
});

/** One vCPU's states, each with the ms that it lasts, on pCPU 0 from 0 on. */
function lifeOf(
  trace: TraceBuilder,
  vcpu: number,
  states: readonly (readonly [Runstate, number])[],
): TraceBuilder {
  let ms = 0;
  for (const [index, [state, length]] of states.entries()) {
    const next = states[index + 1]?.[0];
    ms += length;
    if (next !== undefined) trace.runstate(1000 + ms * MS, 1, vcpu, state, next);
  }
  return trace;
}

async function stealOf(...states: (readonly [Runstate, number])[]): Promise<Row> {
  const trace = new TraceBuilder().window(0).runstate(1000, 9, 0, 'runnable', 'running');
  const endNs = states.reduce((ms, [, length]) => ms + length, 0) * MS;
  const { rows } = await analyze(lifeOf(trace, 0, states).bytes(), { endNs, windowNs: 100 * MS });
  return rows('steal').find(({ dom }) => dom === 1)!;
}

describe('verdicts', () => {
  test.each([
    ['ok', 4.9, 980],
    ['watch', 5, 1000],
    ['watch', 9.9, 1980],
    ['high', 10, 2000],
  ])('%s at %d %% ready, %d ms of 20 s', async (verdict, percent, ms) => {
    const row = await stealOf(['running', 50], ['runnable', percent], ['running', 50 - percent]);
    expect([row.verdict, row.ready_ratio, row.ready_ms_per_20s]).toEqual([verdict, percent / 100, ms]);
  });

  test('a pause is steal to the guest, but no want of pCPUs', async () => {
    const row = await stealOf(
      ['running', 40],
      ['runnable', 4],
      ['offline', 6],
      ['runnable', 0],
      ['running', 50],
    );
    expect(row).toMatchObject({ verdict: 'throttled', ready_ratio: 0.04, guest_steal_ratio: 0.1 });
  });

  test('a domain has the worst of its vCPUs, and their mean', async () => {
    const trace = new TraceBuilder().window(0).runstate(1000, 9, 0, 'runnable', 'running');
    lifeOf(trace, 0, [
      ['blocked', 80],
      ['runnable', 15],
      ['blocked', 5],
    ]);
    const bytes = lifeOf(trace.window(1), 1, [
      ['blocked', 99],
      ['runnable', 1],
    ]).bytes();
    const { rows } = await analyze(bytes, { endNs: 100 * MS, windowNs: 10 * MS });
    expect(rows('steal').map(({ verdict }) => verdict)).toEqual(['high', 'ok', 'ok']);
    expect(rows('steal_by_domain')[0]).toMatchObject({
      dom: 1,
      vcpus: 2,
      verdict: 'high',
      ready_ratio: 0.08,
      ready_ns: 16 * MS,
      ready_ratio_worst: 0.5,
      ready_worst_start_ns: 80 * MS,
    });
  });
});

describe('the worst window', () => {
  test('is the first of equals, and is whole', async () => {
    const third = [
      ['runnable', 30],
      ['running', 70],
    ] as const;
    const row = await stealOf(['running', 100], ...third, ...third, ['runnable', 60]);
    expect(row).toMatchObject({ ready_ratio_worst: 0.3, ready_worst_start_ns: 100 * MS });
  });

  test('begins where the stretch does that is looked at', () => {
    const stretches: Stretch[] = [
      [RUNNING, 7 * MS, 15 * MS],
      [RUNNABLE, 15 * MS, 21 * MS],
      [RUNNING, 21 * MS, 27 * MS],
    ];
    expect(worstOf(stretches, 7 * MS)).toEqual([0.4, 17 * MS]);
  });

  test('is found at once, though a damaged TSC tells of a moment a thousand years later', () => {
    const later = 3e19;
    const stretches: Stretch[] = [
      [RUNNING, 0, 6 * MS],
      [RUNNABLE, 6 * MS, 10 * MS],
      [RUNNABLE, later, later],
    ];
    expect(worstOf(stretches, 0)).toEqual([0.4, 0]);
  });

  type Stretch = readonly [state: number, startNs: number, endNs: number];

  /** Ratio and start, with windows of 10 ms. */
  function worstOf(stretches: readonly Stretch[], fromNs: number) {
    const batch = createRunstateBatch(stretches.length);
    for (const [row, [state, startNs, endNs]] of stretches.entries()) {
      batch.dom[row] = 1;
      batch.state[row] = state;
      batch.startNs[row] = startNs;
      batch.endNs[row] = endNs;
    }
    batch.count = stretches.length;
    const run = steal.create({
      catalog: loadCatalog(),
      pcpus: [0],
      fromNs,
      coverage: new Coverage(),
      domainParameters: new Map(),
      windowNs: 10 * MS,
    });
    run.listener.onRunstates!(batch);
    const [{ columns, rows }] = run.finish(stretches.at(-1)![2]);
    const cell = (name: string) => rows[0][columns.findIndex((column) => column.name === name)];
    return [cell('ready_ratio_worst'), cell('ready_worst_start_ns')];
  }
});

describe('unknown time', () => {
  test('is in no figure; a window that is not known is not judged', async () => {
    const at = (ms: number) => 1000 + ms * MS;
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .runstate(at(10), 1, 0, 'running', 'runnable')
      .lost(at(40), { count: 9, firstTsc: at(15) })
      .runstate(at(45), 1, 0, 'runnable', 'running')
      .bytes();
    const { rows } = await analyze(bytes, { endNs: 60 * MS, windowNs: 10 * MS });
    expect(rows('steal')).toMatchObject([
      {
        ready_ns: 10 * MS,
        ready_ratio: 10 / 35,
        coverage: 35 / 60,
        ready_ratio_worst: 0.5,
        ready_worst_start_ns: 40 * MS,
      },
    ]);
  });

  test('and nothing but that gives no figures', async () => {
    const at = (ms: number) => 1000 + ms * MS;
    const bytes = new TraceBuilder()
      .window(1)
      .runstate(at(0), 1, 0, 'blocked', 'runnable')
      .runstate(at(10), 1, 0, 'offline', 'runnable')
      .bytes();
    const { rows } = await analyze(bytes, { endNs: 20 * MS });
    expect(rows('steal')).toEqual([
      {
        dom: 1,
        vcpu: 0,
        verdict: null,
        ready_ratio: null,
        ready_ms_per_20s: null,
        ready_ns: 0,
        ready_of_wanted_ratio: null,
        guest_steal_ratio: null,
        throttled_ns: 0,
        throttled_ratio: null,
        ready_ratio_worst: null,
        ready_worst_start_ns: null,
        window_ns: 100 * MS,
        coverage: 0,
      },
    ]);
  });
});
