/**
 * What stands out in a trace, in a few sentences: what somebody would look for first in the results, with the name of
 * the result that has the whole of it. The figures are those of the results, the thresholds rules of thumb (see
 * docs/metrics.md).
 * @module
 */
import type { Cell, ResultTable } from '../analysis/index.ts';
import { grouped } from '../base/grouped.ts';
import { DOM_IDLE } from '../timeline/index.ts';
import { domLabel, vcpuLabel } from '../timeline/vcpu-label.ts';
import { plural } from './head-text.ts';
import { formatCount, formatInstant, formatNs, formatPercent } from './quantities.ts';
import { type ResultRow, resultRows } from './result-rows.ts';
import type { TraceSummary } from './trace-summary.ts';

/** One sentence. */
export interface AnalysisFinding {
  /** Name of the result that it is from. */
  readonly result: string;
  readonly text: string;
}

/** Waiting, or being kept back by its own limits, for such a part of the time is worth a word; see steal's verdicts. */
export const WAITED_MIN = 0.05;
/** Unless it is less than this in all. */
export const WAITED_NS_MIN = 1_000_000;
/** A single wait of this length is worth a word. */
export const LONG_WAIT_NS = 10_000_000;
/** A culprit is named if it has such a part of a wait, and so much more than the next one. */
export const CULPRIT_MIN = 1 / 3;
export const CULPRIT_LEAD_MIN = 0.05;
/** A domain got so much more or less than its share; domains that are entitled to less than the second are left out. */
export const SHARE_ERROR_MIN = 0.05;
export const ENTITLED_SHARE_MIN = 0.01;
/** In less time, shares cannot be even. */
export const SHARED_NS_MIN = 1_000_000_000;
/** pCPU time that was lost while vCPUs waited. */
export const LOST_MIN = 0.01;
/** One pCPU was busier than another by so much of the time, while at least so many vCPUs waited on average. */
export const SPREAD_MIN = 0.3;
export const WAITING_MIN = 0.5;
/** Frames are longer or shorter than was probably meant. */
export const DRIFT_MIN = 0.001;
/** Where less of the time is known, nothing is said; and below the second, how much it is. */
export const KNOWN_MIN = 0.5;
export const WELL_KNOWN_MIN = 0.9;
/** Domains, tasks or servers that are named, of each kind of finding. */
const NAMED = 3;

/** Classes of events that a scheduler makes, and not the core. ARINC653 makes none. */
const SCHEDULER_CLASSES: ReadonlySet<string> = new Set([
  'credit',
  'credit2',
  'rtds',
  'null_sched',
  'bcredit',
  'scheduling_domain',
  'sedf',
  'rtxen',
]);

type Row = Readonly<ResultRow>;

/** What a kind of finding looks at. */
interface Check {
  /** The result that must have rows for it. */
  readonly result: string;
  /** The sentences about what stands out, most important first; undefined where there is nothing to judge. */
  readonly findings: (rows: readonly Row[], trace: Judged) => readonly string[] | undefined;
  /** What its rows are about. */
  readonly noun: 'domain' | 'vCPU' | 'task' | 'host';
  /** What holds where nothing stands out. */
  readonly fine: string;
}

const CHECKS: readonly Check[] = [
  {
    result: 'deadlines',
    findings: (rows) => byMisses(rows).flatMap(missedDeadlines),
    noun: 'task',
    fine: 'no deadline was missed',
  },
  {
    result: 'servers',
    findings: (rows) => judgedServers(rows)?.flatMap(missedPeriods),
    noun: 'vCPU',
    fine: 'every server got its budget in each period throughout which it wanted to run',
  },
  {
    result: 'steal',
    findings: (vcpus, trace) => (trace.isWhole ? waiters(vcpus, trace) : undefined),
    noun: 'domain',
    fine: `no vCPU waited for ${formatPercent(WAITED_MIN)} of its time`,
  },
  {
    result: 'worst_waits',
    findings: (rows, trace) => (trace.isWhole && trace.isInNs ? longestWait(rows, trace) : undefined),
    noun: 'vCPU',
    fine: `no wait took ${formatNs(LONG_WAIT_NS)}`,
  },
  {
    result: 'steal_by_domain',
    findings: (rows, trace) => descending(rows, 'throttled_ratio').flatMap((row) => throttled(row, trace)),
    noun: 'domain',
    fine: 'none was kept back much by its own cap or budget',
  },
  {
    result: 'fairness',
    findings: (rows, trace) => (trace.isWhole ? unfairShares(rows, trace) : undefined),
    noun: 'domain',
    fine: `each domain got its share to ${formatPercent(SHARE_ERROR_MIN)}`,
  },
  {
    result: 'balance',
    findings: ([row], trace) =>
      trace.isWhole && trace.hasScheduler ? [...lost(row, trace), ...uneven(row, trace)] : undefined,
    noun: 'host',
    fine: 'pCPUs hardly idled while vCPUs waited',
  },
  {
    result: 'frames',
    findings: (rows, trace) => (trace.hasScheduler ? undefined : rows.flatMap(drift)),
    noun: 'vCPU',
    fine: 'what is started periodically does not drift',
  },
];

/**
 * The findings in the results of all passes, the most important first; if there is none, one that says what was looked
 * at and found in order. Empty where the results have no rows.
 */
export function findingsOf(tables: readonly ResultTable[], summary: TraceSummary): AnalysisFinding[] {
  const trace = new Judged(tables, summary);
  const findings: AnalysisFinding[] = [];
  const fine: string[] = [];
  for (const { result, findings: find, noun, fine: isFine } of CHECKS) {
    const rows = trace.rows(result).filter(isKnown);
    const texts = rows.length > 0 ? find(rows, trace) : undefined;
    if (texts === undefined) continue;
    for (const text of texts.slice(0, NAMED)) findings.push({ result, text });
    const more = texts.length - NAMED;
    if (more > 0) findings.push({ result, text: `The like holds for ${plural(more, noun)} more.` });
    if (texts.length === 0) fine.push(isFine);
  }
  const caveats = caveatsOf(trace);
  if (findings.length > 0 || fine.length === 0 || !trace.isWhole) return [...caveats, ...findings];
  const [leastKnown] = descending(trace.rows('steal'), 'coverage').slice(-1);
  const nothing = `Nothing: ${fine.join('; ')}${sentenceEnd(leastKnown ?? {})}`;
  return [...caveats, { result: 'steal', text: nothing }];
}

/** What keeps a trace from being judged. */
function caveatsOf(trace: Judged): AnalysisFinding[] {
  if (trace.rows('steal').length === 0) return [];
  if (!trace.isWhole) {
    const text = 'Not all pCPUs were traced: nobody can tell who waited, nor who got its share.';
    return [{ result: 'steal', text }];
  }
  if (trace.hasScheduler) return [];
  const text =
    'The trace has no records of a scheduler: if it is ARINC653, waiting outside slots is by design.';
  return [{ result: 'scheduler_summary', text }];
}

/** Results by name, their rows as objects, and what limits a judgement of them. */
class Judged {
  /** The records of all pCPUs are there. */
  readonly isWhole: boolean;
  /** Times are in nanoseconds, not in ticks. */
  readonly isInNs: boolean;
  /** Records tell which scheduler there is: ARINC653 makes none of its own; it has frames and no weights. */
  readonly hasScheduler: boolean;
  readonly lengthNs: number;
  /** Some pCPUs were chosen. */
  readonly isOfPcpus: boolean;
  readonly #tables: ReadonlyMap<string, ResultTable>;
  readonly #rows = new Map<string, readonly Row[]>();
  readonly #groups = new Map<string, ReadonlyMap<string, readonly Row[]>>();

  constructor(tables: readonly ResultTable[], { partial, cpuHz, events, part }: TraceSummary) {
    this.#tables = new Map(tables.map((table) => [table.name, table]));
    this.isWhole = !partial;
    this.isInNs = cpuHz !== null;
    this.hasScheduler = events.some(({ className }) => SCHEDULER_CLASSES.has(className));
    this.lengthNs = part.endNs - part.fromNs;
    this.isOfPcpus = part.pcpus !== null;
  }

  rows(name: string): readonly Row[] {
    let rows = this.#rows.get(name);
    if (rows === undefined) {
      const table = this.#tables.get(name);
      rows = table === undefined ? [] : resultRows(table);
      this.#rows.set(name, rows);
    }
    return rows;
  }

  /** The rows of a result that are about the same domain, or vCPU, as `row`. */
  about(name: string, row: Row): readonly Row[] {
    const groups = this.#groups.get(name) ?? grouped(this.rows(name), keyOf);
    this.#groups.set(name, groups);
    return groups.get(keyOf(row)) ?? [];
  }
}

function keyOf({ dom, vcpu }: Row): string {
  return `${dom} ${vcpu ?? ''}`;
}

/** Whether enough of the time is known for a row to be judged; a row that does not tell is of what was seen. */
function isKnown({ coverage }: Row): boolean {
  return coverage === undefined || number(coverage) >= KNOWN_MIN;
}

/** The tasks that missed most of their deadlines first, of equals those that were latest. */
function byMisses(rows: readonly Row[]): Row[] {
  return descending(descending(rows, 'tardiness_ns_max'), 'miss_ratio');
}

function missedDeadlines(row: Row): string[] {
  if (!(number(row.missed) > 0)) return [];
  const inRow = number(row.misses_in_row_max);
  const latest = number(row.tardiness_ns_max);
  return [
    `${vcpuOf(row)} missed ${plural(number(row.missed), 'deadline')} of task ${row.task} ` +
      `(${formatPercent(number(row.miss_ratio))})` +
      (inRow > 1 ? `, ${formatCount(inRow)} in a row at worst` : '') +
      (latest > 0 ? `; the latest job was ${formatNs(latest)} late` : '') +
      sentenceEnd(row),
  ];
}

/** Of sporadic servers records tell no periods. */
function judgedServers(rows: readonly Row[]): Row[] | undefined {
  const judged = rows.filter(({ backlogged }) => backlogged !== null);
  return judged.length === 0 ? undefined : descending(judged, 'missed');
}

function missedPeriods(row: Row): string[] {
  if (!(number(row.missed) > 0)) return [];
  return [
    `${vcpuOf(row)} was not served its budget in ${formatCount(number(row.missed))} of the ` +
      `${formatCount(number(row.backlogged))} periods throughout which it wanted to run${sentenceEnd(row)}`,
  ];
}

/**
 * Domains that waited, and of those that did not, since most of their vCPUs have little to do, the vCPU that waited
 * most.
 */
function waiters(vcpus: readonly Row[], trace: Judged): string[] {
  const domains = trace.rows('steal_by_domain').filter((row) => isKnown(row) && hasWaited(row));
  const told = new Set(domains.map(({ dom }) => dom));
  const others = grouped(
    vcpus.filter((row) => hasWaited(row) && !told.has(row.dom)),
    ({ dom }) => dom,
  );
  const worst = [...others.values()].map((rows) => descending(rows, 'ready_ratio')[0]);
  const sentences = descending([...domains, ...worst], 'ready_ratio');
  // The culprits of those that are not named need not be found.
  return sentences.map((row, index) => (index < NAMED ? waited(row, trace) : ''));
}

function hasWaited(row: Row): boolean {
  return number(row.ready_ratio) >= WAITED_MIN && number(row.ready_ns) >= WAITED_NS_MIN;
}

/** Of a domain, or of a vCPU. */
function waited(row: Row, trace: Judged): string {
  const isVcpu = row.vcpu !== undefined;
  const who = isVcpu ? vcpuOf(row) : domOf(row);
  const time = timeOf(row, trace);
  const part = `${formatPercent(number(row.ready_ratio))} of ${time} (${formatNs(number(row.ready_ns))})`;
  const [blame] = trace.about(isVcpu ? 'blame' : 'blame_by_domain', row);
  const culprits = trace.about(isVcpu ? 'antagonists' : 'antagonists_by_domain', row);
  const [reason, culprit] = [reasonOf(blame), culpritOf(culprits)];
  // That pCPUs idled need not be said twice.
  const because = reason.includes('idled') && culprit.includes('idle') ? reason : reason + culprit;
  return `${who} waited for ${part}${because}${sentenceEnd(row)}`;
}

/** Why one waits for others, by reason of blame; one's own limits make nobody wait for others. */
const REASON_WORDS = {
  boost_ns: 'since others had BOOST',
  priority_ns: 'since others went before by priority',
  turn_ns: 'since others had their turn',
  ratelimit_ns: 'since the ratelimit kept others running',
  no_tickle_ns: 'though pCPUs idled, and nobody told them',
  idle_ns: 'though pCPUs idled',
  dispatch_ns: 'on the way to the switch',
  unknown_ns: 'for reasons unknown',
} as const;

/** What was behind most of the waiting; nothing if no reason was. */
function reasonOf(blame: Row | undefined): string {
  if (blame === undefined) return '';
  const reasons = Object.keys(REASON_WORDS) as (keyof typeof REASON_WORDS)[];
  const sumNs = reasons.reduce((sum, reason) => sum + number(blame[reason]), 0);
  const main = reasons.find((reason) => 2 * number(blame[reason]) >= sumNs);
  if (main === undefined || sumNs === 0) return '';
  return `, mostly ${REASON_WORDS[main]} (${formatPercent(number(blame[main]) / sumNs)})`;
}

/** Who has the largest part in a wait, as far as one's own limits have none; or that nobody stands out. */
function culpritOf(rows: readonly Row[]): string {
  const blamedNs = (row: Row) => number(row.blamed_ns) - number(row.throttled_ns);
  const culprits = rows.filter((row) => blamedNs(row) > 0).sort((a, b) => blamedNs(b) - blamedNs(a));
  const [first, second] = culprits;
  if (first === undefined) return '';
  const sumNs = culprits.reduce((sum, row) => sum + blamedNs(row), 0);
  const share = blamedNs(first) / sumNs;
  const lead = share - (second === undefined ? 0 : blamedNs(second) / sumNs);
  if (share >= CULPRIT_MIN && lead >= CULPRIT_LEAD_MIN) {
    return `; ${culpritWords(first)} the largest part in that (${formatPercent(share)})`;
  }
  return '; no single culprit stands out';
}

function culpritWords({ dom, vcpu, culprit_dom: culprit, culprit_vcpu: culpritVcpu }: Row): string {
  if (culprit === null) return 'nobody knows who has';
  if (culprit === DOM_IDLE) return 'idle pCPUs have';
  if (vcpu !== undefined) return `${vcpuLabel(Number(culprit), Number(culpritVcpu))} has`;
  return culprit === dom ? 'its own vCPUs have' : `${domLabel(Number(culprit))} has`;
}

/** The longest wait for others: what its own limits kept a vCPU back for counts elsewhere. */
function longestWait(rows: readonly Row[], trace: Judged): string[] {
  const forOthersNs = (row: Row) => number(row.wait_ns) - number(row.throttled_ns);
  const [row] = [...rows].sort((a, b) => forOthersNs(b) - forOthersNs(a));
  if (!(forOthersNs(row) >= LONG_WAIT_NS)) return [];
  // One that is not listed was no longer than the last one that is.
  const isLongest = forOthersNs(row) >= number(rows.at(-1)?.wait_ns);
  const ran = row.ran_dom === DOM_IDLE ? 'its pCPU idled for' : `${row.ran} ran`;
  const meanwhile = row.ran_dom === null ? '' : `; ${ran} ${formatNs(number(row.ran_ns))} of it`;
  const throttledNs = number(row.throttled_ns);
  const limits = throttledNs > 0 ? `, of which its own limits account for ${formatNs(throttledNs)}` : '';
  const start = formatInstant(number(row.start_ns));
  const [steal] = trace.about('steal', row);
  return [
    `${isLongest ? 'The longest wait seen is' : 'A long wait is'} ${vcpuOf(row)}'s: ` +
      `${formatNs(number(row.wait_ns))} from ${start}${limits}${meanwhile}${sentenceEnd(steal ?? {})}`,
  ];
}

/** Whose time a ratio is of. */
function timeOf({ vcpu, vcpus }: Row, { isOfPcpus }: Judged): string {
  const time = vcpu !== undefined || vcpus === 1 ? 'its time' : "its vCPUs' time";
  return isOfPcpus ? `${time} on these pCPUs` : time;
}

function throttled(row: Row, trace: Judged): string[] {
  const ratio = number(row.throttled_ratio);
  const throttledNs = number(row.throttled_ns);
  if (!(ratio >= WAITED_MIN && throttledNs >= WAITED_NS_MIN)) return [];
  const part = `${formatPercent(ratio)} of ${timeOf(row, trace)} (${formatNs(throttledNs)})`;
  return [`Its own cap or budget kept ${domOf(row)} back for ${part}${sentenceEnd(row)}`];
}

/** Those that are entitled to enough to compare, the furthest from it first. */
function unfairShares(rows: readonly Row[], trace: Judged): string[] | undefined {
  const compared = trace.rows('fairness_summary').some(({ domains }) => number(domains) >= 2);
  if (!compared || !trace.hasScheduler || trace.lengthNs < SHARED_NS_MIN) return undefined;
  // Where some are given, the others have Xen's default.
  const sources = new Set(trace.rows('fairness').map((row) => row.weight_source));
  if (sources.has('assumed') && ![...sources].some((source) => source !== 'assumed' && source !== null)) {
    return ['Shares are not judged: the trace does not tell the weights; --domains and --weights do.'];
  }
  const missedNs = (row: Row) => Math.abs(number(row.run_ns) - number(row.entitlement_ns));
  return rows
    .filter(mayMatter)
    .sort((a, b) => missedNs(b) - missedNs(a))
    .flatMap(unfairShare);
}

function mayMatter(row: Row): boolean {
  return number(row.entitled_share) >= ENTITLED_SHARE_MIN;
}

/** A share that is wrong both if weights weigh domains and if they weigh vCPUs. More than is reserved is no wrong. */
function unfairShare(row: Row): string[] {
  const [error, vcpuError] = [number(row.share_error), number(row.vcpu_share_error)];
  const isWrong = Math.min(Math.abs(error), Math.abs(vcpuError)) >= SHARE_ERROR_MIN && error * vcpuError > 0;
  if (!isWrong || (error > 0 && row.reservation !== null)) return [];
  const [share, entitled] = [number(row.share), number(row.entitled_share)].map(formatPercent);
  return [
    `${domOf(row)} got ${formatPercent(Math.abs(error))} ${error > 0 ? 'more' : 'less'} than it is entitled to: ` +
      `${share} of the pCPUs' time in place of ${entitled}${sentenceEnd(row)}`,
  ];
}

function lost(row: Row, trace: Judged): string[] {
  const pcpusNs = trace
    .rows('pcpus')
    .reduce((sum, { busy_ns, idle_ns }) => sum + number(busy_ns) + number(idle_ns), 0);
  const lostNs = number(row.lost_ns);
  if (!(lostNs >= WAITED_NS_MIN && lostNs >= LOST_MIN * pcpusNs)) return [];
  const part = `${formatPercent(lostNs / pcpusNs)} of the pCPUs' time (${formatNs(lostNs)})`;
  return [`pCPUs idled while vCPUs waited: ${part}, unless affinity or pools want it so${sentenceEnd(row)}`];
}

function uneven(row: Row, trace: Judged): string[] {
  if (!(number(row.utilisation_spread) >= SPREAD_MIN && number(row.waiting_mean) >= WAITING_MIN)) return [];
  const pcpus = descending(trace.rows('pcpus'), 'utilisation').filter(
    ({ utilisation }) => utilisation !== null,
  );
  const [busiest, idlest] = [pcpus[0], pcpus.at(-1)];
  if (busiest === undefined || idlest === undefined) return [];
  const [most, least] = [busiest, idlest].map(({ utilisation }) => formatPercent(number(utilisation)));
  return [
    `pCPU ${busiest.pcpu} was busy for ${most} of the time, pCPU ${idlest.pcpu} for ${least}, ` +
      `while ${number(row.waiting_mean).toFixed(1)} vCPUs waited on average${sentenceEnd(row)}`,
  ];
}

function drift(row: Row): string[] {
  if (row.ideal_ns === null) return [];
  const [frameNs, idealNs] = [number(row.frame_ns_median), number(row.ideal_ns)];
  if (!(Math.abs(frameNs - idealNs) >= DRIFT_MIN * idealNs)) return [];
  return [
    `The frames of ${vcpuOf(row)} have ${formatNs(frameNs)} (the median of ${formatCount(number(row.frames))}), ` +
      `where ${formatNs(idealNs)} are probably meant${sentenceEnd(row)}`,
  ];
}

/** The end of a sentence, with how much of the time it rests on where that is not nearly all. */
function sentenceEnd({ coverage }: Row): string {
  const isPartial = typeof coverage === 'number' && coverage < WELL_KNOWN_MIN;
  return isPartial ? `; ${formatPercent(coverage)} of the time is known.` : '.';
}

function descending(rows: readonly Row[], column: string): Row[] {
  return [...rows].sort((a, b) => number(b[column]) - number(a[column]));
}

/** A cell's number; 0 where it is not available: nothing stands out there. */
function number(cell: Cell | undefined): number {
  return typeof cell === 'number' ? cell : 0;
}

function domOf({ dom }: Row): string {
  return domLabel(Number(dom));
}

function vcpuOf({ dom, vcpu }: Row): string {
  return vcpuLabel(Number(dom), Number(vcpu));
}
