/**
 * Curves, drawn by uPlot; with a legend of buttons that keyboards reach.
 * @module
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type Axes, hasLine, lonePoints, type Series, spread } from './chart-series.ts';
import { cssColor, h } from './dom.ts';

export interface ChartOptions extends Axes {
  /** What a screen reader is told that it shows. */
  readonly label: string;
  readonly height?: number;
  readonly logX?: boolean;
  readonly stepped?: boolean;
  readonly formatX: (x: number) => string;
  readonly formatY: (y: number) => string;
  /** Pixels left of the plot, which then ends where the chart does, as the timeline. */
  readonly gutter?: number;
  /** What is said in place of curves that have no two points. */
  readonly empty: string;
}

/** What is mixed into a colour, and how much, for curves that share it. */
const SHADES = [undefined, ['text', 50], ['page', 45]] as const;
/** Lengths of strokes and gaps, and the border that looks so. */
const DASHES = [
  { dash: [], border: 'solid' },
  { dash: [8, 4], border: 'dashed' },
  { dash: [2, 3], border: 'dotted' },
] as const;
const JOINED_DASH = [5, 4];

/** The colour of a curve; `resolve` gives a colour of page.css by name. */
function strokeOf({ color, nth = 0 }: Series, resolve: (name: string) => string): string {
  const shade = SHADES[nth % SHADES.length];
  const own = resolve(color);
  return shade === undefined ? own : `color-mix(in srgb, ${own}, ${resolve(shade[0])} ${shade[1]}%)`;
}

function dashOf({ nth = 0 }: Series): (typeof DASHES)[number] {
  return DASHES[Math.floor(nth / SHADES.length) % DASHES.length];
}

const borderOf = (series: Series) => (series.dashed ? 'dashed' : dashOf(series).border);

/** Series shown at first. */
export const SHOWN_MAX = 10;
const FONT = '11px system-ui, sans-serif';
/** Room for half a label of the x axis. */
const RIGHT = 32;

export class Chart {
  readonly element: HTMLElement;
  readonly #plotAt: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #options: ChartOptions;
  #plot: uPlot | undefined;
  #series: readonly Series[] = [];
  /** By series: where a point has no neighbour that a line could lead to. */
  #lone: readonly number[][] = [];
  #xRange: Axes['xRange'];
  #yRange: Axes['yRange'];
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
  show(
    series: readonly Series[],
    { xRange = this.#options.xRange, yRange = this.#options.yRange }: Axes = {},
  ): void {
    const sameNames =
      series.map(({ label }) => label).join() === this.#series.map(({ label }) => label).join();
    this.#series = series;
    this.#xRange = xRange;
    this.#yRange = yRange;
    if (sameNames && this.#plot !== undefined && hasLine(series)) this.#plot.setData(this.#aligned());
    else this.draw();
  }

  /** Draws all anew: the theme may have changed. */
  draw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#series.length === 0) return;
    if (!hasLine(this.#series)) {
      this.#plotAt.replaceChildren(h('p', { class: 'note' }, this.#options.empty));
      this.#legend.replaceChildren();
      return;
    }
    this.#plotAt.replaceChildren();
    const { height = 260, logX = false, stepped = false, formatX, formatY, gutter } = this.#options;
    const [text, grid] = [cssColor('text'), cssColor('line')];
    const axis = {
      stroke: text,
      font: FONT,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
    };
    const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    this.#plot = new uPlot(
      {
        width: Math.max(200, this.#plotAt.clientWidth),
        height,
        padding: [8, gutter === undefined ? RIGHT : 1, 0, 0],
        legend: { show: false },
        focus: { alpha: 0.15 },
        cursor: { y: false, drag: { x: true, y: false } },
        scales: {
          x: {
            time: false,
            distr: logX ? 3 : 1,
            range: (_, low, high) => this.#xRangeOf(low, high),
          },
          y: {
            range: (_, low, high) => (this.#yRange === undefined ? spread(low, high) : [...this.#yRange]),
          },
        },
        axes: [
          {
            ...axis,
            size: 30,
            values: (plot, ticks) =>
              ticks.map((tick) => (tick === null ? '' : fitting(plot, tick, formatX(tick)))),
            space: 70,
          },
          {
            ...axis,
            size: gutter ?? 70,
            space: Math.min(40, height / 5),
            values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : formatY(tick))),
          },
        ],
        series: [
          {},
          ...this.#series.map((series, index) => ({
            label: series.label,
            stroke: strokeOf(series, cssColor),
            width: 1.5,
            show: this.#isShown(series),
            points: { show: false, size: 5, filter: () => this.#lone[index] },
            dash: series.dashed ? JOINED_DASH : [...dashOf(series).dash],
            ...(paths === undefined ? {} : { paths }),
          })),
        ],
        hooks: { setCursor: [(plot) => this.#tell(plot)] },
      },
      this.#aligned(),
      this.#plotAt,
    );
    this.#drawLegend();
  }

  /** All series over all of their x together. */
  #aligned(): uPlot.AlignedData {
    const tables = this.#series.map(({ x, y }) => [[...x], [...y]] as uPlot.AlignedData);
    const data = tables.length === 1 ? tables[0] : uPlot.join(tables);
    this.#lone = data.slice(1).map((ys) => lonePoints(ys));
    return data;
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
        h('i', {
          class: 'stroke',
          style: `border-top: 4px ${borderOf(series)} ${strokeOf(series, (name) => `var(--${name})`)}`,
        }),
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
      // Where many share a plot, the one that is pointed at, or has the focus, stands out.
      const focus = (on: boolean) => () => this.#plot?.setSeries(on ? index + 1 : null, { focus: true });
      for (const type of ['pointerenter', 'focus']) button.addEventListener(type, focus(true));
      for (const type of ['pointerleave', 'blur']) button.addEventListener(type, focus(false));
      return [button];
    });
    this.#legend.replaceChildren(
      ...buttons,
      h('span', { class: 'value x' }),
      ...(buttons.length > SHOWN_MAX ? [h('span', { class: 'note' }, shownNote(buttons.length))] : []),
    );
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

/** A label of the x axis, or none where the right edge would cut it. */
function fitting(plot: uPlot, x: number, text: string): string {
  const { ctx } = plot;
  ctx.save();
  ctx.font = FONT;
  const half = ctx.measureText(text).width / 2;
  ctx.restore();
  const plotLeft = plot.bbox.left / uPlot.pxRatio;
  return plotLeft + plot.valToPos(x, 'x') + half > plot.width ? '' : text;
}

function lastKnown(values: ArrayLike<number | null | undefined>, at: number): number | null {
  for (let index = at; index >= 0; index--) {
    const value = values[index];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

function shownNote(count: number): string {
  return `Of ${count} the first ${SHOWN_MAX} are drawn at first: a name draws or hides it.`;
}
