import { UserError } from '../../../base/errors.ts';
import { FLOAT_ZERO } from '../../../base/zero.ts';
import type { XenSeries } from '../../../scenario/xen-versions.ts';
import { Link } from '../../linked-list.ts';
import type { VcpuParameters } from '../../scheduler.ts';
import type { Vcpu } from '../../vcpu.ts';

/** What a vCPU has before it is given parameters (RTDS_DEFAULT_PERIOD and _BUDGET). */
export const DEFAULT_PERIOD_NS = 10_000_000;
export const DEFAULT_BUDGET_NS = 4_000_000;
/**
 * Beyond this many periods the next deadline is found by division (UPDATE_LIMIT_SHIFT); the result is the
 * same.
 */
const PERIODS_TO_ADD = 1024;

/** A vCPU as RTDS sees it (struct rt_unit, rt_vcpu): a deferrable server. */
export class RtdsVcpu {
  readonly vcpu: Vcpu;
  /** Its number in the queues of the event-driven RTDS. */
  number = -1;
  /** The pCPU that it was chosen for last and still runs on; -1 is none. */
  pcpu = -1;
  /**
   * In the queue of the depleted, unless alone; in the time-driven RTDS in the run queue or that of the depleted.
   */
  readonly queued: Link<RtdsVcpu>;
  periodNs = DEFAULT_PERIOD_NS;
  budgetNs: number;

  /** Budget left in this period. */
  leftNs = FLOAT_ZERO;
  /** From when on its running is not paid yet. */
  chargedToNs = FLOAT_ZERO;
  deadlineNs = FLOAT_ZERO;
  /**
   * 0 on its reservation; one more each time it used up its budget in this period and goes on with
   * extratime.
   */
  level = 0;

  /** Its context is on a pCPU, perhaps only until it is saved. */
  scheduled = false;
  /** To be queued as soon as its context is saved. */
  queueWhenSaved = false;
  /** Ran out of budget, and nobody has been told yet that it has a new one. */
  depleted = false;
  /** May run on when its budget is used up and nobody else has any (extratime). */
  extratime: boolean;

  constructor(vcpu: Vcpu, extratime: boolean) {
    this.vcpu = vcpu;
    this.queued = new Link<RtdsVcpu>(this);
    this.budgetNs = vcpu.isIdle ? 0 : DEFAULT_BUDGET_NS;
    this.extratime = extratime;
  }

  /** New parameters for the next periods; undefined ones stay. Answers false if they are refused. */
  setServer({ periodUs, budgetUs }: VcpuParameters, budgetMinNs: number): boolean {
    const periodNs = periodUs === undefined ? this.periodNs : periodUs * 1000;
    const budgetNs = budgetUs === undefined ? this.budgetNs : budgetUs * 1000;
    if (budgetNs < budgetMinNs || budgetNs > periodNs) return false;
    this.periodNs = periodNs;
    this.budgetNs = budgetNs;
    return true;
  }

  /** The first deadline after `nowNs`, a whole number of periods after the last one. */
  advanceDeadline(nowNs: number): void {
    const { periodNs } = this;
    if (this.deadlineNs + periodNs * PERIODS_TO_ADD > nowNs) {
      do this.deadlineNs += periodNs;
      while (this.deadlineNs <= nowNs);
    } else {
      this.deadlineNs += (Math.floor((nowNs - this.deadlineNs) / periodNs) + 1) * periodNs;
    }
  }
}

export function rtdsOf(vcpu: Vcpu): RtdsVcpu {
  return vcpu.schedulerData as RtdsVcpu;
}

/** Positive if `a` precedes `b`, 0 if they are equal (compare_unit_priority). */
export function comparePriority(a: RtdsVcpu, b: RtdsVcpu): number {
  return a.level === b.level ? b.deadlineNs - a.deadlineNs : b.level - a.level;
}

/** For versions without extratime. */
export function refuseExtratime(series: XenSeries): never {
  throw new UserError('rtds-extratime', `RTDS of Xen ${series} has no extratime`, {
    hint: 'it came with Xen 4.10',
  });
}
