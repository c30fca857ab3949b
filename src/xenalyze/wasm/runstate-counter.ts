/**
 * Counts how long vCPUs, and the vCPUs of each domain together, are in each runstate; see ../runstate-counter.ts.
 * @module
 */
import {
  BASE,
  CAUSES,
  COUNT,
  COUNTS,
  CURRENT_NUMBER,
  CYCLES,
  DOMAIN,
  INDEX_BYTES,
  INDEXES,
  NUMBER_BYTES,
  NUMBERS,
  NUMBERS_OF_INDEX,
  ROOM,
  RUNSTATE,
  RUNSTATES,
  START,
  SUM,
} from './runstate-layout.ts';
import { beginLines, domainLines, findNext, prepareSearch, vcpuLines } from './runstate-lines.ts';
import { BLOCKED, INIT, OFFLINE, RUNNABLE, RUNNING } from './runstates.ts';
import { addSpecial, DURATION_MAX, limitSamples } from './samples.ts';
import { ADD_VCPU, FORGET_START, RUNSTATE_BITS, TIME } from './walk-layout.ts';

const RUNSTATE_MASK = (1 << RUNSTATE_BITS) - 1;

const WAKE = 1;
const PREEMPT = 2;
const OTHER = 3;

/** By old and new runstate: under which of a vCPU's numbers the new one is counted. If it is runnable, by the cause. */
const NUMBER_OF = memory.data(RUNSTATES * RUNSTATES);
for (let old = 0; old < RUNSTATES; old++)
  for (let next = 0; next < RUNSTATES; next++)
    store<u8>(NUMBER_OF + old * RUNSTATES + next, next === RUNNABLE ? RUNSTATES + runnableCause(old) : next);

/** Why a vCPU became runnable. */
function runnableCause(old: i32): i32 {
  if (old === RUNNING) return PREEMPT;
  return old === BLOCKED || old === OFFLINE ? WAKE : OTHER;
}

// What a domain's vCPUs do together.
const DOMAIN_BLOCKED: u8 = 0;
const PARTIAL_RUN: u8 = 1;
const FULL_RUN: u8 = 2;
const PARTIAL_CONTENTION: u8 = 3;
const CONCURRENCY_HAZARD: u8 = 4;
const FULL_CONTENTION: u8 = 5;
const DOMAIN_LOST: u8 = 6;

/** By whether any of a domain's vCPUs is running (1), runnable (2), blocked or offline (4). */
const DOMAIN_RUNSTATES = memory.data<u8>([
  DOMAIN_LOST,
  FULL_RUN,
  FULL_CONTENTION,
  CONCURRENCY_HAZARD,
  DOMAIN_BLOCKED,
  PARTIAL_RUN,
  PARTIAL_CONTENTION,
  CONCURRENCY_HAZARD,
]);

/** The TSC that stands for none. */
let never: i64 = 0;
/** That of the last transition. */
let lastTsc: i64 = 0;

/** How many numbers there are up to the last vCPU or domain. */
let numbersUsed = 0;

export { domainLines, findNext, vcpuLines };

/** @param tscOfNone The TSC that stands for none. */
export function begin(tscOfNone: f64, cpuHz: f64, sampleSize: f64, sampleMax: f64): void {
  never = i64(tscOfNone);
  limitSamples(sampleSize, sampleMax);
  beginLines(cpuHz, sampleSize !== 0);
}

/** All was taken: percentiles can be found. */
export function end(): void {
  prepareSearch(numbersUsed);
}

/** Takes the words of a log between two addresses. */
export function take(from: i32, to: i32): void {
  let tsc = lastTsc;
  let at = from;
  while (at < to) {
    const word = load<i32>(at);
    if (word >= 0) {
      tsc += load<i32>(at, 4);
      pass(INDEXES + (word >> RUNSTATE_BITS) * INDEX_BYTES, word & RUNSTATE_MASK, tsc);
      at += 8;
      continue;
    }
    const vcpu = INDEXES + load<i32>(at, 8) * INDEX_BYTES;
    if (word === TIME) tsc = i64(load<f64>(at, 8));
    else if (word === ADD_VCPU) addVcpu(vcpu, load<i32>(at, 12));
    else if (word === FORGET_START) store<i64>(vcpu, never, START);
    else supposeRunning(vcpu);
    at += 16;
  }
  lastTsc = tsc;
}

function addVcpu(vcpu: i32, domainIndex: i32): void {
  const domain = domainIndex < 0 ? 0 : INDEXES + domainIndex * INDEX_BYTES;
  store<i32>(vcpu, domain, DOMAIN);
  store<i32>(vcpu, INIT, RUNSTATE);
  store<i64>(vcpu, never, START);
  const numbers = numbersOf(vcpu);
  numbersUsed = max(numbersUsed, endOfNumbers(vcpu));
  store<i32>(vcpu, numbers + INIT * NUMBER_BYTES, CURRENT_NUMBER);
  for (let cause = 0; cause < CAUSES; cause++)
    store<i32>(numbers + (RUNSTATES + cause) * NUMBER_BYTES, numbers + RUNNABLE * NUMBER_BYTES, SUM);
  if (domain !== 0 && load<i32>(domain, CURRENT_NUMBER) === 0) {
    store<i32>(domain, numbersOf(domain), CURRENT_NUMBER);
    store<i64>(domain, never, START);
    numbersUsed = max(numbersUsed, endOfNumbers(domain));
  }
}

/** A vCPU goes over to a runstate. */
function pass(vcpu: i32, runstate: i32, tsc: i64): void {
  countSince(vcpu, tsc);
  const old = load<i32>(vcpu, RUNSTATE);
  store<i32>(vcpu, runstate, RUNSTATE);
  const number = load<u8>(NUMBER_OF + old * RUNSTATES + runstate);
  store<i32>(vcpu, numbersOf(vcpu) + number * NUMBER_BYTES, CURRENT_NUMBER);
  const domain = load<i32>(vcpu, DOMAIN);
  if (domain === 0) return;
  countSince(domain, tsc);
  addToCount(domain, old, -1);
  addToCount(domain, runstate, 1);
  const running = i32(countOf(domain, RUNNING) > 0);
  const runnable = i32(countOf(domain, RUNNABLE) > 0);
  const still = i32(countOf(domain, BLOCKED) + countOf(domain, OFFLINE) > 0);
  const together = load<u8>(DOMAIN_RUNSTATES + (running | (runnable << 1) | (still << 2)));
  store<i32>(domain, numbersOf(domain) + together * NUMBER_BYTES, CURRENT_NUMBER);
}

function supposeRunning(vcpu: i32): void {
  store<i32>(vcpu, RUNNING, RUNSTATE);
  store<i32>(vcpu, numbersOf(vcpu) + RUNNING * NUMBER_BYTES, CURRENT_NUMBER);
}

/** Counts the time since the last transition of a vCPU or a domain, and begins anew. */
function countSince(index: i32, tsc: i64): void {
  const start = load<i64>(index, START);
  store<i64>(index, tsc, START);
  if (start <= never || start >= tsc) return;
  const number = load<i32>(index, CURRENT_NUMBER);
  add(number, tsc - start);
  const sum = load<i32>(number, SUM);
  if (sum !== 0) add(sum, tsc - start);
}

function add(number: i32, cycles: i64): void {
  const count = load<i32>(number, COUNT);
  if (count >= load<i32>(number, ROOM) || cycles > DURATION_MAX) {
    addSpecial(number, cycles);
    return;
  }
  store<i32>(load<i32>(number, BASE) + count * 4, i32(cycles));
  store<i32>(number, count + 1, COUNT);
  store<i64>(number, load<i64>(number, CYCLES) + cycles, CYCLES);
}

function countOf(domain: i32, runstate: i32): i32 {
  return load<i32>(domain + runstate * 4, COUNTS);
}

function addToCount(domain: i32, runstate: i32, change: i32): void {
  store<i32>(domain + runstate * 4, countOf(domain, runstate) + change, COUNTS);
}

/** Where the numbers of a vCPU or a domain begin. */
function numbersOf(index: i32): i32 {
  return NUMBERS + ((index - INDEXES) / INDEX_BYTES) * (NUMBERS_OF_INDEX * NUMBER_BYTES);
}

function endOfNumbers(index: i32): i32 {
  return ((index - INDEXES) / INDEX_BYTES + 1) * NUMBERS_OF_INDEX;
}
