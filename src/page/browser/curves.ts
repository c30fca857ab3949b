/**
 * Curves below a timeline, over the same stretch of time: how many wait, credit, budget.
 * @module
 */
import { CURVE_NAMES, type CurveData } from '../page-data.ts';
import { Chart, domainLooks, type Series, SHOWN_MAX } from './charts.ts';
import { h } from './dom.ts';
import { formatNs, formatTime } from './time-format.ts';
import {
  type CurveBins,
  firstEndingAfter,
  RUNNABLE,
  rangeOfBins,
  type TimelineModel,
} from './timeline-model.ts';
import { GUTTER } from './timeline-painter.ts';

/** Points of a curve over the width of the view. */
const COLUMNS = 500;
const VCPUS_MAX = 32;
const TITLES = { credit: 'Credit', budget: 'Budget left' } as const;

export class Curves {
  readonly element: HTMLElement;
  readonly #model: TimelineModel;
  readonly #waiting: Chart;
  /** By curve that the trace has. */
  readonly #charts: { chart: Chart; curves: readonly CurveData[] }[] = [];
  readonly #bins = new Map<CurveData, CurveBins>();
  #spanNs = 1;

  constructor(model: TimelineModel) {
    this.#model = model;
    const formatX = (x: number) => formatTime(x, this.#spanNs);
    const shared = { height: 130, gutter: GUTTER, formatX } as const;
    this.#waiting = new Chart({
      ...shared,
      label: 'How many vCPUs wait, over the time in view',
      empty: 'Nothing is known of this stretch.',
      formatY: (y) => String(Math.round(y * 100) / 100),
    });
    const parts: Node[] = [h('h4', {}, 'Run-queue length: vCPUs that wait'), this.#waiting.element];
    for (const [curve, name] of CURVE_NAMES.entries()) {
      const all = model.data.curves.filter((each) => each.curve === curve);
      if (all.length === 0) continue;
      const curves = worthShowing(all, model.data.vcpuKeys);
      const chart = new Chart({
        ...shared,
        label: `${TITLES[name]} of vCPUs, over the time in view`,
        empty: `No record in this stretch or before it tells the ${name}.`,
        formatY: (y) => formatNs(y),
        stepped: true,
      });
      this.#charts.push({ chart, curves });
      parts.push(h('h4', {}, `${TITLES[name]}, by vCPU, as records tell it`));
      if (curves.length < all.length) {
        const note = `The ${VCPUS_MAX} vCPUs of ${all.length} whose ${name} varies most over the trace.`;
        parts.push(h('p', { class: 'note' }, note));
      }
      parts.push(chart.element);
    }
    this.element = h('div', { class: 'curves' }, ...parts);
  }

  show(fromNs: number, toNs: number): void {
    this.#spanNs = (toNs - fromNs) / 10;
    const range = [fromNs, toNs] as const;
    this.#waiting.show([this.#waitingSeries(fromNs, toNs)], range);
    for (const { chart, curves } of this.#charts) {
      const looks = domainLooks(
        curves.map(({ vcpu }) => this.#model.domainOf(vcpu)),
        (dom) => this.#model.slotOf(dom),
      );
      const series = curves.map((curve, index) => ({
        ...this.#curveSeries(curve, fromNs, toNs),
        ...looks[index],
      }));
      chart.show(series, range);
    }
  }

  useTheme(): void {
    this.#waiting.draw();
    for (const { chart } of this.#charts) chart.draw();
  }

  /** The mean over each column. */
  #waitingSeries(fromNs: number, toNs: number): Series {
    const model = this.#model;
    const stepNs = (toNs - fromNs) / COLUMNS;
    const waiting = new Float64Array(COLUMNS);
    const shares = new Float64Array(16);
    for (const piece of model.pieces(fromNs, toNs)) {
      const exact = piece.exact && stepNs < model.data.bins.widthNs;
      const first = Math.floor((piece.fromNs - fromNs) / stepNs);
      const last = Math.min(COLUMNS, Math.ceil((piece.toNs - fromNs) / stepNs));
      for (const lane of model.lanes) {
        if (lane.kind === 'pcpu') continue;
        if (exact) {
          this.#addWaits(lane.of, piece.fromNs, piece.toNs, fromNs, stepNs, waiting);
          continue;
        }
        for (let column = first; column < last; column++) {
          const at = fromNs + column * stepNs;
          const overlap = Math.min(at + stepNs, piece.toNs) - Math.max(at, piece.fromNs);
          model.sharesOf(lane, at, at + stepNs, shares);
          waiting[column] += shares[RUNNABLE] * Math.max(0, overlap / stepNs);
        }
      }
    }
    return {
      label: 'waiting',
      x: Array.from(waiting, (_, column) => fromNs + (column + 0.5) * stepNs),
      y: [...waiting],
      color: 'state-runnable',
    };
  }

  #addWaits(
    vcpu: number,
    fromNs: number,
    toNs: number,
    originNs: number,
    stepNs: number,
    waiting: Float64Array,
  ): void {
    const { startNs, endNs, what } = this.#model.ofVcpu[vcpu];
    for (let index = firstEndingAfter(endNs, fromNs); index < what.length && startNs[index] < toNs; index++) {
      if (what[index] !== RUNNABLE) continue;
      let at = Math.max(startNs[index], fromNs);
      const until = Math.min(endNs[index], toNs);
      while (at < until) {
        const column = Math.min(COLUMNS - 1, Math.floor((at - originNs) / stepNs));
        const end = Math.min(until, Math.max(originNs + (column + 1) * stepNs, at + stepNs / 1e6));
        waiting[column] += (end - at) / stepNs;
        at = end;
      }
    }
  }

  /** Each record where it is on the page; else the least and the most of each bin, or of as many as a column has. */
  #curveSeries(curve: CurveData, fromNs: number, toNs: number): Pick<Series, 'label' | 'x' | 'y'> {
    const { model, x, y } = { model: this.#model, x: [] as number[], y: [] as (number | null)[] };
    const samples = model.samplesOf(curve);
    const stepNs = (toNs - fromNs) / COLUMNS;
    for (const piece of model.pieces(fromNs, toNs)) {
      if (piece.exact && stepNs < model.data.bins.widthNs && samples !== undefined) {
        let index = samples.tNs.findLastIndex((tNs) => tNs < piece.fromNs);
        if (index >= 0) {
          x.push(piece.fromNs);
          y.push(samples.value[index]);
        }
        for (index++; index < samples.tNs.length && samples.tNs[index] < piece.toNs; index++) {
          x.push(samples.tNs[index]);
          y.push(samples.value[index]);
        }
        // What was told last holds until something else is told.
        if (index > 0) {
          x.push(piece.toNs);
          y.push(samples.value[index - 1]);
        }
      } else this.#addBins(curve, piece.fromNs, piece.toNs, stepNs, x, y);
    }
    return { label: model.nameOf(curve.vcpu), x, y };
  }

  #addBins(
    curve: CurveData,
    fromNs: number,
    toNs: number,
    stepNs: number,
    x: number[],
    y: (number | null)[],
  ): void {
    let bins = this.#bins.get(curve);
    if (bins === undefined) {
      bins = this.#model.curveBins(curve);
      this.#bins.set(curve, bins);
    }
    const { data } = this.#model;
    const { widthNs, count } = data.bins;
    const together = Math.max(1, Math.floor(stepNs / widthNs));
    const first = Math.floor((fromNs - data.fromNs) / widthNs);
    for (let bin = first; bin < count && data.fromNs + bin * widthNs < toNs; bin += together) {
      const { least, most } = rangeOfBins(bins, bin, Math.min(count, bin + together));
      if (Number.isNaN(least)) continue;
      const at = Math.max(fromNs, data.fromNs + bin * widthNs);
      x.push(at);
      y.push(most);
      if (least === most) continue;
      x.push(at + (together * widthNs) / 2);
      y.push(least);
    }
  }
}

/** In the order of vCPUs; where not all are drawn at once, those of which there is most to see come first. */
export function worthShowing(curves: readonly CurveData[], vcpuKeys: readonly number[]): CurveData[] {
  const ordered = curves.toSorted((a, b) => vcpuKeys[a.vcpu] - vcpuKeys[b.vcpu]);
  if (ordered.length <= SHOWN_MAX) return ordered;
  return ordered.sort((a, b) => b.high - b.low - (a.high - a.low)).slice(0, VCPUS_MAX);
}
