/** What the fluid schedule makes of logs drawn as text: every case is small enough to work out on paper. */
import { describe, expect, test } from 'vitest';
import type { DomainParameters } from '../../src/analysis/analysis.ts';
import { FairnessOf } from '../../src/analysis/fairness-of.ts';
import { judgeWindows, WINDOW_COLUMNS } from '../../src/analysis/fairness-windows.ts';
import { LostTime } from '../../src/analysis/lost-time.ts';
import { Promises } from '../../src/analysis/promises.ts';
import { RunQueues } from '../../src/analysis/run-queues.ts';
import { ServiceLog } from '../../src/analysis/service-log.ts';
import { TracePromises } from '../../src/analysis/trace-promises.ts';
import { loadCatalog } from '../../src/format/index.ts';
import { createTransitionBatch, DOM_IDLE, RUNNABLE, RUNNING } from '../../src/timeline/index.ts';

const MS = 1_000_000;

/**
 * A log of one vCPU for each line, d1v0, d2v0 and so on, a letter for each ms: R runs, r waits, t is throttled, o is
 * paused, . is blocked, ? is not known, and a blank is not there. Whatever nobody runs of the pCPUs is idle.
 */
function logOf(lines: readonly string[], pcpus = 1): ServiceLog {
  const log = new ServiceLog(0, [10 * MS]);
  const waiting = (ms: number) => lines.filter((line) => line[ms] === 'r').length;
  for (const [index, line] of lines.entries()) {
    const member = log.member(index, index + 1, 0);
    for (const { 0: stretch, index: at } of line.matchAll(/(.)\1*/g)) {
      const span = [at * MS, (at + stretch.length) * MS] as const;
      if (stretch[0] === 'R') log.ran(member, ...span);
      else if (stretch[0] === 'r') log.waited(member, ...span);
      else if (stretch[0] === 't') log.throttled(member, ...span);
      else if (stretch[0] === 'o') log.paused(member, ...span);
      else if (stretch[0] === '?') log.unknown(member, ...span);
      else if (stretch[0] === '.') log.blocked(member);
    }
  }
  for (let ms = 0; ms < lines[0].length; ms++) {
    const idle = pcpus - lines.filter((line) => line[ms] === 'R').length;
    for (let pcpu = 0; pcpu < idle; pcpu++) log.idle(ms * MS, (ms + 1) * MS);
    log.lost(Math.min(idle, waiting(ms)), ms * MS, (ms + 1) * MS);
  }
  log.finish();
  return log;
}

interface Given {
  readonly pcpus?: number;
  readonly parameters?: Record<number, DomainParameters>;
}

function fairnessOf(lines: readonly string[], { pcpus, parameters = {} }: Given = {}): FairnessOf {
  const catalog = loadCatalog();
  const given = new Map(Object.entries(parameters).map(([dom, promised]) => [Number(dom), promised]));
  const traced = new TracePromises(catalog, new RunQueues(catalog, 0, 10 * MS));
  return new FairnessOf(logOf(lines, pcpus), new Promises(traced, given), 'domain', 0, lines[0].length * MS);
}

const inMs = (values: Float64Array) => [...values].map((ns) => ns / MS);

describe('the fluid schedule', () => {
  test('serves what is left of a burst that the scheduler served sooner', () => {
    // d2 has 10 ms to do and gets it at once: the fluid schedule takes 20 ms for it.
    const { fluid } = fairnessOf(['rrrrrrrrrrRRRRRRRRRRRRRRRRRRRR', 'RRRRRRRRRR....................']);
    expect(inMs(fluid.entitlementNs)).toEqual([20, 10]);
    expect(inMs(fluid.domainLags.behindNs)).toEqual([5, 0]);
    expect(inMs(fluid.domainLags.aheadNs)).toEqual([0, -5]);
    expect(inMs(fluid.domainLags.behindAtNs)[0]).toBe(10);
  });

  test('uses idle time to catch up, though nobody waited in it', () => {
    // A cap of half a pCPU; it ran 10 ms at once.
    const parameters = { 1: { cap: 50 } };
    const { fluid } = fairnessOf(['RRRRRRRRRR..........'], { parameters });
    expect(inMs(fluid.entitlementNs)).toEqual([10]);
    expect(inMs(fluid.domainLags.aheadNs)).toEqual([-5]);
  });

  test('serves one that its cap keeps back, as far as that allows', () => {
    const parameters = { 1: { cap: 50 } };
    const { fluid } = fairnessOf(['ttttttttttRRRRRRRRRR'], { parameters });
    expect(inMs(fluid.entitlementNs)).toEqual([10]);
    expect(inMs(fluid.domainLags.behindNs)).toEqual([5]);
  });

  test('does not serve anybody while he is paused, nor use time when all are', () => {
    const hogBeside = fairnessOf(['RRRRRRRRRRRRRRRRRRRRRRRRRRRRRR', 'rrrroooooorrrroooooorrrrrrrrrr']);
    expect(inMs(hogBeside.fluid.entitlementNs)).toEqual([17, 13]);
    const both = fairnessOf(['RRRooooooo', 'rrrooooooo']);
    expect(inMs(both.fluid.entitlementNs)).toEqual([1.5, 1.5]);
  });

  test('forgets lags when it does not know what happened', () => {
    const { fluid } = fairnessOf([
      'RRRRRRRRRRRRRRRRRRRR??????????RRRRRRRRRR',
      'rrrrrrrrrrrrrrrrrrrr??????????rrrrrrrrrr',
    ]);
    expect([inMs(fluid.domainLags.behindNs)[1], inMs(fluid.domainLags.behindAtNs)[1]]).toEqual([10, 20]);
    expect(inMs(fluid.entitlementNs)).toEqual([15, 15]);
  });

  test('takes what somebody waited for in vain for gone with him', () => {
    // d2 goes after 5 ms. When it is back, it wants 1 ms, and not the 5 of before too.
    const { fluid, demandNs } = fairnessOf([
      'RRRRRRRRRRRRRRRRRRRRRRRRRRrrrr',
      'rrrrr               rrrrrrR...',
    ]);
    expect(inMs(demandNs)).toEqual([30, 6]);
    expect(inMs(fluid.entitlementNs)).toEqual([24, 6]);
  });

  test('holds nothing against a vCPU of RTDS that it ran beyond its reservation', () => {
    // 2.5 ms in 10 are reserved. It runs 30 ms on extra time, and then nothing for 20: behind by one budget and no less.
    const parameters = { 1: { reservation: { budgetNs: 2.5 * MS, periodNs: 10 * MS } } };
    const lines = [`${'R'.repeat(30)}${'r'.repeat(20)}`, `${'r'.repeat(30)}${'R'.repeat(20)}`];
    const { fluid } = fairnessOf(lines, { parameters });
    expect(inMs(fluid.entitlementNs)).toEqual([12.5, 37.5]);
    expect(inMs(fluid.vcpuLags.aheadNs)[0]).toBe(-2.5);
    expect([inMs(fluid.vcpuLags.behindNs)[0], inMs(fluid.vcpuLags.behindAtNs)[0]]).toEqual([2.5, 50]);
  });
});

describe('a window', () => {
  const judged = (lines: readonly string[], given: Given = {}) => {
    const of = fairnessOf(lines, given);
    const cells = judgeWindows(of, of.log.windows[0], 10 * MS);
    return Object.fromEntries(WINDOW_COLUMNS.map(({ name }, index) => [name, cells[index]]));
  };

  test('has the idle time too in which somebody waited', () => {
    expect(judged(['RRRRRRRRRR', 'rrrrrrrrrr'], { pcpus: 2 })).toMatchObject({
      windows: 1,
      shortfall_ns_worst: 10 * MS,
      shortfall_worst_dom: 2,
    });
  });

  test('is judged by what was wanted in it alone', () => {
    // d2 had nothing of the first 10 ms and has all of the next: each is as unfair as the other.
    expect(judged(['RRRRRRRRRRrrrrrrrrrr', 'rrrrrrrrrrRRRRRRRRRR'])).toMatchObject({
      windows: 2,
      jain_entitled_mean: 0.5,
      jain_entitled_worst: 0.5,
      jain_entitled_worst_start_ns: 0,
      shortfall_ns_worst: 5 * MS,
    });
  });

  test('has nothing of what somebody wanted before he went', () => {
    // In the first d2 got nothing of its 5 ms; in the third it got the 1 ms that it wanted, and d1 6 ms of 9.
    const window = judged(['RRRRRRRRRRRRRRRRRRRRRRRRRRrrrr', 'rrrrr               rrrrrrR...']);
    const third = (6 / 9 + 1) ** 2 / (2 * ((6 / 9) ** 2 + 1));
    expect(window.windows).toBe(2);
    expect(window.jain_entitled_mean).toBeCloseTo((0.5 + third) / 2, 12);
  });

  test('is not judged where much is unknown, or one was alone', () => {
    expect(judged(['RRRRRRRRR?RRRRRRRRRR', 'rrrrrrrrrr..........'])).toMatchObject({
      windows: 0,
      judged_share: 0,
      jain_mean: null,
      starved_windows: null,
    });
  });
});

describe('LostTime', () => {
  test('is that of as many pCPUs as idle, and as vCPUs wait', () => {
    const told: number[][] = [];
    const lost = new LostTime([0, 1], (pcpus, startNs, endNs) => told.push([pcpus, startNs, endNs]));
    const batch = createTransitionBatch(16);
    const change = (tNs: number, vcpuIndex: number, dom: number, to: number, pcpu = -1) => {
      const row = batch.count++;
      batch.vcpu[row] = vcpuIndex;
      batch.pcpu[row] = pcpu;
      batch.tNs[row] = tNs;
      batch.vcpuIndex[row] = vcpuIndex;
      batch.dom[row] = dom;
      batch.to[row] = to;
    };
    change(0, 0, DOM_IDLE, RUNNING);
    change(0, 1, DOM_IDLE, RUNNING);
    // Another pCPU is not looked at, nor one that waits there.
    change(0, 5, DOM_IDLE, RUNNING);
    change(5, 6, 1, RUNNABLE, 5);
    change(10, 2, 1, RUNNABLE);
    change(20, 90, 1, RUNNABLE, 1);
    change(30, 3, 1, RUNNABLE);
    change(40, 0, DOM_IDLE, RUNNABLE);
    change(40, 3, 1, RUNNING);
    change(50, 2, 1, RUNNING);
    lost.onTransitions(batch);
    lost.finish(60);
    expect(told).toEqual([
      [1, 10, 20],
      [2, 20, 30],
      [2, 30, 40],
      [1, 40, 50],
      [1, 50, 60],
    ]);
  });
});
