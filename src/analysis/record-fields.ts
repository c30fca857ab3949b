import type { EventCatalog } from '../format/index.ts';

/**
 * Finds fields in records of a few events quickly, whatever the layout: one look into a table says whether a record
 * is of any interest. Fields are whole words or lie within one.
 */
export class RecordFields {
  /** By layout: 1 + index of its event among those asked for, 0: another event, or one that lacks a field. */
  readonly kinds: Uint8Array;
  /** By layout, {@link SLOTS} each: where the fields begin, in bits. */
  readonly #offsets: Int32Array;

  /**
   * @param events name of an event -> names of at most {@link SLOTS} fields, `name?` if a record may lack it; records
   *   of older Xen count too
   */
  constructor(catalog: EventCatalog, events: Readonly<Record<string, readonly string[]>>) {
    const { layouts } = catalog;
    this.kinds = new Uint8Array(layouts.length);
    this.#offsets = new Int32Array(layouts.length * SLOTS);
    const names = Object.keys(events);
    for (const [index, layout] of layouts.entries()) {
      if (layout === undefined) continue;
      // formats/older has definitions such as TRC_CSCHED2_CREDIT_BURN_4_2.
      const kind = names.indexOf(layout.event.name.replace(/_\d+_\d+$/, ''));
      if (kind < 0) continue;
      const wanted = events[names[kind]];
      const offsets = wanted.map((name) => {
        return layout.fields.find((field) => field.name === name.replace('?', ''))?.offset ?? ABSENT;
      });
      if (offsets.some((offset, slot) => offset === ABSENT && !wanted[slot].endsWith('?'))) continue;
      this.kinds[index] = kind + 1;
      this.#offsets.set(offsets, index * SLOTS);
    }
  }

  /** Whether records of a layout have the field `slot` of their event, one that they may lack. */
  has(layout: number, slot: number): boolean {
    return this.#offsets[layout * SLOTS + slot] !== ABSENT;
  }

  /** The word in which a field begins, with the field's lowest bit at its own. `base` is the record's first word. */
  word(words: Uint32Array, base: number, layout: number, slot: number): number {
    const offset = this.#offsets[layout * SLOTS + slot];
    return words[base + (offset >>> 5)] >>> (offset & 31);
  }

  /** A 64-bit field that begins a word, as a number: exact up to 2^53. */
  wide(words: Uint32Array, base: number, layout: number, slot: number): number {
    const at = base + (this.#offsets[layout * SLOTS + slot] >>> 5);
    return words[at] + (words[at + 1] | 0) * TWO_TO_32;
  }
}

const SLOTS = 5;
const ABSENT = -1;
const TWO_TO_32 = 2 ** 32;
