/**
 * The windows of a file one after the other; a header is read once, however many pCPUs hop over it.
 * They are told apart by their ordinals.
 * @module
 */
import {
  ACTIVE,
  CHAIN,
  FILE_BYTES,
  FILE_OFFSET,
  HEADER_SCRATCH,
  LAST_CPU_CHANGE_PCPU,
  LAST_EPOCH,
  LAST_OF,
  NEXT_CPU_CHANGE_OFFSET,
  NUMBER,
  PCPU_BYTES,
  PCPUS,
  PCPUS_MAX,
  READ_AHEAD,
  READ_AHEAD_BYTES,
  READ_FROM,
  READ_TO,
  REMEMBERED,
  RUN,
  WINDOW_BYTES,
  WINDOW_HEADER,
  WINDOW_HEADER_BYTES,
  WINDOW_ORDINAL,
} from './walk-layout.ts';

/** Reads the header at a place in the file, into HEADER_SCRATCH unless it has been read ahead. False: there is none. */
declare function readHeader(offset: f64): bool;

// Of a window: where it is; where the last window up to it is, of a pCPU whose number is smaller than that of the
// window before it; its pCPU; its length without its header; the next window of the same pCPU, or 0.
const OFFSET = 0;
const EPOCH = 8;
const WINDOW = 16;
const LENGTH = 20;
const NEXT_OWN = 24;
/** A pCPU's place is mostly so near to its last window. */
const NEAR = 3;

let known = 0;
/** As many windows, from the first on, are of pCPUs that are familiar. */
let familiar = 0;
let nextOffset: f64 = 0;
let isBroken = false;

/** Where so many bytes of the file are that were read ahead; 0 if they were not, or are not in one piece. */
export function addressOf(offset: f64, bytes: f64): i32 {
  if (offset < load<f64>(RUN, READ_FROM) || offset + bytes > load<f64>(RUN, READ_TO)) return 0;
  const at = i32(i64(offset) & (READ_AHEAD_BYTES - 1));
  return (at & 3) !== 0 || f64(at) + bytes > READ_AHEAD_BYTES ? 0 : READ_AHEAD + at;
}

/**
 * Hops with a pCPU from the window at its place in the file over those of other pCPUs, if all of them are familiar, to
 * its own next one; where that is not known, over one. Returns whether it did; it does not leave the file.
 */
export function leap(p: i32): bool {
  const number = load<i32>(p, NUMBER);
  const own = load<i32>(p, WINDOW_ORDINAL);
  const from = find(p);
  if (from < 0 || load<i32>(slotOf(from), WINDOW) === number) return false;
  const fromOffset = load<f64>(slotOf(from), OFFSET);
  const toOwn = findNextOwn(number, own, from);
  if (!isRemembered(from)) return false;
  const to = firstUnfamiliar(from, toOwn < 0 ? from + 1 : toOwn);
  if (to === from) return false;
  const last = slotOf(to - 1);
  const offset = load<f64>(last, OFFSET) + f64(<u32>WINDOW_HEADER_BYTES + load<u32>(last, LENGTH));
  if (offset > load<f64>(RUN, FILE_BYTES)) return false;
  let epoch = load<f64>(last, EPOCH);
  if (epoch <= fromOffset)
    epoch = load<i32>(p, LAST_CPU_CHANGE_PCPU) > load<i32>(slotOf(from), WINDOW) ? fromOffset : -1;
  if (epoch > load<f64>(RUN, LAST_EPOCH)) store<f64>(RUN, epoch, LAST_EPOCH);
  store<i32>(p, load<i32>(last, WINDOW), LAST_CPU_CHANGE_PCPU);
  store<f64>(p, offset, FILE_OFFSET);
  store<f64>(p, offset, NEXT_CPU_CHANGE_OFFSET);
  store<i32>(p, to === toOwn ? to : to - 1, WINDOW_ORDINAL);
  return true;
}

/** The length of the window at a pCPU's place in the file, if it is known and its own; or -1. */
export function findOwn(p: i32): f64 {
  const ordinal = find(p);
  if (ordinal < 0 || load<i32>(slotOf(ordinal), WINDOW) !== load<i32>(p, NUMBER)) return -1;
  store<i32>(p, ordinal, WINDOW_ORDINAL);
  return f64(load<u32>(slotOf(ordinal), LENGTH));
}

function slotOf(ordinal: i32): i32 {
  return CHAIN + (ordinal & (REMEMBERED - 1)) * WINDOW_BYTES;
}

/** The window of a pCPU behind its own one, reading further ahead if need be; -1 where it is not known. */
function findNextOwn(number: i32, own: i32, from: i32): i32 {
  if (!isRemembered(own) || load<i32>(slotOf(own), WINDOW) !== number) return -1;
  while (!isBroken && load<i32>(LAST_OF + (number << 2)) - 1 <= own) extend();
  if (!isRemembered(own)) return -1;
  const next = load<i32>(slotOf(own), NEXT_OWN);
  return next > from ? next : -1;
}

/** The first window between two of them whose pCPU is not familiar; or `to`. */
function firstUnfamiliar(from: i32, to: i32): i32 {
  if (isRemembered(familiar)) while (familiar < to && isFamiliar(familiar)) familiar++;
  if (familiar > from) return min(to, familiar);
  let at = from;
  while (at < to && isFamiliar(at)) at++;
  return at;
}

/** Whether a window's pCPU is or was active, so that it tells nothing new. */
function isFamiliar(ordinal: i32): bool {
  const number = load<i32>(slotOf(ordinal), WINDOW);
  if (u32(number) >= u32(PCPUS_MAX)) return false;
  const p = PCPUS + number * PCPU_BYTES;
  return load<i32>(p, ACTIVE) !== 0 || load<f64>(p, FILE_OFFSET) !== 0;
}

/** The window at a pCPU's place in the file, or -1. */
function find(p: i32): i32 {
  const offset = load<f64>(p, FILE_OFFSET);
  const first = load<i32>(p, WINDOW_ORDINAL);
  for (let ordinal = first; ordinal < first + NEAR; ordinal++) if (isAt(ordinal, offset)) return ordinal;
  return search(offset);
}

function isRemembered(ordinal: i32): bool {
  return ordinal < known && ordinal >= known - REMEMBERED;
}

function isAt(ordinal: i32, offset: f64): bool {
  return ordinal < known && load<f64>(slotOf(ordinal), OFFSET) === offset;
}

/** The ordinal of the window whose header is at `offset`, reading further ahead if need be; or -1. */
function search(offset: f64): i32 {
  while (!isBroken && nextOffset <= offset) extend();
  let low = max(0, known - REMEMBERED);
  let high = known - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (load<f64>(slotOf(middle), OFFSET) <= offset) low = middle;
    else high = middle - 1;
  }
  return isAt(low, offset) ? low : -1;
}

/** Makes the next window known, if there is one. */
function extend(): void {
  const header = headerAt(nextOffset);
  if (header === 0 || load<i32>(header) !== WINDOW_HEADER) {
    isBroken = true;
    return;
  }
  const window = load<i32>(header, 4);
  const length = load<u32>(header, 8);
  const slot = slotOf(known);
  const before = slotOf(known + REMEMBERED - 1);
  const isEpoch = load<i32>(before, WINDOW) > window;
  store<f64>(slot, isEpoch ? nextOffset : load<f64>(before, EPOCH), EPOCH);
  store<f64>(slot, nextOffset, OFFSET);
  store<i32>(slot, window, WINDOW);
  store<i32>(slot, length, LENGTH);
  store<i32>(slot, 0, NEXT_OWN);
  if (u32(window) < u32(PCPUS_MAX)) {
    const lastOf = LAST_OF + (window << 2);
    const last = load<i32>(lastOf) - 1;
    if (last >= 0 && isRemembered(last)) store<i32>(slotOf(last), known, NEXT_OWN);
    store<i32>(lastOf, known + 1);
  }
  known++;
  nextOffset += f64(WINDOW_HEADER_BYTES) + f64(length);
}

/** Where the header at a place in the file is in the memory, or 0. */
function headerAt(offset: f64): i32 {
  const readAhead = addressOf(offset, WINDOW_HEADER_BYTES);
  if (readAhead !== 0) return readAhead;
  if (!readHeader(offset)) return 0;
  const address = addressOf(offset, WINDOW_HEADER_BYTES);
  return address !== 0 ? address : HEADER_SCRATCH;
}
