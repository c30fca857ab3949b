/** A part of a trace: intervals are cut, waits count where they end, and no figure knows of the rest. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyses, type Selection, VcpuSelection } from '../../src/analysis/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { analyze, type Row } from './analyze-bytes.ts';

const T0 = 1000;

//          0         100       200       300       400
//     d1v0 RRRRRRRRRRrrrrrrrrrrRRRRRRRRRRrrrrrrrrrr      pCPU 0
//     d2v0 ....rrrrrrRRRRRRRRRRrrrrrrrrrrRRRRRRRRRR      wakes at 40
//     d2v1 RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR      pCPU 1
function trace(): Uint8Array {
  return new TraceBuilder()
    .window(0)
    .runstate(T0, 1, 0, 'runnable', 'running')
    .runstate(T0 + 40, 2, 0, 'blocked', 'runnable')
    .runstate(T0 + 100, 1, 0, 'running', 'runnable')
    .runstate(T0 + 100, 2, 0, 'runnable', 'running')
    .record(0x28005, T0 + 150, [2, 0])
    .runstate(T0 + 200, 2, 0, 'running', 'runnable')
    .runstate(T0 + 200, 1, 0, 'runnable', 'running')
    .runstate(T0 + 300, 1, 0, 'running', 'runnable')
    .runstate(T0 + 300, 2, 0, 'runnable', 'running')
    .window(1)
    .runstate(T0, 2, 1, 'runnable', 'running')
    .bytes();
}

const part = async (selection: Selection) => (await analyze(trace(), { endNs: 400, selection })).rows;
const vcpuOf = ({ dom, vcpu }: Row) => `d${dom}v${vcpu}`;

describe('a stretch of time', () => {
  test('cuts intervals, and counts the waits that end in it', async () => {
    const rows = await part({ fromNs: 150, toNs: 250 });
    expect(rows('runstates')).toMatchObject([
      { dom: 1, vcpu: 0, running_ns: 50, runnable_ns: 50, switches_in: 1, preemptions: 0 },
      { dom: 2, vcpu: 0, running_ns: 50, runnable_ns: 50, switches_in: 0, preemptions: 1, yields: 1 },
      { dom: 2, vcpu: 1, running_ns: 100, runnable_ns: 0 },
    ]);
    const waits = rows('waits').filter(({ count }) => count !== 0);
    expect(waits).toMatchObject([{ dom: 1, vcpu: 0, cause: 'preempt', count: 1, wait_ns_total: 100 }]);
    expect(rows('antagonists')).toMatchObject([{ dom: 1, culprit_dom: 2, culprit_vcpu: 0, blamed_ns: 100 }]);
    expect(rows('pcpus')).toMatchObject([
      { pcpu: 0, busy_ns: 100, unknown_ns: 0, coverage: 1 },
      { pcpu: 1, busy_ns: 100, unknown_ns: 0, coverage: 1 },
    ]);
  });

  test('an end is not within: parts that follow each other sum to the whole', async () => {
    const whole = await part({});
    const parts = [
      await part({ toNs: 130 }),
      await part({ fromNs: 130, toNs: 300 }),
      await part({ fromNs: 300 }),
    ];
    for (const [table, column] of [
      ['runstates', 'running_ns'],
      ['runstates', 'runnable_ns'],
      ['runstates', 'blocked_ns'],
      ['runstates', 'switches_in'],
      ['waits', 'count'],
      ['waits', 'wait_ns_total'],
      ['blame', 'turn_ns'],
    ] as const) {
      const sum = (rows: Row[]) => rows.reduce((total, row) => total + Number(row[column]), 0);
      const sums = parts.map((rows) => sum(rows(table)));
      expect(
        sums.reduce((total, ns) => total + ns),
        `${table}.${column}`,
      ).toBe(sum(whole(table)));
    }
  });

  test('who waits where it begins has moved when it runs elsewhere', async () => {
    const real = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
    const migrations = async (selection: Selection) => {
      const { rows } = await analyze(real, { selection });
      return rows('runstates').map((row) => Number(row.migrations));
    };
    const cutNs = 1_300_000_000;
    const [first, second] = [await migrations({ toNs: cutNs }), await migrations({ fromNs: cutNs })];
    const whole = await migrations({});
    expect(first.map((count, index) => count + second[index]!)).toEqual(whole);
    expect(whole).toEqual([3, 4, 20, 11, 9, 6]);
  });
});

describe('some vCPUs and pCPUs', () => {
  test('results are about the chosen vCPUs; who is to blame may be another', async () => {
    const rows = await part({ vcpus: new VcpuSelection([], [0x10000]) });
    expect(rows('runstates').map(vcpuOf)).toEqual(['d1v0']);
    expect(new Set(rows('waits').map(vcpuOf))).toEqual(new Set(['d1v0']));
    expect(rows('antagonists')).toMatchObject([{ dom: 1, culprit_dom: 2, returned_ns: 160 }]);
    expect(rows('fairness').map(({ dom }) => dom)).toEqual([1]);
    const domain = await part({ vcpus: new VcpuSelection([2], []) });
    expect(domain('runstates').map(vcpuOf)).toEqual(['d2v0', 'd2v1']);
  });

  test('only what happened on the chosen pCPUs counts', async () => {
    const rows = await part({ pcpus: new Set([1]) });
    expect(rows('runstates').map(vcpuOf)).toEqual(['d2v1']);
    expect(rows('pcpus')).toMatchObject([{ pcpu: 1, busy_ns: 400 }]);
    expect(rows('waits').every(({ count }) => count === 0)).toBe(true);
  });
});

test('an idle pCPU of the affinity is to blame even where the vCPU never ran', async () => {
  const idle = new TraceBuilder()
    .window(0)
    .runstate(T0, 1, 0, 'runnable', 'running')
    .runstate(T0 + 100, 2, 0, 'blocked', 'runnable')
    .runstate(T0 + 300, 1, 0, 'running', 'blocked')
    .runstate(T0 + 300, 2, 0, 'runnable', 'running')
    .window(1)
    .runstate(T0, 32767, 1, 'runnable', 'running')
    .bytes();
  const blamed = async (pcpus?: number[]) => {
    const domainParameters = new Map(pcpus === undefined ? [] : [[2, { pcpus }]]);
    const { rows } = await analyze(idle, { endNs: 400, domainParameters });
    return rows('blame').map(({ dom, turn_ns, idle_ns }) => [dom, turn_ns, idle_ns]);
  };
  expect(await blamed()).toEqual([[2, 200, 0]]);
  expect(await blamed([0])).toEqual([[2, 200, 0]]);
  expect(await blamed([0, 1, 7])).toEqual([[2, 0, 200]]);
});

test('every pass bears every selection, on a real trace', async () => {
  const path = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
  const selections: Selection[] = [
    { fromNs: 5e8, toNs: 6e8 },
    { fromNs: 1e15 },
    { pcpus: new Set([7]) },
    { vcpus: new VcpuSelection([99], []) },
  ];
  for (const selection of selections) {
    const { analysis } = await analyze(path, { selection, analyses });
    for (const { name, columns, rows } of analysis.tables) {
      for (const row of rows) {
        for (const [index, { name: column, type }] of columns.entries()) {
          const cell = row[index];
          if (cell === null || type === 'string') continue;
          if (
            !Number.isFinite(cell) ||
            (column === 'coverage' && !(Number(cell) >= 0 && Number(cell) <= 1 + 1e-12))
          )
            expect.fail(`${name}.${column} is ${cell}`);
        }
      }
    }
  }
});
