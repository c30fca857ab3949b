import { refill } from './load-records.ts';
import type { RecordStreams } from './record-streams.ts';

/** Keys of a slice are sorted as 32-bit distances from its first one. */
const SLICE_TICKS_MAX = 2 ** 32;
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const INSERTION_SORT_ROWS = 48;

/**
 * A slice of time: the rows of all streams in it, in the order in which they come out.
 *
 * The merge does not compare heads record by record. It takes the longest stretch of time for which every
 * stream has loaded all its records, and sorts that by radix, so that hundreds of pCPUs cost no more than
 * four. The order:
 *
 * 1. by key (the TSC, or for a record without one the TSC of the record before it on its pCPU);
 * 2. equal keys: by pCPU number;
 * 3. equal pCPU: as in the file.
 */
export interface Slice {
  /** Rows of {@link RecordStreams}, `order[next]` up to `order[end]` are still to be taken. */
  order: Uint32Array;
  next: number;
  end: number;
  distance: Uint32Array;
  spareOrder: Uint32Array;
  spareDistance: Uint32Array;
  readonly histogram: Uint32Array;
}

export function createSlice(streams: RecordStreams): Slice {
  const rows = streams.count * streams.blockRows;
  return {
    order: new Uint32Array(rows),
    next: 0,
    end: 0,
    distance: new Uint32Array(rows),
    spareOrder: new Uint32Array(rows),
    spareDistance: new Uint32Array(rows),
    histogram: new Uint32Array(3 * DIGITS),
  };
}

/**
 * Refills the streams and makes the next slice. Returns false at the end of the trace.
 *
 * @param bound of a trace that is still being written: no record with a key below this one is still to come, and none
 * from there on is taken
 */
export function nextSlice(streams: RecordStreams, slice: Slice, bound = Number.POSITIVE_INFINITY): boolean {
  refillAll(streams);
  slice.next = 0;
  slice.end = 0;
  if (streams.order === 'file') return takeAll(streams, slice);
  const { count, row, rowEnd, done, keys } = streams;
  let first = Number.POSITIVE_INFINITY;
  let limit = bound;
  for (let s = 0; s < count; s++) {
    if (row[s] === rowEnd[s]) continue;
    if (keys[row[s]] < first) first = keys[row[s]];
    if (!done[s] && keys[rowEnd[s] - 1] < limit) limit = keys[rowEnd[s] - 1];
  }
  if (first === Number.POSITIVE_INFINITY || first >= bound) return false;
  if (limit > first) {
    limit = Math.min(limit, first + SLICE_TICKS_MAX);
    const contributors = stageBelow(streams, slice, first, limit);
    if (contributors > 1) sortByDistance(slice);
  } else stageEqual(streams, slice, first);
  streams.floorKey = keys[slice.order[slice.end - 1]];
  return true;
}

function refillAll(streams: RecordStreams): void {
  const { count, row, rowEnd, done, blockRows, blockWords, positions, wordEnd } = streams;
  for (let again = true; again; ) {
    again = false;
    for (let s = 0; s < count; s++) {
      if (done[s]) continue;
      const rows = rowEnd[s] - row[s];
      const words = rows === 0 ? 0 : wordEnd[s] - positions[row[s]];
      if (rows * 2 >= blockRows || words * 2 >= blockWords) continue;
      refill(streams, s);
      // Damage may leave a block without a row, and a window found inside another may wake a stream already
      // passed.
      if (rows === 0) again = true;
    }
  }
}

function takeAll(streams: RecordStreams, slice: Slice): boolean {
  for (let s = 0; s < streams.count; s++) stage(streams, slice, s, streams.rowEnd[s], 0);
  return slice.end > 0;
}

/**
 * Stages all rows with keys in [first, limit): no stream can bring another one of those. Returns from how
 * many streams.
 */
function stageBelow(streams: RecordStreams, slice: Slice, first: number, limit: number): number {
  const { count, row, rowEnd, keys } = streams;
  let contributors = 0;
  for (let s = 0; s < count; s++) {
    if (row[s] === rowEnd[s] || keys[row[s]] >= limit) continue;
    stage(streams, slice, s, lowerBound(keys, row[s], rowEnd[s], limit), first);
    contributors++;
  }
  return contributors;
}

/** The first of [from, to) whose key is not below `limit`. */
function lowerBound(keys: Float64Array, from: number, to: number, limit: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Stages a run of equal keys that fills a block to its end. The lowest stream that has the key has only
 * streams without it before it, so that all its rows come first.
 */
function stageEqual(streams: RecordStreams, slice: Slice, key: number): void {
  const { count, row, rowEnd, keys } = streams;
  for (let s = 0; s < count; s++) {
    if (row[s] === rowEnd[s] || keys[row[s]] !== key) continue;
    let end = row[s];
    while (end < rowEnd[s] && keys[end] === key) end++;
    stage(streams, slice, s, end, key);
    return;
  }
}

function stage(streams: RecordStreams, slice: Slice, s: number, rowEnd: number, first: number): void {
  const { keys, row } = streams;
  const { order, distance } = slice;
  let n = slice.end;
  for (let r = row[s]; r < rowEnd; r++) {
    order[n] = r;
    distance[n] = keys[r] - first;
    n++;
  }
  slice.end = n;
  row[s] = rowEnd;
}

/** Sorts the staged rows by distance; rows of equal distance keep the order in which they were staged. */
function sortByDistance(slice: Slice): void {
  const { end, distance, order, histogram } = slice;
  if (end <= INSERTION_SORT_ROWS) {
    insertionSort(distance, order, end);
    return;
  }
  histogram.fill(0);
  for (let i = 0; i < end; i++) {
    const d = distance[i];
    histogram[d & (DIGITS - 1)]++;
    histogram[DIGITS + ((d >>> DIGIT_BITS) & (DIGITS - 1))]++;
    histogram[2 * DIGITS + (d >>> (2 * DIGIT_BITS))]++;
  }
  for (let digit = 0; digit < 3; digit++) {
    if (histogram[digit * DIGITS] !== end) sortByDigit(slice, digit);
  }
}

function insertionSort(distance: Uint32Array, order: Uint32Array, end: number): void {
  for (let i = 1; i < end; i++) {
    const d = distance[i];
    const row = order[i];
    let j = i - 1;
    while (j >= 0 && distance[j] > d) {
      distance[j + 1] = distance[j];
      order[j + 1] = order[j];
      j--;
    }
    distance[j + 1] = d;
    order[j + 1] = row;
  }
}

function sortByDigit(slice: Slice, digit: number): void {
  const { end, order, distance, spareOrder, spareDistance, histogram } = slice;
  const base = digit * DIGITS;
  const shift = digit * DIGIT_BITS;
  let sum = 0;
  for (let i = base; i < base + DIGITS; i++) {
    const count = histogram[i];
    histogram[i] = sum;
    sum += count;
  }
  for (let i = 0; i < end; i++) {
    const d = distance[i];
    const to = histogram[base + ((d >>> shift) & (DIGITS - 1))]++;
    spareDistance[to] = d;
    spareOrder[to] = order[i];
  }
  slice.order = spareOrder;
  slice.distance = spareDistance;
  slice.spareOrder = order;
  slice.spareDistance = distance;
}
