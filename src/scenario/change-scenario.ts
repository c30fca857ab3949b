import { closestWord } from '../base/closest-word.ts';
import { UserError } from '../base/errors.ts';
import { BOOT_PARAMETERS } from './boot-parameters.ts';
import { GUEST_KEYS } from './guest-keys.ts';
import { DOMAIN_KEYS, HOST_KEYS, RTDS_KEYS, SCENARIO_KEYS, TRACE_KEYS, VCPU_KEYS } from './keys.ts';
import { type Located, parseLocated } from './located.ts';
import { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { type Vocabulary, vocabulary } from './read-keys.ts';

/** One key of a scenario and the value, as the language writes it, that it is to have. */
export interface Setting {
  /**
   * - a boot parameter or a key of the scenario, `host` or `trace`: `sched_ratelimit_us`, `duration`,
   *   `pcpus`, `host.context_switch`;
   * - a key of a domain, by name or as `d1`: `web.weight`, `d1.cap`, `web.guest.scheduler`;
   * - a key of all vCPUs of a domain, or of one description of them: `web.rtds.budget`,
   *   `web.vcpus.0.workload`.
   */
  readonly path: string;
  readonly value: string;
}

/**
 * The text of a scenario with some keys changed, to be parsed as any other; what the text says of them is
 * replaced. Whether the new values make sense is for parseScenario to say.
 *
 * Throws UserError for a text that is no YAML, a path that leads nowhere, and a value that is no YAML.
 */
export function changeScenario(text: string, fileName: string, settings: readonly Setting[]): string {
  const root = plainOf(parse(text, fileName));
  if (root.kind !== 'map') return text;
  for (const { path, value } of settings) change(root, path, plainOf(parse(value, quote(value))));
  return flowText(root);
}

/** A value without its place: aliases followed, merges done. */
type Plain = PlainScalar | PlainList | PlainMap;

interface PlainScalar {
  readonly kind: 'scalar';
  readonly text: string;
}

interface PlainList {
  readonly kind: 'list';
  readonly items: Plain[];
}

interface PlainMap {
  readonly kind: 'map';
  readonly entries: Map<string, Plain>;
}

const HOST_WORDS = vocabulary(Object.values(HOST_KEYS));
const TRACE_WORDS = vocabulary(Object.values(TRACE_KEYS));
const SCENARIO_WORDS = vocabulary(Object.values(SCENARIO_KEYS), [
  ...Object.values(HOST_KEYS),
  ...Object.values(TRACE_KEYS),
]);
const DOMAIN_WORDS = vocabulary(Object.values(DOMAIN_KEYS));
const VCPU_WORDS = vocabulary(Object.values(VCPU_KEYS));
const RTDS_WORDS = vocabulary(Object.values(RTDS_KEYS));
const NO_WORDS: Vocabulary = new Map();
/** The words of the maps below these keys. */
const WORDS_BELOW: Readonly<Record<string, Vocabulary>> = {
  host: HOST_WORDS,
  trace: TRACE_WORDS,
  rtds: RTDS_WORDS,
  guest: vocabulary(Object.values(GUEST_KEYS)),
};

function change(root: PlainMap, path: string, value: Plain): void {
  for (const { names, domain } of domainsOf(root)) {
    const name = names.find((candidate) => path.startsWith(`${candidate}.`));
    if (name === undefined) continue;
    changeDomain(domain, path.slice(name.length + 1), path, value);
    return;
  }
  const [first] = path.split('.');
  const group = groupOf(first);
  if (group === undefined && !SCENARIO_WORDS.has(first)) throw unknownPath(root, path, first);
  if (group !== undefined && group !== 'params') removeLifted(root, WORDS_BELOW[group].get(first)!.key);
  const steps = path.split('.');
  assign(root, group === undefined ? steps : [group, ...steps], path, value, SCENARIO_WORDS);
}

/** The map of the scenario in which a word has its place, where that is not the scenario itself. */
function groupOf(word: string): 'params' | 'host' | 'trace' | undefined {
  if (BOOT_PARAMETERS.some(({ name }) => name === word)) return 'params';
  if (HOST_WORDS.get(word)?.isPreferred) return 'host';
  return TRACE_WORDS.get(word)?.isPreferred ? 'trace' : undefined;
}

/** A key of a group may also stand at the top level, where it would contradict. */
function removeLifted(root: PlainMap, key: unknown): void {
  for (const name of [...root.entries.keys()]) {
    if (SCENARIO_WORDS.get(name)?.key === key) root.entries.delete(name);
  }
}

function changeDomain(domain: PlainMap, rest: string, path: string, value: Plain): void {
  const steps = rest.split('.');
  const vcpus = domain.entries.get('vcpus');
  if (DOMAIN_WORDS.has(steps[0]) && (steps[0] !== 'vcpus' || steps.length < 3)) {
    assign(domain, steps, path, value, DOMAIN_WORDS);
    return;
  }
  const [which, own] = steps[0] === 'vcpus' ? [steps[1], steps.slice(2)] : ['all', steps];
  if (!VCPU_WORDS.has(own[0])) {
    const words = [...DOMAIN_WORDS.keys(), ...VCPU_WORDS.keys()];
    throw noPath(path, `neither a domain nor a vCPU has a key ${quote(own[0])}`, closestWord(own[0], words));
  }
  const items = vcpus?.kind === 'list' ? vcpus.items : [];
  const chosen = which === 'all' ? [...items.keys()] : [Number(which)];
  for (const index of chosen) {
    const item = items[index];
    if (item === undefined) {
      throw noPath(
        path,
        `the domain's list of vCPUs has no item ${which}, it has ${items.length}, from 0 on`,
      );
    }
    // A workload alone stands for a vCPU.
    const vcpu: PlainMap =
      item.kind === 'map' && [...item.entries.keys()].some((name) => VCPU_WORDS.has(name))
        ? item
        : { kind: 'map', entries: new Map([['workload', item]]) };
    items[index] = vcpu;
    assign(vcpu, own, path, value, VCPU_WORDS);
  }
}

/** Sets what `steps` lead to; `words` are those of `map`. Another spelling of the same key goes. */
function assign(
  map: PlainMap,
  steps: readonly string[],
  path: string,
  value: Plain,
  words: Vocabulary,
): void {
  const [step, ...rest] = steps;
  const key = words.get(step)?.key;
  const spelling = [...map.entries.keys()].find((name) => key !== undefined && words.get(name)?.key === key);
  if (rest.length === 0) {
    if (spelling !== undefined) map.entries.delete(spelling);
    map.entries.set(step, value);
    return;
  }
  const below = map.entries.get(spelling ?? step) ?? { kind: 'map', entries: new Map() };
  if (below.kind !== 'map')
    throw noPath(path, `${quote(step)} is no map here, so it has no ${quote(rest[0])}`);
  map.entries.set(spelling ?? step, below);
  assign(below, rest, path, value, WORDS_BELOW[step] ?? NO_WORDS);
}

/** The domains with the names by which a path may call them, the longest first. */
function domainsOf(root: PlainMap): { names: string[]; domain: PlainMap }[] {
  const list = root.entries.get('domains');
  if (list?.kind !== 'list') return [];
  let id = 0;
  const domains = list.items.flatMap((item) => {
    if (item.kind !== 'map') return [];
    id = Number(scalarText(item, 'id') ?? id + 1);
    const name = scalarText(item, 'name');
    return [{ names: [...(name === undefined ? [] : [name]), `d${id}`], domain: item }];
  });
  return domains.sort((a, b) => b.names[0].length - a.names[0].length);
}

function scalarText(map: PlainMap, name: string): string | undefined {
  const value = map.entries.get(name);
  if (value?.kind !== 'scalar') return undefined;
  return value.text.startsWith('"') ? (JSON.parse(value.text) as string) : value.text;
}

function unknownPath(root: PlainMap, path: string, first: string): UserError {
  const names = domainsOf(root).flatMap((domain) => domain.names);
  const known = [
    ...names,
    ...BOOT_PARAMETERS.map(({ name }) => name),
    ...SCENARIO_WORDS.keys(),
    ...HOST_WORDS.keys(),
    ...TRACE_WORDS.keys(),
  ];
  return noPath(
    path,
    `${quote(first)} is no domain, boot parameter or key of the scenario`,
    closestWord(first, known),
  );
}

function noPath(path: string, why: string, meant?: string): UserError {
  return new UserError('scenario-bad-path', `cannot set ${quote(path)}: ${why}`, {
    ...(meant === undefined ? {} : { hint: `did you mean "${meant}"?` }),
  });
}

function parse(text: string, fileName: string): Located {
  const problems = new Problems(fileName, text);
  const located = parseLocated(text, problems);
  problems.throwIfAny();
  return located!;
}

function plainOf(node: Located): Plain {
  switch (node.kind) {
    case 'list':
      return { kind: 'list', items: node.items.map(plainOf) };
    case 'map': {
      const entries = node.entries.filter(({ key }) => !key.startsWith('x-'));
      return { kind: 'map', entries: new Map(entries.map(({ key, value }) => [key, plainOf(value)])) };
    }
    default:
      // Numbers as they are written: 4.20 is a version of Xen.
      return {
        kind: 'scalar',
        text: typeof node.value === 'string' ? JSON.stringify(node.value) : node.source,
      };
  }
}

/** YAML on one line. */
function flowText(node: Plain): string {
  switch (node.kind) {
    case 'list':
      return `[${node.items.map(flowText).join(', ')}]`;
    case 'map': {
      const entries = [...node.entries].map(([key, value]) => `${JSON.stringify(key)}: ${flowText(value)}`);
      return `{${entries.join(', ')}}`;
    }
    default:
      return node.text === '' ? 'null' : node.text;
  }
}
