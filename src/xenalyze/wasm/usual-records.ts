/**
 * The quick way through what most of a trace is made of; see ../usual-records.ts.
 * @module
 */
import { writeLine } from './record-lines.ts';
import { logTransition } from './runstate-log.ts';
import { BLOCKED, INIT, OFFLINE, RUNNABLE, RUNNING } from './runstates.ts';
import {
  ACTIVATED,
  BLOCK_AT,
  BLOCK_END,
  BLOCK_OFFSET,
  COUNTS_PCPUS,
  CURRENT,
  EMPTY_LINE,
  EVENT,
  EXTRA_WORDS,
  FILE_OFFSET,
  FIRST_TSC_INTEGER,
  FLAGS,
  HEADER_OF,
  HVM,
  INDEX,
  LAST_TSC,
  LOST_CPUS,
  NEVER,
  NO_LINE,
  ORDER_TSC,
  PARKED,
  PARKED_AT,
  PARKED_FROM,
  PASSED_BYTES,
  PCPU,
  PCPU_LAST_TSC,
  RECORD_OFFSET,
  RECORD_WORDS,
  RUN,
  RUNSTATE,
  RUNSTATE_TSC,
  SCHED_LINES,
  SEEN_VALID_SCHEDULE,
  SHOWS,
  TIME_TSC,
  TSC,
  TSC_OFFSET,
  TSC_RANGE,
  TURN_END,
  VCPU_TABLE,
  VCPU_TABLE_SLOTS,
  WORD,
  WORDS_AT,
  WRONG_OLD_RUNSTATE,
} from './walk-layout.ts';

/** Finds how records of an event and a number of extra words are shown. */
declare function findLine(event: i32, extraWords: i32): i32;
/** Shows the current record of a pCPU, of which there is no line. */
declare function showRecord(pcpu: i32): void;
/** Counts the time since which a pCPU has run what it runs. */
declare function countPcpuTime(pcpu: i32, tsc: f64): void;
/** A vCPU comes from another pCPU. */
declare function moveVcpu(vcpu: i32, pcpu: i32, tsc: f64): void;

/** As much of a block as has to be there for a record to be taken from it. */
const RECORD_BYTES = RECORD_WORDS * 4;

// Bits 12 to 27 of an event: its class and sub-class.
const SCHED = 0x20;
const SCHED_MIN = 0x21;
/** By sub-class: those records that change nothing but how many bytes there were. */
const INERT = (1 << 0x2) | (1 << 0x8) | (1 << 0xf);

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
 * As ../usual-records.ts has it, from PARKED_AT on. Returns whether there were any records.
 *
 * A TSC is taken as an integer, which wraps around, so that one comparison tells whether it is between the first one
 * and the largest that a number can hold.
 */
export function pass(p: i32): bool {
  const shows = load<i32>(RUN, SHOWS);
  const firstTsc = load<i64>(RUN, FIRST_TSC_INTEGER);
  const range = load<u64>(RUN, TSC_RANGE);
  const offset = load<i64>(p, TSC_OFFSET);
  const turnEnd = load<f64>(RUN, TURN_END);
  const end = load<i32>(p, BLOCK_END) - RECORD_BYTES;
  const first = load<i32>(p, PARKED_AT) << 2;
  let tsc = load<f64>(p, ORDER_TSC);
  let next = tsc;
  let at = first;
  let isLate = false;
  let last = first;
  do {
    const header = load<i32>(at);
    const kind = (header >>> 12) & 0xffff;
    if (kind !== SCHED_MIN && !isInert(kind)) break;
    if (header < 0 && at !== first) {
      const ticks = load<i64>(at, 4) + offset;
      if (u64(ticks - firstTsc) > range) break;
      next = f64(ticks);
      if (next > turnEnd) {
        isLate = true;
        break;
      }
    }
    const words = at + 4 + ((header >>> 31) << 3);
    if (kind === SCHED_MIN) {
      if (header >= 0) break;
      const v = vcpuOf(p, load<i32>(words));
      if (v === 0) break;
      const transition = usualTransition(p, v, header & 0xfff);
      if (transition === UNUSUAL) break;
      if (shows) show(p, header, words, next);
      makeTransition(p, v, transition, (header >>> 4) & 15, next);
    } else if (shows) show(p, header, words, next);
    tsc = next;
    last = at;
    at = words + (((header >>> 28) & 7) << 2);
  } while (at <= end);
  store<i32>(p, at >>> 2, PARKED_AT);
  store<i32>(p, isLate, PARKED);
  if (isLate) store<f64>(p, next, ORDER_TSC);
  else store<f64>(p, tsc, ORDER_TSC);
  if (at === first) return isLate;
  store<f64>(p, tsc, PCPU_LAST_TSC);
  store<f64>(RUN, tsc, LAST_TSC);
  // Only at the end of a block, which may be that of the file, the next record is read as if this one had been.
  if (at > end)
    store<f64>(p, load<f64>(p, BLOCK_OFFSET) + f64(last - (load<i32>(p, BLOCK_AT) << 2)), RECORD_OFFSET);
  return true;
}

/** Counts what a pCPU has passed and moves it there. */
export function count(p: i32): void {
  const to = load<i32>(p, PARKED_AT);
  const bytes = f64((to - load<i32>(p, PARKED_FROM)) << 2);
  store<i32>(p, to, PARKED_FROM);
  store<f64>(p, load<f64>(p, FILE_OFFSET) + bytes, FILE_OFFSET);
  store<f64>(p, load<f64>(p, PASSED_BYTES) + bytes, PASSED_BYTES);
}

/** The TSC of a record of a pCPU, if it may be usual; or else Infinity. */
export function usualTscOf(p: i32, at: i32): f64 {
  const header = load<i32>(at);
  const kind = (header >>> 12) & 0xffff;
  if (header >= 0 || (kind !== SCHED_MIN && !isInert(kind))) return Infinity;
  const ticks = load<i64>(at, 4) + load<i64>(p, TSC_OFFSET);
  return u64(ticks - load<i64>(RUN, FIRST_TSC_INTEGER)) > load<u64>(RUN, TSC_RANGE) ? Infinity : f64(ticks);
}

function isInert(kind: i32): bool {
  return (kind & ~15) === SCHED && ((INERT >>> (kind & 15)) & 1) !== 0;
}

/** Makes a vCPU known by its word, in place of any other that had the same. */
export function addToTable(v: i32): void {
  store<i32>(findSlot(load<i32>(v, WORD)), v);
}

/** Makes a record the current one of its pCPU, as far as its line needs that, and shows it. */
function show(p: i32, header: i32, words: i32, tsc: f64): void {
  const event = header & 0x0fffffff;
  const extraWords = (header >>> 28) & 7;
  store<f64>(p, tsc, TSC);
  store<i32>(p, event, EVENT);
  store<i32>(p, extraWords, EXTRA_WORDS);
  store<i32>(p, words >>> 2, WORDS_AT);
  store<i32>(RUN, p, HEADER_OF);
  const slot = SCHED_LINES + (((event & 0xffff) << 5) | (extraWords << 2));
  let line = load<i32>(slot);
  if (line === 0) {
    line = findLine(event, extraWords);
    store<i32>(slot, line);
  }
  if (line === NO_LINE) showRecord(p);
  else if (line !== EMPTY_LINE) writeLine(p, line);
}

/** The vCPU of a runstate record, if it is known: mostly it runs on the pCPU. */
function vcpuOf(p: i32, word: i32): i32 {
  const current = load<i32>(p, CURRENT);
  if (current !== 0 && load<i32>(current, WORD) === word) return current;
  return load<i32>(findSlot(word));
}

/** Where in the table the vCPU of a word is, or would be. */
function findSlot(word: i32): i32 {
  let slot = VCPU_TABLE + ((((word >>> 16) * 61 + word) & (VCPU_TABLE_SLOTS - 1)) << 2);
  let v = load<i32>(slot);
  while (v !== 0 && load<i32>(v, WORD) !== word) {
    slot = slot + 4 === VCPU_TABLE + VCPU_TABLE_SLOTS * 4 ? VCPU_TABLE : slot + 4;
    v = load<i32>(slot);
  }
  return slot;
}

/** What kind of transition it is, if it agrees with what is known of the vCPU and the pCPU. */
function usualTransition(p: i32, v: i32, bits: i32): i32 {
  const flags = load<i32>(v, FLAGS);
  if (flags & HVM) return UNUSUAL;
  const transition: i32 = load<u8>(TRANSITIONS + bits);
  const runstate = load<i32>(v, RUNSTATE);
  let isUsual = false;
  if (transition === STOP)
    isUsual =
      runstate === RUNNING &&
      load<i32>(p, CURRENT) === v &&
      load<i32>(v, PCPU) === p &&
      load<i32>(RUN, LOST_CPUS) === 0;
  else if (transition === START)
    isUsual = runstate === RUNNABLE && load<i32>(p, CURRENT) === 0 && (flags & ACTIVATED) !== 0;
  else if (transition === WAIT) isUsual = runstate === bits >>> 8;
  else if (transition === CONTINUE) isUsual = runstate === RUNNING && load<i32>(v, PCPU) === p;
  return isUsual ? transition : UNUSUAL;
}

/** Makes a transition. */
function makeTransition(p: i32, v: i32, transition: i32, runstate: i32, tsc: f64): void {
  if (transition === STOP) {
    if (load<i32>(RUN, COUNTS_PCPUS)) countPcpuTime(p, tsc);
    store<f64>(p, load<f64>(RUN, NEVER), TIME_TSC);
    store<i32>(p, 0, CURRENT);
  } else if (transition === START) {
    if (load<i32>(v, PCPU) !== p) moveVcpu(v, p, tsc);
    store<i32>(p, v, CURRENT);
    store<f64>(p, tsc, TIME_TSC);
    store<i32>(p, 1, SEEN_VALID_SCHEDULE);
  }
  const next = transition === CONTINUE ? RUNNING : runstate;
  store<i32>(v, INIT, WRONG_OLD_RUNSTATE);
  store<i32>(v, next, RUNSTATE);
  store<f64>(v, tsc, RUNSTATE_TSC);
  logTransition(load<i32>(v, INDEX), next, tsc);
}
