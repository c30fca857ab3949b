/**
 * Records in, intervals out: what each vCPU did, whom it waited for, and what became of its jobs.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import { type EventCatalog, readField } from '../format/definitions.ts';
import type { Affinities } from './blame-tracker.ts';
import { EventQueue } from './event-queue.ts';
import { JobTracker } from './job-tracker.ts';
import {
  FIRST_KIND_OF_BLAME,
  KIND,
  type RecordKinds,
  recordKinds,
  SCHEDULER,
  VALUES_MAX,
} from './record-kinds.ts';
import { type OpenInterval, RunstateTracker } from './runstate-tracker.ts';
import { type TimelineListener, TimelineOutput } from './timeline-listener.ts';

/** Relevant records that the timeline looks ahead; a loss that began before them is only noticed at the oldest one. */
const LOOKAHEAD = 1 << 18;
/** As many are worked off at once when the queue is full. */
const WORK_AT_ONCE = 4096;
const PCPUS_MAX = 65_536;
/** A record is to be noted when it comes in; it is to be queued and worked on. */
const NOTE = 1;
const WORK = 2;

/** What a {@link Timeline} may be told; nothing has to be. */
export interface TimelineOptions {
  /** The pCPUs that the trace has records of, where they are known beforehand (TraceReader.pcpus). */
  readonly pcpus?: readonly number[];
  /** Where vCPUs may run, as far as it is known: what a wait is blamed on depends on it. */
  readonly affinities?: Affinities | undefined;
  /** For tests: a power of two; {@link LOOKAHEAD} unless given. */
  readonly lookahead?: number;
}

/** A domain that runstate records name. */
export interface DomainInfo {
  readonly dom: number;
  /** How many of its vCPUs records name. */
  readonly vcpus: number;
  /** Their numbers, as they came. */
  readonly vcpuIds: readonly number[];
  /** When the trace saw it created (TRC_SCHED_DOM_ADD) or removed (TRC_SCHED_DOM_REM); the last time for each. */
  readonly createdNs: number | undefined;
  readonly removedNs: number | undefined;
}

interface Loss {
  readonly pcpu: number;
  readonly firstNs: number;
}

/** Feed it batches in time order, then finish it. It works behind what it is fed, see {@link EventQueue}. */
export class Timeline {
  readonly #output: TimelineOutput;
  readonly #runstates: RunstateTracker;
  readonly #jobs: JobTracker;
  readonly #queue: EventQueue;
  readonly #kinds: RecordKinds;
  readonly #workAtOnce: number;
  /** By layout index: {@link NOTE}, {@link WORK}. */
  readonly #todos: Uint8Array;
  /** By pCPU: 1 where the trace has records of it; undefined where that is not known. */
  readonly #recorded: Uint8Array | undefined;
  #unansweredTickles = 0;
  /** Losses that are queued but have not begun yet, by their beginning. */
  readonly #losses: Loss[] = [];
  #nextLossNs = Number.POSITIVE_INFINITY;
  readonly #created = new Map<number, number>();
  readonly #removed = new Map<number, number>();
  #nowNs = 0;
  /** -1: no record with a TSC yet. */
  #firstTsc = -1n;
  #firstNs = 0;
  #finished = false;
  /** Losses whose beginning came too late for the lookahead: time between may be told as known though it is not. */
  lateLosses = 0;

  constructor(catalog: EventCatalog, listeners: readonly TimelineListener[], options: TimelineOptions = {}) {
    const { pcpus = [], lookahead = LOOKAHEAD } = options;
    this.#output = new TimelineOutput(listeners);
    const pcpuMissing = pcpus.some((pcpu, index) => pcpu !== index);
    this.#runstates = new RunstateTracker(this.#output, pcpuMissing, options.affinities);
    this.#runstates.partial = pcpus.length > 0 && !pcpus.includes(0);
    this.#jobs = new JobTracker(this.#output, this.#runstates);
    this.#queue = new EventQueue(lookahead);
    this.#workAtOnce = Math.min(WORK_AT_ONCE, Math.max(1, lookahead >> 2));
    if (options.pcpus !== undefined) {
      this.#recorded = new Uint8Array(PCPUS_MAX);
      for (const pcpu of options.pcpus) this.#recorded[pcpu] = 1;
    }
    this.#kinds = recordKinds(catalog);
    this.#todos = this.#todosOf(this.#kinds);
  }

  /** Takes a batch; its arrays may be reused when this returns. */
  push(batch: RecordBatch): void {
    if (this.#firstTsc < 0n) this.#noteFirstTick(batch);
    const { count, layout } = batch;
    const queue = this.#queue;
    const todos = this.#todos;
    for (let row = 0; row < count; row++) {
      const layoutIndex = layout[row];
      const todo = todos[layoutIndex];
      if (todo === 0) continue;
      if ((todo & NOTE) !== 0) this.#note(batch, row, layoutIndex);
      if ((todo & WORK) === 0) continue;
      if (queue.full) this.#workOff(this.#workAtOnce);
      this.#enqueue(batch, row, layoutIndex);
    }
  }

  /**
   * For who looks on: works off what happened before `toNs`, and tells the listeners of everything that ended by then.
   * A loss that is learnt of later, though it began before, is noticed late (see {@link lateLosses}).
   */
  settle(toNs: number): void {
    const queue = this.#queue;
    while (queue.count > 0 && queue.oldestNs < toNs) this.#work(queue.take());
    while (this.#nextLossNs < toNs) this.#beginNextLoss();
    this.#nowNs = Math.max(this.#nowNs, toNs);
    this.#output.flush();
  }

  /** Calls `visit` for each vCPU that is in the trace now: what it does since when. Exact after {@link settle}. */
  eachOpen(visit: (open: OpenInterval) => void): void {
    this.#runstates.eachOpen(visit);
  }

  /** Works off what is queued and ends every interval at `endNs`, the end of the trace. */
  finish(endNs: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#workOff(this.#queue.count);
    const borderNs = Math.max(endNs, this.#nowNs);
    this.#runstates.finish(borderNs);
    this.#jobs.finish(borderNs, this.partial);
    this.#output.flush();
  }

  /** Records that did not continue what was known of their vCPU: records are missing that no loss accounts for. */
  get repairs(): number {
    return this.#runstates.repairs;
  }

  /**
   * Records of some pCPU are missing altogether (`xentrace -c`): only running time is known from where that showed. It
   * shows by pCPU 0 missing, which is never without work; by tickles of a pCPU that never answers; or by many repairs.
   */
  get partial(): boolean {
    return this.#runstates.partial;
  }

  /** Whether the trace shows that the host schedules whole cores (`sched-gran=core` or `socket`). */
  get coreScheduling(): boolean {
    return this.#runstates.places.coreScheduling;
  }

  /** The domains named so far, ascending; complete after {@link finish}. */
  domains(): DomainInfo[] {
    const vcpuIds = new Map<number, number[]>();
    const { keys, count } = this.#runstates.vcpus;
    for (const dom of [...this.#created.keys(), ...this.#removed.keys()]) vcpuIds.set(dom, []);
    for (const key of keys.subarray(0, count)) {
      const ids = vcpuIds.get(key >>> 16);
      if (ids === undefined) vcpuIds.set(key >>> 16, [key & 0xffff]);
      else ids.push(key & 0xffff);
    }
    return [...vcpuIds]
      .sort(([a], [b]) => a - b)
      .map(([dom, ids]) => ({
        dom,
        vcpus: ids.length,
        vcpuIds: ids,
        createdNs: this.#created.get(dom),
        removedNs: this.#removed.get(dom),
      }));
  }

  /** What to do with records, by layout index: {@link NOTE} and {@link WORK}. */
  #todosOf({ kind, scheduler }: RecordKinds): Uint8Array {
    const withBlame = this.#runstates.blame !== undefined;
    return kind.map((kindOfLayout, layoutIndex) => {
      const isWork = kindOfLayout !== KIND.none && (kindOfLayout < FIRST_KIND_OF_BLAME || withBlame);
      const isNote = scheduler[layoutIndex] !== SCHEDULER.none || kindOfLayout === KIND.tickle;
      return (isWork ? WORK : 0) | (isNote ? NOTE : 0);
    });
  }

  /** What a record tells by its mere presence: which scheduler there is, and whether a tickled pCPU makes records. */
  #note(batch: RecordBatch, row: number, layoutIndex: number): void {
    const { kind, scheduler } = this.#kinds;
    const seen = scheduler[layoutIndex];
    if (seen === SCHEDULER.credit) this.#runstates.evidence.creditSeen = true;
    else if (seen === SCHEDULER.credit2) this.#runstates.evidence.credit2Seen = true;
    if (kind[layoutIndex] === KIND.tickle) this.#noteTickled(batch, row);
    else this.#todos[layoutIndex] &= ~NOTE;
  }

  /**
   * A tickled pCPU calls schedule() and makes records. If the trace has none of it, they are missing altogether; a
   * single tickle may have come just before the end.
   */
  #noteTickled(batch: RecordBatch, row: number): void {
    if (this.#recorded === undefined) return;
    const [field] = this.#kinds.values[batch.layout[row]];
    if (field === undefined) return;
    const pcpu = Number(readField(batch.words, batch.wordsOffset[row], field));
    if (this.#recorded[pcpu] !== 1 && ++this.#unansweredTickles > 1) this.#runstates.partial = true;
  }

  #enqueue(batch: RecordBatch, row: number, layoutIndex: number): void {
    const queue = this.#queue;
    const { words } = batch;
    const { kind: kinds, domWord, domShift, vcpuWord, vcpuShift } = this.#kinds;
    const slot = queue.push();
    const at = batch.wordsOffset[row];
    const kind = kinds[layoutIndex];
    queue.kind[slot] = kind;
    queue.pcpu[slot] = batch.pcpu[row];
    queue.tNs[slot] = batch.tNs[row];
    if (domWord[layoutIndex] >= 0) {
      const dom = words[at + domWord[layoutIndex]] >>> domShift[layoutIndex];
      const vcpu = words[at + vcpuWord[layoutIndex]] >>> vcpuShift[layoutIndex];
      queue.key[slot] = (dom << 16) | (vcpuWord[layoutIndex] < 0 ? 0 : vcpu & 0xffff);
    }
    if (kind === KIND.runstate) {
      const event = batch.event[row];
      queue.states[slot] = ((event >>> 4) & 0x30) | ((event >>> 4) & 3);
    } else if (kind !== KIND.switch && kind !== KIND.schedule) {
      this.#enqueueValues(batch, row, layoutIndex, slot);
    }
  }

  #enqueueValues(batch: RecordBatch, row: number, layoutIndex: number, slot: number): void {
    const { words } = batch;
    const at = batch.wordsOffset[row];
    const fields = this.#kinds.values[layoutIndex];
    for (let value = 0; value < fields.length; value++) {
      const field = fields[value];
      this.#queue.values[slot * VALUES_MAX + value] =
        field === undefined ? Number.NaN : Number(readField(words, at, field));
    }
    if (this.#kinds.kind[layoutIndex] === KIND.lost)
      this.#foresee(batch, row, this.#firstLostTsc(words, at, layoutIndex));
  }

  /** The TSC of the first lost record, or -1n: Xen has told it since 3.4. */
  #firstLostTsc(words: Uint32Array, at: number, layoutIndex: number): bigint {
    const [field] = this.#kinds.values[layoutIndex];
    return field === undefined ? -1n : BigInt(readField(words, at, field));
  }

  /** Notes when the loss began that the lost-records record in `row` ends. */
  #foresee(batch: RecordBatch, row: number, firstTsc: bigint): void {
    const endNs = batch.tNs[row];
    const endTsc = BigInt(batch.tscHigh[row]) * 0x1_0000_0000n + BigInt(batch.tscLow[row]);
    const lostTicks = firstTsc < 0n ? 0 : Number(endTsc - firstTsc);
    const ticksPerNs = this.#ticksPerNs(batch, row, endTsc);
    const firstNs = lostTicks > 0 ? Math.max(0, Math.floor(endNs - lostTicks / ticksPerNs)) : endNs;
    const loss = { pcpu: batch.pcpu[row], firstNs };
    const index = this.#losses.findIndex((other) => other.firstNs > firstNs);
    this.#losses.splice(index < 0 ? this.#losses.length : index, 0, loss);
    this.#nextLossNs = this.#losses[0].firstNs;
    if (firstNs < this.#nowNs) this.lateLosses++;
  }

  /** The TSC's rate, from the times of the trace's first record and of the one in `row`. */
  #ticksPerNs(batch: RecordBatch, row: number, tsc: bigint): number {
    const ns = batch.tNs[row] - this.#firstNs;
    const ticks = this.#firstTsc < 0n ? 0 : Number(tsc - this.#firstTsc);
    return ns > 0 && ticks > 0 ? ticks / ns : Number.POSITIVE_INFINITY;
  }

  /** Keeps the first pair of TSC and time, for {@link Timeline.#ticksPerNs}. */
  #noteFirstTick(batch: RecordBatch): void {
    const row = batch.hasTsc.subarray(0, batch.count).indexOf(1);
    if (row < 0) return;
    this.#firstTsc = BigInt(batch.tscHigh[row]) * 0x1_0000_0000n + BigInt(batch.tscLow[row]);
    this.#firstNs = batch.tNs[row];
  }

  /** Works on the oldest events. */
  #workOff(most: number): void {
    const count = Math.min(most, this.#queue.count);
    for (let left = count; left > 0; left--) this.#work(this.#queue.take());
  }

  #work(slot: number): void {
    const { kind, states, pcpu: pcpus, tNs: times, key: keys, values } = this.#queue;
    const pcpu = pcpus[slot];
    const tNs = Math.max(times[slot], this.#nowNs);
    while (this.#nextLossNs <= tNs) this.#beginNextLoss();
    this.#nowNs = tNs;
    const key = keys[slot];
    const at = slot * VALUES_MAX;
    switch (kind[slot]) {
      case KIND.runstate:
        this.#runstates.runstate(tNs, pcpu, key, states[slot] >>> 4, states[slot] & 3);
        return;
      case KIND.switch:
        this.#runstates.places.switchAhead(tNs, pcpu);
        return;
      case KIND.sleep:
        this.#runstates.sleep(pcpu, key);
        return;
      case KIND.budgetBurn:
        if (values[at] === 0) this.#runstates.budget(tNs, key, true);
        return;
      case KIND.budgetReplenish:
        this.#runstates.budget(tNs, key, false);
        this.#blame(kind[slot], tNs, pcpu, key, at);
        return;
      case KIND.depleted:
        this.#runstates.budget(tNs, key, values[at] === 0);
        return;
      case KIND.replenished:
        this.#runstates.budget(tNs, key, false);
        return;
      case KIND.domAdd:
        this.#created.set(key >>> 16, tNs);
        this.#runstates.domainCreated(tNs, key >>> 16);
        return;
      case KIND.domRem:
        this.#removed.set(key >>> 16, tNs);
        this.#runstates.domainRemoved(tNs, key >>> 16);
        return;
      case KIND.lost:
        this.#runstates.endLoss(tNs, pcpu);
        this.#jobs.loss();
        return;
      case KIND.taskRelease:
        this.#jobs.release(tNs, key, values[at], values[at + 1], values[at + 2], values[at + 3]);
        return;
      case KIND.taskStart:
        this.#jobs.start(tNs, key, values[at], values[at + 1]);
        return;
      case KIND.taskComplete:
        this.#jobs.complete(tNs, key, values[at], values[at + 1]);
        return;
      default:
        this.#blame(kind[slot], tNs, pcpu, key, at);
    }
  }

  /** What the scheduler's own records tell of why one stands aside for another. */
  #blame(kind: number, tNs: number, pcpu: number, key: number, at: number): void {
    const { blame } = this.#runstates;
    if (blame === undefined) return;
    const { values } = this.#queue;
    switch (kind) {
      case KIND.schedule:
        blame.schedule(tNs, pcpu);
        return;
      case KIND.tickle:
        blame.tickle(tNs, pcpu, values[at]);
        return;
      case KIND.ratelimit:
        blame.ratelimit(tNs, pcpu);
        return;
      default:
    }
    const v = this.#runstates.indexOf(key);
    if (v < 0) return;
    if (kind === KIND.boostStart || kind === KIND.boostEnd) {
      blame.boost(tNs, v, pcpu, kind === KIND.boostStart);
    } else if (kind === KIND.credit) {
      blame.order(v, Number.NaN, -values[at]);
    } else if (kind === KIND.pick) {
      blame.order(v, Number.NaN, values[at]);
    } else {
      blame.order(v, values[at + 1], values[at + 2]);
      blame.replenished(v, pcpu);
    }
  }

  #beginNextLoss(): void {
    const loss = this.#losses.shift()!;
    this.#nextLossNs = this.#losses[0]?.firstNs ?? Number.POSITIVE_INFINITY;
    this.#runstates.beginLoss(Math.max(loss.firstNs, this.#nowNs), loss.pcpu);
  }
}
