/**
 * Our Parquet files in the hands of readers that share no code with the writer: pyarrow and DuckDB, both in C++.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyzeTrace } from '../../src/analysis/index.ts';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { exportTrace } from '../../src/export/parquet.ts';
import { ParquetTables } from '../../src/export/parquet-tables.ts';
import { resultTableToArrow, type WrittenTable, writeTables } from '../../src/tables/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { fakeSource } from '../tables/fake-source.ts';
import { exampleRecords } from './example.ts';
import { findPython, type Python, runPython } from './python.ts';

const REAL = join(import.meta.dirname, '..', '..', 'samples', 'traces', 'credit-caps.trace');
const SCRIPT = join(import.meta.dirname, 'read_parquet.py');
/** What is special in a path, and what looks like a date: both must come back as they are. */
const REAL_PLACE = { host: "a/b=1 é'%", run: '2024-01-02' };
const SMALL_PLACE = { host: 'b', run: '10' };

let folder: string;
let python: Python;
let arrow: WrittenTable[];
let real: readonly string[];
let waitsOfReal: number;
beforeAll(async () => {
  python = findPython();
  folder = mkdtempSync(join(tmpdir(), 'xenscope-parquet-'));
  const forArrow = await openTrace(REAL);
  arrow = writeTables(forArrow, join(folder, 'arrow'));
  waitsOfReal = arrow.find(({ name }) => name === 'waits')?.rows ?? 0;
  forArrow.close();
  for (const table of analyzeTrace(await openTrace(REAL)).tables) {
    const path = join(folder, 'arrow', `analysis-${table.name}.arrow`);
    writeFileSync(path, resultTableToArrow(table, { format: 'file' }));
  }
  real = await exportTrace(await openTrace(REAL), join(folder, 'fleet'), REAL_PLACE, {});
  await exportTrace(await openTrace(smallTrace()), join(folder, 'fleet'), SMALL_PLACE, {});
}, 400_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** d2v0 wakes at 150 and waits 50 ns, while d1v0 runs; then d1v0 waits 150 ns. */
function smallTrace(): Uint8Array {
  return new TraceBuilder()
    .window(0)
    .runstate(100, 32767, 0, 'running', 'runnable')
    .runstate(100, 1, 0, 'runnable', 'running')
    .runstate(150, 2, 0, 'blocked', 'runnable')
    .runstate(200, 1, 0, 'running', 'runnable')
    .runstate(200, 2, 0, 'runnable', 'running')
    .runstate(350, 2, 0, 'running', 'blocked')
    .runstate(350, 1, 0, 'runnable', 'running')
    .bytes();
}

interface Same {
  readonly rows: number;
  readonly equal: boolean;
  readonly docs: boolean;
  readonly metadata: boolean;
  readonly created_by: string;
  readonly footer: Record<string, string>;
}

describe('an exported folder', () => {
  test('has a file for each table and each result, and nothing that is not complete', () => {
    const files = readdirSync(join(folder, 'fleet'), { recursive: true }).map(String);
    expect(files.filter((name) => name.endsWith('.partial'))).toEqual([]);
    expect(real.every(existsSync)).toBe(true);
    expect(real.filter((path) => !path.includes('/analysis/'))).toHaveLength(arrow.length);
    expect(files).toContain(join('waits', 'host=b', 'run=10', 'part-0.parquet'));
    expect(files).toContain(
      join('analysis', 'waits', 'host=a%2Fb%3D1%20%C3%A9%27%25', 'run=2024-01-02', 'part-0.parquet'),
    );
  });

  test('pyarrow finds in every table what it finds in the Arrow file, with docs and metadata', (context) => {
    const pairs = arrow.map(({ name, path }) => {
      return [path, real.find((file) => file.startsWith(join(folder, 'fleet', name, 'host='))) as string];
    });
    const found = runPython<Same[]>(python, context, [SCRIPT, 'same', ...pairs.flat()]);
    expect(found.map(({ equal, docs, metadata }) => equal && docs && metadata)).toEqual(
      pairs.map(() => true),
    );
    expect(found.map(({ rows }) => rows)).toEqual(arrow.map(({ rows }) => rows));
    expect(found[0].created_by).toBe('xenscope');
    expect(found[0].footer).toMatchObject({ source: REAL, cpu_hz_source: 'derived' });
  });

  test('and in every result', (context) => {
    const results = real.filter((path) => path.includes('/analysis/'));
    const pairs = results.map((path) => {
      const name = /analysis\/(\w+)\/host=/.exec(path)?.[1];
      return [join(folder, 'arrow', `analysis-${name}.arrow`), path];
    });
    const found = runPython<Same[]>(python, context, [SCRIPT, 'same', ...pairs.flat()]);
    expect(pairs.length).toBeGreaterThan(30);
    expect(found.map(({ equal, docs }) => equal && docs)).toEqual(pairs.map(() => true));
  });

  test('is one table for pyarrow and for DuckDB, partitioned by host and run', (context) => {
    const found = runPython<Record<string, unknown[][]>>(python, context, [
      SCRIPT,
      'partitions',
      join(folder, 'fleet', 'waits'),
    ]);
    for (const rows of [found.pyarrow, found.duckdb]) {
      expect(rows).toEqual([
        [REAL_PLACE.host, REAL_PLACE.run, waitsOfReal, expect.any(Number)],
        [SMALL_PLACE.host, SMALL_PLACE.run, 2, 200],
      ]);
    }
    expect(found.pyarrow).toEqual(found.duckdb);
  });
});

test('a table of many rows is several row groups, compressed, times as differences', async (context) => {
  const path = join(folder, 'big.trace');
  const generator = '../bench/generate-trace.mjs'; // Not a literal: it has no types.
  const { generateTrace } = await import(generator);
  const { records } = generateTrace(path, { records: 300_000, pcpus: 4 });
  const parquet = new ParquetTables((table) => join(folder, `${table}.parquet`));
  await parquet.writeTrace(await openTrace(path), { tables: ['records'] });
  const [file] = parquet.commit();
  // The sums by the decoder's hand.
  const reader = await openTrace(path);
  const batch = createRecordBatch();
  let [times, pcpus] = [0n, 0];
  while (reader.readBatch(batch)) {
    for (let row = 0; row < batch.count; row++) {
      times += BigInt(batch.tNs[row]);
      pcpus += batch.pcpu[row];
    }
  }
  const found = runPython<Record<string, unknown>>(python, context, [SCRIPT, 'groups', file]);
  expect(found.rows).toEqual([262_144, records - 262_144]);
  expect(found.compression).toBe('ZSTD');
  expect(found.encodings).toContain('DELTA_BINARY_PACKED');
  expect(found.pyarrow).toEqual([Number(times), pcpus]);
  expect(found.duckdb).toEqual(found.pyarrow);
}, 120_000);

test('TSCs of 64 bits, late times and records without a time survive', async (context) => {
  const source = () => fakeSource(exampleRecords(), { batchRows: 2_000 });
  const [{ path }] = writeTables(source(), join(folder, 'example'), { tables: ['records'] });
  const parquet = new ParquetTables((table) => join(folder, 'example', `${table}.parquet`));
  await parquet.writeTrace(source(), { tables: ['records'] });
  const [file] = parquet.commit();
  const [found] = runPython<Same[]>(python, context, [SCRIPT, 'same', path, file]);
  expect(found).toMatchObject({ equal: true, rows: exampleRecords().length });
});

describe('an export that fails', () => {
  test('leaves nothing behind that looks finished, and says what is in the way', async () => {
    const target = join(folder, 'broken');
    await exportTrace(await openTrace(smallTrace()), target, { host: 'h', run: 'first' }, {});
    rmSync(join(target, 'waits'), { recursive: true });
    writeFileSync(join(target, 'waits'), 'a file');
    const again = exportTrace(await openTrace(smallTrace()), target, { host: 'h', run: 'second' }, {});
    await expect(again).rejects.toThrow(/waits.*cannot be written: a part of its path is not a folder/);
    const files = readdirSync(target, { recursive: true }).map(String);
    expect(files.filter((name) => /second.*part|partial/.test(name))).toEqual([]);
  });
});

test('an export of the same place replaces it, tables that are not there any more included', async () => {
  const target = join(folder, 'again');
  const place = { host: 'h', run: 'r' };
  await exportTrace(await openTrace(REAL), target, place, {});
  const credit = join(target, 'credit', 'host=h', 'run=r', 'part-0.parquet');
  expect(existsSync(credit)).toBe(true);
  await exportTrace(await openTrace(smallTrace()), target, place, {});
  expect(existsSync(credit)).toBe(false);
  expect(existsSync(join(target, 'sched_core', 'host=h', 'run=r', 'part-0.parquet'))).toBe(true);
});
