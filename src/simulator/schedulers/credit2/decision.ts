import { affinityOfStep, BALANCE_SOFT_AFFINITY, hasSoftAffinity } from '../../affinity.ts';
import {
  TRC_CSCHED2_RATELIMIT,
  TRC_CSCHED2_RUNQ_CAND_CHECK,
  TRC_CSCHED2_RUNQ_CANDIDATE,
} from '../../trace-events.ts';
import { grabBudget } from './budget.ts';
import { timeOfCredits } from './credits.ts';
import {
  type Credit2System,
  type Credit2Vcpu,
  credit2OfVcpu,
  FLAG_YIELD,
  MAX_TIMER_NS,
  MIN_TIMER_NS,
  type RunQueue,
} from './state.ts';

/** Who runs next on `pcpu`, where `current` runs (runq_candidate). */
export function chooseNext(
  system: Credit2System,
  queue: RunQueue,
  current: Credit2Vcpu,
  pcpu: number,
  nowNs: number,
): Credit2Vcpu {
  let next = current;
  let yields = false;
  if (!current.vcpu.isIdle) {
    yields = (current.flags & FLAG_YIELD) !== 0;
    current.flags &= ~FLAG_YIELD;
    if (!yields && isLimited(system, current, nowNs)) return current;
    const leaves = prefersElsewhere(system, queue, current, pcpu);
    // The order matters: the question also notes its runstate.
    if (!current.vcpu.checkRunnable() || leaves) next = credit2OfVcpu(system.machine.pcpus[pcpu]!.idle);
  }
  next = firstBetter(system, queue, next, pcpu, yields) ?? next;
  system.tracer.record3(TRC_CSCHED2_RUNQ_CANDIDATE, next.vcpu.packedId, next.tickledPcpu, next.credit);
  return next;
}

/** Whether it has run for less than the rate limit, and still wants to. */
function isLimited(system: Credit2System, { vcpu }: Credit2Vcpu, nowNs: number): boolean {
  const { ratelimitNs } = system;
  const ranNs = nowNs - vcpu.stateEntryNs;
  if (ratelimitNs === 0 || !vcpu.checkRunnable() || ranNs >= ratelimitNs) return false;
  system.tracer.record2(TRC_CSCHED2_RATELIMIT, vcpu.packedId, ranNs);
  return true;
}

/** Whether it runs outside its soft affinity while an idle pCPU within could take it. */
function prefersElsewhere(
  system: Credit2System,
  queue: RunQueue,
  { vcpu }: Credit2Vcpu,
  pcpu: number,
): boolean {
  if (!hasSoftAffinity(vcpu)) return false;
  const mask = system.scratch;
  affinityOfStep(vcpu, BALANCE_SOFT_AFFINITY, mask);
  if (mask.has(pcpu)) return false;
  mask.and(mask, queue.idle);
  mask.andNot(mask, queue.tickled);
  return mask.intersects(vcpu.domain.pool!.valid);
}

/**
 * The first in the run queue that is to run on `pcpu` instead of `next`: with more credit, unless the
 * current one yields; allowed here; not promised to another pCPU; by enough more if it comes from another;
 * with budget.
 */
function firstBetter(
  system: Credit2System,
  queue: RunQueue,
  next: Credit2Vcpu,
  pcpu: number,
  yields: boolean,
): Credit2Vcpu | undefined {
  const { tracer, migrateResist } = system;
  const { waiting, tickled } = queue;
  let at = waiting.next;
  while (at !== waiting) {
    const credit = at.owner!;
    // Asking for budget may take it off the queue.
    at = at.next;
    const { vcpu, tickledPcpu } = credit;
    tracer.record1(TRC_CSCHED2_RUNQ_CAND_CHECK, vcpu.packedId);
    if (!yields && credit.credit <= next.credit) return undefined;
    if (!vcpu.checkRunnable()) continue;
    // Xen does not ask for the pool, so that a pCPU that is leaving it might be given one vCPU after the other.
    if (!vcpu.hardAffinity.has(pcpu) || !vcpu.domain.pool!.valid.has(pcpu)) continue;
    if (tickledPcpu !== -1 && tickledPcpu !== pcpu && tickled.has(tickledPcpu)) continue;
    if (vcpu.processor !== pcpu && next.credit + migrateResist > credit.credit) continue;
    if (credit.isCapped && !grabBudget(system, credit)) continue;
    return credit;
  }
  return undefined;
}

/**
 * How long it may run (csched2_runtime): until its credit is that of the next who waits, or 0; within its
 * budget; but not less than 500 us or the rate limit, and not more than 10 ms. `inFlight` is the credit of
 * the vCPU that is preempted and not queued yet, 0 if there is none.
 */
export function sliceOf(
  system: Credit2System,
  queue: RunQueue,
  next: Credit2Vcpu,
  nowNs: number,
  inFlight: number,
): number {
  const { vcpu } = next;
  if (vcpu.isIdle) return -1;
  let shortestNs = MIN_TIMER_NS;
  const { ratelimitNs } = system;
  if (ratelimitNs !== 0) {
    const leftNs = vcpu.isRunning ? vcpu.stateEntryNs + ratelimitNs - nowNs : ratelimitNs;
    if (leftNs > shortestNs) shortestNs = leftNs;
  }
  const first = queue.waiting.next.owner;
  let rival = first !== undefined && first.credit > 0 ? first.credit : 0;
  if (rival < inFlight) rival = inFlight;
  const credits = next.credit - rival;
  let timeNs = credits > 0 ? timeOfCredits(queue, credits, next) : 0;
  if (next.budgetNs < timeNs) timeNs = next.budgetNs;
  if (timeNs < shortestNs) return shortestNs;
  return Math.min(timeNs, MAX_TIMER_NS);
}
