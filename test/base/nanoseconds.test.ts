import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { formatNanoseconds, formatNanosecondsExact, parseNanoseconds } from '../../src/base/nanoseconds.ts';

describe('parseNanoseconds', () => {
  it.each([
    ['0', 0],
    ['834', 834],
    ['10ms', 10_000_000],
    ['5 ms', 5_000_000],
    [' 5ms ', 5_000_000],
    ['+5ms', 5_000_000],
    ['1.5s', 1_500_000_000],
    ['200us', 200_000],
    ['200µs', 200_000],
    ['200μs', 200_000],
    ['0.1ms', 100_000],
    ['0.3us', 300],
    ['1.000000001s', 1_000_000_001],
    ['2min', 120_000_000_000],
    ['1h', 3_600_000_000_000],
    ['1.10us', 1_100],
    ['5.0ns', 5],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199.254740991s', Number.MAX_SAFE_INTEGER],
  ])('reads %j as %i ns', (text, ns) => {
    expect(parseNanoseconds(text)).toBe(ns);
  });

  it.each([
    ['', 'is not a duration such as'],
    ['soon', 'is not a duration such as'],
    ['10 ms later', 'is not a duration such as'],
    ['1e6', 'is not a duration such as'],
    ['.5s', 'is not a duration such as'],
    ['1.s', 'is not a duration such as'],
    ['10msec', 'has an unknown unit "msec", known are ns, us, ms, s, min and h'],
    ['10MS', 'has an unknown unit "MS"'],
    ['1.5', 'needs a unit'],
    ['-5ms', 'is negative'],
    ['0.5ns', 'is not a whole number of nanoseconds'],
    ['1.0000000001s', 'is not a whole number of nanoseconds'],
    ['9007199254740992', 'is too long'],
    ['3000h', 'is too long'],
  ])('refuses %j', (text, why) => {
    const failure = expect(() => parseNanoseconds(text));
    failure.toThrow(UserError);
    failure.toThrow(`"${text}" ${why}`);
  });

  it('is the inverse of formatNanosecondsExact', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (ns) => {
        expect(parseNanoseconds(formatNanosecondsExact(ns))).toBe(ns);
      }),
    );
    for (const ns of [0, 1, 999, 1000, 1001, 10_000_000, 1_500_000_000, 3_600_000_000_000]) {
      expect(parseNanoseconds(formatNanosecondsExact(ns))).toBe(ns);
    }
  });

  it('agrees with exact rational arithmetic for any decimal', () => {
    const units = { ns: 0, us: 3, ms: 6, s: 9 } as const;
    fc.assert(
      fc.property(
        fc.nat(999_999),
        fc.nat(9),
        fc.constantFrom(...Object.keys(units)),
        (whole, tenths, unit) => {
          const places = units[unit as keyof typeof units];
          const text = `${whole}.${tenths}${unit}`;
          if (places === 0 && tenths !== 0) expect(() => parseNanoseconds(text)).toThrow(UserError);
          else
            expect(parseNanoseconds(text)).toBe(
              Number(`${whole}${`${tenths}`.padEnd(places, '0').slice(0, places)}`),
            );
        },
      ),
    );
  });
});

describe('formatNanoseconds', () => {
  it.each([
    [0, '0 ns'],
    [834, '834 ns'],
    [999.9996, '1 us'],
    [12_345, '12.35 us'],
    [100_000, '100 us'],
    [999_999, '1 ms'],
    [1_500_000, '1.5 ms'],
    [2_000_000_000, '2 s'],
    [12_345_678_900_000, '12346 s'],
    [-1_234_567, '-1.235 ms'],
    [0.25, '0.25 ns'],
    [Number.NaN, 'n/a'],
  ])('shows %d as %j', (ns, text) => {
    expect(formatNanoseconds(ns)).toBe(text);
  });
});

describe('formatNanosecondsExact', () => {
  it.each([
    [0, '0s'],
    [834, '834ns'],
    [1_500, '1.5us'],
    [987_736, '987.736us'],
    [11_595_475, '11595.475us'],
    [10_000_000, '10ms'],
    [1_500_000_000, '1.5s'],
    [60_000_000_000, '60s'],
    [-20_000, '-20us'],
  ])('writes %d as %j', (ns, text) => {
    expect(formatNanosecondsExact(ns)).toBe(text);
  });
});
