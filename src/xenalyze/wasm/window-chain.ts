/**
 * The windows of a file one after the other; a header is read once, however many pCPUs hop over it.
 * They are told apart by their ordinals.
 * @module
 */
import { pcpuAt, run } from './run.ts';
import { Pcpu } from './structs.ts';
import {
  CHAIN,
  HEADER_SCRATCH,
  LAST_OF,
  PCPUS_MAX,
  READ_AHEAD,
  READ_AHEAD_BYTES,
  RECORD_BYTES,
  REMEMBERED,
  WINDOW_BYTES,
  WINDOW_HEADER,
  WINDOW_HEADER_BYTES,
} from './walk-layout.ts';

/** Reads the header at a place in the file, into HEADER_SCRATCH unless it has been read ahead. False: there is none. */
declare function readHeader(offset: f64): bool;

@unmanaged
class Window {
  offset: f64;
  /** Where the last window up to it is, of a pCPU whose number is smaller than that of the window before it. */
  epoch: f64;
  pcpu: i32;
  /** How long it is without its header. */
  length: u32;
  /** The next window of the same pCPU, or 0. */
  nextOwn: i32;
}

/** A pCPU's place is mostly so near to its last window. */
const NEAR = 3;

let known = 0;
/** As many windows, from the first on, are of pCPUs that are familiar. */
let familiar = 0;
let nextOffset: f64 = 0;
let isBroken = false;

/** Where so many bytes of the file are that were read ahead; 0 if they were not, or are not in one piece. */
export function addressOf(offset: f64, bytes: f64): i32 {
  if (offset < run.readFrom || offset + bytes > run.readTo) return 0;
  const at = i32(i64(offset) & (READ_AHEAD_BYTES - 1));
  return (at & 3) !== 0 || f64(at) + bytes > READ_AHEAD_BYTES ? 0 : READ_AHEAD + at;
}

/**
 * Hops with a pCPU from the window at its place in the file over those of other pCPUs, if all of them are familiar, to
 * its own next one; where that is not known, over one. Returns whether it did; it does not leave the file.
 */
export function leap(p: Pcpu): bool {
  const number = p.number;
  const own = p.windowOrdinal;
  const from = find(p);
  if (from < 0 || windowAt(from).pcpu === number) return false;
  const fromOffset = windowAt(from).offset;
  const toOwn = findNextOwn(number, own, from);
  if (!isRemembered(from)) return false;
  const to = firstUnfamiliar(from, toOwn < 0 ? from + 1 : toOwn);
  if (to === from) return false;
  const last = windowAt(to - 1);
  const offset = last.offset + f64(<u32>WINDOW_HEADER_BYTES + last.length);
  // What is read so near to the end of the file is not all that is read elsewhere.
  if (offset > run.fileBytes || last.offset + f64(RECORD_BYTES) > run.fileBytes) return false;
  let epoch = last.epoch;
  if (epoch <= fromOffset) epoch = p.lastCpuChangePcpu > windowAt(from).pcpu ? fromOffset : -1;
  if (epoch > run.lastEpoch) run.lastEpoch = epoch;
  p.lastCpuChangePcpu = last.pcpu;
  p.recordOffset = last.offset;
  p.fileOffset = offset;
  p.nextCpuChangeOffset = offset;
  p.windowOrdinal = to === toOwn ? to : to - 1;
  return true;
}

/** The length of the window at a pCPU's place in the file, if it is known and its own; or -1. */
export function findOwn(p: Pcpu): f64 {
  const ordinal = find(p);
  if (ordinal < 0 || windowAt(ordinal).pcpu !== p.number) return -1;
  p.windowOrdinal = ordinal;
  return f64(windowAt(ordinal).length);
}

function windowAt(ordinal: i32): Window {
  return changetype<Window>(CHAIN + (ordinal & (REMEMBERED - 1)) * WINDOW_BYTES);
}

/** The window of a pCPU behind its own one, reading further ahead if need be; -1 where it is not known. */
function findNextOwn(number: i32, own: i32, from: i32): i32 {
  // A pCPU may have been further in the file before it was found again.
  if (own >= from || !isRemembered(own) || windowAt(own).pcpu !== number) return -1;
  while (!isBroken && load<i32>(LAST_OF + (number << 2)) - 1 <= own) extend();
  if (!isRemembered(own)) return -1;
  const next = windowAt(own).nextOwn;
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
  const number = windowAt(ordinal).pcpu;
  if (u32(number) >= u32(PCPUS_MAX)) return false;
  const p = pcpuAt(number);
  return p.active || p.fileOffset !== 0;
}

/** The window at a pCPU's place in the file, or -1. */
function find(p: Pcpu): i32 {
  const offset = p.fileOffset;
  const first = p.windowOrdinal;
  for (let ordinal = first; ordinal < first + NEAR; ordinal++) if (isAt(ordinal, offset)) return ordinal;
  return search(offset);
}

function isRemembered(ordinal: i32): bool {
  return ordinal < known && ordinal >= known - REMEMBERED;
}

function isAt(ordinal: i32, offset: f64): bool {
  return ordinal < known && windowAt(ordinal).offset === offset;
}

/** The ordinal of the window whose header is at `offset`, reading further ahead if need be; or -1. */
function search(offset: f64): i32 {
  while (!isBroken && nextOffset <= offset) extend();
  let low = max(0, known - REMEMBERED);
  let high = known - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (windowAt(middle).offset <= offset) low = middle;
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
  const next = windowAt(known);
  const before = windowAt(known + REMEMBERED - 1);
  const isEpoch = before.pcpu > window;
  next.epoch = isEpoch ? nextOffset : before.epoch;
  next.offset = nextOffset;
  next.pcpu = window;
  next.length = length;
  next.nextOwn = 0;
  if (u32(window) < u32(PCPUS_MAX)) {
    const lastOf = LAST_OF + (window << 2);
    const last = load<i32>(lastOf) - 1;
    if (last >= 0 && isRemembered(last)) windowAt(last).nextOwn = known;
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
