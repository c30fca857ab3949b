/**
 * Credit2 while parameters change, vCPUs are paused and pCPUs leave: against the arithmetic of
 * csched2_dom_cntl() and the laws of who may run.
 */
import { describe, expect, test } from 'vitest';
import { recordWords } from '../../src/format/record.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { Cpumask } from '../../src/simulator/cpumask.ts';
import {
  Credit2Domain,
  type Credit2Vcpu,
  credit2OfDomain,
  credit2OfPcpu,
  credit2OfVcpu,
} from '../../src/simulator/schedulers/credit2/state.ts';
import { Rig } from './rig.ts';
import { hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const HOG = vcpuOf({ kind: 'hog', offsetNs: 0 });
const TRC_SCHED_ADJDOM = 0x00028009;
const TRC_CSCHED2_RUNQ_MAX_WEIGHT = 0x0002220e;

function rigOf(vcpusOfDomains: readonly number[], given: Partial<Scenario> = {}): Rig {
  const vcpus = vcpusOfDomains.map((count) => Array.from({ length: count }, () => HOG));
  return new Rig(scenarioOf(vcpus, { scheduler: 'credit2', durationNs: 10_000 * MS, ...given }));
}

/** The extra words of the records of an event on pCPU 0 since the last look. */
function recordsOf(rig: Rig, event: number): number[][] {
  const words = rig.sink.drain(0);
  const found: number[][] = [];
  for (let at = 0; at < words.length; at += recordWords(words[at]!)) {
    if ((words[at]! & 0x0fffffff) >>> 0 !== event) continue;
    found.push([...words.subarray(at + 3, at + recordWords(words[at]!))]);
  }
  return found;
}

/** How much each domain's first vCPU ran in the next `ns`. */
function sharesOver(rig: Rig, ns: number): number[] {
  const before = rig.xen.domains.map(({ vcpus }) => vcpus.map((vcpu) => rig.runNs(vcpu)));
  rig.runUntil(rig.machine.nowNs + ns);
  return rig.xen.domains.map(({ vcpus }, d) =>
    vcpus.reduce((sum, vcpu, v) => sum + (rig.runNs(vcpu) - before[d]![v]!) / ns, 0),
  );
}

describe('a weight', () => {
  test('counts at once when it changes, and the heaviest sets the price', () => {
    const rig = rigOf([1, 1]);
    expect(sharesOver(rig, 1000 * MS)[0]).toBeCloseTo(0.5, 2);
    rig.sink.drain(0);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { weight: 768 }));
    expect(recordsOf(rig, TRC_CSCHED2_RUNQ_MAX_WEIGHT)).toEqual([[768 << 16]]);
    expect(sharesOver(rig, 1000 * MS)[0]).toBeCloseTo(0.75, 2);
    rig.sink.drain(0);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { weight: 128 }));
    expect(recordsOf(rig, TRC_CSCHED2_RUNQ_MAX_WEIGHT)).toEqual([[256 << 16]]);
    expect(sharesOver(rig, 1000 * MS)[0]).toBeCloseTo(1 / 3, 2);
  });

  test('that is not given stays, and is written back all the same, as toolstacks do', () => {
    const rig = rigOf([2, 1]);
    rig.sink.drain(0);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 150 }));
    expect(recordsOf(rig, TRC_CSCHED2_RUNQ_MAX_WEIGHT)).toEqual([[256 << 16], [256 << 16]]);
    expect(credit2OfDomain(rig.domain(1)).weight).toBe(256);
  });
});

describe('a cap', () => {
  test('that comes while its vCPUs run does not make them pay for what they have run', () => {
    const rig = rigOf([2], { host: hostOf({ pcpus: 2 }) });
    rig.runUntil(3 * MS + 400_000);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 100 }));
    const domain = credit2OfDomain(rig.domain(1));
    expect(domain).toBeInstanceOf(Credit2Domain);
    expect(domain.nextReplenishNs).toBe(13 * MS + 400_000);
    for (const vcpu of rig.domain(1).vcpus) expect(credit2OfVcpu(vcpu).budgetQuotaNs).toBe(5 * MS);
    expect(sharesOver(rig, 1000 * MS)[0]).toBeCloseTo(1, 2);
    expect(rig.domain(1).vcpus.some((vcpu) => credit2OfVcpu(vcpu).credit === -10 * MS)).toBe(false);
  });

  test('holds for the domain, in every period of 10 ms', () => {
    const rig = rigOf([3, 1], { host: hostOf({ pcpus: 4 }) });
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 70 }));
    rig.runUntil(50 * MS);
    for (let period = 0; period < 200; period += 1) {
      // Whoever is at it when the budget ends overruns it by no more than a slice, and pays that back.
      expect(sharesOver(rig, 10 * MS)[0]).toBeLessThanOrEqual(0.7 + 3 * 0.05);
    }
    expect(sharesOver(rig, 3000 * MS)[0]).toBeCloseTo(0.7, 2);
  });

  test('changes to the new one without a new timer, and its removal wakes those who are parked', () => {
    const rig = rigOf([1]);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 20 }));
    rig.runUntil(105 * MS);
    const domain = credit2OfDomain(rig.domain(1));
    const { nextReplenishNs } = domain;
    expect(rig.vcpu(1).isRunnable).toBe(false);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 40 }));
    expect(domain.nextReplenishNs).toBe(nextReplenishNs);
    expect(sharesOver(rig, 1000 * MS)[0]).toBeCloseTo(0.4, 2);
    expect(rig.vcpu(1).isRunnable).toBe(false);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 0 }));
    expect(rig.vcpu(1).isRunnable).toBe(true);
    expect(credit2OfVcpu(rig.vcpu(1)).isCapped).toBe(false);
    expect(rig.machine.timers.isActive(domain.replenishTimer)).toBe(false);
    expect(sharesOver(rig, 1000 * MS)[0]).toBeCloseTo(1, 3);
  });

  test('of more than all its vCPUs can use is refused, without a record', () => {
    const rig = rigOf([2]);
    rig.sink.drain(0);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { weight: 512, cap: 201 }));
    expect(recordsOf(rig, TRC_SCHED_ADJDOM)).toEqual([]);
    expect(credit2OfDomain(rig.domain(1)).cap).toBe(0);
    // Xen has set the weight by then.
    expect(credit2OfDomain(rig.domain(1)).weight).toBe(512);
    rig.act((xen) => xen.adjustDomain(rig.domain(1), { cap: 200 }));
    expect(recordsOf(rig, TRC_SCHED_ADJDOM)).toEqual([[1]]);
  });
});

describe('a vCPU', () => {
  test('that is paused while it runs, waits or is parked comes back when it is unpaused', () => {
    const rig = rigOf([1, 1, 1]);
    rig.act((xen) => xen.adjustDomain(rig.domain(3), { cap: 5 }));
    for (let round = 0; round < 50; round += 1) {
      rig.runUntil(rig.machine.nowNs + 7_300_000);
      for (const { vcpus } of rig.xen.domains) rig.act((xen) => xen.pause(vcpus[0]!));
      expect(rig.machine.pcpus[0]!.current.isIdle).toBe(true);
      expect(sharesOver(rig, 4 * MS)).toEqual([0, 0, 0]);
      for (const { vcpus } of rig.xen.domains) rig.act((xen) => xen.unpause(vcpus[0]!));
      expect(rig.machine.pcpus[0]!.current.isIdle).toBe(false);
    }
    const [first, second, capped] = sharesOver(rig, 1000 * MS);
    expect(capped).toBeCloseTo(0.05, 2);
    expect(first).toBeCloseTo(second!, 1);
  });

  test('moves when its affinity changes while it runs', () => {
    const host = hostOf({ pcpus: 4, sockets: 2, coresPerSocket: 2, nodes: 2 });
    const rig = rigOf([1], { host });
    rig.runUntil(20 * MS);
    for (const target of [3, 0, 2, 1]) {
      rig.act((xen) => xen.setAffinity(rig.vcpu(1), Cpumask.of(4, [target]), undefined));
      expect(rig.machine.pcpus[target]!.current).toBe(rig.vcpu(1));
      expect(sharesOver(rig, 20 * MS)).toEqual([1]);
    }
  });
});

describe('a pCPU', () => {
  test('that leaves takes its run queue with it when it is the last, and the number is free', () => {
    const host = hostOf({ pcpus: 4, sockets: 2, coresPerSocket: 1, threadsPerCore: 2, nodes: 2 });
    const rig = rigOf([], { host });
    const { pcpus } = rig.machine;
    const { scheduler } = rig.pool;
    const first = credit2OfPcpu(pcpus[0]!).runQueue;
    const second = credit2OfPcpu(pcpus[2]!).runQueue;
    expect([first.id, second.id]).toEqual([0, 1]);
    scheduler.removePcpu!(pcpus[0]!);
    expect([first.pcpuCount, first.pickBias]).toEqual([1, 1]);
    expect(credit2OfPcpu(pcpus[1]!).siblings.first()).toBe(1);
    expect(first.idle.has(0) || first.smtIdle.has(0) || first.active.has(0)).toBe(false);
    scheduler.removePcpu!(pcpus[1]!);
    expect(scheduler.addPcpu(pcpus[0]!, rig.pool)).toBe(0);
    expect(credit2OfPcpu(pcpus[0]!).runQueue).not.toBe(first);
    expect(scheduler.addPcpu(pcpus[1]!, rig.pool)).toBe(0);
    expect(credit2OfPcpu(pcpus[0]!).siblings.has(1)).toBe(true);
  });
});

describe('a domain', () => {
  test('that goes takes its vCPUs off the run queue and its timer with it', () => {
    const rig = rigOf([1, 2]);
    rig.act((xen) => xen.adjustDomain(rig.domain(2), { weight: 1000, cap: 50 }));
    rig.runUntil(50 * MS);
    const domain = rig.domain(2);
    const credits: Credit2Vcpu[] = domain.vcpus.map(credit2OfVcpu);
    const queue = credits[0]!.runQueue!;
    expect(queue.maxWeight).toBe(1000);
    for (const vcpu of domain.vcpus) rig.act((xen) => xen.pause(vcpu));
    const { scheduler } = rig.pool;
    for (const vcpu of domain.vcpus) rig.act(() => scheduler.removeVcpu(vcpu));
    rig.act(() => scheduler.freeDomain!(domain));
    expect(queue.maxWeight).toBe(256);
    expect(rig.machine.timers.isActive(credit2OfDomain(domain).replenishTimer)).toBe(false);
    expect(sharesOver(rig, 100 * MS)[0]).toBeCloseTo(1, 3);
  });
});
