/** What a trace of RT-Xen's servers tells: who is depleted, and how each period went. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { servers } from '../../src/analysis/servers.ts';
import { parseScenario } from '../../src/scenario/index.ts';
import type { ServerKind } from '../../src/scenario/scenario.ts';
import { observe } from '../contract/observe.ts';
import { whyNoXenalyze, xenalyzeRemarks } from '../recorder/xenalyze.ts';
import { fixed, scenarioOf, vcpuOf } from '../simulator/scenarios.ts';
import { readTimeline } from '../timeline/read-timeline.ts';
import { analyze } from './analyze-bytes.ts';

const MS = 1_000_000;

function traceOf(kind: ServerKind): Uint8Array {
  const late = vcpuOf(
    { kind: 'once', run: fixed(5 * MS), offsetNs: 15 * MS },
    { server: { periodUs: 10_000, budgetUs: 2000, priority: 0 } },
  );
  const hog = vcpuOf(
    { kind: 'hog', offsetNs: 0 },
    { server: { periodUs: 10_000, budgetUs: 5000, priority: 1, serverKind: 'deferrable' } },
  );
  const params = { rtxen_server: kind, rtxen_quantum_us: 0 };
  return observe(scenarioOf([[late], [hog]], { scheduler: 'rtxen', params, durationNs: 100 * MS })).trace;
}

/** The waits of d1v0 as `state from-to` in ms. */
async function waitsOf(kind: ServerKind): Promise<string[]> {
  const { intervals } = await readTimeline(traceOf(kind));
  const start = 1000;
  return intervals
    .filter(({ vcpu, startNs, endNs }) => vcpu === 'd1v0' && endNs - startNs > start)
    .map(({ state, startNs, endNs }) => `${state} ${Math.round(startNs / MS)}-${Math.round(endNs / MS)}`)
    .filter((row) => !row.startsWith('blocked'));
}

test('depleted vCPUs are shown as throttled', async () => {
  expect(await waitsOf('deferrable')).toEqual([
    'running 15-17',
    'throttled 17-20',
    'running 20-22',
    'throttled 22-30',
    'running 30-31',
  ]);
  expect(await waitsOf('polling')).toEqual([
    'throttled 15-20',
    'running 20-22',
    'throttled 22-30',
    'running 30-32',
    'throttled 32-40',
    'running 40-41',
  ]);
  expect(await waitsOf('sporadic')).toEqual([
    'running 15-17',
    'throttled 17-25',
    'running 25-27',
    'throttled 27-35',
    'running 35-36',
  ]);
});

test('periods are judged by the records, but for sporadic servers, which have none', async () => {
  const sporadic = [1, null, null, null, null, 2];
  const rowsOf = async (kind: ServerKind) =>
    (await analyze(traceOf(kind), { analyses: [servers] }))
      .rows('servers')
      .map(({ dom, period_ns, budget_ns, missed, supply_ns_max, depletions }) => [
        dom,
        period_ns,
        budget_ns,
        missed,
        supply_ns_max === null ? null : Math.round(Number(supply_ns_max) / MS),
        depletions,
      ]);
  const hog = [2, 10 * MS, 5 * MS, 0, 5, 9];
  expect(await rowsOf('deferrable')).toEqual([[1, 10 * MS, 2 * MS, 0, 2, 2], hog]);
  expect(await rowsOf('sporadic')).toEqual([sporadic, hog]);
});

test('a sporadic server: parts come back, the budget is used up, and it waits for it from 17 to 25 ms', async () => {
  const { rows } = await analyze(traceOf('sporadic'), { analyses: [servers] });
  const [row] = rows('servers');
  expect(row).toMatchObject({
    replenishments: 3,
    depletions: 2,
    overruns: null,
    gap_bound_ns: null,
    coverage: 1,
  });
  expect(Math.round(Number(row.gap_ns_max) / MS)).toBe(8);
});

test('a server that becomes sporadic keeps what was judged before', async () => {
  const sample = readFileSync(new URL('../../samples/four-servers.yaml', import.meta.url), 'utf8');
  const { trace } = observe(parseScenario(sample, 'four-servers.yaml'));
  const periodsOf = async (options = {}) => {
    const { rows } = await analyze(trace, { analyses: [servers], ...options });
    const { periods, missed, miss_ratio } = rows('servers')[0];
    return [periods, missed, miss_ratio];
  };
  const before = await periodsOf({ selection: { toNs: 6000 * MS } });
  expect(before).toEqual([598, 0, 0]);
  // The one under way then is over with the first part that comes back.
  expect(await periodsOf()).toEqual([599, 0, 0]);
});

test.skipIf(whyNoXenalyze)('xenalyze passes over the records without a remark', () => {
  for (const kind of ['deferrable', 'periodic', 'polling', 'sporadic'] as const) {
    expect(xenalyzeRemarks(traceOf(kind))).toEqual([]);
  }
});
