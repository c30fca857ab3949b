import { FLOAT_ZERO } from '../../../base/zero.ts';
import type { SedfParameters } from '../../../scenario/scenario.ts';
import type { Cpupool } from '../../cpupool.ts';
import { Link } from '../../linked-list.ts';
import type { Pcpu } from '../../pcpu.ts';
import type { Vcpu } from '../../vcpu.ts';

/** The period in which weights are turned into slices, and of a vCPU without parameters (WEIGHT_PERIOD). */
export const WEIGHT_PERIOD_NS = 100_000_000;

/** The queues of extra time, in the order of their precedence (EXTRA_PEN_Q, L0, and EXTRA_UTIL_Q, L1). */
export const PENALTY = 0;
export const UTILIZATION = 1;
export type ExtraQueue = typeof PENALTY | typeof UTILIZATION;

/** A vCPU as SEDF sees it (struct sedf_vcpu_info). */
export class SedfVcpu {
  readonly vcpu: Vcpu;
  /** In the run queue or the wait queue of its pCPU, unless alone or asleep. */
  readonly queued: Link<SedfVcpu>;
  /** It is in the wait queue. */
  waitsForPeriod = false;
  /** In the queues of extra time of its pCPU, by their numbers. */
  readonly queuedForExtra: readonly [Link<SedfVcpu>, Link<SedfVcpu>];

  /** The period is the relative deadline as well. */
  periodNs = WEIGHT_PERIOD_NS;
  sliceNs = FLOAT_ZERO;
  /**
   * What was set as real-time parameters last (period_orig, slice_orig): a domain that changed to extra time
   * only still counts with them where weights are turned into slices.
   */
  setPeriodNs = WEIGHT_PERIOD_NS;
  setSliceNs = FLOAT_ZERO;
  /** Kept and told, without any effect. */
  latencyNs = FLOAT_ZERO;
  /** Share of the slices that weights are turned into; 0: it has none by weight. */
  weight = 0;
  /** Share of the extra time; 0: by its slice and period. */
  extraweight = 1;
  /** May run in extra time (EXTRA_AWARE). */
  extratime = true;

  /** May not run (SEDF_ASLEEP). */
  isAsleep: boolean;
  /** Which queue's extra time it was chosen for (EXTRA_RUN_PEN, EXTRA_RUN_UTIL); undefined: its own slice. */
  runsExtra: ExtraQueue | undefined = undefined;
  /** Is to be compensated for what it lost by a short block (EXTRA_WANT_PEN_Q). */
  wantsPenalty = false;

  /** End of its period; 0 before it first wakes. */
  deadlineNs = FLOAT_ZERO;
  /** When it was chosen to run last. */
  startedNs = FLOAT_ZERO;
  /** How much of the slice is used (cputime). */
  usedNs = FLOAT_ZERO;
  /** When it blocked while it ran; 0: never. */
  blockedNs = FLOAT_ZERO;
  /** Its place in the queues of extra time: the lower comes first. C's int, which wraps. */
  readonly scores = new Int32Array(2);

  constructor(vcpu: Vcpu) {
    this.vcpu = vcpu;
    this.queued = new Link(this);
    this.queuedForExtra = [new Link(this), new Link(this)];
    this.isAsleep = !vcpu.isIdle;
  }

  /** Beginning of its period (PERIOD_BEGIN). */
  get beginNs(): number {
    return this.deadlineNs - this.periodNs;
  }

  get waitsForExtra(): boolean {
    return !this.queuedForExtra[PENALTY].isAlone || !this.queuedForExtra[UTILIZATION].isAlone;
  }

  /** Into the run queue (__add_to_runqueue_sort). */
  startPeriod(pcpu: SedfPcpu): void {
    this.waitsForPeriod = false;
    const head = pcpu.runQueue;
    let at = head.next;
    while (at !== head && at.owner!.deadlineNs <= this.deadlineNs) at = at.next;
    this.queued.insertBefore(at);
  }

  /** Into the wait queue (__add_to_waitqueue_sort). */
  waitForPeriod(pcpu: SedfPcpu): void {
    this.waitsForPeriod = true;
    const head = pcpu.waitQueue;
    let at = head.next;
    while (at !== head && at.owner!.beginNs <= this.beginNs) at = at.next;
    this.queued.insertBefore(at);
  }

  /** Out of either (__del_from_queue). */
  dequeue(): void {
    this.waitsForPeriod = false;
    this.queued.remove();
  }

  /** What a toolstack reads (XEN_DOMCTL_SCHEDOP_getinfo). */
  get parameters(): SedfParameters {
    const { periodNs, sliceNs, latencyNs, extratime, weight } = this;
    return { periodNs, sliceNs, latencyNs, extratime, weight };
  }
}

/** A pCPU as SEDF sees it (struct sedf_cpu_info). Queues are named by their heads. */
export class SedfPcpu {
  readonly pool: Cpupool;
  /** Those whose period has begun, by deadline; of equal ones the first that came. */
  readonly runQueue = new Link<SedfVcpu>();
  /** Those that wait for their next period, by its beginning; of equal ones the first that came. */
  readonly waitQueue = new Link<SedfVcpu>();
  readonly extraQueues: readonly [Link<SedfVcpu>, Link<SedfVcpu>] = [new Link(), new Link()];
  /** When the decision in force ends (current_slice_expires). */
  sliceEndsNs = FLOAT_ZERO;

  constructor(pool: Cpupool) {
    this.pool = pool;
  }
}

export function sedfOf(vcpu: Vcpu): SedfVcpu {
  return vcpu.schedulerData as SedfVcpu;
}

export function sedfPcpuOf(pcpu: Pcpu): SedfPcpu {
  return pcpu.schedulerData as SedfPcpu;
}
