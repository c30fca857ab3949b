import {
  type ColumnDefinition,
  type EventCatalog,
  type EventDefinition,
  TRC_TRACE_CPU_CHANGE,
} from '../format/index.ts';
import { RUNSTATE_NAMES, WAIT_CAUSES } from '../timeline/index.ts';
import type { ColumnSpec, TableSpec } from './table-spec.ts';

/** The entry of the `event` dictionary for ids that no definition names; their id is in `event_id`. */
export const UNKNOWN_EVENT = 'unknown';
/** The entry of an enumeration's dictionary for values that its definition does not name. */
export const OTHER_VALUE = 'other';

/** All tables that a trace can give, in the order in which they are listed. */
export function tableSpecs(catalog: EventCatalog): TableSpec[] {
  return [recordsSpec(catalog), ...classSpecs(catalog), ...TIMELINE_SPECS, ...SUMMARY_SPECS];
}

const T_NS: ColumnSpec = {
  name: 't_ns',
  type: 'int64',
  unit: 'ns',
  nullable: true,
  doc: 'When: since the start of the trace. Null where the record carries no time; its row stands where it belongs.',
};
const TSC: ColumnSpec = {
  name: 'tsc',
  type: 'uint64',
  unit: 'tsc',
  nullable: true,
  doc: 'The time stamp counter in the record, exact to 64 bits. Null where the record carries no time.',
};
const PCPU: ColumnSpec = {
  name: 'pcpu',
  type: 'uint16',
  unit: 'pcpu',
  nullable: false,
  doc: 'The physical CPU that recorded it.',
};
const ATTRIBUTION: readonly ColumnSpec[] = [
  {
    name: 'dom',
    type: 'uint16',
    unit: 'dom',
    nullable: true,
    doc: "Domain of the vCPU that the record names, else of the one known to run on the pCPU; 32767 is Xen's idle domain.",
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
    doc: 'The row of this record in the table `records`, from 0: joins the two, and orders records of several classes.',
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

/** TRC_SCHED_RUNSTATE_CHANGE holds both states in its id: old in bits 9..8, new in bits 5..4 (Xen: common/sched/core.c). */
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

/** The name of a field's column in the table of its class; undefined for the fields that `dom` and `vcpu` show. */
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

const VCPU: readonly ColumnSpec[] = [
  {
    name: 'dom',
    type: 'uint16',
    unit: 'dom',
    nullable: false,
    doc: "Domain of the vCPU; 32767 is Xen's idle domain, whose vCPU n is pCPU n's idle loop.",
  },
  {
    name: 'vcpu',
    type: 'uint16',
    unit: 'vcpu',
    nullable: false,
    doc: 'Number of the vCPU within its domain.',
  },
  { name: 'label', type: 'utf8', nullable: false, doc: 'The vCPU as text: `d0v5`, or `d[IDLE]v3`.' },
];

function ns(name: string, doc: string, nullable = false): ColumnSpec {
  return { name, type: 'int64', unit: 'ns', nullable, doc };
}

function pcpu(name: string, doc: string): ColumnSpec {
  return { name, type: 'uint16', unit: 'pcpu', nullable: true, doc };
}

const TIMELINE_SPECS: readonly TableSpec[] = [
  {
    name: 'runstates',
    kind: 'timeline',
    doc: 'What each vCPU did: one row an interval in one runstate, ordered by its end. Together they tile the trace.',
    columns: [
      ...VCPU,
      {
        name: 'state',
        type: 'dictionary',
        nullable: false,
        values: RUNSTATE_NAMES,
        doc: '`unknown`: nobody can tell (start of the trace, lost records). `throttled`: kept back by a budget or a cap.',
      },
      {
        name: 'xen_state',
        type: 'dictionary',
        nullable: false,
        values: RUNSTATE_NAMES,
        doc: "The same by Xen's own records, which call a throttled vCPU runnable or offline.",
      },
      {
        name: 'previous',
        type: 'dictionary',
        nullable: false,
        values: RUNSTATE_NAMES,
        doc: 'The state before this one; `unknown` for the first.',
      },
      ns('start_ns', 'When it began, since the start of the trace.'),
      ns('end_ns', 'When it ended.'),
      ns('dur_ns', 'How long it was: end_ns - start_ns.'),
      pcpu('pcpu', 'Where it ran (state running), else where it had run last. Null where not known.'),
      {
        name: 'start_seen',
        type: 'bool',
        nullable: false,
        doc: 'Whether the trace shows its start; false where it reaches back over the border of what is known.',
      },
      { name: 'end_seen', type: 'bool', nullable: false, doc: 'Whether the trace shows its end.' },
    ],
  },
  {
    name: 'waits',
    kind: 'timeline',
    doc: 'Every completed wait for a pCPU: the time runnable before running, ordered by its end.',
    columns: [
      ...VCPU,
      {
        name: 'cause',
        type: 'dictionary',
        nullable: false,
        values: WAIT_CAUSES,
        doc: 'Why it began: a wake-up, a preemption (or yield), or being let run again after a pause.',
      },
      ns('start_ns', 'When it became runnable, since the start of the trace.'),
      ns('end_ns', 'When it got to run.'),
      ns('wait_ns', 'How long it waited: end_ns - start_ns.'),
      pcpu('from_pcpu', 'Where it had run last. Null where not known.'),
      pcpu('to_pcpu', 'Where it got to run.'),
      {
        name: 'ran_dom',
        type: 'uint16',
        unit: 'dom',
        nullable: true,
        doc: 'Domain of the vCPU that ran longest on to_pcpu meanwhile. Null where none is known.',
      },
      { name: 'ran_vcpu', type: 'uint16', unit: 'vcpu', nullable: true, doc: 'The number of that vCPU.' },
      ns('ran_ns', 'How long that vCPU ran on to_pcpu during the wait.', true),
      ns('throttled_ns', 'The part of the wait in which the vCPU was kept back by its own budget or cap.'),
    ],
  },
  {
    name: 'jobs',
    kind: 'timeline',
    doc: "The guests' jobs: one row for each release of a periodic or sporadic task, from the TRC_TASK_* records.",
    columns: [
      ...VCPU,
      {
        name: 'task',
        type: 'uint32',
        unit: 'task',
        nullable: false,
        doc: 'Number of the task within its domain.',
      },
      {
        name: 'job',
        type: 'uint32',
        unit: 'job',
        nullable: false,
        doc: 'Number of the job within its task, from 0.',
      },
      ns('release_ns', 'When it was released, since the start of the trace.', true),
      ns('start_ns', 'When it first ran. Null where not seen.', true),
      ns('completion_ns', 'When it was complete. Null where that was not seen.', true),
      ns(
        'deadline_ns',
        'By when it had to be complete, since the start of the trace. Null where it has none.',
        true,
      ),
      ns('response_ns', 'From release to completion.', true),
      ns('lateness_ns', 'Completion minus deadline: negative where it was early.', true),
      ns('tardiness_ns', 'Lateness, or 0 where it was early.', true),
      {
        name: 'missed',
        type: 'bool',
        nullable: true,
        doc: 'Whether it was complete more than 1 µs after its deadline (or is late and unfinished). Null where nobody can tell.',
      },
    ],
  },
];

const SUMMARY_SPECS: readonly TableSpec[] = [
  {
    name: 'domains',
    kind: 'summary',
    doc: 'The domains that runstate records name, or whose creation or removal the trace saw.',
    columns: [
      { name: 'dom', type: 'uint16', unit: 'dom', nullable: false, doc: 'Number of the domain.' },
      { name: 'label', type: 'utf8', nullable: false, doc: 'The domain as text: `d1`, or `d[IDLE]`.' },
      {
        name: 'kind',
        type: 'dictionary',
        nullable: false,
        values: ['domain', 'idle', 'system'],
        doc: "`idle` is Xen's idle domain, `system` another of the numbers that Xen keeps for itself (from 32752).",
      },
      {
        name: 'vcpus',
        type: 'uint32',
        unit: 'count',
        nullable: false,
        doc: 'How many of its vCPUs the trace names.',
      },
      ns(
        'created_ns',
        'When the trace saw it created, since the start of the trace. Null where it did not.',
        true,
      ),
      ns('removed_ns', 'When the trace saw it removed. Null where it did not.', true),
      ns('first_seen_ns', 'The first runstate change of one of its vCPUs. Null where there is none.', true),
      ns('last_seen_ns', 'The last one.', true),
    ],
  },
  {
    name: 'lost',
    kind: 'summary',
    doc: 'Where Xen dropped records for want of space in its buffer (TRC_LOST_RECORDS).',
    columns: [
      T_NS,
      PCPU,
      {
        name: 'count',
        type: 'uint32',
        unit: 'count',
        nullable: false,
        doc: 'How many records were dropped.',
      },
      {
        name: 'dom',
        type: 'uint16',
        unit: 'dom',
        nullable: false,
        doc: 'Domain of the vCPU that ran on the pCPU when recording went on.',
      },
      { name: 'vcpu', type: 'uint16', unit: 'vcpu', nullable: false, doc: 'The number of that vCPU.' },
      {
        name: 'first_tsc',
        type: 'uint64',
        unit: 'tsc',
        nullable: false,
        doc: 'The time stamp counter of the first record that was dropped.',
      },
      ns(
        'first_ns',
        'The same since the start of the trace; negative before it, null where it makes no sense.',
        true,
      ),
    ],
  },
  {
    name: 'diagnostics',
    kind: 'summary',
    doc: 'What a reader should know about the trace: damage, losses, unknown records, and what to do about them.',
    columns: [
      {
        name: 'severity',
        type: 'dictionary',
        nullable: false,
        values: ['info', 'data_loss', 'error'],
        doc: 'Nothing is lost; records are missing; the bytes make no sense.',
      },
      {
        name: 'code',
        type: 'dictionary',
        nullable: false,
        doc: 'What it is, for programs: `lost_records`, ...',
      },
      pcpu('pcpu', 'The pCPU concerned. Null where it belongs to none.'),
      {
        name: 'offset',
        type: 'int64',
        unit: 'bytes',
        nullable: true,
        doc: 'Where in the (decompressed) trace.',
      },
      {
        name: 'bytes',
        type: 'int64',
        unit: 'bytes',
        nullable: false,
        doc: 'How many bytes could not be read.',
      },
      {
        name: 'count',
        type: 'int64',
        unit: 'count',
        nullable: false,
        doc: 'How often, where equal ones are one row.',
      },
      ns('t_ns', 'When, since the start of the trace. Null where no time is known.', true),
      { name: 'message', type: 'utf8', nullable: false, doc: 'What is the matter, in a sentence.' },
      { name: 'advice', type: 'utf8', nullable: false, doc: 'What to do about it.' },
    ],
  },
  {
    name: 'meta',
    kind: 'summary',
    doc: 'Where the tables come from and how far to trust their times. Those known at the start are in every file’s schema.',
    columns: [
      { name: 'key', type: 'utf8', nullable: false, doc: 'The name.' },
      { name: 'value', type: 'utf8', nullable: false, doc: 'The value, as text.' },
    ],
  },
];
