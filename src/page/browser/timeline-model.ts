/**
 * A trace's timeline as the page has it, ready to be drawn, searched and told.
 * @module
 */
import { domLabel, vcpuLabel } from '../../timeline/vcpu-label.ts';
import {
  type CurveData,
  DOMAIN_SLOTS,
  MARK,
  MARK_NAMES,
  PCPU_COMPONENTS,
  QUEUE_SCALE,
  type TimelineData,
  VCPU_COMPONENTS,
} from '../page-data.ts';
import type { Block } from './read-block.ts';

export const RUNNING = 0;
export const RUNNABLE = 1;
export const BLOCKED = 2;
export const UNKNOWN = 4;
export const THROTTLED = 5;
export const STATE_NAMES = ['running', 'runnable', 'blocked', 'offline', 'unknown', 'throttled'] as const;
const DOM_IDLE = 0x7fff;

export interface Lane {
  readonly kind: 'pcpu' | 'vcpu';
  /** The pCPU, or the vCPU's index. */
  readonly of: number;
  /** Among the lanes of its kind. */
  readonly order: number;
  readonly label: string;
}

/** Intervals in the order of time, as columns. `what` is the runstate, or on a pCPU the vCPU that ran. */
export interface Intervals {
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  readonly what: Int32Array;
  /** Where it ran or last ran; -1: not known. */
  readonly pcpu: Int32Array;
}

/** One interval of a lane. */
export interface Interval {
  readonly lane: Lane;
  readonly index: number;
  readonly startNs: number;
  readonly endNs: number;
  readonly what: number;
  readonly pcpu: number;
}

export interface Mark {
  readonly tNs: number;
  readonly kind: number;
  readonly vcpu: number;
  readonly value: number;
}

/** Part of a wait. `culprit` is a vCPU index; -1: none is known. */
export interface BlamePart {
  readonly culprit: number;
  readonly reason: number;
  readonly ns: number;
}

export interface Samples {
  readonly tNs: number[];
  readonly value: number[];
}

export class TimelineModel {
  readonly data: TimelineData;
  readonly lanes: readonly Lane[];
  /** By vCPU index. */
  readonly ofVcpu: readonly Intervals[];
  /** By the order of the pCPUs. */
  readonly ofPcpu: readonly Intervals[];
  /** In the order of time: what single intervals do not tell. */
  readonly marks: readonly Mark[];
  /** Bytes by lane of a kind, component and bin. */
  readonly pcpuBins: Uint8Array;
  readonly vcpuBins: Uint8Array;
  /** Counts by lane, kind of mark and bin. */
  readonly markBins: Float64Array;
  /** By bin: how many vCPUs wait, and of how many it is not known. */
  readonly waitingBins: Float64Array;
  readonly unknownBins: Float64Array;
  /** Single intervals on the page. */
  readonly intervals: number;
  readonly #block: Block;
  /** By vCPU index: the number of its first interval among all. */
  readonly #firstNumber: readonly number[];
  /** By number of an interval: where its parts are. */
  readonly #partsAt = new Map<number, [from: number, to: number]>();
  readonly #parts: BlamePart[] = [];
  readonly #samples = new Map<number, Samples>();
  readonly #slotOfDomain: ReadonlyMap<number, number>;

  constructor(data: TimelineData, block: Block) {
    this.data = data;
    this.#block = block;
    this.lanes = [
      ...data.pcpus.map((pcpu, order): Lane => ({ kind: 'pcpu', of: pcpu, order, label: `pCPU ${pcpu}` })),
      ...data.lanes.map((vcpu, order): Lane => ({ kind: 'vcpu', of: vcpu, order, label: this.nameOf(vcpu) })),
    ];
    this.#slotOfDomain = new Map(data.domainSlots.map((dom, slot) => [dom, slot]));
    this.ofVcpu = readIntervals(data, block);
    this.intervals = this.ofVcpu.reduce((sum, { what }) => sum + what.length, 0);
    let number = 0;
    this.#firstNumber = this.ofVcpu.map(({ what }) => {
      number += what.length;
      return number - what.length;
    });
    this.ofPcpu = this.#runsByPcpu();
    this.#readParts();
    this.marks = this.#readMarks();
    this.#readSamples();
    this.pcpuBins = block.bytes(data.bins.pcpus);
    this.vcpuBins = block.bytes(data.bins.vcpus);
    const marks = block.varints(data.bins.marks);
    this.markBins = Float64Array.from(
      { length: data.lanes.length * MARK_NAMES.length * data.bins.count },
      () => marks.next(),
    );
    const queue = block.varints(data.bins.queue);
    const nextBins = () => Float64Array.from({ length: data.bins.count }, () => queue.next() / QUEUE_SCALE);
    [this.waitingBins, this.unknownBins] = [nextBins(), nextBins()];
  }

  /** `d1v0` */
  nameOf(vcpu: number): string {
    const key = this.data.vcpuKeys[vcpu];
    return vcpuLabel(key >>> 16, key & 0xffff);
  }

  domainOf(vcpu: number): number {
    return this.data.vcpuKeys[vcpu] >>> 16;
  }

  isIdle(vcpu: number): boolean {
    return this.domainOf(vcpu) === DOM_IDLE;
  }

  /** The colour of a domain, by number. */
  slotOf(dom: number): number {
    return this.#slotOfDomain.get(dom) ?? DOMAIN_SLOTS - 1;
  }

  slotName(slot: number): string {
    const dom = this.data.domainSlots[slot];
    return dom === undefined ? 'other domains' : domLabel(dom);
  }

  intervalsOf(lane: Lane): Intervals {
    return lane.kind === 'pcpu' ? this.ofPcpu[lane.order] : this.ofVcpu[lane.of];
  }

  /** Whether every interval at an instant is on the page. */
  isExact(tNs: number): boolean {
    const { stretches } = this.data.exact;
    for (let index = 0; index < stretches.length; index += 2) {
      if (tNs < stretches[index]) return false;
      if (tNs < stretches[index + 1]) return true;
    }
    return false;
  }

  /** Stretches of exact and of summed time that make up a stretch of time, in order. */
  pieces(fromNs: number, toNs: number): { fromNs: number; toNs: number; exact: boolean }[] {
    const pieces: { fromNs: number; toNs: number; exact: boolean }[] = [];
    const { stretches } = this.data.exact;
    let at = fromNs;
    const add = (until: number, exact: boolean) => {
      const end = Math.min(until, toNs);
      if (end > at) pieces.push({ fromNs: at, toNs: end, exact });
      at = Math.max(at, end);
    };
    for (let index = 0; index < stretches.length && at < toNs; index += 2) {
      add(stretches[index], false);
      add(stretches[index + 1], true);
    }
    add(toNs, false);
    return pieces;
  }

  /** The interval of a lane at an instant, if it is on the page. */
  intervalAt(lane: Lane, tNs: number): Interval | undefined {
    const { endNs, startNs } = this.intervalsOf(lane);
    const index = firstEndingAfter(endNs, tNs);
    return index < endNs.length && startNs[index] <= tNs ? this.interval(lane, index) : undefined;
  }

  interval(lane: Lane, index: number): Interval | undefined {
    const { startNs, endNs, what, pcpu } = this.intervalsOf(lane);
    if (index < 0 || index >= what.length) return undefined;
    return {
      lane,
      index,
      startNs: startNs[index],
      endNs: endNs[index],
      what: what[index],
      pcpu: pcpu[index],
    };
  }

  /** How many single intervals of a lane are in a stretch of time. */
  countIn(lane: Lane, fromNs: number, toNs: number): number {
    const { endNs } = this.intervalsOf(lane);
    return firstEndingAfter(endNs, toNs) - firstEndingAfter(endNs, fromNs);
  }

  laneOfVcpu(vcpu: number): Lane | undefined {
    return this.lanes.find(({ kind, of }) => kind === 'vcpu' && of === vcpu);
  }

  /**
   * Whom a wait was spent on: that of the interval, or of one before it, as a vCPU that is throttled waits on.
   * Undefined where it is not known or not on the page.
   */
  waitOf(interval: Interval): { startNs: number; parts: readonly BlamePart[]; ns: number } | undefined {
    const { lane } = interval;
    if (lane.kind !== 'vcpu') return undefined;
    const first = this.#firstNumber[lane.of];
    const { startNs, what } = this.ofVcpu[lane.of];
    for (let index = interval.index; index >= 0; index--) {
      if (what[index] !== RUNNABLE && what[index] !== THROTTLED) return undefined;
      const at = this.#partsAt.get(first + index);
      if (at === undefined) continue;
      const parts = this.#parts.slice(...at);
      const ns = parts.reduce((sum, part) => sum + part.ns, 0);
      return startNs[index] + ns >= interval.endNs ? { startNs: startNs[index], parts, ns } : undefined;
    }
    return undefined;
  }

  /** Marks of a vCPU that follow from its intervals: wake-ups and migrations. */
  markOf(vcpu: number, index: number): number | undefined {
    const { what, startNs, endNs, pcpu } = this.ofVcpu[vcpu];
    if (index === 0) return undefined;
    const follows = startNs[index] === endNs[index - 1];
    const waits = what[index] === RUNNABLE || what[index] === THROTTLED;
    if (waits && follows && what[index - 1] === BLOCKED) return MARK.wake;
    const moved = what[index] === RUNNING && pcpu[index] >= 0 && pcpu[index - 1] >= 0;
    return moved && follows && pcpu[index] !== pcpu[index - 1] ? MARK.migration : undefined;
  }

  /** What a vCPU's curve was told to be, in the order of time. */
  samplesOf({ curve, vcpu }: CurveData): Samples | undefined {
    return this.#samples.get(curve * 65_536 + vcpu);
  }

  /** Least and most of a curve by bin; NaN where it is not told. */
  curveBins({ bins, low, high }: CurveData): CurveBins {
    const words = this.#block.words(bins);
    const { count } = this.data.bins;
    const scale = (high - low) / 65_534;
    const value = (word: number) => (word === 0 ? Number.NaN : low + (word - 1) * scale);
    return {
      least: Float64Array.from(words.subarray(0, count), value),
      most: Float64Array.from(words.subarray(count), value),
    };
  }

  /** Share of a stretch of time, by component, as the bins have it: 0 to 1. */
  sharesOf(lane: Lane, fromNs: number, toNs: number, shares: Float64Array): void {
    const { count } = this.data.bins;
    const components = lane.kind === 'pcpu' ? PCPU_COMPONENTS : VCPU_COMPONENTS;
    const bytes = lane.kind === 'pcpu' ? this.pcpuBins : this.vcpuBins;
    const { first, last } = this.#binsOf(fromNs, toNs);
    const base = lane.order * components * count;
    for (let component = 0; component < components; component++) {
      let sum = 0;
      const at = base + component * count;
      for (let bin = first; bin <= last; bin++) sum += bytes[at + bin];
      shares[component] = sum / (255 * (last - first + 1));
    }
  }

  /** How many vCPUs wait in a stretch of time, and of how many it is not known, as the bins have it. */
  queueIn(fromNs: number, toNs: number): { waiting: number; unknown: number } {
    const { first, last } = this.#binsOf(fromNs, toNs);
    let [waiting, unknown] = [0, 0];
    for (let bin = first; bin <= last; bin++) {
      waiting += this.waitingBins[bin];
      unknown += this.unknownBins[bin];
    }
    return { waiting: waiting / (last - first + 1), unknown: unknown / (last - first + 1) };
  }

  /** How many marks of a kind a vCPU's lane has in a stretch of time, as the bins have it. */
  marksIn(lane: Lane, kind: number, fromNs: number, toNs: number): number {
    const { count } = this.data.bins;
    const { first, last } = this.#binsOf(fromNs, toNs);
    const base = (lane.order * MARK_NAMES.length + kind) * count;
    let sum = 0;
    for (let bin = first; bin <= last; bin++) sum += this.markBins[base + bin];
    return sum;
  }

  #binsOf(fromNs: number, toNs: number): { first: number; last: number } {
    const { widthNs, count } = this.data.bins;
    const first = clamp(Math.floor((fromNs - this.data.fromNs) / widthNs), 0, count - 1);
    return { first, last: clamp(Math.ceil((toNs - this.data.fromNs) / widthNs) - 1, first, count - 1) };
  }

  #runsByPcpu(): Intervals[] {
    const orderOf = new Map(this.data.pcpus.map((pcpu, order) => [pcpu, order]));
    const runs: { startNs: number; endNs: number; vcpu: number }[][] = this.data.pcpus.map(() => []);
    for (const [vcpu, { startNs, endNs, what, pcpu }] of this.ofVcpu.entries()) {
      for (let index = 0; index < what.length; index++) {
        if (what[index] !== RUNNING) continue;
        const order = orderOf.get(pcpu[index]);
        if (order !== undefined) runs[order].push({ startNs: startNs[index], endNs: endNs[index], vcpu });
      }
    }
    return runs.map((ofPcpu, order) => {
      ofPcpu.sort((a, b) => a.startNs - b.startNs);
      return {
        startNs: Float64Array.from(ofPcpu, ({ startNs }) => startNs),
        endNs: Float64Array.from(ofPcpu, ({ endNs }) => endNs),
        what: Int32Array.from(ofPcpu, ({ vcpu }) => vcpu),
        pcpu: new Int32Array(ofPcpu.length).fill(this.data.pcpus[order]),
      };
    });
  }

  #readParts(): void {
    const reader = this.#block.varints(this.data.exact.parts);
    let number = 0;
    while (!reader.done) {
      number += reader.next();
      const part = { culprit: reader.next() - 1, reason: reader.next(), ns: reader.next() };
      const to = this.#parts.push(part);
      const known = this.#partsAt.get(number);
      this.#partsAt.set(number, [known?.[0] ?? to - 1, to]);
    }
  }

  #readMarks(): Mark[] {
    const reader = this.#block.varints(this.data.exact.marks);
    const marks: Mark[] = [];
    let tNs = 0;
    while (!reader.done) {
      tNs += reader.next();
      marks.push({ tNs, kind: reader.next(), vcpu: reader.next() - 1, value: reader.nextSigned() });
    }
    return marks;
  }

  #readSamples(): void {
    const reader = this.#block.varints(this.data.exact.samples);
    let tNs = 0;
    while (!reader.done) {
      const key = reader.next() * 65_536 + reader.next();
      let samples = this.#samples.get(key);
      if (samples === undefined) {
        samples = { tNs: [], value: [] };
        this.#samples.set(key, samples);
      }
      tNs += reader.nextSigned();
      samples.tNs.push(tNs);
      samples.value.push(reader.nextSigned());
    }
  }
}

function readIntervals({ exact }: TimelineData, block: Block): Intervals[] {
  const [gaps, lengths, pcpus] = [exact.gaps, exact.lengths, exact.pcpus].map((place) =>
    block.varints(place),
  );
  const states = block.bytes(exact.states);
  let at = 0;
  return exact.counts.map((count) => {
    const intervals = {
      startNs: new Float64Array(count),
      endNs: new Float64Array(count),
      what: new Int32Array(count),
      pcpu: new Int32Array(count),
    };
    let [lastNs, pcpu] = [0, -1];
    for (let index = 0; index < count; index++) {
      const state = states[at++];
      if ((state & 8) !== 0) pcpu = pcpus.next() - 1;
      intervals.startNs[index] = lastNs + gaps.next();
      lastNs = intervals.startNs[index] + lengths.next();
      intervals.endNs[index] = lastNs;
      intervals.what[index] = state & 7;
      intervals.pcpu[index] = pcpu;
    }
    return intervals;
  });
}

/** The first of ascending ends that is after an instant. */
export function firstEndingAfter(endNs: Float64Array, tNs: number): number {
  let low = 0;
  let high = endNs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endNs[middle] > tNs) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** By bin: the least and the most that a curve had in it; NaN where nothing was told. */
export interface CurveBins {
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** The least and the most in the bins `[from, to)`; NaN where nothing was told in any. */
export function rangeOfBins(bins: CurveBins, from: number, to: number): { least: number; most: number } {
  let [least, most] = [Number.NaN, Number.NaN];
  for (let bin = from; bin < to; bin++) {
    // A bin without a sample takes nothing from the others.
    if (Number.isNaN(bins.least[bin])) continue;
    if (!(bins.least[bin] >= least)) least = bins.least[bin];
    if (!(bins.most[bin] <= most)) most = bins.most[bin];
  }
  return { least, most };
}
