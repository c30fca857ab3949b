import type { RecordBatch } from '../decoder/index.ts';
import type { EventCatalog, FieldDefinition, LayoutDefinition } from '../format/index.ts';
import { type ColumnBuffer, clearBit, setBit, setRange } from './column-buffer.ts';
import { fieldColumnName, isRunstateChange, OTHER_VALUE } from './table-specs.ts';
import type { TableWriter } from './table-writer.ts';
import { DOM_KNOWN, VCPU_KNOWN, type VcpuAttribution } from './vcpu-attribution.ts';

/** Records that are sorted by layout at a time: few enough that a wide class's buffers stay small. */
export const SLICE_ROWS = 16_384;

const NO_CLASS = 0xffff;
const MOSTLY_THERE = ['t_ns', 'tsc', 'dom', 'vcpu'];

/**
 * Fills and writes the tables of the event classes.
 *
 * The rows of a slice of a batch are first sorted by layout (a counting sort; each row keeps its place in its
 * table). Then every field of every layout is copied in a loop of its own, over rows that all have it at the
 * same place, which is several times as fast as asking each record what it is.
 */
export class ClassTables {
  readonly #catalog: EventCatalog;
  readonly #open: (name: string) => TableWriter | undefined;
  /** By layout: index of its class. */
  readonly #classOf: Uint16Array;
  readonly #tableNames: readonly string[];
  readonly #writers: (TableWriter | undefined)[] = [];
  readonly #plans: (LayoutPlan | undefined)[] = [];
  readonly #counts: Int32Array;
  readonly #used: number[] = [];
  readonly #sources = new Int32Array(SLICE_ROWS);
  readonly #targets = new Int32Array(SLICE_ROWS);
  readonly #next: Int32Array;
  readonly #classRows: Int32Array;
  #recordIndex = 0;

  /**
   * @param open makes the writer of a class the first time that it is needed; undefined: this class is not
   * wanted.
   */
  constructor(catalog: EventCatalog, open: (name: string) => TableWriter | undefined) {
    const names = catalog.classes.map(({ name }) => name);
    this.#catalog = catalog;
    this.#open = open;
    this.#tableNames = names;
    this.#classOf = Uint16Array.from(catalog.layouts, (layout) => {
      return layout ? names.indexOf(layout.event.className) : NO_CLASS;
    });
    this.#counts = new Int32Array(catalog.layouts.length);
    this.#next = new Int32Array(catalog.layouts.length);
    this.#classRows = new Int32Array(names.length);
  }

  /** Takes the batch's records; when this returns, the batch may be reused. */
  push(batch: RecordBatch, attribution: VcpuAttribution): void {
    for (let first = 0; first < batch.count; first += SLICE_ROWS) {
      const end = Math.min(first + SLICE_ROWS, batch.count);
      this.#sort(batch.layout, first, end);
      let at = 0;
      for (const layout of this.#used) {
        const rows = {
          sources: this.#sources,
          targets: this.#targets,
          first: at,
          end: at + this.#counts[layout],
        };
        at = rows.end;
        const plan = this.#planOf(layout);
        if (plan) copyLayout(plan, batch, attribution, rows, this.#recordIndex);
      }
      for (const layout of this.#used) this.#counts[layout] = 0;
    }
    this.#recordIndex += batch.count;
  }

  /** Sorts the rows of a slice by layout, makes room in the tables and gives each row its place there. */
  #sort(layout: Uint16Array, first: number, end: number): void {
    const counts = this.#counts;
    const used = this.#used;
    used.length = 0;
    for (let row = first; row < end; row++) {
      if (counts[layout[row]]++ === 0) used.push(layout[row]);
    }
    this.#makeRoom();
    const next = this.#next;
    let at = 0;
    for (const index of used) {
      next[index] = at;
      at += counts[index];
    }
    const classOf = this.#classOf;
    const classRows = this.#classRows;
    const sources = this.#sources;
    const targets = this.#targets;
    for (let row = first; row < end; row++) {
      const index = layout[row];
      const slot = next[index]++;
      sources[slot] = row;
      if (index !== 0) targets[slot] = classRows[classOf[index]]++;
    }
  }

  #makeRoom(): void {
    this.#classRows.fill(0);
    for (const index of this.#used)
      if (index !== 0) this.#classRows[this.#classOf[index]] += this.#counts[index];
    for (const [index, name] of this.#tableNames.entries()) {
      const more = this.#classRows[index];
      if (more === 0) continue;
      if (!(index in this.#writers)) this.#writers[index] = this.#open(name);
      const writer = this.#writers[index];
      if (!writer) continue;
      if (writer.rows + more > writer.rowsMax) writer.flush();
      this.#classRows[index] = writer.rows;
      writer.rows += more;
      // Most records have a time and a vCPU: the copy loops clear the bits of those that have not.
      for (const name of MOSTLY_THERE)
        setRange(writer.column(name).validity, writer.rows - more, writer.rows);
    }
  }

  #planOf(layout: number): LayoutPlan | undefined {
    if (layout === 0) return undefined;
    if (!(layout in this.#plans)) {
      const writer = this.#writers[this.#classOf[layout]];
      const definition = this.#catalog.layouts[layout] as LayoutDefinition;
      this.#plans[layout] = writer && planLayout(definition, writer);
    }
    return this.#plans[layout];
  }
}

/** Rows `first` up to `end`: record `sources[i]` of the batch goes to row `targets[i]` of the table. */
interface Rows {
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  readonly first: number;
  readonly end: number;
}

/** How the records of one layout become rows. */
interface LayoutPlan {
  readonly common: {
    readonly index: ColumnBuffer;
    readonly time: ColumnBuffer;
    readonly tsc: ColumnBuffer;
    readonly pcpu: ColumnBuffer;
    readonly dom: ColumnBuffer;
    readonly vcpu: ColumnBuffer;
  };
  /** Columns that hold the same for every record of the layout. */
  readonly constants: readonly { readonly column: ColumnBuffer; readonly value: number }[];
  readonly fields: readonly FieldPlan[];
}

interface FieldPlan {
  readonly column: ColumnBuffer;
  readonly field: FieldDefinition;
  /** For enumerations: the entry of each value, and of all others. */
  readonly entries: ReadonlyMap<number, number> | undefined;
  readonly otherEntry: number;
}

function planLayout(layout: LayoutDefinition, writer: TableWriter): LayoutPlan {
  const { id, name } = layout.event;
  const constants = [{ column: writer.column('event'), value: entryOf(writer.column('event'), name) }];
  if (isRunstateChange(id)) {
    constants.push({ column: writer.column('runstate_from'), value: (id >>> 8) & 3 });
    constants.push({ column: writer.column('runstate_to'), value: (id >>> 4) & 3 });
  }
  const fields: FieldPlan[] = [];
  for (const field of layout.fields) {
    const columnName = fieldColumnName(field.name);
    if (columnName === undefined) continue;
    const column = writer.column(columnName);
    const enumeration = column.spec.type === 'dictionary';
    const named = [...(field.values ?? [])].map(([value, text]) => [value, entryOf(column, text)] as const);
    const otherEntry = enumeration ? entryOf(column, OTHER_VALUE) : 0;
    fields.push({ column, field, entries: enumeration ? new Map(named) : undefined, otherEntry });
  }
  const common = {
    index: writer.column('record_index'),
    time: writer.column('t_ns'),
    tsc: writer.column('tsc'),
    pcpu: writer.column('pcpu'),
    dom: writer.column('dom'),
    vcpu: writer.column('vcpu'),
  };
  return { common, constants, fields };
}

function entryOf(column: ColumnBuffer, text: string): number {
  return (column.spec.values as readonly string[]).indexOf(text);
}

function copyLayout(
  plan: LayoutPlan,
  batch: RecordBatch,
  attribution: VcpuAttribution,
  rows: Rows,
  recordIndex: number,
): void {
  copyTimes(plan, batch, rows);
  copyCommon(plan, batch, attribution, rows, recordIndex);
  for (const { column, value } of plan.constants) fillConstant(column, value, rows);
  for (const field of plan.fields) copyField(field, batch, rows);
}

function copyTimes({ common: { time, tsc } }: LayoutPlan, batch: RecordBatch, rows: Rows): void {
  const { sources, targets, first, end } = rows;
  const { hasTsc, tNs, tscLow, tscHigh } = batch;
  const timeWords = time.values as Uint32Array;
  const tscWords = tsc.values as Uint32Array;
  const timeBits = time.validity;
  const tscBits = tsc.validity;
  for (let slot = first; slot < end; slot++) {
    const row = sources[slot];
    const target = targets[slot];
    if (hasTsc[row] === 0) {
      clearBit(timeBits, target);
      clearBit(tscBits, target);
      continue;
    }
    const pair = target << 1;
    const at = tNs[row];
    timeWords[pair] = at;
    timeWords[pair + 1] = Math.floor(at * 2 ** -32);
    tscWords[pair] = tscLow[row];
    tscWords[pair + 1] = tscHigh[row];
  }
}

function copyCommon(
  { common }: LayoutPlan,
  batch: RecordBatch,
  attribution: VcpuAttribution,
  { sources, targets, first, end }: Rows,
  recordIndex: number,
): void {
  const index = common.index.values as Uint32Array;
  const pcpu = common.pcpu.values as Uint16Array;
  const dom = common.dom.values as Uint16Array;
  const vcpu = common.vcpu.values as Uint16Array;
  const domBits = common.dom.validity;
  const vcpuBits = common.vcpu.validity;
  for (let slot = first; slot < end; slot++) {
    const row = sources[slot];
    const target = targets[slot];
    const number = recordIndex + row;
    index[target << 1] = number;
    index[(target << 1) + 1] = number * 2 ** -32;
    pcpu[target] = batch.pcpu[row];
    const known = attribution.known[row];
    dom[target] = attribution.dom[row];
    vcpu[target] = attribution.vcpu[row];
    if ((known & DOM_KNOWN) === 0) clearBit(domBits, target);
    if ((known & VCPU_KNOWN) === 0) clearBit(vcpuBits, target);
  }
}

function fillConstant({ spec, values, validity }: ColumnBuffer, value: number, rows: Rows): void {
  const { targets, first, end } = rows;
  for (let slot = first; slot < end; slot++) values[targets[slot]] = value;
  if (spec.nullable) setBits(validity, rows);
}

/** One field of one layout, into its column. */
function copyField(plan: FieldPlan, batch: RecordBatch, rows: Rows): void {
  const { column, field } = plan;
  setBits(column.validity, rows);
  if (field.width > 32) copyWide(column, field, batch, rows);
  else {
    const values = narrowValues(field, batch, rows);
    if (plan.entries) putEntries(plan, values, rows);
    else if (column.spec.type === 'bool') putBools(column.values as Uint8Array, values, rows);
    else if (column.spec.type === 'int64' || column.spec.type === 'uint64')
      putWide(column, values, field.signed, rows);
    else putNarrow(column.values as Uint32Array, values, rows);
    if (field.none !== undefined) clearNone(column.validity, values, field.none | 0, rows);
  }
}

function clearNone(
  validity: Uint8Array,
  values: Int32Array,
  none: number,
  { targets, first, end }: Rows,
): void {
  for (let slot = first; slot < end; slot++) {
    if (values[slot] === none) clearBit(validity, targets[slot]);
  }
}

/** Scratch for one field of a slice, as int32 (unsigned fields of 32 bits keep their bits). */
const scratch = new Int32Array(SLICE_ROWS);

function narrowValues(
  { offset, width, signed }: FieldDefinition,
  batch: RecordBatch,
  rows: Rows,
): Int32Array {
  const { sources, first, end } = rows;
  const { words, wordsOffset } = batch;
  const word = offset >>> 5;
  const bit = offset & 31;
  const unused = 32 - width;
  if (bit + width <= 32) {
    const left = unused - bit;
    for (let slot = first; slot < end; slot++) {
      const value = words[wordsOffset[sources[slot]] + word] << left;
      scratch[slot] = signed ? value >> unused : value >>> unused;
    }
    return scratch;
  }
  for (let slot = first; slot < end; slot++) {
    const at = wordsOffset[sources[slot]] + word;
    const value = ((words[at] >>> bit) | (words[at + 1] << (32 - bit))) << unused;
    scratch[slot] = signed ? value >> unused : value >>> unused;
  }
  return scratch;
}

function copyWide(column: ColumnBuffer, field: FieldDefinition, batch: RecordBatch, rows: Rows): void {
  const { offset, width, signed } = field;
  const { sources, targets, first, end } = rows;
  const { words, wordsOffset } = batch;
  const pairs = column.values as Uint32Array;
  const word = offset >>> 5;
  const bit = offset & 31;
  const unused = 64 - width;
  for (let slot = first; slot < end; slot++) {
    const at = wordsOffset[sources[slot]] + word;
    let low = words[at];
    let high = words[at + 1];
    if (bit !== 0) {
      low = (low >>> bit) | (high << (32 - bit));
      high = (high >>> bit) | (bit + width > 64 ? words[at + 2] << (32 - bit) : 0);
    }
    high = signed ? (high << unused) >> unused : (high << unused) >>> unused;
    pairs[targets[slot] << 1] = low;
    pairs[(targets[slot] << 1) + 1] = high;
  }
}

function putNarrow(
  column: Uint32Array | Int32Array | Uint16Array | Uint8Array,
  values: Int32Array,
  rows: Rows,
): void {
  const { targets, first, end } = rows;
  for (let slot = first; slot < end; slot++) column[targets[slot]] = values[slot];
}

function putWide(column: ColumnBuffer, values: Int32Array, signed: boolean, rows: Rows): void {
  const { targets, first, end } = rows;
  const pairs = column.values as Uint32Array;
  for (let slot = first; slot < end; slot++) {
    pairs[targets[slot] << 1] = values[slot];
    pairs[(targets[slot] << 1) + 1] = signed ? values[slot] >> 31 : 0;
  }
}

function putBools(bits: Uint8Array, values: Int32Array, rows: Rows): void {
  const { targets, first, end } = rows;
  for (let slot = first; slot < end; slot++) {
    if (values[slot] !== 0) setBit(bits, targets[slot]);
  }
}

function putEntries({ column, field, entries, otherEntry }: FieldPlan, values: Int32Array, rows: Rows): void {
  const { targets, first, end } = rows;
  for (let slot = first; slot < end; slot++) {
    const value = field.signed ? values[slot] : values[slot] >>> 0;
    column.values[targets[slot]] = entries?.get(value) ?? otherEntry;
  }
}

function setBits(bitmap: Uint8Array, { targets, first, end }: Rows): void {
  for (let slot = first; slot < end; slot++) setBit(bitmap, targets[slot]);
}
