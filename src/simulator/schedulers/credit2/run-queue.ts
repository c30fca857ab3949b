import type { Cpumask } from '../../cpumask.ts';
import {
  TRC_CSCHED2_RUNQ_ASSIGN,
  TRC_CSCHED2_RUNQ_MAX_WEIGHT,
  TRC_CSCHED2_RUNQ_POS,
} from '../../trace-events.ts';
import type { Credit2System, Credit2Vcpu, RunQueue } from './state.ts';

/** Among those that wait, by credit, behind its equals (runq_insert). */
export function enqueue(system: Credit2System, credit: Credit2Vcpu): void {
  const { waiting } = credit.runQueue!;
  const own = credit.credit;
  let position = 0;
  let at = waiting.next;
  while (at !== waiting && own <= at.owner!.credit) {
    at = at.next;
    position += 1;
  }
  credit.queued.insertBefore(at);
  system.tracer.record2(TRC_CSCHED2_RUNQ_POS, credit.vcpu.packedId, position);
}

/**
 * Makes it one of the run queue's vCPUs; it does not wait there yet (_runq_assign). `padding` is what the
 * record has in the half word that it does not use.
 */
export function assignTo(system: Credit2System, credit: Credit2Vcpu, queue: RunQueue, padding = 0): void {
  credit.runQueue = queue;
  credit.assigned.insertBefore(queue.assigned);
  updateMaxWeight(system, queue, credit.weight, 0);
  queue.balancedLoad += credit.avgLoad;
  system.tracer.record2(TRC_CSCHED2_RUNQ_ASSIGN, credit.vcpu.packedId, (queue.id & 0xffff) | (padding << 16));
}

/** _runq_deassign() */
export function deassign(system: Credit2System, credit: Credit2Vcpu): void {
  const queue = credit.runQueue!;
  credit.assigned.remove();
  updateMaxWeight(system, queue, 0, credit.weight);
  queue.balancedLoad = Math.max(queue.balancedLoad - credit.avgLoad, 0);
  credit.runQueue = undefined;
}

/**
 * A weight comes (or is 0) and another goes: the heaviest vCPU sets the price of time (update_max_weight).
 */
export function updateMaxWeight(
  system: Credit2System,
  queue: RunQueue,
  newWeight: number,
  oldWeight: number,
): void {
  if (newWeight > queue.maxWeight) {
    queue.maxWeight = newWeight;
  } else if (oldWeight === queue.maxWeight) {
    const { assigned } = queue;
    let maxWeight = 1;
    for (let at = assigned.next; at !== assigned; at = at.next) {
      maxWeight = Math.max(maxWeight, at.owner!.weight);
    }
    queue.maxWeight = maxWeight;
  }
  system.tracer.record1(TRC_CSCHED2_RUNQ_MAX_WEIGHT, (queue.id & 0xffff) | (queue.maxWeight << 16));
}

/** Tells a pCPU to schedule (tickle_cpu). */
export function tickle(system: Credit2System, queue: RunQueue, pcpu: number): void {
  queue.tickled.set(pcpu);
  leaveSmtIdle(system, queue, pcpu);
  system.xen.raiseSchedule(pcpu);
}

/** The pCPU is idle and not tickled any more: its core may be so as a whole (smt_idle_mask_set). */
export function joinSmtIdle(system: Credit2System, queue: RunQueue, pcpu: number): void {
  const { siblings } = system.pcpu(pcpu);
  if (areIdle(queue, siblings)) queue.smtIdle.or(queue.smtIdle, siblings);
}

/** The pCPU is about to be busy: its core is not wholly idle (smt_idle_mask_clear). */
export function leaveSmtIdle(system: Credit2System, queue: RunQueue, pcpu: number): void {
  const { siblings } = system.pcpu(pcpu);
  if (siblings.isSubsetOf(queue.smtIdle)) queue.smtIdle.andNot(queue.smtIdle, siblings);
}

function areIdle(queue: RunQueue, pcpus: Cpumask): boolean {
  return pcpus.isSubsetOf(queue.idle) && !pcpus.intersects(queue.tickled);
}
