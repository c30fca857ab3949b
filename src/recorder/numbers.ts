import { UserError } from '../base/errors.ts';
import { parseNanoseconds } from '../base/nanoseconds.ts';

/**
 * A whole number as C's strtol() with base 0 reads it, and xentrace with it: decimal, `0x` hexadecimal, or
 * octal with a leading 0. undefined for anything else, and for what a double cannot hold exactly.
 */
export function parseInteger(text: string): number | undefined {
  const match = /^\s*([+-]?)(?:(0[xX][0-9a-fA-F]+)|(0[0-7]*)|([1-9]\d*))$/.exec(text);
  if (!match) return undefined;
  const [, sign, hexadecimal, octal, decimal] = match;
  const magnitude = octal === undefined ? Number(hexadecimal ?? decimal) : Number.parseInt(octal, 8);
  if (!Number.isSafeInteger(magnitude)) return undefined;
  return sign === '-' && magnitude !== 0 ? -magnitude : magnitude;
}

/**
 * A whole number from 0 to `max`; UserError `bad-option` with the option's name and what it counts otherwise.
 */
export function parseCount(
  option: string,
  text: string,
  what: string,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const count = parseInteger(text);
  if (count !== undefined && count >= 0 && count <= max) return count;
  const bound = max === Number.MAX_SAFE_INTEGER ? '' : ` up to ${max}`;
  throw new UserError('bad-option', `--${option}: "${text}" is no number of ${what}${bound}`);
}

/** What bare numbers of a time option count, as xentrace has them. */
const TIME_UNITS = { s: 'seconds', ms: 'milliseconds', ns: 'nanoseconds' } as const;

/**
 * A time in nanoseconds. A bare number, decimals allowed, counts `unit`s, as with xentrace; with a unit of its own
 * (`250us`) it is any duration.
 */
export function parseTime(option: string, text: string, unit: keyof typeof TIME_UNITS): number {
  const count = parseInteger(text);
  const isBare = count !== undefined || /^\s*\d+\.\d+\s*$/.test(text);
  try {
    return parseNanoseconds(isBare ? `${count ?? text}${unit}` : text);
  } catch {
    const hint = `a number of ${TIME_UNITS[unit]}, or a duration such as 200us, 10ms, 1.5s`;
    throw new UserError('bad-option', `--${option}: "${text}" is no time`, { hint });
  }
}

/** A size with xentrace's suffixes k, K and M, and m, g and G beside them; bytes without one. */
export function parseBytes(option: string, text: string): number {
  const match = /^(.*?)([kKmMgG]?)$/s.exec(text)!;
  const count = parseInteger(match[1]!);
  const scale = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase()]!;
  if (count !== undefined && count >= 0 && Number.isSafeInteger(count * scale)) return count * scale;
  throw new UserError('bad-option', `--${option}: "${text}" is no size`, {
    hint: 'bytes, or a number with k, M or G',
  });
}
