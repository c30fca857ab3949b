import { assert } from '../base/assert.ts';
import type { Host } from '../scenario/scenario.ts';
import { Cpumask } from './cpumask.ts';

/**
 * Which pCPUs share a core, a socket and a NUMA node. pCPU i is thread i mod T of core (i div T) mod C of
 * socket i div (T * C); sockets are spread evenly over the nodes. Core numbers repeat on every socket.
 */
export class Topology {
  readonly pcpus: number;
  readonly nodes: number;
  /** pCPUs of the same core, itself included (Xen's cpu_sibling_mask), by pCPU. */
  readonly siblings: readonly Cpumask[];
  /** pCPUs of the same socket, itself included (cpu_core_mask), by pCPU. */
  readonly socketMates: readonly Cpumask[];
  readonly coreOf: Int32Array;
  readonly socketOf: Int32Array;
  readonly nodeOf: Int32Array;
  /** pCPUs of each node (node_to_cpumask). */
  readonly ofNode: readonly Cpumask[];

  constructor(host: Host) {
    const { pcpus, sockets, coresPerSocket, threadsPerCore, nodes } = host;
    assert(
      pcpus === sockets * coresPerSocket * threadsPerCore,
      `${sockets} sockets of ${coresPerSocket} cores of ${threadsPerCore} threads are not ${pcpus} pCPUs`,
    );
    assert(nodes >= 1 && nodes <= sockets, `${nodes} nodes do not fit ${sockets} sockets`);
    this.pcpus = pcpus;
    this.nodes = nodes;
    this.coreOf = new Int32Array(pcpus);
    this.socketOf = new Int32Array(pcpus);
    this.nodeOf = new Int32Array(pcpus);
    const cores = new Map<number, Cpumask>();
    const socketMasks = Array.from({ length: sockets }, () => new Cpumask(pcpus));
    const nodeMasks = Array.from({ length: nodes }, () => new Cpumask(pcpus));
    for (let pcpu = 0; pcpu < pcpus; pcpu += 1) {
      const core = Math.floor(pcpu / threadsPerCore);
      const socket = Math.floor(core / coresPerSocket);
      const node = Math.floor((socket * nodes) / sockets);
      this.coreOf[pcpu] = core % coresPerSocket;
      this.socketOf[pcpu] = socket;
      this.nodeOf[pcpu] = node;
      if (!cores.has(core)) cores.set(core, new Cpumask(pcpus));
      cores.get(core)!.set(pcpu);
      socketMasks[socket]!.set(pcpu);
      nodeMasks[node]!.set(pcpu);
    }
    this.siblings = Array.from(this.coreOf, (_, pcpu) => cores.get(Math.floor(pcpu / threadsPerCore))!);
    this.socketMates = Array.from(this.socketOf, (socket) => socketMasks[socket]!);
    this.ofNode = nodeMasks;
  }
}
