import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { Problems } from './problems.ts';
import { quote, SHOWN_MAX } from './quote.ts';

/**
 * A value of the text with the place where it stands; `at` counts UTF-16 units from the start of the text.
 */
export type Located = LocatedScalar | LocatedList | LocatedMap;

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly at: number;
  /** A whole number within 2^53 is a number, one beyond is a bigint. */
  readonly value: string | number | bigint | boolean | null;
  /** As written, without quotes: "4.20" where the value is the number 4.2. */
  readonly source: string;
  /** Where the source begins in the text (after a quote), if it stands there letter for letter. */
  readonly sourceAt: number | undefined;
}

export interface LocatedList {
  readonly kind: 'list';
  readonly at: number;
  readonly items: readonly Located[];
}

export interface LocatedMap {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: readonly LocatedEntry[];
}

export interface LocatedEntry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: Located;
  /** A word alone in a flow map, without a colon: what is left of `{affinity: 0-3,6}` after its comma. */
  readonly isBare: boolean;
}

/** A value of the text as a message names it: `-5`, `"web"`, `nothing`, `a list`, `a map`. */
export function describeLocated(node: Located): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a map of keys';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return quote(node.value);
  return node.source.length > SHOWN_MAX ? `${node.source.slice(0, SHOWN_MAX)}...` : node.source;
}

/** Deeper than any scenario, shallow enough for the stack. */
const DEPTH_MAX = 32;
/** Aliases may repeat parts of a text, in all so many values, but not blow it up ("billion laughs"). */
const ALIASED_NODES_MAX = 200_000;

/**
 * The value of a YAML 1.2 (or JSON) text with all positions, or undefined when the text is none; `problems`
 * then says why. Anchors and aliases are followed; duplicate keys, tags and second documents are mistakes.
 */
export function parseLocated(text: string, problems: Problems): Located | undefined {
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter: new LineCounter(),
      prettyErrors: false,
      intAsBigInt: true,
      // Checked below: the library compares each key with all others.
      uniqueKeys: false,
      version: '1.2',
      schema: 'core',
    });
  } catch (error) {
    // The parser recurses; a stack that overflows is the text's fault, anything else is ours.
    if (!(error instanceof RangeError)) throw error;
    problems.add('scenario-syntax', 0, 'the text is nested too deeply');
    return undefined;
  }
  for (const error of [...document.errors, ...document.warnings]) {
    problems.add('scenario-syntax', error.pos[0], syntaxSentence(error, text));
  }
  if (problems.count > 0) return undefined;
  if (document.contents === null) {
    problems.add('scenario-syntax', 0, 'the file is empty, expected a scenario');
    return undefined;
  }
  const walk: Walk = { text, problems, anchors: new Map(), aliasDepth: 0, nodesLeft: ALIASED_NODES_MAX };
  return locate(document.contents, walk, 0);
}

interface Walk {
  readonly text: string;
  readonly problems: Problems;
  /** The latest node of each anchor's name so far, in the order of the text. */
  readonly anchors: Map<string, ParsedNode>;
  /** How many aliases the walk is inside of; anchors met again there are no new ones. */
  aliasDepth: number;
  /** How many values aliases may still repeat. */
  nodesLeft: number;
}

const NOTHING = (at: number): LocatedScalar => ({
  kind: 'scalar',
  at,
  value: null,
  source: '',
  sourceAt: undefined,
});

function locate(node: ParsedNode | null, walk: Walk, depth: number, parentAt = 0): Located {
  if (node === null) return NOTHING(parentAt);
  const at = node.range[0];
  if (walk.aliasDepth > 0) walk.nodesLeft -= 1;
  if (walk.nodesLeft < 0 || depth > DEPTH_MAX) {
    const why =
      depth > DEPTH_MAX
        ? 'the text is nested too deeply'
        : 'the text is too large once its aliases are expanded';
    walk.problems.add('scenario-syntax', depth > DEPTH_MAX ? at : 0, why);
    return NOTHING(at);
  }
  if (isAlias(node)) {
    const target = walk.anchors.get(node.source);
    if (target) return expand(target, walk, depth + 1);
    walk.problems.add('scenario-syntax', at, `alias ${quote(node.source)} has no anchor before it`);
    return NOTHING(at);
  }
  if (node.anchor !== undefined && walk.aliasDepth === 0) walk.anchors.set(node.anchor, node);
  if (isSeq(node)) {
    const items: Located[] = [];
    for (const item of node.items) {
      // A list in which a map entry stands alone ("[a: 1]") holds pairs.
      if (isPair(item)) items.push(locatePairs([item], at, walk, depth + 1));
      else items.push(locate(item as ParsedNode, walk, depth + 1, at));
      if (walk.nodesLeft < 0) break;
    }
    return { kind: 'list', at, items };
  }
  if (isMap(node)) return locatePairs(node.items, at, walk, depth);
  return locateScalar(node, at, walk);
}

function expand(target: ParsedNode, walk: Walk, depth: number): Located {
  walk.aliasDepth += 1;
  const located = locate(target, walk, depth);
  walk.aliasDepth -= 1;
  return located;
}

function locatePairs(pairs: readonly unknown[], at: number, walk: Walk, depth: number): LocatedMap {
  const entries: LocatedEntry[] = [];
  const merges: Located[] = [];
  const seen = new Map<string, number>();
  for (const pair of pairs) {
    if (walk.nodesLeft < 0) break;
    if (!isPair<ParsedNode, ParsedNode | null>(pair)) continue;
    const { key } = pair;
    if (!isScalar(key)) {
      walk.problems.add(
        'scenario-syntax',
        key?.range?.[0] ?? at,
        'a key is a word, not a list, a map or an alias',
      );
      continue;
    }
    const keyAt = key.range![0];
    if (key.value === '<<' && key.type === 'PLAIN') {
      const merged = locate(pair.value, walk, depth + 1, keyAt);
      merges.push(...(merged.kind === 'list' ? merged.items : [merged]));
      continue;
    }
    const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
    const firstAt = seen.get(name);
    if (firstAt !== undefined) {
      const { line } = walk.problems.positionAt(firstAt);
      walk.problems.add('scenario-duplicate-key', keyAt, `key ${quote(name)} is already in line ${line}`);
      continue;
    }
    seen.set(name, keyAt);
    entries.push({
      key: name,
      keyAt,
      value: locate(pair.value, walk, depth + 1, keyAt),
      isBare: pair.value === null,
    });
  }
  // "<<: *base" takes over what the map itself does not say; of several bases the first that says it wins.
  for (const base of merges) {
    if (base.kind !== 'map')
      walk.problems.add('scenario-syntax', base.at, '"<<" merges maps, expected an alias of one');
    for (const entry of base.kind === 'map' ? base.entries : []) {
      if (seen.has(entry.key)) continue;
      seen.set(entry.key, entry.keyAt);
      entries.push(entry);
    }
  }
  return { kind: 'map', at, entries };
}

function locateScalar(node: ParsedNode, at: number, walk: Walk): LocatedScalar {
  const value = isScalar(node) ? node.value : undefined;
  const source = (isScalar(node) ? node.source : undefined) ?? '';
  const begin = '"\''.includes(walk.text.charAt(at)) ? at + 1 : at;
  const sourceAt = walk.text.startsWith(source, begin) ? begin : undefined;
  if (typeof value === 'bigint') {
    const rounded = Number(value);
    return { kind: 'scalar', at, value: Number.isSafeInteger(rounded) ? rounded : value, source, sourceAt };
  }
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return { kind: 'scalar', at, value, source, sourceAt };
  }
  walk.problems.add('scenario-syntax', at, 'a value is text, a number, true or false, a list or a map');
  return NOTHING(at);
}

function syntaxSentence(error: YAMLError, text: string): string {
  switch (error.code) {
    case 'MULTIPLE_DOCS':
      return 'a second document begins here, expected one scenario in a file';
    case 'TAG_RESOLVE_FAILED':
      return `unknown tag ${quote(text.slice(error.pos[0], error.pos[1]))}, a scenario needs none`;
    default:
      // The library's own stack, on its way down.
      if (error.message.includes('call stack')) return 'the text is nested too deeply';
      return `not valid YAML: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
  }
}
