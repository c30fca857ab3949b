/**
 * What stands out in a trace, in a few sentences: what somebody would look for first in the results, with the name of
 * the result that has the whole of it. The figures are those of the results, the thresholds rules of thumb (see
 * docs/metrics.md).
 * @module
 */
import type { Cell, ResultTable } from '../analysis/index.ts';
import { DOM_IDLE } from '../timeline/index.ts';
import { domLabel, vcpuLabel } from '../timeline/vcpu-label.ts';
import { plural } from './head-text.ts';
import { formatCount, formatInstant, formatNs, formatPercent } from './quantities.ts';

/** One sentence. */
export interface AnalysisFinding {
  /** Name of the result that it is from. */
  readonly result: string;
  readonly text: string;
}

/** Waiting, or being kept back by its own limits, for such a part of the time is worth a word; see steal's verdicts. */
export const WAITED_MIN = 0.05;
/** And so is a single wait of this length. */
export const LONG_WAIT_NS = 10_000_000;
/** A domain got so much more or less than its share; domains that are entitled to less than the second are left out. */
export const SHARE_ERROR_MIN = 0.05;
export const ENTITLED_SHARE_MIN = 0.01;
/** pCPU time that was lost while vCPUs waited. */
export const LOST_MIN = 0.01;
/** One pCPU was busier than another by so much of the time, while at least so many vCPUs waited on average. */
export const SPREAD_MIN = 0.3;
export const WAITING_MIN = 0.5;
/** Frames are longer or shorter than was probably meant. */
export const DRIFT_MIN = 0.001;
/** Below that it is said how much of the time is known. */
const COVERAGE_MIN = 0.9;
/** Domains, tasks or servers that are named, of each kind of finding. */
const NAMED = 3;

type Row = Readonly<Record<string, Cell>>;

/** What a kind of finding looks at. */
interface Check {
  /** The result that must have rows for it. */
  readonly result: string;
  /** The sentences about the rows that stand out, most important first; undefined where there is nothing to judge. */
  readonly findings: (rows: readonly Row[], results: Results) => readonly string[] | undefined;
  /** What its rows are about. */
  readonly noun: 'domain' | 'vCPU' | 'task' | 'host';
  /** What holds where nothing stands out. */
  readonly fine: string;
}

const CHECKS: readonly Check[] = [
  {
    result: 'deadlines',
    findings: (rows) => descending(rows, 'missed').flatMap(missedDeadlines),
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
    result: 'steal_by_domain',
    findings: (rows, results) => descending(rows, 'ready_ratio').flatMap((row) => waited(row, results)),
    noun: 'domain',
    fine: `no domain waited for ${formatPercent(WAITED_MIN)} of its vCPUs' time`,
  },
  {
    result: 'worst_waits',
    findings: (rows) => rows.slice(0, 1).flatMap(longestWait),
    noun: 'vCPU',
    fine: `no wait took ${formatNs(LONG_WAIT_NS)}`,
  },
  {
    result: 'steal_by_domain',
    findings: (rows) => descending(rows, 'throttled_ratio').flatMap(throttled),
    noun: 'domain',
    fine: 'none was kept back much by its own cap or budget',
  },
  {
    result: 'fairness',
    findings: (rows, results) => sharesMissed(rows, results)?.flatMap(unfairShare),
    noun: 'domain',
    fine: `each domain got its share to ${formatPercent(SHARE_ERROR_MIN)}`,
  },
  {
    result: 'balance',
    findings: ([row], results) => [...lost(row, results), ...uneven(row, results)],
    noun: 'host',
    fine: 'pCPUs hardly idled while vCPUs waited',
  },
  {
    result: 'frames',
    findings: (rows, results) => (results.hasScheduler ? undefined : rows.flatMap(drift)),
    noun: 'vCPU',
    fine: 'what is started periodically does not drift',
  },
];

/**
 * The findings in the results of all passes, the most important first; if there is none, one that says what was looked
 * at and found in order. Empty where the results have no rows.
 */
export function findingsOf(tables: readonly ResultTable[]): AnalysisFinding[] {
  const results = new Results(tables);
  const findings: AnalysisFinding[] = [];
  const fine: string[] = [];
  for (const { result, findings: find, noun, fine: isFine } of CHECKS) {
    const rows = results.rows(result).filter(({ coverage }) => coverage !== 0);
    const texts = rows.length > 0 ? find(rows, results) : undefined;
    if (texts === undefined) continue;
    for (const text of texts.slice(0, NAMED)) findings.push({ result, text });
    const more = texts.length - NAMED;
    if (more > 0)
      findings.push({ result, text: `The like holds for ${more} more ${noun}${more > 1 ? 's' : ''}.` });
    if (texts.length === 0) fine.push(isFine);
  }
  if (findings.length > 0 || fine.length === 0) return findings;
  const [leastKnown] = descending(results.rows('steal_by_domain'), 'coverage').slice(-1);
  return [{ result: 'steal_by_domain', text: `Nothing: ${fine.join('; ')}${sentenceEnd(leastKnown ?? {})}` }];
}

/** Results by name, their rows as objects. */
class Results {
  readonly #tables: ReadonlyMap<string, ResultTable>;

  constructor(tables: readonly ResultTable[]) {
    this.#tables = new Map(tables.map((table) => [table.name, table]));
  }

  rows(name: string): readonly Row[] {
    const { columns, rows } = this.#tables.get(name) ?? { columns: [], rows: [] };
    return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column.name, row[index]])));
  }

  /** Whether records tell which scheduler there is. ARINC653 makes none of its own; it has frames and no weights. */
  get hasScheduler(): boolean {
    return this.rows('scheduler_summary').some(({ schedulers }) => schedulers !== null);
  }
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

/** How one says that something made others wait, by reason of blame; one's own limits make no others wait. */
const REASON_WORDS = {
  boost: 'by BOOST',
  priority: 'by priority',
  turn: 'by turn',
  ratelimit: 'by the ratelimit',
  no_tickle: 'since no pCPU was told',
  idle: '',
  dispatch: 'on the way to the switch',
  unknown: 'for reasons unknown',
} as const;

function waited(row: Row, results: Results): string[] {
  const ratio = number(row.ready_ratio);
  if (!(ratio >= WAITED_MIN)) return [];
  const ofDomain = results.rows('antagonists_by_domain').filter(({ dom }) => dom === row.dom);
  const part = `${formatPercent(ratio)} of its vCPUs' time (${formatNs(number(row.ready_ns))})`;
  return [`${domOf(row)} waited for ${part}${largestCulprit(ofDomain)}${sentenceEnd(row)}`];
}

/** Who has the largest part in a domain's waits, as far as its own limits have none. */
function largestCulprit(rows: readonly Row[]): string {
  const blamedNs = (row: Row) => number(row.blamed_ns) - number(row.throttled_ns);
  const sumNs = rows.reduce((sum, row) => sum + blamedNs(row), 0);
  const [row] = [...rows].sort((a, b) => blamedNs(b) - blamedNs(a));
  if (row === undefined || !(blamedNs(row) > 0)) return '';
  const reasonNs = (reason: keyof typeof REASON_WORDS) => number(row[`${reason}_ns`]);
  const reasons = Object.keys(REASON_WORDS) as (keyof typeof REASON_WORDS)[];
  const [reason] = reasons.sort((a, b) => reasonNs(b) - reasonNs(a));
  const share = formatPercent(blamedNs(row) / sumNs);
  const why = REASON_WORDS[reason] === '' ? '' : `, mostly ${REASON_WORDS[reason]}`;
  return `; ${culpritWords(row)} the largest part in that (${share})${why}`;
}

function culpritWords({ dom, culprit_dom: culprit }: Row): string {
  if (culprit === null) return 'nobody knows who has';
  if (culprit === dom) return 'its own vCPUs have';
  return culprit === DOM_IDLE ? 'idle pCPUs have' : `${domLabel(Number(culprit))} has`;
}

function longestWait(row: Row): string[] {
  const waitNs = number(row.wait_ns);
  if (!(waitNs >= LONG_WAIT_NS)) return [];
  const ran = row.ran_dom === DOM_IDLE ? 'its pCPU idled for' : `${row.ran} ran`;
  const meanwhile = row.ran_dom === null ? '' : `; ${ran} ${formatNs(number(row.ran_ns))} of it`;
  const start = formatInstant(number(row.start_ns));
  return [`The longest wait is ${vcpuOf(row)}'s: ${formatNs(waitNs)} from ${start}${meanwhile}.`];
}

function throttled(row: Row): string[] {
  const ratio = number(row.throttled_ratio);
  if (!(ratio >= WAITED_MIN)) return [];
  const part = `${formatPercent(ratio)} of its vCPUs' time (${formatNs(number(row.throttled_ns))})`;
  return [`Its own cap or budget kept ${domOf(row)} back for ${part}${sentenceEnd(row)}`];
}

/** Those that are entitled to enough to compare, the furthest from it first. */
function sharesMissed(rows: readonly Row[], results: Results): Row[] | undefined {
  const missedNs = (row: Row) => Math.abs(number(row.run_ns) - number(row.entitlement_ns));
  const isComparable = (row: Row) => {
    const isGuess = row.weight_source === 'assumed' && !results.hasScheduler;
    return !isGuess && number(row.entitled_share) >= ENTITLED_SHARE_MIN;
  };
  const comparable = rows.filter(isComparable);
  return comparable.length < 2 ? undefined : comparable.sort((a, b) => missedNs(b) - missedNs(a));
}

/** A share that is wrong both if weights weigh domains and if they weigh vCPUs. More than is reserved is no wrong. */
function unfairShare(row: Row): string[] {
  const [error, vcpuError] = [number(row.share_error), number(row.vcpu_share_error)];
  const isWrong = Math.min(Math.abs(error), Math.abs(vcpuError)) >= SHARE_ERROR_MIN && error * vcpuError > 0;
  if (!isWrong || (error > 0 && row.reservation !== null)) return [];
  const assumed = row.weight_source === 'assumed' ? ', if weights are equal (--domains tells them)' : '';
  const [share, entitled] = [number(row.share), number(row.entitled_share)].map(formatPercent);
  return [
    `${domOf(row)} got ${formatPercent(Math.abs(error))} ${error > 0 ? 'more' : 'less'} than it is entitled to: ` +
      `${share} of the pCPUs' time in place of ${entitled}${assumed}${sentenceEnd(row)}`,
  ];
}

function lost(row: Row, results: Results): string[] {
  const pcpusNs = results
    .rows('pcpus')
    .reduce((sum, { busy_ns, idle_ns }) => sum + number(busy_ns) + number(idle_ns), 0);
  const lostNs = number(row.lost_ns);
  if (!(lostNs > 0 && lostNs >= LOST_MIN * pcpusNs)) return [];
  const part = `${formatPercent(lostNs / pcpusNs)} of the pCPUs' time (${formatNs(lostNs)})`;
  return [`pCPUs idled while vCPUs waited: ${part}${sentenceEnd(row)}`];
}

function uneven(row: Row, results: Results): string[] {
  if (!(number(row.utilisation_spread) >= SPREAD_MIN && number(row.waiting_mean) >= WAITING_MIN)) return [];
  const pcpus = descending(results.rows('pcpus'), 'utilisation').filter(
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
  if (row.ideal_ns === null || Math.abs(number(row.drift_ns_per_frame)) < DRIFT_MIN * number(row.ideal_ns))
    return [];
  const totalNs = number(row.drift_ns_total);
  return [
    `${vcpuOf(row)} is started every ${formatNs(number(row.ideal_ns) + number(row.drift_ns_per_frame))}, where ` +
      `${formatNs(number(row.ideal_ns))} are probably meant: ${formatNs(Math.abs(totalNs))} ` +
      `${totalNs > 0 ? 'late' : 'early'} after ${formatCount(number(row.frames))} frames${sentenceEnd(row)}`,
  ];
}

/** The end of a sentence, with how much of the time it rests on where that is not nearly all. */
function sentenceEnd({ coverage }: Row): string {
  const isPartial = typeof coverage === 'number' && coverage < COVERAGE_MIN;
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
