/** Numbers held over all sums: 32 MiB. Beyond that, windows are joined in pairs and become twice as long. */
const CELLS_MAX = 1 << 22;

/**
 * Sums of time per window and series, for intervals that come in any order and may span many windows. Bounded memory:
 * {@link windowNs} doubles when there would be too many windows.
 */
export class WindowedSums {
  /** Length of a window, at least what was asked for. */
  windowNs: number;
  readonly #cellsMax: number;
  readonly #series: Float64Array[] = [];
  #windows = 64;

  constructor(windowNs: number, cellsMax = CELLS_MAX) {
    this.windowNs = windowNs;
    this.#cellsMax = cellsMax;
  }

  /** Adds an interval to a series. */
  add(series: number, startNs: number, endNs: number): void {
    if (!(endNs > startNs)) return;
    while (series >= this.#series.length) this.#series.push(new Float64Array(this.#windows));
    let last = Math.ceil(endNs / this.windowNs) - 1;
    while (last >= this.#windows) {
      this.#makeRoom();
      last = Math.ceil(endNs / this.windowNs) - 1;
    }
    const sums = this.#series[series];
    const first = Math.floor(startNs / this.windowNs);
    if (first === last) {
      sums[first] += endNs - startNs;
      return;
    }
    sums[first] += (first + 1) * this.windowNs - startNs;
    for (let window = first + 1; window < last; window++) sums[window] += this.windowNs;
    sums[last] += endNs - last * this.windowNs;
  }

  /** Takes `ns` back from the window that ends at or after `atNs`. */
  subtract(series: number, atNs: number, ns: number): void {
    this.#series[series][Math.ceil(atNs / this.windowNs) - 1] -= ns;
  }

  /** Time of a series within a window. */
  sum(series: number, window: number): number {
    return this.#series[series]?.[window] ?? 0;
  }

  #makeRoom(): void {
    if (this.#windows * 2 * this.#series.length > this.#cellsMax) {
      this.#joinPairs();
      return;
    }
    this.#windows *= 2;
    for (const [index, sums] of this.#series.entries()) {
      const grown = new Float64Array(this.#windows);
      grown.set(sums);
      this.#series[index] = grown;
    }
  }

  #joinPairs(): void {
    this.windowNs *= 2;
    for (const sums of this.#series) {
      for (let window = 0; window < sums.length; window++) {
        const pair = 2 * window;
        sums[window] = pair < sums.length ? sums[pair] + sums[pair + 1] : 0;
      }
    }
  }
}
