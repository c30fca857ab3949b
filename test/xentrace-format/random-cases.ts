import { Prng } from '../../src/base/prng.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { Draws } from '../xenalyze/random-words.ts';

const NAMES = ['cpu', 'tsc', 'event', 'reltsc', '1', '2', '3', '4', '5', '6', '7'];
const EVENTS = 200;
const FIRST_EVENT = 0x21001;
/** Events that xentrace_format knows, and one that is meant to be like one of them. */
const IRQ = 0x1f004;
const SPECIAL_EVENTS = [0x1f001, 0x1f002, 0x20100d, 0x20100e, 0x20200e];

/** Rules that do not make Python die, for the events of {@link randomTrace}, and half of the time a default rule. */
export function randomDefinitions(seed: number): string {
  const draws = new Draws(Prng.fromSeed(seed).fork('rules'));
  const ids = Array.from({ length: EVENTS }, (_, i) => FIRST_EVENT + i);
  const rules = [...ids, ...SPECIAL_EVENTS, IRQ, 0x1f003]
    .filter(() => draws.chance(0.9))
    .map((id) => `${idText(id, draws)}${draws.pick([' ', '\t', ' \t  '])}${randomFormat(draws)}`);
  if (draws.chance(0.5)) rules.push(`0 other ${randomFormat(draws)}`);
  return ['# random', '', ...rules].join('\n') + draws.pick(['', '\n']);
}

/** Records of those events on some pCPUs, with TSCs of all sizes, some of which go back. */
export function randomTrace(seed: number): Uint8Array {
  const draws = new Draws(Prng.fromSeed(seed).fork('trace'));
  const builder = new TraceBuilder();
  let tsc = draws.pick([0n, 1n, 10_000_000_000n, 2n ** 53n - 5000n, 2n ** 63n - 5000n, 2n ** 64n - 400_000n]);
  for (let window = 0; window < 12; window++) {
    builder.window(draws.pick([0, 1, 2, 7, 63, 255]));
    for (let i = draws.below(60); i > 0; i--) {
      const words = Array.from({ length: draws.below(8) }, () => randomWord(draws));
      const event = draws.chance(0.1) ? draws.pick(SPECIAL_EVENTS) : FIRST_EVENT + draws.below(EVENTS);
      tsc += BigInt(
        draws.weighted([
          [8, draws.below(900)],
          [1, -draws.below(900)],
          [1, 0],
        ] as const),
      );
      if (draws.chance(0.05)) builder.record(IRQ, BigInt.asUintN(64, tsc), randomIrq(draws));
      else if (draws.chance(0.1)) builder.untimed(event, words);
      else builder.record(event, BigInt.asUintN(64, tsc), words);
    }
  }
  return builder.bytes();
}

function randomIrq(draws: Draws): number[] {
  const begin = draws.below(2 ** 31);
  return [draws.below(256), begin, begin + draws.below(2 ** 31), ...(draws.chance(0.5) ? [1, 2] : [])];
}

function randomWord(draws: Draws): number {
  return draws.pick([0, 1, draws.below(10), draws.below(100_000), 2 ** 31, 0xffffffff, draws.u32()]);
}

function idText(id: number, draws: Draws): string {
  const hex = id.toString(16);
  return draws.pick([
    `0x000${hex}`,
    `0X${hex.toUpperCase()}L`,
    `${id}`,
    `0${id.toString(8)}`,
    `0o${id.toString(8)}`,
  ]);
}

function randomFormat(draws: Draws): string {
  const parts = Array.from({ length: 1 + draws.below(6) }, () => randomPart(draws));
  return `${draws.pick(['CPU%(cpu)d ', 'x', '%%', 'a\u00a0\u00ff'])}${parts.join(draws.pick([' ', '', ', ']))}`;
}

function randomPart(draws: Draws): string {
  const flags = draws.weighted([
    [6, ''],
    [3, '0'],
    [1, draws.pick(['-', ' ', '+', '#', '#0', '-0', '+ ', ' 0', '#-', '+0#'])],
  ]);
  const width = draws.weighted([
    [3, ''],
    [3, '8'],
    [1, `${1 + draws.below(30)}`],
  ]);
  const precision = draws.weighted([
    [6, ''],
    [1, `.${draws.below(25)}`],
    [1, '.'],
  ]);
  const size = draws.weighted([
    [9, ''],
    [1, draws.pick(['l', 'h', 'L'])],
  ]);
  const tail = `${flags}${width}${precision}${size}`;
  return draws.weighted([
    [40, `%(${draws.pick(NAMES)})${tail}${draws.pick([...'ddddxxxxXoiufFeEgGsr'])}`],
    [3, `%(cpu)${flags}${width}c`],
    [2, `%${tail}%`],
    [1, `%(cpu)%`],
    [1, `%${tail}${draws.pick([...'dxfsrc'])}`],
    [1, `%(cpu)${draws.pick(['*d', '.*d'])}`],
  ]);
}
