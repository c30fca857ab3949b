/**
 * Curves below a timeline, over the same stretch of time: how many wait, credit, budget.
 * @module
 */
import { CURVE_NAMES, type CurveData } from '../page-data.ts';
import { domainLooks, type Series } from './chart-series.ts';
import { Chart, SHOWN_MAX } from './charts.ts';
import { h } from './dom.ts';
import { formatNs, formatTime } from './time-format.ts';
import {
  type CurveBins,
  firstEndingAfter,
  RUNNABLE,
  rangeOfBins,
  type TimelineModel,
  UNKNOWN,
} from './timeline-model.ts';
import { GUTTER } from './timeline-painter.ts';

/** Points of a curve over the width of the view. */
const COLUMNS = 500;
const VCPUS_MAX = 32;
const TITLES = { credit: 'Credit', budget: 'Budget left' } as const;

/** Numbers of vCPUs over the width of the view. */
interface Columns {
  readonly fromNs: number;
  readonly stepNs: number;
  readonly waiting: Float64Array;
  readonly unknown: Float64Array;
}

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
      formatY: (y) => y.toLocaleString('en', { maximumSignificantDigits: 3 }),
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
    const axes = { xRange: [fromNs, toNs] } as const;
    this.#waiting.show(this.#waitingSeries(fromNs, toNs), axes);
    for (const { chart, curves } of this.#charts) {
      const looks = domainLooks(
        curves.map(({ vcpu }) => this.#model.domainOf(vcpu)),
        (dom) => this.#model.slotOf(dom),
      );
      const series = curves.map((curve, index) => ({
        ...this.#curveSeries(curve, fromNs, toNs),
        ...looks[index],
      }));
      chart.show(series, axes);
    }
  }

  useTheme(): void {
    this.#waiting.draw();
    for (const { chart } of this.#charts) chart.draw();
  }

  /** How many vCPUs wait, and of how many it is not known: the means over each column. */
  #waitingSeries(fromNs: number, toNs: number): Series[] {
    const stepNs = (toNs - fromNs) / COLUMNS;
    const columns: Columns = {
      fromNs,
      stepNs,
      waiting: new Float64Array(COLUMNS),
      unknown: new Float64Array(COLUMNS),
    };
    for (const piece of this.#model.pieces(fromNs, toNs)) {
      const exact = piece.exact && stepNs < this.#model.data.bins.widthNs;
      if (!exact) this.#addQueueBins(piece.fromNs, piece.toNs, columns);
      else
        for (const vcpu of this.#model.data.lanes)
          this.#addIntervals(vcpu, piece.fromNs, piece.toNs, columns);
    }
    const x = Array.from(columns.waiting, (_, column) => fromNs + (column + 0.5) * stepNs);
    const waiting: Series = { label: 'waiting', x, y: [...columns.waiting], color: 'state-runnable' };
    if (columns.unknown.every((count) => count === 0)) return [waiting];
    return [
      waiting,
      { label: 'not known', x, y: [...columns.unknown], color: 'state-unknown', dashed: true },
    ];
  }

  #addQueueBins(fromNs: number, toNs: number, { fromNs: originNs, stepNs, waiting, unknown }: Columns): void {
    const first = Math.floor((fromNs - originNs) / stepNs);
    const last = Math.min(COLUMNS, Math.ceil((toNs - originNs) / stepNs));
    for (let column = first; column < last; column++) {
      const at = originNs + column * stepNs;
      const overlap = Math.max(0, (Math.min(at + stepNs, toNs) - Math.max(at, fromNs)) / stepNs);
      const mean = this.#model.queueIn(at, at + stepNs);
      waiting[column] += mean.waiting * overlap;
      unknown[column] += mean.unknown * overlap;
    }
  }

  #addIntervals(vcpu: number, fromNs: number, toNs: number, columns: Columns): void {
    const { stepNs } = columns;
    const { startNs, endNs, what } = this.#model.ofVcpu[vcpu];
    for (let index = firstEndingAfter(endNs, fromNs); index < what.length && startNs[index] < toNs; index++) {
      if (what[index] !== RUNNABLE && what[index] !== UNKNOWN) continue;
      const counts = what[index] === RUNNABLE ? columns.waiting : columns.unknown;
      let at = Math.max(startNs[index], fromNs);
      const until = Math.min(endNs[index], toNs);
      while (at < until) {
        const column = Math.min(COLUMNS - 1, Math.floor((at - columns.fromNs) / stepNs));
        const end = Math.min(until, Math.max(columns.fromNs + (column + 1) * stepNs, at + stepNs / 1e6));
        counts[column] += (end - at) / stepNs;
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
function worthShowing(curves: readonly CurveData[], vcpuKeys: readonly number[]): CurveData[] {
  const ordered = curves.toSorted((a, b) => vcpuKeys[a.vcpu] - vcpuKeys[b.vcpu]);
  if (ordered.length <= SHOWN_MAX) return ordered;
  return ordered.sort((a, b) => b.high - b.low - (a.high - a.low)).slice(0, VCPUS_MAX);
}
