import {
  affinityOfStep,
  BALANCE_HARD_AFFINITY,
  BALANCE_SOFT_AFFINITY,
  hasSoftAffinity,
} from '../../affinity.ts';
import { TRC_CSCHED2_MIGRATE, TRC_CSCHED2_PICKED_CPU } from '../../trace-events.ts';
import { updateLoad } from './load.ts';
import { assignTo, deassign, enqueue, tickle } from './run-queue.ts';
import {
  type Credit2System,
  type Credit2Vcpu,
  FLAG_MIGRATE_REQUEST,
  FLAG_SCHEDULED,
  MAX_LOAD,
  type RunQueue,
} from './state.ts';
import { tickleFor } from './tickling.ts';

const NO_QUEUE = 0xffff;
const HIGH_WORD = 2 ** -32;

/**
 * A pCPU for it (csched2_res_pick): where load balancing asked it to go; else the next pCPU of the least
 * loaded run queue that its affinity, soft first, reaches.
 */
export function pickPcpu(system: Credit2System, credit: Credit2Vcpu): number {
  const { vcpu } = credit;
  const suitable = system.scratch;
  suitable.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
  const target = credit.migrateTo;
  const isRequested = (credit.flags & FLAG_MIGRATE_REQUEST) !== 0;
  credit.flags &= ~FLAG_MIGRATE_REQUEST;
  if (isRequested && suitable.intersects(target!.active)) {
    suitable.and(suitable, target!.active);
    return recordPick(system, credit, takeNext(system, target!), MAX_LOAD, NO_QUEUE);
  }
  return pickByLoad(system, credit);
}

/** `system.scratch` has the pCPUs where it may run. */
function pickByLoad(system: Credit2System, credit: Credit2Vcpu): number {
  const { vcpu } = credit;
  const { runQueues, scratch: suitable, scratch2: mask } = system;
  // Xen holds the lock of the run queue where the vCPU is. A vCPU that is not assigned yet, at its creation,
  // does not notice that this is its own, tries to lock it again and passes over it.
  const held = system.queueOf(vcpu.processor);
  const hasSoft = hasSoftAffinity(vcpu);
  let best: RunQueue | undefined;
  let bestSoft: RunQueue | undefined;
  let bestLoad = MAX_LOAD;
  let bestSoftLoad = MAX_LOAD;
  for (let i = 0; i < runQueues.length; i += 1) {
    const queue = runQueues[i]!;
    if (!suitable.intersects(queue.active)) continue;
    let load = MAX_LOAD;
    if (queue === credit.runQueue) load = Math.max(queue.balancedLoad - credit.avgLoad, 0);
    else if (queue !== held) load = queue.balancedLoad;
    if (hasSoft && load < bestSoftLoad) {
      mask.and(suitable, queue.active);
      if (mask.intersects(vcpu.softAffinity)) {
        bestSoftLoad = load;
        bestSoft = queue;
      }
    }
    if (load < bestLoad) {
      bestLoad = load;
      best = queue;
    }
  }
  // What the record says is about the best run queue by hard affinity, whichever is taken; so is whose turn
  // it is to be picked.
  if (best === undefined) {
    const pcpu = fallback(system, credit);
    const queue = system.queueOf(pcpu);
    return recordPick(system, credit, pcpu, queue.balancedLoad, queue.id);
  }
  if (bestSoft !== undefined) suitable.and(suitable, vcpu.softAffinity);
  suitable.and(suitable, (bestSoft ?? best).active);
  return recordPick(system, credit, takeNext(system, best), bestLoad, best.id);
}

/** The pCPU in `system.scratch` whose turn it is. */
function takeNext(system: Credit2System, queue: RunQueue): number {
  const pcpu = system.scratch.cycle(queue.pickBias);
  queue.pickBias = pcpu;
  return pcpu;
}

function recordPick(
  system: Credit2System,
  credit: Credit2Vcpu,
  pcpu: number,
  load: number,
  queueId: number,
): number {
  const isMax = load === MAX_LOAD;
  system.tracer.record4(
    TRC_CSCHED2_PICKED_CPU,
    isMax ? 0xffff_ffff : load,
    isMax ? 0x7fff_ffff : Math.floor(load * HIGH_WORD),
    credit.vcpu.packedId,
    (queueId & 0xffff) | (pcpu << 16),
  );
  return pcpu;
}

/**
 * A pCPU when no run queue could be looked at (get_fallback_cpu): where it is, else another of its run queue,
 * by soft and then by hard affinity; else any where it may run.
 */
function fallback(system: Credit2System, credit: Credit2Vcpu): number {
  const { vcpu, runQueue } = credit;
  const suitable = system.scratch;
  for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
    if (step === BALANCE_SOFT_AFFINITY && !hasSoftAffinity(vcpu)) continue;
    affinityOfStep(vcpu, step, suitable);
    suitable.and(suitable, vcpu.domain.pool!.valid);
    if (suitable.has(vcpu.processor)) return vcpu.processor;
    if (runQueue !== undefined && suitable.intersects(runQueue.active)) {
      suitable.and(suitable, runQueue.active);
      return suitable.first();
    }
  }
  return suitable.first();
}

/**
 * Moves it to another run queue (migrate): at once, or, while it is scheduled, as soon as its context is
 * saved.
 */
export function moveTo(system: Credit2System, credit: Credit2Vcpu, target: RunQueue, nowNs: number): void {
  const { vcpu } = credit;
  const source = credit.runQueue!;
  system.tracer.record2(TRC_CSCHED2_MIGRATE, vcpu.packedId, (source.id & 0xffff) | (target.id << 16));
  if ((credit.flags & FLAG_SCHEDULED) !== 0) {
    credit.migrateTo = target;
    system.xen.requestMigration(vcpu);
    credit.flags |= FLAG_MIGRATE_REQUEST;
    tickle(system, source, vcpu.processor);
    return;
  }
  const wasQueued = credit.isQueued;
  if (wasQueued) {
    credit.queued.remove();
    updateLoad(system, source, undefined, -1, nowNs);
  }
  deassign(system, credit);
  const suitable = system.scratch;
  suitable.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
  suitable.and(suitable, target.active);
  vcpu.processor = takeNext(system, target);
  assignTo(system, credit, target, system.version.clearsAssignPadding ? 0 : target.id);
  if (!wasQueued) return;
  updateLoad(system, target, undefined, 1, nowNs);
  enqueue(system, credit);
  tickleFor(system, credit, nowNs);
}
