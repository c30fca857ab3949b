/**
 * Records in, intervals out: what each vCPU did, whom it waited for, and what became of its jobs.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import type { EventCatalog } from '../format/definitions.ts';
import { TRC_LOST_RECORDS } from '../format/record.ts';
import { EventQueue, QUEUE_WORDS } from './event-queue.ts';
import { JobTracker } from './job-tracker.ts';
import { RunstateTracker } from './runstate-tracker.ts';
import { type TimelineListener, TimelineOutput } from './timeline-listener.ts';

const TRC_SCHED_DOM_ADD = 0x28001;
const TRC_SCHED_DOM_REM = 0x28002;
const TRC_SCHED_SLEEP = 0x28003;
const TRC_SCHED_SWITCH = 0x2800a;
const TRC_RTDS_BUDGET_BURN = 0x22803;
const TRC_RTDS_BUDGET_REPLENISH = 0x22804;
const TRC_TASK_RELEASE = 0x24001;
const TRC_TASK_START = 0x24002;
const TRC_TASK_COMPLETE = 0x24003;
/** A guest's own records (HVMOP_xentrace) of the same things, with the same words. */
const TRC_GUEST_TASK_RELEASE = 0x0800f001;
const TRC_GUEST_TASK_START = 0x0800f002;
const TRC_GUEST_TASK_COMPLETE = 0x0800f003;

/** TRC_SCHED_RUNSTATE_CHANGE is 0x21001, the old state in bits 9..8, the new one in bits 5..4 (Xen's core.c). */
const RUNSTATE_MASK = 0x0ffffccf;
const RUNSTATE_CHANGE = 0x21001;
/** The scheduler of a class record is in bits 11..9: 0x220xx and 0x221xx credit, 0x222xx and 0x223xx credit2. */
const SCHEDULER_SHIFT = 9;
const CREDIT = 0x22000 >>> SCHEDULER_SHIFT;
const CREDIT2 = 0x22200 >>> SCHEDULER_SHIFT;

/** Relevant records that the timeline looks ahead; a loss that began before them is only noticed at the oldest one. */
const LOOKAHEAD = 1 << 18;
const TWO_TO_32 = 2 ** 32;

export interface TimelineOptions {
  /** The pCPUs that the trace has records of, where they are known beforehand (TraceReader.pcpus). */
  readonly pcpus?: readonly number[];
  /** For tests: a power of two; {@link LOOKAHEAD} unless given. */
  readonly lookahead?: number;
}

/** A domain that runstate records name. */
export interface DomainInfo {
  readonly dom: number;
  /** How many of its vCPUs records name. */
  readonly vcpus: number;
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
  /** Word of TRC_RTDS_BUDGET_BURN in which the 64-bit budget begins. */
  readonly #budgetWord: number;
  /** By layout index: the bit at which a record names the pCPU that it tickles, or -1. */
  readonly #tickledBit: Int32Array;
  /** The pCPUs that the trace has records of, where that is known. */
  readonly #recorded: ReadonlySet<number> | undefined;
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
    this.#runstates = new RunstateTracker(this.#output, pcpuMissing);
    this.#runstates.partial = pcpus.length > 0 && !pcpus.includes(0);
    this.#jobs = new JobTracker(this.#output);
    this.#queue = new EventQueue(lookahead);
    this.#recorded = options.pcpus === undefined ? undefined : new Set(options.pcpus);
    this.#tickledBit = Int32Array.from(catalog.layouts, (layout) => {
      return layout?.fields.find(({ name }) => name === 'tickled_pcpu')?.offset ?? -1;
    });
    const burn = catalog.eventById(TRC_RTDS_BUDGET_BURN)?.layouts[0];
    this.#budgetWord = (burn?.fields.find((field) => field.name === 'budget_ns')?.offset ?? 32) / 32;
  }

  /** Takes a batch; its arrays may be reused when this returns. */
  push(batch: RecordBatch): void {
    if (this.#firstTsc < 0n) this.#noteFirstTick(batch);
    for (let row = 0; row < batch.count; row++) {
      const event = batch.event[row];
      if ((event & RUNSTATE_MASK) !== RUNSTATE_CHANGE && !isRelevant(event)) {
        const bit = this.#tickledBit[batch.layout[row]];
        if (bit >= 0) this.#noteTickled(batch.words[batch.wordsOffset[row] + (bit >>> 5)] >>> (bit & 31));
        const scheduler = event >>> SCHEDULER_SHIFT;
        if (scheduler === CREDIT) this.#runstates.evidence.creditSeen = true;
        else if (scheduler === CREDIT2) this.#runstates.evidence.credit2Seen = true;
        continue;
      }
      if (this.#queue.full) this.#work(this.#queue.take());
      this.#enqueue(batch, row, event);
    }
  }

  /** Works off what is queued and ends every interval at `endNs`, the end of the trace. */
  finish(endNs: number): void {
    if (this.#finished) return;
    this.#finished = true;
    while (this.#queue.count > 0) this.#work(this.#queue.take());
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
    const vcpus = new Map<number, number>();
    const { keys, count } = this.#runstates.vcpus;
    for (const dom of [...this.#created.keys(), ...this.#removed.keys()]) vcpus.set(dom, 0);
    for (const key of keys.subarray(0, count)) vcpus.set(key >>> 16, (vcpus.get(key >>> 16) ?? 0) + 1);
    return [...vcpus]
      .sort(([a], [b]) => a - b)
      .map(([dom, count]) => ({
        dom,
        vcpus: count,
        createdNs: this.#created.get(dom),
        removedNs: this.#removed.get(dom),
      }));
  }

  /**
   * A tickled pCPU calls schedule() and makes records. If the trace has none of it, they are missing altogether; a
   * single tickle may have come just before the end.
   */
  #noteTickled(word: number): void {
    if (this.#recorded === undefined || this.#recorded.has(word & 0xffff)) return;
    if (++this.#unansweredTickles > 1) this.#runstates.partial = true;
  }

  #enqueue(batch: RecordBatch, row: number, event: number): void {
    const queue = this.#queue;
    const slot = queue.push();
    queue.event[slot] = event;
    queue.pcpu[slot] = batch.pcpu[row];
    queue.tNs[slot] = batch.tNs[row];
    const from = batch.wordsOffset[row];
    const to = Math.min(batch.wordsOffset[row + 1], from + QUEUE_WORDS);
    let at = slot * QUEUE_WORDS;
    const end = at + QUEUE_WORDS;
    for (let word = from; word < to; word++) queue.words[at++] = batch.words[word];
    while (at < end) queue.words[at++] = 0;
    if (event === TRC_LOST_RECORDS) this.#foresee(batch, row, queue.words, slot * QUEUE_WORDS);
  }

  /** Notes when the loss began that the lost-records record in `row` ends. */
  #foresee(batch: RecordBatch, row: number, words: Uint32Array, at: number): void {
    const endNs = batch.tNs[row];
    const endTsc = BigInt(batch.tscHigh[row]) * 0x1_0000_0000n + BigInt(batch.tscLow[row]);
    const firstTsc = BigInt(words[at + 3]) * 0x1_0000_0000n + BigInt(words[at + 2]);
    const lostTicks = Number(endTsc - firstTsc);
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

  #work(slot: number): void {
    const { event: events, pcpu: pcpus, tNs: times, words } = this.#queue;
    const event = events[slot];
    const pcpu = pcpus[slot];
    const tNs = Math.max(times[slot], this.#nowNs);
    while (this.#nextLossNs <= tNs) this.#beginNextLoss();
    this.#nowNs = tNs;
    const at = slot * QUEUE_WORDS;
    const word = words[at];
    if ((event & RUNSTATE_MASK) === RUNSTATE_CHANGE) {
      this.#runstates.runstate(tNs, pcpu, word, (event >>> 8) & 3, (event >>> 4) & 3);
      return;
    }
    switch (event) {
      case TRC_SCHED_SWITCH:
        this.#runstates.places.switchAhead(tNs, pcpu);
        return;
      case TRC_SCHED_SLEEP:
        this.#runstates.sleep(pcpu, ((word << 16) | (words[at + 1] & 0xffff)) >>> 0);
        return;
      case TRC_RTDS_BUDGET_BURN: {
        const budget = at + this.#budgetWord;
        if (words[budget] === 0 && words[budget + 1] === 0) this.#runstates.budget(tNs, word, true);
        return;
      }
      case TRC_RTDS_BUDGET_REPLENISH:
        this.#runstates.budget(tNs, word, false);
        return;
      case TRC_SCHED_DOM_ADD:
        this.#created.set(word & 0xffff, tNs);
        this.#runstates.domainCreated(tNs, word & 0xffff);
        return;
      case TRC_SCHED_DOM_REM:
        this.#removed.set(word & 0xffff, tNs);
        this.#runstates.domainRemoved(tNs, word & 0xffff);
        return;
      case TRC_LOST_RECORDS:
        this.#runstates.endLoss(tNs, pcpu);
        this.#jobs.loss();
        return;
      default:
        this.#job(event, tNs, at);
    }
  }

  #job(event: number, tNs: number, at: number): void {
    const { words } = this.#queue;
    const key = words[at];
    const task = words[at + 1];
    const job = words[at + 2];
    if (event === TRC_TASK_RELEASE || event === TRC_GUEST_TASK_RELEASE) {
      const deadlineNs = words[at + 4] * TWO_TO_32 + words[at + 3];
      const lateNs = words[at + 6] * TWO_TO_32 + words[at + 5];
      this.#jobs.release(tNs, key, task, job, deadlineNs, lateNs);
    } else if (event === TRC_TASK_START || event === TRC_GUEST_TASK_START) {
      this.#jobs.start(tNs, key, task, job);
    } else {
      this.#jobs.complete(tNs, key, task, job);
    }
  }

  #beginNextLoss(): void {
    const loss = this.#losses.shift()!;
    this.#nextLossNs = this.#losses[0]?.firstNs ?? Number.POSITIVE_INFINITY;
    this.#runstates.beginLoss(Math.max(loss.firstNs, this.#nowNs), loss.pcpu);
  }
}

/** Whether a record that is no runstate change concerns a timeline. */
function isRelevant(event: number): boolean {
  switch (event) {
    case TRC_SCHED_SWITCH:
    case TRC_SCHED_SLEEP:
    case TRC_RTDS_BUDGET_BURN:
    case TRC_RTDS_BUDGET_REPLENISH:
    case TRC_SCHED_DOM_ADD:
    case TRC_SCHED_DOM_REM:
    case TRC_LOST_RECORDS:
    case TRC_TASK_RELEASE:
    case TRC_TASK_START:
    case TRC_TASK_COMPLETE:
    case TRC_GUEST_TASK_RELEASE:
    case TRC_GUEST_TASK_START:
    case TRC_GUEST_TASK_COMPLETE:
      return true;
    default:
      return false;
  }
}
