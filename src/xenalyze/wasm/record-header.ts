/**
 * The text in front of the lines of a record: the time, one character a pCPU, and the vCPU.
 * @module
 */
import { putByte, putSeconds, putText } from './ascii.ts';
import { numberOf, pcpuAt, run } from './run.ts';
import { Pcpu, Vcpu } from './structs.ts';
import {
  HEADER,
  LABEL_BYTES,
  LABEL_LENGTH,
  LABELS,
  PICTURE,
  PICTURE_CODE,
  VCPU_BYTES,
  VCPUS,
  WIDE_CYCLES,
} from './walk-layout.ts';

/** Takes the time of a pCPU's TSC into the run's seconds and nanoseconds. */
declare function takeWideTime(pcpu: Pcpu): void;

const SPACE: i32 = 0x20;
/** As wide as a time. */
const NO_TIME = i32(memory.data<u32>([0x20202020, 0x20202020, 0x20202020, 0x20202020]));
const TIME_BYTES = 15;
const NOBODY = i32(memory.data<u32>([0x3f763f64, 0, 0, 0]));
const NOBODY_LENGTH = 4;
/** xenalyze has no room for more, which takes 233 pCPUs; what it does not live to see is shown in full. */
const LENGTH_MAX = 255;

// The picture's characters.
const HAS_RECORD: i32 = 0x78;
const LOST: i32 = 0x6c;
const IDLE: i32 = 0x2d;

/** Whose character says that it has a record. */
let current: Pcpu | null = null;
/** Nanoseconds of a time are looked for in the second of the time before. */
let second: u64 = 0;
let secondNs: u64 = 0;

/** Puts the text of the record that is being processed. Returns the address behind it. */
export function putHeader(at: i32): i32 {
  const p = run.headerOf;
  if (p !== null) return putHeaderOf(p, at);
  return putText(at, HEADER, run.headerLength);
}

/** Makes the text now, as the record may change what it shows. */
export function makeHeader(): void {
  const p = run.headerOf;
  if (p === null) return;
  run.headerLength = putHeaderOf(p, HEADER) - HEADER;
  run.headerOf = null;
}

/** Puts the text of a pCPU's current record. */
function putHeaderOf(p: Pcpu, start: i32): i32 {
  let at = putTime(p, start);
  drawAll(p);
  const drawn = run.drawn;
  at = putText(at, PICTURE, drawn);
  at = putByte(at, SPACE);
  const v = p.currentVcpu;
  if (v === null) at = putText(at, NOBODY, NOBODY_LENGTH);
  else at = putText(at, labelOf(v), load<u8>(labelOf(v), LABEL_LENGTH));
  return at - start > LENGTH_MAX && !run.ended ? start + LENGTH_MAX : at;
}

function labelOf(v: Vcpu): i32 {
  return LABELS + ((changetype<u32>(v) - VCPUS) / VCPU_BYTES) * LABEL_BYTES;
}

function putTime(p: Pcpu, at: i32): i32 {
  const cycles = p.tsc - run.firstTsc;
  const qhz = run.cpuQhz;
  if (p.hasExactTsc || cycles >= WIDE_CYCLES || qhz === 0) {
    takeWideTime(p);
    return putTimeOf(at, run.seconds, run.nanoseconds);
  }
  if (cycles <= 0) return putText(at, NO_TIME, TIME_BYTES);
  const ns = (u64(cycles) << 10) / qhz;
  if (ns - secondNs >= 1_000_000_000) {
    second = ns / 1_000_000_000;
    secondNs = second * 1_000_000_000;
  }
  return putTimeOf(at, u32(second), u32(ns - secondNs));
}

function putTimeOf(at: i32, seconds: u32, nanoseconds: u32): i32 {
  if (seconds === 0 && nanoseconds === 0) return putText(at, NO_TIME, TIME_BYTES);
  return putSeconds(at, seconds, nanoseconds);
}

/** Brings the picture up to date, with `p` as the pCPU that has a record. */
export function drawAll(p: Pcpu): void {
  const before = current;
  if (before !== null && before !== p) draw(before);
  let drawn = run.drawn;
  for (; drawn <= run.maxActivePcpu; drawn++) draw(pcpuAt(drawn));
  // Those that were drawn when they came, and that left before they were shown.
  while (load<u8>(PICTURE + drawn) !== 0) drawn++;
  run.drawn = drawn;
  store<u8>(placeOf(p), HAS_RECORD);
  current = p;
}

/** Brings the character of a pCPU up to date. */
export function draw(p: Pcpu): void {
  const v = p.currentVcpu;
  let code = SPACE;
  if (p.lostActive) code = LOST;
  else if (v !== null) {
    code = load<u8>(labelOf(v), PICTURE_CODE);
    if (code === IDLE && run.showsPower) code = p.powerState + 0x30;
  }
  store<u8>(placeOf(p), code);
}

function placeOf(p: Pcpu): i32 {
  return PICTURE + numberOf(p);
}
