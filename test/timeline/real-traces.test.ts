/** Real Xen's traces: chains without a break where nothing is lost, and what Xen's own records say of running times. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { type Interval, readTimeline } from './read-timeline.ts';

/** All traces where they lie beside the project; else those that ship with it. */
const BESIDE = join(import.meta.dirname, '../../../shared/traces');
const SHIPPED = join(import.meta.dirname, '../../samples/traces');
const FOLDER = existsSync(BESIDE) ? BESIDE : SHIPPED;
const traces = readdirSync(FOLDER).filter((name) => /\.trace(\.gz)?$/.test(name));

/** Traces with lost records, or of one pCPU of several. */
const INCOMPLETE = /lost|boot|cpu1|cpupool/;
const NO_RUNSTATES = /pvonly|hvmonly/;

describe.each(traces)('the timeline of %s', (name) => {
  const path = join(FOLDER, name);

  test('tiles the time of every vCPU, without overlap, up to the end of the trace', async () => {
    const { intervals, timeline } = await readTimeline(path);
    const removed = new Set(
      timeline.domains().flatMap(({ dom, removedNs }) => (removedNs === undefined ? [] : [dom])),
    );
    const created = new Set(
      timeline.domains().flatMap(({ dom, createdNs }) => (createdNs === undefined ? [] : [dom])),
    );
    const spanNs = Math.max(0, ...intervals.map(({ endNs }) => endNs));
    const byVcpu = groupByVcpu(intervals);
    expect(byVcpu.size > 0).toBe(!NO_RUNSTATES.test(name));
    for (const [vcpu, own] of byVcpu) {
      const dom = vcpu.startsWith('d[') ? 32767 : Number(/\d+/.exec(vcpu)![0]);
      if (!created.has(dom) && !removed.has(dom)) expect(own[0].startNs, vcpu).toBe(0);
      if (!removed.has(dom)) expect(own.at(-1)!.endNs, vcpu).toBe(spanNs);
      for (let row = 1; row < own.length; row++) {
        if (own[row].startNs !== own[row - 1].endNs && !removed.has(dom)) {
          expect.fail(`${vcpu}: a gap at ${own[row].startNs}`);
        }
      }
    }
  });

  test.skipIf(INCOMPLETE.test(name))('has no break and nothing unknown', async () => {
    const { intervals, timeline } = await readTimeline(path);
    expect(timeline.repairs).toBe(0);
    expect(timeline.partial).toBe(false);
    expect(timeline.lateLosses).toBe(0);
    expect(intervals.filter(({ state }) => state === 'unknown')).toEqual([]);
    expect(timeline.coreScheduling).toBe(name.includes('core'));
  });

  test('nothing runs on two pCPUs, and no pCPU runs two', async () => {
    const { intervals } = await readTimeline(path);
    const running = intervals.filter(({ state, pcpu }) => state === 'running' && pcpu >= 0);
    const endNs = new Map<number, number>();
    // Before core scheduling shows, at the first switch, places are those of the recording pCPUs.
    const sure = running.filter(({ complete }) => (complete & 1) !== 0 || !name.includes('core'));
    for (const { pcpu, vcpu, startNs, endNs: end } of sure.sort(
      (a, b) => a.startNs - b.startNs || a.endNs - b.endNs,
    )) {
      // The two records of a switch are some hundred nanoseconds apart, the leaving one first.
      if (startNs < (endNs.get(pcpu) ?? 0))
        expect.fail(`${vcpu} runs on pCPU ${pcpu} from ${startNs}, too early`);
      endNs.set(pcpu, end);
    }
  });
});

// TRC_SCHED_SWITCH_INFPREV says how long the leaving unit ran, by Xen's clock.
test.skipIf(!existsSync(BESIDE))(
  'running intervals are as long as Xen says, to 0.1 % and 20 us',
  async () => {
    const path = join(FOLDER, 'credit-1p-clean-caps.trace');
    const { intervals } = await readTimeline(path);
    const ours = intervals.filter(({ state, complete, vcpu }) => {
      return state === 'running' && complete === 3 && !vcpu.startsWith('d[');
    });
    const xens: { vcpu: string; ranNs: number; tNs: number }[] = [];
    const reader = await openTrace(path);
    const batch = createRecordBatch();
    while (reader.readBatch(batch)) {
      for (let row = 0; row < batch.count; row++) {
        const at = batch.wordsOffset[row];
        if (batch.event[row] !== 0x2800e || batch.words[at] === 32767) continue;
        const vcpu = `d${batch.words[at]}v${batch.words[at + 1]}`;
        xens.push({ vcpu, ranNs: batch.words[at + 2], tNs: batch.tNs[row] });
      }
    }
    reader.close();
    expect(ours.length).toBeGreaterThan(2000);
    const unmatched = ours.filter((interval) => !xens.some((xen) => isSameRun(interval, xen)));
    expect(unmatched).toEqual([]);
  },
);

function isSameRun(
  { vcpu, startNs, endNs }: Interval,
  xen: { vcpu: string; ranNs: number; tNs: number },
): boolean {
  const ns = endNs - startNs;
  return (
    vcpu === xen.vcpu && Math.abs(xen.tNs - endNs) < 20_000 && Math.abs(ns - xen.ranNs) < 20_000 + ns / 1000
  );
}

function groupByVcpu(intervals: readonly Interval[]): Map<string, Interval[]> {
  const groups = new Map<string, Interval[]>();
  for (const interval of intervals) {
    const group = groups.get(interval.vcpu);
    if (group === undefined) groups.set(interval.vcpu, [interval]);
    else group.push(interval);
  }
  return groups;
}
