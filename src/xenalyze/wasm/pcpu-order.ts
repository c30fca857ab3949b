/**
 * The pCPUs in the order in which their records come, as a tournament: see ../pcpu-order.ts. Each node of a binary tree
 * has the loser between the winners of its two sides. A pCPU that had its turn plays against those on its way up
 * again, one comparison a node without a branch, where a heap needs two that each decide where to go on.
 * @module
 */
import {
  ORDER,
  ORDER_BYTES,
  ORDER_KEY,
  ORDER_PCPU,
  ORDER_PLACE,
  ORDER_PLACED,
  ORDER_TREE,
  ORDER_TSC,
  RUN,
  TURN_END,
} from './walk-layout.ts';

/** Behind the key of any TSC. */
const NEVER_KEY = i64.MAX_VALUE;

let size = 0;
/** As many leaves there are, a power of 2; the node that is the parent of nodes 2i and 2i + 1 is i. */
let leaves = 1;
/** Whether pCPUs have come, gone or moved since the tournament was played. */
let isStale = false;
let winner = 0;
/** The pCPU whose turn it is. */
let inTurn = 0;
let placements: f64 = 0;

/** Begins the turn of the first pCPU, which lasts until the record of the one behind it. Returns its address, or 0. */
export function nextTurn(): i32 {
  const p = first();
  inTurn = p;
  if (p === 0) return 0;
  let end = keyOf(Infinity);
  for (let node = parentOf(p); node > 0; node >>= 1)
    end = min(end, load<i64>(ORDER_TREE + node * ORDER_BYTES));
  store<f64>(RUN, tscOf(end), TURN_END);
  return p;
}

/** The pCPU whose record comes first, or 0. */
export function first(): i32 {
  if (isStale) winner = playBelow(1);
  isStale = false;
  return winner;
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

export function includes(p: i32): bool {
  return load<i32>(p, ORDER_PLACE) !== 0;
}

export function insert(p: i32): void {
  renew();
  placements++;
  size++;
  if (size > leaves) leaves <<= 1;
  setLeaf(size, p, keyOf(load<f64>(p, ORDER_TSC)), placements);
  isStale = true;
}

/** Takes notice of how far the pCPU whose turn it is has come: it stays in front of those at the same time. */
function renew(): void {
  if (inTurn === 0 || first() !== inTurn) return;
  const key = keyOf(load<f64>(inTurn, ORDER_TSC));
  if (key === leafKeyOf(inTurn)) return;
  placements++;
  setLeaf(load<i32>(inTurn, ORDER_PLACE), inTurn, key, placements);
}

/**
 * Puts the pCPU whose turn it was in the place of its next record. If others are in front of it by now, that may not be
 * further to the front than it was: then it returns false.
 */
export function place(p: i32): bool {
  const key = keyOf(load<f64>(p, ORDER_TSC));
  const isFirst = first() === p;
  const before = leafKeyOf(p);
  if (!isFirst && key < before) return false;
  placements++;
  const placed = isFirst || key > before ? placements : load<f64>(p, ORDER_PLACED);
  setLeaf(load<i32>(p, ORDER_PLACE), p, key, placed);
  if (isFirst) winner = play(parentOf(p), p, key);
  else isStale = true;
  return true;
}

/** Takes a pCPU out. */
export function remove(p: i32): void {
  const last = leafOf(size);
  const other = load<i32>(last, ORDER_PCPU);
  setLeaf(load<i32>(p, ORDER_PLACE), other, load<i64>(last, ORDER_KEY), load<f64>(other, ORDER_PLACED));
  store<i32>(p, 0, ORDER_PLACE);
  size--;
  isStale = true;
}

/** Leaves are counted from 1 on. */
function leafOf(ordinal: i32): i32 {
  return ORDER + (ordinal - 1) * ORDER_BYTES;
}

function setLeaf(ordinal: i32, p: i32, key: i64, placed: f64): void {
  store<i32>(p, ordinal, ORDER_PLACE);
  store<f64>(p, placed, ORDER_PLACED);
  store<i64>(leafOf(ordinal), key, ORDER_KEY);
  store<i32>(leafOf(ordinal), p, ORDER_PCPU);
}

function parentOf(p: i32): i32 {
  return (leaves + load<i32>(p, ORDER_PLACE) - 1) >> 1;
}

/** Plays with one pCPU from a node up. Returns the winner. */
function play(from: i32, challenger: i32, challengerKey: i64): i32 {
  let p = challenger;
  let key = challengerKey;
  for (let node = from; node > 0; node >>= 1) {
    const at = ORDER_TREE + node * ORDER_BYTES;
    const otherKey = load<i64>(at, ORDER_KEY);
    const other = load<i32>(at, ORDER_PCPU);
    let loses = otherKey < key;
    if (otherKey === key) loses = load<f64>(other, ORDER_PLACED) > load<f64>(p, ORDER_PLACED);
    store<i64>(at, select(key, otherKey, loses), ORDER_KEY);
    store<i32>(at, select(p, other, loses), ORDER_PCPU);
    key = select(otherKey, key, loses);
    p = select(other, p, loses);
  }
  return p;
}

/** Plays the tournament below a node anew. Returns the winner, or 0 if there is nobody. */
function playBelow(node: i32): i32 {
  if (node >= leaves) return node - leaves < size ? load<i32>(leafOf(node - leaves + 1), ORDER_PCPU) : 0;
  const left = playBelow(node * 2);
  const right = playBelow(node * 2 + 1);
  const leftKey = leafKeyOf(left);
  const rightKey = leafKeyOf(right);
  let isLeft = leftKey < rightKey;
  if (leftKey === rightKey) isLeft = load<f64>(left, ORDER_PLACED) > load<f64>(right, ORDER_PLACED);
  const at = ORDER_TREE + node * ORDER_BYTES;
  store<i64>(at, isLeft ? rightKey : leftKey, ORDER_KEY);
  store<i32>(at, isLeft ? right : left, ORDER_PCPU);
  return isLeft ? left : right;
}

function leafKeyOf(p: i32): i64 {
  return p === 0 ? NEVER_KEY : load<i64>(leafOf(load<i32>(p, ORDER_PLACE)), ORDER_KEY);
}
