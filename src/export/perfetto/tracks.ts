import { DOM_IDLE, domLabel, vcpuLabel } from '../../timeline/index.ts';
import { pidOf, tidOf } from '../linux-ids.ts';
import type { Message, PacketWriter } from './packet-writer.ts';

/**
 * Kinds of tracks: with the number of what they are about, they make up a track's uuid. Each counter of the records is
 * a kind, from `counter` on.
 */
const KIND = { process: 1, thread: 2, task: 3, group: 4, waiting: 5, losses: 6, counter: 7 } as const;
/** What a track is about has up to 48 bits: a domain and a task. */
const KIND_UNIT = 2 ** 48;
const NO_PCPU = 0xffff;

/** CounterDescriptor.Unit. */
export const UNIT = { ns: 1, count: 2 } as const;

/** Groups at the top level. */
const GROUPS = ['Waiting vCPUs by the pCPU they ran on last', 'Run queues', 'Lost records'] as const;
const WAITING = 0;
const RUN_QUEUES = 1;
const LOSSES = 2;

/** Names domains, vCPUs and everything that has a track, each when it is first spoken of. */
export class Tracks {
  readonly #writer: PacketWriter;
  readonly #described = new Set<number>();

  constructor(writer: PacketWriter) {
    this.#writer = writer;
  }

  /** Names a vCPU and its domain, at `tNs`. */
  nameThread(tNs: number, key: number): void {
    const dom = key >>> 16;
    const vcpu = key & 0xffff;
    const thread: Message = [
      [1, tidOf(key)],
      [2, pidOf(dom)],
      [3, vcpuLabel(dom, vcpu)],
      [4, vcpu === 0 ? 1 : 0],
      [5, dom === DOM_IDLE ? 1 : 0],
    ];
    const process: Message = [
      [1, pidOf(dom)],
      [3, domLabel(dom)],
    ];
    this.#writer.processTree(tNs, [
      [1, process],
      [2, thread],
    ]);
  }

  /** The track of a vCPU's own slices. */
  thread(key: number): number {
    const uuid = KIND.thread * KIND_UNIT + key;
    if (this.#isNew(uuid)) {
      const thread: Message = [
        [1, pidOf(key >>> 16)],
        [2, tidOf(key)],
      ];
      this.#writer.trackDescriptor([
        [1, uuid],
        [4, thread],
      ]);
    }
    return uuid;
  }

  /** The track of a task's jobs, below its domain. */
  task(dom: number, task: number): number {
    const uuid = KIND.task * KIND_UNIT + dom * 2 ** 32 + task;
    if (this.#isNew(uuid)) this.#describe(uuid, `task ${task}`, this.#process(dom));
    return uuid;
  }

  /** A counter of how many wait that ran last on a pCPU, -1: that have not run yet. */
  waiting(pcpu: number): number {
    const uuid = KIND.waiting * KIND_UNIT + (pcpu < 0 ? NO_PCPU : pcpu);
    if (this.#isNew(uuid)) {
      const name = pcpu < 0 ? 'waiting, pCPU not known' : `waiting, pCPU ${pcpu}`;
      this.#describe(uuid, name, this.#group(WAITING), UNIT.count);
    }
    return uuid;
  }

  /** The track of a pCPU's lost records. */
  losses(pcpu: number): number {
    const uuid = KIND.losses * KIND_UNIT + pcpu;
    if (this.#isNew(uuid)) this.#describe(uuid, `lost on pCPU ${pcpu}`, this.#group(LOSSES));
    return uuid;
  }

  /** @param number tells the counters of a vCPU apart, from 0 */
  vcpuCounter(number: number, name: string, unit: number, key: number): number {
    const uuid = (KIND.counter + number) * KIND_UNIT + key;
    if (this.#isNew(uuid)) this.#describe(uuid, name, this.thread(key), unit);
    return uuid;
  }

  runQueueCounter(number: number, name: string, unit: number, runqueue: number): number {
    const uuid = (KIND.counter + number) * KIND_UNIT + runqueue;
    if (this.#isNew(uuid)) {
      this.#describe(uuid, `${name} of run queue ${runqueue}`, this.#group(RUN_QUEUES), unit);
    }
    return uuid;
  }

  #process(dom: number): number {
    const uuid = KIND.process * KIND_UNIT + dom;
    if (this.#isNew(uuid)) {
      const process: Message = [
        [1, pidOf(dom)],
        [6, domLabel(dom)],
      ];
      this.#writer.trackDescriptor([
        [1, uuid],
        [3, process],
      ]);
    }
    return uuid;
  }

  #group(group: number): number {
    const uuid = KIND.group * KIND_UNIT + group;
    if (this.#isNew(uuid)) {
      this.#writer.trackDescriptor([
        [1, uuid],
        [2, GROUPS[group] as string],
      ]);
    }
    return uuid;
  }

  #describe(uuid: number, name: string, parent: number, counterUnit?: number): void {
    const descriptor: (readonly [number, number | string | Message])[] = [
      [1, uuid],
      [2, name],
      [5, parent],
    ];
    if (counterUnit !== undefined) descriptor.push([8, [[3, counterUnit]]]);
    this.#writer.trackDescriptor(descriptor);
  }

  #isNew(uuid: number): boolean {
    if (this.#described.has(uuid)) return false;
    this.#described.add(uuid);
    return true;
  }
}
