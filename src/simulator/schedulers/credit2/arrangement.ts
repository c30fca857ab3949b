import { Cpumask } from '../../cpumask.ts';
import type { Topology } from '../../topology.ts';
import { type Credit2System, RunQueue } from './state.ts';

/**
 * The run queue for a pCPU that joins (cpu_add_to_runqueue): of those that fit by `credit2_runqueue` and have
 * room, that with the fewest pCPUs, unless a thread of the same core is in one already. A new one has the
 * lowest free number.
 */
export function joinRunQueue(system: Credit2System, pcpu: number): RunQueue {
  const { runQueues } = system;
  const { topology } = system.machine;
  const online = topology.pcpus;
  const queuesMin = Math.floor((online - 1) / system.pcpusPerQueueMax) + 1;
  const room = Math.floor(online / queuesMin);
  let best: RunQueue | undefined;
  let id = 0;
  let hasGap = false;
  for (const queue of runQueues) {
    if (queue.id > id) hasGap = true;
    if (belongsHere(system.arrangement, topology, queue.pickBias, pcpu)) {
      if (queue.active.intersects(topology.siblings[pcpu]!)) {
        best = queue;
        break;
      }
      const fits =
        queue.pcpuCount < room &&
        (hasRoomForCore(queue, topology, pcpu, room) || system.arrangement === 'all');
      if (fits && (best === undefined || queue.pcpuCount < best.pcpuCount)) best = queue;
    }
    if (!hasGap) id += 1;
  }
  if (best !== undefined) return best;
  const created = new RunQueue(id, topology.pcpus, pcpu);
  runQueues.splice(id, 0, created);
  return created;
}

/** Whether topology puts the two together (cpu_runqueue_match). */
function belongsHere(arrangement: string, topology: Topology, peer: number, pcpu: number): boolean {
  const { coreOf, socketOf, nodeOf } = topology;
  const sameSocket = socketOf[peer] === socketOf[pcpu];
  switch (arrangement) {
    case 'all':
      return true;
    case 'node':
      return nodeOf[peer] === nodeOf[pcpu];
    case 'socket':
      return sameSocket;
    case 'core':
      return sameSocket && coreOf[peer] === coreOf[pcpu];
    default:
      return false;
  }
}

/**
 * Whether all threads of its core fit besides all threads of the cores here (cpu_runqueue_siblings_match).
 */
function hasRoomForCore(queue: RunQueue, topology: Topology, pcpu: number, room: number): boolean {
  const { siblings } = topology;
  const threads = siblings[pcpu]!.weight();
  const counted = new Cpumask(topology.pcpus);
  let total = 0;
  for (let other = queue.active.first(); other < queue.active.size; other = queue.active.next(other)) {
    if (siblings[other]!.intersects(counted)) continue;
    counted.or(counted, siblings[other]!);
    total += threads;
  }
  return total + threads <= room;
}
