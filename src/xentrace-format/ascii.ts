/**
 * Numbers as ASCII bytes, put into a buffer at a place; each function returns the place behind what it put.
 *
 * They write up to eight bytes at a time, so that bytes behind what they put change too: buffers have room for them.
 * @module
 */

const MINUS = 0x2d;
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

// By number below 1000, characters, the first one lowest: its digits; the same as three, with zeros in front.
const NUMBERS = new Uint32Array(1000);
const TRIPLES = new Uint32Array(1000);
for (let number = 0; number < 1000; number++) {
  const hundreds = (number / 100) | 0;
  const tens = ((number / 10) | 0) % 10;
  const triple = ((number % 10) << 16) | (tens << 8) | hundreds | 0x303030;
  const blanks = number < 10 ? 2 : number < 100 ? 1 : 0;
  NUMBERS[number] = triple >>> (8 * blanks);
  TRIPLES[number] = triple;
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
function putNineDigits(view: DataView, at: number, value: number): number {
  const whole = value | 0;
  const millions = (whole / 1e6) | 0;
  const rest = whole - millions * 1e6;
  const thousands = (rest / 1000) | 0;
  view.setUint32(at, TRIPLES[millions], true);
  view.setUint32(at + 3, TRIPLES[thousands], true);
  view.setUint32(at + 6, TRIPLES[rest - thousands * 1000], true);
  return at + 9;
}

/** Puts an unsigned 32-bit number in hexadecimal, without leading zeros. */
export function putHex(view: DataView, at: number, value: number): number {
  const digits = Math.max(1, 8 - (Math.clz32(value) >> 2));
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    view.setUint8(i, HEX_DIGITS[rest & 15]);
    rest >>>= 4;
  }
  return at + digits;
}
