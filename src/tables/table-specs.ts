import {
  type ColumnDefinition,
  type EventCatalog,
  type EventDefinition,
  TRC_TRACE_CPU_CHANGE,
} from '../format/index.ts';
import { RUNSTATE_NAMES } from '../timeline/index.ts';
import { PCPU, T_NS, TSC } from './common-columns.ts';
import { SUMMARY_SPECS } from './summary-specs.ts';
import type { ColumnSpec, TableSpec } from './table-spec.ts';
import { TIMELINE_SPECS } from './timeline-specs.ts';

/** The entry of the `event` dictionary for ids that no definition names; their id is in `event_id`. */
export const UNKNOWN_EVENT = 'unknown';
/** The entry of an enumeration's dictionary for values that its definition does not name. */
export const OTHER_VALUE = 'other';

/** All tables that a trace can give, in the order in which they are listed. */
export function tableSpecs(catalog: EventCatalog): TableSpec[] {
  return [recordsSpec(catalog), ...classSpecs(catalog), ...TIMELINE_SPECS, ...SUMMARY_SPECS];
}

const ATTRIBUTION: readonly ColumnSpec[] = [
  {
    name: 'dom',
    type: 'uint16',
    unit: 'dom',
    nullable: true,
    doc: 'Domain of the vCPU that the record names, else of the one that runs on the pCPU; 32767 is idle.',
  },
  {
    name: 'vcpu',
    type: 'uint16',
    unit: 'vcpu',
    nullable: true,
    doc: 'Number of that vCPU within its domain. Null where neither the record nor those before it tell.',
  },
];

function recordsSpec(catalog: EventCatalog): TableSpec {
  const values = [UNKNOWN_EVENT, ...catalog.events.map(({ name }) => name)];
  return {
    name: 'records',
    kind: 'records',
    doc: 'Every record of the trace, in time order across pCPUs. Window headers are not records.',
    columns: [
      T_NS,
      TSC,
      PCPU,
      {
        name: 'event',
        type: 'dictionary',
        nullable: false,
        values,
        doc: "Xen's name of the event, or `unknown`.",
      },
      { name: 'event_id', type: 'uint32', nullable: false, doc: "Xen's number of the event, 28 bits." },
      ...ATTRIBUTION,
      {
        name: 'words',
        type: 'list<uint32>',
        nullable: false,
        doc: 'The extra words as they are in the record: 0 to 7.',
      },
    ],
  };
}

const RUNSTATES = RUNSTATE_NAMES.slice(0, 4);

/** Columns that every class table starts with; a field of the same name is in a column `field_NAME`. */
const CLASS_COLUMNS: readonly ColumnSpec[] = [
  {
    name: 'record_index',
    type: 'int64',
    nullable: false,
    doc: 'The row of this record in `records`, from 0: joins the two, and orders records of several classes.',
  },
  T_NS,
  TSC,
  PCPU,
];

function classSpecs(catalog: EventCatalog): TableSpec[] {
  return catalog.classes.map(({ name, doc, events, columns }) => {
    const rows = events.filter(isRow);
    const used = new Set(
      rows.flatMap((event) => event.layouts.flatMap(({ fields }) => fields.map((f) => f.name))),
    );
    return {
      name,
      kind: 'class',
      doc,
      columns: [
        ...CLASS_COLUMNS,
        {
          name: 'event',
          type: 'dictionary',
          nullable: false,
          values: rows.map((event) => event.name),
          doc: "Xen's name of the event.",
        },
        ...ATTRIBUTION,
        ...(rows.some(({ id }) => isRunstateChange(id)) ? RUNSTATE_COLUMNS : []),
        ...columns.filter((column) => used.has(column.name)).flatMap(fieldColumn),
      ],
    };
  });
}

/** Window headers frame records and are none themselves. */
function isRow({ id }: EventDefinition): boolean {
  return id !== TRC_TRACE_CPU_CHANGE;
}

/**
 * TRC_SCHED_RUNSTATE_CHANGE holds both states in its id: old in bits 9..8, new in bits 5..4 (Xen:
 * common/sched/core.c).
 */
export function isRunstateChange(id: number): boolean {
  return (id & ~0x330) === 0x21001;
}

const RUNSTATE_COLUMNS: readonly ColumnSpec[] = [
  {
    name: 'runstate_from',
    type: 'dictionary',
    nullable: true,
    values: RUNSTATES,
    doc: "The vCPU's runstate before a runstate change.",
  },
  {
    name: 'runstate_to',
    type: 'dictionary',
    nullable: true,
    values: RUNSTATES,
    doc: "The vCPU's runstate after a runstate change.",
  },
];

/**
 * The name of a field's column in the table of its class; undefined for the fields that `dom` and `vcpu`
 * show.
 */
export function fieldColumnName(field: string): string | undefined {
  if (field === 'dom' || field === 'vcpu') return undefined;
  return TAKEN.has(field) ? `field_${field}` : field;
}

const TAKEN = new Set([...CLASS_COLUMNS, ...RUNSTATE_COLUMNS].map(({ name }) => name).concat('event'));

function fieldColumn(column: ColumnDefinition): ColumnSpec[] {
  const { width, signed, unit, values, doc } = column;
  const name = fieldColumnName(column.name);
  if (name === undefined) return [];
  const base = { name, unit, nullable: true, doc };
  if (values)
    return [{ ...base, type: 'dictionary', values: [...new Set([...values.values(), OTHER_VALUE])] }];
  if (unit === 'bool') return [{ ...base, unit: undefined, type: 'bool' }];
  if (unit === 'ns') return [{ ...base, type: 'int64' }];
  if (width > 32) return [{ ...base, type: signed ? 'int64' : 'uint64' }];
  if (signed) return [{ ...base, type: 'int32' }];
  return [{ ...base, type: width > 16 ? 'uint32' : width > 8 ? 'uint16' : 'uint8' }];
}
