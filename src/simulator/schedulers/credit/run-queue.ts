import type { Link } from '../../linked-list.ts';
import { type CreditPcpu, type CreditSystem, type CreditVcpu, PRI_IDLE, PRI_UNDER } from './state.ts';

/**
 * Behind all of its priority on the run queue of its pCPU (__runq_insert). Does not count it as runnable
 * there.
 */
export function enqueue(system: CreditSystem, credit: CreditVcpu): void {
  const { queue } = system.pcpu(credit.vcpu.processor);
  let at = queue.next;
  while (at !== queue && credit.pri <= at.owner!.pri) at = at.next;
  // Who yields lets one of lower priority pass, if there is one. Before the flag outlived the decision, one
  // waited there always: the idle vCPU.
  if (credit.yielding && at !== queue && at.owner!.pri > PRI_IDLE && at.next !== queue) at = at.next;
  credit.queued.insertBefore(at);
}

/** Off its run queue (__runq_remove). It still counts as runnable there. */
export function dequeue(system: CreditSystem, credit: CreditVcpu): void {
  credit.queued.remove();
  if (system.version.yieldLastsWhileQueued) credit.yielding = false;
}

/** On the run queue as one more runnable vCPU (runq_insert). */
export function addToQueue(system: CreditSystem, credit: CreditVcpu): void {
  enqueue(system, credit);
  system.pcpu(credit.vcpu.processor).runnable += 1;
}

/** Off the run queue, no longer runnable there (runq_remove). */
export function removeFromQueue(system: CreditSystem, credit: CreditVcpu): void {
  system.pcpu(credit.vcpu.processor).runnable -= 1;
  dequeue(system, credit);
}

export function isQueued(credit: CreditVcpu): boolean {
  return !credit.queued.isAlone;
}

/** Whether nobody but the idle vCPU waits (is_runq_idle). */
export function isQueueIdle({ queue }: CreditPcpu): boolean {
  return queue.isAlone || queue.next.owner!.vcpu.isIdle;
}

/**
 * Moves those with credit before those without, once after each accounting (csched_runq_sort). Both groups
 * keep their order.
 */
export function sortQueue(system: CreditSystem, pcpu: CreditPcpu): void {
  if (pcpu.sortedAfter === system.accountings) return;
  pcpu.sortedAfter = system.accountings;
  const { queue } = pcpu;
  let lastUnder: Link<CreditVcpu> = queue;
  let at = queue.next;
  while (at !== queue) {
    const next = at.next;
    if (at.owner!.pri >= PRI_UNDER) {
      if (at.prev !== lastUnder) {
        at.remove();
        at.insertAfter(lastUnder);
      }
      lastUnder = at;
    }
    at = next;
  }
}
