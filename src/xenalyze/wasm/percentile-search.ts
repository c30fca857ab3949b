/**
 * The search for percentiles; see ../percentiles.ts. A sample lies in the memory in numbers of eight bytes, with
 * {@link SCRATCH_BYTES} in front of it in which nobody else writes.
 * @module
 */
import { SCRATCH_BYTES } from './percentile-layout.ts';
import { divide } from './sample-rules.ts';

/** Below so many values, they are compared one by one. */
const BLOCK = 64;
/** Partitions of fewer values are not remembered. */
const REMEMBERED_MIN = 256;
const REMEMBERED_MAX = 128;

/** Where the sample lies. In front of it: of the values of a block that are to be swapped, their places in it; */
let values: usize = 0;
let low: usize = 0;
let high: usize = 0;
/** the partitions of large ranges so far: pivots, and where each ended. */
let pivots: usize = 0;
let is: usize = 0;
let js: usize = 0;
let known = 0;

/** Where the last partition ended: values up to endJ are not above the pivot, those from endI on not below it. */
let endI = 0;
let endJ = 0;

let count = 0;
let total: f64 = 0;

/** Begins with a sample of so many values at an address. */
export function begin(at: usize, length: i32): void {
  values = at;
  pivots = at - SCRATCH_BYTES;
  is = pivots + REMEMBERED_MAX * 8;
  js = is + REMEMBERED_MAX * 4;
  low = js + REMEMBERED_MAX * 4;
  high = low + BLOCK + 1;
  count = length;
  known = 0;
  total = sum(0, count - 1);
}

/** The value that so many percent of the values are below. */
export function percentile(percent: i32): f64 {
  const wanted = <i32>((<i64>count * percent) / 100);
  let left = 0;
  let right = count - 1;
  while (left < right) {
    partition(left, right, valueAt(wanted));
    if (endJ < wanted) left = endI;
    if (wanted < endI) right = endJ;
  }
  return valueAt(wanted);
}

/** The value below which lie so many percent of the sum of all. */
export function selfWeighted(percent: f64): f64 {
  const wanted = divide(total * percent, 100);
  let left = 0;
  let right = count - 1;
  // Of the values in front of the range, and of those up to its end. xenalyze's sum up to a place on the right lacks
  // what was the last value when the search began.
  let before: f64 = 0;
  let upTo = total;
  const lacking = valueAt(right);
  while (left < right) {
    partition(left, right, valueAt((left + right) >> 1));
    const i = endI;
    const j = endJ;
    const between = i - j > 1 ? valueAt(j + 1) : 0;
    let upToJ: f64 = 0;
    if (j - left < right - i) upToJ = before + sum(left, j);
    else upToJ = upTo - sum(i, right) - between;
    // With negative durations there may be no way on: xenalyze would go round for ever.
    if (upToJ - lacking >= wanted && wanted >= upToJ + between) break;
    if (upToJ - lacking < wanted) left = i;
    if (wanted < upToJ + between) right = j;
    if (left === i) before = upToJ + between;
    if (right === j) upTo = upToJ;
  }
  return valueAt(left);
}

/** Hoare's partition of a range by a pivot that is in it. */
function partition(left: i32, right: i32, pivot: f64): void {
  endI = left;
  endJ = right;
  const isLarge = right - left >= REMEMBERED_MIN;
  if (isLarge) {
    passKnown(pivot);
    partitionBlocks(pivot);
  }
  partitionRest(pivot);
  if (isLarge && known < REMEMBERED_MAX) {
    store<f64>(pivots + known * 8, pivot);
    store<i32>(is + known * 4, endI);
    store<i32>(js + known * 4, endJ);
    known++;
  }
}

/** Passes over what earlier partitions have put on the side of the pivot where it belongs. */
function passKnown(pivot: f64): void {
  for (let k = 0; k < known; k++) {
    const other = load<f64>(pivots + k * 8);
    if (other < pivot) endI = max(endI, load<i32>(is + k * 4));
    if (other > pivot) endJ = min(endJ, load<i32>(js + k * 4));
  }
}

/** Partitions as long as there are two blocks in between. */
function partitionBlocks(pivot: f64): void {
  // Beginnings of the blocks; what is to be swapped in each, and how much of that was.
  let l = endI;
  let r = endJ;
  let lows = 0;
  let lowsDone = 0;
  let highs = 0;
  let highsDone = 0;
  while (r - l >= 2 * BLOCK) {
    if (lows === lowsDone) {
      lowsDone = 0;
      lows = findNotBelow(placeOf(l), pivot);
    }
    if (highs === highsDone) {
      highsDone = 0;
      highs = findNotAbove(placeOf(r), pivot);
    }
    const swaps = min(lows - lowsDone, highs - highsDone);
    swapPairs(placeOf(l), low + lowsDone, placeOf(r), high + highsDone, swaps);
    lowsDone += swaps;
    highsDone += swaps;
    if (lows === lowsDone) l += BLOCK;
    if (highs === highsDone) r -= BLOCK;
  }
  endI = lows === lowsDone ? l : l + load<u8>(low + lowsDone);
  endJ = highs === highsDone ? r : r - load<u8>(high + highsDone);
}

/** Swaps values whose places behind `left` and in front of `right` are listed. */
function swapPairs(left: usize, lows: usize, right: usize, highs: usize, swaps: i32): void {
  for (let k = 0; k < swaps; k++)
    swap(left + (usize(load<u8>(lows + k)) << 3), right - (usize(load<u8>(highs + k)) << 3));
}

function partitionRest(pivot: f64): void {
  let p = placeOf(endI);
  let q = placeOf(endJ);
  do {
    while (load<f64>(p) < pivot) p += 8;
    while (pivot < load<f64>(q)) q -= 8;
    if (p <= q) {
      swap(p, q);
      p += 8;
      q -= 8;
    }
  } while (p <= q);
  endI = indexOf(p);
  endJ = indexOf(q);
}

/**
 * Finds the values of a block from `start` on that are not below the pivot: puts their places, returns their number.
 * There is no branch that depends on values.
 */
function findNotBelow(start: usize, pivot: f64): i32 {
  let next = low;
  let at = start;
  for (let k = 0; k < BLOCK; k += 4) {
    store<u8>(next, k);
    next += usize(load<f64>(at) >= pivot);
    store<u8>(next, k + 1);
    next += usize(load<f64>(at, 8) >= pivot);
    store<u8>(next, k + 2);
    next += usize(load<f64>(at, 16) >= pivot);
    store<u8>(next, k + 3);
    next += usize(load<f64>(at, 24) >= pivot);
    at += 32;
  }
  return i32(next - low);
}

/** Likewise, backwards from `start`, those that are not above the pivot. */
function findNotAbove(start: usize, pivot: f64): i32 {
  let next = high;
  let at = start;
  for (let k = 0; k < BLOCK; k += 4) {
    store<u8>(next, k);
    next += usize(load<f64>(at) <= pivot);
    store<u8>(next, k + 1);
    next += usize(load<f64>(at - 8) <= pivot);
    store<u8>(next, k + 2);
    next += usize(load<f64>(at - 16) <= pivot);
    store<u8>(next, k + 3);
    next += usize(load<f64>(at - 24) <= pivot);
    at -= 32;
  }
  return i32(next - high);
}

function swap(p: usize, q: usize): void {
  const value = load<f64>(p);
  store<f64>(p, load<f64>(q));
  store<f64>(q, value);
}

function sum(from: i32, to: i32): f64 {
  let a: f64 = 0;
  let b: f64 = 0;
  let c: f64 = 0;
  let d: f64 = 0;
  let at = placeOf(from);
  let rest = to - from + 1;
  for (; rest >= 4; rest -= 4) {
    a += load<f64>(at);
    b += load<f64>(at, 8);
    c += load<f64>(at, 16);
    d += load<f64>(at, 24);
    at += 32;
  }
  for (; rest > 0; rest--) {
    a += load<f64>(at);
    at += 8;
  }
  return a + b + (c + d);
}

function placeOf(index: i32): usize {
  return values + index * 8;
}

function indexOf(place: usize): i32 {
  return i32(place - values) >> 3;
}

function valueAt(index: i32): f64 {
  return load<f64>(placeOf(index));
}
