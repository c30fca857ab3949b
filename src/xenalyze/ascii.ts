/**
 * Numbers and text as ASCII bytes, put into a buffer at a place; each function returns the place behind what it put.
 * @module
 */

const ZERO = 0x30;
const MINUS = 0x2d;
const SPACE = 0x20;
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** The three digits of each number below 1000. */
const TRIPLES = Uint8Array.from({ length: 3000 }, (_, i) => {
  const number = Math.floor(i / 3);
  return ZERO + (Math.floor(number / 10 ** (2 - (i % 3))) % 10);
});

/** Puts ASCII text. */
export function putText(bytes: Uint8Array, at: number, text: string): number {
  const { length } = text;
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + length;
}

/** Puts the first `length` of some bytes. */
export function putBytes(bytes: Uint8Array, at: number, source: Uint8Array, length: number): number {
  for (let i = 0; i < length; i++) bytes[at + i] = source[i];
  return at + length;
}

/** Puts a whole number below 2^53 in size. */
export function putInteger(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0 && value < 10) {
    bytes[at] = ZERO + value;
    return at + 1;
  }
  if (value < 0) {
    bytes[at] = MINUS;
    return putInteger(bytes, at + 1, -value);
  }
  if (value < 1e9) return putSmall(bytes, at, value | 0);
  const high = Math.floor(value / 1e9);
  return putNineDigits(bytes, putInteger(bytes, at, high), value - high * 1e9);
}

/** Puts a whole number from 0 to 10^9 - 1. */
function putSmall(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1;
  if (value >= 100_000)
    digits = value >= 10_000_000 ? (value >= 100_000_000 ? 9 : 8) : value >= 1_000_000 ? 7 : 6;
  else if (value >= 1000) digits = value >= 10_000 ? 5 : 4;
  else if (value >= 10) digits = value >= 100 ? 3 : 2;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}

/** Puts a whole number from 0 to 10^9 - 1 with zeros in front. */
export function putNineDigits(bytes: Uint8Array, at: number, value: number): number {
  const high = (value / 1_000_000) | 0;
  const rest = value - high * 1_000_000;
  const middle = (rest / 1000) | 0;
  putTriple(bytes, at, high);
  putTriple(bytes, at + 3, middle);
  putTriple(bytes, at + 6, rest - middle * 1000);
  return at + 9;
}

function putTriple(bytes: Uint8Array, at: number, value: number): void {
  const from = value * 3;
  bytes[at] = TRIPLES[from];
  bytes[at + 1] = TRIPLES[from + 1];
  bytes[at + 2] = TRIPLES[from + 2];
}

/** Puts a whole number from 0 to 999 in three columns, with spaces in front; larger ones as they are. */
export function putThreeColumns(bytes: Uint8Array, at: number, value: number): number {
  if (value > 999) return putInteger(bytes, at, value);
  putTriple(bytes, at, value);
  if (value < 100) bytes[at] = SPACE;
  if (value < 10) bytes[at + 1] = SPACE;
  return at + 3;
}

/** Puts an unsigned 32-bit number in hexadecimal, without leading zeros. */
export function putHex(bytes: Uint8Array, at: number, value: number): number {
  const digits = Math.max(1, 8 - (Math.clz32(value) >> 2));
  putHexDigits(bytes, at, value, digits);
  return at + digits;
}

/** Puts an unsigned 64-bit number in hexadecimal, without leading zeros. */
export function putHex64(bytes: Uint8Array, at: number, high: number, low: number): number {
  if (high === 0) return putHex(bytes, at, low);
  const middle = putHex(bytes, at, high);
  putHexDigits(bytes, middle, low, 8);
  return middle + 8;
}

function putHexDigits(bytes: Uint8Array, at: number, value: number, digits: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    bytes[i] = HEX_DIGITS[rest & 15];
    rest >>>= 4;
  }
}
