import { createRecordBatch, type RecordBatch } from './record-batch.ts';
import type { TraceReader } from './trace-reader.ts';

/**
 * The records around the beginning and around the end of a stretch of time, in time order; none is there
 * twice.
 */
export interface RecordsAround {
  /** The last ones up to the instant at which it begins. */
  readonly before: RecordBatch;
  /** The first ones after that instant and before its end. */
  readonly begun: RecordBatch;
  /** The last ones before the instant at which it ends, but for those of `begun`. */
  readonly ending: RecordBatch;
  /** The first ones from that instant on. */
  readonly after: RecordBatch;
}

/**
 * Finds the records around stretches of time, reading `reader` from where it is, as far as it must. Of
 * records that `takes` accepts there are `count` in each part, or fewer: where the stretch is short, where
 * the trace begins or ends, or where it accepts so few that `before` and `ending` would reach back by more
 * than a batch (65,536 records).
 *
 * @param reader in time order, such as `reopen()` gives
 * @param takes whether a record is wanted for the stretch with this index
 */
export function recordsAround(
  reader: TraceReader,
  stretches: readonly { readonly startNs: number; readonly endNs: number }[],
  count: number,
  takes: (batch: RecordBatch, row: number, stretch: number) => boolean = () => true,
): RecordsAround[] {
  const searches = stretches.map(({ startNs, endNs }, index) => {
    return new Search(startNs, endNs, count, (batch, row) => takes(batch, row, index));
  });
  let last = createRecordBatch();
  let batch = createRecordBatch();
  let rowsBefore = 0;
  while (searches.some(({ isDone }) => !isDone) && reader.readBatch(batch)) {
    for (const search of searches) search.look(last, batch, rowsBefore);
    rowsBefore += batch.count;
    [last, batch] = [batch, last];
  }
  for (const search of searches) search.finish(last, rowsBefore);
  return searches;
}

/** Gathers the records around one stretch. Rows are numbered through the whole trace. */
class Search implements RecordsAround {
  readonly before: RecordBatch;
  readonly begun: RecordBatch;
  readonly ending: RecordBatch;
  readonly after: RecordBatch;
  readonly #startNs: number;
  readonly #endNs: number;
  readonly #accepts: (batch: RecordBatch, row: number) => boolean;
  /** The first row after the beginning, and after those of `begun`; -1 while it is still to come. */
  #innerRow = -1;
  #hasEnded = false;

  constructor(
    startNs: number,
    endNs: number,
    count: number,
    accepts: (batch: RecordBatch, row: number) => boolean,
  ) {
    this.#startNs = startNs;
    this.#endNs = endNs;
    this.#accepts = accepts;
    this.before = createRecordBatch(count);
    this.begun = createRecordBatch(count);
    this.ending = createRecordBatch(count);
    this.after = createRecordBatch(count);
  }

  get isDone(): boolean {
    return this.#hasEnded && this.after.count === this.after.event.length;
  }

  /**
   * Looks at the rows of `batch`, of which there were `rowsBefore` before it; `last` is the batch before it.
   */
  look(last: RecordBatch, batch: RecordBatch, rowsBefore: number): void {
    const begin = firstRow(batch, (tNs) => tNs > this.#startNs);
    const end = Math.max(
      begin,
      firstRow(batch, (tNs) => tNs >= this.#endNs),
    );
    if (this.#innerRow < 0 && begin < batch.count) {
      this.#takeLast(last, batch, begin, rowsBefore, 0, this.before);
      this.#innerRow = rowsBefore + begin;
    }
    const taken = this.#takeFirst(batch, begin, end, this.begun);
    if (taken > begin) this.#innerRow = rowsBefore + taken;
    if (!this.#hasEnded && end < batch.count) {
      this.#takeLast(last, batch, end, rowsBefore, this.#innerRow, this.ending);
      this.#hasEnded = true;
    }
    this.#takeFirst(batch, end, batch.count, this.after);
  }

  /** The trace ends after `last`, with `rows` rows in all. */
  finish(last: RecordBatch, rows: number): void {
    const none = createRecordBatch(1);
    const rowsBefore = rows - last.count;
    if (this.#innerRow < 0) this.#takeLast(none, last, last.count, rowsBefore, 0, this.before);
    else if (!this.#hasEnded) this.#takeLast(none, last, last.count, rowsBefore, this.#innerRow, this.ending);
  }

  /**
   * Copies the first wanted of rows [from, to), as many as there is room for. Returns the row after the last.
   */
  #takeFirst(batch: RecordBatch, from: number, to: number, target: RecordBatch): number {
    const room = target.event.length;
    let next = from;
    for (let row = from; row < to && target.count < room; row++) {
      if (!this.#accepts(batch, row)) continue;
      copyRecord(batch, row, target);
      next = row + 1;
    }
    return next;
  }

  /** Copies the last wanted rows before row `end` of `batch`, from row `lowest` of the trace on. */
  #takeLast(
    last: RecordBatch,
    batch: RecordBatch,
    end: number,
    rowsBefore: number,
    lowest: number,
    target: RecordBatch,
  ): void {
    const rows: [RecordBatch, number][] = [];
    const room = target.event.length;
    for (let row = end - 1; row >= -last.count && rows.length < room; row--) {
      if (rowsBefore + row < lowest) break;
      const from: [RecordBatch, number] = row < 0 ? [last, last.count + row] : [batch, row];
      if (this.#accepts(...from)) rows.push(from);
    }
    for (const [from, row] of rows.reverse()) copyRecord(from, row, target);
  }
}

/** The first row whose time is `past`, or the number of rows: times ascend. */
function firstRow({ tNs, count }: RecordBatch, past: (tNs: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (past(tNs[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

function copyRecord(from: RecordBatch, row: number, target: RecordBatch): void {
  const to = target.count++;
  for (const column of ['event', 'layout', 'pcpu', 'hasTsc', 'tscLow', 'tscHigh', 'tNs'] as const)
    target[column][to] = from[column][row];
  const words = from.words.subarray(from.wordsOffset[row], from.wordsOffset[row + 1]);
  target.words.set(words, target.wordsOffset[to]);
  target.wordsOffset[to + 1] = target.wordsOffset[to] + words.length;
}
