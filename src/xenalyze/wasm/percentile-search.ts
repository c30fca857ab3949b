/**
 * The search for percentiles; see ../percentiles.ts. A sample lies in the memory from {@link VALUES} on, in numbers of
 * eight bytes.
 * @module
 */
import { VALUES } from './percentile-layout.ts';

/** Below so many values, they are compared one by one. */
const BLOCK = 128;
/** Partitions of fewer values are not remembered. */
const REMEMBERED_MIN = 256;
const REMEMBERED_MAX = 128;

/** Of the values of a block that are to be swapped: their places in it. */
const LOW = memory.data(BLOCK + 1);
const HIGH = memory.data(BLOCK + 1);
/** The partitions of large ranges so far: pivots, and where each ended. */
const PIVOTS = memory.data(REMEMBERED_MAX * 8, 8);
const IS = memory.data(REMEMBERED_MAX * 4, 4);
const JS = memory.data(REMEMBERED_MAX * 4, 4);
let known = 0;

/** Where the last partition ended: values up to endJ are not above the pivot, those from endI on not below it. */
let endI = 0;
let endJ = 0;

let count = 0;
let total: f64 = 0;

/** Begins with a sample of so many values. */
export function begin(values: i32): void {
  count = values;
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
    store<f64>(PIVOTS + known * 8, pivot);
    store<i32>(IS + known * 4, endI);
    store<i32>(JS + known * 4, endJ);
    known++;
  }
}

/** Passes over what earlier partitions have put on the side of the pivot where it belongs. */
function passKnown(pivot: f64): void {
  for (let k = 0; k < known; k++) {
    const other = load<f64>(PIVOTS + k * 8);
    if (other < pivot) endI = max(endI, load<i32>(IS + k * 4));
    if (other > pivot) endJ = min(endJ, load<i32>(JS + k * 4));
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
    for (let k = 0; k < swaps; k++)
      swap(placeOf(l + load<u8>(LOW + lowsDone + k)), placeOf(r - load<u8>(HIGH + highsDone + k)));
    lowsDone += swaps;
    highsDone += swaps;
    if (lows === lowsDone) l += BLOCK;
    if (highs === highsDone) r -= BLOCK;
  }
  endI = lows === lowsDone ? l : l + load<u8>(LOW + lowsDone);
  endJ = highs === highsDone ? r : r - load<u8>(HIGH + highsDone);
}

function partitionRest(pivot: f64): void {
  let i = endI;
  let j = endJ;
  do {
    while (valueAt(i) < pivot) i++;
    while (pivot < valueAt(j)) j--;
    if (i <= j) {
      swap(placeOf(i), placeOf(j));
      i++;
      j--;
    }
  } while (i <= j);
  endI = i;
  endJ = j;
}

/**
 * Finds the values of a block from `start` on that are not below the pivot: puts their places, returns their number.
 * There is no branch that depends on values.
 */
function findNotBelow(start: usize, pivot: f64): i32 {
  let next = LOW;
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
  return i32(next - LOW);
}

/** Likewise, backwards from `start`, those that are not above the pivot. */
function findNotAbove(start: usize, pivot: f64): i32 {
  let next = HIGH;
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
  return i32(next - HIGH);
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
  let k = from;
  for (; k + 3 <= to; k += 4) {
    const at = placeOf(k);
    a += load<f64>(at);
    b += load<f64>(at, 8);
    c += load<f64>(at, 16);
    d += load<f64>(at, 24);
  }
  for (; k <= to; k++) a += valueAt(k);
  return a + b + (c + d);
}

function placeOf(index: i32): usize {
  return VALUES + index * 8;
}

function valueAt(index: i32): f64 {
  return load<f64>(placeOf(index));
}

/** Whole-number division towards zero, exact below 2^53. */
function divide(dividend: f64, divisor: f64): f64 {
  const quotient = trunc(dividend / divisor);
  const rest = dividend - quotient * divisor;
  if (rest < 0 && dividend > 0) return quotient - 1;
  if (rest > 0 && dividend < 0) return quotient + 1;
  return quotient;
}
