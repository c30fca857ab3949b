import { FLOAT_ZERO } from '../../../base/zero.ts';
import { Link } from '../../linked-list.ts';
import { type Vcpu, VPF_BLOCKED } from '../../vcpu.ts';

/** What a vCPU has before it is given parameters (RTGLOBAL_DEFAULT_PERIOD and _BUDGET). */
const DEFAULT_PERIOD_NS = 10_000_000;
const DEFAULT_BUDGET_US = 4_000;
const FULL_BUDGET_US = 10_000;

/** A vCPU as RT-Xen 2.0 sees it (struct rtglobal_vcpu, rtpartition_vcpu). */
export class RtXenVcpu {
  readonly vcpu: Vcpu;
  /** In a run queue, unless alone. */
  readonly queued: Link<RtXenVcpu>;
  periodNs = DEFAULT_PERIOD_NS;
  budgetUs: number;
  /** Budget left. */
  leftUs: number;
  deadlineNs: number;
  /** When the last decision was that it runs. 0: there was none. */
  lastStartNs = FLOAT_ZERO;
  /** Its context is on a pCPU, perhaps only until it is saved (global only). */
  scheduled = false;
  /** To be queued as soon as its context is saved. */
  queueWhenSaved = false;

  constructor(vcpu: Vcpu, nowNs: number) {
    this.vcpu = vcpu;
    this.queued = new Link<RtXenVcpu>(this);
    this.budgetUs = vcpu.isIdle || vcpu.domain.id === 0 ? FULL_BUDGET_US : DEFAULT_BUDGET_US;
    this.leftUs = this.budgetUs;
    this.deadlineNs = (Math.floor(nowNs / this.periodNs) + 1) * this.periodNs;
  }

  /** A new period and its budget, if `now` is not before the deadline. */
  renew(nowNs: number): void {
    const { periodNs } = this;
    this.deadlineNs += (Math.floor((nowNs - this.deadlineNs) / periodNs) + 1) * periodNs;
    this.leftUs = this.budgetUs;
  }
}

export function rtXenOf(vcpu: Vcpu): RtXenVcpu {
  return vcpu.schedulerData as RtXenVcpu;
}

/** Of a domain (struct rtglobal_dom). */
export interface RtXenDomain {
  /** Its vCPUs may run without budget. */
  extratime: boolean;
}

/** Whether nothing keeps it from running but that its guest has nothing to do. */
export function hasNoWork({ isIdle, pauseFlags, pauseCount, domain }: Vcpu): boolean {
  return !isIdle && pauseFlags === VPF_BLOCKED && pauseCount === 0 && domain.pauseCount === 0;
}
