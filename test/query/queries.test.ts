/**
 * The queries of docs/queries.md, on a simulated and on a real trace: what SQL computes from the rows of the tables is what
 * the passes of the analysis computed from the records.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyzeTrace, type ResultTable } from '../../src/analysis/index.ts';
import { openTrace, type TraceReader } from '../../src/decoder/index.ts';
import { loadCatalog } from '../../src/format/index.ts';
import { loadTables, sqlTables, TraceDatabase, tablesNamedIn } from '../../src/query/index.ts';
import { resultRows } from '../../src/report/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { documentedQueries } from './documented-queries.ts';
import { withoutDuckdb } from './find-duckdb.ts';

type Row = Record<string, unknown>;
type Results = ReadonlyMap<string, Row[]>;
const samples = join(import.meta.dirname, '../../samples');
const queries = documentedQueries();

test('there are ten', () => {
  expect(queries.size).toBe(10);
});

/** By title: rows of the query, put as those of the analysis, and these. */
const CHECKS: Record<string, (rows: Row[], results: Results, reader: TraceReader) => [Row[], Row[]]> = {
  'How long each vCPU waited': (rows, results) => {
    const columns = ['label', 'cause', 'waits', 'wait_ns_p50', 'wait_ns_p99', 'wait_ns_max', 'wait_ns_total'];
    const expected = of(results, 'waits').filter(({ count }) => count !== 0);
    return [sorted(pick(rows, columns)), sorted(pick(renamed(expected, { count: 'waits' }), columns))];
  },
  'The longest waits, and who ran meanwhile': (rows, results) => {
    const columns = ['label', 'cause', 'start_ns', 'wait_ns', 'to_pcpu', 'ran_ns'];
    return [pick(rows, columns), pick(of(results, 'worst_waits'), columns)];
  },
  'Where the time of each vCPU went': (rows, results) => {
    const columns = ['label', 'running_ns', 'runnable_ns', 'throttled_ns', 'blocked_ns'];
    const withZeros = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? 0])),
    );
    return [sorted(pick(withZeros, columns)), sorted(pick(of(results, 'runstates'), columns))];
  },
  'Whom each vCPU waited for most': (rows, results) => {
    const found = rows.map((row) => {
      return { label: row.label, share: row.share, most: row.blamed_ns };
    });
    const largest = of(results, 'blame').filter(({ wait_ns_total }) => wait_ns_total !== 0);
    const expected = largest.map(({ label, top_share, wait_ns_total }) => {
      return { label, share: top_share, most: Math.round((top_share as number) * (wait_ns_total as number)) };
    });
    return [sorted(found.filter(({ most }) => most !== 0)), sorted(expected)];
  },
  'Who got less than its share': (rows, results) => {
    const columns = ['dom', 'weight', 'cap_percent', 'share', 'entitled_share', 'share_error', 'lag_ns_max'];
    return [sorted(pick(rows, columns)), sorted(pick(of(results, 'fairness'), columns))];
  },
  'Which tasks missed deadlines': (rows, results) => {
    const columns = [
      ...['label', 'task', 'released', 'completed', 'missed', 'miss_ratio'],
      ...['response_ns_max', 'tardiness_ns_max'],
    ];
    return [sorted(pick(rows, columns)), sorted(pick(of(results, 'deadlines'), columns))];
  },
  'How busy each pCPU was, and with what': (rows, results) => {
    const columns = ['pcpu', 'busy_ns', 'idle_ns'];
    return [pick(rows, columns), pick(of(results, 'pcpus'), columns)];
  },
  'How often each vCPU moved to another pCPU': (rows, results) => {
    return [
      sorted(pick(rows, ['label', 'migrations'])),
      sorted(
        pick(
          of(results, 'runstates').filter(({ running_ns }) => running_ns !== 0),
          ['label', 'migrations'],
        ),
      ),
    ];
  },
  'Which events the trace is made of': (rows, _results, reader) => {
    const { byLayout, spanNs } = reader.counts();
    const counts = new Map<string, number>();
    for (const layout of reader.catalog.layouts) {
      const count = layout ? byLayout[layout.index] : 0;
      if (layout && count > 0) counts.set(layout.event.name, (counts.get(layout.event.name) ?? 0) + count);
    }
    const expected = [...counts].map(([event, records]) => {
      return { event, records, per_s: (records * 1e9) / spanNs };
    });
    return [sorted(rows), sorted(expected)];
  },
  'What each domain got, window by window': (rows, results) => {
    const sums = new Map<unknown, number>();
    for (const { dom, run_ns } of rows) sums.set(dom, (sums.get(dom) ?? 0) + (run_ns as number));
    const found = [...sums].map(([dom, run_ns]) => ({ dom, run_ns }));
    const windows = new Set(rows.map(({ window_start_ns }) => window_start_ns));
    expect(windows.size).toBeGreaterThan(10);
    const expected = pick(of(results, 'fairness'), ['dom', 'run_ns']).filter(({ run_ns }) => run_ns !== 0);
    return [sorted(found), sorted(expected)];
  },
};

describe.skipIf(withoutDuckdb !== undefined).each(['simulated', 'real'])('on a %s trace', (kind) => {
  let folder: string;
  let database: TraceDatabase;
  let reader: TraceReader;
  let results: Results;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'xenscope-queries-'));
    const path = kind === 'real' ? join(samples, 'traces/credit-caps.trace') : join(folder, 'busy.trace');
    if (kind !== 'real') runCli(['record', join(samples, 'busy-host.yaml'), '-o', path]);
    const tables = sqlTables(loadCatalog());
    database = await TraceDatabase.open(tables, folder);
    reader = await openTrace(path);
    const domainParameters = new Map([[1, { weight: 128, cap: 30 }]]);
    const named = tablesNamedIn([...queries.values()].join(';'), tables);
    await loadTables(database, reader, named, folder, { domainParameters });
    results = resultsOf(analyzeTrace(await reader.reopen(), { domainParameters }).tables);
  }, 120_000);
  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([...queries])('%s', async (title, sql) => {
    await database.check(sql);
    const [found, expected] = CHECKS[title](labelled(await rowsOf(database, sql)), results, reader);
    expect(expected.length > 0 || (kind === 'real' && title.includes('deadlines'))).toBe(true);
    expect(found).toEqual(expected);
  });
});

async function rowsOf(database: TraceDatabase, sql: string): Promise<Row[]> {
  const { columns, pieces } = await database.run(sql);
  const rows: Row[] = [];
  for await (const piece of pieces) {
    for (const row of piece) {
      rows.push(Object.fromEntries(columns.map(({ name }, index) => [name, plain(row[index])])));
    }
  }
  return rows;
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function resultsOf(tables: readonly ResultTable[]): Results {
  return new Map(tables.map((table) => [table.name, labelled(resultRows(table))]));
}

function of(results: Results, name: string): Row[] {
  const rows = results.get(name);
  if (!rows) throw new Error(`no result ${name}`);
  return rows;
}

/** With a label where there is none, as the tables have. */
function labelled(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    'label' in row || !('vcpu' in row) ? row : { label: `d${row.dom}v${row.vcpu}`, ...row },
  );
}

function pick(rows: readonly Row[], columns: readonly string[]): Row[] {
  return rows.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])));
}

function renamed(rows: readonly Row[], names: Record<string, string>): Row[] {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [names[key] ?? key, value])),
  );
}

/** By their first columns; the order of those that are equal by the query's own is not told. */
function sorted(rows: readonly Row[]): Row[] {
  const key = (row: Row) => Object.values(row).slice(0, 2).join(' ');
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
