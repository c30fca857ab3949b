/**
 * Numbers in arguments, as the C library reads them: blanks in front, signs, other bases, and whatever follows is left.
 * @module
 */

/** A number in a text, and the place of what follows it. */
export interface Parsed<T> {
  readonly value: T;
  readonly end: number;
}

const INTEGER = /[ \t-\r]*([-+]?)(0[xX][\da-fA-F]+|0[0-7]*|[1-9]\d*)/y;
const HEX_FLOAT = /[ \t-\r]*([-+]?)0[xX](?=\.?[\da-fA-F])([\da-fA-F]*)\.?([\da-fA-F]*)(?:[pP]([-+]?\d+))?/y;
const DECIMAL_FLOAT = /[ \t-\r]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/y;
const NAMED_FLOAT = /[ \t-\r]*([-+]?)(inf(?:inity)?|nan(?:\(\w*\))?)/iy;

/** A whole number of any size: hexadecimal behind 0x, octal behind 0; undefined where there is none. */
export function parseInteger(text: string, from = 0): Parsed<bigint> | undefined {
  INTEGER.lastIndex = from;
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, digits] = match;
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return { value: sign === '-' ? -magnitude : magnitude, end: INTEGER.lastIndex };
}

/** What `(int)strtol()` makes of a whole number: one beyond 64 bits is the largest before it is cut to 32. */
export function toInt(value: bigint): number {
  if (value >= 1n << 63n) return -1;
  if (value < -(1n << 63n)) return 0;
  return Number(BigInt.asIntN(32, value));
}

/** What `strtoull()` makes of a whole number: one beyond 64 bits is the largest, a negative one wraps. */
export function toUnsigned64(value: bigint): bigint {
  const largest = (1n << 64n) - 1n;
  return value > largest || value < -largest ? largest : BigInt.asUintN(64, value);
}

/** A number rounded to 32-bit floating point; undefined where there is none. */
export function parseFloat32(text: string): Parsed<number> | undefined {
  for (const [pattern, toNumber] of FLOATS) {
    pattern.lastIndex = 0;
    const match = pattern.exec(text);
    if (match !== null) return { value: Math.fround(toNumber(match)), end: pattern.lastIndex };
  }
  return undefined;
}

const FLOATS: readonly (readonly [RegExp, (match: RegExpExecArray) => number])[] = [
  [
    HEX_FLOAT,
    ([, sign, whole, part, exponent]) =>
      Number(`${sign}1`) * Number(`0x${whole}${part}`) * 2 ** (Number(exponent ?? 0) - 4 * part.length),
  ],
  [DECIMAL_FLOAT, ([, decimal]) => Number(decimal)],
  [
    NAMED_FLOAT,
    ([, sign, name]) => Number(`${sign}1`) * (/^i/i.test(name) ? Number.POSITIVE_INFINITY : Number.NaN),
  ],
];

/** What a conversion to a 64-bit integer makes of a number: what does not fit is the smallest there is. */
export function toInteger64(value: number): bigint {
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : -(1n << 63n);
}
