/** Numbers held over all sums: 32 MiB. Beyond that, windows are joined in pairs and become twice as long. */
const CELLS_MAX = 1 << 22;
/** Windows at most, however few sums there are: each costs time when it is looked at. */
const WINDOWS_MAX = 1 << 18;
const WINDOWS_AT_FIRST = 64;

/**
 * Sums of time per window and series, for intervals that come in any order and may span many windows. Bounded
 * memory: {@link windowNs} doubles when there would be too many windows. An interval within the window of the one
 * before it costs one addition.
 */
export class WindowedSums {
  /** Length of a window, at least what was asked for. */
  windowNs: number;
  /** Where the first window begins; nothing is added before. */
  readonly #fromNs: number;
  readonly #cellsMax: number;
  /** Sparse: a series is there when something was added to it. */
  readonly #series: Float64Array[] = [];
  #count = 0;
  /** Length of each series. */
  #windows = WINDOWS_AT_FIRST;
  /** The window that was added to last, and where it begins and ends. */
  #window = 0;
  #startNs: number;
  #endNs: number;

  constructor(windowNs: number, fromNs = 0, cellsMax = CELLS_MAX) {
    this.windowNs = windowNs;
    this.#fromNs = fromNs;
    this.#cellsMax = cellsMax;
    this.#startNs = fromNs;
    this.#endNs = fromNs + windowNs;
  }

  /** Adds an interval to a series. */
  add(series: number, startNs: number, endNs: number): void {
    const sums = this.#series[series];
    if (startNs >= this.#startNs && endNs <= this.#endNs && sums !== undefined) {
      sums[this.#window] += endNs - startNs;
    } else {
      this.#addSlowly(series, Math.max(startNs, this.#fromNs), endNs);
    }
  }

  /** Adds `ns` to the window in which `atNs` lies; at a border, to the one that begins there. */
  addAt(series: number, atNs: number, ns: number): void {
    if (!(atNs >= this.#startNs && atNs < this.#endNs && this.#series[series] !== undefined)) {
      this.#goTo(series, Math.max(atNs, this.#fromNs));
    }
    this.#series[series][this.#window] += ns;
  }

  /** Nothing was added to windows from here on. */
  get count(): number {
    return this.#windows;
  }

  /** Time of a series by window, of the first {@link count} ones; empty where nothing was added at all. */
  sums(series: number): Float64Array {
    return this.#series[series] ?? NOTHING;
  }

  /** Time of a series within a window. */
  sum(series: number, window: number): number {
    return at(this.sums(series), window);
  }

  #addSlowly(series: number, startNs: number, endNs: number): void {
    if (!(endNs > startNs)) return;
    // The end first: it makes room, which may make windows longer.
    this.#goTo(series, Math.max(startNs, endNs - 1));
    const sums = this.#series[series];
    const first = this.#windowOf(startNs);
    const last = this.#window;
    if (first === last) {
      sums[first] += endNs - startNs;
      return;
    }
    const { windowNs } = this;
    sums[first] += this.#fromNs + (first + 1) * windowNs - startNs;
    for (let window = first + 1; window < last; window++) sums[window] += windowNs;
    sums[last] += endNs - this.#startNs;
  }

  /** Makes the window of `atNs` the present one, and room for it. */
  #goTo(series: number, atNs: number): void {
    if (this.#series[series] === undefined) this.#addSeries(series);
    while (this.#windowOf(atNs) >= this.#windows) this.#makeRoom();
    this.#window = this.#windowOf(atNs);
    this.#startNs = this.#fromNs + this.#window * this.windowNs;
    this.#endNs = this.#startNs + this.windowNs;
  }

  #windowOf(ns: number): number {
    return Math.floor((ns - this.#fromNs) / this.windowNs);
  }

  #addSeries(series: number): void {
    this.#count++;
    while (this.#count * this.#windows > this.#cellsMax && this.#windows > 1) {
      this.#joinPairs();
      this.#resize(this.#windows >>> 1);
    }
    this.#series[series] = new Float64Array(this.#windows);
  }

  #makeRoom(): void {
    const windows = this.#windows * 2;
    if (windows > WINDOWS_MAX || windows * this.#count > this.#cellsMax) this.#joinPairs();
    else this.#resize(windows);
  }

  #resize(windows: number): void {
    this.#series.forEach((sums, index) => {
      const resized = new Float64Array(windows);
      resized.set(windows < sums.length ? sums.subarray(0, windows) : sums);
      this.#series[index] = resized;
    });
    this.#windows = windows;
  }

  #joinPairs(): void {
    this.windowNs *= 2;
    this.#series.forEach((sums) => {
      for (let window = 0; window < sums.length; window++) {
        const pair = 2 * window;
        sums[window] = pair < sums.length ? sums[pair] + at(sums, pair + 1) : 0;
      }
    });
    this.#endNs = this.#startNs; // No interval lies in it: the next one finds its window anew.
  }
}

const NOTHING = new Float64Array(0);

/** A window's sum; nothing was added where there is none. */
export function at(sums: Float64Array, window: number): number {
  return window < sums.length ? sums[window] : 0;
}
