/**
 * Lines of records, as ../record-lines.ts has compiled them.
 * @module
 */
import {
  putByte,
  putHex,
  putHexDigits,
  putInteger,
  putShort,
  putSigned,
  putSixteen,
  putText,
  putThree,
} from './ascii.ts';
import { putHeader } from './record-header.ts';
import { run } from './run.ts';
import { LinePiece, Pcpu } from './structs.ts';
import {
  ARGUMENTS,
  CYCLES,
  END,
  HEX,
  MICROSECONDS,
  NAMES,
  OUTPUT,
  OUTPUT_FULL,
  PERCENT,
  PIECE_BYTES,
  SIGNED,
  SIGNED_WIDE,
  SKIP,
  SKIP_UNLESS,
  UNSIGNED,
  UNSIGNED_SHORT,
  WIDE,
  WIDE_CYCLES,
  WIDE_HEX,
} from './walk-layout.ts';

/** Writes the buffer's text and empties it. */
declare function flush(): void;
/** Writes what a function of the caller's, given as its number, makes of a pCPU's current record. */
declare function writeComputed(number: i32, pcpu: Pcpu): void;

const POINT: i32 = 0x2e;
const SPACE: i32 = 0x20;
const UNKNOWN: i32 = 0x3f;
const ARGUMENTS_MAX = 6;

/** Writes a line of a pCPU's current record, with a mark in front. */
export function writeLine(p: Pcpu, line: i32, mark: i32): void {
  if (run.outputAt > OUTPUT_FULL) flush();
  const at = putHeader(putByte(OUTPUT + run.outputAt, mark));
  putPieces(p, at, line);
}

function putPieces(p: Pcpu, start: i32, line: i32): void {
  const words = p.wordsAt << 2;
  let at = start;
  for (let next = line; ; next += PIECE_BYTES) {
    const piece = changetype<LinePiece>(next);
    at = putText(at, piece.text, piece.textLength);
    const from = words + piece.wordAt;
    const kind = piece.kind;
    if (kind === UNSIGNED) at = putInteger(at, bitsOf(from, piece));
    else if (kind === END) break;
    else if (kind === MICROSECONDS) at = putMicroseconds(at, load<u32>(from));
    else if (kind === SIGNED) at = putSigned(at, shifted(from, piece));
    else if (kind === SKIP_UNLESS) {
      if (bitsOf(from, piece) !== piece.value) next += piece.skipped;
    } else if (kind === NAMES) {
      const name = nameOf(piece.value, bitsOf(from, piece));
      if (name !== 0) {
        at = putText(at, load<u32>(name), load<u32>(name, 4));
        next += piece.skipped;
      }
    } else if (kind === SKIP) next += piece.skipped;
    else if (kind === WIDE) at = putInteger(at, load<u64>(from));
    else if (kind === SIGNED_WIDE) at = putSigned(at, load<i64>(from));
    else if (kind === HEX) at = putHex(at, bitsOf(from, piece));
    else if (kind === WIDE_HEX) at = putHex(at, load<u64>(from));
    else if (kind === UNSIGNED_SHORT) at = putInteger(at, u32(shifted(from, piece)));
    else if (kind === ARGUMENTS) at = putArguments(at, p);
    else if (kind === CYCLES && abs(run.exitCycles) < WIDE_CYCLES) at = putSigned(at, i64(run.exitCycles));
    else {
      const percent = kind === PERCENT ? putPercent(at, load<u64>(from), shiftOf(words, piece)) : 0;
      if (percent !== 0) at = percent;
      else {
        run.outputAt = at - OUTPUT;
        writeComputed(piece.value, p);
        at = OUTPUT + run.outputAt;
      }
    }
  }
  run.outputAt = at - OUTPUT;
}

function bitsOf(from: i32, piece: LinePiece): u32 {
  return (load<u32>(from) >> piece.shift) & piece.mask;
}

/** Where a table of names has that of a number, or 0. */
function nameOf(table: u32, number: u32): u32 {
  if (number >= load<u32>(table)) return 0;
  const name = table + ((number + 1) << 3);
  return load<u32>(name, 4) === 0 ? 0 : name;
}

/**
 * The arguments of a hypercall: the first word has how many words each of them has, of two bits each from bit 20 on.
 * Where an argument goes on behind the seven words of a record, xenalyze has the number of a pCPU.
 */
function putArguments(start: i32, p: Pcpu): i32 {
  const words = p.wordsAt << 2;
  let sizes = load<u32>(words) >>> 20;
  let at = start;
  for (let i = 0, word = 1; i < ARGUMENTS_MAX && word < p.extraWords; i++) {
    const size = sizes & 3;
    const low = load<u32>(words + (word << 2));
    if (size !== 3) at = putByte(at, SPACE);
    if (size === 0) at = putByte(putByte(at, UNKNOWN), UNKNOWN);
    else if (size === 1) at = putHexDigits(at, low, 8);
    else if (size === 2) {
      const isBehind = word === 6 && p.hasTsc;
      const high = isBehind ? p.lastCpuChangePcpu : load<u32>(words + (word << 2), 4);
      at = putSixteen(at, (u64(high) << 32) | low);
    }
    word += size;
    sizes >>>= 2;
  }
  return at;
}

/** Part of a word as a signed number. */
function shifted(from: i32, piece: LinePiece): i32 {
  return (load<i32>(from) << piece.shiftLeft) >> piece.shift;
}

/** Nanoseconds as xenalyze shows them: `12.5` is 12 microseconds and 5 nanoseconds. */
function putMicroseconds(start: i32, ns: u32): i32 {
  const whole = ns / 1000;
  const at = putByte(putShort(start, whole), POINT);
  return putShort(at, ns - whole * 1000);
}

/** By how many bits a number's point is moved: as another word says. */
function shiftOf(words: i32, piece: LinePiece): i32 {
  return (load<u32>(words + piece.shiftLeft) >> piece.shift) & 63;
}

/**
 * A fixed-point number with so many bits behind its point as a percentage with three decimals, of which a tie goes to
 * the even one, as in C. 0 where it would be rounded before.
 */
function putPercent(start: i32, value: u64, shift: i32): i32 {
  if (f64(value) * 100 >= WIDE_CYCLES) return 0;
  const thousandths = value * 100_000;
  let rounded = thousandths >> shift;
  if (shift > 0) {
    const rest = thousandths - (rounded << shift);
    const half = u64(1) << (shift - 1);
    if (rest > half || (rest === half && (rounded & 1) === 1)) rounded++;
  }
  const whole = rounded / 1000;
  return putThree(putByte(putInteger(start, whole), POINT), u32(rounded - whole * 1000));
}
