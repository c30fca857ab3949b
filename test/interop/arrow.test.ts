/**
 * Our Arrow files in the hands of readers that share no code with the writer: pyarrow (C++), pandas, polars (Rust) and
 * Flechette (JavaScript). Reading them back with the library that wrote them would hide its mistakes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { EventCatalog } from '../../src/format/index.ts';
import { tableSpecs } from '../../src/tables/index.ts';
import { BATCH_ROWS, exampleRecords, LATE_NS, RESULT, ROWS, TSC, writeExample } from './example.ts';
import { findPython, type Python, runPython } from './python.ts';

let folder: string;
let paths: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenscope-interop-'));
  paths = writeExample(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** From Xen's public trace.h. */
const NAMES: Record<number, string> = {
  126978: 'TRC_TRACE_WRAP_BUFFER',
  135425: 'TRC_SCHED_RUNSTATE_CHANGE_runnable_running',
  163846: 'TRC_SCHED_BLOCK',
  180150000: 'unknown',
};

const records = exampleRecords();
/** What every reader must find: integers as text, absent values null. */
const expected = {
  t_ns: records.map(({ tsc }) => (tsc === undefined ? null : String(tsc - TSC))),
  tsc: records.map(({ tsc }) => (tsc === undefined ? null : String(tsc))),
  pcpu: records.map(({ pcpu }) => String(pcpu)),
  event: records.map(({ event }) => NAMES[event]),
  words: records.map(({ words }) => words?.map(String)),
};

interface Found {
  readonly types: Record<string, string>;
  readonly columns: Record<string, unknown[]>;
  readonly docs: Record<string, string>;
  readonly metadata: Record<string, string>;
  readonly batches: number[];
}

function checkRecords({ columns }: Pick<Found, 'columns'>): void {
  expect(columns.t_ns).toHaveLength(ROWS);
  for (const [name, values] of Object.entries(expected)) expect(columns[name]).toEqual(values);
  expect(columns.t_ns.at(-1)).toBe(String(LATE_NS));
  expect([columns.dom.at(-1), columns.vcpu.at(-1)]).toEqual(['9', '4']);
}

describe('in Python', () => {
  let python: Python;
  beforeAll(() => {
    python = findPython();
  }, 300_000);

  function read(reader: string, context: TestContext, names: readonly string[]): Record<string, Found> {
    const script = join(import.meta.dirname, 'read_arrow.py');
    const words = [script, reader, ...names.map((name) => paths[name])];
    const found = runPython<Record<string, Found>>(python, context, words);
    return Object.fromEntries(names.map((name) => [name, found[paths[name]]]));
  }

  test('pyarrow finds every value, the types, the names, the batches and the metadata', (context) => {
    const found = read('pyarrow', context, Object.keys(paths));
    checkRecords(found.records);
    checkRecords(found.stream);
    expect(found.records.types).toEqual({
      t_ns: 'int64',
      tsc: 'uint64',
      pcpu: 'uint16',
      event: 'dictionary<values=string, indices=int16, ordered=0>',
      event_id: 'uint32',
      dom: 'uint16',
      vcpu: 'uint16',
      words: 'list<word: uint32 not null>',
    });
    expect(found.records.batches).toEqual([BATCH_ROWS, BATCH_ROWS, 100]);
    expect(found.records.metadata).toMatchObject({
      cpu_hz: '1000000000',
      tsc_start: String(TSC),
      table: 'records',
    });
    const specs = tableSpecs(EventCatalog.builtIn());
    for (const name of ['records', 'sched_core', 'waits']) {
      const docs = specs
        .find((spec) => spec.name === name)
        ?.columns.map((column) => [column.name, column.doc]);
      expect(found[name].docs).toEqual(Object.fromEntries(docs ?? []));
    }
    expect(found.waits.columns.wait_ns).toEqual([]);
    expect(found.none.columns.words).toEqual([]);
    expect(found.result.columns).toEqual({
      vcpu: RESULT.rows.map(([vcpu]) => vcpu),
      wait_ns_max: ['9007199254740991', null, '-5', '0'],
      share: ['0.1', null, '1e+300', '0.0'],
    });
  });

  test('pandas gets exact integers where there are nulls, and categories', (context) => {
    const found = read('pandas', context, ['records', 'sched_core', 'waits', 'none']);
    checkRecords(found.records);
    const { types } = found.records;
    expect([types.t_ns, types.tsc, types.event, types.dom]).toEqual([
      'Int64',
      'UInt64',
      'category',
      'UInt16',
    ]);
    expect(found.waits.types).toMatchObject({ cause: 'category', wait_ns: 'int64', from_pcpu: 'UInt16' });
    const changes = found.sched_core.columns.runstate_to;
    expect(changes.slice(0, 2)).toEqual(['running', 'running']);
    expect(changes.at(-1)).toBeNull();
  });

  test('polars reads the file, mapped or not, and the stream', (context) => {
    const found = read('polars', context, ['records', 'stream', 'sched_core', 'waits', 'meta', 'none']);
    checkRecords(found.records);
    checkRecords(found.stream);
    const { types } = found.records;
    expect([types.t_ns, types.tsc, types.event]).toEqual(['Int64', 'UInt64', 'Categorical']);
    expect(found.sched_core.columns.runstate_from.slice(0, 2)).toEqual(['runnable', 'runnable']);
    expect(found.meta.columns.key).toContain('cpu_hz');
  });
});

test('Flechette, a reader in JavaScript with no code of apache-arrow in it, finds every value', async (context) => {
  const name = '@uwdata/flechette';
  const flechette = await import(name).catch(() => undefined);
  if (!flechette) return context.skip(`${name} is not installed`);
  for (const file of ['records', 'stream']) {
    const table = flechette.tableFromIPC(readFileSync(paths[file]), { useBigInt: true });
    const columns: Record<string, unknown[]> = {};
    for (const column of table.names) columns[column] = Array.from(table.getChild(column), text);
    checkRecords({ columns });
  }
});

function text(value: unknown): unknown {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'object') return Array.from(value as Iterable<unknown>, text);
  return String(value);
}
