/**
 * Records of memory: grants, the table from guest pages to machine pages, populate-on-demand.
 * @module
 */
import type { Analyser } from './analyser.ts';
import type { LineTemplate, RecordLine } from './record-lines.ts';
import type { Domain, Pcpu } from './state.ts';
import type { TextOutput } from './text-output.ts';

const POD_POPULATE = 0x0010f010;
const POD_ZERO_RECLAIM = 0x0010f011;
/** Minor numbers of events that may be counted are below this. */
const EVENTS = 19;

/** Orders that are counted: pages of 4 KiB, 2 MiB and 1 GiB, and one that is never used. */
const ORDERS = 4;
/** The largest area of memory that Xen allocates is 2^20 pages. */
const ORDER_MAX = 20;
const CONTEXT_NAMES = ['unknown', 'fault', 'balloon'];
const UNKNOWN = 0;
const FAULT = 1;
const BALLOON = 2;
/** What memory is reclaimed for, by the exit reason of the guest, in Intel's numbers: a fault, or a hypercall. */
const CONTEXT_OF_EXIT: Readonly<Record<number, number>> = { 0: FAULT, 18: BALLOON, 48: FAULT };

// Places in MemoryCounts.pod.
const RECLAIMED = 0;
const CONTEXTS = RECLAIMED + ORDERS;
const CONTEXT_ORDERS = CONTEXTS + CONTEXT_NAMES.length;
const POPULATED = CONTEXT_ORDERS + CONTEXT_NAMES.length * ORDERS;

/** What a domain did with memory. */
export class MemoryCounts {
  /** Records that xenalyze knows nothing of, by minor number: done by the domain, and done for it. */
  readonly done = new Int32Array(EVENTS);
  readonly doneFor = new Int32Array(EVENTS);
  /**
   * Populate-on-demand: areas reclaimed by order, by context, by context and order, and areas populated by order. They
   * follow each other as they do in xenalyze: an order that is not counted counts as the element behind the last one.
   */
  readonly pod = new Int32Array(POPULATED + ORDERS + 1);
}

/** A domain's number and the order of an area of its memory. */
interface Area {
  readonly domain: number;
  readonly order: number;
  /** Whether the order has a word of its own. */
  readonly wide: boolean;
}

/** Finds an area from word `at` on. */
type FindArea = (p: Pcpu, at: number) => Area;

/** Until 4.17, both were in one word; 64-bit processors left one behind it as it was. */
function narrowArea(p: Pcpu, at: number): Area {
  const word = p.signed(at);
  return { domain: (word << 16) >> 16, order: word >> 16, wide: false };
}

/** The shapes until and since 4.17 are told apart by what they say: domains have 16 bits, orders are small. */
function eitherArea(p: Pcpu, at: number): Area {
  const wide = p.extraWords > at + 1 && p.word(at) < 0x10000 && p.word(at + 1) <= ORDER_MAX;
  return wide ? { domain: p.word(at), order: p.word(at + 1), wide } : narrowArea(p, at);
}

/** What is shown of a record with an area, of 32-bit and of 64-bit processors. */
function areaLine(
  event: number,
  [short, long]: readonly [number, number],
  line: (find: FindArea) => LineTemplate,
): RecordLine {
  return { event, byWords: { [short]: line(eitherArea), [long]: line(eitherArea) }, in417: line(narrowArea) };
}

function show({ domain, order }: Area): string {
  return `d${domain} o${order}`;
}

/** The area that is split is one of 2 MiB or 1 GiB; until 4.17 its order is not recorded. */
function showSplintered({ domain, order, wide }: Area): string {
  return wide && (order === 9 || order === 18) ? show({ domain, order, wide }) : `d${domain}`;
}

export const MEMORY_LINES: readonly RecordLine[] = [
  { event: 0x0010f001, byWords: { 1: 'grant-map domain {0}' } },
  { event: 0x0010f002, byWords: { 1: 'grant-unmap domain {0}' } },
  { event: 0x0010f003, byWords: { 1: 'grant-transfer domain {0}' } },
  { event: 0x0010f004, byWords: { 6: 'set_p2m_entry d{5.lo} o{5.hi} t {4} g {0qx} m {2qx}' } },
  areaLine(0x0010f005, [3, 4], (find) => ['decrease_reservation ', (p) => show(find(p, 2)), ' g {0qx}']),
  areaLine(POD_POPULATE, [5, 6], (find) => ['pod_populate ', (p) => show(find(p, 4)), ' g {0qx} m {2qx}']),
  areaLine(POD_ZERO_RECLAIM, [5, 6], (find) => [
    'pod_zero_reclaim ',
    (p) => show(find(p, 4)),
    ' g {0qx} m {2qx} ctx ',
    (p) => CONTEXT_NAMES[contextOf(p)],
  ]),
  areaLine(0x0010f012, [3, 4], (find) => [
    'pod_spage_splinter ',
    (p) => showSplintered(find(p, 2)),
    ' g {0qx}',
  ]),
];

/** Processes a record of memory. */
export function processMemory(a: Analyser, p: Pcpu): void {
  const { lines } = a;
  const { dumpAll, summaryInfo } = a.options;
  if (dumpAll && !lines.write(p)) a.dumpGeneric(a.out, p);
  if (!summaryInfo || p.current === undefined) return;
  const { memory } = p.current.domain;
  if (!lines.has(p.event)) countUnknown(a, p, memory);
  else if (lines.knows(p)) countPod(a, p, memory);
}

/** Of an event that nothing is known of, xenalyze takes the first word for a domain. */
function countUnknown(a: Analyser, p: Pcpu, { done }: MemoryCounts): void {
  const { minor } = p;
  if (minor >= EVENTS || (p.extraWords === 0 && !a.options.compat417)) return;
  done[minor]++;
  a.domain(p.signed(0)).memory.doneFor[minor]++;
}

function countPod(a: Analyser, p: Pcpu, { pod }: MemoryCounts): void {
  if (p.event !== POD_POPULATE && p.event !== POD_ZERO_RECLAIM) return;
  const order = orderIndex(a, (a.options.compat417 ? narrowArea : eitherArea)(p, 4).order);
  if (p.event === POD_POPULATE) pod[POPULATED + order]++;
  else {
    const context = contextOf(p);
    pod[RECLAIMED + order]++;
    pod[CONTEXTS + context]++;
    pod[CONTEXT_ORDERS + context * ORDERS + order]++;
  }
}

function orderIndex({ warn }: Analyser, order: number): number {
  const index = order / 9;
  if (Number.isInteger(index) && index <= 2) return index;
  warn.printf('p2m_canonical_order: Strange, non-canonical order %d\n', order);
  return ORDERS;
}

function contextOf({ current }: Pcpu): number {
  const hvm = current?.hvm;
  return hvm?.vmexitValid ? (CONTEXT_OF_EXIT[hvm.exitReason] ?? UNKNOWN) : UNKNOWN;
}

/** Prints what a domain did with memory. */
export function printMemorySummary({ out }: Analyser, { memory: { done, doneFor, pod } }: Domain): void {
  out.text(' Grant table ops:\n');
  out.text('  Done by:\n');
  printUnknown(out, done);
  out.text('  Done for:\n');
  printUnknown(out, doneFor);
  out.text(' Populate-on-demand:\n');
  out.text('  Populated:\n');
  printOrders(out, '   ', pod, POPULATED);
  out.text('  Reclaim order:\n');
  printOrders(out, '   ', pod, RECLAIMED);
  out.text('  Reclaim contexts:\n');
  for (const [context, name] of CONTEXT_NAMES.entries()) {
    const count = pod[CONTEXTS + context];
    if (count === 0) continue;
    out.printf('   * [%s] %d\n', name, count);
    printOrders(out, '    ', pod, CONTEXT_ORDERS + context * ORDERS);
  }
}

/** Events that are counted have no names, as what has a name is not counted any more. */
function printUnknown(out: TextOutput, counts: Int32Array): void {
  for (const count of counts) if (count !== 0) out.printf('   %-14s: %d\n', '(null)', count);
}

function printOrders(out: TextOutput, indent: string, pod: Int32Array, from: number): void {
  for (let order = 0; order < ORDERS; order++)
    if (pod[from + order] !== 0) out.printf('%s[%d] %d\n', indent, order, pod[from + order]);
}
