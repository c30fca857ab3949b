/**
 * Numbers as Python 2's `%` operator writes them.
 *
 * Source: the behaviour of Python 2.7, against which the tests hold it.
 * @module
 */

/** What stands between `%` and the letter of a conversion. */
export interface Layout {
  /** Any of `-0 +#`. */
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

/**
 * A whole number by `d`, `o`, `x` or `X`; one with a fraction loses it.
 *
 * @param isLong whether Python has it as a long: then a precision of 0 does not hide a zero.
 */
export function integerText(value: number | bigint, type: string, layout: Layout, isLong: boolean): string {
  const whole = typeof value === 'bigint' ? value : Math.trunc(value);
  const exact = Number.isSafeInteger(whole) ? Number(whole) : BigInt(whole);
  const { flags, precision = 1 } = layout;
  const radix = type === 'o' ? 8 : type === 'x' || type === 'X' ? 16 : 10;
  let digits = (exact < 0 ? -exact : exact).toString(radix as never);
  if (digits === '0' && precision === 0 && !isLong) digits = '';
  digits = digits.padStart(precision, '0');
  const marked = flags.includes('#');
  if (marked && type === 'o' && !digits.startsWith('0')) digits = `0${digits}`;
  const prefix = marked && radix === 16 ? '0x' : '';
  if (type === 'X') return padded(exact < 0, prefix.toUpperCase(), digits.toUpperCase(), layout);
  return padded(exact < 0, prefix, digits, layout);
}

/** A number by `e`, `f` or `g`, or their capitals. */
export function floatText(value: number, type: string, layout: Layout): string {
  const { flags, precision = 6 } = layout;
  const size = Math.abs(value);
  const kept = flags.includes('#');
  const lower = type.toLowerCase();
  let text: string;
  if (lower === 'f') text = withPoint(fixed(size, precision), kept);
  else if (lower === 'e') text = exponential(roundedDigits(size, precision + 1), kept);
  else text = general(roundedDigits(size, Math.max(1, precision)), Math.max(1, precision), kept);
  return padded(value < 0, '', type === lower ? text : text.toUpperCase(), layout);
}

/** A number with a fraction by `s` (12 digits) or `r` (as many as it takes). */
export function floatName(value: number, type: 's' | 'r'): string {
  const size = Math.abs(value);
  const decimal = type === 's' ? roundedDigits(size, 12) : shortestDigits(size);
  const text = general(decimal, type === 's' ? 11 : 16, false);
  return (value < 0 ? '-' : '') + (/[.e]/.test(text) ? text : `${text}.0`);
}

/** Text by `s`, `r` or `c`: zeros do not fill, a precision cuts. */
export function cutText(text: string, { flags, width, precision }: Layout): string {
  const cut = text.slice(0, precision);
  return flags.includes('-') ? cut.padEnd(width) : cut.padStart(width);
}

function padded(negative: boolean, prefix: string, digits: string, { flags, width }: Layout): string {
  const sign = negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const head = sign + prefix;
  if (flags.includes('-')) return (head + digits).padEnd(width);
  if (!flags.includes('0')) return (head + digits).padStart(width);
  return head + digits.padStart(width - head.length, '0');
}

/** 0.d1d2d3... times ten to the power of `point`. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
  /** Whether `%g` shows the zeros at the end. */
  readonly zerosStay?: boolean;
}

/** `count` digits of a number that is not negative. */
function roundedDigits(value: number, count: number): Decimal {
  if (value === 0) return { digits: '0'.repeat(count), point: 1 };
  const exponent = Number(value.toExponential().split('e')[1]);
  const digits = scaled(value, count - 1 - exponent).toString();
  // 9.99 may have become 10.0.
  const carried = digits.length > count ? 1 : 0;
  const decimal = { digits: digits.slice(0, count), point: exponent + 1 + carried };
  return { ...decimal, zerosStay: isMiddleRoundedDown(value, decimal) };
}

/**
 * Python has a short way for whole numbers below 10^15; where it rounds down one that lies exactly in the middle, it
 * leaves the zeros.
 */
function isMiddleRoundedDown(value: number, { digits, point }: Decimal): boolean {
  if (value >= 1e15 || !Number.isInteger(value)) return false;
  const unit = 10 ** (point - digits.length);
  return (value - Number(digits) * unit) * 2 === unit;
}

/** The fewest digits that are read as the same number. */
function shortestDigits(value: number): Decimal {
  const [digits, exponent] = value.toExponential().split('e');
  return { digits: digits.replace('.', ''), point: Number(exponent) + 1 };
}

function general({ digits, point, zerosStay }: Decimal, pointMax: number, kept: boolean): string {
  const short = kept || zerosStay ? digits : digits.replace(/(?<=.)0+$/, '');
  if (point <= -4 || point > pointMax) return exponential({ digits: short, point }, kept);
  if (point <= 0) return `0.${'0'.repeat(-point)}${short}`;
  if (short.length > point) return `${short.slice(0, point)}.${short.slice(point)}`;
  return withPoint(short.padEnd(point, '0'), kept);
}

function exponential({ digits, point }: Decimal, kept: boolean): string {
  const exponent = point - 1;
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : withPoint(digits, kept);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function withPoint(text: string, kept: boolean): string {
  return kept && !text.includes('.') ? `${text}.` : text;
}

/** With `decimals` decimals; toFixed rounds up what lies in the middle, so that is left to {@link scaled}. */
function fixed(value: number, decimals: number): string {
  const inTheMiddle = Number.isInteger(value * 2 ** (decimals + 1));
  if (!inTheMiddle && value < 1e21 && decimals <= 100) return value.toFixed(decimals);
  const digits = scaled(value, decimals)
    .toString()
    .padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The value times ten to the power of `decimals`, rounded to a whole number, in the middle to the even one. */
function scaled(value: number, decimals: number): bigint {
  let mantissa = value;
  let divisor = 1n;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    divisor *= 2n;
  }
  const tens = 10n ** BigInt(Math.abs(decimals));
  const dividend = decimals > 0 ? BigInt(mantissa) * tens : BigInt(mantissa);
  if (decimals < 0) divisor *= tens;
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
}
