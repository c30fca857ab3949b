/**
 * The notebooks of samples/notebooks, run from their first cell to their last: what they make of the Arrow files is what
 * the analysis found, and their charts have something to show.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli, scratchFolder } from '../cli/run-cli.ts';
import { findPython, type Python, runPython } from '../interop/python.ts';

const root = resolve(import.meta.dirname, '../..');
const notebook = (name: string) => join(root, 'samples/notebooks', `${name}.ipynb`);
const scratch = scratchFolder();
const TABLES = ['percentiles', 'fairness', 'deadlines'];

type Row = Record<string, unknown>;
let expected: Record<string, Row[]>;
beforeAll(() => {
  const busy = scratch.path('busy.trace');
  const scenario = join(root, 'samples/busy-host.yaml');
  expect(runCli(['record', scenario, '-o', busy]).status).toBe(0);
  const real = join(root, 'samples/traces/credit-caps.trace');
  const analyzed = (words: string[]): Record<string, Row[]> => {
    return JSON.parse(
      runCli(['analyze', ...words, '--only', 'waits,fairness,deadlines', '-f', 'json']).stdout,
    );
  };
  const simulated = analyzed([busy, '--scenario', scenario]);
  const both: [string, Record<string, Row[]>][] = [
    ['simulated', simulated],
    ['real', analyzed([real, '--weights', '1=128,2=256,3=512', '--caps', '2=30,3=40'])],
  ];
  const label = ({ dom, vcpu }: Row) => `d${dom}v${vcpu}`;
  expected = {
    percentiles: both.flatMap(([trace, { waits }]) =>
      waits
        .filter(({ count }) => count !== 0)
        .map((row) => ({
          ...{ trace, label: label(row), cause: row.cause, count: row.count, p50_ns: row.wait_ns_p50 },
          ...{ p95_ns: row.wait_ns_p95, p99_ns: row.wait_ns_p99, max_ns: row.wait_ns_max },
        })),
    ),
    fairness: both.flatMap(([trace, { fairness }]) =>
      fairness.map(({ dom, weight, cap_percent, share, entitled_share, share_error }) => {
        return { trace, dom, weight, cap_percent, share, entitled_share, share_error };
      }),
    ),
    deadlines: simulated.deadlines.map((row) => {
      const { task, released, completed, missed, response_ns_max } = row;
      return { label: label(row), task, released, completed, missed, response_ns_max };
    }),
  };
});
afterAll(() => scratch.remove());

function check(tables: Record<string, Row[]>): void {
  const key = ({ trace, label, cause, dom }: Row) => [trace, label, cause, dom].join();
  const sorted = (rows: Row[]) => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  expect(Object.keys(tables).sort()).toEqual([...TABLES].sort());
  for (const name of TABLES) {
    const close = sorted(expected[name]).map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, value]) => {
          const isFraction = typeof value === 'number' && !Number.isInteger(value);
          return [column, isFraction ? expect.closeTo(value, 12) : value];
        }),
      ),
    );
    expect(sorted(tables[name]), name).toEqual(close);
  }
  expect(expected.deadlines[0].missed).toBeGreaterThan(0);
}

describe('the Python notebook', () => {
  let python: Python;
  beforeAll(() => {
    python = findPython();
  }, 400_000);

  test('finds what analyze finds, and draws it', (context) => {
    process.env.OUT = scratch.path('python');
    const script = join(import.meta.dirname, 'run_notebook.py');
    const { tables, charts } = runPython<{ tables: Record<string, Row[]>; charts: number[][][] }>(
      python,
      context,
      [script, notebook('python'), ...TABLES],
    );
    check(tables);
    // Lines, points, bars: a line a vCPU; two bars a domain; all completed jobs, and the deadline.
    expect(charts).toEqual([
      [
        [6, 0, 0],
        [6, 0, 0],
      ],
      [
        [expect.any(Number), 0, 8],
        [expect.any(Number), 0, 10],
      ],
      [[1, expected.deadlines[0].completed, 0]],
    ]);
  });
});

describe('the JavaScript notebook', () => {
  test('finds what analyze finds, and draws it', () => {
    const words = [join(import.meta.dirname, 'run-notebook.mjs'), notebook('javascript'), ...TABLES];
    const { stdout, stderr, status } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      env: { ...process.env, OUT: scratch.path('javascript') },
      maxBuffer: 1 << 28,
    });
    expect([status, stderr.includes('Error')]).toEqual([0, false]);
    const { tables, shown } = JSON.parse(stdout);
    check(tables);
    const [cdf, table, bars, deadlines] = shown.map((bundle: Row) => Object.values(bundle)[0]);
    for (const spec of [cdf, bars, deadlines]) expect(spec.$schema).toMatch(/vega-lite\/v5\.json$/);
    const waits = expected.percentiles.reduce((sum, { count }) => sum + (count as number), 0);
    expect(cdf.data.values).toHaveLength(waits);
    expect(cdf.data.values.every(({ share }: Row) => (share as number) > 0 && (share as number) <= 1)).toBe(
      true,
    );
    expect(table.split('\n')).toHaveLength(2 + expected.fairness.length);
    expect(bars.data.values).toEqual(tables.fairness);
    const missed = deadlines.data.values.filter(({ outcome }: Row) => outcome === 'missed');
    expect(missed).toHaveLength(expected.deadlines[0].missed as number);
  });

  test('names the version of apache-arrow that is tested here', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(readFileSync(notebook('javascript'), 'utf8')).toContain(
      `npm:apache-arrow@${dependencies['apache-arrow']}`,
    );
  });
});

test.each(['python', 'javascript'])('%s.ipynb is kept without output', (name) => {
  const { cells, nbformat } = JSON.parse(readFileSync(notebook(name), 'utf8'));
  expect(nbformat).toBe(4);
  const code = cells.filter(({ cell_type }: Row) => cell_type === 'code');
  expect(code.length).toBeGreaterThan(5);
  expect(
    code.every(({ outputs, execution_count }: Row) => String(outputs) === '' && execution_count === null),
  ).toBe(true);
});
