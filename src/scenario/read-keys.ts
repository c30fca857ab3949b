import { closestWord } from '../base/closest-word.ts';
import { describeLocated, type Located } from './located.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import type { ValueType } from './value-types.ts';

/**
 * A key of the language: one value, its preferred spelling, other spellings, and its line in the documents.
 */
export interface Key<T> {
  readonly name: string;
  readonly type: ValueType<T>;
  /** For people: the default's value, or how it comes about. */
  readonly default: string;
  readonly doc: string;
  /** Other spellings in the same map; their type may be narrower (`duration_ns` takes no `2s`). */
  readonly aliases: readonly Spelling<T>[];
  /** Spellings at the top level of a scenario, for keys that live in a group (`pcpus` is `host.pcpus`). */
  readonly topLevel: readonly Spelling<T>[];
}

export interface Spelling<T> {
  readonly name: string;
  readonly type: ValueType<T>;
}

/** Declares a key. `aliases` and `topLevel` are names of the same type, or names with types of their own. */
export function key<T>(declaration: {
  name: string;
  type: ValueType<T>;
  default: string;
  doc: string;
  aliases?: readonly (string | Spelling<T>)[];
  topLevel?: readonly (string | Spelling<T>)[];
}): Key<T> {
  const spell = (spellings: readonly (string | Spelling<T>)[] = []) =>
    spellings.map((one) => (typeof one === 'string' ? { name: one, type: declaration.type } : one));
  return { ...declaration, aliases: spell(declaration.aliases), topLevel: spell(declaration.topLevel) };
}

/** What one map, with the maps that are merged into it, said: values of keys with their places. */
export class Values {
  readonly #found = new Map<Key<unknown>, Found<unknown>>();
  readonly #broken = new Set<Key<unknown>>();

  get<T>(wanted: Key<T>): Found<T> | undefined {
    return this.#found.get(wanted as Key<unknown>) as Found<T> | undefined;
  }

  value<T>(wanted: Key<T>): T | undefined {
    return this.get(wanted)?.value;
  }

  /** Whether the key was given with a value that could not be read: what it should have been is not known. */
  isBroken(wanted: Key<never> | Key<unknown>): boolean {
    return this.#broken.has(wanted as Key<unknown>);
  }

  set<T>(target: Key<T>, found: Found<T>): void {
    this.#found.set(target as Key<unknown>, found as Found<unknown>);
  }

  markBroken(target: Key<unknown>): void {
    this.#broken.add(target);
  }
}

export interface Found<T> {
  readonly value: T;
  /** Where the value stands, and where its key. */
  readonly at: number;
  readonly keyAt: number;
  /** As spelled in the text. */
  readonly name: string;
}

/** Keys that one map may have, by every spelling that is allowed in it. */
export type Vocabulary = ReadonlyMap<string, Word>;

interface Word {
  readonly key: Key<unknown>;
  readonly type: ValueType<unknown>;
  /** Whether this is the key's preferred spelling in its own map. */
  readonly isPreferred: boolean;
}

/** The vocabulary of a map with `keys`, and with the top-level spellings of the keys in `lifted`. */
export function vocabulary(keys: Iterable<unknown>, lifted: Iterable<unknown> = []): Vocabulary {
  const words = new Map<string, Word>();
  for (const own of keys as Iterable<Key<unknown>>) {
    words.set(own.name, { key: own, type: own.type, isPreferred: true });
    for (const { name, type } of own.aliases) words.set(name, { key: own, type, isPreferred: false });
  }
  for (const other of lifted as Iterable<Key<unknown>>) {
    for (const { name, type } of other.topLevel) words.set(name, { key: other, type, isPreferred: false });
  }
  return words;
}

/**
 * Reads the entries of `node` into `values`. Unknown keys, a key that two spellings set, and bad values are
 * told to `problems`; all that can be read is. `what` is what the map describes, for messages: "a domain".
 */
export function readKeys(
  node: Located,
  what: string,
  words: Vocabulary,
  values: Values,
  problems: Problems,
): void {
  if (node.kind !== 'map') {
    const sentence = `${what} is ${describeLocated(node)}, expected a map with keys such as ${someOf(words)}`;
    problems.add('scenario-bad-value', node.at, sentence);
    return;
  }
  for (const entry of node.entries) {
    // As in other YAML languages: a place for anchors and remarks.
    if (entry.key.startsWith('x-')) continue;
    const word = words.get(entry.key);
    if (!word) {
      if (entry.isBare) {
        const why = 'inside {} a comma ends a value, expected quotes around a value that has one';
        problems.add('scenario-unknown-key', entry.keyAt, `${quote(entry.key)} is no key: ${why}`);
        continue;
      }
      const sentence = problems.isFull ? '' : unknownWord('key', entry.key, words.keys(), preferredOf(words));
      problems.add('scenario-unknown-key', entry.keyAt, sentence);
      continue;
    }
    const earlier = values.get(word.key);
    if (earlier) {
      const { line } = problems.positionAt(earlier.keyAt);
      const both = `"${entry.key}" sets what "${earlier.name}" in line ${line} sets`;
      problems.add('scenario-conflict', entry.keyAt, `${both}, expected only one of them`);
      continue;
    }
    const countBefore = problems.count;
    const value = word.type.read(entry.value, entry.key, problems);
    if (value === undefined || problems.count > countBefore) values.markBroken(word.key);
    if (value === undefined) continue;
    values.set(word.key, { value, at: entry.value.at, keyAt: entry.keyAt, name: entry.key });
  }
}

/**
 * `unknown key "wieght", did you mean "weight"?`, or what there is to choose from when nothing known is near:
 * `offered`, which is all that is known unless given.
 */
export function unknownWord(
  kind: string,
  word: string,
  known: Iterable<string>,
  offered: readonly string[] = [...known],
): string {
  const meant = closestWord(word, known);
  if (meant !== undefined) return `unknown ${kind} ${quote(word)}, did you mean "${meant}"?`;
  return `unknown ${kind} ${quote(word)}, expected one of ${offered.join(', ')}`;
}

function preferredOf(words: Vocabulary): string[] {
  return [...words].filter(([, word]) => word.isPreferred).map(([name]) => name);
}

function someOf(words: Vocabulary): string {
  return preferredOf(words).slice(0, 4).join(', ');
}
