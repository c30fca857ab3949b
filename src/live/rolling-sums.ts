/** Length of a slice: windows are whole numbers of them. */
export const SLICE_NS = 100_000_000;
/** The longest window, and a second for what is told late. */
const SLICES = 110;

/**
 * Sums by series over slices of time, of which the last {@link SLICES} are kept, and over all time. A key (a vCPU, a
 * pCPU) has the same number of series each: series `key * columns + column`.
 */
export class RollingSums {
  readonly columns: number;
  /** By series: the sum of everything ever added. */
  totals: Float64Array;
  /** By slice modulo {@link SLICES}: the sums by series. */
  readonly #slots: Float64Array[];
  /** The last slice; the ones before it are those that are kept. */
  #head = SLICES - 1;

  constructor(columns: number) {
    this.columns = columns;
    this.totals = new Float64Array(16 * columns);
    this.#slots = Array.from({ length: SLICES }, () => new Float64Array(16 * columns));
  }

  /** Adds the time from `startNs` to `endNs`. */
  add(key: number, column: number, startNs: number, endNs: number): void {
    const series = this.#seriesOf(key, column);
    this.totals[series] += endNs - startNs;
    const last = this.#reach(endNs - 1);
    let slice = Math.max(Math.floor(startNs / SLICE_NS), this.#head - SLICES + 1);
    for (; slice <= last; slice++) {
      const fromNs = Math.max(startNs, slice * SLICE_NS);
      const toNs = Math.min(endNs, (slice + 1) * SLICE_NS);
      this.#slots[slice % SLICES][series] += toNs - fromNs;
    }
  }

  /** Adds `amount` at an instant. */
  addAt(key: number, column: number, atNs: number, amount: number): void {
    const series = this.#seriesOf(key, column);
    this.totals[series] += amount;
    const slice = this.#reach(atNs);
    if (slice > this.#head - SLICES) this.#slots[slice % SLICES][series] += amount;
  }

  /** What was added to a series in the slices from `fromNs` to `toNs`; all of it where `fromNs` is infinite. */
  sum(key: number, column: number, fromNs: number, toNs: number): number {
    const series = key * this.columns + column;
    if (series >= this.totals.length) return 0;
    if (fromNs === Number.NEGATIVE_INFINITY) return this.totals[series];
    let sum = 0;
    const last = Math.min(this.#head, toNs / SLICE_NS - 1);
    for (let slice = Math.max(fromNs / SLICE_NS, this.#head - SLICES + 1); slice <= last; slice++)
      sum += this.#slots[slice % SLICES][series];
    return sum;
  }

  /** The slice of an instant; makes it the last one, if it is later. */
  #reach(atNs: number): number {
    const slice = Math.max(0, Math.floor(atNs / SLICE_NS));
    if (slice > this.#head) {
      for (let gone = Math.max(this.#head + 1, slice - SLICES + 1); gone <= slice; gone++)
        this.#slots[gone % SLICES].fill(0);
      this.#head = slice;
    }
    return slice;
  }

  #seriesOf(key: number, column: number): number {
    const series = key * this.columns + column;
    if (series >= this.totals.length) this.#grow((key + 1) * this.columns);
    return series;
  }

  #grow(series: number): void {
    const size = 2 ** Math.ceil(Math.log2(series));
    const grown = (sums: Float64Array) => {
      const copy = new Float64Array(size);
      copy.set(sums);
      return copy;
    };
    this.totals = grown(this.totals);
    for (const [slot, sums] of this.#slots.entries()) this.#slots[slot] = grown(sums);
  }
}
