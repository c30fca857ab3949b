/**
 * The log of what vCPUs do, which the caller takes when it is full; see ../runstate-log.ts.
 * @module
 */
import { run } from './run.ts';
import {
  ADD_VCPU,
  EXIT,
  EXIT_BITS,
  FORGET_START,
  LOG,
  LOG_WORDS,
  RUNSTATE_BITS,
  STAY,
  SUPPOSE_RUNNING,
  TIME,
  WIDE_CYCLES,
} from './walk-layout.ts';

/** Takes so many words of the log. */
declare function takeLog(words: i32): void;

const DELTA_MAX: f64 = 2147483647;
const END = LOG + LOG_WORDS * 4;

let next = LOG;
/** The time of the last transition. */
let lastTsc: f64 = 0;

export function logTransition(vcpu: i32, runstate: i32, tsc: f64): void {
  if (!run.logs) return;
  const delta = goOnTo(tsc);
  store<i32>(next, (vcpu << RUNSTATE_BITS) | runstate);
  store<i32>(next, delta, 4);
  next += 8;
  if (next === END) hand();
}

/** A vCPU comes to a pCPU, which may be the one where it is; that ends a stay there or elsewhere. */
export function logStay(vcpu: i32, pcpu: i32, tsc: f64): void {
  if (!run.logs) return;
  const delta = goOnTo(tsc);
  const at = room(STAY);
  store<i32>(at, delta, 4);
  store<i32>(at, vcpu, 8);
  store<i32>(at, pcpu, 12);
}

/** An exit of a guest took so many cycles; see {@link EXIT}. */
export function logExit(vcpu: i32, key: i32, cycles: f64): void {
  if (!run.logs) return;
  const at = room(EXIT);
  store<i32>(at, (vcpu << EXIT_BITS) | key, 4);
  store<f64>(at, cycles, 8);
}

export function logVcpu(vcpu: i32, domain: i32): void {
  const at = room(ADD_VCPU);
  store<i32>(at, vcpu, 8);
  store<i32>(at, domain, 12);
}

export function logSupposedRunner(vcpu: i32): void {
  store<i32>(room(SUPPOSE_RUNNING), vcpu, 8);
}

export function logForgottenStart(vcpu: i32): void {
  store<i32>(room(FORGET_START), vcpu, 8);
}

/** Goes on to a TSC. Returns by how much, if the log can tell that in a word. */
function goOnTo(tsc: f64): i32 {
  let delta = tsc - lastTsc;
  if (delta > DELTA_MAX || delta < 0 || abs(tsc) >= WIDE_CYCLES) {
    store<i64>(room(TIME), exactTscOf(tsc), 8);
    delta = 0;
  }
  lastTsc = tsc;
  return i32(delta);
}

/** A TSC modulo 2^64; where a number has rounded it, exactly if it is the one that is being processed. */
export function exactTscOf(tsc: f64): i64 {
  const wide = run.wideTsc;
  if (f64(wide) === tsc || f64(u64(wide)) === tsc) return wide;
  return tsc < 0 ? i64(tsc) : i64(u64(tsc));
}

/** Has the caller take what there is. */
export function hand(): void {
  takeLog((next - LOG) >> 2);
  next = LOG;
}

/** Takes room for four words, behind which there is room for a transition. Puts the first word, returns the address. */
function room(what: i32): i32 {
  if (next + 24 > END) hand();
  const at = next;
  store<i32>(at, what);
  next += 16;
  return at;
}
