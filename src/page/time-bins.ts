/** Bins at most; at least half as many are in use once the trace is longer than a few milliseconds. */
export const BINS_MAX = 16_384;
/** Numbers held over all lanes, 64 MiB: with more lanes there are fewer bins. */
const CELLS_MAX = 1 << 23;
const FIRST_WIDTH_NS = 1024;

/** What becomes of two neighbouring bins that are joined. */
export type Join = 'sum' | 'min' | 'max';

/** A lane's numbers: {@link TimeBins.count} for each component, one component after the other. */
interface Lane {
  readonly joins: readonly Join[];
  cells: Float64Array;
}

/**
 * Time, counts and extremes of lanes in equal bins, whatever the length of the trace: bins become twice as wide when
 * there would be too many of them. Intervals come in any order.
 */
export class TimeBins {
  /** In nanoseconds. */
  widthNs = FIRST_WIDTH_NS;
  /** Bins of each component. */
  count = BINS_MAX;
  readonly #fromNs: number;
  readonly #cellsMax: number;
  readonly #lanes: Lane[] = [];
  #components = 0;

  constructor(fromNs: number, cellsMax = CELLS_MAX) {
    this.#fromNs = fromNs;
    this.#cellsMax = cellsMax;
  }

  /** A new lane; one number for each component and bin. Bins of extremes begin as NaN. */
  addLane(joins: readonly Join[]): number {
    this.#components += joins.length;
    while (this.#components * this.count > this.#cellsMax && this.count > 1) this.#halve();
    const cells = new Float64Array(joins.length * this.count);
    for (const [index, join] of joins.entries()) {
      if (join !== 'sum') cells.fill(Number.NaN, index * this.count, (index + 1) * this.count);
    }
    return this.#lanes.push({ joins, cells }) - 1;
  }

  /** Numbers of a component, a bin each. */
  component(lane: number, component: number): Float64Array {
    return this.#lanes[lane].cells.subarray(component * this.count, (component + 1) * this.count);
  }

  addTime(lane: number, component: number, startNs: number, endNs: number): void {
    const start = Math.max(0, startNs - this.#fromNs);
    const end = endNs - this.#fromNs;
    if (!(end > start)) return;
    while (end > this.widthNs * this.count) this.#widen();
    const { widthNs } = this;
    const { cells } = this.#lanes[lane];
    const base = component * this.count;
    const first = Math.floor(start / widthNs);
    const last = Math.floor((end - 1) / widthNs);
    if (first === last) {
      cells[base + first] += end - start;
      return;
    }
    cells[base + first] += (first + 1) * widthNs - start;
    for (let bin = first + 1; bin < last; bin++) cells[base + bin] += widthNs;
    cells[base + last] += end - last * widthNs;
  }

  addCount(lane: number, component: number, atNs: number): void {
    const bin = this.#binOf(atNs);
    this.#lanes[lane].cells[component * this.count + bin]++;
  }

  /** Takes a value into the least and the most of its bin, which are the first two components of the lane. */
  addValue(lane: number, atNs: number, value: number): void {
    const bin = this.#binOf(atNs);
    const { cells } = this.#lanes[lane];
    if (!(cells[bin] <= value)) cells[bin] = value;
    if (!(cells[this.count + bin] >= value)) cells[this.count + bin] = value;
  }

  #binOf(atNs: number): number {
    const at = Math.max(0, atNs - this.#fromNs);
    while (at >= this.widthNs * this.count) this.#widen();
    return Math.floor(at / this.widthNs);
  }

  /** Twice as wide bins, as many. */
  #widen(): void {
    this.widthNs *= 2;
    for (const lane of this.#lanes) lane.cells = joined(lane, this.count, this.count);
  }

  /** Half as many bins, twice as wide. */
  #halve(): void {
    this.widthNs *= 2;
    for (const lane of this.#lanes) lane.cells = joined(lane, this.count, this.count >>> 1);
    this.count >>>= 1;
  }
}

/** The cells of a lane with neighbours joined: `before` bins become half as many, and room is made for `after`. */
function joined({ joins, cells }: Lane, before: number, after: number): Float64Array {
  const result = new Float64Array(joins.length * after);
  for (const [component, join] of joins.entries()) {
    const from = component * before;
    const to = component * after;
    for (let bin = 0; bin < before >>> 1; bin++) {
      result[to + bin] = joinTwo(join, cells[from + 2 * bin], cells[from + 2 * bin + 1]);
    }
    if (join !== 'sum') result.fill(Number.NaN, to + (before >>> 1), to + after);
  }
  return result;
}

function joinTwo(join: Join, a: number, b: number): number {
  if (join === 'sum') return a + b;
  if (Number.isNaN(a)) return b;
  if (Number.isNaN(b)) return a;
  return join === 'min' ? Math.min(a, b) : Math.max(a, b);
}
