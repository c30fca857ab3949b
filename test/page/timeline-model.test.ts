/** What the page carries of a timeline, read back, is what the timeline tells. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VcpuSelection } from '../../src/analysis/index.ts';
import { rangeOfBins, TimelineModel } from '../../src/page/browser/timeline-model.ts';
import { findNext, parseSearch } from '../../src/page/browser/timeline-search.ts';
import { CURVE, MARK } from '../../src/page/page-data.ts';
import { BLAME_REASONS, RUNSTATE_NAMES } from '../../src/timeline/index.ts';
import { generateTrace } from '../bench/generate-trace.mjs';
import { runCli, scratchFolder } from '../cli/run-cli.ts';
import { readTimeline, type TimelineRows } from '../timeline/read-timeline.ts';
import { pageOf, readPage } from './page-of.ts';

const root = join(import.meta.dirname, '../..');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

function record(sample: string, ...words: string[]): string {
  const path = scratch.path(`${sample}.trace`);
  expect(runCli(['record', join(root, `samples/${sample}.yaml`), '-o', path, ...words]).status).toBe(0);
  return path;
}

const isShown = ({ vcpu, state }: { vcpu: string; state: string }) =>
  !vcpu.includes('IDLE') || state === 'running';

/** Intervals of the model, as text, in order. */
function told(model: TimelineModel): string[] {
  return model.ofVcpu
    .flatMap(({ startNs, endNs, what, pcpu }, vcpu) =>
      Array.from(
        what,
        (state, index) =>
          `${model.nameOf(vcpu)} ${RUNSTATE_NAMES[state]} ${startNs[index]}-${endNs[index]}@${pcpu[index]}`,
      ),
    )
    .sort();
}

function expected({ intervals }: Pick<TimelineRows, 'intervals'>): string[] {
  return intervals
    .filter((each) => isShown(each) && each.endNs > each.startNs)
    .map(({ vcpu, state, startNs, endNs, pcpu }) => `${vcpu} ${state} ${startNs}-${endNs}@${pcpu}`)
    .sort();
}

test('bins of a curve in which nothing was told do not hide the others', () => {
  const none = Number.NaN;
  const bins = {
    least: Float64Array.of(3, none, 0, none, none),
    most: Float64Array.of(4, none, 2, none, none),
  };
  expect(rangeOfBins(bins, 0, 4)).toEqual({ least: 0, most: 4 });
  expect(rangeOfBins(bins, 0, 2)).toEqual({ least: 3, most: 4 });
  expect(rangeOfBins(bins, 1, 3)).toEqual({ least: 0, most: 2 });
  expect(rangeOfBins(bins, 3, 5)).toEqual({ least: none, most: none });
});

describe.each(['busy-host', 'real-time', 'caps'])('the timeline of %s', (sample) => {
  let path: string;
  let model: TimelineModel;

  beforeAll(async () => {
    path = record(sample);
    const { data, block } = await pageOf(path);
    model = new TimelineModel(data.traces[0].timeline, block);
  });

  test('has every interval, to the nanosecond', async () => {
    expect(told(model)).toEqual(expected(await readTimeline(path)));
    expect(model.pieces(0, model.data.endNs).map(({ exact }) => exact)).toEqual([true]);
  });

  test('has who delayed each wait', async () => {
    const { waits, blames } = await readTimeline(path);
    const parts = waits.flatMap(({ vcpu, startNs, endNs }) => {
      const lane = model.lanes.find(({ label }) => label === vcpu)!;
      const wait = model.waitOf(model.intervalAt(lane, startNs)!);
      expect(wait, `${vcpu} ${startNs}`).toMatchObject({ startNs, ns: endNs - startNs });
      return wait!.parts.map(({ culprit, reason, ns }) => {
        const by = culprit < 0 ? 'nobody' : model.nameOf(culprit);
        return `${vcpu} ${startNs}-${endNs}: ${by} ${BLAME_REASONS[reason]} ${ns}`;
      });
    });
    expect(parts.sort()).toEqual(blames.toSorted());
  });

  test('has how many wait, of all vCPUs together', async () => {
    const { widthNs, count } = model.data.bins;
    const { intervals } = await readTimeline(path);
    const waits = intervals.filter(({ vcpu, state }) => !vcpu.includes('IDLE') && state === 'runnable');
    // Bins, two and two; each is told to 1/10,000 of a vCPU, and waits may be much shorter than a bin.
    for (let bin = 0; bin + 2 < count; bin += 2) {
      const [fromNs, toNs] = [bin * widthNs, (bin + 2) * widthNs];
      const ns = waits.reduce(
        (sum, { startNs, endNs }) => sum + Math.max(0, Math.min(endNs, toNs) - Math.max(startNs, fromNs)),
        0,
      );
      expect(Math.abs(model.queueIn(fromNs, toNs).waiting - ns / (toNs - fromNs))).toBeLessThan(1 / 10_000);
    }
  });

  test('has bins that sum to the same times', async () => {
    const { widthNs, count } = model.data.bins;
    const { intervals } = await readTimeline(path);
    for (const lane of model.lanes.filter(({ kind }) => kind === 'vcpu')) {
      const shares = new Float64Array(16);
      const sums = RUNSTATE_NAMES.map(() => 0);
      for (let bin = 0; bin < count; bin++) {
        const end = Math.min((bin + 1) * widthNs, model.data.endNs);
        model.sharesOf(lane, bin * widthNs, end, shares);
        for (const state of sums.keys()) sums[state] += shares[state] * (end - bin * widthNs);
      }
      for (const [state, name] of RUNSTATE_NAMES.entries()) {
        const ns = intervals
          .filter((each) => each.vcpu === lane.label && each.state === name)
          .reduce((sum, { startNs, endNs }) => sum + endNs - startNs, 0);
        // Each bin is told to 1/255, and what is there at all is never told as nothing.
        expect(Math.abs(sums[state] - ns), `${lane.label} ${name}`).toBeLessThan(
          (count * widthNs) / 255 / 2 + 1,
        );
      }
    }
  });
});

test('marks are counted, and misses are told one by one', async () => {
  const path = record('deadlines');
  const { data, block } = await pageOf(path);
  const [trace] = data.traces;
  const model = new TimelineModel(trace.timeline, block);
  const { intervals, jobs } = await readTimeline(path);
  const wakes = intervals.filter(
    ({ vcpu, state, previous }) => !vcpu.includes('IDLE') && previous === 'blocked' && state === 'runnable',
  );
  expect(trace.timeline.markCounts[MARK.wake]).toBe(wakes.length);
  const lanes = model.lanes.filter(({ kind }) => kind === 'vcpu');
  const inBins = lanes.reduce((sum, lane) => sum + model.marksIn(lane, MARK.wake, 0, model.data.endNs), 0);
  expect(inBins).toBe(wakes.length);
  const missed = jobs.filter((job) => job.missed === 1);
  expect(missed.length).toBeGreaterThan(10);
  const marks = model.marks.filter(({ kind }) => kind === MARK.miss);
  expect(marks.map(({ tNs, vcpu }) => `${model.nameOf(vcpu)} ${tNs}`).sort()).toEqual(
    missed.map(({ vcpu, deadlineNs }) => `${vcpu} ${deadlineNs}`).sort(),
  );
});

test('what comes back to a sporadic server is in its budget, and is a replenishment', async () => {
  const path = record('four-servers');
  const { data, block } = await pageOf(path);
  const [trace] = data.traces;
  const model = new TimelineModel(trace.timeline, block);
  const recordsOf = (event: string) => {
    const { stdout } = runCli(['dump', path, '--event', event, '--format', 'json']);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  const returns = recordsOf('TRC_RTXEN_BUDGET_RETURN');
  const replenishments = recordsOf('TRC_RTXEN_BUDGET_REPLENISH');
  expect([returns.length, replenishments.length]).toEqual([46, 1078]);
  expect(trace.timeline.markCounts[MARK.replenishment]).toBe(1078 + 46);

  const lane = model.lanes.find(({ label }) => label === 'd1v0')!;
  const curve = model.data.curves.find((each) => each.curve === CURVE.budget && each.vcpu === lane.of)!;
  const { tNs, value } = model.samplesOf(curve)!;
  const samples = new Set(Array.from(tNs, (at, index) => `${at} ${value[index]}`));
  const marks = new Set(
    model.marks.filter(({ kind }) => kind === MARK.replenishment).map((mark) => `${mark.tNs} ${mark.value}`),
  );
  for (const each of returns) {
    const told = `${each.t_ns} ${each.budget_ns}`;
    expect(samples).toContain(told);
    expect(marks).toContain(told);
  }

  const search = parseSearch('d1v0 TRC_RTXEN_BUDGET_RETURN', model);
  if (typeof search === 'string') throw new Error(search);
  const [first] = returns;
  expect(findNext(model, search, first.t_ns - 1, 1)).toMatchObject({ tNs: first.t_ns, lane });
});

test('a trace without room for all has the stretches with the longest waits, and says where', async () => {
  const path = record('busy-host', '--duration', '10s');
  const { data, block } = await pageOf(path, { exactRows: 20_000 });
  const model = new TimelineModel(data.traces[0].timeline, block);
  const rows = await readTimeline(path);
  expect(model.intervals).toBeLessThan(20_000);
  expect(model.data.exact.intervalsInAll).toBe(rows.intervals.filter(isShown).length);
  const longest = Math.max(...rows.waits.map(({ startNs, endNs }) => endNs - startNs));
  const worst = rows.waits.find(({ startNs, endNs }) => endNs - startNs === longest)!;
  expect(model.isExact((worst.startNs + worst.endNs) / 2)).toBe(true);
  // Where it says that it is exact, every interval is there.
  const all = new Set(told(model));
  const touched = rows.intervals.filter(({ startNs, endNs }) =>
    model.pieces(startNs, endNs).some(({ exact }) => exact),
  );
  expect(touched.length).toBeGreaterThan(3000);
  expect(expected({ intervals: touched }).filter((interval) => !all.has(interval))).toEqual([]);
});

test('a part of a trace has the part of each interval that is in it', async () => {
  const path = record('busy-host');
  const [fromNs, toNs] = [500_000_000, 700_000_000];
  const { data, block } = await pageOf(path, { selection: { fromNs, toNs } });
  const model = new TimelineModel(data.traces[0].timeline, block);
  expect([model.data.fromNs, model.data.endNs]).toEqual([fromNs, toNs]);
  expect(model.pieces(fromNs, toNs)).toEqual([{ fromNs, toNs, exact: true }]);
  const { intervals } = await readTimeline(path);
  const cut = intervals
    .filter(({ startNs, endNs }) => startNs < toNs && endNs > fromNs)
    .map((each) => ({
      ...each,
      startNs: Math.max(fromNs, each.startNs),
      endNs: Math.min(toNs, each.endNs),
    }));
  expect(told(model)).toEqual(expected({ intervals: cut }));
});

test('a domain that does not run in the part that is looked at has a colour of its own', async () => {
  const path = record('busy-host');
  const { intervals } = await readTimeline(path);
  // The longest wait of the control task: it does not run meanwhile.
  const { startNs, endNs } = intervals
    .filter(({ vcpu, state }) => vcpu === 'd4v0' && state === 'runnable')
    .reduce((a, b) => (b.endNs - b.startNs > a.endNs - a.startNs ? b : a));
  const { data, block } = await pageOf(path, { selection: { fromNs: startNs + 1000, toNs: endNs - 1000 } });
  const model = new TimelineModel(data.traces[0].timeline, block);
  expect(new Set([1, 2, 3, 4].map((dom) => model.slotOf(dom))).size).toBe(4);
  expect(model.slotOf(4)).toBeLessThan(4);
});

test('with some vCPUs chosen, waits are those of them, and the timeline has all', async () => {
  const path = record('busy-host');
  const selection = { vcpus: new VcpuSelection([2], [0x10001]), fromNs: 1e8 };
  const { data } = await pageOf(path, { selection });
  const { waits } = await readTimeline(path);
  const chosen = waits.filter(({ vcpu, endNs }) => /^d1v1$|^d2v/.test(vcpu) && endNs >= 1e8);
  const [{ distributions, timeline, head }] = data.traces;
  const all = distributions.filter(({ cause }) => cause === 'all');
  expect(all.map(({ dom, count }) => [dom, count])).toEqual(
    [1, 2].map((dom) => [dom, chosen.filter(({ vcpu }) => vcpu.startsWith(`d${dom}v`)).length]),
  );
  expect(timeline.lanes).toHaveLength(6);
  expect(Object.fromEntries(head)).toMatchObject({
    span: expect.stringMatching(/^from 0\.100000 s to 1\.99\d+ s: 1\.89\d s of 1\.99\d s on 2 pCPUs/),
    only: 'd2, d1v1',
  });
});

test('a large trace, which another thread decodes, has the same on its page', async () => {
  const path = scratch.path('large.trace');
  generateTrace(path, { records: 900_000, pcpus: 4, spanNs: 2e9 });
  const html = scratch.path('large.html');
  expect(runCli(['report', path, '-o', html]).status).toBe(0);
  const ahead = await readPage(readFileSync(html, 'utf8'));
  const direct = await pageOf(path);
  expect(ahead.data.traces[0].timeline.markCounts).toEqual(direct.data.traces[0].timeline.markCounts);
  const [one, other] = [ahead, direct].map(
    ({ data, block }) => new TimelineModel(data.traces[0].timeline, block),
  );
  expect(one.intervals).toBeGreaterThan(300_000);
  expect(told(one)).toEqual(told(other));
  expect(Buffer.compare(one.vcpuBins, other.vcpuBins)).toBe(0);
});

describe.skipIf(!existsSync(join(root, '../shared/traces')))('real traces', () => {
  const real = (name: string) => join(root, '../shared/traces', `${name}.trace`);

  test('losses of records are where they were, and what is between is unknown', async () => {
    const { data, block } = await pageOf(real('credit2-lost-S1-all'));
    const model = new TimelineModel(data.traces[0].timeline, block);
    const { lost } = model.data;
    const [, records] = data.traces[0].info.rows.find(([key]) => key === 'lost_records')!;
    expect(lost.spans.reduce((sum, [, , , own]) => sum + own, 0)).toBe(Number(records));
    expect(lost.spans).toHaveLength(lost.spansInAll);
    for (const [pcpu, fromNs, toNs] of lost.spans) {
      const lane = model.lanes.find(({ kind, of }) => kind === 'pcpu' && of === pcpu)!;
      if (toNs - fromNs < 2) continue;
      // Nobody is said to run on a pCPU in the middle of a loss there.
      expect(model.intervalAt(lane, (fromNs + toNs) / 2), `pCPU ${pcpu} ${fromNs}`).toBeUndefined();
    }
  });

  test('credit and budget are what the records say', async () => {
    const { data, block } = await pageOf(real('credit2-caps'));
    const model = new TimelineModel(data.traces[0].timeline, block);
    const dump = runCli(['dump', real('credit2-caps'), '--event', 'TRC_CSCHED2_CREDIT_BURN']).stdout;
    for (const [curve, name, field] of [
      [0, 'credit', 'credit'],
      [1, 'budget', 'budget_ns'],
    ] as const) {
      const own = model.data.curves.filter((each) => each.curve === curve);
      expect(own.length, name).toBeGreaterThan(0);
      for (const each of own) {
        const vcpu = model.nameOf(each.vcpu);
        const told = [...dump.matchAll(new RegExp(`${vcpu} .*\\b${field}=(-?\\d+)`, 'g'))]
          .map(([, value]) => Number(value))
          .filter((value) => value !== -(2 ** 31));
        expect(told.length).toBeGreaterThan(10);
        const shown = new Set(model.samplesOf(each)!.value);
        expect(told.filter((value) => !shown.has(value))).toEqual([]);
      }
    }
  });
});
