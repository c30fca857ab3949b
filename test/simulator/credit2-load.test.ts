/**
 * Credit2's fixed-point load against exact arithmetic, and its run queues against the host's topology.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { Host, Scenario } from '../../src/scenario/scenario.ts';
import { updateQueueLoad, updateVcpuLoad } from '../../src/simulator/schedulers/credit2/load.ts';
import {
  Credit2System,
  type Credit2Vcpu,
  credit2OfVcpu,
  type RunQueue,
} from '../../src/simulator/schedulers/credit2/state.ts';
import { Rig } from './rig.ts';
import { hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const IDLE = [vcpuOf({ kind: 'idle' })];

function rigOf(params: Scenario['params'], host: Partial<Host> = {}): Rig {
  return new Rig(scenarioOf([IDLE], { scheduler: 'credit2', params, host: hostOf(host) }));
}

/** The average as the formula says, in integers of any size. */
function exactAverage(
  average: bigint,
  load: number,
  delta: bigint,
  precision: bigint,
  window: bigint,
): bigint {
  const now = BigInt(load) << precision;
  if (delta > 1n << window) return now;
  return average + ((delta * now) >> window) - ((delta * average) >> window);
}

describe('load', () => {
  test.each([
    [18, 30],
    [4, 11],
    [18, 20],
    [32, 30],
    [32, 36],
    [20, 41],
  ])('of a run queue is exact with %i bits of fraction and a window of 2^%i ns', (precision, window) => {
    const { xen } = rigOf({ credit2_load_precision_shift: precision, credit2_load_window_shift: window });
    const system = new Credit2System(xen);
    const queue: RunQueue = (xen.machine.pcpus[0]!.schedulerData as { runQueue: RunQueue }).runQueue;
    const prng = Prng.fromSeed(precision * 100 + window);
    let nowNs = 0;
    let average = BigInt(queue.avgLoad);
    let balanced = BigInt(queue.balancedLoad);
    for (let i = 0; i < 2000; i += 1) {
      const before = Math.floor(nowNs / 1024);
      nowNs += prng.below(4) === 0 ? 0 : prng.below(2 ** Math.min(31, window + 1));
      const delta = BigInt(Math.floor(nowNs / 1024) - before);
      average = exactAverage(average, queue.load, delta, BigInt(precision), BigInt(window - 10));
      balanced = exactAverage(balanced, queue.load, delta, BigInt(precision), BigInt(window - 10));
      // A migration shows in one of the two at once.
      const change = queue.load > 30 ? -1 : prng.below(3) - (queue.load > 0 ? 1 : 0);
      updateQueueLoad(system, queue, change, nowNs);
      expect([i, queue.avgLoad, queue.balancedLoad]).toEqual([i, Number(average), Number(balanced)]);
      if (prng.below(10) === 0) {
        queue.balancedLoad += 2 ** (precision - 1);
        balanced += 1n << BigInt(precision - 1);
      }
    }
    expect(average).toBeGreaterThan(0n);
  });

  test('is exact where 64-bit integers are needed: 30000 vCPUs', () => {
    const { xen } = rigOf({ credit2_load_precision_shift: 30, credit2_load_window_shift: 29 });
    const system = new Credit2System(xen);
    const queue: RunQueue = (xen.machine.pcpus[0]!.schedulerData as { runQueue: RunQueue }).runQueue;
    updateQueueLoad(system, queue, 30_000, 0);
    let average = BigInt(queue.avgLoad);
    for (let i = 1; i < 200; i += 1) {
      const delta = BigInt(Math.floor((i * 2_345_678) / 1024) - Math.floor(((i - 1) * 2_345_678) / 1024));
      average = exactAverage(average, 30_000, delta, 30n, 19n);
      updateQueueLoad(system, queue, 0, i * 2_345_678);
      expect(queue.avgLoad).toBe(Number(average));
    }
    expect(average).toBeGreaterThan(2n ** 43n);
  });

  test('of a vCPU starts at a half, halves in half a window, is forgotten after a whole', () => {
    const rig = rigOf({});
    const system = new Credit2System(rig.xen);
    const credit: Credit2Vcpu = credit2OfVcpu(rig.vcpu(1));
    expect(credit.avgLoad).toBe(2 ** 17);
    updateVcpuLoad(system, credit, 0, 2 ** 29);
    expect(credit.avgLoad).toBe(2 ** 16);
    updateVcpuLoad(system, credit, -1, 2 ** 29 + 2 ** 28);
    expect(credit.avgLoad).toBe(2 ** 16 + 2 ** 16 - 2 ** 14);
    updateVcpuLoad(system, credit, -1, 2 ** 31);
    expect(credit.avgLoad).toBe(2 ** 18);
    updateVcpuLoad(system, credit, 1, 2 ** 32);
    expect(credit.avgLoad).toBe(0);
  });
});

describe('run queues', () => {
  const TWO_SOCKETS = { pcpus: 16, sockets: 2, coresPerSocket: 4, threadsPerCore: 2, nodes: 2 };
  const FOUR_SOCKETS = { pcpus: 16, sockets: 4, coresPerSocket: 2, threadsPerCore: 2, nodes: 2 };
  const BIG = { pcpus: 48, sockets: 1, coresPerSocket: 24, threadsPerCore: 2, nodes: 1 };
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

  function queuesOf(arrangement: string, host: Partial<Host>, most?: number): number[][] {
    const rig = rigOf(
      {
        credit2_runqueue: arrangement,
        ...(most === undefined ? {} : { sched_credit2_max_cpus_runqueue: most }),
      },
      host,
    );
    const queues: number[][] = [];
    for (const pcpu of rig.machine.pcpus) {
      const { runQueue } = pcpu.schedulerData as { runQueue: RunQueue };
      expect(runQueue.id).toBe(pcpu.lock);
      queues[runQueue.id] ??= [];
      queues[runQueue.id]!.push(pcpu.id);
    }
    return queues;
  }

  test('are one per pCPU, core, socket or node, or one for all', () => {
    expect(queuesOf('cpu', TWO_SOCKETS)).toEqual(range(0, 16).map((pcpu) => [pcpu]));
    expect(queuesOf('core', TWO_SOCKETS)).toEqual(range(0, 8).map((core) => [2 * core, 2 * core + 1]));
    expect(queuesOf('socket', TWO_SOCKETS)).toEqual([range(0, 8), range(8, 16)]);
    expect(queuesOf('socket', FOUR_SOCKETS)).toEqual([0, 4, 8, 12].map((from) => range(from, from + 4)));
    expect(queuesOf('node', FOUR_SOCKETS)).toEqual([range(0, 8), range(8, 16)]);
    expect(queuesOf('all', FOUR_SOCKETS)).toEqual([range(0, 16)]);
  });

  test('have at most 16 pCPUs unless told otherwise, and never part the threads of a core', () => {
    const sizes = (queues: number[][]) => queues.map(({ length }) => length);
    expect(sizes(queuesOf('all', BIG))).toEqual([16, 16, 16]);
    expect(sizes(queuesOf('all', BIG, 48))).toEqual([48]);
    expect(sizes(queuesOf('socket', BIG, 20))).toEqual([16, 16, 16]);
    for (const arrangement of ['socket', 'node', 'all']) {
      for (const most of [1, 3, 7, 16, 30]) {
        for (const queue of queuesOf(arrangement, BIG, most)) {
          for (const pcpu of queue) expect(queue).toContain(pcpu ^ 1);
        }
      }
    }
  });
});
