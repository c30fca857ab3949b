/**
 * The tables of real traces against what the decoder counted, and against laws that hold on any host.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Table } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { writeTables } from '../../src/tables/index.ts';
import { readTable } from './read-arrow.ts';

const root = join(import.meta.dirname, '..', '..');
const folders = [join(root, 'samples', 'traces'), join(root, '..', 'shared', 'traces')].filter(existsSync);
const traces = folders.flatMap((folder) => {
  return readdirSync(folder)
    .filter((name) => /\.trace(\.gz)?$/.test(name))
    .map((name) => join(folder, name));
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenscope-real-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(traces.length === 0)('real traces', () => {
  test.each(traces.map((path) => [basename(path), path]))('%s', async (_name, path) => {
    const reader = await openTrace(path);
    const written = writeTables(reader, folder);
    const counts = reader.counts();
    reader.close();
    const tables = new Map(written.map(({ name, path }) => [name, readTable(path)]));
    expect(tables.get('records')?.numRows).toBe(counts.records);
    checkClasses(tables, reader.catalog.classes, counts.byLayout);
    const lost = tables.get('lost') as Table;
    expect(sum(lost, 'count')).toBe(counts.lostRecords);
    checkOrder(tables.get('records') as Table, counts.spanNs);
    checkTiling(tables.get('runstates') as Table);
    checkAttribution(tables);
    const waits = tables.get('waits') as Table;
    expect(column(waits, 'wait_ns').every((wait) => (wait as bigint) >= 0n)).toBe(true);
    expect(written.every(({ bytes }) => bytes > 0)).toBe(true);
  });
});

function checkClasses(
  tables: ReadonlyMap<string, Table>,
  classes: readonly { name: string; events: readonly { layouts: readonly { index: number }[] }[] }[],
  byLayout: Float64Array,
): void {
  for (const { name, events } of classes) {
    const layouts = events.flatMap((event) => event.layouts);
    const rows = layouts.reduce((total, { index }) => total + byLayout[index], 0);
    expect(tables.get(name)?.numRows, name).toBe(rows === 0 ? undefined : rows);
  }
}

/** Times that are there never go back, and the last one is the trace's span. */
function checkOrder(records: Table, spanNs: number): void {
  const times = column(records, 't_ns').filter((time) => time !== null) as bigint[];
  expect(times.every((time, index) => index === 0 || time >= times[index - 1])).toBe(true);
  expect(times.at(-1) ?? 0n).toBe(BigInt(spanNs));
}

/** Each vCPU's intervals follow each other without gap or overlap. */
function checkTiling(runstates: Table): void {
  const intervals = new Map<string, { start: bigint; end: bigint }[]>();
  const labels = column(runstates, 'label') as string[];
  const starts = column(runstates, 'start_ns') as bigint[];
  const ends = column(runstates, 'end_ns') as bigint[];
  for (const [row, label] of labels.entries()) {
    const own = intervals.get(label);
    if (own) own.push({ start: starts[row], end: ends[row] });
    else intervals.set(label, [{ start: starts[row], end: ends[row] }]);
  }
  for (const own of intervals.values()) {
    own.sort((a, b) => Number(a.start - b.start || a.end - b.end));
    expect(own.every(({ start }, index) => index === 0 || start === own[index - 1].end)).toBe(true);
  }
}

/**
 * Records that name no vCPU themselves are put down to the one that the timeline, which works another way, has running
 * on their pCPU at that time; or to nobody.
 */
function checkAttribution(tables: ReadonlyMap<string, Table>): void {
  const runs = runsByPcpu(tables.get('runstates') as Table);
  for (const name of ['pv', 'hvm_entryexit']) {
    const table = tables.get(name);
    if (!table) continue;
    const [times, pcpus, doms, vcpus] = ['t_ns', 'pcpu', 'dom', 'vcpu'].map((of) => column(table, of));
    const next = new Map<unknown, number>();
    const wrong = times.filter((time, row) => {
      const own = runs.get(pcpus[row]) ?? [];
      let at = next.get(pcpus[row]) ?? 0;
      while (at < own.length && own[at].end <= (time as bigint)) at++;
      next.set(pcpus[row], at);
      const inside = at < own.length && own[at].start < (time as bigint) && doms[row] !== null;
      return inside && own[at].vcpu !== `${doms[row]}/${vcpus[row]}`;
    });
    expect(wrong, name).toEqual([]);
  }
}

/** Who ran on each pCPU, in order. */
function runsByPcpu(runstates: Table): Map<unknown, { start: bigint; end: bigint; vcpu: string }[]> {
  const names = ['state', 'pcpu', 'start_ns', 'end_ns', 'dom', 'vcpu'];
  const [states, pcpus, starts, ends, doms, vcpus] = names.map((name) => column(runstates, name));
  const runs = new Map<unknown, { start: bigint; end: bigint; vcpu: string }[]>();
  for (const [row, state] of states.entries()) {
    if (state !== 'running' || pcpus[row] === null) continue;
    const run = {
      start: starts[row] as bigint,
      end: ends[row] as bigint,
      vcpu: `${doms[row]}/${vcpus[row]}`,
    };
    const own = runs.get(pcpus[row]);
    if (own) own.push(run);
    else runs.set(pcpus[row], [run]);
  }
  for (const own of runs.values()) own.sort((a, b) => Number(a.start - b.start));
  return runs;
}

function column(table: Table, name: string): unknown[] {
  return [...(table.getChild(name) ?? [])];
}

function sum(table: Table, name: string): number {
  return column(table, name).reduce<number>((total, value) => total + Number(value), 0);
}
