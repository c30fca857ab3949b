import type { Scheduler } from './scheduler.ts';
import type { Timer } from './timers.ts';
import type { Vcpu } from './vcpu.ts';

/** A physical CPU, and Xen's scheduling resource at once: each resource has exactly one pCPU. */
export class Pcpu {
  readonly id: number;
  readonly idle: Vcpu;
  /** Forces a run through the scheduler when the time slice ends (s_timer). */
  readonly sliceTimer: Timer;
  /** undefined while the pCPU is free, before it joins its pool. */
  scheduler: Scheduler | undefined;
  /** The scheduler's own data (sr->sched_priv). */
  schedulerData: unknown = undefined;
  /**
   * Which run queue lock serves this pCPU: pCPUs with the same number share one. Locks are never contended
   * here; the number matters where Xen's code asks whether two pCPUs have the same lock.
   */
  lock = -1;
  /** Whose context is loaded (Xen's `current`). */
  current: Vcpu;
  /** Who was chosen last (sr->curr): ahead of `current` from the decision to the context switch. */
  chosen: Vcpu;
  /** Who was switched away and whose context is not saved yet (sr->prev). */
  switchedFrom: Vcpu | undefined;
  /**
   * Where credit found an idle pCPU for the last vCPU that woke here (last_tickle_cpu): of the pCPU itself,
   * which may be in another scheduler's pool.
   */
  lastTickled = 0;

  constructor(id: number, idle: Vcpu, sliceTimer: Timer) {
    this.id = id;
    this.idle = idle;
    this.sliceTimer = sliceTimer;
    this.current = idle;
    this.chosen = idle;
  }
}
