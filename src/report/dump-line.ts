/**
 * One line a record: for people, or a JSON object for programs.
 *
 *         0.000013720  p0   d1v0   TRC_SCHED_SWITCH_INFPREV  run_ns=30000000
 *
 * Time is in seconds since the start of the trace, exact to the nanosecond. A record of unknown layout shows its event
 * id with its number of words, `0x0002f123/3`, and its raw words; so do words beyond what a layout names.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import {
  type EventCatalog,
  type FieldDefinition,
  type LayoutDefinition,
  readField,
} from '../format/definitions.ts';
import { domLabel, vcpuLabel } from '../timeline/vcpu-label.ts';

/** How to show one layout's fields, worked out once. */
interface LayoutPlan {
  readonly name: string;
  /** `dom` and `vcpu`: whom the record is about. */
  readonly dom: FieldDefinition | undefined;
  readonly vcpu: FieldDefinition | undefined;
  readonly shown: readonly ShownField[];
  /** Every field, for JSON, by the name that it has there. */
  readonly fields: readonly (readonly [string, FieldDefinition])[];
}

interface ShownField {
  readonly label: string;
  readonly field: FieldDefinition;
  /** `prev_vcpu` beside `prev_dom`: shown together as `prev=d1v0`. */
  readonly vcpu: FieldDefinition | undefined;
}

/** What every JSON object has: a field of such a name is `field_NAME`, as in the tables. */
const TAKEN = new Set(['t_ns', 'tsc', 'pcpu', 'event', 'words']);
const NAME_WIDTH = 30;
const NS_PER_S = 1_000_000_000;

/** Turns records into lines, each with its line end. */
export class DumpFormatter {
  readonly #plans: readonly (LayoutPlan | undefined)[];

  constructor(catalog: EventCatalog) {
    this.#plans = catalog.layouts.map((layout) => (layout === undefined ? undefined : planOf(layout)));
  }

  /** A line for people. */
  textLine(batch: RecordBatch, row: number): string {
    const plan = this.#plans[batch.layout[row]];
    const at = batch.wordsOffset[row];
    const end = batch.wordsOffset[row + 1];
    const { words } = batch;
    let line = `${formatSeconds(batch.tNs[row])}  p${batch.pcpu[row]}`.padEnd(25);
    if (plan === undefined) {
      return `${line}${' '.repeat(12)}${unknownName(batch.event[row], end - at)}${rawWords(words, at, end)}\n`;
    }
    line += whom(plan, words, at).padEnd(12);
    line += plan.shown.length > 0 ? plan.name.padEnd(NAME_WIDTH) : plan.name;
    for (const { label, field, vcpu } of plan.shown) {
      line += ` ${label}=${vcpu === undefined ? fieldText(words, at, field) : vcpuOf(words, at, field, vcpu)}`;
    }
    return `${line}\n`;
  }

  /**
   * A JSON object: `t_ns`, `tsc` (a string of digits, null where the record has none), `pcpu`, `event`, then the fields
   * by name (64-bit ones as strings of digits), and `words`, the raw extra words, where the layout is not known.
   */
  jsonLine(batch: RecordBatch, row: number): string {
    const plan = this.#plans[batch.layout[row]];
    const at = batch.wordsOffset[row];
    const end = batch.wordsOffset[row + 1];
    const tsc = batch.hasTsc[row] ? `"${tscOf(batch, row)}"` : 'null';
    const name = plan === undefined ? unknownName(batch.event[row], end - at) : plan.name;
    let line = `{"t_ns":${batch.tNs[row]},"tsc":${tsc},"pcpu":${batch.pcpu[row]},"event":"${name}"`;
    if (plan === undefined) line += `,"words":[${batch.words.subarray(at, end).join(',')}]`;
    else for (const [key, field] of plan.fields) line += `,"${key}":${fieldJson(batch.words, at, field)}`;
    return `${line}}\n`;
  }
}

/** Nanoseconds as seconds with nine decimals, in 16 columns. */
export function formatSeconds(ns: number): string {
  const seconds = Math.floor(ns / NS_PER_S);
  const rest = ns - seconds * NS_PER_S;
  return `${String(seconds).padStart(6)}.${String(rest).padStart(9, '0')}`;
}

function planOf(layout: LayoutDefinition): LayoutPlan {
  const byName = new Map(layout.fields.map((field) => [field.name, field]));
  const dom = byName.get('dom');
  const vcpu = byName.get('vcpu');
  const shown = layout.fields.flatMap((field): ShownField[] => {
    if (field === dom || field === vcpu) return [];
    if (field.name.endsWith('_vcpu') && byName.has(field.name.replace(/vcpu$/, 'dom'))) return [];
    const pair = field.name.endsWith('_dom') ? byName.get(field.name.replace(/dom$/, 'vcpu')) : undefined;
    return [{ label: pair === undefined ? field.name : field.name.slice(0, -4), field, vcpu: pair }];
  });
  const fields = layout.fields.map(
    (field) => [TAKEN.has(field.name) ? `field_${field.name}` : field.name, field] as const,
  );
  return { name: layout.event.name, dom, vcpu, shown, fields };
}

function whom({ dom, vcpu }: LayoutPlan, words: Uint32Array, at: number): string {
  if (dom !== undefined && vcpu !== undefined) return vcpuOf(words, at, dom, vcpu);
  return dom === undefined ? '' : domLabel(Number(readField(words, at, dom)));
}

function vcpuOf(words: Uint32Array, at: number, dom: FieldDefinition, vcpu: FieldDefinition): string {
  return vcpuLabel(Number(readField(words, at, dom)), Number(readField(words, at, vcpu)));
}

function fieldText(words: Uint32Array, at: number, field: FieldDefinition): string {
  const value = readField(words, at, field);
  if (value === field.none) return 'none';
  const name = typeof value === 'number' ? field.values?.get(value) : undefined;
  if (name !== undefined) return name;
  return field.unit === 'hex' || field.unit === 'address' ? `0x${value.toString(16)}` : String(value);
}

function fieldJson(words: Uint32Array, at: number, field: FieldDefinition): string {
  const value = readField(words, at, field);
  if (value === field.none) return 'null';
  const name = typeof value === 'number' ? field.values?.get(value) : undefined;
  if (name !== undefined) return `"${name}"`;
  return field.width > 53 ? `"${value}"` : String(value);
}

function unknownName(event: number, words: number): string {
  return `0x${event.toString(16).padStart(8, '0')}/${words}`;
}

function rawWords(words: Uint32Array, at: number, end: number): string {
  let text = '';
  for (let index = at; index < end; index++) text += ` 0x${words[index].toString(16).padStart(8, '0')}`;
  return text;
}

function tscOf(batch: RecordBatch, row: number): string {
  const high = batch.tscHigh[row];
  const low = batch.tscLow[row];
  return high < 0x20_0000 ? String(high * 2 ** 32 + low) : String((BigInt(high) << 32n) | BigInt(low));
}
