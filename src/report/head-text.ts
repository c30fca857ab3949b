import { DOM_IDLE } from '../timeline/index.ts';
import { formatBytes, formatCount, formatHz, formatInstant, formatNs, formatPercent } from './quantities.ts';
import { TEXT_WIDTH, wrapText } from './text-table.ts';
import type { SummaryPart, TraceSummary } from './trace-summary.ts';

const INDENT = 9;

/** The head of every text report: what the trace is, and how far to trust it. */
export function renderHead(summary: TraceSummary): string {
  return `${headFields(summary)
    .map(([heading, text]) => field(heading, text))
    .join('\n')}\n`;
}

/** The same as pairs of heading and text. */
export function headFields(summary: TraceSummary): [string, string][] {
  const { name, bytes, records, windows } = summary;
  return [
    ['trace', `${name}: ${formatBytes(bytes)}, ${plural(records, 'record')} in ${plural(windows, 'window')}`],
    ['span', spanPhrase(summary)],
    ...onlyField(summary.part),
    ['domains', domainList(summary)],
    ['clock', clockSentence(summary)],
    ['trust', trustSentences(summary).join(' ')],
  ];
}

/** Diagnostics of a trace that goes on where its bytes end. */
const CUT_SHORT: readonly string[] = [
  'truncated_header',
  'truncated_window',
  'truncated_gzip',
  'corrupt_gzip',
  'file_shrank',
];

/** The sentences that say how far to trust the figures; the last word on unknown time is each figure's coverage. */
export function trustSentences(summary: TraceSummary): string[] {
  const { lostRecords, skippedBytes, bytes, unknownRecords, lateRecords, repairs } = summary;
  const sentences: string[] = [];
  if (lostRecords > 0) {
    const share = formatPercent(lostRecords / (lostRecords + summary.records));
    sentences.push(
      `Xen lost ${plural(lostRecords, 'record')} (${share}): states that they may hide are unknown.`,
    );
  }
  const isCut = summary.diagnostics.some(({ code }) => CUT_SHORT.includes(code));
  if (isCut) sentences.push('The trace was cut short: what came then is missing.');
  const isWrong = summary.diagnostics.some(({ code }) => code === 'gzip_checksum');
  if (isWrong) sentences.push("The gzip file's checksum is wrong: nobody can tell which bytes are.");
  if (skippedBytes > 0) {
    const share = formatPercent(skippedBytes / bytes);
    sentences.push(`${formatBytes(skippedBytes)} (${share}) are damaged and were skipped.`);
  }
  if (summary.partial) {
    sentences.push('Some pCPU was not traced: only running time is known.');
  } else if (repairs > 0) {
    sentences.push(
      `Runstates break ${plural(repairs, 'time')} where no loss is known: the time before is unknown.`,
    );
  }
  if (unknownRecords > 0) {
    sentences.push(
      `${plural(unknownRecords, 'record')} of unknown kinds: kept raw (--formats defines them).`,
    );
  }
  if (lateRecords > 0) sentences.push(`Time runs back on a pCPU ${plural(lateRecords, 'time')}.`);
  if (summary.cpuHz === null)
    sentences.push('Durations are in ticks, not in nanoseconds: --cpu-hz tells the rate.');
  if (summary.coreScheduling)
    sentences.push('Whole cores are scheduled: where a vCPU ran follows from its switches.');
  const intact =
    lostRecords + skippedBytes + unknownRecords + lateRecords + repairs === 0 &&
    !summary.partial &&
    !isCut &&
    !isWrong;
  if (bytes === 0) sentences.unshift('The trace is empty.');
  else if (intact) sentences.unshift('Nothing is lost, damaged or unknown.');
  return sentences;
}

/** `1 record`, `1,234 records`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function field(heading: string, text: string): string {
  return heading.padEnd(INDENT) + wrapText(text, TEXT_WIDTH, INDENT).trimStart();
}

/** Whether not all of the trace is looked at. */
export function isOfPart({ spanNs, part: { fromNs, endNs, vcpus, pcpus } }: TraceSummary): boolean {
  return fromNs !== 0 || endNs !== spanNs || vcpus !== null || pcpus !== null;
}

/** The whole trace, or the stretch that is looked at and of how much. */
function spanPhrase({ spanNs, part: { fromNs, endNs }, pcpus }: TraceSummary): string {
  const list = rangeList(pcpus.map(({ pcpu }) => pcpu)) || 'none';
  const whole = `${formatNs(spanNs)} on ${plural(pcpus.length, 'pCPU')} (${list})`;
  if (fromNs === 0 && endNs === spanNs) return whole;
  return `from ${formatInstant(fromNs)} to ${formatInstant(endNs)}: ${formatNs(endNs - fromNs)} of ${whole}`;
}

function onlyField({ vcpus, pcpus }: SummaryPart): [string, string][] {
  const chosen = [
    ...(vcpus === null ? [] : [vcpus.join(', ')]),
    ...(pcpus === null ? [] : [`pCPUs ${rangeList(pcpus)}`]),
  ];
  return chosen.length === 0 ? [] : [['only', chosen.join(' on ')]];
}

/** `0-3, 6` */
function rangeList(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const pcpu of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === pcpu - 1) last[1] = pcpu;
    else ranges.push([pcpu, pcpu]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

const DOMAINS_NAMED = 16;

function domainList({ domains }: TraceSummary): string {
  const guests = domains.filter(({ dom }) => dom !== DOM_IDLE);
  if (guests.length === 0) return 'none that runstate records name';
  const named = guests.slice(0, DOMAINS_NAMED).map(({ dom, vcpus }) => `d${dom} (${plural(vcpus, 'vCPU')})`);
  const more = guests.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function clockSentence({ cpuHz, cpuHzSource, cpuHzPairs, cpuHzSpreadPpm }: TraceSummary): string {
  if (cpuHz === null) return 'the trace does not tell the TSC frequency: 1 tick is shown as 1 ns';
  if (cpuHzSource === 'given') return `TSC at ${formatHz(cpuHz)}, as given`;
  const spread = cpuHzSpreadPpm < 10 ? cpuHzSpreadPpm.toFixed(1) : cpuHzSpreadPpm.toFixed(0);
  return (
    `TSC at ${formatHz(cpuHz)}, derived from ${plural(cpuHzPairs, 'stretch').replace('stretchs', 'stretches')} ` +
    `that the records time, half of which agree within ${spread} ppm`
  );
}
