/**
 * Follows the schedule() calls of each pCPU, record by record: why each was made, and what it changed.
 *
 * A call makes up to eight records, each at most once and each left out by some Xen or some event mask:
 * SCHEDULE of its scheduler; SWITCH_INFPREV, SWITCH_INFNEXT, SWITCH and two runstate changes if another vCPU
 * runs next; SWITCH_INFCONT and CONTINUE_RUNNING if the same goes on. So a record begins a new call if the
 * call before has made one of its kind already, or one that rules it out ({@link RULED_OUT}).
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import { DOM_IDLE, VcpuTable } from '../timeline/index.ts';
import type { DecisionCost } from './decision-cost.ts';
import * as Counter from './scheduler-counters.ts';
import type { SchedulerRecords } from './scheduler-records.ts';
import * as Kind from './scheduler-records.ts';
import type { SchedulerSeries } from './scheduler-series.ts';

/** What is known of a call's cause: bit n is for cause n. */
const BLOCKED = 1;
const YIELDED = 2;
const SLEPT = 4;
const TICKLED = 8;
const SLICE_OVER = 16;
const WOKEN = 32;
const HIDDEN = 64;
const NO_CALL = -1;
const CAUSE_OTHER = Counter.CALL_CAUSES.indexOf('other');

/** Indices of {@link Counter.MOVES}. */
const MOVED_UNTOLD = 0;
const MOVED_SHARED = 1;
const MOVED_PLACED = 2;
const MOVED_STOLEN = 3;
const MOVED_BALANCED = 4;

/** A pCPU's numbers, all in one row: the counters, and then where it is at. */
const CALL = Counter.COUNTERS;
const CALL_NS = CALL + 1;
/** The records that the last call has made, as bits. */
const MADE = CALL + 2;
/** Tickles that the last call answers. */
const ANSWERING = CALL + 3;
/** Since the last call began: evidence for the next one, tickles, when the first of them was and by whom. */
const SINCE = CALL + 4;
const TICKLES = CALL + 5;
const TICKLE_NS = CALL + 6;
const TICKLED_BY = CALL + 7;
/** When the slice ends that the last call gave; infinity: it gave none. */
const SLICE_END_NS = CALL + 8;
/** The index of the vCPU that runs, or -1; the kind of its scheduler's SCHEDULE. */
const RUNS = CALL + 9;
const SCHEDULER = CALL + 10;
/** Numbers in a row. */
export const STRIDE = CALL + 11;

/**
 * By kind: the bit that says that a call has made such a record. Runstate changes out of running share one.
 */
const BIT = new Uint16Array(Kind.KINDS);
/** By kind: a call that has made one of these cannot make one more of the kind. */
const RULED_OUT = new Uint16Array(Kind.KINDS);
const ASKED = 1;
const PREV = 2;
const NEXT = 4;
const SWITCHES = 8;
const LEAVES = 16;
const ENTERS = 32;
const CONT = 64;
const CONTINUES = 128;
const RESET = 256;
const CHANGED = PREV | NEXT | SWITCHES | LEAVES | ENTERS;
const UNCHANGED = CONT | CONTINUES;
const OUTCOME = CHANGED | UNCHANGED;
/** Whatever comes next begins a call. */
const ALL = OUTCOME | ASKED;
for (let kind = Kind.SCHEDULE_CREDIT; kind <= Kind.SCHEDULE_NULL; kind++) {
  BIT[kind] = ASKED;
  RULED_OUT[kind] = ALL;
}
for (const [kind, bit, ruledOut] of [
  [Kind.INFPREV, PREV, OUTCOME],
  [Kind.INFNEXT, NEXT, NEXT | SWITCHES | LEAVES | ENTERS | UNCHANGED],
  [Kind.SWITCH, SWITCHES, SWITCHES | UNCHANGED],
  [Kind.LEAVE_RUNNABLE, LEAVES, LEAVES | ENTERS | UNCHANGED],
  [Kind.LEAVE_BLOCKED, LEAVES, LEAVES | ENTERS | UNCHANGED],
  [Kind.LEAVE_OFFLINE, LEAVES, LEAVES | ENTERS | UNCHANGED],
  [Kind.ENTER, ENTERS, ENTERS | UNCHANGED],
  [Kind.INFCONT, CONT, OUTCOME],
  [Kind.CONTINUE, CONTINUES, CHANGED | CONTINUES],
]) {
  BIT[kind] = bit;
  RULED_OUT[kind] = ruledOut;
}

/**
 * How much earlier than the end of its slice, counted from the call that gave it, a call may come and still
 * be due to it: Xen reads its clock before it makes that call's first record.
 */
export const SLICE_TOLERANCE_NS = 20_000;
const PCPUS_FIRST = 64;

/** Feed it records in time order; it counts into {@link numbers}. */
export class ScheduleCalls {
  /** {@link STRIDE} for each pCPU: the counters, see scheduler-counters.ts, and more. */
  numbers = new Float64Array(0);
  /** By layout index: 1 where a record of it was seen. */
  readonly seen: Uint8Array;
  /** pCPUs that called schedule(), in the order in which they first did. */
  readonly pcpus: number[] = [];
  /** Runstate records were made by other pCPUs than those where their vCPUs ran (`sched-gran=core`). */
  coreScheduling = false;
  /** pCPUs were tickled that had no records yet, far beyond those that had. */
  ticklesElsewhere = false;
  readonly #records: SchedulerRecords;
  readonly #cost: DecisionCost;
  /** SWITCH_INFNEXT or SWITCH was seen: runstate changes need not begin calls. */
  #switchesTold = false;
  readonly #vcpus = new VcpuTable();
  /** By vCPU: where it ran last, -1 where not known; how it was moved since; when it was boosted. */
  #ranOn = new Int32Array(64).fill(-1);
  #moved = new Uint8Array(64);
  #boostNs = new Float64Array(64).fill(Number.NaN);

  constructor(records: SchedulerRecords, cost: DecisionCost) {
    this.#records = records;
    this.#cost = cost;
    this.seen = new Uint8Array(records.kind.length);
    this.#grow(PCPUS_FIRST);
  }

  /** Takes the records of a batch. */
  takeBatch(batch: RecordBatch, series: SchedulerSeries): void {
    const { kind: kinds } = this.#records;
    const { count, layout: layouts, pcpu: pcpus, tNs: times, wordsOffset, words } = batch;
    const { seen } = this;
    let numbers: Float64Array = this.numbers;
    let { windowEndNs } = series;
    for (let row = 0; row < count; row++) {
      const layout = layouts[row];
      const kind = kinds[layout];
      if (kind === Kind.NO_KIND) continue;
      const tNs = times[row];
      if (tNs >= windowEndNs) {
        series.turn(tNs);
        windowEndNs = series.windowEndNs;
      }
      seen[layout] = 1;
      const at = pcpus[row] * STRIDE;
      if (at >= numbers.length) numbers = this.#grow(pcpus[row] + 1);
      numbers[at + kind]++;
      if (kind > Kind.CONTINUE) {
        if (kind === Kind.WOKEN) this.#wake(words[wordsOffset[row]]);
        else this.#note(kind, batch, row, at);
        if (kind >= Kind.FIRST_WITH_NUMBERS) series.take(kind, batch, row);
        continue;
      }
      let had = numbers[at + MADE];
      if ((had & RULED_OUT[kind]) !== 0 && !(this.#switchesTold && isRunstate(kind))) {
        this.#begin(tNs, kind, at);
        had = 0;
      }
      numbers[at + MADE] = had | BIT[kind];
      if ((had & OUTCOME) === 0) this.#tellOutcome(kind, tNs, had, at);
      if (kind >= Kind.LEAVE_RUNNABLE && kind <= Kind.LEAVE_OFFLINE) {
        this.#leave(kind, words[wordsOffset[row]], at);
      } else if (kind === Kind.ENTER) {
        if ((had & (ASKED | SWITCHES)) === ASKED) this.#addSwitch(tNs, at);
        this.#enter(words[wordsOffset[row]], pcpus[row], at);
      } else if (kind === Kind.INFNEXT || kind === Kind.INFCONT) {
        if (kind === Kind.INFNEXT) this.#switchesTold = true;
        this.#grantSlice(this.#value(batch, row), at);
      } else if (kind === Kind.SWITCH) {
        if ((had & (ASKED | ENTERS)) === ASKED) this.#addSwitch(tNs, at);
        this.#switch(batch, row, at);
      } else if (kind <= Kind.SCHEDULE_NULL) {
        numbers[at + SCHEDULER] = kind;
        // These two say so themselves; for some tickles they make no record of their own.
        const says = kind === Kind.SCHEDULE_CREDIT2 || kind === Kind.SCHEDULE_RTDS;
        if (says && this.#value(batch, row) !== 0) numbers[at + CALL] |= TICKLED;
      }
    }
  }

  /** Counts the calls that are still open; their causes are told by then. */
  finish(): void {
    for (let at = 0; at < this.numbers.length; at += STRIDE) {
      this.#settle(at);
      this.numbers[at + CALL] = NO_CALL;
    }
  }

  #begin(tNs: number, kind: number, at: number): void {
    const { numbers } = this;
    this.#settle(at);
    if (numbers[at + Counter.BEGAN]++ === 0) this.pcpus.push(at / STRIDE);
    const tickles = numbers[at + TICKLES];
    if (tickles > 0 && kind <= Kind.SCHEDULE_NULL) {
      this.#cost.addTickle(at / STRIDE, numbers[at + TICKLED_BY], numbers[at + TICKLE_NS], tNs);
    }
    numbers[at + CALL] = numbers[at + SINCE] | (tNs >= numbers[at + SLICE_END_NS] ? SLICE_OVER : 0);
    numbers[at + CALL_NS] = tNs;
    numbers[at + ANSWERING] = tickles;
    numbers[at + SINCE] = 0;
    numbers[at + TICKLES] = 0;
    numbers[at + SLICE_END_NS] = Number.POSITIVE_INFINITY;
  }

  /** Counts the last call's cause, now that all is told of it. */
  #settle(at: number): void {
    const evidence = this.numbers[at + CALL];
    if (evidence === NO_CALL) return;
    // The lowest bit is the first cause that holds.
    const cause = evidence === 0 ? CAUSE_OTHER : 31 - Math.clz32(evidence & -evidence);
    this.numbers[at + Counter.CAUSES_FROM + cause]++;
  }

  /** The first record that says whether the call changes who runs, if it says so. */
  #tellOutcome(kind: number, tNs: number, had: number, at: number): void {
    if (kind <= Kind.SCHEDULE_NULL) return;
    const { numbers } = this;
    const tickles = numbers[at + ANSWERING];
    numbers[at + Counter.TICKLES_ANSWERED] += tickles;
    if (kind < Kind.INFCONT) {
      numbers[at + Counter.SWITCHED]++;
      return;
    }
    numbers[at + Counter.CONTINUED]++;
    numbers[at + Counter.TICKLES_USELESS] += tickles;
    if ((had & ASKED) !== 0) this.#cost.addContinue(at / STRIDE, numbers[at + CALL_NS], tNs);
  }

  #addSwitch(tNs: number, at: number): void {
    this.#cost.addSwitch(at / STRIDE, this.numbers[at + CALL_NS], tNs);
  }

  #switch(batch: RecordBatch, row: number, at: number): void {
    this.#switchesTold = true;
    if (this.#value(batch, row) === DOM_IDLE) this.numbers[at + Counter.SWITCHED_FROM_IDLE]++;
    if (vcpuKey(this.#records, batch, row) >>> 16 === DOM_IDLE) this.numbers[at + Counter.SWITCHED_TO_IDLE]++;
  }

  #grantSlice(sliceNs: number, at: number): void {
    // As an unsigned number: 2^32 - 1 is "none", and slices are shorter than 2^31 ns.
    if (sliceNs >>> 0 >= 0x80000000) return;
    this.numbers[at + SLICE_END_NS] = this.numbers[at + CALL_NS] + sliceNs - SLICE_TOLERANCE_NS;
  }

  #leave(kind: number, key: number, at: number): void {
    const { numbers } = this;
    if (key >>> 16 === DOM_IDLE) {
      if (kind === Kind.LEAVE_RUNNABLE) numbers[at + Counter.LEFT_IDLE]++;
      if ((key & 0xffff) * STRIDE !== at) this.coreScheduling = true;
      return;
    }
    // The trace did not see it come.
    if (numbers[at + RUNS] < 0) this.#ranOn[this.#indexOf(key)] = at / STRIDE;
    numbers[at + RUNS] = -1;
    const evidence = numbers[at + CALL];
    if (evidence === NO_CALL) return;
    if (kind === Kind.LEAVE_BLOCKED) numbers[at + CALL] = evidence | BLOCKED;
    else if (kind === Kind.LEAVE_OFFLINE) numbers[at + CALL] = evidence | SLEPT;
    else if ((evidence & YIELDED) !== 0) numbers[at + Counter.YIELDED_AWAY]++;
  }

  #enter(key: number, pcpu: number, at: number): void {
    const { numbers } = this;
    if (key >>> 16 === DOM_IDLE) {
      numbers[at + Counter.ENTERED_IDLE]++;
      if ((key & 0xffff) !== pcpu) this.coreScheduling = true;
      return;
    }
    const vcpu = this.#indexOf(key);
    const ranOn = this.#ranOn[vcpu];
    if (ranOn !== pcpu) {
      if (ranOn >= 0) numbers[at + Counter.MOVES_FROM + this.#moveOf(vcpu, at)]++;
      this.#ranOn[vcpu] = pcpu;
    }
    this.#moved[vcpu] = MOVED_UNTOLD;
    numbers[at + RUNS] = vcpu;
  }

  /** Why a vCPU begins to run on another pCPU than before. */
  #moveOf(vcpu: number, at: number): number {
    const moved = this.#moved[vcpu];
    if (moved !== MOVED_UNTOLD) return moved;
    const scheduler = this.numbers[at + SCHEDULER];
    return scheduler === Kind.SCHEDULE_CREDIT2 || scheduler === Kind.SCHEDULE_RTDS
      ? MOVED_SHARED
      : MOVED_UNTOLD;
  }

  #wake(key: number): void {
    const ranOn = this.#ranOn[this.#indexOf(key)];
    if (ranOn >= 0) this.numbers[ranOn * STRIDE + SINCE] |= WOKEN;
  }

  /** A record that makes no part of a call. */
  #note(kind: number, batch: RecordBatch, row: number, at: number): void {
    const { numbers } = this;
    switch (kind) {
      case Kind.TICKLE_CREDIT:
      case Kind.TICKLE_CREDIT2:
      case Kind.TICKLE_RTDS: {
        const tNs = batch.hasTsc[row] === 1 ? batch.tNs[row] : Number.NaN;
        this.#tickle(this.#value(batch, row) & 0xffff, batch.pcpu[row], tNs);
        return;
      }
      case Kind.BLOCK:
        numbers[at + SINCE] |= BLOCKED;
        return;
      case Kind.CREDIT_BURN:
      case Kind.RTDS_BURN:
        if (budgetOf(this.#records, batch, row) <= 0) numbers[at + Counter.DEPLETIONS]++;
        return;
      case Kind.CREDIT_RESET:
        if ((numbers[at + MADE] & RESET) === 0) numbers[at + Counter.CREDIT_RESETS]++;
        numbers[at + MADE] |= RESET;
        return;
      case Kind.YIELD:
        numbers[at + SINCE] |= YIELDED;
        return;
      case Kind.LOST:
        this.#lose(at);
        return;
      default:
        if (Kind.NAMES_VCPU[kind] === 1) this.#noteVcpu(kind, this.#vcpu(batch, row), batch, row, at);
    }
  }

  /** A record about a vCPU that makes no part of a call. */
  #noteVcpu(kind: number, vcpu: number, batch: RecordBatch, row: number, at: number): void {
    const ranOn = this.#ranOn[vcpu];
    switch (kind) {
      case Kind.SLEEP:
        if (ranOn >= 0 && this.numbers[ranOn * STRIDE + RUNS] === vcpu) {
          this.numbers[ranOn * STRIDE + SINCE] |= SLEPT;
        }
        return;
      case Kind.STOLEN:
        this.#moved[vcpu] = MOVED_STOLEN;
        return;
      case Kind.MOVED_CREDIT2:
        this.#moved[vcpu] = MOVED_BALANCED;
        return;
      case Kind.PICKED_CREDIT:
      case Kind.PICKED_CREDIT2:
      case Kind.PICKED_NULL:
        if (this.#value(batch, row) !== ranOn) this.#moved[vcpu] = MOVED_PLACED;
        return;
      case Kind.BOOST_START:
        this.#boostNs[vcpu] = batch.tNs[row];
        return;
      case Kind.BOOST_END: {
        const boostedNs = batch.tNs[row] - this.#boostNs[vcpu];
        if (boostedNs > 0) this.numbers[at + Counter.BOOSTED_NS] += boostedNs;
        this.#boostNs[vcpu] = Number.NaN;
        return;
      }
      default:
    }
  }

  #tickle(tickled: number, by: number, tNs: number): void {
    const { numbers } = this;
    const at = tickled * STRIDE;
    if (at >= numbers.length) {
      this.ticklesElsewhere = true;
      return;
    }
    numbers[at + Counter.TICKLES_RECEIVED]++;
    numbers[at + SINCE] |= TICKLED;
    if (numbers[at + TICKLES]++ > 0) return;
    numbers[at + TICKLE_NS] = tNs;
    numbers[at + TICKLED_BY] = by;
  }

  /**
   * Records of the pCPU are missing before this one: what comes next belongs to no call that was seen to
   * begin, and what any pCPU does next may be due to a tickle that is missing.
   */
  #lose(lostAt: number): void {
    const { numbers } = this;
    this.#settle(lostAt);
    for (let at = 0; at < numbers.length; at += STRIDE) numbers[at + SINCE] |= HIDDEN;
    this.#reset(lostAt);
  }

  /** Nothing is known of what the pCPU is at. */
  #reset(at: number): void {
    this.numbers.fill(0, at + CALL, at + STRIDE);
    this.numbers[at + CALL] = NO_CALL;
    this.numbers[at + MADE] = ALL;
    this.numbers[at + SINCE] = HIDDEN;
    this.numbers[at + SLICE_END_NS] = Number.POSITIVE_INFINITY;
    this.numbers[at + RUNS] = -1;
  }

  #value(batch: RecordBatch, row: number): number {
    const { word, shift, mask } = this.#records.value;
    const layout = batch.layout[row];
    return (batch.words[batch.wordsOffset[row] + word[layout]] >>> shift[layout]) & mask[layout];
  }

  #vcpu(batch: RecordBatch, row: number): number {
    return this.#indexOf(vcpuKey(this.#records, batch, row));
  }

  /** vCPUs beyond what any host has, in a damaged trace, are put together with the first one. */
  #indexOf(key: number): number {
    const index = Math.max(0, this.#vcpus.indexOf(key));
    if (index >= this.#ranOn.length) this.#growVcpus();
    return index;
  }

  #growVcpus(): void {
    const [ranOn, moved, boostNs] = [this.#ranOn, this.#moved, this.#boostNs];
    const size = ranOn.length * 2;
    this.#ranOn = new Int32Array(size).fill(-1);
    this.#ranOn.set(ranOn);
    this.#moved = new Uint8Array(size);
    this.#moved.set(moved);
    this.#boostNs = new Float64Array(size).fill(Number.NaN);
    this.#boostNs.set(boostNs);
  }

  /** Makes rows for so many pCPUs at least. */
  #grow(pcpus: number): Float64Array {
    const { numbers } = this;
    this.numbers = new Float64Array(2 ** Math.ceil(Math.log2(pcpus)) * STRIDE);
    this.numbers.set(numbers);
    for (let at = numbers.length; at < this.numbers.length; at += STRIDE) this.#reset(at);
    return this.numbers;
  }
}

function isRunstate(kind: number): boolean {
  return kind >= Kind.LEAVE_RUNNABLE && kind <= Kind.ENTER;
}

/** The vCPU that a record names, as `dom << 16 | vcpu`. */
export function vcpuKey({ dom, vcpu }: SchedulerRecords, batch: RecordBatch, row: number): number {
  const layout = batch.layout[row];
  const first = batch.wordsOffset[row];
  const domain = (batch.words[first + dom.word[layout]] >>> dom.shift[layout]) & dom.mask[layout];
  const number = (batch.words[first + vcpu.word[layout]] >>> vcpu.shift[layout]) & vcpu.mask[layout] & 0xffff;
  return ((domain << 16) | number) >>> 0;
}

/** What credit2 tells of a vCPU whose domain has no cap. */
const BUDGET_NONE = -0x80000000;
const TWO_TO_32 = 2 ** 32;

/**
 * The budget that a record tells, in ns; NaN where it tells none: the domain of a credit2 vCPU has no cap.
 */
export function budgetOf({ budget }: SchedulerRecords, batch: RecordBatch, row: number): number {
  const layout = batch.layout[row];
  const word = budget.word[layout];
  if (word < 0) return Number.NaN;
  const at = batch.wordsOffset[row] + word;
  if (budget.wide[layout] === 1) return signed64(batch.words, at);
  const budgetNs = batch.words[at] | 0;
  return budgetNs === BUDGET_NONE ? Number.NaN : budgetNs;
}

/** A signed number of 64 bits, to the nearest that a double has. */
export function signed64(words: Uint32Array, at: number): number {
  return (words[at + 1] | 0) * TWO_TO_32 + words[at];
}
