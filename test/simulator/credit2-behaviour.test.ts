/**
 * Credit2 against what its constants and the messages of Xen's commits say must come out.
 */
import { describe, expect, test } from 'vitest';
import type { Scenario, VcpuSpec } from '../../src/scenario/scenario.ts';
import { simulate } from '../../src/simulator/index.ts';
import { burnCredits, resetCredits } from '../../src/simulator/schedulers/credit2/credits.ts';
import { updateMaxWeight } from '../../src/simulator/schedulers/credit2/run-queue.ts';
import { Credit2System, credit2OfVcpu } from '../../src/simulator/schedulers/credit2/state.ts';
import { MemorySink } from './memory-sink.ts';
import { Rig } from './rig.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const HOG = vcpuOf({ kind: 'hog', offsetNs: 0 });
const IDLE = vcpuOf({ kind: 'idle' });

function credit2Of(vcpus: readonly (readonly VcpuSpec[])[], given: Partial<Scenario> = {}): Scenario {
  return scenarioOf(vcpus, { scheduler: 'credit2', durationNs: 6000 * MS, ...given });
}

/** How long each vCPU waited each time, and how often it came to run, after the first second. */
function watch(scenario: Scenario): { waits: number[]; switches: number; shares: number[] } {
  const since = new Map<string, number>();
  const waits: number[] = [];
  let switches = 0;
  const simulation = simulate(scenario, new MemorySink(scenario.host.pcpus, 0), {
    onRunstate(tNs, _pcpu, dom, vcpu, from, to) {
      if (dom === 32767) return;
      const name = `d${dom}v${vcpu}`;
      if (from === 1 && to === 0 && tNs > 1000 * MS) waits.push(tNs - since.get(name)!);
      if (to === 0) switches += 1;
      if (to === 1) since.set(name, tNs);
    },
  });
  const shares = simulation.vcpuTimes().map(({ runNs }) => runNs / scenario.durationNs);
  return { waits, switches, shares };
}

describe('hogs on one pCPU', () => {
  test.each([2, 3, 4, 8])('%i equal ones take turns of 1 ms, the rate limit', (n) => {
    const { waits, switches, shares } = watch(credit2Of(Array.from({ length: n }, () => [HOG])));
    expect(Math.max(...waits)).toBeLessThanOrEqual((n - 1) * MS + 0.5 * MS);
    expect(waits.reduce((sum, ns) => sum + ns, 0) / waits.length / MS).toBeCloseTo(n - 1, 1);
    expect(switches / 6).toBeGreaterThan(950);
    expect(switches / 6).toBeLessThan(1010);
    for (const share of shares) expect(share).toBeCloseTo(1 / n, 2);
  });

  test('two equal ones take turns of 10 ms as long as slices overlook who is preempted, until 4.20', () => {
    const { waits } = watch(credit2Of([[HOG], [HOG]], { xen: '4.20' }));
    expect(new Set(waits)).toEqual(new Set([10 * MS]));
  });

  test('get time by weight: 1:2:4, whatever else they are', () => {
    const scenario = credit2Of([[HOG], [HOG], [HOG]]);
    const weighted = [256, 512, 1024].map((weight, i) => ({ ...scenario.domains[i]!, weight }));
    const { shares } = watch({ ...scenario, domains: weighted });
    for (const [i, share] of [1 / 7, 2 / 7, 4 / 7].entries()) expect(shares[i]).toBeCloseTo(share, 2);
  });

  test('are capped in steps of 10 ms: 10 % is 1 ms in 10, and 9 ms of waiting, offline', () => {
    const scenario = credit2Of([[HOG]]);
    const offline: number[] = [];
    let since = 0;
    simulate({ ...scenario, domains: [{ ...scenario.domains[0]!, cap: 10 }] }, new MemorySink(1, 0), {
      onRunstate(tNs, _pcpu, dom, _vcpu, from, to) {
        if (dom === 32767) return;
        if (to === 3) since = tNs;
        if (from === 3) offline.push(tNs - since);
        expect([from, to]).not.toEqual([3, 1]);
      },
    });
    expect(offline.length).toBeGreaterThan(590);
    expect(new Set(offline)).toEqual(new Set([9 * MS]));
  });

  test('leave no one to a pCPU of the time that a thief steals from credit: at most half', () => {
    const thief = vcpuOf({ kind: 'dodge', periodNs: 10 * MS, guardNs: 250_000, offsetNs: 0 });
    expect(watch(credit2Of([[thief], [HOG]])).shares[0]).toBeLessThanOrEqual(0.55);
    expect(watch(scenarioOf([[thief], [HOG]], { durationNs: 6000 * MS })).shares[0]).toBeGreaterThan(0.55);
  });
});

describe('a wake-up', () => {
  const waker = vcpuOf({ kind: 'duty', run: fixed(100_000), sleep: fixed(900_000), offsetNs: 300_000 });

  test('within the rate limit less 50 us of who runs is not answered, and nothing makes up for it', () => {
    const limited = watch(credit2Of([[HOG], [waker]]));
    const free = watch(credit2Of([[HOG], [waker]], { params: { sched_ratelimit_us: 0 } }));
    expect(free.shares[1]).toBeGreaterThan(0.09);
    expect(limited.shares[1]).toBeLessThan(0.06);
  });

  test('takes a whole idle core before the other thread of a busy one, or after it to save power', () => {
    const host = hostOf({ pcpus: 4, sockets: 1, coresPerSocket: 2, threadsPerCore: 2 });
    const placed = (power: boolean): number[] => {
      const on = new Set<number>();
      const params = { sched_smt_power_savings: power };
      simulate(credit2Of([[HOG], [HOG]], { host, params, durationNs: 100 * MS }), new MemorySink(4, 0), {
        onSwitch(tNs, pcpu, dom) {
          if (tNs < 50 * MS) dom === 32767 ? on.delete(pcpu) : on.add(pcpu);
        },
      });
      return [...on].map((pcpu) => pcpu >> 1).sort();
    };
    expect(placed(false)).toEqual([0, 1]);
    expect(new Set(placed(true)).size).toBe(1);
  });

  test('goes to an idle pCPU of its soft affinity, and to others only when there is none', () => {
    const host = hostOf({ pcpus: 4, coresPerSocket: 4 });
    const soft = vcpuOf({ kind: 'hog', offsetNs: 0 }, { softAffinity: [2, 3] });
    const used = (count: number): number[] => {
      const on = new Set<number>();
      const scenario = credit2Of([Array.from({ length: count }, () => soft)], { host, durationNs: 50 * MS });
      simulate(scenario, new MemorySink(4, 0), { onSwitch: (_t, pcpu, dom) => dom < 32767 && on.add(pcpu) });
      return [...on].sort();
    };
    expect(used(1)).toHaveLength(1);
    expect([2, 3]).toContain(used(1)[0]);
    expect(used(2)).toEqual([2, 3]);
    expect(used(4)).toEqual([0, 1, 2, 3]);
  });
});

describe('credit', () => {
  /** Two vCPUs of a run queue, the first of them running on pCPU 0, the second on pCPU 1. */
  function pair() {
    const rig = new Rig(credit2Of([[IDLE], [IDLE], [IDLE]], { host: hostOf({ pcpus: 2 }) }));
    const system = new Credit2System(rig.xen);
    const credits = [1, 2, 3].map((id) => credit2OfVcpu(rig.vcpu(id)));
    for (const [pcpu, credit] of credits.slice(0, 2).entries()) {
      credit.vcpu.processor = pcpu;
      rig.machine.pcpus[pcpu]!.chosen = credit.vcpu;
    }
    return { system, queue: credits[0]!.runQueue!, credits, rig };
  }

  test('is charged up to a reset to who runs elsewhere: the numbers of 4fa4f8a3cd', () => {
    const { system, queue, credits } = pair();
    const [first, second, sleeper] = credits as [
      (typeof credits)[0],
      (typeof credits)[0],
      (typeof credits)[0],
    ];
    first.credit = 9_998_353;
    second.credit = -1327;
    second.startNs = 9_796_548;
    resetCredits(system, queue, second, 9_796_548);
    expect(first.credit).toBe(10_201_805);
    expect(second.credit).toBe(9_998_673);
    expect(sleeper.credit).toBe(10_500_000);
  });

  test('comes twice for one at the bottom: 4e98fd5912', () => {
    const { system, queue, credits } = pair();
    credits[0]!.credit = 200_000;
    burnCredits(system, queue, credits[0]!, 11 * MS + 200_000);
    expect(credits[0]!.credit).toBe(-10 * MS);
    resetCredits(system, queue, credits[0]!, 11 * MS + 200_000);
    expect(credits[0]!.credit).toBe(10 * MS);
  });

  test('burns by weight, to the last nanosecond over many short runs', () => {
    const { system, queue, credits } = pair();
    const [light] = credits as [(typeof credits)[0]];
    light.weight = 3;
    updateMaxWeight(system, queue, 1000, 256);
    light.credit = 10 * MS;
    for (let i = 1; i <= 2999; i += 1) burnCredits(system, queue, light, i);
    expect(light.credit).toBe(10 * MS - Math.floor((2999 * 1000) / 3));
    expect(light.residual).toBe((2999 * 1000) % 3);
  });
});
