/**
 * Which records concern the scheduler pass, and where their fields are: tables by layout index, so that a
 * record costs one look-up. A kind stands for all of an event's names and layouts, of any version of Xen.
 * @module
 */
import type { EventCatalog, FieldDefinition, LayoutDefinition } from '../format/index.ts';

export const NO_KIND = 0;
/** The scheduler is asked for a decision: by scheduler, in the order of {@link SCHEDULERS}. */
export const SCHEDULE_CREDIT = 1;
export const SCHEDULE_CREDIT2 = 2;
export const SCHEDULE_RTDS = 3;
export const SCHEDULE_NULL = 4;
/** What became of a decision. */
export const INFPREV = 5;
export const INFNEXT = 6;
export const SWITCH = 7;
export const LEAVE_RUNNABLE = 8;
export const LEAVE_BLOCKED = 9;
export const LEAVE_OFFLINE = 10;
export const ENTER = 11;
export const INFCONT = 12;
export const CONTINUE = 13;
/** What may have led to it. */
export const TICKLE_CREDIT = 14;
export const TICKLE_CREDIT2 = 15;
export const TICKLE_RTDS = 16;
export const BLOCK = 17;
export const YIELD = 18;
export const SLEEP = 19;
export const WOKEN = 20;
export const LOST = 21;
/** Why a vCPU moves. */
export const STOLEN = 22;
export const PICKED_CREDIT = 23;
export const PICKED_CREDIT2 = 24;
export const PICKED_NULL = 25;
export const MOVED_CREDIT2 = 26;
/** Counted, and no more. */
export const BOOST_START = 27;
export const BOOST_END = 28;
export const STEAL_CHECK = 29;
export const RATELIMIT_CREDIT = 30;
export const RATELIMIT_CREDIT2 = 31;
export const ACCOUNT_START = 32;
export const ACCOUNT_STOP = 33;
export const LOAD_BALANCE = 34;
export const ASSIGN = 35;
export const DEASSIGN = 36;
/** From here on they carry numbers that are shown over time. */
export const CREDIT_RESET = 37;
export const CREDIT_BURN = 38;
export const CREDIT_SEEN = 39;
export const RUNQUEUE_LOAD = 40;
export const RTDS_BURN = 41;
export const REPLENISH = 42;
export const KINDS = 43;
export const FIRST_WITH_NUMBERS = CREDIT_RESET;

/** Who makes a kind of record: the core, by its two event classes, or one of the schedulers that make any. */
export const CORE_MIN = 0;
export const CORE_VERBOSE = 1;
export const CREDIT = 2;
export const CREDIT2 = 3;
export const RTDS = 4;
export const NULL_SCHEDULER = 5;
export const MAKERS = 6;
export const SCHEDULERS = ['credit', 'credit2', 'rtds', 'null'] as const;

interface KindDefinition {
  readonly kind: number;
  readonly maker: number;
  /** Xen's names, without their common beginning {@link PREFIXES} of the maker. */
  readonly names: readonly string[];
  /** Names its vCPU. */
  readonly vcpu?: boolean;
  /** A number that it carries; the record is of no use without. */
  readonly value?: string;
}

const PREFIXES = ['TRC_SCHED_', 'TRC_SCHED_', 'TRC_CSCHED_', 'TRC_CSCHED2_', 'TRC_RTDS_', 'TRC_SNULL_'];
const RUNSTATE = 'RUNSTATE_CHANGE_';
/** Event ids until 3.3, and credit2's until 4.2, were others; so are the names that formats/ gives them. */
const OTHER_IDS = ['', '_3_3', '_4_2'];

const DEFINITIONS: readonly KindDefinition[] = [
  { kind: SCHEDULE_CREDIT, maker: CREDIT, names: ['SCHEDULE'] },
  { kind: SCHEDULE_CREDIT2, maker: CREDIT2, names: ['SCHEDULE'], value: 'tickled' },
  { kind: SCHEDULE_RTDS, maker: RTDS, names: ['SCHEDULE'], value: 'tickled' },
  { kind: SCHEDULE_NULL, maker: NULL_SCHEDULER, names: ['SCHEDULE'] },
  { kind: INFPREV, maker: CORE_VERBOSE, names: ['SWITCH_INFPREV'] },
  { kind: INFNEXT, maker: CORE_VERBOSE, names: ['SWITCH_INFNEXT'], value: 'slice_ns' },
  { kind: SWITCH, maker: CORE_VERBOSE, names: ['SWITCH'], value: 'prev_dom' },
  { kind: LEAVE_RUNNABLE, maker: CORE_MIN, names: [`${RUNSTATE}running_runnable`], vcpu: true },
  { kind: LEAVE_BLOCKED, maker: CORE_MIN, names: [`${RUNSTATE}running_blocked`], vcpu: true },
  { kind: LEAVE_OFFLINE, maker: CORE_MIN, names: [`${RUNSTATE}running_offline`], vcpu: true },
  {
    kind: ENTER,
    maker: CORE_MIN,
    names: ['runnable', 'blocked', 'offline'].map((from) => `${RUNSTATE}${from}_running`),
    vcpu: true,
  },
  { kind: INFCONT, maker: CORE_VERBOSE, names: ['SWITCH_INFCONT'], value: 'slice_ns' },
  { kind: CONTINUE, maker: CORE_MIN, names: ['CONTINUE_RUNNING'] },
  { kind: TICKLE_CREDIT, maker: CREDIT, names: ['TICKLE'], value: 'tickled_pcpu' },
  { kind: TICKLE_CREDIT2, maker: CREDIT2, names: ['TICKLE'], value: 'tickled_pcpu' },
  { kind: TICKLE_RTDS, maker: RTDS, names: ['TICKLE'], value: 'tickled_pcpu' },
  { kind: BLOCK, maker: CORE_VERBOSE, names: ['BLOCK'] },
  { kind: YIELD, maker: CORE_VERBOSE, names: ['YIELD'] },
  { kind: SLEEP, maker: CORE_VERBOSE, names: ['SLEEP'], vcpu: true },
  {
    kind: WOKEN,
    maker: CORE_MIN,
    names: ['blocked', 'offline'].map((from) => `${RUNSTATE}${from}_runnable`),
    vcpu: true,
  },
  { kind: STOLEN, maker: CREDIT, names: ['STOLEN_UNIT'], vcpu: true },
  { kind: PICKED_CREDIT, maker: CREDIT, names: ['PICKED_CPU'], vcpu: true, value: 'new_pcpu' },
  { kind: PICKED_CREDIT2, maker: CREDIT2, names: ['PICKED_CPU'], vcpu: true, value: 'new_pcpu' },
  { kind: PICKED_NULL, maker: NULL_SCHEDULER, names: ['PICKED_CPU'], vcpu: true, value: 'new_pcpu' },
  { kind: MOVED_CREDIT2, maker: CREDIT2, names: ['MIGRATE'], vcpu: true },
  { kind: BOOST_START, maker: CREDIT, names: ['BOOST_START'], vcpu: true },
  { kind: BOOST_END, maker: CREDIT, names: ['BOOST_END'], vcpu: true },
  { kind: STEAL_CHECK, maker: CREDIT, names: ['STEAL_CHECK'] },
  { kind: RATELIMIT_CREDIT, maker: CREDIT, names: ['RATELIMIT'] },
  { kind: RATELIMIT_CREDIT2, maker: CREDIT2, names: ['RATELIMIT'] },
  { kind: ACCOUNT_START, maker: CREDIT, names: ['ACCOUNT_START'] },
  { kind: ACCOUNT_STOP, maker: CREDIT, names: ['ACCOUNT_STOP'] },
  { kind: LOAD_BALANCE, maker: CREDIT2, names: ['LOAD_BALANCE'] },
  { kind: ASSIGN, maker: NULL_SCHEDULER, names: ['UNIT_ASSIGN'] },
  { kind: DEASSIGN, maker: NULL_SCHEDULER, names: ['UNIT_DEASSIGN'] },
  { kind: CREDIT_RESET, maker: CREDIT2, names: ['CREDIT_RESET'], vcpu: true, value: 'credit_end' },
  { kind: CREDIT_BURN, maker: CREDIT2, names: ['CREDIT_BURN'], vcpu: true, value: 'credit' },
  {
    kind: CREDIT_SEEN,
    maker: CREDIT2,
    names: ['RUNQ_CANDIDATE', 'TICKLE_CHECK', 'TICKLE_NEW'],
    vcpu: true,
    value: 'credit',
  },
  { kind: RUNQUEUE_LOAD, maker: CREDIT2, names: ['UPDATE_RUNQ_LOAD'], value: 'runqueue_load' },
  { kind: RTDS_BURN, maker: RTDS, names: ['BUDGET_BURN'], vcpu: true, value: 'budget_ns' },
  { kind: REPLENISH, maker: RTDS, names: ['BUDGET_REPLENISH'], vcpu: true, value: 'budget_ns' },
];

/** By kind: who makes it. */
export const MAKER_OF_KIND = Int8Array.from({ length: KINDS }, (_, kind) => {
  return DEFINITIONS.find((definition) => definition.kind === kind)?.maker ?? -1;
});

/** By kind: 1 where its records name a vCPU. */
export const NAMES_VCPU = Uint8Array.from({ length: KINDS }, (_, kind) => {
  return DEFINITIONS.some((definition) => definition.kind === kind && definition.vcpu) ? 1 : 0;
});

/** Where a field of at most 32 bits is, by layout index: `(words[first + word] >>> shift) & mask`. */
export interface FieldPlaces {
  /** -1: the layout has no such field. Of a field of 64 bits: its low half, which the high one follows. */
  readonly word: Int8Array;
  readonly shift: Uint8Array;
  readonly mask: Int32Array;
  /** 1: it has 64 bits. */
  readonly wide: Uint8Array;
}

/** The tables of one catalog. */
export interface SchedulerRecords {
  /** By layout index. */
  readonly kind: Uint8Array;
  readonly dom: FieldPlaces;
  readonly vcpu: FieldPlaces;
  readonly value: FieldPlaces;
  readonly budget: FieldPlaces;
  /** By kind: the first release of Xen whose records it is, as {@link releaseNumber} has it. */
  readonly sinceOfKind: Float64Array;
  /** By layout index, likewise. */
  readonly sinceOfLayout: Float64Array;
}

/** Looks up what the pass needs to know of a catalog's layouts. */
export function schedulerRecords(catalog: EventCatalog): SchedulerRecords {
  const { layouts } = catalog;
  const kind = new Uint8Array(layouts.length);
  const fields = new Map<number, KindDefinition>();
  const sinceOfLayout = Float64Array.from(layouts, (layout) => releaseNumber(layout?.since));
  const sinceOfKind = new Float64Array(KINDS).fill(Number.POSITIVE_INFINITY);
  for (const definition of DEFINITIONS) {
    for (const layout of layoutsOf(catalog, definition)) {
      if (!isUsable(layout, definition)) continue;
      kind[layout.index] = definition.kind;
      fields.set(layout.index, definition);
      sinceOfKind[definition.kind] = Math.min(sinceOfKind[definition.kind], sinceOfLayout[layout.index]);
    }
  }
  for (const layout of catalog.eventByName('TRC_LOST_RECORDS')?.layouts ?? []) kind[layout.index] = LOST;
  const isSwitch = (layout: LayoutDefinition) => kind[layout.index] === SWITCH;
  return {
    kind,
    dom: fieldPlaces(catalog, (layout) => (isSwitch(layout) ? 'next_dom' : 'dom')),
    vcpu: fieldPlaces(catalog, (layout) => (isSwitch(layout) ? 'next_vcpu' : 'vcpu')),
    value: fieldPlaces(catalog, (layout) => fields.get(layout.index)?.value),
    budget: fieldPlaces(catalog, () => 'budget_ns'),
    sinceOfKind,
    sinceOfLayout,
  };
}

/** Where each layout has the field that `nameOf` gives for it. */
export function fieldPlaces(
  catalog: EventCatalog,
  nameOf: (layout: LayoutDefinition) => string | undefined,
): FieldPlaces {
  const { length } = catalog.layouts;
  const places = {
    word: new Int8Array(length).fill(-1),
    shift: new Uint8Array(length),
    mask: new Int32Array(length),
    wide: new Uint8Array(length),
  };
  for (const layout of catalog.layouts) {
    const field = layout && fieldOf(layout, nameOf(layout));
    if (field === undefined) continue;
    places.word[layout!.index] = field.offset >>> 5;
    places.shift[layout!.index] = field.offset & 31;
    places.mask[layout!.index] = field.width >= 32 ? -1 : 2 ** field.width - 1;
    places.wide[layout!.index] = field.width > 32 ? 1 : 0;
  }
  return places;
}

/** A release such as `4.10` as a number that orders them; 0 where it is not known. */
export function releaseNumber(release: string | undefined): number {
  const [major, minor] = (release ?? '').split('.').map(Number);
  return Number.isInteger(major) && Number.isInteger(minor) ? major * 1000 + minor : 0;
}

function layoutsOf(catalog: EventCatalog, { maker, names }: KindDefinition): LayoutDefinition[] {
  return names.flatMap((name) =>
    OTHER_IDS.flatMap((other) => catalog.eventByName(`${PREFIXES[maker]}${name}${other}`)?.layouts ?? []),
  );
}

/** Whether the layout has what is read of it, each within the words that the loop reads. */
function isUsable(layout: LayoutDefinition, { kind, maker, vcpu, value }: KindDefinition): boolean {
  const names = [...(vcpu ? ['dom', 'vcpu'] : []), ...(value === undefined ? [] : [value])];
  if (kind === SWITCH) names.push('next_dom', 'next_vcpu');
  if (maker === CORE_MIN && vcpu && !isPacked(layout)) return false;
  return names.every((name) => fieldOf(layout, name) !== undefined);
}

/** Whether the first word is `dom << 16 | vcpu`, as in all runstate records. */
function isPacked(layout: LayoutDefinition): boolean {
  return fieldOf(layout, 'vcpu')?.offset === 0 && fieldOf(layout, 'dom')?.offset === 16;
}

/** A field within one word, or of two whole words. */
function fieldOf({ fields }: LayoutDefinition, name: string | undefined): FieldDefinition | undefined {
  return fields.find((field) => {
    const bit = field.offset & 31;
    return field.name === name && (bit + field.width <= 32 || (bit === 0 && field.width === 64));
  });
}
