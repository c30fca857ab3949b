import {
  TRC_BCSCHED_BOOST_GIVEN,
  TRC_BCSCHED_BOOST_SLICE,
  TRC_BCSCHED_BOOST_SPENT,
  TRC_BCSCHED_BOOST_TO_CREDIT,
  TRC_BCSCHED_CREDIT_TO_BOOST,
  TRC_BCSCHED_PARAMETERS,
} from '../../trace-events.ts';
import type { BcreditDomain, BcreditSystem, BcreditVcpu } from './state.ts';

/*
 * The records of bcredit are xenscope's own: the patch made none. They take no tick of the trace's clock, so
 * that all others are what they would be without them.
 */

export function recordBoostGiven(system: BcreditSystem, credit: BcreditVcpu, amount: number): void {
  record(system, TRC_BCSCHED_BOOST_GIVEN, credit, amount);
}

export function recordBoostSpent(system: BcreditSystem, credit: BcreditVcpu, amount: number): void {
  record(system, TRC_BCSCHED_BOOST_SPENT, credit, amount);
}

/** Credit above the most that a vCPU may have became boost credit. */
export function recordCreditToBoost(system: BcreditSystem, credit: BcreditVcpu, amount: number): void {
  record(system, TRC_BCSCHED_CREDIT_TO_BOOST, credit, amount);
}

/** Boost credit above its bound, or what it takes to pay a debt, became credit. */
export function recordBoostToCredit(system: BcreditSystem, credit: BcreditVcpu, amount: number): void {
  const { vcpu, boostCredit } = credit;
  const { tracer } = system.xen.machine;
  tracer.ownRecord(TRC_BCSCHED_BOOST_TO_CREDIT, vcpu.packedId, amount, credit.credit, boostCredit);
}

export function recordBoostSlice({ xen, vcpuCount, boostSliceNs }: BcreditSystem): void {
  xen.machine.tracer.ownRecord(TRC_BCSCHED_BOOST_SLICE, vcpuCount, boostSliceNs);
}

/** What is in force after a setting, parts of which may have been refused. */
export function recordParameters({ xen }: BcreditSystem, sbdom: BcreditDomain): void {
  const { domain, weight, cap, maxBoostPeriodMs, boostRatio } = sbdom;
  const { tracer } = xen.machine;
  tracer.ownRecord(TRC_BCSCHED_PARAMETERS, domain.id, weight, cap, maxBoostPeriodMs, boostRatio);
}

function record(
  { xen }: BcreditSystem,
  event: number,
  { vcpu, boostCredit }: BcreditVcpu,
  amount: number,
): void {
  xen.machine.tracer.ownRecord(event, vcpu.packedId, amount, boostCredit);
}
