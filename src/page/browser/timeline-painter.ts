/**
 * Draws a timeline on a canvas: single intervals where they are on the page and can be seen, else the shares of bins.
 * @module
 */
import { DOMAIN_SLOTS, MARK, MARK_NAMES, PCPU_COMPONENTS, VCPU_COMPONENTS } from '../page-data.ts';
import { type Palette, pixelOf, readPalette } from './palette.ts';
import { formatTime, tickStep } from './time-format.ts';
import {
  BLOCKED,
  firstEndingAfter,
  type Interval,
  type Lane,
  RUNNABLE,
  RUNNING,
  THROTTLED,
  type TimelineModel,
  UNKNOWN,
} from './timeline-model.ts';

export const GUTTER = 96;
export const RULER = 26;
export const LANE = 20;
const LANE_GAP = 3;
const LABEL_WIDTH_MIN = 34;
/** More of them would hide each other; shares of bins tell more then. */
const INTERVALS_PER_PIXEL_MAX = 0.25;
/** Marks drawn one by one, over all lanes in view. */
const MARKS_MAX = 4000;
/** From the bottom of a lane to its top. */
const VCPU_STACK = [RUNNING, RUNNABLE, THROTTLED, 3, UNKNOWN];

/** What is to be seen. */
export interface View {
  fromNs: number;
  toNs: number;
  /** CSS pixels that the lanes are scrolled by. */
  scroll: number;
  width: number;
  height: number;
  selected: Interval | undefined;
  /** An instant that was searched for: a line over all lanes. */
  instantNs: number | undefined;
  /** The lane that the keyboard is at. */
  lane: number;
  /** By kind of mark: whether it is shown. */
  readonly marks: boolean[];
}

export class TimelinePainter {
  readonly #model: TimelineModel;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #palette: Palette = readPalette();
  #hatch!: CanvasPattern;
  #lostHatch!: CanvasPattern;
  #view!: View;

  constructor(model: TimelineModel, canvas: HTMLCanvasElement) {
    this.#model = model;
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false })!;
    this.useTheme();
  }

  /** The theme has changed. */
  useTheme(): void {
    this.#palette = readPalette();
    this.#hatch = hatch(this.#context, this.#palette.lane, this.#palette.unknown);
    this.#lostHatch = hatch(this.#context, 'transparent', this.#palette.lost);
  }

  draw(view: View): void {
    this.#view = view;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.#palette.page;
    context.fillRect(0, 0, view.width, view.height);
    const lanes = this.#visibleLanes();
    const pieces = this.#pieces(lanes);
    this.#drawBins(lanes, pieces, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.save();
    context.beginPath();
    context.rect(GUTTER, RULER, view.width - GUTTER, view.height - RULER);
    context.clip();
    for (const { lane, y } of lanes) {
      for (const piece of pieces) if (piece.exact) this.#drawIntervals(lane, y, piece.fromNs, piece.toNs);
    }
    this.#drawLost(lanes);
    this.#drawMarks(lanes, pieces);
    this.#drawSelection(lanes);
    this.#drawInstant();
    context.restore();
    this.#drawLabels(lanes);
    this.#drawRuler(pieces);
  }

  xOf(tNs: number): number {
    const { fromNs, toNs, width } = this.#view;
    return GUTTER + ((tNs - fromNs) / (toNs - fromNs)) * (width - GUTTER);
  }

  /** Exact where single intervals are on the page and can be told from each other. */
  #pieces(lanes: readonly { lane: Lane }[]): { fromNs: number; toNs: number; exact: boolean }[] {
    const { fromNs, toNs, width } = this.#view;
    const pixels = width - GUTTER;
    const isFine = (toNs - fromNs) / pixels < this.#model.data.bins.widthNs;
    const densest = () => Math.max(...lanes.map(({ lane }) => this.#model.countIn(lane, fromNs, toNs)));
    const exact = isFine || densest() < pixels * INTERVALS_PER_PIXEL_MAX;
    return this.#model.pieces(fromNs, toNs).map((piece) => ({ ...piece, exact: piece.exact && exact }));
  }

  #visibleLanes(): { lane: Lane; y: number; order: number }[] {
    const { scroll, height } = this.#view;
    const first = Math.max(0, Math.floor(scroll / LANE));
    const last = Math.min(this.#model.lanes.length, Math.ceil((scroll + height - RULER) / LANE));
    return this.#model.lanes
      .slice(first, last)
      .map((lane, index) => ({ lane, order: first + index, y: RULER + (first + index) * LANE - scroll }));
  }

  /** Shares of bins, pixel by pixel: a column for each pixel, stacked from the bottom of the lane. */
  #drawBins(
    lanes: readonly { lane: Lane; y: number }[],
    pieces: readonly { fromNs: number; toNs: number; exact: boolean }[],
    ratio: number,
  ): void {
    const { fromNs, toNs, width, height } = this.#view;
    const left = Math.round(GUTTER * ratio);
    const top = Math.round(RULER * ratio);
    const columns = Math.round(width * ratio) - left;
    const rows = Math.round(height * ratio) - top;
    if (columns <= 0 || rows <= 0) return;
    const image = this.#context.createImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(pixelOf(this.#palette.page));
    const perColumnNs = (toNs - fromNs) / columns;
    const [vcpuColors, pcpuColors] = [this.#palette.states, this.#palette.domains].map((colors) =>
      colors.map(pixelOf),
    );
    const [lanePixel, idlePixel, unknownPixel] = [
      pixelOf(this.#palette.lane),
      pixelOf(this.#palette.idle),
      pixelOf(this.#palette.unknown),
    ];
    const shares = new Float64Array(Math.max(PCPU_COMPONENTS, VCPU_COMPONENTS));
    for (const { lane, y } of lanes) {
      const from = Math.round((y - RULER) * ratio);
      const to = from + Math.round((LANE - LANE_GAP) * ratio);
      const paint = (column: number, stack: () => void) => {
        level = to;
        x = column;
        stack();
      };
      let level = to;
      let x = 0;
      const put = (share: number, pixel: number, hatched = false) => {
        const rowsOf = Math.min(level, Math.round(share * (to - from)) || (share > 0 ? 1 : 0));
        for (let row = level - rowsOf; row < level; row++) {
          if (row < 0 || row >= rows || row < from) continue;
          pixels[row * columns + x] = hatched && (x + row) % 6 > 1 ? lanePixel : pixel;
        }
        level -= rowsOf;
      };
      for (const piece of pieces) {
        const first = Math.max(0, Math.round((piece.fromNs - fromNs) / perColumnNs));
        const last = Math.min(columns, Math.round((piece.toNs - fromNs) / perColumnNs));
        for (let column = first; column < last; column++) {
          paint(column, () => put(1, lane.kind === 'pcpu' ? idlePixel : lanePixel));
          if (piece.exact) continue;
          const at = fromNs + column * perColumnNs;
          this.#model.sharesOf(lane, at, at + perColumnNs, shares);
          paint(column, () => {
            if (lane.kind === 'vcpu') {
              for (const state of VCPU_STACK) {
                if (shares[state] > 0) put(shares[state], vcpuColors[state], state === UNKNOWN);
              }
              return;
            }
            let known = shares[DOMAIN_SLOTS];
            for (let slot = 0; slot < DOMAIN_SLOTS; slot++) {
              known += shares[slot];
              if (shares[slot] > 0) put(shares[slot], pcpuColors[slot]);
            }
            if (known < 0.985) put(1 - known, unknownPixel, true);
          });
        }
      }
    }
    this.#context.putImageData(image, left, top);
  }

  #drawIntervals(lane: Lane, y: number, fromNs: number, toNs: number): void {
    const context = this.#context;
    const height = LANE - LANE_GAP;
    const { startNs, endNs, what } = this.#model.intervalsOf(lane);
    let doneNs = fromNs;
    let lastPixel = -1;
    for (let index = firstEndingAfter(endNs, fromNs); index < endNs.length; index++) {
      if (startNs[index] >= toNs) break;
      const [from, to] = [Math.max(startNs[index], fromNs), Math.min(endNs[index], toNs)];
      if (lane.kind === 'pcpu' && from > doneNs) this.#fillUnknown(doneNs, from, y);
      doneNs = Math.max(doneNs, to);
      const x = this.xOf(from);
      const width = this.xOf(to) - x;
      const fill = this.#fillOf(lane, what[index]);
      if (fill === undefined) continue;
      // Many in one pixel: one is enough.
      if (width < 0.3 && Math.floor(x * 2) === lastPixel) continue;
      lastPixel = Math.floor(x * 2);
      context.fillStyle = fill;
      context.fillRect(x, y, Math.max(width, 0.6), height);
      if (width < LABEL_WIDTH_MIN) continue;
      this.#label(lane, index, x, y, width);
    }
    if (lane.kind === 'pcpu' && doneNs < toNs) this.#fillUnknown(doneNs, toNs, y);
  }

  #fillUnknown(fromNs: number, toNs: number, y: number): void {
    const x = this.xOf(fromNs);
    this.#context.fillStyle = this.#hatch;
    this.#context.fillRect(x, y, this.xOf(toNs) - x, LANE - LANE_GAP);
  }

  /** Undefined: the lane's own colour. */
  #fillOf(lane: Lane, what: number): string | CanvasPattern | undefined {
    if (lane.kind === 'pcpu') {
      if (this.#model.isIdle(what)) return undefined;
      return this.#palette.domains[this.#model.slotOf(this.#model.domainOf(what))];
    }
    if (what === BLOCKED) return undefined;
    return what === UNKNOWN ? this.#hatch : this.#palette.states[what];
  }

  #label(lane: Lane, index: number, x: number, y: number, width: number): void {
    const { what, pcpu } = this.#model.intervalsOf(lane);
    const isRunning = lane.kind === 'vcpu' && what[index] === RUNNING && pcpu[index] >= 0;
    const text =
      lane.kind === 'pcpu' ? this.#model.nameOf(what[index]) : isRunning ? `on ${pcpu[index]}` : '';
    const context = this.#context;
    context.font = '11px system-ui, sans-serif';
    const from = Math.max(x, GUTTER);
    if (text === '' || context.measureText(text).width + 8 > x + width - from) return;
    context.fillStyle = this.#palette.onColor;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.fillText(text, from + 4, y + (LANE - LANE_GAP) / 2 + 0.5);
  }

  #drawLost(lanes: readonly { lane: Lane; y: number }[]): void {
    const { fromNs, toNs } = this.#view;
    const rows = new Map(
      lanes.flatMap(({ lane, y }) => (lane.kind === 'pcpu' ? [[lane.of, y] as const] : [])),
    );
    for (const [pcpu, from, to] of this.#model.data.lost.spans) {
      const y = rows.get(pcpu);
      if (y === undefined || to < fromNs || from > toNs) continue;
      const x = this.xOf(from);
      const width = Math.max(2, this.xOf(to) - x);
      this.#context.fillStyle = this.#lostHatch;
      this.#context.fillRect(x, y, width, LANE - LANE_GAP);
      this.#context.fillStyle = this.#palette.lost;
      this.#context.fillRect(x, y, width, 2);
    }
  }

  /** One by one where there are not too many; else where some are. */
  #drawMarks(
    lanes: readonly { lane: Lane; y: number }[],
    pieces: readonly { fromNs: number; toNs: number; exact: boolean }[],
  ): void {
    const { fromNs, toNs, width, marks } = this.#view;
    const vcpuLanes = lanes.filter(({ lane }) => lane.kind === 'vcpu');
    const rows = new Map(vcpuLanes.map(({ lane, y }) => [lane.of, y]));
    let room = MARKS_MAX;
    for (const piece of pieces) {
      for (const { lane, y } of vcpuLanes) {
        if (piece.exact) {
          room = this.#drawOwnMarks(lane, y, piece.fromNs, piece.toNs, room);
          continue;
        }
        const stepNs = ((toNs - fromNs) / (width - GUTTER)) * 3;
        for (let at = piece.fromNs; at < piece.toNs; at += stepNs) {
          for (let kind = MARK.migration; kind < MARK_NAMES.length; kind++) {
            const some =
              marks[kind] && this.#model.marksIn(lane, kind, at, Math.min(at + stepNs, piece.toNs)) > 0;
            if (some) this.#drawMark(kind, this.xOf(at), y, true);
          }
        }
      }
    }
    const isExact = (tNs: number) =>
      pieces.some((piece) => piece.exact && tNs >= piece.fromNs && tNs < piece.toNs);
    const inView = this.#model.marks.filter(({ tNs }) => tNs >= fromNs && tNs <= toNs);
    const isCrowded = inView.length > (width - GUTTER) / 12;
    for (const { tNs, kind, vcpu } of inView) {
      if (!marks[kind]) continue;
      const y = rows.get(vcpu);
      if (y === undefined || (kind !== MARK.miss && !isExact(tNs))) continue;
      this.#drawMark(kind, this.xOf(tNs), y, isCrowded);
      if (--room < 0) return;
    }
  }

  /** Wake-ups and migrations; returns how much room is left. */
  #drawOwnMarks(lane: Lane, y: number, fromNs: number, toNs: number, room: number): number {
    const { startNs, endNs } = this.#model.ofVcpu[lane.of];
    let left = room;
    for (let index = firstEndingAfter(endNs, fromNs); index < startNs.length && left > 0; index++) {
      if (startNs[index] >= toNs) break;
      const kind = this.#model.markOf(lane.of, index);
      if (kind === undefined || !this.#view.marks[kind]) continue;
      this.#drawMark(kind, this.xOf(startNs[index]), y, false);
      left--;
    }
    return left;
  }

  #drawMark(kind: number, x: number, y: number, small: boolean): void {
    const context = this.#context;
    context.fillStyle = this.#palette.marks[kind];
    const bottom = y + LANE - LANE_GAP;
    if (small) {
      context.fillRect(x, kind === MARK.miss ? y - 1 : bottom - 2, 2, 3);
      return;
    }
    context.beginPath();
    if (kind === MARK.wake) triangle(context, x, bottom + 2, x - 3.5, bottom - 5, x + 3.5, bottom - 5);
    else if (kind === MARK.migration) triangle(context, x + 5, y + 5, x - 2, y, x - 2, y + 10);
    else if (kind === MARK.miss) {
      context.moveTo(x, y - 3);
      context.lineTo(x + 5, y + 3);
      context.lineTo(x, y + 9);
      context.lineTo(x - 5, y + 3);
    } else if (kind === MARK.reset) context.rect(x - 1, y - 1, 2, LANE - LANE_GAP + 2);
    else context.arc(x, y + 3, 3.5, 0, 2 * Math.PI);
    context.fill();
    context.strokeStyle = this.#palette.page;
    context.lineWidth = 1;
    context.stroke();
  }

  #drawSelection(lanes: readonly { lane: Lane; y: number }[]): void {
    const { selected, height } = this.#view;
    if (selected === undefined) return;
    const context = this.#context;
    const x = this.xOf(selected.startNs);
    const width = Math.max(2, this.xOf(selected.endNs) - x);
    context.fillStyle = `${this.#palette.select}22`;
    context.fillRect(x, RULER, width, height - RULER);
    const row = lanes.find(({ lane }) => lane === selected.lane);
    if (row === undefined) return;
    context.strokeStyle = this.#palette.select;
    context.lineWidth = 2;
    context.strokeRect(x, row.y - 1, width, LANE - LANE_GAP + 2);
  }

  #drawInstant(): void {
    const { instantNs, height } = this.#view;
    if (instantNs === undefined) return;
    this.#context.fillStyle = this.#palette.select;
    this.#context.fillRect(Math.round(this.xOf(instantNs)) - 1, RULER, 2, height - RULER);
  }

  #drawLabels(lanes: readonly { lane: Lane; y: number; order: number }[]): void {
    const context = this.#context;
    context.fillStyle = this.#palette.page;
    context.fillRect(0, RULER, GUTTER, this.#view.height - RULER);
    context.font = '12px system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const { lane, y, order } of lanes) {
      const isCurrent = order === this.#view.lane;
      if (isCurrent) {
        context.fillStyle = `${this.#palette.select}33`;
        context.fillRect(0, y, GUTTER - 4, LANE - LANE_GAP);
      }
      if (lane.kind === 'vcpu') {
        context.fillStyle = this.#palette.domains[this.#model.slotOf(this.#model.domainOf(lane.of))];
        context.fillRect(GUTTER - 8, y, 4, LANE - LANE_GAP);
      }
      context.fillStyle = this.#palette.text;
      context.fillText(lane.label, GUTTER - 14, y + (LANE - LANE_GAP) / 2 + 0.5);
    }
  }

  #drawRuler(pieces: readonly { fromNs: number; toNs: number; exact: boolean }[]): void {
    const { fromNs, toNs, width } = this.#view;
    const context = this.#context;
    context.fillStyle = this.#palette.page;
    context.fillRect(0, 0, width, RULER);
    context.font = '11px system-ui, sans-serif';
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    const spanNs = toNs - fromNs;
    const step = tickStep(spanNs, (width - GUTTER) / 110);
    for (let tick = Math.ceil(fromNs / step) * step; tick <= toNs; tick += step) {
      const x = this.xOf(tick);
      const label = formatTime(tick, step * 10);
      context.fillStyle = this.#palette.faint;
      context.fillRect(x, RULER - 8, 1, 6);
      if (x + 4 + context.measureText(label).width > width) continue;
      context.fillStyle = this.#palette.text;
      context.fillText(label, x + 4, 9);
    }
    // Under the ruler: where every interval is drawn, and where sums are.
    for (const piece of pieces) {
      context.fillStyle = piece.exact ? this.#palette.select : this.#palette.faint;
      const x = this.xOf(piece.fromNs);
      context.fillRect(x, RULER - 2, this.xOf(piece.toNs) - x, piece.exact ? 2 : 1);
    }
  }
}

function triangle(
  context: CanvasRenderingContext2D,
  ...[ax, ay, bx, by, cx, cy]: [number, number, number, number, number, number]
): void {
  context.moveTo(ax, ay);
  context.lineTo(bx, by);
  context.lineTo(cx, cy);
  context.closePath();
}

function hatch(context: CanvasRenderingContext2D, ground: string, line: string): CanvasPattern {
  const tile = document.createElement('canvas');
  tile.width = 6;
  tile.height = 6;
  const drawing = tile.getContext('2d')!;
  if (ground !== 'transparent') {
    drawing.fillStyle = ground;
    drawing.fillRect(0, 0, 6, 6);
  }
  drawing.strokeStyle = line;
  drawing.lineWidth = 1.5;
  drawing.beginPath();
  for (const shift of [-6, 0, 6]) {
    drawing.moveTo(shift, 6);
    drawing.lineTo(shift + 6, 0);
  }
  drawing.stroke();
  return context.createPattern(tile, 'repeat')!;
}
