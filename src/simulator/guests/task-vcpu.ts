import type { Guest } from './guest.ts';
import type { GuestSystem } from './guest-system.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { Task } from './task.ts';
import type { Workload } from './workloads.ts';

/**
 * A vCPU on which a guest runs its tasks. Whenever it gets a pCPU, and whenever it is interrupted, its guest
 * decides anew what it does.
 */
export class TaskVcpu implements Workload {
  /** Tasks wake it. */
  readonly firstWakeNs = Infinity;
  readonly system: GuestSystem;
  /** The tasks that it may take. */
  readonly ready: ReadyQueue;
  /** Known as soon as the vCPU exists. */
  guest!: Guest;
  /** The task that is on it, also while the vCPU itself is on no pCPU. */
  current: Task | undefined;
  /** It has been woken, and has not yet decided what to do. */
  isWoken = false;
  /** CPU time of the guest that has been accounted to tasks. */
  accountedNs = 0;

  constructor(system: GuestSystem, ready: ReadyQueue) {
    this.system = system;
    this.ready = ready;
  }

  /** Nothing to do, and nobody has woken it: it blocks, or is about to. */
  get isIdle(): boolean {
    return this.current === undefined && !this.isWoken;
  }

  wake(): number {
    return Infinity;
  }

  start(guest: Guest): void {
    guest.remainingNs = 0;
  }

  finish(_guest: Guest, nowNs: number): number {
    this.system.decide(this, nowNs);
    return Infinity;
  }
}
