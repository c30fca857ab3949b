import {
  type ClassSource,
  type EventSource,
  type FieldSource,
  type LayoutSource,
  mergeSources,
} from './definition-sources.ts';
import { type DefinitionText, type Place, quote } from './definition-text.ts';
import { EVENT_MASK, EXTRA_WORDS_MAX } from './record.ts';

/** Names of tables that are no classes of events. */
const RESERVED_CLASSES = new Set([
  'records',
  'runstates',
  'waits',
  'jobs',
  'domains',
  'lost',
  'diagnostics',
  'meta',
]);

const SNAKE_CASE = /^[a-z][a-z0-9_]{0,62}$/;
const C_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,126}$/;

interface Context {
  readonly text: DefinitionText;
  /** Where the file's events (by id) and fields stand. */
  readonly places: Map<number | FieldSource, number>;
}

/** The class that `root` describes. Only to be used when no mistake was found on the way. */
export function checkClass(root: Place, text: DefinitionText, others: readonly ClassSource[]): ClassSource {
  const keys = text.map(root, 'the file', ['class', 'events'], ['doc']);
  const nameAt = keys?.get('class');
  const name = nameAt && text.text(nameAt, 'the name of a class, in snake_case', SNAKE_CASE);
  if (name && RESERVED_CLASSES.has(name)) {
    text.fail(
      'definitions-conflict',
      nameAt.at,
      `"${name}" is the name of another table, choose another class`,
    );
  }
  const docAt = keys?.get('doc');
  const doc = docAt && text.text(docAt, 'a sentence');
  const eventsAt = keys?.get('events');
  const context: Context = { text, places: new Map() };
  const events: EventSource[] = [];
  for (const place of (eventsAt && text.list(eventsAt, 'events')) ?? []) {
    const event = checkEvent(place, context);
    if (event) events.push(event);
  }
  const checked = { class: name ?? '', doc, events };
  checkTogether(checked, others, context);
  return checked;
}

/**
 * Undefined when it cannot stand beside others: without an id or a name, or when the file has its id already.
 */
function checkEvent(place: Place, context: Context): EventSource | undefined {
  const { text, places } = context;
  const keys = text.map(place, 'an event', ['id', 'name', 'layouts'], ['doc', 'tsc', 'aliases']);
  if (!keys) return undefined;
  const idAt = keys.get('id');
  const id = idAt && text.integer(idAt, 'a number of at most 28 bits, as 0x0002200c', 1, EVENT_MASK);
  const nameAt = keys.get('name');
  const name = nameAt && text.text(nameAt, 'a name, as TRC_MY_EVENT', C_NAME);
  const aliases: string[] = [];
  const aliasesAt = keys.get('aliases');
  for (const aliasAt of (aliasesAt && text.list(aliasesAt, 'aliases')) ?? []) {
    const alias = text.text(aliasAt, 'a name, as TRC_MY_EVENT', C_NAME);
    if (alias !== undefined) aliases.push(alias);
  }
  const docAt = keys.get('doc');
  const doc = (docAt && text.text(docAt, 'a sentence')) ?? '';
  const tscAt = keys.get('tsc');
  const tsc = tscAt && text.boolean(tscAt);
  const layouts: LayoutSource[] = [];
  const layoutsAt = keys.get('layouts');
  for (const layoutAt of (layoutsAt && text.list(layoutsAt, 'layouts')) ?? []) {
    const layout = checkLayout(layoutAt, context);
    if (!layout) continue;
    if (layouts.some(({ words }) => words === layout.words)) {
      const sentence = `${name ?? 'the event'} has two layouts of ${layout.words} words`;
      text.fail('definitions-conflict', layoutAt.at, sentence);
    }
    layouts.push(layout);
  }
  if (id === undefined || name === undefined) return undefined;
  const earlier = places.get(id);
  if (earlier !== undefined) {
    const { line } = text.lineAndColumn(earlier);
    text.fail('definitions-conflict', idAt!.at, `event ${hex(id)} is in line ${line} already`);
    return undefined;
  }
  places.set(id, idAt!.at);
  return { id, name, doc, tsc, aliases, layouts };
}

function checkLayout(place: Place, { text, places }: Context): LayoutSource | undefined {
  const keys = text.map(place, 'a layout', ['words', 'fields'], ['since', 'until', 'doc']);
  if (!keys) return undefined;
  const wordsAt = keys.get('words');
  const words = wordsAt && text.integer(wordsAt, 'the number of extra words, 0 to 7', 0, EXTRA_WORDS_MAX);
  const [since, until, doc] = ['since', 'until', 'doc'].map((key) => {
    const at = keys.get(key);
    return at && text.text(at, key === 'doc' ? 'a sentence' : 'a Xen release, as "4.17"');
  });
  const fields: FieldSource[] = [];
  const fieldsAt = keys.get('fields');
  for (const fieldAt of (fieldsAt && text.list(fieldsAt, 'fields')) ?? []) {
    const field = checkField(fieldAt, text);
    if (!field) continue;
    checkFit(field, fieldAt.at, fields, words, text);
    places.set(field, fieldAt.at);
    fields.push(field);
  }
  return words === undefined ? undefined : { words, since, until, doc, fields };
}

function checkField(place: Place, text: DefinitionText): FieldSource | undefined {
  const keys = text.map(
    place,
    'a field',
    ['name', 'offset', 'width'],
    ['signed', 'unit', 'values', 'none', 'doc'],
  );
  if (!keys) return undefined;
  const nameAt = keys.get('name');
  const name = nameAt && text.text(nameAt, 'the name of a field, in snake_case', SNAKE_CASE);
  const bits = EXTRA_WORDS_MAX * 32;
  const offsetAt = keys.get('offset');
  const offset = offsetAt && text.integer(offsetAt, `an offset in bits, 0 to ${bits - 1}`, 0, bits - 1);
  const widthAt = keys.get('width');
  const width = widthAt && text.integer(widthAt, 'a width in bits, 1 to 64', 1, 64);
  const signedAt = keys.get('signed');
  const signed = signedAt && text.boolean(signedAt);
  const [unit, doc] = ['unit', 'doc'].map((key) => {
    const at = keys.get(key);
    return (
      at &&
      (key === 'unit' ? text.text(at, 'a unit, in snake_case', SNAKE_CASE) : text.text(at, 'a sentence'))
    );
  });
  const valuesAt = keys.get('values');
  const values = valuesAt && checkValues(valuesAt, text);
  const noneAt = keys.get('none');
  const none =
    noneAt && text.integer(noneAt, 'the value that says that there is none, up to 32 bits', 0, 0xffffffff);
  if (name === undefined || offset === undefined || width === undefined) return undefined;
  return { name, offset, width, signed, unit, values, none, doc: doc ?? '' };
}

function checkValues(place: Place, text: DefinitionText): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { key, keyAt, value } of text.pairs(place, 'values') ?? []) {
    if (!/^(-?\d{1,15}|0x[0-9a-fA-F]{1,12})$/.test(key)) {
      text.fail('definitions-value', keyAt, `expected a number as a value's key, found ${quote(key)}`);
      continue;
    }
    const meaning = text.text(value, 'the meaning of the value, a word');
    if (meaning !== undefined) values[String(Number(key))] = meaning;
  }
  return values;
}

/** A field lies within the words and keeps clear of the fields before it. */
function checkFit(
  field: FieldSource,
  at: number,
  before: readonly FieldSource[],
  words: number | undefined,
  text: DefinitionText,
): void {
  const end = field.offset + field.width;
  if (words !== undefined && end > words * 32) {
    const sentence = `field "${field.name}" ends at bit ${end}, but ${words} words have ${words * 32} bits`;
    text.fail('definitions-conflict', at, sentence);
  }
  for (const other of before) {
    if (other.name === field.name) {
      text.fail('definitions-conflict', at, `two fields of the name "${field.name}" in one layout`);
    }
    if (field.offset < other.offset + other.width && other.offset < end) {
      text.fail('definitions-conflict', at, `field "${field.name}" overlaps field "${other.name}"`);
    }
  }
}

/**
 * What must hold once the file's class `mine` stands beside the `others`: names are unique, columns have one
 * type.
 */
function checkTogether(mine: ClassSource, others: readonly ClassSource[], context: Context): void {
  const owners = new Map<string, EventSource>();
  const columns = new Map<string, FieldSource>();
  for (const { className, source } of mergeSources([...others, mine]).events) {
    for (const name of [source.name, ...(source.aliases ?? [])]) {
      const owner = owners.get(name);
      if (owner) reportName(name, owner, source, context);
      owners.set(name, source);
    }
    if (className !== mine.class) continue;
    for (const field of source.layouts.flatMap(({ fields }) => fields)) {
      const column = columns.get(field.name);
      if (column) reportColumn(column, field, context);
      else columns.set(field.name, field);
    }
  }
}

/** Two events share `name`: the one that the file has, or has later, is at fault. */
function reportName(name: string, a: EventSource, b: EventSource, { text, places }: Context): void {
  const atA = places.get(Number(a.id)) ?? -1;
  const atB = places.get(Number(b.id)) ?? -1;
  const other = atA > atB ? b : a;
  const at = Math.max(atA, atB);
  if (at < 0) return;
  text.fail('definitions-conflict', at, `the name ${name} belongs to event ${hex(Number(other.id))} as well`);
}

/** Fields of one name share a column, hence a type. */
function reportColumn(a: FieldSource, b: FieldSource, { text, places }: Context): void {
  if ((a.signed ?? false) === (b.signed ?? false) && a.unit === b.unit) return;
  const atA = places.get(a) ?? -1;
  const atB = places.get(b) ?? -1;
  const other = atA > atB ? b : a;
  const type = `${other.signed ? 'signed' : 'unsigned'}, ${other.unit ? `in ${other.unit}` : 'without unit'}`;
  const sentence = `field "${b.name}" differs from another of its name in the class, which is ${type}`;
  text.fail('definitions-conflict', Math.max(atA, atB), sentence);
}

function hex(id: number): string {
  return `0x${id.toString(16).padStart(8, '0')}`;
}
