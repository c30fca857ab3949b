/** Xen's own C schedulers ran scenarios; their traces, analysed, must give the figures that came with them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Analyzed, analyze, type Row } from './analyze-bytes.ts';

/** The whole collection where it lies beside the project; else the part that ships with it. */
const BESIDE = join(import.meta.dirname, '../../../shared/reference/xen-c-schedulers');
const SHIPPED = join(import.meta.dirname, '../simulator/reference');
const FOLDER = existsSync(BESIDE) ? BESIDE : SHIPPED;

interface ReferenceWait {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
  readonly total: number;
}

interface ReferenceVcpu {
  readonly dom: number;
  readonly vcpu: number;
  readonly run_ns: number;
  readonly runnable_ns: number;
  readonly blocked_ns: number;
  readonly offline_ns: number;
  readonly cpu_share: number;
  readonly switches_in: number;
  readonly preempted: number;
  readonly blocks: number;
  readonly wakes: number;
  readonly yields: number;
  readonly migrations: number;
  readonly wait_after_wake: ReferenceWait;
  readonly wait_after_preempt: ReferenceWait;
  readonly wait_after_resume: ReferenceWait;
}

interface Reference {
  readonly duration_ns: number;
  readonly trace_end_ns: number;
  readonly tsc_hz: number;
  /** How far records are ahead of their instants, at most. */
  readonly tsc_max_ahead_cycles: number;
  readonly vcpus: readonly ReferenceVcpu[];
}

/** Runs whose trace goes to the end: the figures are of the whole run. */
function wholeRuns(version: string): { name: string; trace: string; reference: Reference }[] {
  const folder = join(FOLDER, version);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const name = file.slice(0, -'.json'.length);
      const trace = join(folder, `${name}.trace.gz`);
      const reference = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Reference;
      return existsSync(trace) && reference.trace_end_ns === reference.duration_ns
        ? [{ name, trace, reference }]
        : [];
    });
}

function only(rows: readonly Row[], what: Row): Row {
  const found = rows.filter((row) => Object.entries(what).every(([key, value]) => row[key] === value));
  expect(found, JSON.stringify(what)).toHaveLength(1);
  return found[0];
}

/** Every figure that is not what it should be, to within `ns` for times. */
function differences({ rows }: Analyzed, { vcpus, tsc_max_ahead_cycles }: Reference): string[] {
  const wrong: string[] = [];
  const aheadNs = tsc_max_ahead_cycles;
  const runstates = rows('runstates');
  const waits = rows('waits');
  for (const { dom, vcpu, ...figures } of vcpus) {
    const own = only(runstates, { dom, vcpu });
    const check = (what: string, ours: unknown, theirs: number, within: number) => {
      if (typeof ours !== 'number' || !(Math.abs(ours - theirs) <= within)) {
        wrong.push(`d${dom}v${vcpu} ${what}: ${ours}, not ${theirs}`);
      }
    };
    const throttledOffline = Number(own.throttled_ns) - Number(own.throttled_runnable_ns);
    // Each end of an interval is ahead by some cycles.
    const sumNs = aheadNs * (figures.switches_in + figures.wakes + 2);
    check('run', own.running_ns, figures.run_ns, sumNs);
    check(
      'runnable',
      Number(own.runnable_ns) + Number(own.throttled_runnable_ns),
      figures.runnable_ns,
      sumNs,
    );
    check('blocked', own.blocked_ns, figures.blocked_ns, sumNs);
    check('offline', Number(own.offline_ns) + throttledOffline, figures.offline_ns, sumNs);
    check('share', own.pcpu_share, figures.cpu_share, 0.00002);
    check('unknown', own.unknown_ns, 0, 0);
    check('switches in', own.switches_in, figures.switches_in, 0);
    check('preemptions', own.preemptions, figures.preempted, 0);
    check('blocks', own.blocks, figures.blocks, 0);
    check('wakes', own.wakes, figures.wakes, 0);
    check('yields', own.yields, figures.yields, 0);
    check('migrations', own.migrations, figures.migrations, 0);
    for (const cause of ['wake', 'preempt', 'resume'] as const) {
      const ours = only(waits, { dom, vcpu, cause });
      const theirs = figures[`wait_after_${cause}`];
      check(`${cause} count`, ours.count, theirs.count, 0);
      check(`${cause} total`, ours.wait_ns_total, theirs.total, 2 * aheadNs * theirs.count);
      if (theirs.count === 0) continue;
      check(`${cause} mean`, ours.wait_ns_mean, theirs.mean, 2 * aheadNs);
      for (const figure of ['p50', 'p95', 'p99', 'max'] as const) {
        check(`${cause} ${figure}`, ours[`wait_ns_${figure}`], theirs[figure], 2 * aheadNs);
      }
    }
  }
  return wrong;
}

describe.each(['xen-4.17.7', 'xen-head'])('figures of %s', (version) => {
  const runs = wholeRuns(version);

  test('there are runs to compare with', () => {
    expect(runs.length).toBeGreaterThan(FOLDER === BESIDE ? 60 : 1);
  });

  test.each(runs)('$name', async ({ trace, reference }) => {
    const analyzed = await analyze(trace, { cpuHz: reference.tsc_hz, endNs: reference.duration_ns });
    expect(differences(analyzed, reference)).toEqual([]);
    expect([analyzed.analysis.repairs, analyzed.analysis.partial]).toEqual([0, false]);
  });
});

describe('throttled time of the reference runs', () => {
  const runs = wholeRuns('xen-head');

  // Every scenario's offline time comes from caps: nothing else pauses a vCPU there but forced migrations, which take
  // no time on that machine.
  test.each(runs.filter(({ name }) => name.includes('cap')))(
    '$name: what Xen calls offline is throttled',
    async (run) => {
      const { rows } = await analyze(run.trace, {
        cpuHz: run.reference.tsc_hz,
        endNs: run.reference.duration_ns,
      });
      for (const row of rows('runstates')) {
        const theirs = run.reference.vcpus.find(({ dom, vcpu }) => dom === row.dom && vcpu === row.vcpu)!;
        expect(Math.abs(Number(row.throttled_ns) - theirs.offline_ns)).toBeLessThan(50_000);
        expect(Number(row.offline_ns)).toBeLessThan(50_000);
      }
    },
  );
});
