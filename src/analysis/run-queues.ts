/**
 * Credit2's run queues: which pCPUs each has, and which vCPUs were in it when.
 *
 * TRC_CSCHED2_SCHEDULE says which run queue a pCPU belongs to; so one that runs is in the run queue of its pCPU.
 * One that waits is in the one that it was last assigned to (TRC_CSCHED2_RUNQ_ASSIGN, after TRC_CSCHED2_MIGRATE
 * too), or else in that of the pCPU that it last ran on.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import type { EventCatalog } from '../format/index.ts';
import { BLOCKED, RUNNING, type RunstateBatch, UNKNOWN, VcpuTable } from '../timeline/index.ts';
import { RecordFields } from './record-fields.ts';
import { ServiceLog } from './service-log.ts';

const EVENTS = {
  TRC_CSCHED2_RUNQ_ASSIGN: ['vcpu', 'dom', 'runqueue'],
  TRC_CSCHED2_SCHEDULE: ['scheduling_pcpu', 'runqueue'],
  TRC_CSCHED2_PICKED_CPU: ['new_pcpu', 'runqueue'],
} as const;
const ASSIGN = 1;
const NO_RUNQUEUE = -1;
/** In TRC_CSCHED2_PICKED_CPU: no run queue was looked for. */
const NONE_PICKED = 0xffff;
/** Numbers held over the sums of one run queue: 2 MiB. */
const CELLS_MAX = 1 << 18;
/** Of one vCPU, ahead of its intervals: more are only there where a trace has no runstates. */
const ASSIGNMENTS_MAX = 1024;

/** Where one vCPU was assigned to, and the assignments that its intervals have not reached yet. */
interface Assigned {
  runqueue: number;
  readonly atNs: number[];
  readonly next: number[];
}

export class RunQueues {
  readonly #fields: RecordFields;
  readonly #fromNs: number;
  readonly #windowNs: number;
  /** By pCPU, {@link NO_RUNQUEUE} where it is not known. */
  readonly #ofPcpu = new Int32Array(0x10000).fill(NO_RUNQUEUE);
  /** By run queue: how many pCPUs it has. */
  readonly #pcpus = new Int32Array(0x10000);
  /** How many run queues have pCPUs. */
  #count = 0;
  /** By run queue. */
  readonly #logs: (ServiceLog | undefined)[] = [];
  readonly #table = new VcpuTable();
  /** By index in the table. */
  readonly #assigned: Assigned[] = [];
  /** By the timeline's index of a vCPU: where it last was. */
  readonly #in: (ServiceLog | undefined)[] = [];

  constructor(catalog: EventCatalog, fromNs: number, windowNs: number) {
    this.#fields = new RecordFields(catalog, EVENTS);
    this.#fromNs = fromNs;
    this.#windowNs = windowNs;
  }

  /** How many were seen. */
  get count(): number {
    return this.#count;
  }

  /** By run queue, ascending: what happened in it. */
  logs(): [runqueue: number, log: ServiceLog][] {
    return Object.entries(this.#logs).flatMap(([runqueue, log]) => (log ? [[Number(runqueue), log]] : []));
  }

  /** How many pCPUs a run queue has. */
  pcpusOf(runqueue: number): number {
    return this.#pcpus[runqueue];
  }

  /** The run queue of a pCPU; below 0 where it is not known. */
  ofPcpu(pcpu: number): number {
    return pcpu < 0 ? NO_RUNQUEUE : this.#ofPcpu[pcpu];
  }

  onRecords(batch: RecordBatch): void {
    const { kinds } = this.#fields;
    const { count, layout } = batch;
    for (let row = 0; row < count; row++) {
      const kind = kinds[layout[row]];
      if (kind !== 0) this.#onRecord(batch, row, kind);
    }
  }

  /** An interval of a vCPU that is not idle. `wants`: it waits, or is throttled and would run. */
  onInterval(batch: RunstateBatch, row: number, wants: boolean): void {
    const { dom, vcpu, vcpuIndex, state, startNs, endNs, pcpu } = batch;
    const runqueue = this.ofPcpu(pcpu[row]);
    const assigned =
      this.#table.count === 0
        ? undefined
        : this.#assigned[this.#table.find(((dom[row] << 16) | vcpu[row]) >>> 0)];
    if (wants) {
      this.#wait(batch, row, runqueue, assigned);
      return;
    }
    while (assigned !== undefined && assigned.atNs[0] < endNs[row]) arrive(assigned);
    if (state[row] === RUNNING) {
      const log = this.#enter(vcpuIndex[row], runqueue);
      log?.ran(log.member(vcpuIndex[row], dom[row], vcpu[row]), startNs[row], endNs[row]);
    } else {
      this.#leave(batch, row);
    }
  }

  /** An interval of an idle vCPU. */
  onIdle(pcpu: number, startNs: number, endNs: number): void {
    this.#log(this.ofPcpu(pcpu))?.idle(startNs, endNs);
  }

  #onRecord({ layout, wordsOffset, words, tNs }: RecordBatch, row: number, kind: number): void {
    const base = wordsOffset[row];
    const of = layout[row];
    const first = this.#fields.word(words, base, of, 0) & 0xffff;
    const second = this.#fields.word(words, base, of, 1) & 0xffff;
    if (kind !== ASSIGN) {
      if (second !== NONE_PICKED && this.#ofPcpu[first] !== second) this.#putPcpu(first, second);
      return;
    }
    const index = this.#table.indexOf(((second << 16) | first) >>> 0);
    if (index < 0) return;
    this.#assigned[index] ??= { runqueue: NO_RUNQUEUE, atNs: [], next: [] };
    const assigned = this.#assigned[index];
    assigned.atNs.push(tNs[row]);
    assigned.next.push(this.#fields.word(words, base, of, 2) & 0xffff);
    if (assigned.atNs.length > ASSIGNMENTS_MAX) arrive(assigned);
  }

  #putPcpu(pcpu: number, runqueue: number): void {
    const before = this.#ofPcpu[pcpu];
    if (before !== NO_RUNQUEUE && --this.#pcpus[before] === 0) this.#count--;
    if (this.#pcpus[runqueue]++ === 0) this.#count++;
    this.#ofPcpu[pcpu] = runqueue;
  }

  /** A wait, divided where the vCPU was assigned to another run queue meanwhile. */
  #wait(batch: RunstateBatch, row: number, runqueue: number, assigned: Assigned | undefined): void {
    let fromNs = batch.startNs[row];
    const endNs = batch.endNs[row];
    while (assigned !== undefined && assigned.atNs[0] < endNs) {
      const atNs = assigned.atNs[0];
      if (atNs > fromNs) {
        this.#waitIn(batch, row, this.#placeOf(assigned, runqueue), fromNs, atNs);
        fromNs = atNs;
      }
      arrive(assigned);
    }
    this.#waitIn(batch, row, this.#placeOf(assigned, runqueue), fromNs, endNs);
  }

  /** The run queue that a vCPU was assigned to, if that has pCPUs. */
  #placeOf(assigned: Assigned | undefined, otherwise: number): number {
    const runqueue = assigned?.runqueue ?? NO_RUNQUEUE;
    return runqueue !== NO_RUNQUEUE && this.#pcpus[runqueue] > 0 ? runqueue : otherwise;
  }

  #waitIn(batch: RunstateBatch, row: number, runqueue: number, startNs: number, endNs: number): void {
    const index = batch.vcpuIndex[row];
    const log = this.#enter(index, runqueue);
    log?.waited(log.member(index, batch.dom[row], batch.vcpu[row]), startNs, endNs);
  }

  /** It does not want to run, or it is not known. */
  #leave({ dom, vcpu, vcpuIndex, state, startNs, endNs }: RunstateBatch, row: number): void {
    const log = this.#in[vcpuIndex[row]];
    if (log === undefined) return;
    const member = log.member(vcpuIndex[row], dom[row], vcpu[row]);
    if (state[row] === BLOCKED) log.blocked(member);
    else if (state[row] === UNKNOWN) log.unknown(member, startNs[row], endNs[row]);
    else log.paused(member, startNs[row], endNs[row]);
  }

  #enter(vcpuIndex: number, runqueue: number): ServiceLog | undefined {
    const log = this.#log(runqueue);
    this.#in[vcpuIndex] = log;
    return log;
  }

  #log(runqueue: number): ServiceLog | undefined {
    if (runqueue === NO_RUNQUEUE) return undefined;
    this.#logs[runqueue] ??= new ServiceLog(this.#fromNs, [this.#windowNs], CELLS_MAX);
    return this.#logs[runqueue];
  }
}

/** The next assignment is in force. */
function arrive(assigned: Assigned): void {
  assigned.atNs.shift();
  assigned.runqueue = assigned.next.shift()!;
}
