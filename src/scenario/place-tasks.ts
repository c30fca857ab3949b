import { meanNsOf } from './drawn-duration.ts';
import type { Arrivals, TaskSpec } from './guest-spec.ts';
import type { VcpuSpec } from './scenario.ts';

/** A bin of 1.0 takes ten tasks of 0.1, whatever their binary fractions add up to. */
const ROUNDING = 1e-9;

/**
 * First fit: each task that names no vCPU goes to the first one of the guest where its utilisation has room,
 * in the order of the list; one that fits nowhere, to where the most room is. A vCPU with a server of RTDS
 * has room for its bandwidth, another for 1.
 */
export function firstFit(
  tasks: readonly { readonly spec: TaskSpec; readonly vcpu: number | undefined }[],
  vcpus: readonly VcpuSpec[],
): number[] {
  const room = new Map<number, number>();
  for (const [id, { workload, rtds }] of vcpus.entries()) {
    if (workload.kind === 'tasks') room.set(id, rtds === undefined ? 1 : rtds.budgetUs / rtds.periodUs);
  }
  const take = (vcpu: number, use: number) => {
    room.set(vcpu, room.get(vcpu)! - use);
    return vcpu;
  };
  for (const { spec, vcpu } of tasks)
    if (vcpu !== undefined && room.has(vcpu)) take(vcpu, utilisationOf(spec));
  return tasks.map(({ spec, vcpu }) => {
    if (vcpu !== undefined) return vcpu;
    const use = utilisationOf(spec);
    const ids = [...room.keys()];
    const fitting = ids.find((id) => room.get(id)! + ROUNDING >= use);
    if (fitting !== undefined) return take(fitting, use);
    const roomiest = ids.reduce((best, id) => (room.get(id)! > room.get(best)! ? id : best), ids[0] ?? 0);
    return room.size === 0 ? roomiest : take(roomiest, use);
  });
}

/** The CPU time that a task needs on average, per time; of a closed loop, the most that it can use. */
function utilisationOf({ arrivals, steps }: TaskSpec): number {
  let needNs = 0;
  for (const step of steps) {
    if (step.kind === 'compute' || step.kind === 'lock') needNs += meanNsOf(step.time);
  }
  const distanceNs = meanDistanceNs(arrivals);
  if (distanceNs === undefined) return 0;
  return arrivals.kind === 'closed' ? needNs / (needNs + distanceNs) : needNs / distanceNs;
}

/** Of phases: of the one in which most arrives. */
function meanDistanceNs(arrivals: Arrivals): number | undefined {
  switch (arrivals.kind) {
    case 'periodic':
      return arrivals.periodNs / arrivals.batch;
    case 'sporadic':
      return meanNsOf(arrivals.interarrival) / arrivals.batch;
    case 'phases': {
      const means = arrivals.phases.flatMap(({ interarrival }) => {
        return interarrival === undefined ? [] : [meanNsOf(interarrival)];
      });
      return Math.min(...means) / arrivals.batch;
    }
    case 'closed':
      return meanNsOf(arrivals.think);
    case 'requests':
      return undefined;
  }
}
