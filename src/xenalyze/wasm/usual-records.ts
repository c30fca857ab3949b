/**
 * The quick way through what most of a trace is made of; see ../usual-records.ts.
 * @module
 */
import { takeGuestRecord } from './guest-records.ts';
import { run } from './run.ts';
import { logStay, logTransition } from './runstate-log.ts';
import { BLOCKED, INIT, OFFLINE, RUNNABLE, RUNNING } from './runstates.ts';
import { findLineOf, makeCurrent, showLine } from './shown-records.ts';
import { Pcpu, Vcpu } from './structs.ts';
import { NO_LINE, PLAIN, RECORD_BYTES, VCPU_TABLE, VCPU_TABLE_SLOTS } from './walk-layout.ts';

/** Shows the current record of a pCPU, of which there is no line. */
declare function showRecord(pcpu: Pcpu): void;
/** Processes the current record of a pCPU, which is of another class than the scheduling one. */
declare function processOther(pcpu: Pcpu): void;
/** Counts the time since which a pCPU has run what it runs. */
declare function countPcpuTime(pcpu: Pcpu, tsc: f64): void;
/** Takes notice of a transition of a vCPU of an HVM guest that is about to be made. */
declare function noteHvmTransition(pcpu: Pcpu, vcpu: Vcpu, old: i32, next: i32): void;

/** As much of a block as has to be there for a record to be taken from it. */

// Bits 12 to 27 of an event: its class and sub-class.
const SCHED = 0x20;
const SCHED_MIN = 0x21;
/** By sub-class: those records that change nothing but how many bytes there were. */
const INERT = (1 << 0x2) | (1 << 0x8) | (1 << 0xf);

/** Bits 16 to 27 of events of other classes than the general and the scheduling one, of which each has one bit. */
const OTHERS = 0xfc;

// What a runstate record is, by bits 0 to 11 of its event: old runstate, new runstate, change or continuation.
const UNUSUAL = 0;
const STOP = 1;
const START = 2;
const WAIT = 3;
const CONTINUE = 4;
const TRANSITIONS = memory.data(4096);
for (let old = RUNNING; old <= OFFLINE; old++) {
  if (old !== RUNNING) store<u8>(TRANSITIONS + ((RUNNING << 8) | (old << 4) | 1), STOP);
  for (let next = RUNNABLE; old !== RUNNING && next <= OFFLINE; next++)
    if (old !== RUNNABLE || next !== BLOCKED) store<u8>(TRANSITIONS + ((old << 8) | (next << 4) | 1), WAIT);
}
store<u8>(TRANSITIONS + ((RUNNABLE << 8) | (RUNNING << 4) | 1), START);
for (let bits = 2; bits < 4096; bits += 16) store<u8>(TRANSITIONS + bits, CONTINUE);

/**
 * As ../usual-records.ts has it, from where the pCPU is parked. Returns whether there were any records.
 *
 * A TSC is taken as an integer, which wraps around, so that one comparison tells whether it is between the first one
 * and the largest that a number can hold.
 */
export function pass(p: Pcpu): bool {
  const shows = run.shows;
  const firstTsc = run.firstTscInteger;
  const range = run.tscRange;
  const offset = p.tscOffset;
  const turnEnd = run.turnEnd;
  const end = p.blockEnd - RECORD_BYTES;
  const first = p.parkedAt << 2;
  let tsc = p.orderTsc;
  let next = tsc;
  let at = first;
  let isLate = false;
  let last = first;
  do {
    const header = load<i32>(at);
    const kind = (header >>> 12) & 0xffff;
    if (header < 0 && at !== first) {
      const ticks = load<i64>(at, 4) + offset;
      if (u64(ticks - firstTsc) > range) break;
      next = f64(ticks);
      if (next > turnEnd) {
        isLate = mayBeUsual(kind);
        break;
      }
    }
    const words = at + 4 + ((header >>> 31) << 3);
    if (kind === SCHED_MIN) {
      if (header >= 0) break;
      const v = vcpuOf(p, load<i32>(words));
      if (v === null) break;
      const transition = usualTransition(p, v, header & 0xfff);
      if (transition === UNUSUAL) break;
      if (shows) show(p, header, words, next);
      const runstate = transition === CONTINUE ? RUNNING : (header >>> 4) & 15;
      if (v.isHvm && transition !== START) tellTransition(p, v, runstate, header, words, next);
      makeTransition(p, v, transition, runstate, next);
    } else if (isInert(kind)) {
      if (shows) show(p, header, words, next);
    } else if (!takeOther(p, header, words, next)) break;
    tsc = next;
    last = at;
    at = words + (((header >>> 28) & 7) << 2);
  } while (at <= end);
  p.parkedAt = at >>> 2;
  p.parked = isLate;
  if (isLate) p.orderTsc = next;
  else p.orderTsc = tsc;
  if (at === first) return isLate;
  p.lastTsc = tsc;
  run.lastTsc = tsc;
  // Only at the end of a block, which may be that of the file, the next record is read as if this one had been.
  if (at > end) p.recordOffset = p.blockOffset + f64(last - (p.blockAt << 2));
  return true;
}

/** Counts what a pCPU has passed and moves it there. */
export function count(p: Pcpu): void {
  const to = p.parkedAt;
  const bytes = f64((to - p.parkedFrom) << 2);
  p.parkedFrom = to;
  p.fileOffset += bytes;
  p.passedBytes += bytes;
}

/** The TSC of a record of a pCPU, if it may be usual; or else Infinity. */
export function usualTscOf(p: Pcpu, at: i32): f64 {
  const header = load<i32>(at);
  const kind = (header >>> 12) & 0xffff;
  if (header >= 0 || !mayBeUsual(kind)) return Infinity;
  const ticks = load<i64>(at, 4) + p.tscOffset;
  return u64(ticks - run.firstTscInteger) > run.tscRange ? Infinity : f64(ticks);
}

function mayBeUsual(kind: i32): bool {
  return kind === SCHED_MIN || isInert(kind) || isOther(kind);
}

/** Whether a record is of a class that changes nothing of the order in which records come, nor of runstates. */
function isOther(kind: i32): bool {
  const main = kind >>> 4;
  return (main & ~OTHERS) === 0 && main !== 0 && (main & (main - 1)) === 0;
}

function isInert(kind: i32): bool {
  return (kind & ~15) === SCHED && ((INERT >>> (kind & 15)) & 1) !== 0;
}

/** Makes a vCPU known by its word, in place of any other that had the same. */
export function addToTable(v: Vcpu): void {
  store<Vcpu>(findSlot(v.word), v);
}

// These two are exported because otherwise they become parts of pass(), where the processor then lacks registers.

/** Tells the caller of a transition of a vCPU of an HVM guest. */
export function tellTransition(p: Pcpu, v: Vcpu, runstate: i32, header: i32, words: i32, tsc: f64): void {
  makeCurrent(p, header, words, tsc);
  run.lastTsc = tsc;
  noteHvmTransition(p, v, v.runstate, runstate);
}

/** Has a record of another class processed. False: it is not of one. */
export function takeOther(p: Pcpu, header: i32, words: i32, tsc: f64): bool {
  if (!isOther((header >>> 12) & 0xffff)) return false;
  const size = (1 + ((header >>> 31) << 1) + ((header >>> 28) & 7)) << 2;
  p.passedBytes -= f64(size);
  if (run.takesGuests && takeGuestRecord(p, header, words, tsc, f64(size))) return true;
  makeCurrent(p, header, words, tsc);
  p.hasTsc = header < 0;
  p.size = size;
  p.orderTsc = tsc;
  p.lastTsc = tsc;
  processOther(p);
  return true;
}

/** Shows a scheduling record. */
function show(p: Pcpu, header: i32, words: i32, tsc: f64): void {
  makeCurrent(p, header, words, tsc);
  const line = findLineOf(p.event, p.extraWords);
  if (line === NO_LINE) {
    run.headerOf = p;
    showRecord(p);
  } else showLine(p, line, PLAIN);
}

/** The vCPU of a runstate record, if it is known: mostly it runs on the pCPU. */
function vcpuOf(p: Pcpu, word: i32): Vcpu | null {
  const current = p.currentVcpu;
  if (current !== null && current.word === word) return current;
  return load<Vcpu | null>(findSlot(word));
}

/** Where in the table the vCPU of a word is, or would be. */
function findSlot(word: i32): i32 {
  let slot = VCPU_TABLE + ((((word >>> 16) * 61 + word) & (VCPU_TABLE_SLOTS - 1)) << 2);
  let v = load<Vcpu | null>(slot);
  while (v !== null && v.word !== word) {
    slot = slot + 4 === VCPU_TABLE + VCPU_TABLE_SLOTS * 4 ? VCPU_TABLE : slot + 4;
    v = load<Vcpu | null>(slot);
  }
  return slot;
}

/** A vCPU that was known before begins to run on a pCPU. */
function come(p: Pcpu, v: Vcpu, tsc: f64): void {
  if (v.lastPcpu !== p || !v.activated) logStay(v.index, p.number, tsc);
  if (!v.activated) v.guestPagingLevels = run.defaultGuestPagingLevels;
  v.activated = true;
  p.seenValidSchedule = true;
}

/** What kind of transition it is, if it agrees with what is known of the vCPU and the pCPU. */
function usualTransition(p: Pcpu, v: Vcpu, bits: i32): i32 {
  const transition: i32 = load<u8>(TRANSITIONS + bits);
  const runstate = v.runstate;
  let isUsual = false;
  if (transition === STOP)
    isUsual = runstate === RUNNING && p.currentVcpu === v && v.lastPcpu === p && run.lostCpus === 0;
  else if (transition === START)
    isUsual = runstate === INIT || (runstate === RUNNABLE && p.currentVcpu === null);
  else if (transition === WAIT) isUsual = runstate === bits >>> 8;
  else if (transition === CONTINUE) isUsual = runstate === RUNNING && v.lastPcpu === p;
  return isUsual ? transition : UNUSUAL;
}

/** Makes a transition. */
function makeTransition(p: Pcpu, v: Vcpu, transition: i32, runstate: i32, tsc: f64): void {
  if (transition === STOP) {
    if (run.countsPcpus) countPcpuTime(p, tsc);
    p.timeTsc = run.never;
    p.currentVcpu = null;
  } else if (transition === START) {
    if (v.runstate !== INIT) come(p, v, tsc);
    v.lastPcpu = p;
    p.currentVcpu = v;
    p.timeTsc = tsc;
  }
  v.wrongOldRunstate = u8(INIT);
  v.runstate = u8(runstate);
  v.runstateTsc = tsc;
  logTransition(v.index, runstate, tsc);
}
