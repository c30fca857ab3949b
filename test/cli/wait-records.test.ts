/** The records around the longest waits, for people and for programs. */
import { describe, expect, test } from 'vitest';
import { analyzeTrace, type ResultTable } from '../../src/analysis/index.ts';
import { readWaitRecords, renderWaitRecords, waitRecordsTable } from '../../src/cli/wait-records.ts';
import { openTrace } from '../../src/decoder/index.ts';
import { MS, waitsExample } from '../analysis/waits-example.ts';
import { TraceBuilder } from '../support/trace-builder.ts';

async function waitRecords(count: number, tables?: readonly ResultTable[], trace = waitsExample()) {
  const reader = await openTrace(trace, { cpuHz: 1e9 });
  const analysis = analyzeTrace(reader);
  const counts = reader.counts();
  const records = await readWaitRecords(reader, tables ?? analysis.tables, count);
  expect(reader.counts()).toEqual(counts);
  reader.close();
  return { catalog: reader.catalog, records };
}

describe('the records around the longest waits', () => {
  test('are those of its pCPUs and of its vCPU, in four parts', async () => {
    const { catalog, records } = await waitRecords(2);
    const { rows, columns } = waitRecordsTable(catalog, records);
    expect(columns.map(({ name }) => name)).toEqual(['rank', 'part', 't_ns', 'pcpu', 'event', 'fields']);
    expect(rows.filter(([rank]) => rank === 1)).toEqual([
      [1, 'before', 4 * MS, 0, 'TRC_SCHED_RUNSTATE_CHANGE_running_runnable', 'vcpu=0 dom=1'],
      [1, 'before', 4 * MS, 0, 'TRC_SCHED_RUNSTATE_CHANGE_runnable_running', 'vcpu=0 dom=2'],
      [1, 'after', 10 * MS, 0, 'TRC_RTDS_BUDGET_BURN', expect.stringContaining('vcpu=0 dom=2 budget_ns=0')],
      [1, 'after', 10 * MS, 0, 'TRC_SCHED_RUNSTATE_CHANGE_running_runnable', 'vcpu=0 dom=2'],
    ]);
    const second = rows
      .filter(([rank]) => rank === 2)
      .map(([, part, tNs, pcpu]) => [part, Number(tNs) / MS, pcpu]);
    expect(second).toEqual([
      ['before', 10, 0],
      ['before', 10, 0],
      ['begun', 14, 0],
      ['after', 16, 1],
      ['after', 16, 1],
    ]);
  });

  test('read as a story', async () => {
    const { catalog, records } = await waitRecords(1);
    expect(renderWaitRecords(catalog, records.slice(0, 2))).toBe(`\
Records around the longest waits
--------------------------------
1. d1v0 waited 6 ms after preempt, on p0
     0.004000000  p0     d2v0        TRC_SCHED_RUNSTATE_CHANGE_runnable_running
    ... it waits for 6 ms; d2v0 runs for 6 ms of it
     0.010000000  p0     d2v0        TRC_RTDS_BUDGET_BURN           budget_ns=0 delta_ns=6000000 priority_level=0 has_extratime=0

2. d2v0 waited 6 ms after preempt, from p0 to p1
     0.010000000  p0     d1v0        TRC_SCHED_RUNSTATE_CHANGE_runnable_running
     0.014000000  p0     d2v0        TRC_RTDS_BUDGET_REPLENISH      priority_level=0 deadline_ns=34000000 budget_ns=6000000
    ... it waits for 6 ms; d3v0 runs for 6 ms of it
     0.016000000  p1     d3v0        TRC_SCHED_RUNSTATE_CHANGE_running_runnable
`);
  });

  test('show who woke it on another pCPU, and nothing else of that pCPU', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(1000, 1, 0, 'running', 'blocked')
      .window(2)
      .record(0x28004, 1500, [1, 0])
      .runstate(1501, 1, 0, 'blocked', 'runnable')
      .record(0x22006, 1502, [1])
      .window(1)
      .runstate(1900, 1, 0, 'runnable', 'running')
      .bytes();
    const { catalog, records } = await waitRecords(4, undefined, trace);
    const cells = waitRecordsTable(catalog, records).rows.map((row) => row.slice(1, 5));
    expect(cells).toEqual([
      ['before', 0, 0, 'TRC_SCHED_RUNSTATE_CHANGE_running_blocked'],
      ['before', 500, 2, 'TRC_SCHED_WAKE'],
      ['before', 501, 2, 'TRC_SCHED_RUNSTATE_CHANGE_blocked_runnable'],
      ['after', 900, 1, 'TRC_SCHED_RUNSTATE_CHANGE_runnable_running'],
    ]);
  });

  test('are none without the table of the longest waits, or without waits', async () => {
    expect((await waitRecords(2, [])).records).toEqual([]);
  });
});
