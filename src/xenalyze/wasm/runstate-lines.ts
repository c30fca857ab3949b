/**
 * What was counted, as lines of the summary: `name: count seconds mean {p5|p50|p95}`, without seconds for stays.
 * @module
 */
import { putByte, putInteger, putSigned, putText } from './ascii.ts';
import { exitsOf, firstExits } from './exits.ts';
import { SCRATCH_BYTES } from './percentile-layout.ts';
import { begin, percentile, selfWeighted } from './percentile-search.ts';
import {
  CAUSES,
  DONE,
  LABEL_BYTES,
  LABEL_LENGTH,
  LABELS,
  LINES,
  LINES_FULL,
  NEXT,
  PROGRESS,
  RUNSTATES,
  TALLIES_OF_SUBJECT,
  TALLIES_USED,
  WORKSPACES,
} from './runstate-layout.ts';
import { RUNNABLE } from './runstates.ts';
import { durationAt, take, valuesOf } from './samples.ts';
import { ALL_PCPUS, SamplePiece, Stays, subjectAt, Tally, tallyAt } from './tallies.ts';
import { WIDE_CYCLES } from './walk-layout.ts';

const COUNT_WIDTH = 7;
const SECONDS_WIDTH = 5;
const CYCLES_WIDTH = 6;
const EXITS_WIDTH = 5;
// Up to four characters each.
const CYC = 0x637963;
const NAN = 0x6e616e2d;
const INF = 0x666e6920;
const MINUS_INF = 0x666e692d;
const DOMAIN_LABELS = RUNSTATES + CAUSES;
const STAYS_LABEL = DOMAIN_LABELS + RUNSTATES;
const STAYS_OF_PCPU_LABEL = STAYS_LABEL + 1;

/** Makes room in which two threads can search for percentiles of what so many vCPUs and domains have. */
export function prepareSearch(subjects: i32): void {
  const tallies = subjects * TALLIES_OF_SUBJECT;
  let most = 0;
  for (let k = 0; k < tallies; k++) most = max(most, samplesOf(tallyAt(k)));
  for (let k = 0; k < subjects; k++) {
    let stays = subjectAt(k).stays;
    while (stays !== null) {
      most = max(most, samplesOf(stays));
      stays = stays.next;
    }
  }
  let exits = firstExits;
  while (exits !== null) {
    most = max(most, samplesOf(exits));
    exits = exits.next;
  }
  for (let thread = 0; thread < 2; thread++)
    store<u32>(PROGRESS + thread * 4, take(SCRATCH_BYTES + most * 8), WORKSPACES);
  store<i32>(PROGRESS, tallies, TALLIES_USED);
}

/**
 * Finds the percentiles of the next tally's sample, while another thread does the same. Returns whether there was a
 * tally. V8 compiles what is called often well, but not what goes on for long.
 */
export function findNext(thread: i32): bool {
  const tallies = load<i32>(PROGRESS, TALLIES_USED);
  const next = atomic.add<i32>(PROGRESS, 1, NEXT);
  if (next >= tallies) return false;
  const tally = tallyAt(next);
  if (sampledUnder(tally) === tally) search(tally, thread, true);
  if (atomic.add<i32>(PROGRESS, 1, DONE) === tallies - 1) atomic.notify(PROGRESS + DONE, -1);
  return true;
}

/** Finds percentiles of a sample, in the order that xenalyze has; `weighs`: of the time that they are together. */
function search(tally: Tally, thread: i32, weighs: bool): void {
  const sample = tally.sample;
  if (sample === null) return;
  const values = load<u32>(PROGRESS + thread * 4, WORKSPACES) + SCRATCH_BYTES;
  begin(values, loadSample(tally, values));
  const p50 = exact(tally, weighs ? selfWeighted(50) : percentile(50));
  const p5 = exact(tally, weighs ? selfWeighted(5) : percentile(5));
  const p95 = exact(tally, weighs ? selfWeighted(95) : percentile(95));
  const found = valuesOf(sample);
  store<i64>(found, p5);
  store<i64>(found, p50, 8);
  store<i64>(found, p95, 16);
}

/** Puts the durations of a sample in place, as numbers. Returns how many there are. */
function loadSample(tally: Tally, values: u32): i32 {
  const samples = samplesOf(tally);
  let left = samples;
  let at = values;
  let piece = tally.sample;
  while (piece !== null) {
    const end = at + (min(piece.length, left) << 3);
    for (let from = valuesOf(piece); at < end; from += 4) {
      store<f64>(at, f64(durationAt(from)));
      at += 8;
    }
    left -= piece.length;
    piece = piece.next;
  }
  return samples;
}

/** The duration that was found, which a number may have rounded. */
function exact(tally: Tally, found: f64): i64 {
  if (abs(found) < WIDE_CYCLES) return i64(found);
  let piece = tally.sample;
  while (piece !== null) {
    for (let i = 0; i < piece.length; i++) {
      const duration = durationAt(valuesOf(piece) + (i << 2));
      if (f64(duration) === found) return duration;
    }
    piece = piece.next;
  }
  return i64(found);
}

/** How many durations a tally's sample holds. */
function samplesOf(tally: Tally): i32 {
  return min(tally.count, tally.size);
}

/** The tally that has a tally's sample: its sum, if nothing else is in that. */
function sampledUnder(tally: Tally): Tally {
  const sum = tally.sum;
  return sum !== null && sum.count === tally.count ? sum : tally;
}

let cpuHz: f64 = 0;
let showsSamples = false;

export function beginLines(hz: f64, shows: bool): void {
  cpuHz = hz;
  showsSamples = shows;
}

/** What there was no room for. */
let nextStays: Stays | null = null;

/** Writes what a vCPU, by its index, was in, why it was runnable, and where it was. Returns where the lines end. */
export function vcpuLines(index: i32): i32 {
  let at = LINES;
  for (let runstate = 0; runstate < RUNSTATES; runstate++) {
    at = putLine(at, index, runstate, runstate);
    for (let cause = 1; runstate === RUNNABLE && cause < CAUSES; cause++)
      at = putLine(at, index, RUNSTATES + cause, RUNSTATES + cause);
  }
  nextStays = subjectAt(index).stays;
  return putStays(at);
}

/** Writes what is left of the lines of the vCPU. Returns where the lines end: at LINES if there was nothing left. */
export function restOfLines(): i32 {
  return putStays(LINES);
}

function putStays(start: i32): i32 {
  let at = start;
  let stays = nextStays;
  while (stays !== null && at < LINES + LINES_FULL) {
    if (!stays.isSearched) search(stays, 0, false);
    stays.isSearched = true;
    at = putStaysLine(at, stays);
    stays = stays.next;
  }
  nextStays = stays;
  return at;
}

/** Likewise, what a domain's vCPUs did together. */
export function domainLines(index: i32): i32 {
  let at = LINES;
  for (let runstate = 0; runstate < RUNSTATES; runstate++)
    at = putLine(at, index, runstate, DOMAIN_LABELS + runstate);
  return at;
}

/**
 * Writes how often and how long exits of a vCPU were that are counted for a key: ` events seconds percent mean cyc
 * {p5|p50|p95}`. Returns where the line ends: at LINES if there were none.
 */
export function exitLine(vcpu: i32, key: i32, totalCycles: f64): i32 {
  const exits = exitsOf(vcpu, key);
  if (exits === null) return LINES;
  if (!exits.isSearched) search(exits, 0, false);
  exits.isSearched = true;
  const cycles = f64(u64(exits.cycles));
  let at = putPadded(putByte(LINES, 0x20), exits.events, COUNT_WIDTH);
  at = putByte(putHundredths(putByte(at, 0x20), cycles / cpuHz), 0x73);
  at = putByte(putHundredths(putByte(at, 0x20), (cycles * 100) / totalCycles), 0x25);
  at = putWord(
    putPadded(putByte(at, 0x20), exits.count === 0 ? 0 : u64(exits.cycles) / u64(exits.count), EXITS_WIDTH),
    CYC,
  );
  return putPercentiles(at, exits.sample, EXITS_WIDTH);
}

/** @param nth Which of the tallies of the index. */
function putLine(start: i32, index: i32, nth: i32, label: i32): i32 {
  const tally = tallyAt(index * TALLIES_OF_SUBJECT + nth);
  const count = tally.count;
  if (count === 0) return start;
  const cycles = tally.cycles;
  let at = putCount(putLabel(start, label), count);
  at = putHundredths(putByte(at, 0x20), f64(u64(cycles)) / cpuHz);
  return putMean(putByte(at, 0x73), tally, sampledUnder(tally).sample);
}

function putStaysLine(start: i32, stays: Stays): i32 {
  const pcpu = stays.pcpu;
  let at = putLabel(start, pcpu === ALL_PCPUS ? STAYS_LABEL : STAYS_OF_PCPU_LABEL);
  if (pcpu !== ALL_PCPUS) at = putByte(putInteger(at, pcpu), 0x5d);
  return putMean(putCount(at, stays.count), stays, stays.sample);
}

function putLabel(at: i32, label: i32): i32 {
  const text = LABELS + label * LABEL_BYTES;
  return putText(at, text, load<u8>(text, LABEL_LENGTH));
}

function putCount(at: i32, count: i32): i32 {
  return putPadded(putByte(putByte(at, 0x3a), 0x20), count, COUNT_WIDTH);
}

/** Puts the mean of a tally, and percentiles, which were found of a sample. The sum has no sign, as in xenalyze. */
function putMean(start: i32, tally: Tally, sample: SamplePiece | null): i32 {
  const at = putPadded(putByte(start, 0x20), u64(tally.cycles) / u64(tally.count), CYCLES_WIDTH);
  return putPercentiles(at, sample, CYCLES_WIDTH);
}

function putPercentiles(start: i32, sample: SamplePiece | null, width: i32): i32 {
  let at = start;
  if (showsSamples) {
    const found = sample === null ? 0 : valuesOf(sample);
    at = putByte(putByte(at, 0x20), 0x7b);
    for (let k = 0; k < 3; k++) {
      at = putPadded(at, found === 0 ? 0 : load<i64>(found + k * 8), width);
      at = putByte(at, k < 2 ? 0x7c : 0x7d);
    }
  }
  return putByte(at, 0x0a);
}

/** Puts a number with two decimals as C does, exactly, a tie as the even one, with blanks in front. */
function putHundredths(at: i32, value: f64): i32 {
  const isNegative = value < 0;
  const bits = reinterpret<u64>(value);
  const exponent = i32(bits >>> 52) & 0x7ff;
  if (exponent === 0x7ff) return putWord(at, bits << 12 !== 0 ? NAN : isNegative ? MINUS_INF : INF);
  const mantissa = (bits & 0xfffffffffffff) | 0x10000000000000;
  // The value is mantissa / 2^places.
  const places = 1075 - exponent;
  let whole: u64 = 0;
  let hundredths: u64 = 0;
  if (places <= 0) whole = mantissa << -places;
  else if (places < 64) {
    const scaled = mantissa * 100;
    hundredths = scaled >> places;
    const rest = scaled - (hundredths << places);
    const half = u64(1) << (places - 1);
    if (rest > half || (rest === half && (hundredths & 1) !== 0)) hundredths++;
    whole = hundredths / 100;
    hundredths -= whole * 100;
  }
  const width = SECONDS_WIDTH - 3 - i32(isNegative);
  let next = at;
  for (let blanks = digitsOf(whole); blanks < width; blanks++) next = putByte(next, 0x20);
  if (isNegative) next = putByte(next, 0x2d);
  next = putByte(putInteger(next, whole), 0x2e);
  return putInteger(hundredths < 10 ? putByte(next, 0x30) : next, hundredths);
}

/** Puts up to four characters, behind a blank. */
function putWord(at: i32, characters: i32): i32 {
  store<i32>(putByte(at, 0x20), characters);
  return at + 1 + (characters >>> 24 === 0 ? 3 : 4);
}

/** Puts a whole number with blanks in front. */
function putPadded(at: i32, value: i64, width: i32): i32 {
  let next = at;
  const isNegative = value < 0;
  for (let blanks = digitsOf(isNegative ? -value : value) + i32(isNegative); blanks < width; blanks++)
    next = putByte(next, 0x20);
  return putSigned(next, value);
}

function digitsOf(value: u64): i32 {
  let digits = 1;
  for (let power: u64 = 10; digits < 20 && value >= power; power *= 10) digits++;
  return digits;
}
