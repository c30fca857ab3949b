/** What Perfetto's own trace_processor makes of an export, where it is installed: in the PATH or as TRACE_PROCESSOR. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../cli/run-cli.ts';
import { exportBytes } from './export-bytes.ts';
import { exportedTraces } from './exported-traces.ts';
import { byStart, timelineOf } from './timeline-of.ts';

const processor = [process.env.TRACE_PROCESSOR, 'trace_processor_shell', 'trace_processor'].find(
  (command) => command !== undefined && spawnSync(command, ['--version']).status === 0,
);
/** What an import has to say against a trace. */
const FAULTS = "SELECT name, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0;";
const DOC = readFileSync(resolve(import.meta.dirname, '../../docs/exports.md'), 'utf8');

describe.skipIf(processor === undefined)('trace_processor (skipped where it is not installed)', () => {
  const scratch = scratchFolder();
  const traces = exportedTraces();
  afterAll(() => scratch.remove());
  const pathOf = (name: string) => traces.find(([other]) => other === name)![1];

  /** The rows of a query's result, as text; NULL is empty. */
  function query(trace: string, sql: string): string[][] {
    const file = scratch.path('query.sql');
    writeFileSync(file, sql);
    const output = execFileSync(processor!, ['-q', file, trace], {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: 'pipe',
    });
    const [, ...rows] = output.trimEnd().split('\n');
    return rows.map((row) =>
      row.split(',').map((cell) => cell.replace(/^"(.*)"$/, '$1').replace('[NULL]', '')),
    );
  }

  async function exported(path: string, name = 'exported.pftrace'): Promise<string> {
    const trace = scratch.path(name);
    writeFileSync(trace, await exportBytes('perfetto', path));
    return trace;
  }

  test.each(traces)('tells of %s what the timeline tells', { timeout: 120_000 }, async (_, path) => {
    const trace = await exported(path);
    const { runs, intervals, jobs, missed, spanNs, lostRecords } = await timelineOf(path);
    expect(query(trace, FAULTS)).toEqual([]);

    const slices = query(trace, 'SELECT cpu, tid, ts, dur FROM sched JOIN thread USING (utid);').map(
      (row) => {
        const [pcpu, tid, startNs, ns] = row.map(Number);
        return { pcpu, tid, startNs, endNs: ns < 0 ? spanNs : startNs + ns };
      },
    );
    expect(slices.sort(byStart)).toEqual(runs);

    const states = query(
      trace,
      "SELECT tid, ts, dur, state FROM thread_state JOIN thread USING (utid) WHERE state != 'Running';",
    );
    for (const [tid, ts, dur, state] of states) {
      const [expected, endNs] = intervals.get(`${tid} ${ts}`) ?? [];
      if (expected === undefined) continue;
      expect([state, Number(dur) < 0 ? spanNs : Number(ts) + Number(dur)]).toEqual([expected, endNs]);
      intervals.delete(`${tid} ${ts}`);
    }
    expect([...intervals.keys()]).toEqual([]);

    const named = `SELECT name, COUNT(*) FROM slice WHERE name IN ('job', 'deadline missed') GROUP BY name;`;
    const counts = new Map(query(trace, named).map(([name, count]) => [name, Number(count)]));
    expect([counts.get('job') ?? 0, counts.get('deadline missed') ?? 0]).toEqual([jobs, missed]);
    const lost = query(
      trace,
      "SELECT SUM(EXTRACT_ARG(arg_set_id, 'debug.lost')) FROM slice WHERE name = 'lost records';",
    );
    expect(Number(lost[0][0])).toBe(lostRecords);
  });

  test('answers the queries of docs/exports.md', async () => {
    const [, sql] = /```sql\n([\s\S]*?)```/.exec(DOC) ?? [];
    const exports = await Promise.all(
      ['deadlines', 'caps'].map((name, nth) => exported(pathOf(name), `${nth}.pftrace`)),
    );
    for (const each of (sql as string).split('\n\n')) {
      const rows = exports.map((trace) => query(trace, each).length);
      expect(Math.max(...rows), each).toBeGreaterThan(0);
    }
  });

  test('moves a trace beside others as a manifest says', async () => {
    const offsetNs = 123_456_789;
    const files = { dom0: 'caps', guest: 'deadlines', xen: 'cpupools' };
    for (const [file, name] of Object.entries(files)) await exported(pathOf(name), `${file}.pftrace`);
    const [, manifest] = /```json\n([\s\S]*?)```/.exec(DOC) ?? [];
    writeFileSync(scratch.path('perfetto_manifest.json'), manifest as string);
    const members = ['perfetto_manifest.json', ...Object.keys(files).map((file) => `${file}.pftrace`)];
    execFileSync('tar', ['cf', 'all.tar', ...members], { cwd: scratch.path('') });
    const times = `SELECT MIN(s.ts), MAX(s.ts), COUNT(*) FROM thread_state s JOIN thread USING (utid)`;
    const ofXen = `${times} JOIN machine m ON m.id = machine_id WHERE m.name = 'xen';`;
    const [alone] = query(scratch.path('xen.pftrace'), `${times};`);
    const [[minNs, maxNs, count]] = query(scratch.path('all.tar'), ofXen);
    expect([Number(minNs) - offsetNs, Number(maxNs) - offsetNs, Number(count)]).toEqual(alone.map(Number));
    expect(query(scratch.path('all.tar'), FAULTS)).toEqual([]);
  });
});
