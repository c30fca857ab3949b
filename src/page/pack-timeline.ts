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
    domainSlots: pass.domainSlots,
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
  { bins, pcpuLanes, vcpuLanes, endNs, fromNs }: TimelinePass,
  packer: Packer,
  pcpus: readonly number[],
  lanes: readonly number[],
  count: number,
): BinsData {
  const { widthNs } = bins;
  const lastWidthNs = endNs - fromNs - (count - 1) * widthNs;
  const pack = (binLanes: readonly number[], components: number) => {
    const bytes = new Uint8Array(binLanes.length * components * count);
    let at = 0;
    for (const lane of binLanes) {
      for (let component = 0; component < components; component++, at += count) {
        const times = bins.component(lane, component);
        for (let bin = 0; bin < count; bin++) {
          if (times[bin] === 0) continue;
          const share = times[bin] / (bin === count - 1 ? lastWidthNs : widthNs);
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

interface Interval {
  readonly vcpu: number;
  readonly state: number;
  readonly pcpu: number;
  readonly startNs: number;
  readonly endNs: number;
}

function packExact(pass: TimelinePass, packer: Packer, rowsMax: number): ExactData {
  const stretches = pass.exact.finish(pass.endNs, rowsMax);
  const byVcpu = intervalsOf(stretches, pass.vcpus.count);
  const [gaps, lengths, pcpus] = [new VarintWriter(), new VarintWriter(), new VarintWriter()];
  const states: number[] = [];
  /** By vCPU: when its intervals start, to the number of each. */
  const numbers = new Map<number, Map<number, number>>();
  let number = 0;
  for (const [vcpu, intervals] of byVcpu.entries()) {
    let [lastNs, lastPcpu] = [0, -1];
    const ofVcpu = new Map<number, number>();
    for (const { state, pcpu, startNs, endNs } of intervals) {
      gaps.put(startNs - lastNs);
      lengths.put(endNs - startNs);
      states.push(state | (pcpu === lastPcpu ? 0 : PCPU_CHANGES));
      if (pcpu !== lastPcpu) pcpus.put(pcpu + 1);
      [lastNs, lastPcpu] = [endNs, pcpu];
      ofVcpu.set(startNs, number++);
    }
    numbers.set(vcpu, ofVcpu);
  }
  return {
    stretches: adjoined(stretches),
    counts: byVcpu.map(({ length }) => length),
    gaps: packer.add(gaps.bytes()),
    lengths: packer.add(lengths.bytes()),
    states: packer.add(Uint8Array.from(states)),
    pcpus: packer.add(pcpus.bytes()),
    parts: packer.add(packParts(stretches, numbers)),
    marks: packer.add(packMarks(stretches, pass)),
    samples: packer.add(packSamples(stretches)),
    intervalsInAll: pass.exact.intervals,
  };
}

/** Each interval once, by vCPU, in the order of time. */
function intervalsOf(stretches: readonly Stretch[], vcpus: number): Interval[][] {
  const byVcpu: Interval[][] = Array.from({ length: vcpus }, () => []);
  for (const { intervals } of stretches) {
    const { vcpu, state, pcpu, startNs, endNs } = intervals.columns;
    for (let row = 0; row < intervals.count; row++) {
      byVcpu[vcpu[row]].push({
        vcpu: vcpu[row],
        state: state[row],
        pcpu: pcpu[row],
        startNs: startNs[row],
        endNs: endNs[row],
      });
    }
  }
  return byVcpu.map((intervals) =>
    intervals
      .sort((a, b) => a.startNs - b.startNs || a.endNs - b.endNs)
      .filter(({ startNs, endNs }, index, all) => {
        const before = all[index - 1];
        return endNs > startNs && (before === undefined || startNs >= before.endNs);
      }),
  );
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

function packParts(
  stretches: readonly Stretch[],
  numbers: ReadonlyMap<number, ReadonlyMap<number, number>>,
): Uint8Array {
  const packed: { number: number; parts: Parts; row: number }[] = [];
  const seen = new Set<number>();
  for (const { parts } of stretches) {
    const { vcpu, startNs } = parts.columns;
    let row = parts.first;
    while (row < parts.count) {
      const number = numbers.get(vcpu[row])?.get(startNs[row]);
      const first = row;
      for (; row < parts.count && vcpu[row] === vcpu[first] && startNs[row] === startNs[first]; row++) {
        if (number !== undefined && !seen.has(number)) packed.push({ number, parts, row });
      }
      if (number !== undefined) seen.add(number);
    }
  }
  const writer = new VarintWriter();
  let last = 0;
  for (const { number, parts, row } of packed.sort((a, b) => a.number - b.number)) {
    const { culprit, reason, ns } = parts.columns;
    writer.put(number - last);
    writer.put(culprit[row] + 1);
    writer.put(reason[row]);
    writer.put(ns[row]);
    last = number;
  }
  return writer.bytes();
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
