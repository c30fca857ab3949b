import { DURATION_NS_MAX } from '../base/nanoseconds.ts';
import { ACTION_KEYS } from './arinc653-keys.ts';
import type { Located } from './located.ts';
import { type CommandScope, parseCommand } from './parse-command.ts';
import type { Problems } from './problems.ts';
import { type Found, readKeys, unknownWord, Values, vocabulary } from './read-keys.ts';
import { itemsOf, resolveTable } from './resolve-arinc653.ts';
import { settingsOf } from './resolve-domains.ts';
import type { Action } from './scenario.ts';
import { resolveSedfAction } from './sedf-keys.ts';
import { readDuration } from './value-types.ts';

const ACTION_WORDS = vocabulary(Object.values(ACTION_KEYS));
/** `at 2s: pause 1`, the short form. */
const SHORT = /^at\s+(.+)$/;

/** Reads what the toolstack does, in the order of time; of one instant, in the order of the text. */
export function resolveActions(list: Found<Located>, scope: CommandScope, problems: Problems): Action[] {
  const actions: Action[] = [];
  for (const item of itemsOf(list, 'actions', problems) ?? []) {
    const entry = item.kind === 'map' && item.entries.length === 1 ? item.entries[0] : undefined;
    const time = entry === undefined ? null : SHORT.exec(entry.key);
    if (entry === undefined || time === null) {
      actions.push(...resolveMap(item, scope, problems));
      continue;
    }
    const atNs = readDuration(time[1]!, entry.keyAt, 'at', problems, 0, DURATION_NS_MAX);
    actions.push(...commandsOf(entry.value, atNs ?? 0, scope, problems));
  }
  return actions.sort((a, b) => a.atNs - b.atNs);
}

/** `{at: 2s, do: pause 1}` or `{at: 2s, arinc653: {...}}` */
function resolveMap(item: Located, scope: CommandScope, problems: Problems): Action[] {
  const values = new Values();
  const countBefore = problems.count;
  readKeys(item, 'an action', ACTION_WORDS, values, problems);
  const at = values.get(ACTION_KEYS.at);
  const table = values.get(ACTION_KEYS.arinc653);
  const sedf = values.get(ACTION_KEYS.sedf);
  const commands = values.get(ACTION_KEYS.do);
  const dom = values.get(ACTION_KEYS.dom);
  if (problems.count > countBefore) return [];
  if (!at || !(table || sedf || commands || dom)) {
    const sentence = `an action lacks ${at ? '"do"' : '"at"'}, expected for example "at 2s: pause 1"`;
    problems.add('scenario-missing-key', item.at, sentence);
    return [];
  }
  const actions = commands ? commandsOf(commands.value, at.value, scope, problems) : [];
  if (sedf) {
    const doms = scope.domains.map(({ id }) => id);
    const action = resolveSedfAction(sedf, at.value, doms, problems);
    if (action) actions.push(action);
  }
  if (dom) actions.push(...settingOf(dom, at.value, values, scope, problems));
  const arinc653 = table && resolveTable(table, problems);
  return arinc653 ? [...actions, { atNs: at.value, arinc653 }] : actions;
}

/** `{t_ns: 2000000000, dom: 1, weight: 512}`, the machine model's way. */
function settingOf(
  dom: Found<number>,
  atNs: number,
  values: Values,
  { domains }: CommandScope,
  problems: Problems,
): Action[] {
  if (!domains.some(({ id }) => id === dom.value)) {
    const known = domains.map(({ id }) => String(id));
    problems.add('scenario-bad-value', dom.at, unknownWord('domain', String(dom.value), known));
    return [];
  }
  const text = `settings of domain ${dom.value}`;
  return [{ atNs, command: { text, kind: 'sched-domctl', dom: dom.value, settings: settingsOf(values) } }];
}

function commandsOf(given: Located, atNs: number, scope: CommandScope, problems: Problems): Action[] {
  const nodes = given.kind === 'list' ? given.items : [given];
  return nodes.flatMap((node) => {
    const command = parseCommand(node, scope, problems);
    return command === undefined ? [] : [{ atNs, command }];
  });
}

/** The names of the pools that actions create, which a look ahead finds. */
export function poolsCreatedBy(list: Found<Located> | undefined): string[] {
  const names: string[] = [];
  const walk = (node: Located): void => {
    if (node.kind === 'list') node.items.forEach(walk);
    else if (node.kind === 'map') for (const { value } of node.entries) walk(value);
    else if (typeof node.value === 'string' && node.value.trimStart().startsWith('cpupool-create')) {
      const name = /\sname=(["']?)(.+?)\1(?=\s|$)/.exec(node.value)?.[2];
      if (name !== undefined) names.push(name);
    }
  };
  if (list !== undefined) walk(list.value);
  return names;
}
