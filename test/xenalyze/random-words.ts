import type { Prng } from '../../src/base/prng.ts';
import type { EventDefinition, FieldDefinition, LayoutDefinition } from '../../src/format/index.ts';

/** Random draws. */
export class Draws {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  below(n: number): number {
    return this.#prng.below(n);
  }

  u32(): number {
    return this.#prng.u32();
  }

  chance(probability: number): boolean {
    return this.#prng.u32() < probability * 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#prng.below(from.length)];
  }

  /** One of the items, as often as the weights in front of them say. */
  weighted<T>(from: readonly (readonly [number, T])[]): T {
    let rest = this.#prng.below(from.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of from) {
      rest -= weight;
      if (rest < 0) return item;
    }
    throw new Error('no weights');
  }
}

/** What the values of fields refer to. */
export interface Surroundings {
  readonly pcpus: number;
  readonly domains: readonly number[];
  /** The probability of a value at the end of its range. */
  readonly extremes: number;
}

/** Whether Xen 4.17 has a layout. */
export function isOf417({ since, until }: LayoutDefinition): boolean {
  return minor(since ?? '3.0') <= 417 && minor(until ?? '4.99') >= 417;
}

function minor(release: string): number {
  const [major, rest] = release.split('.').map(Number);
  return major * 100 + rest;
}

/** Random extra words of an event, in a layout that Xen 4.17 has, or else in any that it ever had. */
export function randomWords(
  draws: Draws,
  event: EventDefinition,
  around: Surroundings,
  anyLayout: boolean,
): number[] {
  const of417 = event.layouts.filter(isOf417);
  const layouts = anyLayout || of417.length === 0 ? event.layouts : of417;
  if (layouts.length === 0) return Array.from({ length: draws.below(6) }, () => draws.u32() % 1000);
  const layout = draws.pick(layouts);
  let bits = 0n;
  for (const field of layout.fields) {
    const value = BigInt.asUintN(field.width, BigInt(fieldValue(draws, field, around)));
    bits |= value << BigInt(field.offset);
  }
  return Array.from({ length: layout.words }, (_, word) => Number((bits >> BigInt(32 * word)) & 0xffffffffn));
}

function fieldValue(draws: Draws, field: FieldDefinition, around: Surroundings): number | bigint {
  if (field.none !== undefined && draws.chance(0.2)) return field.none;
  if (draws.chance(around.extremes)) return draws.pick([0n, -1n, 1n << BigInt(field.width - 1)]);
  if (field.values !== undefined && draws.chance(0.9)) return draws.pick([...field.values.keys()]);
  return VALUES[field.unit ?? '']?.(draws, around, field.width) ?? number(draws, field.width);
}

type Value = (draws: Draws, around: Surroundings, width: number) => number | bigint;

const below =
  (n: number): Value =>
  (draws) =>
    draws.below(n);

const VALUES: Readonly<Record<string, Value>> = {
  dom: (draws, { domains }) => draws.pick(domains),
  vcpu: below(4),
  pcpu: (draws, { pcpus }) => draws.below(pcpus),
  bool: below(2),
  bits: (draws) => draws.u32() & draws.u32(),
  address: (draws, _, width) => address(draws, width),
  gfn: below(12),
  mfn: below(0x100000),
  pte: (draws) => BigInt(draws.u32()) << 12n,
  vector: (draws) => draws.pick([0, 0x30, 0x31, 0xd1, 0xf0, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff]),
  hypercall: below(42),
  irq: below(600),
  register: (draws) => draws.pick([0, 3, 3, 3, 4, 8, draws.below(18)]),
  runqueue: below(4),
  count: below(8),
  trap: below(24),
  exit_reason: below(56),
  level: below(10),
  cstate: below(7),
  ns: (draws) => draws.below(2_000_000),
  us: (draws) => draws.below(20_000),
  load: (draws) => draws.below(1 << 20),
};

function number(draws: Draws, width: number): number | bigint {
  const small = draws.below(2 ** Math.min(width, 10));
  if (draws.chance(0.6)) return small;
  return draws.chance(0.3) ? -small : (BigInt(draws.u32()) << 32n) | BigInt(draws.u32());
}

/**
 * A virtual address: one of few, so that lists of them find some again; some lie in the linear page tables of
 * Windows, which xenalyze looks for.
 */
export function address(draws: Draws, width: number): bigint {
  const page = BigInt(draws.below(6)) << 12n;
  const offset = BigInt(draws.below(32) * 4);
  if (width <= 32) {
    const base = draws.pick([
      0x0040_0000n,
      0x8010_0000n,
      0xc030_0000n,
      0xc030_0c00n,
      0xc060_0000n,
      0xc000_0000n,
    ]);
    return base + page + offset;
  }
  const levels = draws.below(5);
  let table = 0n;
  for (let level = 0; level < levels; level++) table |= 0x1edn << BigInt(39 - 9 * level);
  if (levels > 0) return 0xffff_0000_0000_0000n | (table + (BigInt(draws.below(4)) << 12n) + offset);
  const base = draws.pick([0x40_0000n, 0x7fff_1234_0000n, 0xffff_8800_0000_0000n, 0xffff_ffff_8100_0000n]);
  return base + page + offset;
}
