/**
 * Periodic servers under the schedulers of RT-Xen 2.0, for which there is no reference: RT-Xen tells its users to run a
 * task that never ends, and here budget idles away as if there was one.
 */
import { describe, expect, test } from 'vitest';
import type { Action, Scenario, SchedulerName, VcpuSpec } from '../../src/scenario/scenario.ts';
import { simulate } from '../../src/simulator/index.ts';
import { MemorySink } from './memory-sink.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const SCHEDULERS: readonly SchedulerName[] = ['rtglobal', 'rtpartition'];

/** Intervals in which domain `dom` ran, in milliseconds. */
function ranOf(scenario: Scenario, dom: number): [number, number][] {
  const ran: [number, number][] = [];
  let from = -1;
  simulate(scenario, new MemorySink(scenario.host.pcpus, 0), {
    onRunstate(tNs, _pcpu, of, _vcpu, before, after) {
      if (of !== dom) return;
      if (after === 0) from = tNs / MS;
      if (before === 0) ran.push([from, tNs / MS]);
    },
  });
  return ran;
}

const once = (ms: number, atMs: number, given: Partial<VcpuSpec> = {}) =>
  vcpuOf({ kind: 'once', run: fixed(ms * MS), offsetNs: atMs * MS }, given);
const hog = (atMs: number, given: Partial<VcpuSpec> = {}) =>
  vcpuOf({ kind: 'hog', offsetNs: atMs * MS }, given);
const server = (budgetUs: number, periodUs: number) => ({ server: { budgetUs, periodUs } });

describe.each(SCHEDULERS)('%s', (scheduler) => {
  const scenario = (vcpus: readonly VcpuSpec[], given: Partial<Scenario> = {}) =>
    scenarioOf(
      vcpus.map((vcpu) => [vcpu]),
      { scheduler, xen: 'rt-xen-2.0', params: { rtxen_periodic: true }, durationNs: 200 * MS, ...given },
    );
  const deferrable = { params: {} };

  test('work that comes when the budget has idled away waits for the next period', () => {
    // A queued server is renewed one quantum after its deadline, as in RT-Xen.
    const late = ranOf(scenario([once(2, 105, server(2000, 10_000))]), 1);
    expect(late).toEqual([[111, 113]]);
    expect(ranOf(scenario([once(2, 105, server(2000, 10_000))], deferrable), 1)).toEqual([[105, 107]]);
  });

  test('work that comes while it idles away has what is left', () => {
    const ran = ranOf(scenario([once(5, 101, server(2000, 10_000))]), 1);
    expect(ran[0]![0]).toBe(101);
    expect(ran[0]![1]).toBeLessThanOrEqual(103);
    expect(ran.length).toBeGreaterThan(1);
  });

  test('with work that never ends it gets what a deferrable one gets', () => {
    const hogs = [hog(0, server(3000, 10_000)), hog(0, server(5000, 20_000)), hog(0, server(20_000, 50_000))];
    const sum = (params: Scenario['params'], dom: number) =>
      ranOf(scenario(hogs, { params, durationNs: 1000 * MS }), dom).reduce((ms, [a, b]) => ms + b - a, 0);
    for (const dom of [1, 2, 3]) {
      expect(Math.abs(sum({ rtxen_periodic: true }, dom) - sum({}, dom))).toBeLessThan(25);
    }
  });

  test('one without work takes as much from others as one with work', () => {
    const lower = hog(0, server(40_000, 50_000));
    const share = (first: VcpuSpec, given = {}) =>
      ranOf(scenario([first, lower], { durationNs: 1000 * MS, ...given }), 2).reduce(
        (sum, [a, b]) => sum + b - a,
        0,
      );
    const idle = vcpuOf({ kind: 'idle' }, server(4000, 10_000));
    const busy = hog(0, server(4000, 10_000));
    expect(Math.abs(share(idle) - share(busy))).toBeLessThan(10);
    expect(share(idle, deferrable)).toBeGreaterThan(share(idle) + 100);
  });

  test('a domain 0 without work takes nothing', () => {
    const made = scenario([vcpuOf({ kind: 'idle' }), hog(0, server(10_000, 10_000))]);
    const [first, ...others] = made.domains;
    const ran = ranOf({ ...made, domains: [{ ...first!, id: 0 }, ...others] }, 2);
    expect(ran.reduce((sum, [a, b]) => sum + b - a, 0) + 200 - ran.at(-1)![1]).toBeGreaterThan(100);
  });

  test('a paused one does not idle its budget away, and servers change their kind', () => {
    const command = (text: 'pause' | 'unpause'): Action['command'] => ({ text, kind: text, dom: 1 });
    const pool = (serverKind: 'deferrable' | 'periodic'): Action['command'] => ({
      text: 'sched -s',
      kind: 'sched-pool',
      scheduler,
      cpupool: 'Pool-0',
      tsliceMs: undefined,
      ratelimitUs: undefined,
      migrationDelayUs: undefined,
      serverKind,
      scheme: undefined,
    });
    const at = (ms: number, what: Action['command']): Action => ({ atNs: ms * MS, command: what! });
    const vcpu = once(2, 105, server(2000, 10_000));
    const paused = scenario([vcpu], { actions: [at(95, command('pause')), at(104, command('unpause'))] });
    expect(ranOf(paused, 1)[0]![0]).toBe(105);
    const changed = scenario([vcpu], { ...deferrable, actions: [at(60, pool('periodic'))] });
    expect(ranOf(changed, 1)[0]![0]).toBe(111);
    expect(ranOf(scenario([vcpu], { actions: [at(60, pool('deferrable'))] }), 1)[0]![0]).toBe(105);
  });

  test('those that idle their budget away share several pCPUs as others do', () => {
    const host = hostOf({ pcpus: 2 });
    const idle = vcpuOf({ kind: 'idle' }, server(5000, 10_000));
    const last = hog(0, server(40_000, 50_000));
    const many = scenario([idle, idle, idle, idle, last], { host, durationNs: 500 * MS });
    const few = scenario([idle, last], { host, durationNs: 500 * MS });
    const sum = (made: Scenario, dom: number) => ranOf(made, dom).reduce((ms, [a, b]) => ms + b - a, 0);
    expect(sum(many, 5)).toBeLessThan(sum(few, 2) / 2);
  });
});
