import {
  TRC_CSCHED_ACCOUNT_START,
  TRC_CSCHED_ACCOUNT_STOP,
  TRC_CSCHED_BOOST_END,
} from '../../trace-events.ts';
import type { Vcpu } from '../../vcpu.ts';
import type { CreditPlacement } from './placement.ts';
import { sortQueue } from './run-queue.ts';
import {
  CREDITS_PER_MS,
  type CreditDomain,
  type CreditSystem,
  type CreditVcpu,
  creditOfVcpu,
  PRI_BOOST,
  PRI_OVER,
  PRI_UNDER,
  TICKS_PER_TSLICE,
} from './state.ts';

const MS = 1_000_000;
/** What whoever is found running pays where ticks sample. */
const CREDITS_PER_TICK = 100;

/**
 * Charges its CPU time up to now, in whole credits (burn_credits). Nothing is charged so where ticks sample
 * who runs.
 */
export function burnCredits({ version }: CreditSystem, credit: CreditVcpu, nowNs: number): void {
  if (version.samplesUsage) return;
  const delta = nowNs - credit.startNs;
  if (delta <= 0) return;
  const value = delta * CREDITS_PER_MS + (version.keepsResidual ? credit.residual : MS / 2);
  const credits = Math.floor(value / MS);
  if (version.keepsResidual) credit.residual = value - credits * MS;
  credit.credit = (credit.credit - credits) | 0;
  credit.startNs += credits * (MS / CREDITS_PER_MS);
}

/** csched_tick(): a third of a time slice has passed on `pcpu`, in whose context this is. */
export function tick(system: CreditSystem, placement: CreditPlacement, pcpu: number): void {
  const { machine } = system.xen;
  const here = system.pcpu(pcpu);
  const { current } = machine.pcpus[pcpu]!;
  here.ticks += 1;
  if (!current.isIdle) accountRunning(system, placement, pcpu, creditOfVcpu(current));
  if (system.version.accountsAtTicks && pcpu === system.master && here.ticks % TICKS_PER_TSLICE === 0) {
    account(system);
  }
  sortQueue(system, here);
  machine.timers.set(here.ticker, machine.nowNs + system.tickPeriodNs, machine.nowNs);
}

/** csched_unit_acct(): the tick found this vCPU running. */
function accountRunning(
  system: CreditSystem,
  placement: CreditPlacement,
  pcpu: number,
  credit: CreditVcpu,
): void {
  const { xen } = system;
  const { vcpu } = credit;
  if (credit.pri === PRI_BOOST) {
    credit.pri = PRI_UNDER;
    if (system.version.recordsBoosts) {
      xen.machine.tracer.record2(TRC_CSCHED_BOOST_END, vcpu.domain.id, vcpu.id);
    }
  }
  if (system.version.samplesUsage) credit.credit -= CREDITS_PER_TICK;
  else burnCredits(system, credit, xen.machine.nowNs);
  if (credit.active.isAlone) startAccounting(system, credit);
  else moveIfBetter(system, placement, pcpu, vcpu);
}

/** Sends the vCPU that runs on `pcpu` to look for another if it were better off there. */
export function moveIfBetter(
  { xen }: CreditSystem,
  placement: CreditPlacement,
  pcpu: number,
  vcpu: Vcpu,
): void {
  if (placement.pick(vcpu, false) === pcpu) return;
  xen.requestMigration(vcpu);
  xen.raiseSchedule(pcpu);
}

/** It earns credit from now on (__csched_unit_acct_start). */
export function startAccounting(system: CreditSystem, credit: CreditVcpu): void {
  const { vcpu } = credit;
  const domain = credit.domain!;
  domain.activeCount += 1;
  credit.active.insertAfter(domain.activeVcpus);
  if (!system.version.weighsDomains || domain.active.isAlone) system.weight += domain.weight;
  if (domain.active.isAlone) domain.active.insertAfter(system.activeDomains);
  if (!system.version.records) return;
  const { tracer } = system.xen.machine;
  tracer.record3(TRC_CSCHED_ACCOUNT_START, vcpu.domain.id, vcpu.id, domain.activeCount);
}

/** It earns no more (__csched_unit_acct_stop_locked). */
export function stopAccounting(system: CreditSystem, credit: CreditVcpu): void {
  const { vcpu } = credit;
  const domain = credit.domain!;
  domain.activeCount -= 1;
  credit.active.remove();
  if (!system.version.weighsDomains || domain.activeVcpus.isAlone) system.weight -= domain.weight;
  if (domain.activeVcpus.isAlone) domain.active.remove();
  if (!system.version.records) return;
  const { tracer } = system.xen.machine;
  tracer.record3(TRC_CSCHED_ACCOUNT_STOP, vcpu.domain.id, vcpu.id, domain.activeCount);
}

/**
 * csched_acct(): once per time slice, on the master pCPU, gives every active vCPU its share of the credit and
 * recomputes its priority. Xen computes with 32-bit integers, which this does too.
 */
export function account(system: CreditSystem): void {
  const { machine } = system.xen;
  const weightTotal = system.weight;
  if (weightTotal === 0) {
    system.creditBalance = 0;
  } else {
    giveCredit(system, weightTotal);
    // The other pCPUs see this at their next tick and sort their run queues.
    system.accountings = (system.accountings + 1) >>> 0;
  }
  const timer = system.masterTicker;
  if (timer !== undefined) machine.timers.set(timer, machine.nowNs + system.tsliceNs, machine.nowNs);
}

/** How many times a domain's weight counts. */
export function sharesOf({ version }: CreditSystem, domain: CreditDomain): number {
  return version.weighsDomains ? 1 : domain.activeCount;
}

function giveCredit(system: CreditSystem, weightTotal: number): void {
  const creditTotal = (system.credit + debtOf(system)) >>> 0;
  system.creditBalance = distribute(system, creditTotal, weightTotal, (domain, fair, capPerVcpu) =>
    giveDomain(system, domain, fair, capPerVcpu),
  );
}

/** By how much all vCPUs together are in debt. */
export function debtOf({ creditBalance }: CreditSystem): number {
  return creditBalance < 0 ? -creditBalance : 0;
}

/**
 * Divides credit among the domains by weight, none getting more than it could use: `give` gives each of a
 * domain's active vCPUs its part, and answers the sum of what they have then. Answers the sum of all.
 */
export function distribute(
  system: CreditSystem,
  total: number,
  weightTotal: number,
  give: (domain: CreditDomain, fair: number, capPerVcpu: number) => number,
): number {
  const debt = debtOf(system);
  let creditTotal = total;
  let weightLeft = weightTotal;
  let balance = 0;
  let someEarnLess = false;
  const { activeDomains } = system;
  let at = activeDomains.next;
  while (at !== activeDomains) {
    const next = at.next;
    const domain = at.owner!;
    const count = domain.activeCount;
    const shares = sharesOf(system, domain);
    weightLeft -= domain.weight * shares;
    // What the domain could use at most: all its active vCPUs running all the time, and its part of the debt.
    let peak = count * system.creditsPerTslice;
    if (debt > 0) peak += divideUp(product(debt, domain.weight, shares), weightTotal);
    peak >>>= 0;
    let capPerVcpu = 0;
    if (domain.cap !== 0) {
      const cap = Math.floor((domain.cap * system.creditsPerTslice + 99) / 100);
      if (cap < peak) peak = cap;
      capPerVcpu = Math.floor((cap + count - 1) / count);
    }
    let fair = divideUp(product(creditTotal, domain.weight, shares), weightTotal);
    if (fair < peak) {
      // One without a weight has no part in this; only boosted credit has such.
      if (domain.weight !== 0) someEarnLess = true;
    } else {
      if (weightLeft !== 0) {
        creditTotal = (creditTotal + divideUp(Math.imul(fair - peak, weightTotal) >>> 0, weightLeft)) >>> 0;
      }
      // Those with credit to spare come first next time, so that others get at it.
      if (someEarnLess) {
        at.remove();
        at.insertAfter(activeDomains);
      }
      fair = peak;
    }
    balance += give(domain, Math.floor((fair + count - 1) / count), capPerVcpu);
    at = next;
  }
  return balance | 0;
}

/** Each active vCPU of a domain gets `fair` credits. Answers the sum of their credits afterwards. */
function giveDomain(system: CreditSystem, domain: CreditDomain, fair: number, capPerVcpu: number): number {
  const { creditsPerTslice, version } = system;
  const { activeVcpus } = domain;
  let balance = 0;
  let at = activeVcpus.next;
  while (at !== activeVcpus) {
    const next = at.next;
    const credit = at.owner!;
    credit.credit = (credit.credit + fair) | 0;
    if (credit.credit < 0) {
      fallBehind(system, credit, capPerVcpu);
    } else {
      credit.pri = PRI_UNDER;
      unpark(system, credit);
      if (credit.credit > creditsPerTslice) {
        stopAccounting(system, credit);
        credit.credit = version.forfeitsSurplus ? 0 : Math.floor(credit.credit / 2);
      }
    }
    balance += credit.credit;
    at = next;
  }
  return balance;
}

/**
 * It is in debt, which has a limit. Parked if it belongs to a capped domain and owes more than its part of
 * the cap.
 */
export function fallBehind(
  { xen, creditsPerTslice }: CreditSystem,
  credit: CreditVcpu,
  capPerVcpu: number,
): void {
  credit.pri = PRI_OVER;
  if (credit.domain!.cap !== 0 && credit.credit < -capPerVcpu && !credit.parked) {
    credit.parked = true;
    for (const vcpu of credit.vcpus) xen.pause(vcpu);
  }
  if (credit.credit < -creditsPerTslice) credit.credit = -creditsPerTslice;
}

/** It is out of debt: what was parked may run again. */
export function unpark({ xen, version }: CreditSystem, credit: CreditVcpu): void {
  if (!credit.parked) return;
  // A wake-up of a parked vCPU is not boosted, as long as it counts as parked.
  if (version.boostsUnparked) credit.parked = false;
  for (const vcpu of credit.vcpus) xen.unpause(vcpu);
  credit.parked = false;
}

/** a * b * c in uint32_t. */
function product(a: number, b: number, c: number): number {
  return Math.imul(Math.imul(a, b), c) >>> 0;
}

/** (a + b - 1) / b in uint32_t. */
function divideUp(a: number, b: number): number {
  return Math.floor(((a + b - 1) >>> 0) / b);
}
