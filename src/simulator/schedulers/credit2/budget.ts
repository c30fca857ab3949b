import { VPF_PARKED } from '../../vcpu.ts';
import { burnCredits } from './credits.ts';
import { updateLoad } from './load.ts';
import { enqueue } from './run-queue.ts';
import {
  type Credit2Domain,
  type Credit2System,
  type Credit2Vcpu,
  credit2OfVcpu,
  FLAG_DELAYED_ADD,
  FLAG_SCHEDULED,
  MIN_TIMER_NS,
  NO_CAP,
} from './state.ts';
import { tickleFor } from './tickling.ts';

/**
 * Gets the vCPU of a capped domain something to run on; answers false and parks it if its domain has nothing
 * left (unit_grab_budget). What it overran is taken from the domain first.
 */
export function grabBudget(system: Credit2System, credit: Credit2Vcpu): boolean {
  if (credit.budgetNs > 0) return true;
  const domain = credit.domain!;
  domain.budgetNs += credit.budgetNs;
  if (domain.budgetNs <= 0) {
    credit.budgetNs = 0;
    park(system, credit);
    return false;
  }
  credit.budgetNs = Math.min(domain.budgetNs, credit.budgetQuotaNs);
  domain.budgetNs -= credit.budgetNs;
  return credit.budgetNs > 0;
}

/** It may not run until its domain has budget again (park_unit). */
function park(system: Credit2System, credit: Credit2Vcpu): void {
  credit.vcpu.pauseFlags |= VPF_PARKED;
  if (credit.isQueued) {
    credit.queued.remove();
    updateLoad(system, credit.runQueue!, credit, -1, system.machine.nowNs);
  }
  credit.parked.insertAfter(credit.domain!.parkedVcpus);
}

/** What a vCPU that stops running has not used goes back to its domain (unit_return_budget). */
export function returnBudget(credit: Credit2Vcpu): void {
  const domain = credit.domain!;
  domain.budgetNs += credit.budgetNs;
  credit.budgetNs = 0;
}

/** All that are parked may try to run again (unpark_parked_units), the one parked last first. */
export function unparkAll(system: Credit2System, domain: Credit2Domain): void {
  const { parkedVcpus } = domain;
  if (parkedVcpus.isAlone) return;
  const { nowNs } = system.machine;
  const last = parkedVcpus.prev;
  for (;;) {
    const { next } = parkedVcpus;
    const credit = next.owner!;
    const { vcpu } = credit;
    vcpu.pauseFlags &= ~VPF_PARKED;
    next.remove();
    if ((credit.flags & FLAG_SCHEDULED) !== 0) {
      credit.flags |= FLAG_DELAYED_ADD;
    } else if (vcpu.isRunnable) {
      updateLoad(system, credit.runQueue!, credit, 1, nowNs);
      enqueue(system, credit);
      tickleFor(system, credit, nowNs);
    }
    if (next === last) return;
  }
}

/** The timer of a capped domain: a period's budget is added, up to one period's (replenish_domain_budget). */
export function replenish(system: Credit2System, domain: Credit2Domain): void {
  const { machine, capPeriodNs } = system;
  do {
    domain.nextReplenishNs += capPeriodNs;
    domain.budgetNs += domain.totalBudgetNs;
  } while (domain.nextReplenishNs <= machine.nowNs);
  if (domain.budgetNs > 0) {
    domain.budgetNs = Math.min(domain.budgetNs, domain.totalBudgetNs);
    unparkAll(system, domain);
  }
  machine.timers.set(domain.replenishTimer, domain.nextReplenishNs, machine.nowNs);
}

/**
 * A new cap, in percent of one pCPU; 0 is none (csched2_dom_cntl). Each vCPU asks for its part of the budget,
 * which starts in full.
 */
export function setCap(system: Credit2System, domain: Credit2Domain, cap: number): void {
  const { capPeriodNs } = system;
  const { vcpus } = domain.domain;
  if (cap === 0) {
    if (domain.cap !== 0) removeCap(system, domain);
    return;
  }
  domain.totalBudgetNs = Math.floor((capPeriodNs * cap) / 100);
  const quotaNs = Math.max(Math.floor(domain.totalBudgetNs / domain.vcpuCount), MIN_TIMER_NS);
  for (const vcpu of vcpus) credit2OfVcpu(vcpu).budgetQuotaNs = quotaNs;
  if (domain.cap === 0) beginCap(system, domain);
  domain.cap = cap;
}

function beginCap(system: Credit2System, domain: Credit2Domain): void {
  const { xen, machine } = system;
  const { nowNs } = machine;
  domain.budgetNs = domain.totalBudgetNs;
  domain.nextReplenishNs = nowNs + system.capPeriodNs;
  machine.timers.set(domain.replenishTimer, domain.nextReplenishNs, nowNs);
  for (const vcpu of domain.domain.vcpus) {
    const credit = credit2OfVcpu(vcpu);
    if (vcpu.isRunning) {
      // Time up to now is charged before there is a budget.
      const queue = system.queueOf(vcpu.processor);
      burnCredits(system, queue, credit, nowNs);
      queue.tickled.set(vcpu.processor);
      xen.raiseSchedule(vcpu.processor);
    }
    credit.budgetNs = 0;
  }
}

function removeCap(system: Credit2System, domain: Credit2Domain): void {
  system.machine.timers.stop(domain.replenishTimer);
  for (const vcpu of domain.domain.vcpus) {
    const credit = credit2OfVcpu(vcpu);
    credit.budgetNs = NO_CAP;
    credit.budgetQuotaNs = 0;
  }
  domain.cap = 0;
  unparkAll(system, domain);
}
