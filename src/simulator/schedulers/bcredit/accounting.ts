import {
  debtOf,
  distribute,
  fallBehind,
  startAccounting,
  stopAccounting,
  unpark,
} from '../credit/accounting.ts';
import { PRI_BOOST, PRI_UNDER } from '../credit/state.ts';
import { recordBoostGiven, recordBoostSpent, recordBoostToCredit, recordCreditToBoost } from './records.ts';
import {
  type BcreditDomain,
  type BcreditSystem,
  type BcreditVcpu,
  CREDITS_PER_TICK,
  NS_PER_CREDIT,
} from './state.ts';

/**
 * Charges its CPU time up to now, each charge rounded up to a whole credit: with boost credit as long as it
 * is boosted, and with credit what that does not pay, which ends the boost (bcsched_schedule).
 */
export function charge(system: BcreditSystem, credit: BcreditVcpu, nowNs: number): void {
  let owed = Math.ceil((nowNs - credit.unpaidFromNs) / NS_PER_CREDIT);
  if (credit.pri === PRI_BOOST) {
    const { boostCredit } = credit;
    const isKept = boostCredit > owed;
    const spent = isKept ? owed : boostCredit;
    credit.boostCredit -= spent;
    owed -= spent;
    if (!isKept) credit.pri = PRI_UNDER;
    if (spent > 0) recordBoostSpent(system, credit, spent);
  }
  credit.credit = (credit.credit - owed) | 0;
}

/**
 * bcsched_acct(): every third tick of the first pCPU activates those that have spent something, gives every
 * active vCPU its share of both kinds of credit, and recomputes its priority. Xen computes with 32-bit
 * integers, which this does too.
 */
export function account(system: BcreditSystem): void {
  activateSpenders(system);
  const { weight, boostCredit } = system;
  if (weight === 0 && boostCredit === 0) {
    system.creditBalance = 0;
    return;
  }
  // What goes to ratios is not there for weights.
  const creditTotal = (system.credit + debtOf(system) - boostCredit) >>> 0;
  const balance = distribute(system, creditTotal, Math.max(1, weight), (domain, fair, capPerVcpu) =>
    giveDomain(system, domain as BcreditDomain, fair, capPerVcpu),
  );
  system.creditBalance = (boostCredit + balance) | 0;
  system.accountings = (system.accountings + 1) >>> 0;
}

/** Whoever lacks a tick's worth of one of the two credits is active from now on. */
function activateSpenders(system: BcreditSystem): void {
  const { inactiveVcpus, creditsPerTslice } = system;
  let at = inactiveVcpus.next;
  while (at !== inactiveVcpus) {
    const next = at.next;
    const credit = at.owner!;
    const { boostCreditMax } = credit.domain as BcreditDomain;
    const lacksBoost = credit.boostCredit <= boostCreditMax - CREDITS_PER_TICK;
    if (lacksBoost || credit.credit <= creditsPerTslice - CREDITS_PER_TICK) start(system, credit);
    at = next;
  }
}

/** It earns credit from now on (__bcsched_vcpu_acct_start_locked). */
function start(system: BcreditSystem, credit: BcreditVcpu): void {
  const domain = credit.domain as BcreditDomain;
  const isFirst = domain.active.isAlone;
  startAccounting(system, credit);
  credit.inactive.remove();
  if (isFirst) system.boostCredit = (system.boostCredit + domain.boostCreditFair) >>> 0;
}

/** It earns no more, as it lacks nothing (__bcsched_vcpu_acct_stop_locked). */
export function stop(system: BcreditSystem, credit: BcreditVcpu): void {
  const domain = credit.domain as BcreditDomain;
  stopAccounting(system, credit);
  credit.inactive.insertAfter(system.inactiveVcpus);
  if (domain.active.isAlone) system.boostCredit = (system.boostCredit - domain.boostCreditFair) >>> 0;
}

/**
 * Each active vCPU of a domain gets `fair` credits, and its part of the domain's ratio in boost credit.
 * Answers the sum of the credits afterwards; that of a domain with a ratio is not its own, and counts as 0.
 */
function giveDomain(system: BcreditSystem, domain: BcreditDomain, fair: number, capPerVcpu: number): number {
  const { activeVcpus, activeCount } = domain;
  let sum = 0;
  let boostSum = 0;
  for (let at = activeVcpus.next; at !== activeVcpus; at = at.next) {
    const credit = at.owner as BcreditVcpu;
    sum += credit.credit;
    boostSum += credit.boostCredit;
  }
  const average = Math.trunc((sum + activeCount - 1) / activeCount);
  const boostAverage = Math.trunc((boostSum + activeCount - 1) / activeCount);
  const boostFair = Math.floor((domain.boostCreditFair + activeCount - 1) / activeCount);
  let balance = 0;
  let at = activeVcpus.next;
  while (at !== activeVcpus) {
    const next = at.next;
    const credit = at.owner as BcreditVcpu;
    credit.credit = average;
    credit.boostCredit = boostAverage;
    if (domain.boostRatio !== 0) giveBoost(system, credit, boostFair, domain.boostCreditMax);
    credit.credit = (credit.credit + fair) | 0;
    if (credit.credit < 0) {
      fallBehind(system, credit, capPerVcpu);
    } else {
      credit.pri = credit.boostCredit > 0 ? PRI_BOOST : PRI_UNDER;
      unpark(system, credit);
      saveExcess(system, credit, domain.boostCreditMax);
    }
    if (domain.boostRatio === 0) balance += credit.credit;
    at = next;
  }
  return balance;
}

/** Boost credit by ratio. What is above its bound becomes credit, and so does what it takes to pay a debt. */
function giveBoost(system: BcreditSystem, credit: BcreditVcpu, fair: number, most: number): void {
  credit.boostCredit += fair;
  const beyond = credit.boostCredit - most;
  if (beyond > 0) turnIntoCredit(credit, beyond);
  recordBoostGiven(system, credit, fair);
  let turned = Math.max(0, beyond);
  if (credit.credit < 0 && credit.boostCredit > 0) {
    const paid = Math.min(credit.boostCredit, -credit.credit);
    turnIntoCredit(credit, paid);
    turned += paid;
  }
  if (turned > 0) recordBoostToCredit(system, credit, turned);
}

function turnIntoCredit(credit: BcreditVcpu, amount: number): void {
  credit.boostCredit -= amount;
  credit.credit += amount;
}

/** Credit above the most that it may have becomes boost credit; one that has enough of that, too, rests. */
function saveExcess(system: BcreditSystem, credit: BcreditVcpu, most: number): void {
  const { creditsPerTslice } = system;
  const excess = credit.credit - creditsPerTslice;
  if (excess <= 0) return;
  const before = credit.boostCredit;
  credit.credit = creditsPerTslice;
  credit.boostCredit += excess;
  if (credit.boostCredit > most) {
    credit.boostCredit = most;
    stop(system, credit);
  }
  const turned = credit.boostCredit - before;
  if (turned > 0) recordCreditToBoost(system, credit, turned);
}
