/**
 * Numbers and text as ASCII bytes, put at an address; each function returns the address behind what it put.
 *
 * They write up to eight bytes at a time, so that bytes behind what they put change too: there is room for them.
 * @module
 */

const MINUS: i32 = 0x2d;
const SPACE: i32 = 0x20;
const POINT: i32 = 0x2e;

/** By number below 1000: its three digits, the first one lowest. */
const TRIPLES = memory.data(4000);
for (let number = 0; number < 1000; number++) {
  const tens = (number / 10) % 10;
  store<i32>(TRIPLES + number * 4, ((number % 10) << 16) | (tens << 8) | (number / 100) | 0x303030);
}

function triple(number: u32): u32 {
  return load<u32>(TRIPLES + (number << 2));
}

/** Puts text that lies at an address, which has room for up to fifteen bytes more. */
export function putText(at: i32, text: i32, length: i32): i32 {
  store<u64>(at, load<u64>(text));
  store<u64>(at, load<u64>(text, 8), 8);
  for (let i = 16; i < length; i += 8) store<u64>(at + i, load<u64>(text + i));
  return at + length;
}

/** Puts a whole number. */
export function putInteger(at: i32, value: u64): i32 {
  if (value < 1_000_000_000) return putShort(at, u32(value));
  const high = value / 1_000_000_000;
  return putNine(putInteger(at, high), u32(value - high * 1_000_000_000));
}

/** Puts a whole number below 10^9. */
export function putShort(at: i32, value: u32): i32 {
  if (value < 1000) {
    store<u32>(at, triple(value) >> (8 * (u32(value < 10) + u32(value < 100))));
    return at + 1 + i32(value >= 10) + i32(value >= 100);
  }
  const thousands = value / 1000;
  return putThree(putShort(at, thousands), value - thousands * 1000);
}

/** Puts a whole number below 1000 with zeros in front. */
export function putThree(at: i32, value: u32): i32 {
  store<u32>(at, triple(value));
  return at + 3;
}

/** Puts a whole number below 10^9 with zeros in front. */
export function putNine(at: i32, value: u32): i32 {
  const millions = value / 1_000_000;
  const rest = value - millions * 1_000_000;
  const thousands = rest / 1000;
  return putThree(putThree(putThree(at, millions), thousands), rest - thousands * 1000);
}

export function putSigned(at: i32, value: i64): i32 {
  if (value >= 0) return putInteger(at, value);
  return putInteger(putByte(at, MINUS), -value);
}

/** Puts a number in hexadecimal, without leading zeros. */
export function putHex(at: i32, value: u64): i32 {
  return putHexDigits(at, value, 16 - (i32(clz(value | 1)) >> 2));
}

/** Puts so many digits of a number in hexadecimal. */
export function putHexDigits(at: i32, value: u64, digits: i32): i32 {
  let rest = value;
  for (let i = digits - 1; i >= 0; i--) {
    const digit = i32(rest) & 15;
    store<u8>(at + i, digit + (digit < 10 ? 0x30 : 0x57));
    rest >>= 4;
  }
  return at + digits;
}

/** Puts a whole number with zeros in front where it has less than sixteen digits. */
export function putSixteen(start: i32, value: u64): i32 {
  if (value >= 10_000_000_000_000_000) return putInteger(start, value);
  const high = value / 10_000_000;
  const low = u32(value - high * 10_000_000);
  const at = putByte(putNine(start, u32(high)), 0x30 + low / 1_000_000);
  return putThree(putThree(at, (low / 1000) % 1000), low % 1000);
}

/** Puts seconds, below 1000 in three columns, a point, nine digits of nanoseconds, and a space. */
export function putSeconds(start: i32, seconds: u32, nanoseconds: u32): i32 {
  let at = start;
  if (seconds < 1000) {
    store<u32>(at, triple(seconds) - (seconds < 10 ? 0x1010 : seconds < 100 ? 0x10 : 0));
    at += 3;
  } else at = putInteger(at, seconds);
  at = putByte(at, POINT);
  at = nanoseconds < 1_000_000_000 ? putNine(at, nanoseconds) : putInteger(at, nanoseconds);
  return putByte(at, SPACE);
}

export function putByte(at: i32, code: i32): i32 {
  store<u8>(at, code);
  return at + 1;
}
