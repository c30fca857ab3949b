import { createRequire } from 'node:module';
import type { ParsedNode } from 'yaml';
import { closestWord } from '../base/closest-word.ts';
import { UserError, UserErrors } from '../base/errors.ts';

/** Loaded on the first user's file: most runs have none, and YAML would be a third of their start-up time. */
let yamlModule: typeof import('yaml') | undefined;

function yaml(): typeof import('yaml') {
  yamlModule ??= createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return yamlModule;
}

/** More mistakes than this in one file help nobody. */
const MISTAKES_MAX = 50;
/** Aliases may repeat parts of a text, but not blow it up. */
const NODES_MAX = 200_000;
/** Longer texts are cut in messages. */
const SHOWN_MAX = 40;

/** A value of the text, and where it stands. */
export interface Place {
  readonly node: ParsedNode | null;
  /** UTF-16 units from the start of the text. */
  readonly at: number;
}

/** Stable codes of what can be wrong with a definition file. */
export type DefinitionErrorCode =
  | 'definitions-syntax'
  | 'definitions-key'
  | 'definitions-value'
  | 'definitions-conflict';

/**
 * The text of a definition file: reads values of the types that definitions have, and collects the mistakes,
 * so that the user hears of all of them at once. A reader that finds a mistake returns undefined and the
 * caller goes on.
 */
export class DefinitionText {
  readonly #text: string;
  readonly #file: string;
  readonly #mistakes: { at: number; error: UserError }[] = [];
  readonly #anchors = new Map<string, ParsedNode>();
  #nodesLeft = NODES_MAX;
  #lineStarts: number[] | undefined;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** The value of the whole text; undefined (and a mistake) when it is neither JSON nor YAML. */
  root(): Place | undefined {
    const { parseDocument, visit, isNode } = yaml();
    let document: ReturnType<typeof parseDocument>;
    try {
      // A logLevel of 'silent' would pass over second documents.
      document = parseDocument(this.#text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
    } catch (error) {
      // The parser recurses; a stack that overflows is the text's fault, anything else is ours.
      if (!(error instanceof RangeError)) throw error;
      this.fail('definitions-syntax', 0, 'the text is nested too deeply');
      return undefined;
    }
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      const sentence =
        code === 'MULTIPLE_DOCS'
          ? 'a second document begins here, expected one class of events in a file'
          : `neither JSON nor YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
      this.fail('definitions-syntax', pos[0], sentence);
    }
    if (this.#mistakes.length > 0) return undefined;
    visit(document, (_key, node) => {
      if (isNode(node) && 'anchor' in node && node.anchor) {
        this.#anchors.set(node.anchor, node as ParsedNode);
      }
    });
    return { node: document.contents as ParsedNode | null, at: document.contents?.range?.[0] ?? 0 };
  }

  /** The values of a map by key; mistakes: no map, unknown, repeated and missing keys. */
  map(place: Place, what: string, required: readonly string[], optional: readonly string[]) {
    const pairs = this.pairs(place, what);
    if (!pairs) return undefined;
    const known = [...required, ...optional];
    const found = new Map<string, Place>();
    for (const { key, keyAt, value } of pairs) {
      if (!known.includes(key)) {
        const meant = closestWord(key, known);
        const hint = meant ? `did you mean "${meant}"?` : `${what} has ${list(known)}`;
        this.fail('definitions-key', keyAt, `unknown key ${quote(key)}, ${hint}`);
      } else {
        found.set(key, value);
      }
    }
    for (const key of required) {
      if (!found.has(key)) this.fail('definitions-key', place.at, `${what} without "${key}"`);
    }
    return found;
  }

  /** The entries of a map with free keys; mistakes: no map, repeated keys. */
  pairs(place: Place, what: string): { key: string; keyAt: number; value: Place }[] | undefined {
    const { isMap, isScalar } = yaml();
    const { node } = this.#resolve(place);
    if (!isMap(node)) {
      this.#unexpected(place, `${what}: expected a map of keys`);
      return undefined;
    }
    const pairs: { key: string; keyAt: number; value: Place }[] = [];
    const seen = new Set<string>();
    for (const pair of node.items) {
      const keyNode = pair.key as ParsedNode | null;
      const keyAt = keyNode?.range?.[0] ?? place.at;
      if (!isScalar(keyNode)) {
        this.fail('definitions-key', keyAt, 'a key is a word, not a list or a map');
        continue;
      }
      const key = keyNode.source ?? String(keyNode.value);
      if (seen.has(key)) this.fail('definitions-key', keyAt, `key ${quote(key)} is here twice`);
      seen.add(key);
      const value = pair.value as ParsedNode | null;
      pairs.push({ key, keyAt, value: { node: value, at: value?.range?.[0] ?? keyAt } });
    }
    return pairs;
  }

  /** The items of a list. */
  list(place: Place, what: string): Place[] | undefined {
    const { isSeq, isNode } = yaml();
    const { node } = this.#resolve(place);
    if (!isSeq(node)) {
      this.#unexpected(place, `${what}: expected a list`);
      return undefined;
    }
    return node.items.map((item) => {
      const itemNode = isNode(item) ? (item as ParsedNode) : null;
      return { node: itemNode, at: itemNode?.range?.[0] ?? place.at };
    });
  }

  /** A word or sentence; a number is taken as it is written, so that `since: 4.10` stays what it is. */
  text(place: Place, expected: string, pattern = /\S/): string | undefined {
    const { isScalar } = yaml();
    const { node } = this.#resolve(place);
    if (isScalar(node) && node.value !== null && typeof node.value !== 'boolean') {
      const value = typeof node.value === 'string' ? node.value : (node.source ?? '');
      if (pattern.test(value)) return value;
    }
    this.#unexpected(place, `expected ${expected}`);
    return undefined;
  }

  /** A whole number; JSON has no hexadecimal ones, hence "0x1f" in quotes is one too. */
  integer(place: Place, expected: string, least: number, most: number): number | undefined {
    const { isScalar } = yaml();
    const { node } = this.#resolve(place);
    if (isScalar(node)) {
      const isNumeral = typeof node.value === 'string' && /^(0x[0-9a-f]{1,12}|-?\d{1,15})$/i.test(node.value);
      const value = isNumeral ? Number(node.value) : node.value;
      if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
        return value;
    }
    this.#unexpected(place, `expected ${expected}`);
    return undefined;
  }

  boolean(place: Place): boolean | undefined {
    const { isScalar } = yaml();
    const { node } = this.#resolve(place);
    if (isScalar(node) && typeof node.value === 'boolean') return node.value;
    this.#unexpected(place, 'expected true or false');
    return undefined;
  }

  /** Whether nothing is wrong so far. */
  get sound(): boolean {
    return this.#mistakes.length === 0;
  }

  fail(code: DefinitionErrorCode, at: number, sentence: string): void {
    if (this.#mistakes.length > MISTAKES_MAX) return;
    const position = { file: this.#file, ...this.lineAndColumn(at) };
    const rest = this.#mistakes.length === MISTAKES_MAX;
    const error = new UserError(code, rest ? 'and more mistakes from here on' : sentence, { position });
    this.#mistakes.push({ at, error });
  }

  /** Throws what was found, in the order of the text. */
  throwIfAny(): void {
    const errors = this.#mistakes.sort((a, b) => a.at - b.at).map(({ error }) => error);
    if (errors.length === 1) throw errors[0]!;
    if (errors.length > 1) throw new UserErrors(errors);
  }

  lineAndColumn(at: number): { line: number; column: number } {
    this.#lineStarts ??= [0, ...[...this.#text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    let line = 0;
    while (line + 1 < this.#lineStarts.length && this.#lineStarts[line + 1]! <= at) line++;
    return { line: line + 1, column: at - this.#lineStarts[line]! + 1 };
  }

  #unexpected(place: Place, expectation: string): void {
    this.fail('definitions-value', place.at, `${expectation}, found ${this.#shown(place)}`);
  }

  #shown(place: Place): string {
    const { isScalar, isMap, isSeq } = yaml();
    const { node } = this.#resolve(place);
    if (isMap(node)) return 'a map';
    if (isSeq(node)) return 'a list';
    if (!isScalar(node) || node.value === null) return 'nothing';
    if (typeof node.value === 'string') return quote(node.value);
    return cut(node.source ?? String(node.value));
  }

  /** Follows an alias, as often as a text without ill will needs it. */
  #resolve(place: Place): Place {
    const { isAlias } = yaml();
    this.#nodesLeft--;
    if (this.#nodesLeft === 0) this.fail('definitions-syntax', place.at, 'the text is too large');
    if (this.#nodesLeft <= 0) return { node: null, at: place.at };
    if (!isAlias(place.node)) return place;
    const target = this.#anchors.get(place.node.source);
    return { node: target ?? null, at: place.at };
  }
}

/** `text` in quotes, on one line, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(cut(text));
}

function cut(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}

function list(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(', ');
}
