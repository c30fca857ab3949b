/**
 * What must hold of credit2's own data whenever the host is at rest between two instants (the assertions of
 * credit2.c, and what its comments promise), on random scenarios with random features on and off. Toolstack
 * actions are thrown in. A failure prints the seed.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { Cpumask } from '../../src/simulator/cpumask.ts';
import {
  CREDIT_INIT,
  CREDIT_MIN,
  credit2OfDomain,
  credit2OfPcpu,
  credit2OfVcpu,
  FLAG_MIGRATE_REQUEST,
  FLAG_SCHEDULED,
  type RunQueue,
} from '../../src/simulator/schedulers/credit2/state.ts';
import type { Vcpu } from '../../src/simulator/vcpu.ts';
import { Rig } from './rig.ts';
import { randomScenario } from './scenarios.ts';

const SEEDS = Array.from({ length: 300 }, (_, i) => i + 1);
const STEP_NS = 730_000;

interface Drawn {
  readonly scenario: Scenario;
  readonly acts: boolean;
}

/** Each seed has its own choice of what may happen. */
function draw(seed: number): Drawn {
  const prng = Prng.fromSeed(seed * 7919);
  const pick = <T>(choices: readonly T[]): T => choices[prng.below(choices.length)]!;
  const coin = () => prng.below(2) === 0;
  const base = randomScenario(seed, {
    caps: coin(),
    affinity: coin(),
    yields: coin(),
    xen: pick(['4.17', '4.20', '4.21', 'head']),
  });
  const params = {
    credit2_runqueue: pick(['cpu', 'core', 'socket', 'node', 'all']),
    sched_ratelimit_us: pick([0, 100, 1000, 1000, 5000]),
    sched_credit2_migrate_resist: pick([0, 500, 500, 3000]),
    sched_smt_power_savings: coin(),
    credit2_cap_period_ms: pick([1, 10, 10, 20]),
    sched_credit2_max_cpus_runqueue: pick([1, 3, 16, 16]),
    credit2_load_precision_shift: pick([4, 18, 18, 32]),
    credit2_load_window_shift: pick([20, 30, 30, 40]),
  };
  const host = {
    ...base.host,
    contextSwitchNs: pick([0, 0, 3000]),
    timerJitterNs: pick([0, 0, 5000]),
    jitterSeed: seed,
  };
  const domains = base.domains.map((domain) =>
    domain.cap === undefined ? domain : { ...domain, cap: Math.min(domain.cap, 100 * domain.vcpus.length) },
  );
  const acts = coin();
  return {
    scenario: { ...base, scheduler: 'credit2', params, host, domains, durationNs: 250_000_000 },
    acts,
  };
}

/** Something that a toolstack may do. */
function act(rig: Rig, prng: Prng, paused: Set<Vcpu>): void {
  const { domains } = rig.xen;
  const domain = domains[prng.below(domains.length)]!;
  const vcpu = domain.vcpus[prng.below(domain.vcpus.length)]!;
  const { size } = rig.pool.valid;
  const some = () => {
    const mask = Cpumask.of(size, [prng.below(size)]);
    for (let pcpu = 0; pcpu < size; pcpu += 1) if (prng.below(2) === 0) mask.set(pcpu);
    return mask;
  };
  rig.act((xen) => {
    switch (prng.below(6)) {
      case 0:
        xen.adjustDomain(domain, { weight: 1 + prng.below(2000) });
        break;
      case 1:
        xen.adjustDomain(domain, { cap: 1 + prng.below(100 * domain.vcpus.length) });
        break;
      case 2:
        xen.adjustDomain(domain, { cap: 0 });
        break;
      case 3:
        xen.setAffinity(vcpu, some(), undefined);
        break;
      case 4:
        xen.setAffinity(vcpu, undefined, some());
        break;
      default:
        if (paused.delete(vcpu)) {
          xen.unpause(vcpu);
        } else {
          paused.add(vcpu);
          xen.pause(vcpu);
        }
    }
  });
}

/** What is wrong with a run queue, if anything is. */
function queueProblem(rig: Rig, queue: RunQueue): string | undefined {
  const { machine } = rig;
  const { active, idle, tickled, smtIdle } = queue;
  if (!tickled.isEmpty()) return 'somebody was tickled and did not schedule';
  if (active.weight() !== queue.pcpuCount) return 'the count of pCPUs is wrong';
  for (let pcpu = active.first(); pcpu < active.size; pcpu = active.next(pcpu)) {
    if (idle.has(pcpu) !== machine.pcpus[pcpu]!.current.isIdle) return `the idle mask is wrong about ${pcpu}`;
    const { siblings } = credit2OfPcpu(machine.pcpus[pcpu]!);
    if (smtIdle.has(pcpu) !== siblings.isSubsetOf(idle))
      return `the mask of idle cores is wrong about ${pcpu}`;
  }
  let last = Infinity;
  for (let at = queue.waiting.next; at !== queue.waiting; at = at.next) {
    const { vcpu, credit, runQueue, flags } = at.owner!;
    if (credit > last) return `${vcpu} is behind one with less credit`;
    last = credit;
    if (runQueue !== queue) return `${vcpu} waits in a foreign run queue`;
    if ((flags & FLAG_SCHEDULED) !== 0) return `${vcpu} waits and is scheduled`;
    if (!vcpu.isRunnable) return `${vcpu} waits and may not run`;
  }
  let load = 0;
  let maxWeight = 1;
  for (let at = queue.assigned.next; at !== queue.assigned; at = at.next) {
    const credit = at.owner!;
    maxWeight = Math.max(maxWeight, credit.weight);
    if (credit.isQueued || (credit.flags & FLAG_SCHEDULED) !== 0) load += 1;
  }
  if (queue.load !== load) return `the load is ${queue.load}, ${load} vCPUs run or wait`;
  if (queue.maxWeight !== maxWeight) return `the highest weight is ${maxWeight}, not ${queue.maxWeight}`;
  for (const average of [queue.avgLoad, queue.balancedLoad]) {
    if (!Number.isSafeInteger(average) || average < 0) return `a load is ${average}`;
  }
  return undefined;
}

/** What is wrong with a vCPU, if anything is. */
function vcpuProblem(rig: Rig, vcpu: Vcpu): string | undefined {
  const credit = credit2OfVcpu(vcpu);
  const pcpu = rig.machine.pcpus[vcpu.processor]!;
  const runs = pcpu.current === vcpu;
  if (credit.runQueue !== credit2OfPcpu(pcpu).runQueue) return 'it is not assigned where it is';
  if (!vcpu.hardAffinity.has(vcpu.processor)) return `it may not be on ${vcpu.processor}`;
  if (credit.credit < CREDIT_MIN || credit.credit > 2 * CREDIT_INIT) return `it has ${credit.credit} credits`;
  if (!Number.isSafeInteger(credit.credit + credit.residual)) return 'its credit is no integer';
  if (((credit.flags & FLAG_SCHEDULED) !== 0) !== runs)
    return 'its flag says otherwise about whether it runs';
  // Who is asked to move while being picked up from another pCPU goes on till its slice ends: Xen tells that
  // other pCPU.
  const leavesLate = runs && (credit.flags & FLAG_MIGRATE_REQUEST) !== 0;
  if (vcpu.isRunnable !== (runs || credit.isQueued) && !leavesLate) return 'it is lost, or runs and may not';
  if (credit.isCapped !== (credit2OfDomain(vcpu.domain).cap !== 0))
    return 'its cap is not that of its domain';
  if (!credit.isCapped && !credit.parked.isAlone) return 'it is parked without a cap';
  if (!runs && credit.isCapped && credit.budgetNs > 0) return 'it keeps budget while it does not run';
  return undefined;
}

function problemOf(rig: Rig): string | undefined {
  const at = `at ${rig.machine.nowNs}`;
  for (const pcpu of rig.machine.pcpus) {
    const { runQueue } = credit2OfPcpu(pcpu);
    const problem = queueProblem(rig, runQueue);
    if (problem !== undefined) return `${at}, run queue ${runQueue.id}: ${problem}`;
  }
  for (const { vcpus } of rig.xen.domains) {
    for (const vcpu of vcpus) {
      const problem = vcpuProblem(rig, vcpu);
      if (problem !== undefined) return `${at}, ${vcpu}: ${problem}`;
    }
  }
  return undefined;
}

function firstProblem(seed: number): string | undefined {
  const { scenario, acts } = draw(seed);
  const rig = new Rig(scenario);
  const prng = Prng.fromSeed(seed);
  const paused = new Set<Vcpu>();
  let problem = problemOf(rig);
  for (let ns = STEP_NS; ns < scenario.durationNs && problem === undefined; ns += STEP_NS) {
    rig.runUntil(ns);
    problem = problemOf(rig);
    if (problem !== undefined || !acts || prng.below(5) > 0) continue;
    act(rig, prng, paused);
    problem = problemOf(rig);
  }
  return problem;
}

describe('at rest', () => {
  test.each(SEEDS)('run queues, masks, loads and flags agree with who runs: seed %i', (seed) => {
    expect(firstProblem(seed)).toBeUndefined();
  });

  // Elsewhere it may: a pCPU that was promised to one vCPU takes another that can run nowhere else; with power
  // savings two wake-ups may be promised the same pCPU; and idle pCPUs resist migration, too.
  test.each(SEEDS)(
    'nobody waits beside an idle pCPU without caps, affinity and resistance: seed %i',
    (seed) => {
      const { scenario } = draw(seed);
      const domains = scenario.domains.map((domain) => ({
        ...domain,
        cap: undefined,
        vcpus: domain.vcpus.map((vcpu) => ({ ...vcpu, hardAffinity: undefined, softAffinity: undefined })),
      }));
      const params = { ...scenario.params, sched_credit2_migrate_resist: 0, sched_smt_power_savings: false };
      const rig = new Rig({ ...scenario, domains, params });
      for (let ns = STEP_NS; ns < scenario.durationNs; ns += STEP_NS) {
        rig.runUntil(ns);
        for (const pcpu of rig.machine.pcpus) {
          const { waiting, idle } = credit2OfPcpu(pcpu).runQueue;
          if (!waiting.isAlone) expect([ns, idle.isEmpty()]).toEqual([ns, true]);
        }
      }
    },
  );

  test('a problem is noticed', () => {
    const rig = new Rig(draw(1).scenario);
    rig.runUntil(50_000_000);
    expect(problemOf(rig)).toBeUndefined();
    const { runQueue } = credit2OfPcpu(rig.machine.pcpus[0]!);
    runQueue.load += 1;
    expect(problemOf(rig)).toMatch(/^at 50000000, run queue 0: the load is/);
    runQueue.load -= 1;
    credit2OfVcpu(rig.vcpu(1)).flags ^= FLAG_SCHEDULED;
    expect(problemOf(rig)).toMatch(/whether it runs|and is scheduled|the load is/);
  });
});
