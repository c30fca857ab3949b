/**
 * Whether a vCPU that Xen calls offline was put there by its scheduler for its cap. No record says so; what does:
 *
 * credit2: a parked vCPU that gets budget again stays offline until it runs (unpark_parked_units clears only the pause
 *   flag), so that offline -> running is an unparking; nothing else does that. It goes offline without TRC_SCHED_SLEEP.
 * credit: accounting parks and unparks with a pause (csched_acct: sched_unit_pause_nosync), in the timer softirq of one
 *   pCPU, so that TRC_SCHED_SLEEP and the waking come while any vCPU may be current there. Others who pause a vCPU do
 *   so in a hypercall of the control domain (a pause, a save, a destruction) or of the vCPU's own domain (taking a vCPU
 *   down). So a pause is the scheduler's for certain if at one of its two ends the current vCPU is another domain's or
 *   the idle one; once that was seen, the domain has a cap and its other pauses are counted as its cap's too.
 *
 * RTDS and SEDF need none of this: their records of budgets and slices tell the instants (see
 * RunstateTracker.budget). Limits: a first parking with both ends under the control domain or the vCPU's own is
 * shown as offline; a pause of a capped domain by the toolstack is shown as throttled; credit2 leaves a vCPU that
 * wakes without budget runnable, which cannot be told from waiting, and the time between an unparking and the run
 * that ends it counts as throttled.
 * Without the records of class TRC_SCHED_VERBOSE only credit2's rule can work.
 * @module
 */
import { DOM_IDLE, RUNNING } from './runstate-batch.ts';

const DOM_CONTROL = 0;

/** Somebody put the vCPU to sleep, it cannot be told who. */
const SLEEP_BY_ANYONE = 1;
/** The current vCPU could not have asked for it: the scheduler did it. */
const SLEEP_BY_SCHEDULER = 2;

export class ThrottleEvidence {
  /** Set when the trace shows records of the credit scheduler's own. */
  creditSeen = false;
  /** Set when the trace shows records of the credit2 scheduler's own. */
  credit2Seen = false;
  readonly #capped = new Set<number>();

  /**
   * What a TRC_SCHED_SLEEP of the vCPU `key` says.
   * @param currentDom the domain that runs on the pCPU that made the record, -1 where not known
   */
  ofRecord(key: number, currentDom: number): number {
    return this.#schedulerActs(key, currentDom) ? SLEEP_BY_SCHEDULER : SLEEP_BY_ANYONE;
  }

  /** Whether the offline time of `key` that ends by going to `to`, on a pCPU where `currentDom` runs, was its cap's. */
  wasParked(key: number, sleep: number, currentDom: number, to: number): boolean {
    const dom = key >>> 16;
    if (to === RUNNING) {
      this.#capped.add(dom);
      return true;
    }
    if (!this.creditSeen || sleep === 0) return false;
    if (sleep === SLEEP_BY_SCHEDULER || this.#schedulerActs(key, currentDom)) this.#capped.add(dom);
    return this.#capped.has(dom);
  }

  /** The same of a vCPU that is still offline where the trace ends. */
  isParked(key: number, sleep: number): boolean {
    if (this.credit2Seen && sleep === 0) return this.#capped.has(key >>> 16);
    return this.creditSeen && (sleep === SLEEP_BY_SCHEDULER || (sleep !== 0 && this.#capped.has(key >>> 16)));
  }

  #schedulerActs(key: number, currentDom: number): boolean {
    return currentDom === DOM_IDLE || (currentDom > DOM_CONTROL && currentDom !== key >>> 16);
  }
}
