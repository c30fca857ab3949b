/**
 * The pCPUs in the order in which their records come, as a heap; see ../pcpu-order.ts. The children of i are 2i + 1 and
 * 2i + 2.
 * @module
 */
import { HEAP_KEY, HEAP_PCPU, HEAP_PLACED, ORDER_TSC, TURN_END } from './walk-layout.ts';

let size = 0;
/** What the number of its placement will be of the pCPU whose turn it is: less than of those inserted meanwhile. */
let turn: f64 = 0;
let placements: f64 = 0;

/** Begins the turn of the first pCPU, which lasts until the record of the one behind it. Returns its address, or 0. */
export function nextTurn(): i32 {
  placements++;
  turn = placements;
  if (size === 0) return 0;
  const first = load<i32>(HEAP_PCPU);
  let end = keyOf(Infinity);
  if (size > 1) end = load<i64>(HEAP_KEY, 8);
  if (size > 2) end = min(end, load<i64>(HEAP_KEY, 16));
  store<f64>(first, tscOf(end), TURN_END);
  return first;
}

/** A TSC as an integer with the same order, which is compared in a third of the time. */
function keyOf(tsc: f64): i64 {
  const bits = reinterpret<i64>(tsc);
  return bits ^ ((bits >> 63) & i64.MAX_VALUE);
}

/** The opposite of {@link keyOf}. */
function tscOf(key: i64): f64 {
  return reinterpret<f64>(key ^ ((key >> 63) & i64.MAX_VALUE));
}

/** How many pCPUs there are. */
export function orderSize(): i32 {
  return size;
}

/** Where a pCPU is in the heap, or -1. */
export function indexOf(pcpu: i32): i32 {
  for (let at = 0; at < size; at++) if (load<i32>(HEAP_PCPU + at * 4) === pcpu) return at;
  return -1;
}

export function insert(pcpu: i32): void {
  placements++;
  rise(size, pcpu, keyOf(load<f64>(pcpu, ORDER_TSC)), placements);
  size++;
}

/** Puts the pCPU whose turn it was in the place of its next record. */
export function place(pcpu: i32): void {
  const at = load<i32>(HEAP_PCPU) === pcpu ? 0 : indexOf(pcpu);
  sink(at, pcpu, keyOf(load<f64>(pcpu, ORDER_TSC)), turn);
}

/** Takes the pCPU at a place out. */
export function removeAt(at: i32): void {
  size--;
  if (at === size) return;
  const last = load<i32>(HEAP_PCPU + size * 4);
  const key = load<i64>(HEAP_KEY + size * 8);
  const placed = load<f64>(HEAP_PLACED + size * 8);
  sink(at, last, key, placed);
  rise(indexOf(last), last, key, placed);
}

function put(at: i32, pcpu: i32, key: i64, placed: f64): void {
  store<i32>(HEAP_PCPU + at * 4, pcpu);
  store<i64>(HEAP_KEY + at * 8, key);
  store<f64>(HEAP_PLACED + at * 8, placed);
}

function move(from: i32, to: i32): void {
  put(to, load<i32>(HEAP_PCPU + from * 4), load<i64>(HEAP_KEY + from * 8), load<f64>(HEAP_PLACED + from * 8));
}

function rise(from: i32, pcpu: i32, key: i64, placed: f64): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const parentKey = load<i64>(HEAP_KEY + parent * 8);
    if (parentKey < key || (parentKey === key && load<f64>(HEAP_PLACED + parent * 8) > placed)) break;
    move(parent, at);
    at = parent;
  }
  put(at, pcpu, key, placed);
}

function sink(from: i32, pcpu: i32, key: i64, placed: f64): void {
  let at = from;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= size) break;
    if (child + 1 < size) {
      const left = load<i64>(HEAP_KEY + child * 8);
      const right = load<i64>(HEAP_KEY + child * 8, 8);
      if (left === right) {
        if (load<f64>(HEAP_PLACED + child * 8, 8) > load<f64>(HEAP_PLACED + child * 8)) child++;
      } else child += i32(right < left);
    }
    const childKey = load<i64>(HEAP_KEY + child * 8);
    if (childKey > key || (childKey === key && load<f64>(HEAP_PLACED + child * 8) < placed)) break;
    move(child, at);
    at = child;
  }
  put(at, pcpu, key, placed);
}
