import type { PeriodicTask } from './task-set.ts';

/** The part of a pCPU that the tasks need in the worst case: the sum of WCET over period. More than 1 needs several. */
export function utilisationOf(tasks: readonly PeriodicTask[]): number {
  return tasks.reduce((sum, { wcetNs, periodNs }) => sum + wcetNs / periodNs, 0);
}

/**
 * Worst fit, decreasing: the task that needs most first, each to the bin with the most room, the first of
 * equals. Answers the numbers of the tasks in each bin, ascending.
 */
export function worstFit(tasks: readonly PeriodicTask[], bins: number): number[][] {
  const placed: number[][] = Array.from({ length: bins }, () => []);
  const load = new Array<number>(bins).fill(0);
  const order = [...tasks.keys()].sort((a, b) => {
    return utilisationOf([tasks[b]!]) - utilisationOf([tasks[a]!]) || a - b;
  });
  for (const number of order) {
    const bin = load.indexOf(Math.min(...load));
    placed[bin]!.push(number);
    load[bin]! += utilisationOf([tasks[number]!]);
  }
  return placed.map((numbers) => numbers.sort((a, b) => a - b));
}
