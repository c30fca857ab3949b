import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Analyser } from '../../src/xenalyze/analyser.ts';
import { defaultOptions } from '../../src/xenalyze/options.ts';
import { ifEqual, ifSet, type LineTemplate, RecordLines } from '../../src/xenalyze/record-lines.ts';
import { TextOutput } from '../../src/xenalyze/text-output.ts';

const EVENT = 0x22001;

/** What a template is shown as, for a record with these extra words; of the time and what follows it, nothing. */
function lineOf(template: LineTemplate, words: readonly number[]): string {
  let text = '';
  const out = new TextOutput((bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  });
  const a = new Analyser(defaultOptions(), out, out, new Map() as never, 0n, undefined);
  const lines = new RecordLines(a);
  lines.add([{ event: EVENT, byWords: {}, byDefault: template }]);
  const p = a.pcpu(0);
  p.event = EVENT;
  p.wordsAt = a.memory.addBlock(16);
  p.words.set(words, p.wordsAt);
  expect(lines.write(p)).toBe(true);
  out.flush();
  return text.slice(2, -1);
}

const word = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.nat(2000),
  // Around powers of 10 and of 2.
  fc.tuple(fc.nat(9), fc.integer({ min: -1, max: 1 })).map(([n, d]) => Math.max(0, 10 ** n + d)),
  fc.tuple(fc.nat(31), fc.integer({ min: -1, max: 1 })).map(([n, d]) => 2 ** n + d),
  fc.constantFrom(2 ** 32 - 1, 2 ** 31, 0xffff0000),
);

test('numbers of all kinds', () => {
  fc.assert(
    fc.property(word, word, (low, high) => {
      const wide = (BigInt(high) << 32n) | BigInt(low);
      const ns = `${Math.floor(low / 1000)}.${low % 1000}`;
      const signedHigh = BigInt.asIntN(16, BigInt(low >>> 16));
      expect(lineOf('{0} {0d} {0x} {0us} {0q} {0qd} {0qx}', [low, high])).toBe(
        `${low} ${low | 0} ${low.toString(16)} ${ns} ${wide} ${BigInt.asIntN(64, wide)} ${wide.toString(16)}`,
      );
      expect(lineOf('d{1.hi}v{1.lo}, {1.0} {1.1} {1.2} {1.3}', [0, low])).toBe(
        `d${low >>> 16}v${low % 65536}, ${[0, 1, 2, 3].map((i) => (low >>> (8 * i)) % 256).join(' ')}`,
      );
      expect(lineOf('{1.slo} {1.shi}', [0, low])).toBe(
        `${BigInt.asIntN(16, BigInt(low))} ${BigInt.asUintN(32, signedHigh)}`,
      );
    }),
  );
});

test('names of bits, and bits in hexadecimal', () => {
  const names = ['zero', undefined, 'a name of more than sixteen characters'];
  fc.assert(
    fc.property(fc.nat(4), word, (number, other) => {
      const first = ((other << 4) | number) >>> 0;
      const template: LineTemplate = [
        '<',
        { bits: [0, 0, 4], names, otherwise: ['{0x} ', { hex: [1, 8, 20] }, '!'] },
        '> {1}',
      ];
      const otherwise = `${first.toString(16)} ${((other >>> 8) & 0xfffff).toString(16)}!`;
      expect(lineOf(template, [first, other])).toBe(`<${names[number] ?? otherwise}> ${other}`);
    }),
  );
});

test('texts of any length, choices within choices, and functions', () => {
  const long = 'a text of more than sixteen characters, and not a multiple of eight';
  const template: LineTemplate = [
    `${long} {0}`,
    ifSet([1, 4, 4], [' set', ifSet([1, 0, 4], ' both', ' upper')], [' unset', ifSet([1, 0, 4], ' lower')]),
    ifEqual([0, 0, 32], 7, ' seven {0}', ''),
    (p) => ` computed ${p.word(1)}`,
    '.',
  ];
  expect(lineOf(template, [6, 0x11])).toBe(`${long} 6 set both computed 17.`);
  expect(lineOf(template, [7, 0xf10])).toBe(`${long} 7 set upper seven 7 computed 3856.`);
  expect(lineOf(template, [6, 0xf01])).toBe(`${long} 6 unset lower computed 3841.`);
  expect(lineOf(template, [7, 0xf00])).toBe(`${long} 7 unset seven 7 computed 3840.`);
});

test('percentages are rounded as C rounds them', () => {
  const percentage = { word: 0, shiftWord: 2, shiftBit: 8, compute: () => 'too large' };
  const shown = (value: bigint, shift: number) =>
    lineOf(
      ['load ', percentage, '!'],
      [Number(value & 0xffffffffn), Number(value >> 32n), (shift << 8) | 0x55],
    );
  expect(shown(0n, 18)).toBe('load 0.000%!');
  expect(shown(2n ** 18n, 18)).toBe('load 100.000%!');
  expect(shown(3n, 0)).toBe('load 300.000%!');
  // 0.00305; 0.78125.
  expect(shown(1n, 15)).toBe('load 0.003%!');
  expect(shown(1n, 7)).toBe('load 0.781%!');
  // Ties, which go to the even digit: 1.5625; 4.6875.
  expect(shown(1n, 6)).toBe('load 1.562%!');
  expect(shown(3n, 6)).toBe('load 4.688%!');
  expect(shown(1n, 63)).toBe('load 0.000%!');
  expect(shown(2n ** 53n / 100n, 40)).toBe('load 8192.000%!');
  expect(shown(2n ** 53n / 100n + 1n, 40)).toBe('load too large%!');
});
