/**
 * The text in front of the lines of a record: the time, one character a pCPU, and the vCPU; see ../record-header.ts.
 * @module
 */
import { putByte, putSeconds, putText } from './ascii.ts';
import {
  CPU_QHZ,
  CURRENT,
  DRAWN,
  ENDED,
  FIRST_TSC,
  HAS_EXACT_TSC,
  HEADER,
  HEADER_LENGTH,
  HEADER_OF,
  LABEL_BYTES,
  LABEL_LENGTH,
  LABELS,
  LOST_ACTIVE,
  MAX_ACTIVE_PCPU,
  NANOSECONDS,
  PCPU_BYTES,
  PCPUS,
  PICTURE,
  PICTURE_CODE,
  POWER_STATE,
  RUN,
  SECONDS,
  SHOWS_POWER,
  TSC,
  VCPU_BYTES,
  VCPUS,
} from './walk-layout.ts';

/** Takes the time of a pCPU's TSC into the run's {@link SECONDS} and {@link NANOSECONDS}. */
declare function takeWideTime(pcpu: i32): void;

const SPACE: i32 = 0x20;
/** As wide as a time. */
const NO_TIME = i32(memory.data<u32>([0x20202020, 0x20202020, 0x20202020, 0x20202020]));
const TIME_BYTES = 15;
const NOBODY = i32(memory.data<u32>([0x3f763f64, 0, 0, 0]));
const NOBODY_LENGTH = 4;
/** xenalyze has no room for more, which takes 233 pCPUs; what it does not live to see is shown in full. */
const LENGTH_MAX = 255;
/** From here on, a number may have been rounded. */
const WIDE_CYCLES: f64 = 9007199254740992;

// The picture's characters.
const HAS_RECORD: i32 = 0x78;
const LOST: i32 = 0x6c;
const IDLE: i32 = 0x2d;

/** Whose character says that it has a record. */
let current: i32 = 0;
/** Nanoseconds of a time are looked for in the second of the time before. */
let second: u64 = 0;
let secondNs: u64 = 0;

/** Puts the text of the record that is being processed. Returns the address behind it. */
export function putHeader(at: i32): i32 {
  const p = load<i32>(RUN, HEADER_OF);
  if (p !== 0) return putHeaderOf(p, at);
  return putText(at, HEADER, load<i32>(RUN, HEADER_LENGTH));
}

/** Makes the text now, as the record may change what it shows. */
export function makeHeader(): void {
  const p = load<i32>(RUN, HEADER_OF);
  if (p === 0) return;
  store<i32>(RUN, putHeaderOf(p, HEADER) - HEADER, HEADER_LENGTH);
  store<i32>(RUN, 0, HEADER_OF);
}

/** Puts the text of a pCPU's current record. */
function putHeaderOf(p: i32, start: i32): i32 {
  let at = putTime(p, start);
  drawAll(p);
  const drawn = load<i32>(RUN, DRAWN);
  at = putText(at, PICTURE, drawn);
  at = putByte(at, SPACE);
  const v = load<i32>(p, CURRENT);
  if (v === 0) at = putText(at, NOBODY, NOBODY_LENGTH);
  else at = putText(at, labelOf(v), load<u8>(labelOf(v), LABEL_LENGTH));
  return at - start > LENGTH_MAX && load<i32>(RUN, ENDED) === 0 ? start + LENGTH_MAX : at;
}

function labelOf(v: i32): i32 {
  return LABELS + (u32(v - VCPUS) / VCPU_BYTES) * LABEL_BYTES;
}

function putTime(p: i32, at: i32): i32 {
  const cycles = load<f64>(p, TSC) - load<f64>(RUN, FIRST_TSC);
  const qhz = load<u64>(RUN, CPU_QHZ);
  if (load<i32>(p, HAS_EXACT_TSC) !== 0 || cycles >= WIDE_CYCLES || qhz === 0) {
    takeWideTime(p);
    return putTimeOf(at, load<u32>(RUN, SECONDS), load<u32>(RUN, NANOSECONDS));
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
export function drawAll(p: i32): void {
  if (current !== 0 && current !== p) draw(current);
  let drawn = load<i32>(RUN, DRAWN);
  for (; drawn <= load<i32>(RUN, MAX_ACTIVE_PCPU); drawn++) draw(PCPUS + drawn * PCPU_BYTES);
  // Those that were drawn when they came, and that left before they were shown.
  while (load<u8>(PICTURE + drawn) !== 0) drawn++;
  store<i32>(RUN, drawn, DRAWN);
  store<u8>(placeOf(p), HAS_RECORD);
  current = p;
}

/** Brings the character of a pCPU up to date. */
export function draw(p: i32): void {
  const v = load<i32>(p, CURRENT);
  let code = SPACE;
  if (load<i32>(p, LOST_ACTIVE) !== 0) code = LOST;
  else if (v !== 0) {
    code = load<u8>(labelOf(v), PICTURE_CODE);
    if (code === IDLE && load<i32>(RUN, SHOWS_POWER) !== 0) code = load<i32>(p, POWER_STATE) + 0x30;
  }
  store<u8>(placeOf(p), code);
}

function placeOf(p: i32): i32 {
  return PICTURE + u32(p - PCPUS) / PCPU_BYTES;
}
