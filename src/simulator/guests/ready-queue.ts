import type { Task } from './task.ts';

/** The tasks of a guest that are ready and on no vCPU, or on none of these: the first by (rank, turn). */
export class ReadyQueue {
  /** In order; guests have tens of tasks, of which few are ready at once. */
  readonly #tasks: Task[] = [];

  get length(): number {
    return this.#tasks.length;
  }

  get first(): Task | undefined {
    return this.#tasks[0];
  }

  at(index: number): Task | undefined {
    return this.#tasks[index];
  }

  add(task: Task): void {
    let at = this.#tasks.length;
    while (at > 0 && precedes(task, this.#tasks[at - 1]!)) at -= 1;
    this.#tasks.splice(at, 0, task);
  }

  take(): Task | undefined {
    return this.#tasks.shift();
  }
}

function precedes(a: Task, b: Task): boolean {
  return a.rank === b.rank ? a.turn < b.turn : a.rank < b.rank;
}
