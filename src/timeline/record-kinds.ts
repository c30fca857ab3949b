/**
 * Which records a timeline works on, and which of their fields, by layout: the same record of another Xen release may
 * have its fields elsewhere, and a combination that the catalog does not know is passed over.
 * @module
 */
import type { EventCatalog, FieldDefinition, LayoutDefinition } from '../format/definitions.ts';

/** What a record is to a timeline. The order of magnitude of their frequency is that of their numbers. */
export const KIND = {
  none: 0,
  runstate: 1,
  switch: 2,
  sleep: 3,
  budgetBurn: 4,
  budgetReplenish: 5,
  domAdd: 6,
  domRem: 7,
  lost: 8,
  taskRelease: 9,
  taskStart: 10,
  taskComplete: 11,
  depleted: 12,
  replenished: 13,
  tickle: 14,
  schedule: 15,
  ratelimit: 16,
  boostStart: 17,
  boostEnd: 18,
  credit: 19,
  pick: 20,
} as const;

/** The first kind of those that only tell why a vCPU stands aside for another. */
export const FIRST_KIND_OF_BLAME = KIND.tickle;

/** Values that are read of a record, at most. */
export const VALUES_MAX = 4;

interface KindSpec {
  readonly kind: number;
  readonly events: readonly string[];
  /** Names of the fields that are read, besides `dom` and `vcpu`; each may have other names. */
  readonly values: readonly (readonly string[])[];
}

const SPECS: readonly KindSpec[] = [
  { kind: KIND.switch, events: ['TRC_SCHED_SWITCH', 'TRC_SCHED_SWITCH_3_3'], values: [] },
  { kind: KIND.sleep, events: ['TRC_SCHED_SLEEP', 'TRC_SCHED_SLEEP_3_3'], values: [] },
  {
    kind: KIND.budgetBurn,
    events: ['TRC_RTDS_BUDGET_BURN', 'TRC_RTXEN_BUDGET_BURN'],
    values: [['budget_ns'], ['priority_level']],
  },
  {
    kind: KIND.budgetReplenish,
    events: ['TRC_RTDS_BUDGET_REPLENISH', 'TRC_RTXEN_BUDGET_REPLENISH', 'TRC_RTXEN_BUDGET_RETURN'],
    values: [['budget_ns'], ['priority_level'], ['deadline_ns']],
  },
  { kind: KIND.domAdd, events: ['TRC_SCHED_DOM_ADD', 'TRC_SCHED_DOM_ADD_3_3'], values: [] },
  { kind: KIND.domRem, events: ['TRC_SCHED_DOM_REM'], values: [] },
  { kind: KIND.lost, events: ['TRC_LOST_RECORDS'], values: [['first_tsc']] },
  {
    kind: KIND.taskRelease,
    events: ['TRC_TASK_RELEASE', 'TRC_GUEST_TASK_RELEASE'],
    values: [['task'], ['job'], ['deadline_ns'], ['late_ns']],
  },
  { kind: KIND.taskStart, events: ['TRC_TASK_START', 'TRC_GUEST_TASK_START'], values: [['task'], ['job']] },
  {
    kind: KIND.taskComplete,
    events: ['TRC_TASK_COMPLETE', 'TRC_GUEST_TASK_COMPLETE'],
    values: [['task'], ['job']],
  },
  { kind: KIND.depleted, events: ['TRC_SEDF_WAIT'], values: [['has_extratime']] },
  { kind: KIND.replenished, events: ['TRC_SEDF_PERIOD', 'TRC_SEDF_EXTRA_QUEUE'], values: [] },
  {
    kind: KIND.tickle,
    events: ['TRC_CSCHED_TICKLE', 'TRC_CSCHED2_TICKLE', 'TRC_RTDS_TICKLE'],
    values: [['tickled_pcpu']],
  },
  {
    kind: KIND.schedule,
    events: ['TRC_CSCHED_SCHEDULE', 'TRC_CSCHED2_SCHEDULE', 'TRC_RTDS_SCHEDULE', 'TRC_SNULL_SCHEDULE'],
    values: [],
  },
  { kind: KIND.ratelimit, events: ['TRC_CSCHED_RATELIMIT', 'TRC_CSCHED2_RATELIMIT'], values: [] },
  { kind: KIND.boostStart, events: ['TRC_CSCHED_BOOST_START'], values: [] },
  { kind: KIND.boostEnd, events: ['TRC_CSCHED_BOOST_END'], values: [] },
  {
    kind: KIND.credit,
    events: [
      'TRC_CSCHED2_CREDIT_BURN',
      'TRC_CSCHED2_CREDIT_RESET',
      'TRC_CSCHED2_TICKLE_NEW',
      'TRC_CSCHED2_RUNQ_CANDIDATE',
    ],
    values: [['credit', 'credit_end']],
  },
  { kind: KIND.pick, events: ['TRC_RTDS_RUNQ_PICK'], values: [['deadline_ns']] },
];

/** TRC_SCHED_RUNSTATE_CHANGE is 0x21001, the old state in bits 9..8, the new one in bits 5..4 (Xen's core.c). */
const RUNSTATE_MASK = 0x0ffffccf;
const RUNSTATE_CHANGE = 0x21001;

/** Which scheduler's own record a layout is, see {@link RecordKinds.scheduler}. */
export const SCHEDULER = { none: 0, credit: 1, credit2: 2, other: 3 } as const;
const SCHEDULER_CLASSES: Readonly<Record<string, number>> = {
  credit: SCHEDULER.credit,
  credit2: SCHEDULER.credit2,
  rtds: SCHEDULER.other,
  null_sched: SCHEDULER.other,
  sedf: SCHEDULER.other,
  rtxen: SCHEDULER.other,
};

/** By layout index: what a record is and where its fields are. */
export interface RecordKinds {
  readonly kind: Uint8Array;
  readonly scheduler: Uint8Array;
  /** Word and shift of the 16 bits that hold the domain, and likewise the vCPU; word -1: there is none. */
  readonly domWord: Int8Array;
  readonly domShift: Uint8Array;
  readonly vcpuWord: Int8Array;
  readonly vcpuShift: Uint8Array;
  /** At most {@link VALUES_MAX} each; undefined where a layout lacks the field. */
  readonly values: readonly (readonly (FieldDefinition | undefined)[])[];
}

export function recordKinds(catalog: EventCatalog): RecordKinds {
  const { layouts } = catalog;
  const specs = new Map<string, KindSpec>();
  for (const spec of SPECS) for (const event of spec.events) specs.set(event, spec);
  const fieldOf = (layout: LayoutDefinition | undefined, name: string) =>
    layout?.fields.find((field) => field.name === name);
  const wordOf = (name: string) =>
    Int8Array.from(layouts, (layout) => (fieldOf(layout, name)?.offset ?? -32) >> 5);
  const shiftOf = (name: string) =>
    Uint8Array.from(layouts, (layout) => (fieldOf(layout, name)?.offset ?? 0) & 31);
  return {
    kind: Uint8Array.from(layouts, (layout) => {
      if (layout === undefined) return KIND.none;
      if ((layout.event.id & RUNSTATE_MASK) === RUNSTATE_CHANGE) return KIND.runstate;
      return specs.get(layout.event.name)?.kind ?? KIND.none;
    }),
    scheduler: Uint8Array.from(layouts, (layout) => SCHEDULER_CLASSES[layout?.event.className ?? ''] ?? 0),
    domWord: wordOf('dom'),
    domShift: shiftOf('dom'),
    vcpuWord: wordOf('vcpu'),
    vcpuShift: shiftOf('vcpu'),
    values: layouts.map((layout) => {
      const spec = layout === undefined ? undefined : specs.get(layout.event.name);
      return (spec?.values ?? []).map((names) =>
        names.map((name) => fieldOf(layout, name)).find((field) => field !== undefined),
      );
    }),
  };
}
