/**
 * Samples of durations: which are kept, in four bytes each. One that is too long for that has eight bytes elsewhere.
 * @module
 */
import {
  BASE,
  COUNT,
  CYCLES,
  IS_SHORT,
  PROGRESS,
  REPLACEMENT,
  ROOM,
  SAMPLES,
  SIZE,
} from './runstate-layout.ts';
import { grownSampleSize, nextReplacement } from './sample-rules.ts';

export const DURATION_MAX: i64 = 2147483647;
const PAGE_BITS = 16;
const GROWN_PAGES = 256;
/** Memory is given out in powers of two: the logarithm of the smallest piece. */
const PIECE_BITS_MIN = 8;
const PIECE_BITS_MAX = 31;
const LONG_BITS = 3;
const LONGS_BITS = 12;

let sampleSize: f64 = 0;
let sampleMax: f64 = 0;
/** What was not given out yet begins here. */
let end: u64 = SAMPLES;
/** Pieces that were given back, by the logarithm of their size: each begins with the address of the next. */
const FREE = memory.data((PIECE_BITS_MAX + 1) * 4, 4);

/** As the options --sample-size and --sample-max. */
export function limitSamples(size: f64, max: f64): void {
  sampleSize = size;
  sampleMax = max;
}

/** Counts a duration for which there is no room under a number, or that is long. */
export function addSpecial(number: i32, cycles: i64): void {
  const count = load<i32>(number, COUNT);
  if (count >= load<i32>(number, REPLACEMENT)) addToSample(number, count, cycles);
  store<i32>(number, count + 1, COUNT);
  store<i64>(number, load<i64>(number, CYCLES) + cycles, CYCLES);
}

function addToSample(number: i32, count: i32, cycles: i64): void {
  let size = load<i32>(number, SIZE);
  if (count >= size) {
    size = toInteger(grownSampleSize(size, count, sampleSize, sampleMax));
    store<i32>(number, size, SIZE);
    if (count >= size) store<i32>(number, toInteger(nextReplacement(count + 1, size)), REPLACEMENT);
    if (size === 0) return;
  }
  if (count >= load<i32>(number, ROOM) && count < size && !enlarge(number, size)) return;
  put(load<u32>(number, BASE) + ((count % size) << 2), cycles, count >= size);
}

function toInteger(number: f64): i32 {
  return i32(min<f64>(number, i32.MAX_VALUE));
}

/** The duration at a place of a sample. */
export function durationAt(at: u32): i64 {
  const word = load<i32>(at);
  return word >= 0 ? word : load<i64>(u32(-word) << LONG_BITS);
}

function put(at: u32, cycles: i64, replaces: bool): void {
  const old = replaces ? load<i32>(at) : 0;
  if (cycles <= DURATION_MAX) {
    if (old < 0) giveBack(u32(-old) << LONG_BITS, LONG_BITS);
    store<i32>(at, i32(cycles));
    return;
  }
  const long = old < 0 ? u32(-old) << LONG_BITS : takeLong();
  if (long !== 0) store<i64>(long, cycles);
  store<i32>(at, -i32(long >> LONG_BITS));
}

function takeLong(): u32 {
  if (load<u32>(FREE + LONG_BITS * 4) === 0) {
    const piece = takePiece(LONGS_BITS);
    if (piece === 0) return 0;
    for (let at: u32 = 0; at < 1 << LONGS_BITS; at += 1 << LONG_BITS) giveBack(piece + at, LONG_BITS);
  }
  return takePiece(LONG_BITS);
}

/** Gives a sample of up to `size` durations twice the memory. Returns whether there is any. */
function enlarge(number: i32, size: i32): bool {
  const room = load<i32>(number, ROOM);
  const old = load<u32>(number, BASE);
  const bits = room === 0 ? PIECE_BITS_MIN : bitsFor(room * 4) + 1;
  const piece = takePiece(bits);
  if (piece === 0) return false;
  if (room !== 0) {
    memory.copy(piece, old, room << 2);
    giveBack(old, bits - 1);
  }
  store<u32>(number, piece, BASE);
  store<i32>(number, min(size, 1 << (bits - 2)), ROOM);
  return true;
}

/** The logarithm of the smallest piece of so many bytes. */
export function bitsFor(bytes: u32): i32 {
  return max(PIECE_BITS_MIN, 32 - i32(clz(bytes - 1)));
}

/** Takes a piece of memory. Returns its address, or 0 if there is none. */
export function takePiece(bits: i32): u32 {
  const slot = FREE + (bits << 2);
  const free = bits > PIECE_BITS_MAX ? 0 : load<u32>(slot);
  if (free !== 0) {
    store<u32>(slot, load<u32>(free));
    return free;
  }
  if (bits > PIECE_BITS_MAX || !reach(end + (u64(1) << bits))) {
    store<i32>(PROGRESS, 1, IS_SHORT);
    return 0;
  }
  const piece = u32(end);
  end += u64(1) << bits;
  return piece;
}

/** Has the memory reach up to an address. Returns whether it does. */
function reach(address: u64): bool {
  const pages = i32((address + 0xffff) >> PAGE_BITS) - memory.size();
  return pages <= 0 || memory.grow(max(pages, GROWN_PAGES)) >= 0 || memory.grow(pages) >= 0;
}

function giveBack(piece: u32, bits: i32): void {
  const slot = FREE + (bits << 2);
  store<u32>(piece, load<u32>(slot));
  store<u32>(slot, piece);
}
