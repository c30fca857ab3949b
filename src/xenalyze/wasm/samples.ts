/**
 * Samples of durations: which are kept, in four bytes each. One that is too long for that has eight bytes elsewhere.
 * @module
 */
import { IS_SHORT, PROGRESS, SAMPLES } from './runstate-layout.ts';
import { grownSampleSize, nextReplacement } from './sample-rules.ts';
import { Tally } from './tallies.ts';

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

/** Counts a duration for which there is no room under a tally, or that is long. */
export function addSpecial(tally: Tally, cycles: i64): void {
  const count = tally.count;
  if (count >= tally.replacement) addToSample(tally, count, cycles);
  tally.count = count + 1;
  tally.cycles += cycles;
}

function addToSample(tally: Tally, count: i32, cycles: i64): void {
  if (count >= tally.size) {
    const size = toInteger(grownSampleSize(tally.size, count, sampleSize, sampleMax));
    tally.size = size;
    if (count >= size) tally.replacement = toInteger(nextReplacement(count + 1, size));
  }
  const size = tally.size;
  if (size === 0 || (count >= tally.room && count < size && !enlarge(tally))) return;
  put(tally.base + ((count % size) << 2), cycles, count >= size);
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

/** Gives a sample twice the memory, if there is any. Returns whether there was. */
function enlarge(tally: Tally): bool {
  const room = tally.room;
  const old = tally.base;
  const bits = room === 0 ? PIECE_BITS_MIN : bitsFor(room * 4) + 1;
  const piece = takePiece(bits);
  if (piece === 0) return false;
  if (room !== 0) {
    memory.copy(piece, old, room << 2);
    giveBack(old, bits - 1);
  }
  tally.base = piece;
  tally.room = min(tally.size, 1 << (bits - 2));
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
