/**
 * Samples of durations: which are kept, in pieces that lie one behind the other in the memory as they are needed. A
 * duration has four bytes; one that is too long for that, or negative, has eight bytes elsewhere.
 * @module
 */
import { IS_SHORT, PROGRESS, SAMPLES } from './runstate-layout.ts';
import { grownSampleSize, nextReplacement } from './sample-rules.ts';
import { SamplePiece, Tally } from './tallies.ts';

const DURATION_MAX: i64 = 2147483647;
const PAGE_BITS = 16;
const GROWN_PAGES = 256;
/** Durations of the first piece of a sample, and of those behind: as many as are there, but no more than this. */
const PIECE_MIN = 64;
const PIECE_MAX = 16_384;
/**
 * Behind each piece, so that they do not begin at multiples of a power of 2, which would share few lines of a cache;
 * and so that percentiles have room in the first one.
 */
const STAGGER_BYTES = 184;
const LONG_BITS = 3;
const LONGS = 512;

let sampleSize: f64 = 0;
let sampleMax: f64 = 0;
/** What was not given out yet begins here. */
let end: u64 = SAMPLES;
/** Room for long durations. */
let nextLong: u32 = 0;
let longsEnd: u32 = 0;

/** As the options --sample-size and --sample-max. */
export function limitSamples(size: f64, max: f64): void {
  sampleSize = size;
  sampleMax = max;
}

/** Counts a duration under a tally. */
export function add(tally: Tally, cycles: i64): void {
  const count = tally.count;
  if (count >= tally.room || u64(cycles) > u64(DURATION_MAX)) {
    addSpecial(tally, cycles);
    return;
  }
  store<i32>(tally.base + (count << 2), i32(cycles));
  tally.count = count + 1;
  tally.cycles += cycles;
}

/** Where there is no room for it, or where it is long or negative. */
function addSpecial(tally: Tally, cycles: i64): void {
  const count = tally.count;
  if (!tally.isFull) append(tally, cycles);
  else if (count === tally.replacement) replace(tally, cycles);
  tally.count = count + 1;
  tally.cycles += cycles;
}

function append(tally: Tally, cycles: i64): void {
  const count = tally.count;
  if (count >= tally.size) tally.size = toInteger(grownSampleSize(tally.size, count, sampleSize, sampleMax));
  // The first duration that comes after the sample is full replaces one.
  if (count >= tally.size) replace(tally, cycles);
  else if (count < tally.room || addPiece(tally)) put(tally.base + (count << 2), 0, cycles);
}

function replace(tally: Tally, cycles: i64): void {
  const size = tally.size;
  const place = size === 0 ? 0 : placeIn(tally, tally.count % size);
  if (place !== 0) put(place, load<i32>(place), cycles);
  tally.room = 0;
  tally.replacement = toInteger(nextReplacement(tally.count + 1, size));
}

function toInteger(number: f64): i32 {
  return i32(min<f64>(number, i32.MAX_VALUE));
}

/** Where a duration of a sample is. */
function placeIn(tally: Tally, index: i32): u32 {
  let inPiece = index;
  let piece = tally.sample;
  while (piece !== null) {
    if (inPiece < piece.length) return valuesOf(piece) + (inPiece << 2);
    inPiece -= piece.length;
    piece = piece.next;
  }
  return 0;
}

/** Where the durations of a piece are. */
export function valuesOf(piece: SamplePiece): u32 {
  return changetype<u32>(piece) + offsetof<SamplePiece>();
}

/** The duration at a place of a sample. */
export function durationAt(at: u32): i64 {
  const word = load<i32>(at);
  return word >= 0 ? word : load<i64>(u32(-word) << LONG_BITS);
}

/** Puts a duration in a place where there was another word. */
function put(at: u32, old: i32, cycles: i64): void {
  if (u64(cycles) <= u64(DURATION_MAX)) {
    store<i32>(at, i32(cycles));
    return;
  }
  const long = old < 0 ? u32(-old) << LONG_BITS : takeLong();
  if (long !== 0) store<i64>(long, cycles);
  store<i32>(at, -i32(long >> LONG_BITS));
}

function takeLong(): u32 {
  if (nextLong === longsEnd) {
    nextLong = take(LONGS << LONG_BITS);
    longsEnd = nextLong === 0 ? 0 : nextLong + (LONGS << LONG_BITS);
    if (nextLong === 0) return 0;
  }
  nextLong += 1 << LONG_BITS;
  return nextLong - (1 << LONG_BITS);
}

/** Gives a sample one piece more. Returns whether there was memory for it. */
function addPiece(tally: Tally): bool {
  const count = tally.count;
  const length = min(count === 0 ? PIECE_MIN : min(count, PIECE_MAX), tally.size - count);
  const address = take(offsetof<SamplePiece>() + (length << 2) + STAGGER_BYTES);
  if (address === 0) return false;
  const piece = changetype<SamplePiece>(address);
  piece.length = length;
  const last = lastOf(tally);
  if (last === null) tally.sample = piece;
  else last.next = piece;
  tally.base = valuesOf(piece) - (count << 2);
  tally.room = count + length;
  return true;
}

function lastOf(tally: Tally): SamplePiece | null {
  let last: SamplePiece | null = null;
  let piece = tally.sample;
  while (piece !== null) {
    last = piece;
    piece = piece.next;
  }
  return last;
}

/** Takes so many bytes. Returns their address, or 0 if they are more than there are. */
export function take(bytes: u32): u32 {
  const address = end;
  const behind = (address + bytes + 7) & ~7;
  const pages = i32((behind + 0xffff) >> PAGE_BITS) - memory.size();
  if (pages > 0 && memory.grow(max(pages, GROWN_PAGES)) < 0 && memory.grow(pages) < 0) {
    store<i32>(PROGRESS, 1, IS_SHORT);
    return 0;
  }
  end = behind;
  return u32(address);
}
