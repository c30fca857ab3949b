import { UserError } from './errors.ts';

/** The units that durations are written in, smallest first. */
const UNITS: readonly { readonly name: string; readonly ns: number }[] = [
  { name: 'ns', ns: 1 },
  { name: 'us', ns: 1_000 },
  { name: 'ms', ns: 1_000_000 },
  { name: 's', ns: 1_000_000_000 },
  { name: 'min', ns: 60_000_000_000 },
  { name: 'h', ns: 3_600_000_000_000 },
];

/** What a duration may look like, for messages and documents. */
export const DURATION_FORM = 'a duration such as 200us, 10ms, 1.5s, or a whole number of nanoseconds';

/** No duration is longer: 2^53 - 1 ns, 104 days. Beyond it a number cannot count single nanoseconds. */
export const DURATION_NS_MAX = Number.MAX_SAFE_INTEGER;

/**
 * The nanoseconds of a duration as people write it: `10ms`, `1.5s`, `200us` (or `200µs`), `5 ms`, `2min`,
 * `1h`; a plain integer counts nanoseconds. The result is exact: decimals are never made into binary
 * fractions (0.1ms is 100000), and what is no whole number of nanoseconds is refused rather than rounded.
 * Zero is a duration; negative ones are not.
 *
 * Throws UserError `bad-duration`; its sentence names the text and what is wrong with it.
 */
export function parseNanoseconds(text: string): number {
  const refuse = (why: string): never => {
    throw new UserError('bad-duration', `"${text}" ${why}`);
  };
  const match = /^\s*([+-]?)(\d+)(?:\.(\d+))?\s*([a-zA-Zµμ]*)\s*$/.exec(text);
  if (!match) return refuse(`is not ${DURATION_FORM}`);
  const [, sign, whole, fraction = '', unitText] = match;
  if (sign === '-') return refuse('is negative, a duration is not');
  const unitName = unitText === '' ? 'ns' : unitText!.replace(/^[µμ]/, 'u');
  const unit = UNITS.find(({ name }) => name === unitName);
  if (!unit) return refuse(`has an unknown unit "${unitText}", known are ns, us, ms, s, min and h`);
  if (unitText === '' && fraction !== '') return refuse('needs a unit (ns, us, ms, s, min or h)');
  const scaled = BigInt(whole + fraction) * BigInt(unit.ns);
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n) return refuse('is not a whole number of nanoseconds');
  const ns = scaled / divisor;
  if (ns > BigInt(DURATION_NS_MAX))
    return refuse('is too long, at most 2^53 - 1 ns (104 days) can be counted');
  return Number(ns);
}

/**
 * Nanoseconds for people: `834 ns`, `12.35 us`, `1.5 ms`, `2 s`, with `digits` significant digits, in the
 * unit (ns, us, ms, s) that leaves the fewest places before the point. Rounded; {@link
 * formatNanosecondsExact} is not.
 */
export function formatNanoseconds(ns: number, digits = 4): string {
  if (!Number.isFinite(ns)) return 'n/a';
  let unit = 0;
  // Rounding first: 999 999.6 ns to four digits is 1 ms, not 1000 us.
  let shown = significant(ns, digits);
  while (unit < 3 && Math.abs(shown) >= 1000) {
    unit += 1;
    shown = significant(ns / UNITS[unit]!.ns, digits);
  }
  return `${shown} ${UNITS[unit]!.name}`;
}

/**
 * The same nanoseconds, none lost, as a scenario would state them: `10ms`, `1.5s`, `987736ns`. `ns` is a
 * safe integer. The largest of ns, us, ms and s that needs at most three decimals. {@link parseNanoseconds}
 * is its inverse.
 */
export function formatNanosecondsExact(ns: number): string {
  if (ns === 0) return '0s';
  const magnitude = BigInt(Math.abs(ns));
  for (let index = 3; index > 0; index -= 1) {
    const { name, ns: size } = UNITS[index]!;
    const perThousandth = BigInt(size / 1000);
    if (magnitude < BigInt(size) || magnitude % perThousandth !== 0n) continue;
    const thousandths = magnitude / perThousandth;
    const fraction = (thousandths % 1000n).toString().padStart(3, '0').replace(/0+$/, '');
    return `${ns < 0 ? '-' : ''}${thousandths / 1000n}${fraction === '' ? '' : `.${fraction}`}${name}`;
  }
  return `${ns}ns`;
}

function significant(value: number, digits: number): number {
  // Whole numbers keep their digits before the point: 1 234 567 s is not to become 1 235 000 s.
  const places = Math.max(digits, Math.trunc(Math.abs(value)).toString().length);
  return places > 21 ? value : Number(value.toPrecision(places));
}
