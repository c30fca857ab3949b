/**
 * Records of guests, where nothing but lines or a summary is wanted of them: hypercalls and traps of PV guests, exits
 * and entries of HVM guests. What is not said here, or would have to be told, is left to ../pv.ts and ../hvm.
 * @module
 */
import { run } from './run.ts';
import { logExit } from './runstate-log.ts';
import { findLineOf, makeCurrent, showLine } from './shown-records.ts';
import { HvmVcpu, Pcpu, PvRule, Vcpu } from './structs.ts';
import {
  ARC_HANDLERS,
  ARC_QUIET,
  ARC_REASONS,
  ARC_RULES,
  AS_NUMBERS,
  ENTRY,
  ENTRY_AFTER,
  ENTRY_AFTER_LONG,
  EVENT_64,
  EVENT_WRITE,
  EXIT_HANDLERS,
  GUEST_BYTES,
  GUESTS,
  HANDLER_BASE,
  HANDLER_HAS_LINE,
  HANDLER_MSR,
  HANDLER_NOTE,
  HANDLER_NOTHING,
  HANDLER_OTHER,
  HANDLER_RDTSC,
  HANDLER_RULES,
  HANDLERS_MAX,
  IN_EXIT,
  LONG_EXIT,
  NO_EXIT,
  PLAIN,
  POST_BY_HANDLER,
  POST_NONE,
  POST_NOTHING,
  POST_OWN,
  PV_EVENT,
  PV_RULE_BYTES,
  PV_RULES,
  RECORDED,
  RECORDED_WORDS,
  VCPU_BYTES,
  VCPUS,
  WORD_COUNTS,
} from './walk-layout.ts';

// Bits 16 to 27 of an event, and 12 to 27.
const PV = 0x20;
const HVM_ENTRY_EXIT = 0x81;
const HVM_HANDLER = 0x82;
// Bits 0 to 11.
const VMENTRY = 1;
const VMEXIT = 2;
const SVM_EXIT = 3;

/** Shows and counts a record of the vCPU that runs on a pCPU. False: that takes more. */
export function takeGuestRecord(p: Pcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const v = p.currentVcpu;
  if (v === null) return false;
  const kind = (header >>> 12) & 0xffff;
  if (kind >>> 4 === PV) return v.isPv && takePv(p, v, header, words, tsc, bytes);
  if (!v.isHvm) return false;
  const h = changetype<HvmVcpu>(guestOf(v));
  if (kind === HVM_HANDLER) return takeHandler(p, h, header, words, tsc, bytes);
  if (kind !== HVM_ENTRY_EXIT) return false;
  if ((header & 0xfff) === VMENTRY) return enterGuest(p, v, h, header, words, tsc, bytes);
  return leaveGuest(p, v, h, header, words, tsc, bytes);
}

/** Shows a record by the line of an event, which need not be its own. */
function show(p: Pcpu, event: i32, header: i32, words: i32, tsc: f64, mark: i32): void {
  makeCurrent(p, header, words, tsc);
  showLine(p, findLineOf(event, wordsOf(header)), mark);
}

function guestOf(v: Vcpu): i32 {
  return GUESTS + ((changetype<i32>(v) - VCPUS) / VCPU_BYTES) * GUEST_BYTES;
}

function wordsOf(header: i32): i32 {
  return (header >>> 28) & 7;
}

function takePv(p: Pcpu, v: Vcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const place = (header & 0x1ff) * WORD_COUNTS + wordsOf(header);
  const rule = changetype<PvRule>(PV_RULES + place * PV_RULE_BYTES);
  if (rule.kind === 0) return false;
  if (run.countsGuests) {
    const counts = guestOf(v);
    increment(counts, rule.kind - 1);
    const told = load<u32>(words + (rule.word << 2)) & rule.mask;
    if (told < rule.limit) increment(counts, rule.from + told);
  }
  if (run.shows) {
    p.hasTsc = header < 0;
    show(p, PV_EVENT | (header & 0x1ff), header, words, tsc, PLAIN);
  }
  p.pvBytes += bytes;
  return true;
}

function increment(counts: i32, place: i32): void {
  const at = counts + (place << 2);
  store<i32>(at, load<i32>(at) + 1);
}

/** A record of what Xen did about an exit, or to the guest. */
function takeHandler(p: Pcpu, h: HvmVcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const handler = header & 0xfff;
  if (handler >= HANDLERS_MAX) return false;
  const rules: i32 = load<u8>(HANDLER_RULES + handler * WORD_COUNTS + wordsOf(header));
  const rule = rules & ~HANDLER_HAS_LINE;
  if (rule === HANDLER_OTHER) return false;
  const isOfExit = rule !== HANDLER_NOTHING;
  const isNoted = isOfExit && h.vmexitValid;
  if (isNoted && !isUsual(h, rule, words)) return false;
  if (run.shows) {
    const event = header & 0x0fffffff;
    if (isOfExit && !isNoted) show(p, event + AS_NUMBERS, header, words, tsc, NO_EXIT);
    else if (rules === rule) show(p, event + AS_NUMBERS, header, words, tsc, IN_EXIT);
    else show(p, event, header, words, tsc, PLAIN);
  }
  if (isNoted) note(h, rule, header, words);
  p.handlerBytes += bytes;
  return true;
}

/** Whether there is nothing to be told of what a handler recorded of an exit. */
function isUsual(h: HvmVcpu, rule: i32, words: i32): bool {
  if (rule === HANDLER_NOTE) return !run.countsGuests || h.post === POST_BY_HANDLER;
  if (rule === HANDLER_MSR) return h.post <= u8(POST_BY_HANDLER);
  return load<u64>(words) >= h.lastRdtsc;
}

/** Takes notice of what a handler recorded of an exit. */
function note(h: HvmVcpu, rule: i32, header: i32, words: i32): void {
  const recorded = changetype<i32>(h) + RECORDED;
  if (rule === HANDLER_RDTSC) h.lastRdtsc = load<u64>(words);
  else if (rule === HANDLER_MSR) {
    store<i32>(recorded, load<i32>(words));
    store<i64>(recorded, load<i64>(words, 4), 8);
    h.post = u8(POST_NOTHING);
  } else if (run.countsGuests) {
    store<i32>(recorded, header & 0x0fffffff);
    memory.copy(recorded + 4, words, 16);
  }
}

function leaveGuest(p: Pcpu, v: Vcpu, h: HvmVcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const is64 = (header & EVENT_64) !== 0;
  const event = header & 0xfff & ~EVENT_64;
  if (event !== VMEXIT && !(event === SVM_EXIT && run.knowsSvmExits)) return false;
  if (wordsOf(header) !== (is64 ? 3 : 2) || !h.knowsReasons || h.leavesMore) return false;
  const reason = load<u32>(words);
  const ripHigh = is64 ? load<i32>(words, 8) : 0;
  if (reason > run.reasonMax || is64 !== (v.guestPagingLevels === 4) || ripHigh >> 15 !== ripHigh >> 31)
    return false;
  memory.fill(changetype<i32>(h) + RECORDED, 0, RECORDED_WORDS * 4);
  h.vmexitValid = true;
  h.exitReason = reason;
  h.ripLow = load<u32>(words, 4);
  h.ripHigh = ripHigh;
  h.exitTsc = tsc;
  h.entryTsc = run.never;
  h.post = u8(POST_BY_HANDLER);
  if (run.shows) show(p, run.exitEvent | (header & EVENT_64), header, words, tsc, IN_EXIT);
  p.vmexitBytes += bytes;
  return true;
}

function enterGuest(p: Pcpu, v: Vcpu, h: HvmVcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const ends = h.vmexitValid;
  const cycles = tsc - h.exitTsc;
  if (h.awaitsEntry || (ends && (cycles < 0 || h.exitTsc === run.never || !closeExit(v, h, cycles))))
    return false;
  if (run.shows) {
    run.exitCycles = cycles;
    const event = !ends ? ENTRY : cycles > LONG_EXIT ? ENTRY_AFTER_LONG : ENTRY_AFTER;
    show(p, event, header, words, tsc, ends ? IN_EXIT : NO_EXIT);
  }
  if (ends) h.entryTsc = tsc;
  p.vmentryBytes += bytes;
  return true;
}

/** Closes the exit of a guest that is entered again, unless there is more to be done about it: then false. */
function closeExit(v: Vcpu, h: HvmVcpu, cycles: f64): bool {
  const reason = h.exitReason;
  if (h.post === POST_OWN) return false;
  let handler = -1;
  if (h.post === POST_BY_HANDLER) {
    const detail = load<u32>(changetype<i32>(h) + RECORDED);
    handler = detail === 0 ? 0 : (detail - HANDLER_BASE) & ~(EVENT_64 | EVENT_WRITE);
    if (u32(handler) >= u32(ARC_HANDLERS) || reason >= u32(ARC_REASONS)) return false;
    const rule: i32 = load<u8>(ARC_RULES + handler * ARC_REASONS + reason);
    if (rule === 0) return false;
    if (rule === ARC_QUIET) handler = -1;
  }
  h.arcCycles = cycles;
  if (run.countsGuests) {
    h.summaryInfo = true;
    logExit(v.index, reason, cycles);
    if (handler >= 0) logExit(v.index, EXIT_HANDLERS + handler, cycles);
  }
  h.exitTsc = run.never;
  h.vmexitValid = false;
  h.post = u8(POST_NONE);
  return true;
}
