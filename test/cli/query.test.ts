import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutDuckdb } from '../query/find-duckdb.ts';
import { MAIN, runCli, scratchFolder } from './run-cli.ts';

const root = resolve(import.meta.dirname, '../..');
const REAL = join(root, 'samples/traces/credit-caps.trace');
const scratch = scratchFolder();
const busy = scratch.path('busy.trace');
const fleet = scratch.path('fleet');
beforeAll(() => {
  expect(runCli(['record', join(root, 'samples/busy-host.yaml'), '-o', busy]).status).toBe(0);
});
afterAll(() => scratch.remove());

describe.skipIf(withoutDuckdb !== undefined)('query', () => {
  const told = new Map<string, Record<string, Record<string, unknown>[]>>();
  /** As analyze tells it. */
  function analyzed(trace: string, result: string): Record<string, unknown>[] {
    if (!told.has(trace)) told.set(trace, JSON.parse(runCli(['analyze', trace, '--format', 'json']).stdout));
    return told.get(trace)?.[result] as Record<string, unknown>[];
  }

  test('prints JSON, CSV and text', () => {
    const sql =
      "select rank, dom, 'd' || dom || ',' || vcpu as name, wait_ns, [1, null] as list from worst_waits limit 2";
    const [first, second] = analyzed(busy, 'worst_waits').map(({ dom, vcpu, wait_ns }) => ({
      dom,
      vcpu,
      wait_ns,
    }));
    expect(JSON.parse(runCli(['query', busy, sql, '--format', 'json']).stdout)).toEqual([
      {
        rank: 1,
        dom: first.dom,
        name: `d${first.dom},${first.vcpu}`,
        wait_ns: first.wait_ns,
        list: [1, null],
      },
      {
        rank: 2,
        dom: second.dom,
        name: `d${second.dom},${second.vcpu}`,
        wait_ns: second.wait_ns,
        list: [1, null],
      },
    ]);
    expect(runCli(['query', busy, sql, '-f', 'csv']).stdout.split('\r\n').slice(0, 2)).toEqual([
      'rank,dom,name,wait_ns,list',
      `1,${first.dom},"d${first.dom},${first.vcpu}",${first.wait_ns},"[1, NULL]"`,
    ]);
    expect(runCli(['query', busy, sql]).stdout.split('\n').slice(0, 2)).toEqual([
      'rank  dom  name    wait_ns  list',
      `   1    ${first.dom}  d${first.dom},${first.vcpu}  ${first.wait_ns}  [1, NULL]`,
    ]);
  });

  test('keeps all digits of TSCs and of sums, and shows what is absent', () => {
    const sql =
      'select 18446744073709551615::ubigint as big, null as nothing, 1.50::decimal(4, 2) as price, true as yes';
    const { stdout } = runCli(['query', busy, sql, '-f', 'json']);
    expect(stdout).toBe(
      '[\n  {"big": 18446744073709551615, "nothing": null, "price": 1.50, "yes": true}\n]\n',
    );
    expect(runCli(['query', busy, sql, '-f', 'csv']).stdout).toBe(
      'big,nothing,price,yes\r\n18446744073709551615,,1.50,true\r\n',
    );
    expect(runCli(['query', busy, 'select 1 as x where false', '-f', 'json']).stdout).toBe('[]\n');
  });

  test('reads a pipe, also where tables and results both are asked for, and a query from a file', () => {
    const file = scratch.path('join.sql');
    writeFileSync(
      file,
      'select count(*)::int as n, max(a.count) as most from waits w join analysis.waits a using (dom, vcpu, cause)',
    );
    const { stdout, status } = runCli(['query', '-', '--file', file, '-f', 'json'], readFileSync(busy));
    const counts = analyzed(busy, 'waits').map(({ count }) => count as number);
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      [{ n: counts.reduce((sum, count) => sum + count, 0), most: Math.max(...counts) }],
    ]);
  });

  test('judges fairness by what the domains were promised, as analyze does', () => {
    const promised = ['--scenario', join(root, 'samples/busy-host.yaml')];
    const sql = 'select dom, weight, entitlement_ns from fairness order by dom';
    const { stdout } = runCli(['analyze', busy, ...promised, '--format', 'json']);
    const expected = JSON.parse(stdout).fairness.map((row: Record<string, number>) => {
      return { dom: row.dom, weight: row.weight, entitlement_ns: row.entitlement_ns };
    });
    expect(expected[1].weight).toBe(512);
    expect(JSON.parse(runCli(['query', busy, sql, ...promised, '-f', 'json']).stdout)).toEqual(expected);
  });

  test('runs a script, and writes files from SQL', () => {
    const parquet = scratch.path('waits.parquet');
    const { status } = runCli(['query', busy, `copy (select * from waits) to '${parquet}'`]);
    expect(status).toBe(0);
    const sql = `create temp table t as select * from waits; select count(*) = (select count(*) from '${parquet}') as same from t`;
    expect(runCli(['query', busy, sql, '-f', 'csv']).stdout).toBe('same\r\ntrue\r\n');
  });

  test('long results come out whole, lined up in pages', () => {
    const { stdout } = runCli(['query', busy, 'select t_ns, event from records']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1 + 16_833);
    expect(lines.filter((line) => line.includes('event'))).toHaveLength(1);
  });

  test('reads a folder of exported traces as one table', () => {
    expect(runCli(['export', busy, REAL, '--to', 'parquet', '-o', fleet]).status).toBe(0);
    const sql = 'select run, count(*) as n from waits group by run order by run';
    const count = (trace: string) =>
      analyzed(trace, 'waits').reduce((sum, { count: waits }) => sum + (waits as number), 0);
    expect(JSON.parse(runCli(['query', fleet, sql, '-f', 'json']).stdout)).toEqual([
      { run: 'busy', n: count(busy) },
      { run: 'credit-caps', n: count(REAL) },
    ]);
    const both = 'select host, run, dom, vcpu, top_culprit from blame where run = $$busy$$ and dom = 4';
    expect(JSON.parse(runCli(['query', fleet, both, '-f', 'json']).stdout)).toEqual([
      expect.objectContaining({ run: 'busy', dom: 4, top_culprit: expect.stringMatching(/^d\dv\d$/) }),
    ]);
    // No trace of this fleet has records of RTDS: the table is there all the same.
    expect(runCli(['query', fleet, 'select host, budget_ns from rtds', '-f', 'csv']).stdout).toBe(
      'host,budget_ns\r\n',
    );
  });

  test('says in a sentence what is wrong, and leaves no files behind', () => {
    const before = readdirSync(process.env.TMPDIR ?? '/tmp').filter((name) =>
      name.startsWith('xenscope-query-'),
    );
    const cases: [string[], RegExp][] = [
      [['query'], /missing the trace to query/],
      [['query', busy], /missing the query \(for example/],
      [['query', busy, 'select nope from waits'], /Binder Error: Referenced column "nope"/],
      [['query', root, 'select 1'], /has no tables of traces \(export TRACE/],
      [['query', '--list', 'wait'], /there is no table "wait" \(did you mean "waits"\?\)/],
      [['query', busy, 'select cast(label as int) from waits'], /Conversion Error/],
    ];
    for (const [words, message] of cases) {
      const { status, stderr, stdout } = runCli(words);
      expect([status, stdout], words.join(' ')).toEqual([2, '']);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('internal error');
    }
    const after = readdirSync(process.env.TMPDIR ?? '/tmp').filter((name) =>
      name.startsWith('xenscope-query-'),
    );
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });

  test('tells of a damaged trace by its exit code', () => {
    const cut = scratch.path('cut.trace');
    writeFileSync(cut, readFileSync(busy).subarray(0, 200_001));
    const { status, stderr, stdout } = runCli([
      'query',
      cut,
      'select count(*) as n from records',
      '-f',
      'csv',
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('xenscope: ');
    expect(Number(stdout.split('\r\n')[1])).toBeGreaterThan(5000);
  });
});

test('query --list shows tables, results and their columns', () => {
  const all = runCli(['query', '--list']).stdout;
  expect(all).toMatch(/^waits: Every completed wait.*\n {4}dom, vcpu, label, cause,/m);
  expect(all).toMatch(/^analysis\.blame: .*\n {4}dom, vcpu, waits, wait_ns_total,/m);
  expect(runCli(['query', '--list', 'jobs']).stdout).toMatch(/^ {4}missed +BOOLEAN +Whether it was/m);
  expect(runCli(['query', '--list', 'waits']).stdout).toMatch(/^waits: [\s\S]*^analysis\.waits: /m);
});

test.each([
  [
    {},
    /^xenscope: DuckDB, which runs the SQL, is not installed \(npm install \S+ @duckdb\/node-api@[\d.r-]+ in /,
  ],
  [
    { WITHOUT_BINARY: '1' },
    /^xenscope: DuckDB, which runs the SQL, has no binary for \w+-\w+ here \(npm install/,
  ],
])('without DuckDB a sentence says how to get it', (env, sentence) => {
  const words = ['--import', join(root, 'test/query/no-duckdb.mjs'), MAIN];
  const { status, stderr } = spawnSync(process.execPath, [...words, 'query', busy, 'select 1'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  expect([status, stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
  expect(stderr).toMatch(sentence);
});
