/**
 * What every trace record means, as data: the files in `formats/`, one per event class, and a user's own
 * (`--formats`).
 *
 * The meaning of a record hangs on the pair (event id, number of extra words), because Xen changed layouts
 * over the years and a trace file does not say which Xen wrote it. {@link EventCatalog} finds the layout of
 * such a pair.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { assert } from '../base/assert.ts';
import { readDefinitionFile } from './definition-file.ts';
import { type ClassSource, type FieldSource, mergeSources } from './definition-sources.ts';
import { EVENT_MASK, EXTRA_WORDS_SHIFT } from './record.ts';

/** One named value in a record's extra words. */
export interface FieldDefinition {
  /** snake_case; the column's name in the Arrow table of the class. */
  readonly name: string;
  /**
   * In bits, from bit 0 of the first extra word; words are little-endian, so a field may span two of them.
   */
  readonly offset: number;
  /** In bits, 1 to 64. */
  readonly width: number;
  /** Two's complement when true. */
  readonly signed: boolean;
  /** `ns`, `us`, `tsc`, `dom`, `vcpu`, `pcpu`, `bits`, ...: docs/events.md; undefined for plain numbers. */
  readonly unit: string | undefined;
  /** The meaning of each value, for enumerations. */
  readonly values: ReadonlyMap<number, string> | undefined;
  /** The value that says that there is none, for fields of at most 32 bits. */
  readonly none: number | undefined;
  readonly doc: string;
}

/** How the extra words of an event are laid out when there are `words` of them. */
export interface LayoutDefinition {
  /** Index into {@link EventCatalog.layouts}, never 0. */
  readonly index: number;
  readonly event: EventDefinition;
  /** The number of extra words, 0 to 7. */
  readonly words: number;
  /** Which of the catalog's sources it is from: what a later one says holds before what an earlier one says. */
  readonly from: number;
  /** The first Xen release with this layout; undefined: unknown, or not Xen's. */
  readonly since: string | undefined;
  /** The last Xen release with this layout; undefined: the newest one still has it. */
  readonly until: string | undefined;
  readonly fields: readonly FieldDefinition[];
  readonly doc: string | undefined;
}

/** An event that Xen, or a user's own file, has a name for, with every layout that its records have had. */
export interface EventDefinition {
  /** Index into {@link EventCatalog.events}. */
  readonly index: number;
  /** 28 bits. */
  readonly id: number;
  /** Xen's name in C. */
  readonly name: string;
  /** Other names that Xen has had for it. */
  readonly aliases: readonly string[];
  /** The class that it belongs to, and the Arrow table. */
  readonly className: string;
  readonly doc: string;
  /** False where Xen records the event without a cycle count. */
  readonly tsc: boolean;
  /** In ascending number of words; empty for an event that Xen names but never records. */
  readonly layouts: readonly LayoutDefinition[];
}

/** Events that share an Arrow table. */
export interface ClassDefinition {
  readonly name: string;
  readonly doc: string;
  readonly events: readonly EventDefinition[];
  /** The union of all layouts' fields by name: the columns of the class's table. */
  readonly columns: readonly ColumnDefinition[];
}

/** All fields of one name within a class: they agree in signedness and unit. */
export interface ColumnDefinition {
  readonly name: string;
  /** Bits of the widest field. */
  readonly width: number;
  readonly signed: boolean;
  readonly unit: string | undefined;
  /** Undefined where not every field of the name is an enumeration. */
  readonly values: ReadonlyMap<number, string> | undefined;
  readonly doc: string;
}

/** Marks a free slot of the hash table; keys have 31 bits and are never negative. */
const FREE = -1;
/**
 * 2^32 divided by the golden ratio: neighbouring event ids end up far apart (Knuth's multiplicative hashing).
 */
const HASH_MULTIPLIER = 0x9e3779b1 | 0;

/** All events known to this run. Immutable; layouts and events are sorted by id, then by number of words. */
export class EventCatalog {
  /** Ascending by their smallest event id. */
  readonly classes: readonly ClassDefinition[];
  /** Ascending by event id. */
  readonly events: readonly EventDefinition[];
  /** By layout index; [0] is undefined and stands for every unknown (event, words). */
  readonly layouts: readonly (LayoutDefinition | undefined)[];
  /** Layout index -> index into {@link events}; [0] is meaningless. */
  readonly eventIndexOfLayout: Uint16Array;
  readonly #byId: ReadonlyMap<number, EventDefinition>;
  readonly #byName: ReadonlyMap<string, EventDefinition>;
  /** Open addressing, at most a quarter full, so that a lookup seldom needs a second probe. */
  readonly #keys: Int32Array;
  readonly #values: Uint16Array;
  readonly #shift: number;

  static #builtIn: EventCatalog | undefined;

  /** Xen's events and xenscope's own, from `formats/`. Built once. */
  static builtIn(): EventCatalog {
    EventCatalog.#builtIn ??= new EventCatalog(readBuiltInSources());
    return EventCatalog.#builtIn;
  }

  /**
   * @param sources checked classes; among events of one id, the later source wins: it replaces layouts of
   *   equal `words`   when class and name are the same, and the whole event otherwise.
   */
  constructor(sources: readonly ClassSource[]) {
    const merged = mergeSources(sources);
    const events: EventDefinition[] = [];
    const layouts: (LayoutDefinition | undefined)[] = [undefined];
    for (const { source, className, layouts: ownLayouts } of merged.events) {
      const event = {
        index: events.length,
        id: Number(source.id),
        name: source.name,
        aliases: source.aliases ?? [],
        className,
        doc: source.doc,
        tsc: source.tsc ?? true,
        layouts: [] as LayoutDefinition[],
      };
      for (const layout of ownLayouts) {
        const index = layouts.length;
        const fields = layout.fields.map(fieldOf);
        const { words, since, until, doc, from } = layout;
        const made = { index, event, words, from, since, until, fields, doc };
        event.layouts.push(made);
        layouts.push(made);
      }
      events.push(event);
    }
    assert(layouts.length <= 0x10000, 'layout indices have 16 bits');
    this.events = events;
    this.layouts = layouts;
    this.classes = classesOf(events, merged.classDocs);
    this.#byId = new Map(events.map((event) => [event.id, event]));
    this.#byName = new Map(
      events.flatMap((event) => [event.name, ...event.aliases].map((name) => [name, event])),
    );
    this.eventIndexOfLayout = Uint16Array.from(layouts, (layout) => layout?.event.index ?? 0);
    const bits = Math.max(4, Math.ceil(Math.log2(layouts.length * 4)));
    this.#shift = 32 - bits;
    this.#keys = new Int32Array(1 << bits).fill(FREE);
    this.#values = new Uint16Array(1 << bits);
    for (const layout of layouts) if (layout) this.#insert(layout);
  }

  /**
   * The index of the layout of `event` (its upper 4 bits are ignored) with `words` extra words; 0 when not
   * defined.
   */
  layoutIndex(event: number, words: number): number {
    return this.layoutIndexOfHeader((event & EVENT_MASK) | (words << EXTRA_WORDS_SHIFT));
  }

  /** The same from a record's header word, which holds both; the cycle flag is ignored. */
  layoutIndexOfHeader(header: number): number {
    const key = header & 0x7fffffff;
    const keys = this.#keys;
    const mask = keys.length - 1;
    let slot = Math.imul(key, HASH_MULTIPLIER) >>> this.#shift;
    for (;;) {
      const found = keys[slot];
      if (found === key) return this.#values[slot];
      if (found === FREE) return 0;
      slot = (slot + 1) & mask;
    }
  }

  eventById(id: number): EventDefinition | undefined {
    return this.#byId.get(id);
  }

  /** By its name or an alias. */
  eventByName(name: string): EventDefinition | undefined {
    return this.#byName.get(name);
  }

  #insert(layout: LayoutDefinition): void {
    const key = (layout.event.id & EVENT_MASK) | (layout.words << EXTRA_WORDS_SHIFT);
    const mask = this.#keys.length - 1;
    let slot = Math.imul(key, HASH_MULTIPLIER) >>> this.#shift;
    while (this.#keys[slot] !== FREE) {
      assert(this.#keys[slot] !== key, `two layouts of ${layout.event.name} with ${layout.words} words`);
      slot = (slot + 1) & mask;
    }
    this.#keys[slot] = key;
    this.#values[slot] = layout.index;
  }
}

/**
 * The built-in catalog with a user's files on top, later files winning.
 *
 * @param extraFiles paths of JSON or YAML files of the same shape as those in `formats/`.
 * @throws UserError (several: UserErrors) with file, line and column for every mistake in them.
 */
export function loadCatalog(extraFiles: readonly string[] = []): EventCatalog {
  if (extraFiles.length === 0) return EventCatalog.builtIn();
  const sources = [...readBuiltInSources()];
  for (const file of extraFiles) sources.push(readDefinitionFile(file, sources));
  return new EventCatalog(sources);
}

/**
 * The value of `field` in the record whose first extra word is `words[base]`: a number for widths up to 53
 * bits and a bigint above, so that it is always exact. The caller has looked up the layout, hence all its
 * words are there.
 */
export function readField(words: Uint32Array, base: number, field: FieldDefinition): number | bigint {
  const { offset, width, signed } = field;
  const first = base + (offset >>> 5);
  const bit = offset & 31;
  if (bit + width <= 32) {
    const word = words[first] << (32 - bit - width);
    return signed ? word >> (32 - width) : word >>> (32 - width);
  }
  if (width <= 53) {
    let value = words[first] >>> bit;
    let filled = 32 - bit;
    for (let index = first + 1; filled < width; index++) {
      const take = Math.min(32, width - filled);
      const part = take === 32 ? words[index] : words[index] & ((1 << take) - 1);
      value += part * 2 ** filled;
      filled += take;
    }
    return signed && value >= 2 ** (width - 1) ? value - 2 ** width : value;
  }
  let value = BigInt(words[first] >>> bit);
  let filled = 32 - bit;
  for (let index = first + 1; filled < width; index++) {
    value |= BigInt(words[index]) << BigInt(filled);
    filled += 32;
  }
  return signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
}

/** Where the built-in definitions are: as far up from `src/format` as from `dist/format`. */
const FORMATS_FOLDER = new URL('../../formats/', import.meta.url);

let builtInSources: readonly ClassSource[] | undefined;

/** The files of `formats/`. They are trusted here; the tests put them through the same checks as a user's. */
export function readBuiltInSources(): readonly ClassSource[] {
  builtInSources ??= readdirSync(FORMATS_FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, FORMATS_FOLDER), 'utf8')) as ClassSource);
  return builtInSources;
}

function fieldOf(source: FieldSource): FieldDefinition {
  const { name, offset, width, signed = false, unit, values, none, doc } = source;
  const meanings = values && new Map(Object.entries(values).map(([key, text]) => [Number(key), text]));
  return { name, offset, width, signed, unit, values: meanings, none, doc };
}

function classesOf(events: readonly EventDefinition[], docs: ReadonlyMap<string, string>): ClassDefinition[] {
  const byClass = new Map<string, EventDefinition[]>();
  for (const event of events) {
    const members = byClass.get(event.className);
    if (members) members.push(event);
    else byClass.set(event.className, [event]);
  }
  return [...byClass].map(([name, members]) => {
    return { name, doc: docs.get(name) ?? '', events: members, columns: columnsOf(members) };
  });
}

function columnsOf(events: readonly EventDefinition[]): ColumnDefinition[] {
  const columns = new Map<string, ColumnDefinition>();
  for (const event of events) {
    for (const { fields } of event.layouts) {
      for (const field of fields) {
        const column = columns.get(field.name);
        columns.set(field.name, column ? joinColumn(column, field) : { ...columnOf(field) });
      }
    }
  }
  return [...columns.values()];
}

function columnOf({ name, width, signed, unit, values, doc }: FieldDefinition): ColumnDefinition {
  return { name, width, signed, unit, values, doc };
}

/** The first field's sentence describes the column. */
function joinColumn(column: ColumnDefinition, field: FieldDefinition): ColumnDefinition {
  const values = column.values && field.values ? new Map([...column.values, ...field.values]) : undefined;
  return { ...column, width: Math.max(column.width, field.width), values };
}
