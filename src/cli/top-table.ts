/**
 * What `xenscope top` shows of a snapshot: the columns of each view, said once for the screen, for sorting and for CSV.
 * @module
 */
import { READY_HIGH, READY_WATCH } from '../analysis/steal.ts';
import type { DomainFared, Fared, PcpuLoad, Snapshot, VcpuFared } from '../live/index.ts';
import { formatCount, formatNs } from '../report/index.ts';
import { domLabel, vcpuLabel } from '../timeline/index.ts';
import type { Tone } from './colours.ts';

export const VIEWS = ['vcpus', 'domains', 'pcpus'] as const;
export type View = (typeof VIEWS)[number];

/** A column of a view; `key` is what `--sort` calls it. */
export interface TopColumn<Row> {
  readonly key: string;
  readonly heading: string;
  readonly doc: string;
  readonly left?: boolean;
  text(row: Row, spanNs: number): string;
  /** What rows are sorted by: the largest first, names ascending. */
  order(row: Row, spanNs: number): number | string;
  tone?(row: Row, spanNs: number): Tone;
}

/** What people see where a figure does not exist. */
const NOTHING = '-';

const FARED: readonly TopColumn<Fared & { readonly vcpus?: number }>[] = [
  {
    key: 'run',
    heading: '%RUN',
    doc: 'time running, of one pCPU; of a domain: sum over its vCPUs',
    text: (row) => percent(row.runNs * (row.vcpus ?? 1), row.knownNs),
    order: (row) => ratio(row.runNs * (row.vcpus ?? 1), row.knownNs),
  },
  {
    key: 'ready',
    heading: '%RDY',
    doc: 'CPU ready: it wanted to run, was free to, and did not; of a domain: mean over its vCPUs',
    text: (row) => percent(row.readyNs, row.knownNs),
    order: (row) => ratio(row.readyNs, row.knownNs),
    tone: (row) => readyTone(ratio(row.readyNs, row.knownNs)),
  },
  {
    key: 'ready_ms',
    heading: 'READY',
    doc: 'the same as time within the window',
    text: (row) => formatNs(row.readyNs),
    order: (row) => row.readyNs,
  },
  {
    key: 'throttled',
    heading: '%THR',
    doc: 'kept back by its own cap or budget',
    text: (row) => percent(row.throttledNs, row.knownNs),
    order: (row) => ratio(row.throttledNs, row.knownNs),
  },
  {
    key: 'wakes',
    heading: 'WAKES/s',
    doc: 'waits that began with a wake-up and ended, a second',
    text: (row, spanNs) => perSecond(row.wakes, spanNs),
    order: (row) => row.wakes,
  },
  {
    key: 'p50',
    heading: 'WAKE p50',
    doc: 'half of these waits were at most so long',
    text: (row) => (row.wakeNsP50 === null ? NOTHING : formatNs(row.wakeNsP50)),
    order: (row) => row.wakeNsP50 ?? -1,
  },
  {
    key: 'p99',
    heading: 'WAKE p99',
    doc: '99 of 100 of them were at most so long',
    text: (row) => (row.wakeNsP99 === null ? NOTHING : formatNs(row.wakeNsP99)),
    order: (row) => row.wakeNsP99 ?? -1,
  },
  {
    key: 'missed',
    heading: 'MISSED',
    doc: 'deadlines missed, of the jobs judged; where guests tell of their jobs',
    text: ({ jobs, missed }) => (jobs === 0 ? NOTHING : `${missed}/${jobs}`),
    order: (row) => row.missed,
    tone: (row) => (row.missed > 0 ? 'high' : 'plain'),
  },
  {
    key: 'culprit',
    heading: 'WAITED FOR',
    doc: 'who has the largest part in its waits that ended in the window; d[IDLE]: an idle pCPU; itself: throttled',
    left: true,
    text: ({ culprit, culpritRatio }) =>
      culprit === null ? NOTHING : `${culprit} ${Math.round((culpritRatio ?? 0) * 100)}%`,
    order: (row) => row.culprit ?? '~',
  },
  {
    key: 'unknown',
    heading: '%UNK',
    doc: 'time of which the state is not known: the start of the trace, lost records; in no other figure',
    text: (row) => percent(row.unknownNs, row.knownNs + row.unknownNs),
    order: (row) => ratio(row.unknownNs, row.knownNs + row.unknownNs),
    tone: (row) => (row.unknownNs > 0 ? 'watch' : 'plain'),
  },
];

const VCPU_COLUMNS: readonly TopColumn<VcpuFared>[] = [
  {
    key: 'name',
    heading: 'VCPU',
    doc: 'the vCPU',
    left: true,
    text: ({ dom, vcpu }) => vcpuLabel(dom, vcpu),
    order: ({ dom, vcpu }) => dom * 0x10000 + vcpu,
  },
  {
    key: 'state',
    heading: 'STATE',
    doc: 'what it does now, and where it runs or last ran',
    left: true,
    text: ({ state, pcpu }) => `${state ?? NOTHING}${pcpu === null ? '' : ` p${pcpu}`}`,
    order: ({ state }) => state ?? '~',
  },
  ...FARED,
];

const DOMAIN_COLUMNS: readonly TopColumn<DomainFared>[] = [
  {
    key: 'name',
    heading: 'DOM',
    doc: 'the domain',
    left: true,
    text: ({ dom }) => domLabel(dom),
    order: ({ dom }) => dom,
  },
  {
    key: 'vcpus',
    heading: 'VCPUS',
    doc: 'its vCPUs in the window',
    text: ({ vcpus }) => String(vcpus),
    order: ({ vcpus }) => vcpus,
  },
  ...FARED,
];

const PCPU_COLUMNS: readonly TopColumn<PcpuLoad>[] = [
  {
    key: 'name',
    heading: 'PCPU',
    doc: 'the pCPU',
    left: true,
    text: ({ pcpu }) => `p${pcpu}`,
    order: ({ pcpu }) => pcpu,
  },
  {
    key: 'runs',
    heading: 'RUNS',
    doc: 'who runs there now',
    left: true,
    text: ({ runs }) => runs ?? 'unknown',
    order: ({ runs }) => runs ?? '~',
  },
  {
    key: 'busy',
    heading: '%BUSY',
    doc: 'time in which a vCPU of a domain ran there',
    text: (row, spanNs) => percent(row.busyNs, spanNs),
    order: (row) => row.busyNs,
  },
  {
    key: 'idle',
    heading: '%IDLE',
    doc: 'time in which its idle vCPU ran',
    text: (row, spanNs) => percent(row.idleNs, spanNs),
    order: (row) => row.idleNs,
  },
  {
    key: 'unknown',
    heading: '%UNK',
    doc: 'the rest: nobody can tell who ran',
    text: (row, spanNs) => percent(row.unknownNs, spanNs),
    order: (row) => row.unknownNs,
  },
  {
    key: 'switches',
    heading: 'SWITCHES/s',
    doc: 'times that another vCPU, the idle one included, began to run there, a second',
    text: (row, spanNs) => perSecond(row.switches, spanNs),
    order: (row) => row.switches,
  },
  {
    key: 'lost',
    heading: 'LOST',
    doc: 'records that found no room in its trace ring',
    text: (row) => formatCount(row.lostRecords),
    order: (row) => row.lostRecords,
    tone: (row) => (row.lostRecords > 0 ? 'high' : 'plain'),
  },
];

type AnyRow = VcpuFared | DomainFared | PcpuLoad;

/** The columns of a view. */
export function columnsOf(view: View): readonly TopColumn<AnyRow>[] {
  const columns = { vcpus: VCPU_COLUMNS, domains: DOMAIN_COLUMNS, pcpus: PCPU_COLUMNS };
  return columns[view] as readonly TopColumn<AnyRow>[];
}

/** Which rows of a view are shown, and in which order. */
export interface Arrangement {
  readonly view: View;
  /** Key of a column; the view's own order where it has no such column. */
  readonly sort: string;
  readonly reverse: boolean;
  /** Only rows whose name begins with it, or names it as the culprit. */
  readonly filter: string;
}

/** What is in the window of a snapshot, in order; of equals the lowest first. */
export function rowsOf(snapshot: Snapshot, { view, sort, reverse, filter }: Arrangement): AnyRow[] {
  const spanNs = snapshot.toNs - snapshot.fromNs;
  const columns = columnsOf(view);
  const [name] = columns;
  const by = columns.find(({ key }) => key === sort) ?? name!;
  const rows = (snapshot[view] as readonly AnyRow[]).filter((row) => matches(row, name!, filter));
  const sign = reverse ? -1 : 1;
  return rows.sort((a, b) => sign * compare(by, a, b, spanNs) || compare(name!, a, b, spanNs));
}

/** `d1` is d1v0 and d1v1, and not d10v0. */
function matches(row: AnyRow, name: TopColumn<AnyRow>, filter: string): boolean {
  if (filter === '') return true;
  const own = name.text(row, 0);
  return own.startsWith(filter) && !(/\d$/.test(filter) && /^\d/.test(own.slice(filter.length)));
}

function compare(by: TopColumn<AnyRow>, a: AnyRow, b: AnyRow, spanNs: number): number {
  const [first, second] = [by.order(a, spanNs), by.order(b, spanNs)];
  if (typeof first === 'string') return first.localeCompare(second as string, 'en');
  return by.key === 'name' ? first - (second as number) : (second as number) - first;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : -1;
}

/** A percentage that is short: `49.9`. */
export function percent(part: number, whole: number): string {
  return whole > 0 ? ((100 * part) / whole).toFixed(1) : NOTHING;
}

function perSecond(count: number, spanNs: number): string {
  return spanNs > 0 ? formatCount(Math.round((count * 1e9) / spanNs)) : NOTHING;
}

function readyTone(ready: number): Tone {
  if (ready >= READY_HIGH) return 'high';
  return ready >= READY_WATCH ? 'watch' : 'plain';
}
