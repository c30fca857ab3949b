/**
 * Numbers and text as ASCII bytes, put into a buffer at a place; each function returns the place behind what it put.
 *
 * They write up to eight bytes at a time, so that bytes behind what they put change too: buffers have room for them.
 * @module
 */

/** How many bytes behind what was put may change. */
export const OVERSHOOT = 16;

const MINUS = 0x2d;
const SPACE = 0x20;
const POINT = 0x2e;
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

// By number below 1000, four characters, the first one lowest: its digits; the same as three, with zeros in front;
// these and a space; as three, with spaces in front, and a point.
const NUMBERS = new Uint32Array(1000);
const TRIPLES = new Uint32Array(1000);
const TRIPLES_AND_SPACE = new Uint32Array(1000);
const COLUMNS_AND_POINT = new Uint32Array(1000);
for (let number = 0; number < 1000; number++) {
  const hundreds = (number / 100) | 0;
  const tens = ((number / 10) | 0) % 10;
  const triple = ((number % 10) << 16) | (tens << 8) | hundreds | 0x303030;
  const blanks = number < 10 ? 2 : number < 100 ? 1 : 0;
  NUMBERS[number] = triple >>> (8 * blanks);
  TRIPLES[number] = triple;
  TRIPLES_AND_SPACE[number] = triple | (SPACE << 24);
  COLUMNS_AND_POINT[number] = triple - [0, 0x10, 0x1010][blanks] + (POINT << 24);
}

/**
 * ASCII text that is put many times. No eight characters of it are a number that is not one, so they stay as they
 * are.
 */
export class AsciiText {
  readonly length: number;
  readonly words: Float64Array;

  constructor(text: string) {
    this.length = text.length;
    const bytes = new Uint8Array(Math.max(16, Math.ceil(text.length / 8) * 8));
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.words = new Float64Array(bytes.buffer);
  }
}

export function putAscii(view: DataView, at: number, { words, length }: AsciiText): number {
  view.setFloat64(at, words[0], true);
  view.setFloat64(at + 8, words[1], true);
  for (let i = 2; i < words.length; i++) view.setFloat64(at + i * 8, words[i], true);
  return at + length;
}

/** Puts ASCII text. */
export function putText(view: DataView, at: number, text: string): number {
  const { length } = text;
  for (let i = 0; i < length; i++) view.setUint8(at + i, text.charCodeAt(i));
  return at + length;
}

/** Puts the first `length` bytes, ASCII text, of another buffer, which has room for {@link OVERSHOOT} more. */
export function putBytes(view: DataView, at: number, source: DataView, length: number): number {
  for (let i = 0; i < length; i += 8) view.setFloat64(at + i, source.getFloat64(i, true), true);
  return at + length;
}

/** Puts a whole number below 2^53 in size. */
export function putInteger(view: DataView, at: number, value: number): number {
  if (value >= 0 && value < 1000) return putShort(view, at, value);
  if (value < 0) {
    view.setUint8(at, MINUS);
    return putInteger(view, at + 1, -value);
  }
  if (value < 1e6) {
    const thousands = (value / 1000) | 0;
    const behind = putShort(view, at, thousands);
    view.setUint32(behind, TRIPLES[value - thousands * 1000], true);
    return behind + 3;
  }
  if (value < 1e9) {
    const millions = (value / 1e6) | 0;
    const rest = value - millions * 1e6;
    const thousands = (rest / 1000) | 0;
    const behind = putShort(view, at, millions);
    view.setUint32(behind, TRIPLES[thousands], true);
    view.setUint32(behind + 3, TRIPLES[rest - thousands * 1000], true);
    return behind + 6;
  }
  const high = Math.floor(value / 1e9);
  return putNineDigits(view, putInteger(view, at, high), value - high * 1e9);
}

function putShort(view: DataView, at: number, value: number): number {
  view.setUint32(at, NUMBERS[value], true);
  return at + 1 + Number(value >= 10) + Number(value >= 100);
}

/** Puts a whole number from 0 to 10^9 - 1 with zeros in front. */
export function putNineDigits(view: DataView, at: number, value: number): number {
  return putNine(view, at, value, TRIPLES);
}

function putNine(view: DataView, at: number, value: number, last: Uint32Array): number {
  const whole = value | 0;
  const millions = (whole / 1e6) | 0;
  const rest = whole - millions * 1e6;
  const thousands = (rest / 1000) | 0;
  view.setUint32(at, TRIPLES[millions], true);
  view.setUint32(at + 3, TRIPLES[thousands], true);
  view.setUint32(at + 6, last[rest - thousands * 1000], true);
  return at + 9;
}

/** Puts seconds, below 1000 in three columns, a point, nine digits of nanoseconds, and a space. */
export function putSeconds(view: DataView, start: number, seconds: number, nanoseconds: number): number {
  let at = start;
  if (seconds < 1000) {
    view.setUint32(at, COLUMNS_AND_POINT[seconds], true);
    at += 4;
  } else {
    at = putInteger(view, at, seconds);
    view.setUint8(at++, POINT);
  }
  if (nanoseconds < 1e9) return putNine(view, at, nanoseconds, TRIPLES_AND_SPACE) + 1;
  return putByte(view, putInteger(view, at, nanoseconds), SPACE);
}

/** Puts an unsigned 32-bit number in hexadecimal, without leading zeros. */
export function putHex(view: DataView, at: number, value: number): number {
  const digits = Math.max(1, 8 - (Math.clz32(value) >> 2));
  putHexDigits(view, at, value, digits);
  return at + digits;
}

/** Puts an unsigned 64-bit number in hexadecimal, without leading zeros. */
export function putHex64(view: DataView, at: number, high: number, low: number): number {
  if (high === 0) return putHex(view, at, low);
  const middle = putHex(view, at, high);
  putHexDigits(view, middle, low, 8);
  return middle + 8;
}

function putHexDigits(view: DataView, at: number, value: number, digits: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    view.setUint8(i, HEX_DIGITS[rest & 15]);
    rest >>>= 4;
  }
}

/** Puts `count` spaces. */
export function putSpaces(view: DataView, at: number, count: number): number {
  for (let i = 0; i < count; i++) view.setUint8(at + i, SPACE);
  return at + count;
}

/** Puts one character. */
export function putByte(view: DataView, at: number, code: number): number {
  view.setUint8(at, code);
  return at + 1;
}
