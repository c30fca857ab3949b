/**
 * Records of guests, where nothing but a summary is wanted of them: hypercalls and traps of PV guests, exits and
 * entries of HVM guests. What is not said here, or would have to be told, is left to ../pv.ts and ../hvm.
 * @module
 */
import { run } from './run.ts';
import { Arc, HvmVcpu, Pcpu, PvRule, Vcpu } from './structs.ts';
import {
  ARC_BYTES,
  ARC_HANDLERS,
  ARC_QUIET,
  ARC_REASONS,
  ARC_RULES,
  ARCS,
  ARCS_MAX,
  GUEST_BYTES,
  GUESTS,
  HANDLER_MSR,
  HANDLER_NOTE,
  HANDLER_NOTHING,
  HANDLER_OTHER,
  HANDLER_RULES,
  HANDLERS_MAX,
  POST_BY_HANDLER,
  POST_NONE,
  POST_NOTHING,
  POST_OWN,
  PV_RULE_BYTES,
  PV_RULES,
  RECORDED,
  RECORDED_WORDS,
  VCPU_BYTES,
  VCPUS,
  WORD_COUNTS,
} from './walk-layout.ts';

/** Counts the exits in ARCS, and forgets them. */
declare function takeArcs(): void;

// Bits 16 to 27 of an event, and 12 to 27.
const PV = 0x20;
const HVM_ENTRY_EXIT = 0x81;
const HVM_HANDLER = 0x82;
// Bits 0 to 11.
const VMENTRY = 1;
const VMEXIT = 2;
const SVM_EXIT = 3;
const IS_64 = 0x100;
const IS_WRITE = 0x200;
const HANDLER_BASE = 0x82000;

/** Counts a record of the vCPU that runs on a pCPU. False: that takes more. */
export function countGuestRecord(p: Pcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const v = p.currentVcpu;
  if (v === null) return false;
  const kind = (header >>> 12) & 0xffff;
  if (kind >>> 4 === PV) return v.isPv && countPv(p, v, header, words, bytes);
  if (!v.isHvm) return false;
  const h = changetype<HvmVcpu>(guestOf(v));
  if (kind === HVM_HANDLER) return takeHandler(p, h, header, words, bytes);
  if (kind !== HVM_ENTRY_EXIT) return false;
  if ((header & 0xfff) === VMENTRY) return enterGuest(p, v, h, tsc, bytes);
  return leaveGuest(p, v, h, header, words, tsc, bytes);
}

function guestOf(v: Vcpu): i32 {
  return GUESTS + ((changetype<i32>(v) - VCPUS) / VCPU_BYTES) * GUEST_BYTES;
}

function wordsOf(header: i32): i32 {
  return (header >>> 28) & 7;
}

function countPv(p: Pcpu, v: Vcpu, header: i32, words: i32, bytes: f64): bool {
  const place = (header & 0x1ff) * WORD_COUNTS + wordsOf(header);
  const rule = changetype<PvRule>(PV_RULES + place * PV_RULE_BYTES);
  if (rule.kind === 0) return false;
  const counts = guestOf(v);
  increment(counts, rule.kind - 1);
  const told = load<u32>(words + (rule.word << 2)) & rule.mask;
  if (told < rule.limit) increment(counts, rule.from + told);
  p.pvBytes += bytes;
  return true;
}

function increment(counts: i32, place: i32): void {
  const at = counts + (place << 2);
  store<i32>(at, load<i32>(at) + 1);
}

/** A record of what Xen did about an exit, or to the guest. */
function takeHandler(p: Pcpu, h: HvmVcpu, header: i32, words: i32, bytes: f64): bool {
  const handler = header & 0xfff;
  if (handler >= HANDLERS_MAX) return false;
  const rule: i32 = load<u8>(HANDLER_RULES + handler * WORD_COUNTS + wordsOf(header));
  if (rule === HANDLER_OTHER) return false;
  if (h.vmexitValid && rule !== HANDLER_NOTHING) {
    if (rule === HANDLER_NOTE && h.post !== POST_BY_HANDLER) return false;
    if (rule === HANDLER_MSR && h.post > u8(POST_BY_HANDLER)) return false;
    const recorded = changetype<i32>(h) + RECORDED;
    if (rule === HANDLER_NOTE) {
      store<i32>(recorded, header & 0x0fffffff);
      memory.copy(recorded + 4, words, 16);
    } else if (rule === HANDLER_MSR) {
      store<i32>(recorded, load<i32>(words));
      store<i64>(recorded, load<i64>(words, 4), 8);
      h.post = u8(POST_NOTHING);
    }
  }
  p.handlerBytes += bytes;
  return true;
}

function leaveGuest(p: Pcpu, v: Vcpu, h: HvmVcpu, header: i32, words: i32, tsc: f64, bytes: f64): bool {
  const is64 = (header & IS_64) !== 0;
  const event = header & 0xfff & ~IS_64;
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
  p.vmexitBytes += bytes;
  return true;
}

function enterGuest(p: Pcpu, v: Vcpu, h: HvmVcpu, tsc: f64, bytes: f64): bool {
  if (h.awaitsEntry || (h.vmexitValid && !closeExit(v, h, tsc))) return false;
  p.vmentryBytes += bytes;
  return true;
}

/** Has the exit of a guest counted that is entered again. */
function closeExit(v: Vcpu, h: HvmVcpu, tsc: f64): bool {
  const since = h.exitTsc;
  const reason = h.exitReason;
  if (since === run.never || tsc < since || h.post === POST_OWN) return false;
  let handler = -1;
  if (h.post === POST_BY_HANDLER) {
    const detail = load<u32>(changetype<i32>(h) + RECORDED);
    handler = detail === 0 ? 0 : (detail - HANDLER_BASE) & ~(IS_64 | IS_WRITE);
    if (u32(handler) >= u32(ARC_HANDLERS) || reason >= u32(ARC_REASONS)) return false;
    const rule: i32 = load<u8>(ARC_RULES + handler * ARC_REASONS + reason);
    if (rule === 0) return false;
    if (rule === ARC_QUIET) handler = -1;
  }
  if (run.arcs === ARCS_MAX) takeArcs();
  const arc = changetype<Arc>(ARCS + run.arcs * ARC_BYTES);
  run.arcs++;
  arc.cycles = tsc - since;
  arc.vcpu = v;
  arc.exitReason = reason;
  arc.handler = handler;
  h.exitTsc = run.never;
  h.entryTsc = tsc;
  h.vmexitValid = false;
  h.post = u8(POST_NONE);
  return true;
}
