import { TRC_CSCHED2_CREDIT_BURN, TRC_CSCHED2_CREDIT_RESET } from '../../trace-events.ts';
import { tickle } from './run-queue.ts';
import {
  CARRYOVER_MAX,
  CREDIT_INIT,
  CREDIT_MIN,
  type Credit2System,
  type Credit2Vcpu,
  type RunQueue,
} from './state.ts';

/** What the record of a charge says for one without a cap (INT_MIN). */
const NO_BUDGET = -0x8000_0000;

/**
 * Charges the CPU time since it was last charged (burn_credits, t2c_update): the heaviest of the run queue
 * pays a credit per nanosecond, the others more by as much as they are lighter.
 */
export function burnCredits(
  system: Credit2System,
  queue: RunQueue,
  credit: Credit2Vcpu,
  nowNs: number,
): void {
  if (credit.vcpu.isIdle) return;
  const delta = nowNs - credit.startNs;
  if (delta > 0) {
    const { weight } = credit;
    const value = delta * queue.maxWeight + credit.residual;
    const credits = Math.floor(value / weight);
    credit.residual = value - credits * weight;
    credit.credit = Math.max(credit.credit - credits, CREDIT_MIN);
    if (credit.isCapped) credit.budgetNs -= delta;
    credit.startNs = nowNs;
  }
  system.tracer.record4(
    TRC_CSCHED2_CREDIT_BURN,
    credit.vcpu.packedId,
    credit.credit,
    credit.isCapped ? credit.budgetNs : NO_BUDGET,
    delta,
  );
}

/** How long `credit` credits last a vCPU (c2t). */
export function timeOfCredits(queue: RunQueue, credits: number, { weight }: Credit2Vcpu): number {
  return weight === queue.maxWeight ? credits : Math.floor((credits * weight) / queue.maxWeight);
}

/**
 * Everybody in the run queue gets new credit because `next`, the best of them, has none left (reset_credit).
 */
export function resetCredits(system: Credit2System, queue: RunQueue, next: Credit2Vcpu, nowNs: number): void {
  const { tracer } = system;
  const { pcpus } = system.machine;
  const { assigned } = queue;
  const gift = next.credit === CREDIT_MIN ? 2 * CREDIT_INIT : CREDIT_INIT;
  for (let at = assigned.next; at !== assigned; at = at.next) {
    const credit = at.owner!;
    const { vcpu } = credit;
    if (pcpus[vcpu.processor]!.chosen === vcpu) {
      burnCredits(system, queue, credit, nowNs);
      if (credit.budgetNs <= 0) tickle(system, queue, vcpu.processor);
    }
    const before = credit.credit;
    credit.credit = Math.min(before + gift, CREDIT_INIT + CARRYOVER_MAX);
    credit.startNs = nowNs;
    tracer.record3(TRC_CSCHED2_CREDIT_RESET, vcpu.packedId, before, credit.credit);
  }
}
