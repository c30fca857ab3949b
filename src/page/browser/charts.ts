/**
 * Curves, drawn by uPlot; with a legend of buttons that keyboards reach.
 * @module
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { DOMAIN_SLOTS } from '../page-data.ts';
import { cssColor, h } from './dom.ts';

export interface Series {
  readonly label: string;
  readonly x: readonly number[];
  /** Null is a gap. */
  readonly y: readonly (number | null)[];
  /** What its colour is called in page.css. */
  readonly color: string;
  readonly dashed?: boolean;
  /** It belongs to the one before it: one button shows and hides both. */
  readonly joined?: boolean;
}

export interface ChartOptions {
  /** What a screen reader is told that it shows. */
  readonly label: string;
  readonly height?: number;
  readonly logX?: boolean;
  readonly stepped?: boolean;
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
  readonly formatX: (x: number) => string;
  readonly formatY: (y: number) => string;
  /** Pixels left of the plot. */
  readonly gutter?: number;
}

/** The colour of a domain by slot, or of the nth curve. */
export function seriesColor(index: number): string {
  return `series-${index % DOMAIN_SLOTS}`;
}

/** Series shown at first. */
const SHOWN_MAX = 10;

export class Chart {
  readonly element: HTMLElement;
  readonly #plotAt: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #options: ChartOptions;
  #plot: uPlot | undefined;
  #series: readonly Series[] = [];
  #xRange: readonly [number, number] | undefined;
  readonly #hidden = new Map<string, boolean>();

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#plotAt = h('div', { class: 'plot', role: 'img', 'aria-label': options.label });
    this.#legend = h('div', { class: 'legend series' });
    this.element = h('div', { class: 'chart' }, this.#plotAt, this.#legend);
    new ResizeObserver(() => this.#fit()).observe(this.#plotAt);
    charts.add(this);
  }

  /** Shows other data. */
  show(series: readonly Series[], xRange = this.#options.xRange): void {
    const sameNames =
      series.map(({ label }) => label).join() === this.#series.map(({ label }) => label).join();
    this.#series = series;
    this.#xRange = xRange;
    if (sameNames && this.#plot !== undefined) this.#plot.setData(aligned(series));
    else this.draw();
  }

  /** Draws all anew: the theme may have changed. */
  draw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#series.length === 0) return;
    const {
      height = 260,
      logX = false,
      stepped = false,
      formatX,
      formatY,
      yRange,
      gutter = 70,
    } = this.#options;
    const [text, grid] = [cssColor('text'), cssColor('line')];
    const font = '11px system-ui, sans-serif';
    const axis = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    this.#plot = new uPlot(
      {
        width: Math.max(200, this.#plotAt.clientWidth),
        height,
        padding: [8, 1, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false } },
        scales: {
          x: {
            time: false,
            distr: logX ? 3 : 1,
            range: (_, low, high) => this.#xRangeOf(low, high),
          },
          y: { range: yRange === undefined ? (_, low, high) => spread(low, high) : () => [...yRange] },
        },
        axes: [
          {
            ...axis,
            size: 30,
            values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : formatX(tick))),
            space: 70,
          },
          {
            ...axis,
            size: gutter,
            space: Math.min(40, height / 5),
            values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : formatY(tick))),
          },
        ],
        series: [
          {},
          ...this.#series.map((series) => ({
            label: series.label,
            stroke: cssColor(series.color),
            width: 1.5,
            spanGaps: true,
            show: this.#isShown(series),
            points: { show: false },
            ...(series.dashed ? { dash: [5, 4] } : {}),
            ...(paths === undefined ? {} : { paths }),
          })),
        ],
        hooks: { setCursor: [(plot) => this.#tell(plot)] },
      },
      aligned(this.#series),
      this.#plotAt,
    );
    this.#drawLegend();
  }

  #xRangeOf(low: number | null, high: number | null): uPlot.Range.MinMax {
    return this.#xRange === undefined ? [low ?? 0, high ?? 1] : [...this.#xRange];
  }

  #isShown({ label }: Series): boolean {
    const known = this.#hidden.get(label);
    if (known !== undefined) return !known;
    const owners = this.#series.filter(({ joined }) => !joined).map((series) => series.label);
    const index = this.#series.findIndex((series) => series.label === label);
    const owner = this.#series.slice(0, index + 1).findLast(({ joined }) => !joined);
    return owners.indexOf(owner?.label ?? label) < SHOWN_MAX;
  }

  #drawLegend(): void {
    const buttons = this.#series.flatMap((series, index) => {
      if (series.joined) return [];
      const button = h(
        'button',
        { type: 'button', class: 'chip', 'aria-pressed': String(this.#isShown(series)) },
        h('i', { class: 'swatch', style: `background:var(--${series.color})` }),
        series.label,
        h('span', { class: 'value' }),
      );
      button.addEventListener('click', () => {
        const shown = button.getAttribute('aria-pressed') !== 'true';
        button.setAttribute('aria-pressed', String(shown));
        for (let at = index; at < this.#series.length; at++) {
          if (at > index && !this.#series[at].joined) break;
          this.#hidden.set(this.#series[at].label, !shown);
          this.#plot?.setSeries(at + 1, { show: shown });
        }
      });
      return [button];
    });
    this.#legend.replaceChildren(...(buttons.length > 1 ? buttons : []), h('span', { class: 'value x' }));
  }

  /** What the curves are where the pointer is. */
  #tell(plot: uPlot): void {
    const at = plot.cursor.idx;
    const [xs, ...ys] = plot.data;
    const values = this.#legend.querySelectorAll('.value');
    let button = 0;
    for (const [index, series] of this.#series.entries()) {
      if (series.joined || button === values.length - 1) continue;
      const value = at === null || at === undefined ? null : lastKnown(ys[index], at);
      values[button++].textContent = value === null ? '' : ` ${this.#options.formatY(value)}`;
    }
    const x = values[button];
    if (x) x.textContent = at === null || at === undefined ? '' : `at ${this.#options.formatX(xs[at])}`;
  }

  #fit(): void {
    const width = this.#plotAt.clientWidth;
    if (this.#plot === undefined || width === 0 || width === this.#plot.width) return;
    this.#plot.setSize({ width, height: this.#plot.height });
  }
}

const charts = new Set<Chart>();

/** The theme has changed. */
export function redrawCharts(): void {
  for (const chart of charts) chart.draw();
}

/** All series over all of their x together. */
function aligned(series: readonly Series[]): uPlot.AlignedData {
  const tables = series.map(({ x, y }) => [[...x], [...y]] as uPlot.AlignedData);
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

function lastKnown(values: ArrayLike<number | null | undefined>, at: number): number | null {
  for (let index = at; index >= 0; index--) {
    const value = values[index];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** From 0, or from below it, to a bit above the most. */
function spread(low: number | null, high: number | null): uPlot.Range.MinMax {
  const [least, most] = [Math.min(0, low ?? 0), Math.max(0, high ?? 1)];
  const room = (most - least || 1) * 0.05;
  return [least < 0 ? least - room : 0, most + room];
}
