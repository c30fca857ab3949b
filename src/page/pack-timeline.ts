/**
 * A timeline that was gathered, as numbers of few bytes: what page-data.ts describes.
 * @module
 */
import type { Parts, Points, Stretch } from './exact-stretches.ts';
import type { Packer } from './packer.ts';
import {
  type BinsData,
  type CurveData,
  type ExactData,
  MARK,
  MARK_NAMES,
  PCPU_COMPONENTS,
  QUEUE_SCALE,
  type TimelineData,
  VCPU_COMPONENTS,
} from './page-data.ts';
import { LOST_MAX, type TimelinePass } from './timeline-pass.ts';
import { VarintWriter } from './varints.ts';

const BYTE_MAX = 255;
const WORD_MAX = 65_535;
const PCPU_CHANGES = 8;

/** @param rowsMax single intervals, parts of waits, marks and samples that the page has room for */
export function packTimeline(pass: TimelinePass, packer: Packer, rowsMax: number): TimelineData {
  const pcpus = [...pass.pcpuLanes.keys()].sort((a, b) => a - b);
  const keys = [...pass.vcpus.keys.subarray(0, pass.vcpus.count)];
  const lanes = keys
    .map((_, vcpu) => vcpu)
    .filter((vcpu) => pass.vcpuLanes[vcpu] >= 0)
    .sort((a, b) => keys[a] - keys[b]);
  const binsUsed = Math.min(
    pass.bins.count,
    Math.max(1, Math.ceil((pass.endNs - pass.fromNs) / pass.bins.widthNs)),
  );
  const lost = [...pass.lost]
    .sort((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs))
    .slice(0, LOST_MAX)
    .sort((a, b) => a.fromNs - b.fromNs);
  return {
    fromNs: pass.fromNs,
    endNs: pass.endNs,
    pcpus,
    vcpuKeys: keys,
    lanes,
    lanesLeftOut: pass.lanesLeftOut,
    domainSlots: pass.slots.domains,
    bins: packBins(pass, packer, pcpus, lanes, binsUsed),
    exact: packExact(pass, packer, rowsMax),
    lost: {
      spans: lost.map(({ pcpu, fromNs, toNs, records }) => [pcpu, fromNs, toNs, records]),
      spansInAll: pass.lostSpans,
    },
    curves: packCurves(pass, packer, binsUsed),
    markCounts: pass.markCounts,
  };
}

function packBins(
  { bins, pcpuLanes, vcpuLanes, queueLane, endNs, fromNs }: TimelinePass,
  packer: Packer,
  pcpus: readonly number[],
  lanes: readonly number[],
  count: number,
): BinsData {
  const { widthNs } = bins;
  const lastWidthNs = endNs - fromNs - (count - 1) * widthNs;
  const widthOf = (bin: number) => (bin === count - 1 ? lastWidthNs : widthNs);
  const pack = (binLanes: readonly number[], components: number) => {
    const bytes = new Uint8Array(binLanes.length * components * count);
    let at = 0;
    for (const lane of binLanes) {
      for (let component = 0; component < components; component++, at += count) {
        const times = bins.component(lane, component);
        for (let bin = 0; bin < count; bin++) {
          if (times[bin] === 0) continue;
          const share = times[bin] / widthOf(bin);
          bytes[at + bin] = Math.min(BYTE_MAX, Math.max(1, Math.round(share * BYTE_MAX)));
        }
      }
    }
    return packer.add(bytes);
  };
  const marks = new VarintWriter();
  for (const vcpu of lanes) {
    for (let mark = 0; mark < MARK_NAMES.length; mark++) {
      const counts = bins.component(vcpuLanes[vcpu], VCPU_COMPONENTS + mark);
      for (let bin = 0; bin < count; bin++) marks.put(counts[bin]);
    }
  }
  const queue = new VarintWriter();
  for (const component of [0, 1]) {
    const times = bins.component(queueLane, component);
    for (let bin = 0; bin < count; bin++) queue.put(Math.round((times[bin] / widthOf(bin)) * QUEUE_SCALE));
  }
  return {
    widthNs,
    count,
    pcpus: pack(
      pcpus.map((pcpu) => pcpuLanes.get(pcpu)!),
      PCPU_COMPONENTS,
    ),
    vcpus: pack(
      lanes.map((vcpu) => vcpuLanes[vcpu]),
      VCPU_COMPONENTS,
    ),
    marks: packer.add(marks.bytes()),
    queue: packer.add(queue.bytes()),
  };
}

function packCurves({ bins, curveLanes }: TimelinePass, packer: Packer, count: number): CurveData[] {
  return curveLanes.flatMap((ofVcpus, curve) =>
    [...ofVcpus].map(([vcpu, lane]) => {
      const least = bins.component(lane, 0).subarray(0, count);
      const most = bins.component(lane, 1).subarray(0, count);
      const low = least.reduce((min, value) => (value < min ? value : min), Number.MAX_VALUE);
      const high = most.reduce((max, value) => (value > max ? value : max), -Number.MAX_VALUE);
      const scale = high > low ? (WORD_MAX - 1) / (high - low) : 0;
      const words = new Uint16Array(2 * count);
      for (let bin = 0; bin < count; bin++) {
        if (Number.isNaN(least[bin])) continue;
        words[bin] = 1 + Math.round((least[bin] - low) * scale);
        words[count + bin] = 1 + Math.round((most[bin] - low) * scale);
      }
      return { curve, vcpu, low, high, bins: packer.add(new Uint8Array(words.buffer)) };
    }),
  );
}

function packExact(pass: TimelinePass, packer: Packer, rowsMax: number): ExactData {
  const stretches = pass.exact.finish(pass.endNs, rowsMax);
  const intervals = intervalsOf(stretches, pass.vcpus.count);
  const { counts, startNs, endNs, state, pcpu } = intervals;
  const [gaps, lengths, pcpus] = [new VarintWriter(), new VarintWriter(), new VarintWriter()];
  const states = new Uint8Array(intervals.count);
  let row = 0;
  for (const count of counts) {
    let [lastNs, lastPcpu] = [0, -1];
    for (const end = row + count; row < end; row++) {
      const moved = pcpu[row] !== lastPcpu;
      gaps.put(startNs[row] - lastNs);
      lengths.put(endNs[row] - startNs[row]);
      states[row] = state[row] | (moved ? PCPU_CHANGES : 0);
      if (moved) pcpus.put(pcpu[row] + 1);
      [lastNs, lastPcpu] = [endNs[row], pcpu[row]];
    }
  }
  return {
    stretches: adjoined(stretches),
    counts,
    gaps: packer.add(gaps.bytes()),
    lengths: packer.add(lengths.bytes()),
    states: packer.add(states),
    pcpus: packer.add(pcpus.bytes()),
    parts: packer.add(packParts(stretches, intervals)),
    marks: packer.add(packMarks(stretches, pass)),
    samples: packer.add(packSamples(stretches)),
    intervalsInAll: pass.exact.intervals,
  };
}

/** Intervals by vCPU, those of each in the order of time. */
interface Ordered {
  count: number;
  /** By vCPU: how many, and where the first one is. */
  readonly counts: number[];
  readonly firsts: number[];
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  readonly state: Uint8Array;
  readonly pcpu: Int32Array;
}

/**
 * Each interval once. A stretch has those of a vCPU in the order of time, and what two stretches share is the last one
 * of the first and the first one of the second.
 */
function intervalsOf(stretches: readonly Stretch[], vcpus: number): Ordered {
  const room = new Uint32Array(vcpus + 1);
  for (const { intervals } of stretches) {
    for (let row = 0; row < intervals.count; row++) room[intervals.columns.vcpu[row] + 1]++;
  }
  for (let vcpu = 0; vcpu < vcpus; vcpu++) room[vcpu + 1] += room[vcpu];
  const rows = room[vcpus];
  const next = room.slice();
  const all = {
    startNs: new Float64Array(rows),
    endNs: new Float64Array(rows),
    state: new Uint8Array(rows),
    pcpu: new Int32Array(rows),
  };
  for (const { intervals } of stretches) {
    const { vcpu, state, pcpu, startNs, endNs } = intervals.columns;
    for (let row = 0; row < intervals.count; row++) {
      const to = next[vcpu[row]];
      const isNew = to === room[vcpu[row]] || startNs[row] >= all.endNs[to - 1];
      if (!isNew || endNs[row] <= startNs[row]) continue;
      all.startNs[to] = startNs[row];
      all.endNs[to] = endNs[row];
      all.state[to] = state[row];
      all.pcpu[to] = pcpu[row];
      next[vcpu[row]]++;
    }
  }
  const ordered: Ordered = { count: 0, counts: [], firsts: [], ...all };
  for (let vcpu = 0; vcpu < vcpus; vcpu++) {
    const [from, to] = [room[vcpu], next[vcpu]];
    for (const column of Object.values(all)) column.copyWithin(ordered.count, from, to);
    ordered.firsts.push(ordered.count);
    ordered.counts.push(to - from);
    ordered.count += to - from;
  }
  return ordered;
}

/** The number of the interval of a vCPU that starts then; -1: none. */
function numberOf({ firsts, counts, startNs }: Ordered, vcpu: number, atNs: number): number {
  let low = firsts[vcpu];
  let high = low + counts[vcpu];
  const end = high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (startNs[middle] < atNs) low = middle + 1;
    else high = middle;
  }
  return low < end && startNs[low] === atNs ? low : -1;
}

/** From and to of each stretch; neighbours that touch are one. */
function adjoined(stretches: readonly Stretch[]): number[] {
  const borders: number[] = [];
  for (const { fromNs, toNs } of stretches) {
    if (borders.at(-1) === fromNs) borders[borders.length - 1] = toNs;
    else borders.push(fromNs, toNs);
  }
  return borders;
}

/** Parts of one wait are told together, by the number of the interval that it began with. */
function packParts(stretches: readonly Stretch[], intervals: Ordered): Uint8Array {
  const rows = stretches.reduce((sum, { parts }) => sum + parts.count, 0);
  /** The interval, then the part's place among all: sorted as numbers. */
  const keys = new Float64Array(rows);
  const places: { parts: Parts; base: number }[] = [];
  const seen = new Uint8Array(intervals.count);
  let [count, base] = [0, 0];
  for (const { parts } of stretches) {
    places.push({ parts, base });
    const { vcpu, startNs } = parts.columns;
    for (let row = 0; row < parts.count; ) {
      const number = numberOf(intervals, vcpu[row], startNs[row]);
      const isNew = number >= 0 && seen[number] === 0;
      const first = row;
      for (; row < parts.count && vcpu[row] === vcpu[first] && startNs[row] === startNs[first]; row++) {
        if (isNew) keys[count++] = number * rows + base + row;
      }
      if (isNew) seen[number] = 1;
    }
    base += parts.count;
  }
  const writer = new VarintWriter();
  let last = 0;
  for (const key of keys.subarray(0, count).sort()) {
    const [number, place] = [Math.floor(key / rows), key % rows];
    const { parts, base } = places[placeOf(places, place)];
    const { culprit, reason, ns } = parts.columns;
    writer.put(number - last);
    writer.put(culprit[place - base] + 1);
    writer.put(reason[place - base]);
    writer.put(ns[place - base]);
    last = number;
  }
  return writer.bytes();
}

/** The last one that begins at `place` or before. */
function placeOf(places: readonly { readonly base: number }[], place: number): number {
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (places[middle].base <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface Point {
  readonly kind: number;
  readonly vcpu: number;
  readonly tNs: number;
  readonly value: number;
}

function packMarks(stretches: readonly Stretch[], { misses }: TimelinePass): Uint8Array {
  const marks = stretches.flatMap((stretch) => pointsOf(stretch.marks));
  for (const { vcpu, tNs, tardinessNs } of misses) {
    marks.push({ kind: MARK.miss, vcpu, tNs, value: tardinessNs });
  }
  const writer = new VarintWriter();
  let lastNs = 0;
  for (const { kind, vcpu, tNs, value } of marks.sort((a, b) => a.tNs - b.tNs)) {
    writer.put(tNs - lastNs);
    writer.put(kind);
    writer.put(vcpu + 1);
    writer.putSigned(value);
    lastNs = tNs;
  }
  return writer.bytes();
}

function packSamples(stretches: readonly Stretch[]): Uint8Array {
  const samples = stretches.flatMap((stretch) => pointsOf(stretch.samples));
  const writer = new VarintWriter();
  let lastNs = 0;
  const order = (a: Point, b: Point) => a.kind - b.kind || a.vcpu - b.vcpu || a.tNs - b.tNs;
  for (const { kind, vcpu, tNs, value } of samples.sort(order)) {
    writer.put(kind);
    writer.put(vcpu);
    writer.putSigned(tNs - lastNs);
    writer.putSigned(value);
    lastNs = tNs;
  }
  return writer.bytes();
}

function pointsOf({ first, count, columns }: Points): Point[] {
  return Array.from({ length: count - first }, (_, index) => {
    const row = first + index;
    return {
      kind: columns.kind[row],
      vcpu: columns.vcpu[row],
      tNs: columns.tNs[row],
      value: columns.value[row],
    };
  });
}
