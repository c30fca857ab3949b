import { Link } from '../../linked-list.ts';
import type { Machine } from '../../machine.ts';
import type { Timer } from '../../timers.ts';
import type { RtdsVersion } from '../../versions.ts';
import { PriorityList } from './priority-list.ts';
import type { RtdsVcpu } from './state.ts';

/**
 * The three queues of RTDS, one set for all pCPUs of the pool: who may run, in the order of priority; who has no
 * budget left; and who gets a new budget when, with the timer that does it.
 */
export class RtdsQueues {
  /** undefined while the pool has no pCPU. */
  timer: Timer | undefined;
  readonly #machine: Machine;
  /** By their numbers in the lists. */
  readonly #members: RtdsVcpu[] = [];
  /** The run queue, always sorted. */
  readonly #runnable: PriorityList;
  /**
   * Like the run queue ordered by priority level first, although the timer goes by its first deadline. Levels rise
   * while a vCPU is in it, so that it need not be sorted.
   */
  readonly #replenishments: PriorityList;
  /** Head of the queue of those without budget, the last one first. */
  readonly #depleted = new Link<RtdsVcpu>();

  constructor(machine: Machine, version: RtdsVersion) {
    this.#machine = machine;
    this.#runnable = new PriorityList(version.equalsGoFirst);
    this.#replenishments = new PriorityList(version.equalsGoFirst);
  }

  /** A number for a new vCPU. */
  addMember(rtds: RtdsVcpu): number {
    this.#members.push(rtds);
    return this.#members.length - 1;
  }

  // ---- The run queue and the depleted

  isQueued(rtds: RtdsVcpu): boolean {
    return this.#runnable.has(rtds.number) || !rtds.queued.isAlone;
  }

  /** runq_insert(): by priority, or among the depleted. */
  enqueue(rtds: RtdsVcpu): void {
    if (rtds.leftNs > 0 || rtds.extratime) this.#runnable.insert(rtds.number, rtds.level, rtds.deadlineNs);
    else rtds.queued.insertAfter(this.#depleted);
  }

  /** q_remove(); nothing happens to one that is in neither queue. */
  dequeue(rtds: RtdsVcpu): void {
    if (this.#runnable.has(rtds.number)) this.#runnable.remove(rtds.number);
    else rtds.queued.remove();
  }

  /** The first of the run queue. */
  first(): RtdsVcpu | undefined {
    return this.#member(this.#runnable.first());
  }

  /** The one behind it in the run queue. */
  behind(rtds: RtdsVcpu): RtdsVcpu | undefined {
    return this.#member(this.#runnable.next(rtds.number));
  }

  // ---- Replenishments

  awaitsReplenishment(rtds: RtdsVcpu): boolean {
    return this.#replenishments.has(rtds.number);
  }

  /** Whose replenishment is the first in the queue. */
  firstReplenishment(): RtdsVcpu | undefined {
    return this.#member(this.#replenishments.first());
  }

  /**
   * replq_insert(). One that is there already, as one may be that was found unable to run until 4.16, is moved: Xen's
   * list is damaged by that (73c62927f6 repaired it).
   */
  scheduleReplenishment(rtds: RtdsVcpu): void {
    this.takeReplenishment(rtds);
    this.insertReplenishment(rtds);
    if (this.firstReplenishment() === rtds) this.#setTimer(rtds);
  }

  /** replq_remove() */
  cancelReplenishment(rtds: RtdsVcpu): void {
    const wasFirst = this.firstReplenishment() === rtds;
    this.takeReplenishment(rtds);
    if (!wasFirst) return;
    const first = this.firstReplenishment();
    if (first !== undefined) this.#setTimer(first);
    else this.#machine.timers.stop(this.timer!);
  }

  /** replq_reinsert(): its deadline has changed. */
  moveReplenishment(rtds: RtdsVcpu): void {
    const wasFirst = this.firstReplenishment() === rtds;
    this.takeReplenishment(rtds);
    this.insertReplenishment(rtds);
    const first = this.firstReplenishment()!;
    if (wasFirst || first === rtds) this.#setTimer(first);
  }

  /** Out of the queue, without a look at the timer. */
  takeReplenishment(rtds: RtdsVcpu): void {
    if (this.#replenishments.has(rtds.number)) this.#replenishments.remove(rtds.number);
  }

  /** Into the queue, without a look at the timer. */
  insertReplenishment(rtds: RtdsVcpu): void {
    this.#replenishments.insert(rtds.number, rtds.level, rtds.deadlineNs);
  }

  /** Its level has changed. It keeps its place among the replenishments; it is not in the run queue. */
  levelChanged(rtds: RtdsVcpu): void {
    if (!this.#replenishments.has(rtds.number)) return;
    this.#replenishments.update(rtds.number, rtds.level, rtds.deadlineNs);
  }

  /** The timer goes by the first in the queue; if there is none it stays as it is. */
  setTimerToFirst(): void {
    const first = this.firstReplenishment();
    if (first !== undefined) this.#setTimer(first);
  }

  #member(number: number): RtdsVcpu | undefined {
    return number < 0 ? undefined : this.#members[number];
  }

  #setTimer(rtds: RtdsVcpu): void {
    const { timers, nowNs } = this.#machine;
    timers.set(this.timer!, rtds.deadlineNs, nowNs);
  }
}
