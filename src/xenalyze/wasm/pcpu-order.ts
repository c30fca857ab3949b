/**
 * The pCPUs in the order in which their records come, as a tournament: see ../pcpu-order.ts. Each node of a binary tree
 * has the loser between the winners of its two sides. A pCPU that had its turn plays against those on its way up
 * again, one comparison a node without a branch, where a heap needs two that each decide where to go on.
 * @module
 */
import { run } from './run.ts';
import { OrderNode, Pcpu } from './structs.ts';
import { ORDER, ORDER_BYTES, ORDER_TREE } from './walk-layout.ts';

/** Behind the key of any TSC. */
const NEVER_KEY = i64.MAX_VALUE;

let size = 0;
/** As many leaves there are, a power of 2; the node that is the parent of nodes 2i and 2i + 1 is i. */
let leaves = 1;
/** Whether pCPUs have come, gone or moved since the tournament was played. */
let isStale = false;
let winner: Pcpu | null = null;
/** The pCPU whose turn it is. */
let inTurn: Pcpu | null = null;
let placements: f64 = 0;

/** Begins the turn of the first pCPU, which lasts until the record of the one behind it. Returns it. */
export function nextTurn(): Pcpu | null {
  const p = first();
  inTurn = p;
  if (p === null) return null;
  let end = keyOf(Infinity);
  for (let node = parentOf(p); node > 0; node >>= 1) end = min(end, nodeAt(node).key);
  run.turnEnd = tscOf(end);
  return p;
}

/** The pCPU whose record comes first. */
export function first(): Pcpu | null {
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

export function includes(p: Pcpu): bool {
  return p.orderPlace !== 0;
}

export function insert(p: Pcpu): void {
  renew();
  placements++;
  size++;
  if (size > leaves) leaves <<= 1;
  setLeaf(size, p, keyOf(p.orderTsc), placements);
  isStale = true;
}

/** Takes notice of how far the pCPU whose turn it is has come: it stays in front of those at the same time. */
function renew(): void {
  const p = inTurn;
  if (p === null || first() !== p) return;
  const key = keyOf(p.orderTsc);
  if (key === leafOf(p.orderPlace).key) return;
  placements++;
  setLeaf(p.orderPlace, p, key, placements);
}

/**
 * Puts the pCPU whose turn it was in the place of its next record. If others are in front of it by now, that may not be
 * further to the front than it was: then it returns false.
 */
export function place(p: Pcpu): bool {
  const key = keyOf(p.orderTsc);
  const isFirst = first() === p;
  const before = leafOf(p.orderPlace).key;
  if (!isFirst && key < before) return false;
  placements++;
  const placed = isFirst || key > before ? placements : p.orderPlaced;
  setLeaf(p.orderPlace, p, key, placed);
  if (isFirst) winner = play(parentOf(p), p, key);
  else isStale = true;
  return true;
}

/** Takes a pCPU out. */
export function remove(p: Pcpu): void {
  const last = leafOf(size);
  const other = last.pcpu!;
  setLeaf(p.orderPlace, other, last.key, other.orderPlaced);
  p.orderPlace = 0;
  size--;
  isStale = true;
}

/** Leaves are counted from 1 on. */
function leafOf(ordinal: i32): OrderNode {
  return changetype<OrderNode>(ORDER + (ordinal - 1) * ORDER_BYTES);
}

function nodeAt(ordinal: i32): OrderNode {
  return changetype<OrderNode>(ORDER_TREE + ordinal * ORDER_BYTES);
}

function setLeaf(ordinal: i32, p: Pcpu, key: i64, placed: f64): void {
  p.orderPlace = ordinal;
  p.orderPlaced = placed;
  const leaf = leafOf(ordinal);
  leaf.key = key;
  leaf.pcpu = p;
}

function parentOf(p: Pcpu): i32 {
  return (leaves + p.orderPlace - 1) >> 1;
}

/** Plays with one pCPU from a node up. Returns the winner. */
function play(from: i32, challenger: Pcpu, challengerKey: i64): Pcpu {
  let p = challenger;
  let key = challengerKey;
  for (let ordinal = from; ordinal > 0; ordinal >>= 1) {
    const node = nodeAt(ordinal);
    const otherKey = node.key;
    const other = changetype<Pcpu>(node.pcpu);
    let loses = otherKey < key;
    if (otherKey === key) loses = other.orderPlaced > p.orderPlaced;
    node.key = select(key, otherKey, loses);
    node.pcpu = select(p, other, loses);
    key = select(otherKey, key, loses);
    p = select(other, p, loses);
  }
  return p;
}

/** Plays the tournament below a node anew. Returns the winner, if there is anybody. */
function playBelow(ordinal: i32): Pcpu | null {
  if (ordinal >= leaves) return ordinal - leaves < size ? leafOf(ordinal - leaves + 1).pcpu : null;
  const left = playBelow(ordinal * 2);
  const right = playBelow(ordinal * 2 + 1);
  const leftKey = leafKeyOf(left);
  const rightKey = leafKeyOf(right);
  let isLeft = leftKey < rightKey;
  if (left !== null && right !== null && leftKey === rightKey) isLeft = left.orderPlaced > right.orderPlaced;
  const node = nodeAt(ordinal);
  node.key = isLeft ? rightKey : leftKey;
  node.pcpu = isLeft ? right : left;
  return isLeft ? left : right;
}

function leafKeyOf(p: Pcpu | null): i64 {
  return p === null ? NEVER_KEY : leafOf(p.orderPlace).key;
}
