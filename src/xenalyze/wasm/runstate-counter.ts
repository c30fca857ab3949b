/**
 * Counts how long vCPUs, and the vCPUs of each domain together, are in each runstate, and how long exits of guests are;
 * see ../runstate-counter.ts.
 * @module
 */

import { countExit } from './exits.ts';
import { CAUSES, RUNSTATES, TALLIES, TALLIES_OF_SUBJECT, TALLY_BYTES } from './runstate-layout.ts';
import {
  beginLines,
  domainLines,
  exitLine,
  findNext,
  prepareSearch,
  restOfLines,
  vcpuLines,
} from './runstate-lines.ts';
import { BLOCKED, INIT, OFFLINE, RUNNABLE, RUNNING } from './runstates.ts';
import { add, limitSamples } from './samples.ts';
import { countStay } from './stays.ts';
import { nthTally, Subject, subjectAt, Tally } from './tallies.ts';
import { ADD_VCPU, EXIT, FORGET_START, RUNSTATE_BITS, STAY, TIME } from './walk-layout.ts';

const RUNSTATE_MASK = (1 << RUNSTATE_BITS) - 1;

const WAKE = 1;
const PREEMPT = 2;
const OTHER = 3;

/** By old and new runstate: under which of a vCPU's tallies the new one is counted. If it is runnable, by the cause. */
const TALLY_OF = memory.data(RUNSTATES * RUNSTATES);
for (let old = 0; old < RUNSTATES; old++)
  for (let next = 0; next < RUNSTATES; next++)
    store<u8>(TALLY_OF + old * RUNSTATES + next, next === RUNNABLE ? RUNSTATES + runnableCause(old) : next);

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

/** How many vCPUs and domains there are up to the last one. */
let subjectsUsed = 0;

export { domainLines, exitLine, findNext, restOfLines, vcpuLines };

/** @param tscOfNone The TSC that stands for none. */
export function begin(tscOfNone: f64, cpuHz: f64, sampleSize: f64, sampleMax: f64): void {
  never = i64(tscOfNone);
  limitSamples(sampleSize, sampleMax);
  beginLines(cpuHz, sampleSize !== 0);
}

/** All was taken: percentiles can be found. */
export function end(): void {
  prepareSearch(subjectsUsed);
}

/** Takes the words of a log between two addresses. */
export function take(from: i32, to: i32): void {
  let tsc = lastTsc;
  let at = from;
  while (at < to) {
    const word = load<i32>(at);
    if (word >= 0) {
      tsc += load<i32>(at, 4);
      pass(subjectAt(word >> RUNSTATE_BITS), word & RUNSTATE_MASK, tsc);
      at += 8;
      continue;
    }
    const index = load<i32>(at, 8);
    if (word === EXIT) countExit(load<i32>(at, 4), i64(load<f64>(at, 8)));
    else if (word === STAY) {
      tsc += load<i32>(at, 4);
      countStay(subjectAt(index), load<i32>(at, 12), tsc, never);
    } else if (word === TIME) tsc = load<i64>(at, 8);
    else if (word === ADD_VCPU) addVcpu(index, load<i32>(at, 12));
    else if (word === FORGET_START) subjectAt(index).start = never;
    else supposeRunning(subjectAt(index));
    at += 16;
  }
  lastTsc = tsc;
}

function addVcpu(index: i32, domainIndex: i32): void {
  const vcpu = begun(index);
  vcpu.runstate = INIT;
  vcpu.tally = nthTally(vcpu.tallies, INIT);
  for (let cause = 0; cause < CAUSES; cause++)
    nthTally(vcpu.tallies, RUNSTATES + cause).sum = nthTally(vcpu.tallies, RUNNABLE);
  if (domainIndex < 0) return;
  const domain = subjectAt(domainIndex);
  vcpu.domain = domain.tally === null ? begun(domainIndex) : domain;
}

/** A vCPU or a domain that appears. */
function begun(index: i32): Subject {
  const subject = subjectAt(index);
  subject.tallies = TALLIES + index * (TALLIES_OF_SUBJECT * TALLY_BYTES);
  subject.tally = nthTally(subject.tallies, 0);
  subject.start = never;
  subject.stayStart = never;
  subjectsUsed = max(subjectsUsed, index + 1);
  return subject;
}

/** A vCPU goes over to a runstate. */
function pass(vcpu: Subject, runstate: i32, tsc: i64): void {
  countSince(vcpu, tsc);
  const old = vcpu.runstate;
  vcpu.runstate = runstate;
  vcpu.tally = nthTally(vcpu.tallies, load<u8>(TALLY_OF + old * RUNSTATES + runstate));
  const domain = vcpu.domain;
  if (domain === null) return;
  countSince(domain, tsc);
  addToCount(domain, old, -1);
  addToCount(domain, runstate, 1);
  const running = i32(countOf(domain, RUNNING) > 0);
  const runnable = i32(countOf(domain, RUNNABLE) > 0);
  const still = i32(countOf(domain, BLOCKED) + countOf(domain, OFFLINE) > 0);
  const together = load<u8>(DOMAIN_RUNSTATES + (running | (runnable << 1) | (still << 2)));
  domain.tally = nthTally(domain.tallies, together);
}

function supposeRunning(vcpu: Subject): void {
  vcpu.runstate = RUNNING;
  vcpu.tally = nthTally(vcpu.tallies, RUNNING);
}

/** Counts the time since the last transition of a vCPU or a domain, and begins anew. */
function countSince(subject: Subject, tsc: i64): void {
  const start = subject.start;
  subject.start = tsc;
  // TSCs are unsigned in the file.
  if (start === never || u64(start - never) >= u64(tsc - never)) return;
  const tally = changetype<Tally>(subject.tally);
  add(tally, tsc - start);
  const sum = tally.sum;
  if (sum !== null) add(sum, tsc - start);
}

function countOf(domain: Subject, runstate: i32): i32 {
  return load<i32>(placeOf(domain, runstate));
}

function addToCount(domain: Subject, runstate: i32, change: i32): void {
  store<i32>(placeOf(domain, runstate), countOf(domain, runstate) + change);
}

function placeOf(domain: Subject, runstate: i32): usize {
  return changetype<usize>(domain) + offsetof<Subject>('counts') + (runstate << 2);
}
