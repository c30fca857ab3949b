/** Rows held: beyond that, windows are joined in pairs and become twice as long. */
const ROWS_MAX = 1 << 13;
/** Windows in the time looked at: likewise. */
const WINDOWS_MAX = 1 << 12;
/**
 * Things that are followed over time; what comes after them is left out. Fewer than rows, so that joining
 * ends.
 */
export const SUBJECTS_MAX = 2_048;

/** What is known of one thing in one window. */
export interface SeriesRow {
  /** Index of the window. */
  window: number;
  readonly subject: number;
  min: number;
  max: number;
  last: number;
  /** The mean is the sum over the weight: a count of samples, or a time. */
  sum: number;
  weight: number;
  count: number;
  /** Known time over the whole, summed over vCPUs; 0 of 0 where it is no matter of time. */
  knownNs: number;
  wholeNs: number;
}

/**
 * Numbers over time: a row for each window and thing. Bounded memory: {@link windowNs} doubles when there
 * would be too many rows. Rows of a thing come in time order; those of different things, in any.
 */
export class SeriesRows {
  /** Length of a window, at least what was asked for. */
  windowNs: number;
  readonly fromNs: number;
  readonly #rowsMax: number;
  #rows: SeriesRow[] = [];

  constructor(fromNs: number, windowNs: number, rowsMax = ROWS_MAX) {
    this.fromNs = fromNs;
    this.windowNs = windowNs;
    this.#rowsMax = rowsMax;
  }

  /** The window that `tNs` lies in; windows become longer where there would be too many of them. */
  windowOf(tNs: number): number {
    while (tNs - this.fromNs >= this.windowNs * WINDOWS_MAX) this.#join();
    return Math.max(0, Math.floor((tNs - this.fromNs) / this.windowNs));
  }

  startOf(window: number): number {
    return this.fromNs + window * this.windowNs;
  }

  /** @param row its window is set to that of `startNs`, where what it tells began */
  add(startNs: number, row: SeriesRow): void {
    row.window = this.windowOf(startNs);
    this.#rows.push(row);
    while (this.#rows.length >= this.#rowsMax) this.#join();
  }

  /** All rows, by subject and then by time. */
  rows(): readonly SeriesRow[] {
    this.#merge();
    return this.#rows;
  }

  #join(): void {
    this.windowNs *= 2;
    for (const row of this.#rows) row.window = Math.floor(row.window / 2);
    this.#merge();
  }

  /** Puts the rows of one window and subject together. */
  #merge(): void {
    this.#rows.sort((a, b) => a.subject - b.subject || a.window - b.window);
    const merged: SeriesRow[] = [];
    for (const row of this.#rows) {
      const into = merged.at(-1);
      if (into === undefined || into.subject !== row.subject || into.window !== row.window) merged.push(row);
      else join(into, row);
    }
    this.#rows = merged;
  }
}

function join(into: SeriesRow, later: SeriesRow): void {
  into.min = Math.min(into.min, later.min);
  into.max = Math.max(into.max, later.max);
  into.last = later.last;
  into.sum += later.sum;
  into.weight += later.weight;
  into.count += later.count;
  into.knownNs += later.knownNs;
  into.wholeNs += later.wholeNs;
}
