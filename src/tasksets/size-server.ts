import type { PeriodicTask } from './task-set.ts';

/** More points in time than this are not looked at: the budget counts as too small. */
const POINTS_MAX = 200_000;
const US = 1_000;

/** How a guest orders its tasks, as far as servers can be sized for it. */
export type ServedScheduler = 'rm' | 'dm' | 'edf';

/**
 * The least CPU time that a server gives in any window of `windowNs`: the supply bound function of the
 * periodic resource model. Source: Shin and Lee, Periodic resource model for compositional real-time
 * guarantees, 2003.
 */
export function supplyBoundNs(windowNs: number, budgetNs: number, periodNs: number): number {
  const gapNs = periodNs - budgetNs;
  if (windowNs < gapNs) return 0;
  const periods = Math.floor((windowNs - gapNs) / periodNs);
  return periods * budgetNs + Math.max(0, windowNs - 2 * gapNs - periods * periodNs);
}

/**
 * The least budget, in whole microseconds but told in ns, with which a server of this period serves the tasks
 * without a miss, by the periodic resource model; undefined if even the whole CPU is not enough.
 */
export function leastBudgetNs(
  tasks: readonly PeriodicTask[],
  periodNs: number,
  scheduler: ServedScheduler,
): number | undefined {
  const suffices = (budgetUs: number) => {
    return scheduler === 'edf'
      ? servesByDeadline(tasks, budgetUs * US, periodNs)
      : servesByPriority(inOrder(tasks, scheduler), budgetUs * US, periodNs);
  };
  const wholeUs = Math.floor(periodNs / US);
  if (tasks.length === 0) return 0;
  if (!suffices(wholeUs)) return undefined;
  let tooFew = 0;
  let enough = wholeUs;
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (suffices(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough * US;
}

function inOrder(tasks: readonly PeriodicTask[], scheduler: 'rm' | 'dm'): PeriodicTask[] {
  const keyOf = (task: PeriodicTask) => (scheduler === 'rm' ? task.periodNs : task.deadlineNs);
  return [...tasks].sort((a, b) => keyOf(a) - keyOf(b));
}

/** Each task has an instant up to its deadline by which the server has given what is asked until then. */
function servesByPriority(tasks: readonly PeriodicTask[], budgetNs: number, periodNs: number): boolean {
  return tasks.every(({ deadlineNs, wcetNs }, index) => {
    const above = tasks.slice(0, index);
    const points = new Set([deadlineNs]);
    for (const one of above) {
      for (let at = one.periodNs; at < deadlineNs; at += one.periodNs) points.add(at);
    }
    for (const at of points) {
      let askedNs = wcetNs;
      for (const one of above) askedNs += Math.ceil(at / one.periodNs) * one.wcetNs;
      if (askedNs <= supplyBoundNs(at, budgetNs, periodNs)) return true;
    }
    return false;
  });
}

/** At every deadline, the server has given what is due by then. */
function servesByDeadline(tasks: readonly PeriodicTask[], budgetNs: number, periodNs: number): boolean {
  const bandwidth = budgetNs / periodNs;
  let needed = 0;
  let carried = 2 * (periodNs - budgetNs) * bandwidth;
  for (const { periodNs: taskPeriodNs, wcetNs, deadlineNs } of tasks) {
    needed += wcetNs / taskPeriodNs;
    carried += (wcetNs / taskPeriodNs) * (taskPeriodNs - deadlineNs);
  }
  if (needed > bandwidth) return false;
  // Beyond this window the linear bound of the supply is above that of the demand.
  const untilNs = needed === bandwidth ? Infinity : carried / (bandwidth - needed);
  const nextNs = tasks.map(({ deadlineNs }) => deadlineNs);
  let dueNs = 0;
  for (let points = 0; points < POINTS_MAX; ) {
    const atNs = Math.min(...nextNs);
    if (atNs > untilNs) return true;
    for (const [index, { periodNs: taskPeriodNs, wcetNs }] of tasks.entries()) {
      if (nextNs[index] !== atNs) continue;
      nextNs[index] = atNs + taskPeriodNs;
      dueNs += wcetNs;
      points += 1;
    }
    if (dueNs > supplyBoundNs(atNs, budgetNs, periodNs)) return false;
  }
  // With the whole CPU, implicit deadlines and a utilisation of 1 no end is needed.
  return budgetNs === periodNs && tasks.every(({ periodNs: own, deadlineNs }) => own === deadlineNs);
}
