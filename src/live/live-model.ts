import { PairSums } from '../analysis/pair-sums.ts';
import { percentile, SampleBudget, Samples } from '../analysis/samples.ts';
import type { RecordBatch } from '../decoder/index.ts';
import { type EventCatalog, TRC_LOST_RECORDS } from '../format/index.ts';
import {
  type BlameBatch,
  DOM_IDLE,
  domLabel,
  JOB_MET,
  JOB_MISSED,
  type JobBatch,
  NOBODY,
  type OpenInterval,
  RUNNABLE,
  RUNNING,
  RUNSTATE_NAMES,
  type RunstateBatch,
  THROTTLED,
  Timeline,
  UNKNOWN,
  vcpuLabel,
  type WaitBatch,
} from '../timeline/index.ts';
import { RecentEvents } from './recent-events.ts';
import { RollingSums, SLICE_NS } from './rolling-sums.ts';
import type { Fared, PcpuLoad, Snapshot } from './snapshot.ts';

/** The longest window but that of the whole trace. */
export const WINDOW_NS_MAX = 10_000_000_000;
/**
 * How far behind the records it is wise to settle: Xen tells of lost records when it has room again, which is a few
 * sweeps of xentrace later.
 */
export const LOOKBACK_NS = 500_000_000;
/** Waits whose lengths are kept exactly; beyond, percentiles since the start are up to 0.1 % too high. */
const SAMPLES_KEPT = 1 << 20;

/** Columns of the sums of a vCPU: a time for each state. */
const STATES = RUNSTATE_NAMES.length;
/** Columns of the sums of jobs. */
const JUDGED = 0;
const MISSED = 1;
/** Columns of the sums of a pCPU. */
const BUSY = 0;
const IDLE = 1;
const SWITCHES = 2;
const LOST = 3;
const PCPU_COLUMNS = 4;
/** Index in WAIT_CAUSES. */
const CAUSE_WAKE = 0;

/** Beginning and end of the time that is summed up. */
interface Span {
  /** Minus infinity: since the start. */
  readonly fromNs: number;
  readonly toNs: number;
  /** What happened before this belongs to it: what the last record of a trace tells lies in its last window too. */
  readonly untilNs: number;
}

/** What is known of a vCPU, by the timeline's index. */
interface Vcpu {
  readonly dom: number;
  readonly vcpu: number;
  /** Waits after a wake-up since the start. */
  readonly wakes: Samples;
}

/** Who waited in a span of time: their wakes, and whom they waited for. */
interface Waits {
  /** Of all these vCPUs, by their indices. */
  wakes(vcpus: readonly number[]): Pick<Fared, 'wakes' | 'wakeNsP50' | 'wakeNsP99'>;
  /** By the index of the victim; the culprit likewise. */
  readonly ofVcpu: ReadonlyMap<number, Part>;
  /** By the domain of the victim; the culprit likewise. */
  readonly ofDomain: ReadonlyMap<number, Part>;
}

/** The largest part in somebody's waits. */
interface Part {
  culprit: number;
  ns: number;
  /** All of the waits. */
  totalNs: number;
}

/**
 * What a host is doing, and did in the last seconds and since the start: fed with records, asked for snapshots at any
 * time. Its figures since the start are those of the passes over a whole trace (waits, steal, blame, pcpus, deadlines).
 * Memory depends on the number of vCPUs and pCPUs alone.
 */
export class LiveModel {
  readonly #timeline: Timeline;
  readonly #vcpus: (Vcpu | undefined)[] = [];
  readonly #budget = new SampleBudget(SAMPLES_KEPT, SAMPLES_KEPT);
  readonly #times = new RollingSums(STATES);
  readonly #places = new RollingSums(PCPU_COLUMNS);
  readonly #pcpus = new Set<number>();
  readonly #jobs = new RollingSums(2);
  /** vCPU, `dom << 16 | vcpu`, -> its key among the jobs: they are not told with an index. */
  readonly #jobKeys = new Map<number, number>();
  readonly #wakes = new RecentEvents();
  readonly #blames = new RecentEvents();
  /** By victim and culprit, as vCPU indices. */
  readonly #blamed = new PairSums(1);
  #lostRecords = 0;
  /** Losses that were pushed and have not been settled yet. */
  #pendingLosses: { readonly tNs: number; readonly pcpu: number; readonly count: number }[] = [];
  /** What was going on when the trace ended; its time is in the sums. */
  readonly #atEnd: OpenInterval[] = [];
  #pushedNs = 0;
  #settledNs = 0;
  #isOver = false;

  /** @param pcpus those that the trace has records of, where that is known beforehand */
  constructor(catalog: EventCatalog, pcpus?: readonly number[]) {
    const listener = {
      onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch),
      onWaits: (batch: WaitBatch) => this.#onWaits(batch),
      onJobs: (batch: JobBatch) => this.#onJobs(batch),
      onBlames: (batch: BlameBatch) => this.#onBlames(batch),
    };
    this.#timeline = new Timeline(catalog, [listener], pcpus === undefined ? {} : { pcpus });
    for (const pcpu of pcpus ?? []) this.#pcpus.add(pcpu);
  }

  /** When the last record was made that was pushed. */
  get pushedNs(): number {
    return this.#pushedNs;
  }

  /** Up to when snapshots tell. */
  get settledNs(): number {
    return this.#settledNs;
  }

  /** Takes in records, in time order. */
  push(batch: RecordBatch): void {
    if (batch.count === 0) return;
    this.#timeline.push(batch);
    const { event, count, pcpu, tNs, words, wordsOffset } = batch;
    for (let row = 0; row < count; row++) {
      this.#pcpus.add(pcpu[row]);
      if (event[row] !== TRC_LOST_RECORDS) continue;
      const lost = words[wordsOffset[row]];
      this.#lostRecords += lost;
      this.#pendingLosses.push({ tNs: tNs[row], pcpu: pcpu[row], count: lost });
    }
    this.#pushedNs = tNs[count - 1];
  }

  /**
   * Sums up what happened before `toNs`. The later this is done after it was pushed, the more losses are known by then:
   * Xen tells of lost records only when it has room again.
   */
  settle(toNs: number): void {
    if (toNs <= this.#settledNs) return;
    this.#timeline.settle(toNs);
    this.#settleTo(toNs);
  }

  /** The trace ends at `endNs`: sums up the rest. */
  finish(endNs: number): void {
    this.settle(endNs);
    this.#timeline.eachOpen((interval) =>
      this.#atEnd.push({ ...interval, startNs: Number.POSITIVE_INFINITY }),
    );
    this.#timeline.finish(endNs);
    this.#settleTo(Math.max(endNs, this.#settledNs));
    this.#isOver = true;
  }

  /**
   * How things stand, and how they went up to {@link settledNs}.
   *
   * @param windowNs how far to look back, {@link WINDOW_NS_MAX} at most, or infinite: since the start
   */
  snapshot(windowNs: number): Snapshot {
    const span = this.#spanOf(windowNs);
    const open = [...this.#atEnd];
    this.#timeline.eachOpen((interval) => {
      open.push(interval);
      this.#vcpuAt(interval.vcpuIndex, interval.dom, interval.vcpu);
    });
    const openOf = new Map(open.map((interval) => [interval.vcpuIndex, interval]));
    const waits = this.#waitsIn(span);
    const vcpus = this.#present(span, openOf);
    const doms = new Map<number, number[]>();
    for (const index of vcpus) {
      const { dom } = this.#vcpus[index]!;
      doms.set(dom, [...(doms.get(dom) ?? []), index]);
    }
    return {
      tNs: this.#settledNs,
      fromNs: Math.max(0, span.fromNs),
      toNs: span.toNs,
      vcpus: vcpus.map((index) => {
        const { dom, vcpu } = this.#vcpus[index]!;
        const now = openOf.get(index);
        const state = now === undefined ? null : RUNSTATE_NAMES[now.state];
        const pcpu = now === undefined || now.pcpu < 0 ? null : now.pcpu;
        const fared = this.#fared([index], span, openOf, waits, waits.ofVcpu.get(index), this.#vcpuName);
        return { dom, vcpu, state, pcpu, ...fared };
      }),
      domains: [...doms].map(([dom, own]) => {
        const fared = this.#fared(own, span, openOf, waits, waits.ofDomain.get(dom), domLabel);
        return { dom, vcpus: own.length, ...fared };
      }),
      pcpus: [...this.#pcpus].sort((a, b) => a - b).map((pcpu) => this.#loadOf(pcpu, span, open)),
      lostRecords: this.#lostRecords,
      lateLosses: this.#timeline.lateLosses,
      partial: this.#timeline.partial,
    };
  }

  /** Windows begin with a slice and end with one, or with the trace: the last one may be shorter than the others. */
  #spanOf(windowNs: number): Span {
    const settledNs = this.#settledNs;
    const slices = settledNs / SLICE_NS;
    const toNs = (this.#isOver ? Math.ceil(slices) : Math.floor(slices)) * SLICE_NS;
    const untilNs = this.#isOver ? Number.POSITIVE_INFINITY : toNs;
    if (windowNs > WINDOW_NS_MAX) return { fromNs: Number.NEGATIVE_INFINITY, toNs: settledNs, untilNs };
    return { fromNs: Math.max(0, toNs - windowNs), toNs: Math.min(toNs, settledNs), untilNs };
  }

  #settleTo(toNs: number): void {
    this.#settledNs = toNs;
    const settled = this.#pendingLosses.filter(({ tNs }) => tNs <= toNs);
    for (const { tNs, pcpu, count } of settled) this.#places.addAt(pcpu, LOST, tNs, count);
    if (settled.length > 0) this.#pendingLosses = this.#pendingLosses.filter(({ tNs }) => tNs > toNs);
    this.#wakes.forget(toNs - WINDOW_NS_MAX - SLICE_NS);
    this.#blames.forget(toNs - WINDOW_NS_MAX - SLICE_NS);
  }

  #onRunstates(batch: RunstateBatch): void {
    const { count, vcpuIndex, dom, vcpu, state, pcpu, startNs, endNs, complete } = batch;
    for (let row = 0; row < count; row++) {
      const isIdle = dom[row] === DOM_IDLE;
      if (state[row] === RUNNING && pcpu[row] >= 0) {
        this.#places.add(pcpu[row], isIdle ? IDLE : BUSY, startNs[row], endNs[row]);
        if ((complete[row] & 1) === 1) this.#places.addAt(pcpu[row], SWITCHES, startNs[row], 1);
      }
      if (isIdle) continue;
      if (this.#vcpus[vcpuIndex[row]] === undefined) this.#vcpuAt(vcpuIndex[row], dom[row], vcpu[row]);
      this.#times.add(vcpuIndex[row], state[row], startNs[row], endNs[row]);
    }
  }

  #onWaits(batch: WaitBatch): void {
    const { count, vcpuIndex, dom, vcpu, cause, startNs, endNs } = batch;
    for (let row = 0; row < count; row++) {
      if (cause[row] !== CAUSE_WAKE) continue;
      const ns = endNs[row] - startNs[row];
      this.#vcpuAt(vcpuIndex[row], dom[row], vcpu[row]).wakes.add(ns, startNs[row]);
      this.#wakes.add(endNs[row], vcpuIndex[row], 0, ns);
    }
  }

  #onBlames(batch: BlameBatch): void {
    const { count, vcpuIndex, vcpuKey, culpritIndex, culpritKey, endNs, ns } = batch;
    for (let row = 0; row < count; row++) {
      const culprit = culpritIndex[row];
      if (culprit >= 0) this.#vcpuAt(culprit, culpritKey[row] >>> 16, culpritKey[row] & 0xffff);
      this.#vcpuAt(vcpuIndex[row], vcpuKey[row] >>> 16, vcpuKey[row] & 0xffff);
      this.#blamed.add(vcpuIndex[row], culprit, 0, ns[row]);
      this.#blames.add(endNs[row], vcpuIndex[row], culprit, ns[row]);
    }
  }

  #onJobs({ count, dom, vcpu, releaseNs, completionNs, missed }: JobBatch): void {
    for (let row = 0; row < count; row++) {
      const isJudged = missed[row] === JOB_MISSED || missed[row] === JOB_MET;
      if (Number.isNaN(releaseNs[row]) || !isJudged) continue;
      const key = (dom[row] << 16) | vcpu[row];
      const jobs = this.#jobKeys.get(key) ?? this.#jobKeys.size;
      this.#jobKeys.set(key, jobs);
      const atNs = Number.isNaN(completionNs[row]) ? this.#settledNs : completionNs[row];
      this.#jobs.addAt(jobs, JUDGED, atNs, 1);
      if (missed[row] === JOB_MISSED) this.#jobs.addAt(jobs, MISSED, atNs, 1);
    }
  }

  #vcpuAt(index: number, dom: number, vcpu: number): Vcpu {
    const known = this.#vcpus[index];
    if (known !== undefined) return known;
    const added = { dom, vcpu, wakes: new Samples(this.#budget) };
    this.#vcpus[index] = added;
    return added;
  }

  readonly #vcpuName = (index: number): string => {
    const { dom, vcpu } = this.#vcpus[index]!;
    return vcpuLabel(dom, vcpu);
  };

  /** The vCPUs that have any time in a span, by domain and number. */
  #present(span: Span, openOf: ReadonlyMap<number, OpenInterval>): number[] {
    const has = (index: number) =>
      openOf.has(index) || this.#statesOf(index, span, openOf).some((ns) => ns > 0);
    const indices = [...this.#vcpus.keys()].filter((index) => {
      const vcpu = this.#vcpus[index];
      return vcpu !== undefined && vcpu.dom !== DOM_IDLE && has(index);
    });
    const order = (index: number) => this.#vcpus[index]!.dom * 0x10000 + this.#vcpus[index]!.vcpu;
    return indices.sort((a, b) => order(a) - order(b));
  }

  /** Time of a vCPU by state, what it is doing now included. */
  #statesOf(index: number, span: Span, openOf: ReadonlyMap<number, OpenInterval>): number[] {
    const { fromNs, untilNs } = span;
    const states = RUNSTATE_NAMES.map((_, state) => this.#times.sum(index, state, fromNs, untilNs));
    const now = openOf.get(index);
    if (now !== undefined) states[now.state] += overlapNs(now, span);
    return states;
  }

  #fared(
    vcpus: readonly number[],
    span: Span,
    openOf: ReadonlyMap<number, OpenInterval>,
    waits: Waits,
    part: Part | undefined,
    nameOf: (culprit: number) => string,
  ): Fared {
    const ns = RUNSTATE_NAMES.map(() => 0);
    let [jobs, missed] = [0, 0];
    for (const index of vcpus) {
      for (const [state, own] of this.#statesOf(index, span, openOf).entries()) ns[state] += own;
      const { dom, vcpu } = this.#vcpus[index]!;
      const key = this.#jobKeys.get((dom << 16) | vcpu);
      if (key === undefined) continue;
      jobs += this.#jobs.sum(key, JUDGED, span.fromNs, span.untilNs);
      missed += this.#jobs.sum(key, MISSED, span.fromNs, span.untilNs);
    }
    const culprit = part === undefined ? null : part.culprit === NOBODY ? 'unknown' : nameOf(part.culprit);
    return {
      knownNs: ns.reduce((sum, own) => sum + own, 0) - ns[UNKNOWN],
      unknownNs: ns[UNKNOWN],
      runNs: ns[RUNNING],
      readyNs: ns[RUNNABLE],
      throttledNs: ns[THROTTLED],
      ...waits.wakes(vcpus),
      jobs,
      missed,
      culprit,
      culpritRatio: part === undefined ? null : part.ns / part.totalNs,
    };
  }

  #loadOf(pcpu: number, span: Span, open: readonly OpenInterval[]): PcpuLoad {
    const sum = (column: number) => this.#places.sum(pcpu, column, span.fromNs, span.untilNs);
    const now = open.find((interval) => interval.state === RUNNING && interval.pcpu === pcpu);
    const nowNs = now === undefined ? 0 : overlapNs(now, span);
    const idleNs = sum(IDLE) + (now?.dom === DOM_IDLE ? nowNs : 0);
    const busyNs = sum(BUSY) + (now?.dom === DOM_IDLE ? 0 : nowNs);
    return {
      pcpu,
      busyNs,
      idleNs,
      unknownNs: Math.max(0, span.toNs - Math.max(0, span.fromNs) - busyNs - idleNs),
      switches: sum(SWITCHES),
      lostRecords: sum(LOST),
      runs: now === undefined ? null : vcpuLabel(now.dom, now.vcpu),
    };
  }

  #waitsIn({ fromNs, untilNs }: Span): Waits {
    if (fromNs === Number.NEGATIVE_INFINITY) {
      const wakes = (vcpus: readonly number[]) => {
        const sets = vcpus.map((index) => this.#vcpus[index]!.wakes);
        const count = sets.reduce((sum, set) => sum + set.count, 0);
        return { wakes: count, wakeNsP50: percentile(sets, 500), wakeNsP99: percentile(sets, 990) };
      };
      return { wakes, ...this.#partsOf(this.#blamed) };
    }
    const pairs = new PairSums(1);
    this.#blames.visit(fromNs, untilNs, (victim, culprit, ns) => pairs.add(victim, culprit, 0, ns));
    const latencies = new Map<number, number[]>();
    this.#wakes.visit(fromNs, untilNs, (index, _, ns) => {
      const own = latencies.get(index);
      if (own === undefined) latencies.set(index, [ns]);
      else own.push(ns);
    });
    const wakes = (vcpus: readonly number[]) => {
      const sorted = Float64Array.from(vcpus.flatMap((index) => latencies.get(index) ?? [])).sort();
      return {
        wakes: sorted.length,
        wakeNsP50: nearestRank(sorted, 500),
        wakeNsP99: nearestRank(sorted, 990),
      };
    };
    return { wakes, ...this.#partsOf(pairs) };
  }

  #partsOf(pairs: PairSums): Pick<Waits, 'ofVcpu' | 'ofDomain'> {
    const domOf = (index: number) => (index === NOBODY ? NOBODY : this.#vcpus[index]!.dom);
    const doms = new PairSums(1);
    for (let pair = 0; pair < pairs.count; pair++)
      doms.add(domOf(pairs.first[pair]), domOf(pairs.second[pair]), 0, pairs.sums(pair)[0]);
    return {
      ofVcpu: largestParts(pairs, (index) => this.#orderOf(index)),
      ofDomain: largestParts(doms, (dom) => dom),
    };
  }

  /** By domain and number; who is not known comes first. */
  #orderOf(index: number): number {
    if (index === NOBODY) return NOBODY;
    const { dom, vcpu } = this.#vcpus[index]!;
    return dom * 0x10000 + vcpu;
  }
}

/** How much of an interval that still goes on lies in a span. */
function overlapNs({ startNs }: OpenInterval, { fromNs, toNs }: Span): number {
  return Math.max(0, toNs - Math.max(startNs, fromNs));
}

/** By first of a pair, the second with the largest sum; of equals the one that is lowest by `order`. */
function largestParts(pairs: PairSums, order: (second: number) => number): Map<number, Part> {
  const parts = new Map<number, Part>();
  for (let pair = 0; pair < pairs.count; pair++) {
    const culprit = pairs.second[pair];
    const [ns] = pairs.sums(pair);
    const part = parts.get(pairs.first[pair]);
    if (part === undefined) {
      parts.set(pairs.first[pair], { culprit, ns, totalNs: ns });
      continue;
    }
    part.totalNs += ns;
    if (ns < part.ns || (ns === part.ns && order(culprit) > order(part.culprit))) continue;
    part.culprit = culprit;
    part.ns = ns;
  }
  return parts;
}

function nearestRank(sorted: Float64Array, permille: number): number | null {
  return sorted.length === 0 ? null : sorted[Math.ceil((permille * sorted.length) / 1000) - 1];
}
