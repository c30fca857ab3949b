import { FLOAT_ZERO } from '../../../base/zero.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import { Link } from '../../linked-list.ts';
import type { Domain, Vcpu } from '../../vcpu.ts';
import { CreditDomain, CreditSystem, CreditVcpu } from '../credit/state.ts';
import { recordBoostSlice } from './records.ts';

const CREDITS_PER_MS = 1000;
export const CREDITS_PER_TICK = 10_000;
/** Of CPU time: what one credit pays. */
export const NS_PER_CREDIT = 1000;
const MS = 1_000_000;
/** The slice of a boosted vCPU that is alone on its pCPU, and of all others always. */
const SLICE_ALONE_NS = 30 * MS;
const BOOST_SLICE_MIN_NS = 500_000;

/** A vCPU as bcredit sees it (struct bcsched_vcpu). */
export class BcreditVcpu extends CreditVcpu {
  /** In the list of those that earn nothing at present, unless alone. */
  readonly inactive: Link<BcreditVcpu>;
  /** While there is some of it, the vCPU is boosted; it pays with it before it pays with credit. */
  boostCredit = 0;
  /** Since when its CPU time is not paid yet. */
  unpaidFromNs = FLOAT_ZERO;

  constructor(vcpu: Vcpu, domain: BcreditDomain | undefined) {
    super(vcpu, domain);
    this.inactive = new Link<BcreditVcpu>(this);
  }
}

/** A domain as bcredit sees it (struct bcsched_dom). */
export class BcreditDomain extends CreditDomain {
  /** Boost credit that it is given, in percent of one pCPU. */
  boostRatio = 0;
  /** For how long its vCPUs may save up boost credit. */
  maxBoostPeriodMs = 0;

  /** The most boost credit that each of its vCPUs may have. */
  get boostCreditMax(): number {
    return this.maxBoostPeriodMs * CREDITS_PER_MS;
  }

  /** What all its vCPUs together are given by one accounting. */
  get boostCreditFair(): number {
    return boostCreditOf(this.boostRatio);
  }
}

/** Boost credit of one accounting period for a ratio in percent of one pCPU. */
export function boostCreditOf(ratio: number): number {
  return ratio * ((CREDITS_PER_MS * SLICE_ALONE_NS) / MS / 100);
}

/** What bcredit knows of the whole host (struct csched_private and bcsched_private). */
export class BcreditSystem extends CreditSystem {
  /** Head of the list of vCPUs that earn nothing. */
  readonly inactiveVcpus = new Link<BcreditVcpu>();
  /** Guest vCPUs that there are, running or not. */
  vcpuCount = 0;
  /** The time slice of those that are boosted. */
  boostSliceNs = SLICE_ALONE_NS;
  /** Boost credit that one accounting gives out. */
  boostCredit = 0;
  /** Sum of the ratios of all domains, in percent of one pCPU. */
  totalBoostRatio = 0;
  readonly #boostSliceMs: number;

  constructor(xen: Hypervisor) {
    super(xen, CREDITS_PER_MS);
    this.#boostSliceMs = xen.parameters.integer('bcsched_tslice');
  }

  /**
   * So many guest vCPUs more: all share the boost slice, whether they are ever boosted or not. Xen computes
   * in unsigned integers, so that with no vCPU at all they are more than four thousand millions.
   */
  addVcpus(change: number): void {
    this.vcpuCount += change;
    const others = (Math.ceil(this.vcpuCount / this.pcpuCount) - 1) >>> 0;
    const shareNs = Math.floor((this.#boostSliceMs * MS) / others);
    const sliceNs = others === 0 ? SLICE_ALONE_NS : Math.max(shareNs, BOOST_SLICE_MIN_NS);
    if (sliceNs === this.boostSliceNs) return;
    this.boostSliceNs = sliceNs;
    recordBoostSlice(this);
  }
}

export function bcreditOfVcpu(vcpu: Vcpu): BcreditVcpu {
  return vcpu.schedulerData as BcreditVcpu;
}

export function bcreditOfDomain(domain: Domain): BcreditDomain {
  return domain.schedulerData as BcreditDomain;
}
