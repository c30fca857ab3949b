import { Link } from '../../linked-list.ts';
import type { Machine } from '../../machine.ts';
import type { Timer } from '../../timers.ts';
import type { RtdsVersion } from '../../versions.ts';
import { comparePriority, type RtdsVcpu } from './state.ts';

/**
 * The three queues of RTDS, one set for all pCPUs of the pool: who may run, in the order of priority; who
 * has no budget left; and who gets a new budget when, with the timer that does it.
 */
export class RtdsQueues {
  /** Head of the run queue, sorted. */
  readonly runnable = new Link<RtdsVcpu>();
  /** Head of the queue of those without budget, the last one first. */
  readonly depleted = new Link<RtdsVcpu>();
  /** Head of the queue of replenishments, sorted as long as no level was ever above 0. */
  readonly replenishments = new Link<RtdsVcpu>();
  /** undefined while the pool has no pCPU. */
  timer: Timer | undefined;
  /** Some level has been above 0. */
  levelsRose = false;
  readonly #machine: Machine;
  readonly #equalsGoFirst: boolean;

  constructor(machine: Machine, version: RtdsVersion) {
    this.#machine = machine;
    this.#equalsGoFirst = version.equalsGoFirst;
  }

  /** runq_insert(): by priority, or among the depleted. */
  enqueue(rtds: RtdsVcpu): void {
    if (rtds.leftNs > 0 || rtds.extratime) this.#insertFromBack(rtds, rtds.queued, this.runnable);
    else rtds.queued.insertAfter(this.depleted);
  }

  /** replq_insert() */
  scheduleReplenishment(rtds: RtdsVcpu): void {
    if (this.#insertReplenishment(rtds)) this.#setTimer(rtds);
  }

  /** replq_remove() */
  cancelReplenishment(rtds: RtdsVcpu): void {
    if (!this.#removeReplenishment(rtds)) return;
    const first = this.replenishments.next.owner;
    if (first !== undefined) this.#setTimer(first);
    else this.#machine.timers.stop(this.timer!);
  }

  /** replq_reinsert(): its deadline has changed. */
  moveReplenishment(rtds: RtdsVcpu): void {
    const wasFirst = this.#removeReplenishment(rtds);
    const isFirst = this.#insertReplenishment(rtds);
    if (wasFirst || isFirst) this.#setTimer(this.replenishments.next.owner!);
  }

  /** Back into the queue, without a look at the timer. */
  requeueReplenishment(rtds: RtdsVcpu): void {
    this.#insertReplenishment(rtds);
  }

  /** The timer goes by the first in the queue; if there is none it stays as it is. */
  setTimerToFirst(): void {
    const first = this.replenishments.next.owner;
    if (first !== undefined) this.#setTimer(first);
  }

  #setTimer(rtds: RtdsVcpu): void {
    const { timers, nowNs } = this.#machine;
    timers.set(this.timer!, rtds.deadlineNs, nowNs);
  }

  /** Answers whether it was the first; one that is in no queue was not. */
  #removeReplenishment({ replenished }: RtdsVcpu): boolean {
    const wasFirst = this.replenishments.next === replenished;
    replenished.remove();
    return wasFirst;
  }

  /**
   * Before the first one that it precedes; answers whether it is the first now.
   *
   * Levels change while a vCPU is in this queue, so that the queue need not be sorted and the place has to be
   * looked for from the front, as Xen does. As long as no level ever rose it is sorted by deadline.
   */
  #insertReplenishment(rtds: RtdsVcpu): boolean {
    const queue = this.replenishments;
    if (!this.levelsRose) return this.#insertFromBack(rtds, rtds.replenished, queue);
    let at = queue.next;
    while (at !== queue && !this.#precedes(rtds, at.owner!)) at = at.next;
    rtds.replenished.insertBefore(at);
    return queue.next === rtds.replenished;
  }

  /** The same in a queue that is sorted: most come late in it. */
  #insertFromBack(rtds: RtdsVcpu, link: Link<RtdsVcpu>, queue: Link<RtdsVcpu>): boolean {
    let at = queue.prev;
    while (at !== queue && this.#precedes(rtds, at.owner!)) at = at.prev;
    link.insertAfter(at);
    return queue.next === link;
  }

  #precedes(a: RtdsVcpu, b: RtdsVcpu): boolean {
    const order = comparePriority(a, b);
    return order > 0 || (order === 0 && this.#equalsGoFirst);
  }
}
