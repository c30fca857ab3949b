import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { DURATION_FORM, DURATION_NS_MAX, parseNanoseconds } from '../base/nanoseconds.ts';
import { describeLocated, type Located } from './located.ts';
import type { Problems } from './problems.ts';

/** What a value of the scenario language may be: how it is read, and how messages and documents name it. */
export interface ValueType<T> {
  /** Completes "expected ...". */
  readonly expected: string;
  /** One or two words for the tables of docs/scenarios.md. */
  readonly label: string;
  /** The value, or undefined after `problems` was told why there is none. `name` is the key, for messages. */
  read(node: Located, name: string, problems: Problems): T | undefined;
}

/** A type that a schema decides on. Issues that the schema words itself are told in its words. */
export function schemaType<T>(label: string, expected: string, schema: z.ZodType<T>): ValueType<T> {
  return {
    label,
    expected,
    read(node, name, problems) {
      const result = schema.safeParse(plain(node));
      if (result.success) return result.data;
      for (const issue of result.error.issues) {
        const culprit = follow(node, issue.path);
        const sentence =
          issue.code === 'custom'
            ? `"${name}": ${issue.message}`
            : `"${name}" is ${describeLocated(culprit)}, expected ${expected}`;
        problems.add('scenario-bad-value', culprit.at, sentence);
      }
      return undefined;
    },
  };
}

/** A whole number from `min` to `max`, both included; `what` says in a few words what it counts. */
export function wholeNumber(min: number, max: number, what = ''): ValueType<number> {
  const limits = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const expected = `a whole number ${limits}${what === '' ? '' : ` (${what})`}`;
  return schemaType('number', expected, z.number().int().min(min).max(max));
}

/** Text on one line, of 1 to `max` characters. */
export function shortText(max: number): ValueType<string> {
  return {
    label: 'text',
    expected: `text of 1 to ${max} characters`,
    read(node, name, problems) {
      // A name such as 42 or 4.20 is meant as written, whatever YAML makes of it.
      const text = node.kind === 'scalar' && node.value !== null ? scalarText(node.value, node.source) : '';
      if (text.length >= 1 && text.length <= max) return text;
      refuse(this, node, name, problems);
      return undefined;
    },
  };
}

/** One of some words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
): ValueType<Words[number]> {
  return schemaType('word', `one of ${words.join(', ')}`, z.enum(words) as z.ZodType<Words[number]>);
}

/** true and false, also as 0 and 1, and as the words that Xen's command line takes. */
export const yesOrNo: ValueType<boolean> = schemaType(
  'true/false',
  'true or false',
  z.union([z.boolean(), z.literal([0, 1]), z.enum(['yes', 'no', 'on', 'off'])]).transform((value) => {
    return value === true || value === 1 || value === 'yes' || value === 'on';
  }),
);

/** A duration as people write it, from `minNs` on; a plain whole number counts nanoseconds. */
export function duration(minNs = 0, maxNs = DURATION_NS_MAX): ValueType<number> {
  return {
    label: 'duration',
    expected: DURATION_FORM,
    read(node, name, problems) {
      if (node.kind !== 'scalar' || node.value === null || typeof node.value === 'boolean') {
        refuse(this, node, name, problems);
        return undefined;
      }
      return readDuration(scalarText(node.value, node.source), node.at, name, problems, minNs, maxNs);
    },
  };
}

/**
 * The duration that `text` states, checked against its limits; undefined after `problems` was told what is
 * wrong.
 */
export function readDuration(
  text: string,
  at: number,
  name: string,
  problems: Problems,
  minNs: number,
  maxNs = DURATION_NS_MAX,
): number | undefined {
  try {
    const ns = parseNanoseconds(text);
    if (ns >= minNs && ns <= maxNs) return ns;
    const limit = ns < minNs ? `at least ${minNs} ns` : `at most ${maxNs} ns`;
    problems.add('scenario-bad-value', at, `"${name}" is ${text.trim()}, expected a duration of ${limit}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.add('scenario-bad-value', at, `"${name}": ${error.message}`);
  }
  return undefined;
}

/** A whole number of nanoseconds: the machine model's spellings, `duration_ns: 5000000000`. */
export function wholeNanoseconds(minNs = 0): ValueType<number> {
  return schemaType('ns', `a whole number of nanoseconds of at least ${minNs}`, z.number().int().min(minNs));
}

/** A frequency: a whole number of Hz, or text with a unit (Hz, kHz, MHz, GHz). */
export const frequencyHz: ValueType<number> = schemaType(
  'frequency',
  'a frequency from 1MHz to 100GHz, such as 2.4GHz or a whole number of Hz',
  z
    .union([z.number(), z.string().transform(parseFrequencyHz)])
    .pipe(z.number().int().min(1_000_000).max(100_000_000_000)),
);

function parseFrequencyHz(text: string): number {
  const match = /^\s*(\d{1,15})(?:\.(\d{1,9}))?\s*(Hz|kHz|MHz|GHz)\s*$/i.exec(text);
  if (!match) return Number.NaN;
  const [, whole, fraction = '', unit] = match;
  const places = { hz: 0, khz: 3, mhz: 6, ghz: 9 }[unit!.toLowerCase()]!;
  const digits = fraction.replace(/0+$/, '');
  return digits.length > places ? Number.NaN : Number(whole + digits.padEnd(places, '0'));
}

/** An unsigned 64-bit number, exact. */
export const unsigned64: ValueType<bigint> = schemaType(
  'number',
  'a whole number from 0 to 2^64 - 1',
  z
    .union([z.number().int(), z.bigint()])
    .transform((value) => BigInt(value))
    .pipe(
      z
        .bigint()
        .min(0n)
        .max(2n ** 64n - 1n),
    ),
);

/** An unsigned 32-bit mask, as a number or as text such as "0x2f000" (JSON has no hexadecimal numbers). */
export const mask32: ValueType<number> = schemaType(
  'mask',
  'a 32-bit mask such as 0x0002f000',
  z
    .union([
      z.number(),
      z
        .string()
        .regex(/^0x[0-9a-f]{1,8}$/i)
        .transform(Number),
    ])
    .pipe(z.number().int().min(0).max(0xffffffff)),
);

/** Whole numbers, one for each pCPU from pCPU 0 on. */
export const tickList: ValueType<number[]> = schemaType(
  'list of numbers',
  'a list of whole numbers of ticks, one for each pCPU from 0 on',
  z
    .array(
      z
        .number()
        .int()
        .min(-(2 ** 40))
        .max(2 ** 40),
    )
    .max(4095),
);

/** Tells `problems` that `node` is not what `type` expects. */
export function refuse(type: { expected: string }, node: Located, name: string, problems: Problems): void {
  const sentence = `"${name}" is ${describeLocated(node)}, expected ${type.expected}`;
  problems.add('scenario-bad-value', node.at, sentence);
}

/** The text of a scalar: what is written, except that an exponent (1e6) is spelled out. */
function scalarText(value: string | number | bigint | boolean, source: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && /[eE]|^0[xo]/.test(source))
    return String(value);
  return source;
}

/** The plain JavaScript value of a located one. */
function plain(node: Located): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
}

/** The part of `node` that an issue's path names, or as near as there is. */
function follow(node: Located, path: readonly PropertyKey[]): Located {
  let here = node;
  for (const step of path) {
    if (here.kind === 'list' && typeof step === 'number' && here.items[step]) here = here.items[step]!;
    else if (here.kind === 'map') here = here.entries.find(({ key }) => key === step)?.value ?? here;
    else break;
  }
  return here;
}
