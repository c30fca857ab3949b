/** The declared tables against what DuckDB makes of the files, and which of them a query names. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { loadCatalog } from '../../src/format/index.ts';
import {
  loadTables,
  qualifiedName,
  type SqlTable,
  sqlTables,
  TraceDatabase,
  tablesNamedIn,
} from '../../src/query/index.ts';
import { withoutDuckdb } from './find-duckdb.ts';

const REAL = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
const tables = sqlTables(loadCatalog());

describe('the tables that a query names', () => {
  test.each([
    ['select * from waits', ['waits']],
    ['SELECT * FROM Waits', ['waits']],
    ['from analysis.waits', ['analysis.waits']],
    ['from "analysis"."waits"', ['analysis.waits']],
    ['from main.waits, analysis.waits w', ['waits', 'analysis.waits']],
    ['from blame join waits using (dom)', ['analysis.blame', 'waits']],
    ['pivot runstates on state using sum(dur_ns)', ['runstates']],
    ['with x as (select * from jobs) from x', ['jobs']],
    ['select waits_by_domain.dom from waits_by_domain', ['analysis.waits_by_domain']],
    ['select 1', []],
    ["select 'nothing' as waitsome", []],
  ])('%s', (sql, names) => {
    expect(tablesNamedIn(sql, tables).map(qualifiedName).sort()).toEqual([...names].sort());
  });
});

describe.skipIf(withoutDuckdb !== undefined)('in DuckDB', () => {
  let folder: string;
  let database: TraceDatabase;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'xenscope-tables-'));
    database = await TraceDatabase.open(tables, folder);
  });
  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function described({ schema, name }: SqlTable): Promise<string[]> {
    const { pieces } = await database.run(`describe ${schema}."${name}"`);
    const columns: string[] = [];
    for await (const rows of pieces) columns.push(...rows.map(([column, type]) => `${column} ${type}`));
    return columns;
  }

  test('every table has the columns and types that were declared, before and after it is filled', async () => {
    const declared = tables.map(({ columns }) => columns.map(({ name, sqlType }) => `${name} ${sqlType}`));
    const before = [];
    for (const table of tables) before.push(await described(table));
    expect(before).toEqual(declared);
    await loadTables(database, await openTrace(REAL), tables, folder);
    const after = [];
    for (const table of tables) after.push(await described(table));
    expect(after).toEqual(declared);
    expect(tables.length).toBeGreaterThan(60);
  });

  test.each([
    ['selct 1', /Parser Error: syntax error at or near "selct"/],
    ['select nope from waits', /Binder Error: Referenced column "nope"/],
    ['select * from wait', /Table with name wait does not exist![\s\S]*query --list/],
    ['', /there is no SQL/],
    ['-- nothing', /there is no SQL/],
  ])('a mistake is told before the trace is read: %s', async (sql, message) => {
    await expect(database.check(sql)).rejects.toThrow(message);
    await expect(database.check(sql)).rejects.toMatchObject({ name: 'UserError' });
  });
});
