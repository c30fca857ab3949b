import { EXPONENTIAL_MEAN_NS_MAX } from '../base/prng.ts';
import { describeLocated, type Located } from './located.ts';
import type { Problems } from './problems.ts';
import { quote } from './quote.ts';
import type { Duration } from './scenario.ts';
import { readDuration, type ValueType } from './value-types.ts';

/** What a time may be. */
export interface TimeForm {
  readonly name: string;
  /** 'fixed' takes a duration, 'drawn' also one that is drawn anew for each use. */
  readonly kind: 'fixed' | 'drawn';
  readonly minNs: number;
  readonly maxNs?: number;
}

/** A duration of at least `minNs`, fixed or drawn anew for each use. */
export function drawnDuration(minNs = 1): ValueType<Duration> {
  return {
    label: 'duration, may be drawn',
    expected: DRAWN_FORM,
    read: (node, name, problems) => readTime(node, { name, kind: 'drawn', minNs }, problems),
  };
}

/** The mean of a duration, rounded down to whole nanoseconds; of a truncated one, what it is without. */
export function meanNsOf(time: Duration): number {
  if (time.kind === 'fixed') return time.ns;
  if (time.kind === 'exponential') return time.meanNs;
  return time.minNs + Math.floor((time.maxNs - time.minNs) / 2);
}

/** What a duration may be where it is drawn anew for each use. */
export const DRAWN_FORM = 'a duration such as 10ms, uniform(5ms..15ms) or exponential(10ms)';

export function readTime(node: Located, wanted: TimeForm, problems: Problems): Duration | undefined {
  const { name, kind, minNs } = wanted;
  const call = callOf(node);
  if (call === undefined) {
    const text = node.kind === 'scalar' && typeof node.value !== 'boolean' ? node.value : null;
    if (text === null) {
      const expected = kind === 'drawn' ? DRAWN_FORM : 'a duration';
      const sentence = `"${name}" is ${describeLocated(node)}, expected ${expected}`;
      problems.add('scenario-bad-value', node.at, sentence);
      return undefined;
    }
    const ns = readDuration(String(text), node.at, name, problems, minNs, wanted.maxNs);
    return ns === undefined ? undefined : { kind: 'fixed', ns };
  }
  if (kind === 'fixed') {
    problems.add(
      'scenario-bad-value',
      node.at,
      `"${name}" is ${call.shown}, expected a duration that is not drawn`,
    );
    return undefined;
  }
  const isUniform = call.name === 'uniform' && call.given.length === 2;
  const isExponential = call.name === 'exponential' && call.given.length <= 2;
  if (!isUniform && !isExponential) {
    problems.add('scenario-bad-value', node.at, `"${name}" is ${call.shown}, expected ${DRAWN_FORM}`);
    return undefined;
  }
  const maxNs = isExponential ? EXPONENTIAL_MEAN_NS_MAX : undefined;
  const times = call.given.map((text) => readDuration(text, node.at, name, problems, minNs, maxNs));
  if (times.includes(undefined)) return undefined;
  const [first, second] = times as number[];
  if (second !== undefined && first! > second) {
    const order = isExponential
      ? 'the mean first, and then a most that is not below it'
      : 'the least duration first';
    problems.add('scenario-bad-value', node.at, `"${name}" is ${call.shown}, expected ${order}`);
    return undefined;
  }
  if (isUniform) return { kind: 'uniform', minNs: first!, maxNs: second! };
  return { kind: 'exponential', meanNs: first!, ...(second !== undefined && { maxNs: second }) };
}

/**
 * `uniform(1ms..2ms)` as text (a blank or a comma divides as well, but a comma ends a value inside `{}`), or
 * `{uniform: [1ms, 2ms]}` as a map; undefined for anything else.
 */
function callOf(node: Located): { name: string; given: string[]; shown: string } | undefined {
  if (node.kind === 'scalar') {
    const match = typeof node.value === 'string' ? /^\s*([a-z]+)\s*\(([^()]*)\)?\s*$/.exec(node.value) : null;
    if (!match) return undefined;
    const given = match[2]!
      .trim()
      .replace(/(\d)\s+([a-zµμ])/g, '$1$2')
      .split(/\s*(?:,|\.\.)\s*|\s+/);
    return { name: node.source.includes(')') ? match[1]! : '', given, shown: describeLocated(node) };
  }
  if (node.kind !== 'map' || node.entries.length !== 1) return undefined;
  const { key, value } = node.entries[0]!;
  const items = value.kind === 'list' ? value.items : [value];
  const given = items.map((item) => (item.kind === 'scalar' ? String(item.value) : describeLocated(item)));
  return { name: key, given, shown: quote(`${key}: ${given.join(', ')}`) };
}
