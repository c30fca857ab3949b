/**
 * What a timeline needs to be drawn, gathered in one pass over a trace, beside all the others.
 * @module
 */
import { type Analysis, type AnalysisContext, type AnalysisRun, RecordFields } from '../analysis/index.ts';
import type { RecordBatch, TraceClock } from '../decoder/index.ts';
import {
  BLOCKED,
  type BlameBatch,
  DOM_IDLE,
  JOB_MISSED,
  type JobBatch,
  RUNNABLE,
  RUNNING,
  type RunstateBatch,
  THROTTLED,
  UNKNOWN,
  VcpuTable,
} from '../timeline/index.ts';
import type { DomainSlots } from './domain-slots.ts';
import { ExactStretches, ROWS_MAX } from './exact-stretches.ts';
import { CURVE, DOMAIN_SLOTS, MARK, MARK_NAMES, PCPU_COMPONENTS, VCPU_COMPONENTS } from './page-data.ts';
import { type Join, TimeBins } from './time-bins.ts';

/** vCPUs with a lane of their own. */
export const LANES_MAX = 1024;
/** Misses and losses that are marked one by one. */
const MISSES_MAX = 10_000;
export const LOST_MAX = 2_000;

const IDLE_COMPONENT = DOMAIN_SLOTS;
const NO_LANE = -1;
const PCPU_JOINS: readonly Join[] = Array(PCPU_COMPONENTS).fill('sum');
/** A vCPU's time by runstate, then its marks. */
const VCPU_JOINS: readonly Join[] = Array(VCPU_COMPONENTS + MARK_NAMES.length).fill('sum');
const CURVE_JOINS: readonly Join[] = ['min', 'max'];
/** Time that vCPUs wait, and that it is not known whether they do. */
const QUEUE_JOINS: readonly Join[] = ['sum', 'sum'];

/** Credit2 says so where a domain has no cap. */
const BUDGET_NONE = -(2 ** 31);

/** Records that the page shows, in the order of {@link RecordFields.kinds}. */
const EVENTS = {
  TRC_LOST_RECORDS: ['lost', 'first_tsc?'],
  TRC_CSCHED2_CREDIT_BURN: ['dom', 'vcpu', 'credit', 'budget_ns?'],
  TRC_CSCHED2_CREDIT_RESET: ['dom', 'vcpu', 'credit_end'],
  TRC_RTDS_BUDGET_BURN: ['dom', 'vcpu', 'budget_ns'],
  TRC_RTDS_BUDGET_REPLENISH: ['dom', 'vcpu', 'budget_ns'],
  TRC_RTXEN_BUDGET_BURN: ['dom', 'vcpu', 'budget_ns'],
  TRC_RTXEN_BUDGET_REPLENISH: ['dom', 'vcpu', 'budget_ns'],
  TRC_RTXEN_BUDGET_RETURN: ['dom', 'vcpu', 'budget_ns'],
} as const;
const LOST = 1;
const CREDIT_BURN = 2;
const CREDIT_RESET = 3;
const RTDS_REPLENISH = 5;
const RTXEN_REPLENISH = 7;
/** A part of a sporadic server's budget comes back: it has no other replenishments. */
const RTXEN_RETURN = 8;

export interface Miss {
  readonly vcpu: number;
  readonly tNs: number;
  /** By how much it was late; -1 where the job was not seen completed. */
  readonly tardinessNs: number;
}

export interface LostSpan {
  readonly pcpu: number;
  readonly fromNs: number;
  readonly toNs: number;
  readonly records: number;
}

/**
 * Gathers what a page draws of a trace, in bounded memory: give it to `analyzeTrace` beside the passes of `analyses`,
 * one for each trace, and then to `PageTrace.timeline`. It makes no table. vCPUs go by indices of its own, since
 * records name them before states do.
 */
export class TimelinePass implements Analysis, AnalysisRun {
  readonly name = 'timeline';
  readonly title = 'Timeline';
  readonly doc = 'What the page draws.';
  readonly hears = 'all';
  readonly listener = {
    onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch),
    onBlames: (batch: BlameBatch) => this.#onBlames(batch),
    onJobs: (batch: JobBatch) => this.#onJobs(batch),
  };
  /** @internal */
  readonly vcpus = new VcpuTable();
  /** @internal By pCPU, and by vCPU index: the lane in {@link bins}; {@link NO_LANE}: none. */
  readonly pcpuLanes = new Map<number, number>();
  /** @internal */
  readonly vcpuLanes: number[] = [];
  /** @internal By curve and vCPU index: the lane. */
  readonly curveLanes = [new Map<number, number>(), new Map<number, number>()] as const;
  /** @internal */
  readonly slots: DomainSlots;
  /** @internal */
  readonly misses: Miss[] = [];
  /** @internal */
  readonly lost: LostSpan[] = [];
  /** @internal */
  readonly markCounts: number[] = MARK_NAMES.map(() => 0);
  /** @internal */
  lostSpans = 0;
  /** @internal The lane in {@link bins} of all vCPUs together: how long they wait, and how long that is not known. */
  queueLane = NO_LANE;
  /** @internal */
  lanesLeftOut = 0;
  /** @internal */
  fromNs = 0;
  /** @internal */
  endNs = 0;
  /** @internal */
  bins!: TimeBins;
  /** @internal */
  exact!: ExactStretches;
  readonly #ticksPerNs: number;
  readonly #rowsMax: number;
  #fields!: RecordFields;
  #lanes = 0;
  /** By the timeline's vCPU index: our own. */
  readonly #indexOf: number[] = [];
  /** By vCPU index: where it ran last. */
  readonly #lastPcpu: number[] = [];

  /**
   * @internal
   * @param exactRows for how many single intervals, parts of waits, marks and samples the page will have room
   * @param slots shared by the traces of a page
   */
  constructor({ cpuHz }: TraceClock, exactRows: number, slots: DomainSlots) {
    this.#rowsMax = Math.max(ROWS_MAX, exactRows);
    this.slots = slots;
    this.#ticksPerNs = (cpuHz ?? 1e9) / 1e9;
  }

  create({ catalog, fromNs }: AnalysisContext): AnalysisRun {
    this.fromNs = fromNs;
    this.bins = new TimeBins(fromNs);
    this.queueLane = this.bins.addLane(QUEUE_JOINS);
    this.exact = new ExactStretches(fromNs, { rowsMax: this.#rowsMax });
    this.#fields = new RecordFields(catalog, EVENTS);
    return this;
  }

  finish(endNs: number): [] {
    this.endNs = endNs;
    return [];
  }

  onRecords(batch: RecordBatch): void {
    const { kinds } = this.#fields;
    const { count, layout } = batch;
    for (let row = 0; row < count; row++) {
      if (kinds[layout[row]] !== 0) this.#onRecord(kinds[layout[row]], batch, row);
    }
  }

  #onRunstates(batch: RunstateBatch): void {
    const { count, dom, vcpu, vcpuIndex, state, previous, startNs, endNs, pcpu } = batch;
    for (let row = 0; row < count; row++) {
      const isRunning = state[row] === RUNNING;
      if (dom[row] === DOM_IDLE && !isRunning) continue;
      const index = this.#indexOf[vcpuIndex[row]] ?? this.#learn(vcpuIndex[row], dom[row], vcpu[row]);
      const [from, to] = [startNs[row], endNs[row]];
      const waited = state[row] === RUNNABLE && dom[row] !== DOM_IDLE;
      this.exact.addInterval(index, state[row], pcpu[row], from, to, waited);
      if (isRunning) this.#ran(dom[row], pcpu[row], from, to);
      if (dom[row] === DOM_IDLE) continue;
      if (state[row] === RUNNABLE) this.bins.addTime(this.queueLane, 0, from, to);
      else if (state[row] === UNKNOWN) this.bins.addTime(this.queueLane, 1, from, to);
      const lane = this.vcpuLanes[index];
      if (lane !== NO_LANE) this.bins.addTime(lane, state[row], from, to);
      const isWake = previous[row] === BLOCKED && (state[row] === RUNNABLE || state[row] === THROTTLED);
      if (isWake) this.#count(MARK.wake, index, from);
      if (!isRunning || pcpu[row] < 0) continue;
      const last = this.#lastPcpu[index];
      if (last !== pcpu[row] && last !== undefined) this.#count(MARK.migration, index, from);
      this.#lastPcpu[index] = pcpu[row];
    }
  }

  #onBlames(batch: BlameBatch): void {
    const { count, vcpuKey, startNs, endNs, culpritIndex, culpritKey, reason, ns } = batch;
    for (let row = 0; row < count; row++) {
      const culprit = culpritIndex[row] < 0 ? -1 : this.#index(culpritKey[row]);
      this.exact.addPart(this.#index(vcpuKey[row]), startNs[row], endNs[row], culprit, reason[row], ns[row]);
    }
  }

  #onJobs(batch: JobBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.missed[row] !== JOB_MISSED) continue;
      const deadlineNs = batch.deadlineNs[row];
      const completionNs = batch.completionNs[row];
      const tNs = Number.isNaN(deadlineNs) ? completionNs : deadlineNs;
      if (Number.isNaN(tNs)) continue;
      const vcpu = this.#index(((batch.dom[row] << 16) | batch.vcpu[row]) >>> 0);
      this.#count(MARK.miss, vcpu, tNs);
      this.exact.noteMiss(tNs);
      if (this.misses.length === MISSES_MAX) continue;
      const tardinessNs = Number.isNaN(completionNs - deadlineNs) ? -1 : completionNs - deadlineNs;
      this.misses.push({ vcpu, tNs, tardinessNs });
    }
  }

  #onRecord(kind: number, batch: RecordBatch, row: number): void {
    if (kind === LOST) {
      this.#onLost(batch, row);
      return;
    }
    const fields = this.#fields;
    const { words } = batch;
    const layout = batch.layout[row];
    const base = batch.wordsOffset[row];
    const tNs = batch.tNs[row];
    const dom = fields.word(words, base, layout, 0) & 0xffff;
    const vcpu = this.#index(((dom << 16) | (fields.word(words, base, layout, 1) & 0xffff)) >>> 0);
    if (kind === CREDIT_BURN || kind === CREDIT_RESET) {
      const credit = fields.word(words, base, layout, 2) | 0;
      this.#sample(CURVE.credit, vcpu, tNs, credit);
      if (kind === CREDIT_RESET) this.#mark(MARK.reset, vcpu, tNs, credit);
      if (kind === CREDIT_RESET || !fields.has(layout, 3)) return;
      const budgetNs = fields.word(words, base, layout, 3) | 0;
      if (budgetNs !== BUDGET_NONE) this.#sample(CURVE.budget, vcpu, tNs, budgetNs);
      return;
    }
    const budgetNs = fields.wide(words, base, layout, 2);
    this.#sample(CURVE.budget, vcpu, tNs, budgetNs);
    const isReplenishment = kind === RTDS_REPLENISH || kind === RTXEN_REPLENISH || kind === RTXEN_RETURN;
    if (isReplenishment) this.#mark(MARK.replenishment, vcpu, tNs, budgetNs);
  }

  /** The record says when the first of them was lost; without that, the loss is an instant. */
  #onLost(batch: RecordBatch, row: number): void {
    const fields = this.#fields;
    const { words } = batch;
    const layout = batch.layout[row];
    const base = batch.wordsOffset[row];
    const toNs = batch.tNs[row];
    const records = fields.word(words, base, layout, 0);
    let fromNs = toNs;
    if (fields.has(layout, 1) && batch.hasTsc[row] === 1) {
      const tsc = batch.tscHigh[row] * 2 ** 32 + batch.tscLow[row];
      const ticks = tsc - fields.wide(words, base, layout, 1);
      if (ticks > 0) fromNs = Math.max(this.fromNs, Math.floor(toNs - ticks / this.#ticksPerNs));
    }
    this.lostSpans++;
    this.lost.push({ pcpu: batch.pcpu[row], fromNs, toNs, records });
    if (this.lost.length < 2 * LOST_MAX) return;
    this.lost.sort((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs));
    this.lost.length = LOST_MAX;
  }

  #ran(dom: number, pcpu: number, startNs: number, endNs: number): void {
    if (pcpu < 0) return;
    let lane = this.pcpuLanes.get(pcpu);
    if (lane === undefined) {
      lane = this.bins.addLane(PCPU_JOINS);
      this.pcpuLanes.set(pcpu, lane);
    }
    const component = dom === DOM_IDLE ? IDLE_COMPONENT : this.slots.of(dom);
    this.bins.addTime(lane, component, startNs, endNs);
  }

  #count(mark: number, vcpu: number, tNs: number): void {
    this.markCounts[mark]++;
    const lane = this.vcpuLanes[vcpu];
    if (lane !== NO_LANE) this.bins.addCount(lane, VCPU_COMPONENTS + mark, tNs);
  }

  #mark(mark: number, vcpu: number, tNs: number, value: number): void {
    this.#count(mark, vcpu, tNs);
    this.exact.addMark(mark, vcpu, tNs, value);
  }

  #sample(curve: number, vcpu: number, tNs: number, value: number): void {
    if (this.vcpuLanes[vcpu] === NO_LANE) return;
    let lane = this.curveLanes[curve].get(vcpu);
    if (lane === undefined) {
      lane = this.bins.addLane(CURVE_JOINS);
      this.curveLanes[curve].set(vcpu, lane);
    }
    this.bins.addValue(lane, tNs, value);
    this.exact.addSample(curve, vcpu, tNs, value);
  }

  #learn(timelineIndex: number, dom: number, vcpu: number): number {
    const index = this.#index(((dom << 16) | vcpu) >>> 0);
    this.#indexOf[timelineIndex] = index;
    return index;
  }

  /** The index of a vCPU; a new one gets a lane where there is room. */
  #index(key: number): number {
    const index = this.vcpus.indexOf(key);
    if (index === this.vcpuLanes.length) {
      this.vcpuLanes.push(this.#newLane(key));
      // One that never runs has a colour too.
      if (key >>> 16 !== DOM_IDLE) this.slots.of(key >>> 16);
    }
    return index;
  }

  #newLane(key: number): number {
    if (key >>> 16 === DOM_IDLE) return NO_LANE;
    if (this.#lanes === LANES_MAX) {
      this.lanesLeftOut++;
      return NO_LANE;
    }
    this.#lanes++;
    return this.bins.addLane(VCPU_JOINS);
  }
}
