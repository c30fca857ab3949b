import { TRC_CSCHED2_LOAD_BALANCE, TRC_CSCHED2_LOAD_CHECK } from '../../trace-events.ts';
import { updateQueueLoad, updateVcpuLoad } from './load.ts';
import { moveTo } from './placement.ts';
import { type Credit2System, type Credit2Vcpu, FLAG_MIGRATE_REQUEST, type RunQueue } from './state.ts';

const HIGH_WORD = 2 ** -32;

/**
 * Evens out the load between a pCPU's run queue and the one that differs most from it (balance_load): moves
 * the vCPU there or from there, or swaps the two, that bring them closest.
 */
export function balanceLoad(system: Credit2System, local: RunQueue, nowNs: number): void {
  const { runQueues, tracer } = system;
  updateQueueLoad(system, local, 0, nowNs);
  let gap = 0;
  let other: RunQueue | undefined;
  for (let i = 0; i < runQueues.length; i += 1) {
    const queue = runQueues[i]!;
    if (queue === local) continue;
    updateQueueLoad(system, queue, 0, nowNs);
    const delta = Math.abs(local.balancedLoad - queue.balancedLoad);
    if (delta > gap) {
      gap = delta;
      other = queue;
    }
  }
  if (other === undefined) return;
  // Xen asks whether this is worth while of the run queue it looked at last, not of the one it found.
  const last = runQueues[runQueues.length - 1]!;
  tracer.record2(TRC_CSCHED2_LOAD_CHECK, (local.id & 0xffff) | (last.id << 16), gap);
  const highest = Math.max(local.balancedLoad, last.balancedLoad);
  const capacity = Math.max(local.pcpuCount, last.pcpuCount) * system.loadUnit;
  if (gap < (highest < capacity ? system.underloadTolerance : system.overloadTolerance)) return;
  recordBalance(system, local, other);
  exchange(system, local, other, gap, nowNs);
}

function recordBalance(system: Credit2System, local: RunQueue, other: RunQueue): void {
  system.tracer.record6(
    TRC_CSCHED2_LOAD_BALANCE,
    local.balancedLoad,
    Math.floor(local.balancedLoad * HIGH_WORD),
    other.balancedLoad,
    Math.floor(other.balancedLoad * HIGH_WORD),
    (local.id & 0xffff) | (other.id << 16),
    0,
  );
}

/**
 * Tries each pair of one to push and one to pull, each of which may be nobody (consider): the smallest gap
 * that is left wins, the first of several. `gap` is the present one.
 */
function exchange(system: Credit2System, local: RunQueue, other: RunQueue, gap: number, nowNs: number): void {
  const { pulls } = system;
  const now = local.balancedLoad - other.balancedLoad;
  let best = gap;
  let push: Credit2Vcpu | undefined;
  let pull: Credit2Vcpu | undefined;
  let isOtherUpdated = false;
  const { assigned } = local;
  for (let at = assigned.next; at !== assigned; at = at.next) {
    const credit = at.owner!;
    updateVcpuLoad(system, credit, 0, nowNs);
    if (!canMove(system, credit, other)) continue;
    if (!isOtherUpdated) {
      findPulls(system, local, other, nowNs, true);
      isOtherUpdated = true;
    }
    const pushed = now - 2 * credit.avgLoad;
    for (let i = 0; i < pulls.length; i += 1) {
      const left = Math.abs(pushed + 2 * pulls[i]!.avgLoad);
      if (left >= best) continue;
      best = left;
      push = credit;
      pull = pulls[i];
    }
    if (Math.abs(pushed) >= best) continue;
    best = Math.abs(pushed);
    push = credit;
    pull = undefined;
  }
  if (!isOtherUpdated) findPulls(system, local, other, nowNs, false);
  for (let i = 0; i < pulls.length; i += 1) {
    const left = Math.abs(now + 2 * pulls[i]!.avgLoad);
    if (left >= best) continue;
    best = left;
    push = undefined;
    pull = pulls[i];
  }
  pulls.length = 0;
  if (push !== undefined) moveTo(system, push, other, nowNs);
  if (pull !== undefined) moveTo(system, pull, local, nowNs);
}

/** Those of the other run queue that could come, into `system.pulls`. */
function findPulls(
  system: Credit2System,
  local: RunQueue,
  other: RunQueue,
  nowNs: number,
  updates: boolean,
): void {
  const { assigned } = other;
  for (let at = assigned.next; at !== assigned; at = at.next) {
    const credit = at.owner!;
    if (updates) updateVcpuLoad(system, credit, 0, nowNs);
    if (canMove(system, credit, local)) system.pulls.push(credit);
  }
}

/** Whether it is not moving already and may run on some pCPU there (unit_is_migrateable). */
function canMove({ scratch }: Credit2System, { vcpu, flags }: Credit2Vcpu, target: RunQueue): boolean {
  if ((flags & FLAG_MIGRATE_REQUEST) !== 0) return false;
  scratch.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
  return scratch.intersects(target.active);
}
