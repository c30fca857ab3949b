import {
  TRC_CSCHED2_UPDATE_LOAD,
  TRC_CSCHED2_UPDATE_RUNQ_LOAD,
  TRC_CSCHED2_UPDATE_UNIT_LOAD,
} from '../../trace-events.ts';
import { type Credit2System, type Credit2Vcpu, LOAD_TICKS_PER_NS, type RunQueue } from './state.ts';

const HIGH_WORD = 2 ** -32;
const TWO_53 = 2 ** 53;

/**
 * Brings the averages up to now and then changes the run queue's load by `change` (update_load). `credit`,
 * if given, is the vCPU that comes or goes.
 */
export function updateLoad(
  system: Credit2System,
  queue: RunQueue,
  credit: Credit2Vcpu | undefined,
  change: number,
  nowNs: number,
): void {
  system.tracer.record0(TRC_CSCHED2_UPDATE_LOAD);
  updateQueueLoad(system, queue, change, nowNs);
  if (credit !== undefined) updateVcpuLoad(system, credit, change, nowNs);
}

/** update_runq_load() */
export function updateQueueLoad(system: Credit2System, queue: RunQueue, change: number, nowNs: number): void {
  const { windowTicks } = system;
  const at = Math.floor(nowNs * LOAD_TICKS_PER_NS);
  const load = queue.load * system.loadUnit;
  if (queue.loadUpdatedAt + windowTicks < at) {
    queue.avgLoad = load;
    queue.balancedLoad = load;
  } else {
    const delta = at - queue.loadUpdatedAt;
    if (delta > 0) {
      const came = shareOfWindow(system, delta, load);
      const { avgLoad, balancedLoad } = queue;
      queue.avgLoad = avgLoad + came - shareOfWindow(system, delta, avgLoad);
      queue.balancedLoad = balancedLoad + came - shareOfWindow(system, delta, balancedLoad);
    }
  }
  queue.load += change;
  queue.loadUpdatedAt = at;
  const { tracer } = system;
  if (!tracer.wants(TRC_CSCHED2_UPDATE_RUNQ_LOAD)) return;
  const { avgLoad, balancedLoad } = queue;
  tracer.record6(
    TRC_CSCHED2_UPDATE_RUNQ_LOAD,
    avgLoad,
    Math.floor(avgLoad * HIGH_WORD),
    balancedLoad,
    Math.floor(balancedLoad * HIGH_WORD),
    (queue.load & 0xffff) | ((queue.id & 0xff) << 16) | (system.precisionShift << 24),
    0,
  );
}

/** update_svc_load(): a vCPU that comes did not want to run up to now, one that goes did. */
export function updateVcpuLoad(
  system: Credit2System,
  credit: Credit2Vcpu,
  change: number,
  nowNs: number,
): void {
  const wanted = change === 0 ? credit.vcpu.isRunnable : change < 0;
  const load = wanted ? system.loadUnit : 0;
  const at = Math.floor(nowNs * LOAD_TICKS_PER_NS);
  if (credit.loadUpdatedAt + system.windowTicks < at) {
    credit.avgLoad = load;
  } else {
    const delta = at - credit.loadUpdatedAt;
    if (delta > 0) {
      const { avgLoad } = credit;
      credit.avgLoad = avgLoad + shareOfWindow(system, delta, load) - shareOfWindow(system, delta, avgLoad);
    }
  }
  credit.loadUpdatedAt = at;
  const { tracer } = system;
  if (!tracer.wants(TRC_CSCHED2_UPDATE_UNIT_LOAD)) return;
  tracer.record4(
    TRC_CSCHED2_UPDATE_UNIT_LOAD,
    credit.avgLoad,
    Math.floor(credit.avgLoad * HIGH_WORD),
    credit.vcpu.packedId,
    system.precisionShift,
  );
}

/**
 * (delta * load) >> window, as Xen's 64-bit integers have it. Products beyond 2^53 need more than the default
 * precision and window, or tens of thousands of vCPUs.
 */
function shareOfWindow(system: Credit2System, delta: number, load: number): number {
  const product = delta * load;
  if (product < TWO_53) return Math.floor(product * system.windowScale);
  return Number(BigInt.asIntN(64, BigInt(delta) * BigInt(load)) >> BigInt(system.windowShift));
}
