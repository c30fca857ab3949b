import { ARINC653_ENTRY_KEYS, ARINC653_KEYS } from './arinc653-keys.ts';
import { describeLocated, type Located } from './located.ts';
import type { Problems } from './problems.ts';
import { type Found, readKeys, Values, vocabulary } from './read-keys.ts';
import type { Arinc653Table } from './scenario.ts';

/** Xen takes no more slots (ARINC653_MAX_DOMAINS_PER_SCHEDULE). */
const ENTRIES_MAX = 64;
/** A list of entries or actions that is longer is not read. */
const LIST_MAX = 10_000;

const TABLE_WORDS = vocabulary(Object.values(ARINC653_KEYS));
const ENTRY_WORDS = vocabulary(Object.values(ARINC653_ENTRY_KEYS));

/** Reads a table of ARINC653. Undefined, after `problems` was told, if it lacks something. */
export function resolveTable(given: Found<Located>, problems: Problems): Arinc653Table | undefined {
  const values = new Values();
  const countBefore = problems.count;
  readKeys(given.value, 'arinc653', TABLE_WORDS, values, problems);
  const majorFrame = values.get(ARINC653_KEYS.majorFrame);
  const list = values.get(ARINC653_KEYS.entries);
  if (problems.count > countBefore) return undefined;
  if (!majorFrame || !list) {
    const [missing, other] = majorFrame ? ['entries', 'major_frame'] : ['major_frame', 'entries'];
    const sentence = `"arinc653" lacks "${missing}", expected both it and "${other}"`;
    problems.add('scenario-missing-key', given.at, sentence);
    return undefined;
  }
  const entries = resolveEntries(list, problems);
  if (entries === undefined || problems.count > countBefore) return undefined;
  const table = { majorFrameNs: majorFrame.value, entries };
  const why = whyRefused(table);
  const isExpected = values.value(ARINC653_KEYS.expectRefusal) ?? false;
  if (why !== undefined && !isExpected) {
    problems.add('scenario-conflict', list.at, `Xen refuses the table: ${why}`);
  } else if (why === undefined && isExpected) {
    problems.add(
      'scenario-conflict',
      given.at,
      'Xen does not refuse the table, although "expect_refusal" says so',
    );
  }
  return table;
}

/** arinc653_sched_set() */
function whyRefused({ majorFrameNs, entries }: Arinc653Table): string | undefined {
  if (majorFrameNs === 0) return 'the major frame is 0';
  if (entries.length === 0) return 'it has no entries';
  if (entries.length > ENTRIES_MAX)
    return `it has ${entries.length} entries, at most ${ENTRIES_MAX} are allowed`;
  if (entries.some(({ runtimeNs }) => runtimeNs === 0)) return 'a runtime is 0';
  const sumNs = entries.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0);
  if (sumNs > majorFrameNs) return `the slots are ${sumNs} ns in all, the major frame is ${majorFrameNs} ns`;
  return undefined;
}

function resolveEntries(list: Found<Located>, problems: Problems): Arinc653Table['entries'] | undefined {
  return itemsOf(list, 'slots', problems)?.map((item) => {
    const values = new Values();
    readKeys(item, 'an entry', ENTRY_WORDS, values, problems);
    for (const required of [ARINC653_ENTRY_KEYS.dom, ARINC653_ENTRY_KEYS.runtime]) {
      if (values.get(required) || values.isBroken(required) || item.kind !== 'map') continue;
      problems.add(
        'scenario-missing-key',
        item.at,
        `an entry lacks "${required.name}", expected for example "{dom: 1, runtime: 10ms}"`,
      );
    }
    return {
      dom: values.value(ARINC653_ENTRY_KEYS.dom) ?? 0,
      vcpu: values.value(ARINC653_ENTRY_KEYS.vcpu) ?? 0,
      runtimeNs: values.value(ARINC653_ENTRY_KEYS.runtime) ?? 0,
    };
  });
}

/** The items of a list that is not too long. */
export function itemsOf(
  list: Found<Located>,
  what: string,
  problems: Problems,
): readonly Located[] | undefined {
  const { value, at, name } = list;
  if (value.kind === 'list' && value.items.length <= LIST_MAX) return value.items;
  const shown = value.kind === 'list' ? `a list of ${value.items.length}` : describeLocated(value);
  problems.add(
    'scenario-bad-value',
    at,
    `"${name}" is ${shown}, expected a list of at most ${LIST_MAX} ${what}`,
  );
  return undefined;
}
