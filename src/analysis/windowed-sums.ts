/** Numbers held over all sums: 32 MiB. Beyond that, windows are joined in pairs and become twice as long. */
const CELLS_MAX = 1 << 22;
/** Windows at most, however few sums there are: each costs time when it is looked at. */
const WINDOWS_MAX = 1 << 18;
const WINDOWS_AT_FIRST = 64;

/** Columns that are added at once, at least. */
const COLUMNS_MORE = 16;
/** The column of series that nothing was added to: zero in every window. */
const NO_COLUMN = 0;

/**
 * Sums of time per window and series, for intervals that come in any order and may span many windows. Bounded
 * memory: {@link windowNs} doubles when there would be too many windows. An interval within the window of the one
 * before it costs one addition.
 *
 * The sums of one window are neighbours: that is how they are added to, and how they are looked at.
 */
export class WindowedSums {
  /** Length of a window, at least what was asked for. */
  windowNs: number;
  /** Where the first window begins; nothing is added before. */
  readonly #fromNs: number;
  readonly #cellsMax: number;
  /** By window, {@link #stride} numbers each: by column. */
  #cells: Float64Array;
  #stride = COLUMNS_MORE;
  /** By series: its column, {@link NO_COLUMN} until something is added to it. */
  #columns = new Int32Array(64);
  /** Series that something was added to: columns 1 to here. */
  #count = 0;
  #windows = WINDOWS_AT_FIRST;
  /** The window that was added to last, where it begins and ends, and where its numbers begin. */
  #window = 0;
  #startNs: number;
  #endNs: number;
  #row = 0;

  constructor(windowNs: number, fromNs = 0, cellsMax = CELLS_MAX) {
    this.windowNs = windowNs;
    this.#fromNs = fromNs;
    this.#cellsMax = cellsMax;
    this.#cells = new Float64Array(this.#windows * this.#stride);
    this.#startNs = fromNs;
    this.#endNs = fromNs + windowNs;
  }

  /** Adds an interval to a series. */
  add(series: number, startNs: number, endNs: number): void {
    const column = this.column(series);
    if (startNs >= this.#startNs && endNs <= this.#endNs && column !== NO_COLUMN) {
      this.#cells[this.#row + column] += endNs - startNs;
    } else {
      this.#addSlowly(series, Math.max(startNs, this.#fromNs), endNs);
    }
  }

  /** Adds `ns` to the window in which `atNs` lies; at a border, to the one that begins there. */
  addAt(series: number, atNs: number, ns: number): void {
    if (!(atNs >= this.#startNs && atNs < this.#endNs && this.column(series) !== NO_COLUMN)) {
      this.#goTo(series, Math.max(atNs, this.#fromNs));
    }
    this.#cells[this.#row + this.column(series)] += ns;
  }

  /** Nothing was added to windows from here on. */
  get count(): number {
    return this.#windows;
  }

  /** The sums: that of a series in a window is at {@link row} plus {@link column}. Good until something is added. */
  get cells(): Float64Array {
    return this.#cells;
  }

  /** Where the sums of a window begin, which is below {@link count}. */
  row(window: number): number {
    return window * this.#stride;
  }

  /** The place of a series in each window; where nothing was added to it, a place with zeros. */
  column(series: number): number {
    return series < this.#columns.length ? this.#columns[series] : NO_COLUMN;
  }

  /** Time of a series within a window. */
  sum(series: number, window: number): number {
    return window < this.#windows ? this.#cells[this.row(window) + this.column(series)] : 0;
  }

  #addSlowly(series: number, startNs: number, endNs: number): void {
    if (!(endNs > startNs)) return;
    // The end first: it makes room, which may make windows longer.
    this.#goTo(series, Math.max(startNs, endNs - 1));
    const cells = this.#cells;
    const column = this.column(series);
    const first = this.#windowOf(startNs);
    const last = this.#window;
    if (first === last) {
      cells[this.#row + column] += endNs - startNs;
      return;
    }
    const { windowNs } = this;
    cells[this.row(first) + column] += this.#fromNs + (first + 1) * windowNs - startNs;
    for (let window = first + 1; window < last; window++) cells[this.row(window) + column] += windowNs;
    cells[this.#row + column] += endNs - this.#startNs;
  }

  /** Makes the window of `atNs` the present one, and room for it. */
  #goTo(series: number, atNs: number): void {
    if (this.column(series) === NO_COLUMN) this.#addSeries(series);
    while (this.#windowOf(atNs) >= this.#windows) this.#makeRoom();
    this.#window = this.#windowOf(atNs);
    this.#row = this.row(this.#window);
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
      this.#resize(this.#windows >>> 1, this.#stride);
    }
    if (this.#count >= this.#stride) {
      this.#resize(this.#windows, this.#stride + Math.max(COLUMNS_MORE, this.#stride >>> 2));
    }
    while (series >= this.#columns.length) this.#growColumns();
    this.#columns[series] = this.#count;
  }

  #growColumns(): void {
    const columns = new Int32Array(this.#columns.length * 2);
    columns.set(this.#columns);
    this.#columns = columns;
  }

  #makeRoom(): void {
    const windows = this.#windows * 2;
    if (windows > WINDOWS_MAX || windows * this.#count > this.#cellsMax) this.#joinPairs();
    else this.#resize(windows, this.#stride);
  }

  #resize(windows: number, stride: number): void {
    const [cells, before] = [this.#cells, this.#stride];
    const resized = new Float64Array(windows * stride);
    if (stride === before) {
      resized.set(cells.length > resized.length ? cells.subarray(0, resized.length) : cells);
    } else {
      for (let window = 0; window < windows; window++) {
        resized.set(cells.subarray(window * before, (window + 1) * before), window * stride);
      }
    }
    this.#cells = resized;
    this.#stride = stride;
    this.#windows = windows;
  }

  #joinPairs(): void {
    this.windowNs *= 2;
    const [cells, stride] = [this.#cells, this.#stride];
    const pairs = (this.#windows + 1) >>> 1;
    for (let window = 0; window < pairs; window++) {
      const [to, first] = [this.row(window), this.row(2 * window)];
      cells.copyWithin(to, first, first + stride);
      if (2 * window + 1 === this.#windows) continue;
      for (let column = 0; column < stride; column++) cells[to + column] += cells[first + stride + column];
    }
    cells.fill(0, this.row(pairs));
    this.#endNs = this.#startNs; // No interval lies in it: the next one finds its window anew.
  }
}
