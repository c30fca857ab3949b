import type { Task } from './task.ts';

/** A lock of a guest: first come, first served, whether who waits spins or sleeps. */
export class Lock {
  holder: Task | undefined;
  readonly #waiters: Task[] = [];

  /** Whether `task` has it now; else it stands in line. */
  take(task: Task): boolean {
    if (this.holder !== undefined) {
      this.#waiters.push(task);
      return false;
    }
    this.holder = task;
    return true;
  }

  /** Passes it on, also to one whose vCPU is on no pCPU (as a ticket lock); answers to whom. */
  release(): Task | undefined {
    this.holder = this.#waiters.shift();
    return this.holder;
  }
}

/** The barriers of a scenario, by name: tasks of all domains may meet at one. */
export class Barriers {
  readonly #barriers = new Map<string, { parties: number; waiters: Task[] }>();

  /** A task will come to this barrier. */
  join(name: string): void {
    const barrier = this.#barriers.get(name);
    if (barrier === undefined) this.#barriers.set(name, { parties: 1, waiters: [] });
    else barrier.parties += 1;
  }

  /** `task` is there: answers who waited for it if it is the last, undefined if it has to wait. */
  arrive(name: string, task: Task): Task[] | undefined {
    const barrier = this.#barriers.get(name)!;
    if (barrier.waiters.length + 1 < barrier.parties) {
      barrier.waiters.push(task);
      return undefined;
    }
    const { waiters } = barrier;
    barrier.waiters = [];
    return waiters;
  }
}
