import {
  affinityOfStep,
  BALANCE_HARD_AFFINITY,
  BALANCE_SOFT_AFFINITY,
  hasSoftAffinity,
} from '../../affinity.ts';
import type { Cpumask } from '../../cpumask.ts';
import { TRC_CSCHED2_TICKLE, TRC_CSCHED2_TICKLE_CHECK, TRC_CSCHED2_TICKLE_NEW } from '../../trace-events.ts';
import { burnCredits } from './credits.ts';
import { tickle } from './run-queue.ts';
import {
  CREDIT_INIT,
  type Credit2System,
  type Credit2Vcpu,
  FLAG_PINNED,
  RATELIMIT_TOLERANCE_NS,
  type RunQueue,
} from './state.ts';

/**
 * A vCPU came to the run queue: looks for a pCPU that should run it and tells that one to schedule
 * (runq_tickle). An idle one if there is any; else the one whose vCPU deserves least against it, if it
 * deserves less.
 */
export function tickleFor(system: Credit2System, credit: Credit2Vcpu, nowNs: number): void {
  const queue = credit.runQueue!;
  const { vcpu } = credit;
  system.tracer.record3(TRC_CSCHED2_TICKLE_NEW, vcpu.packedId, vcpu.processor, credit.credit);
  let pcpu = findIdle(system, queue, credit);
  if (pcpu < 0) pcpu = findBusy(system, queue, credit, nowNs);
  if (pcpu < 0) return;
  system.tracer.record1(TRC_CSCHED2_TICKLE, pcpu);
  tickle(system, queue, pcpu);
  credit.tickledPcpu = pcpu;
}

/**
 * An idle pCPU for it: by soft, then by hard affinity, whole cores first (or last, to save power), where it
 * was before if that is one of them. -1: none, and `system.scratch` has the pCPUs where it may run.
 */
function findIdle(system: Credit2System, queue: RunQueue, credit: Credit2Vcpu): number {
  const { vcpu } = credit;
  const { processor } = vcpu;
  const { idle, tickled } = queue;
  if ((credit.flags & FLAG_PINNED) !== 0 && idle.has(processor) && !tickled.has(processor)) return processor;
  const { valid } = vcpu.domain.pool!;
  const suitable = system.scratch;
  const mask = system.scratch2;
  for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
    if (step === BALANCE_SOFT_AFFINITY && !hasSoftAffinity(vcpu)) continue;
    affinityOfStep(vcpu, step, suitable);
    suitable.and(suitable, valid);
    if (system.savesPower) {
      mask.andNot(idle, queue.smtIdle);
      mask.and(mask, suitable);
    } else {
      mask.and(queue.smtIdle, suitable);
    }
    let pcpu = itselfOrNext(mask, processor);
    if (pcpu < mask.size) return pcpu;
    mask.andNot(idle, tickled);
    mask.and(mask, suitable);
    pcpu = itselfOrNext(mask, processor);
    if (pcpu < mask.size) return pcpu;
  }
  return -1;
}

/** The busy pCPU with the best score above 0, its own first; -1: none. */
function findBusy(system: Credit2System, queue: RunQueue, credit: Credit2Vcpu, nowNs: number): number {
  const { processor, softAffinity } = credit.vcpu;
  const mask = system.scratch2;
  mask.andNot(queue.active, queue.idle);
  mask.andNot(mask, queue.tickled);
  mask.and(mask, system.scratch);
  let best = -1;
  let bestScore = 0;
  if (mask.has(processor)) {
    mask.unset(processor);
    const score = scoreOf(system, queue, credit, processor, nowNs);
    if (score > bestScore) {
      best = processor;
      bestScore = score;
      if (softAffinity.has(processor)) return best;
    }
  }
  for (let pcpu = mask.first(); pcpu < mask.size; pcpu = mask.next(pcpu)) {
    const score = scoreOf(system, queue, credit, pcpu, nowNs);
    if (score > bestScore) {
      best = pcpu;
      bestScore = score;
    }
  }
  return best;
}

/**
 * How much rather it should run on a busy pCPU than who runs there (tickle_score): by credit, less the
 * resistance to migration, and with a bonus each if it likes that pCPU and if the other does not.
 */
function scoreOf(
  system: Credit2System,
  queue: RunQueue,
  credit: Credit2Vcpu,
  pcpu: number,
  nowNs: number,
): number {
  const current = system.currentOn(pcpu);
  if (current.vcpu.isIdle || !isPreemptable(system, current, nowNs)) return -1;
  burnCredits(system, queue, current, nowNs);
  let score = credit.credit - current.credit;
  if (credit.vcpu.processor !== pcpu) score -= system.migrateResist;
  if (score > 0) {
    if (credit.vcpu.softAffinity.has(pcpu)) score += CREDIT_INIT;
    if (!current.vcpu.softAffinity.has(pcpu)) score += CREDIT_INIT;
  }
  system.tracer.record3(TRC_CSCHED2_TICKLE_CHECK, current.vcpu.packedId, current.credit, score);
  return score;
}

/** Whether it has run for about the rate limit (is_preemptable). Nothing asks again once it has. */
function isPreemptable({ ratelimitNs }: Credit2System, { vcpu }: Credit2Vcpu, nowNs: number): boolean {
  if (ratelimitNs <= RATELIMIT_TOLERANCE_NS) return true;
  return nowNs - vcpu.stateEntryNs > ratelimitNs - RATELIMIT_TOLERANCE_NS;
}

/** cpumask_test_or_cycle() */
function itselfOrNext(mask: Cpumask, pcpu: number): number {
  return mask.has(pcpu) ? pcpu : mask.cycle(pcpu);
}
