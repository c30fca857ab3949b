import type { Diagnostic } from '../decoder/diagnostic.ts';
import { domLabel } from '../timeline/vcpu-label.ts';
import { plural, renderHead } from './head-text.ts';
import { formatCount, formatNs, formatPercent } from './quantities.ts';
import { TEXT_WIDTH, textTable, wrapText } from './text-table.ts';
import type { TraceSummary } from './trace-summary.ts';

/** Diagnostics shown one by one; programs get all. */
const DIAGNOSTICS_SHOWN = 20;

/** `info` for people: the head, then pCPUs, domains, events and diagnostics. */
export function renderInfoText(summary: TraceSummary): string {
  const sections = [renderHead(summary), pcpuSection(summary), domainSection(summary), eventSection(summary)];
  if (summary.unknown.length > 0) sections.push(unknownSection(summary));
  if (summary.diagnostics.length > 0) sections.push(diagnosticSection(summary.diagnostics));
  return sections.join('\n');
}

function pcpuSection({ pcpus, records }: TraceSummary): string {
  const rows = pcpus.map((each) => [
    String(each.pcpu),
    formatCount(each.records),
    records > 0 ? formatPercent(each.records / records) : '-',
  ]);
  return textTable(['pcpu', 'records', 'part'], rows, []);
}

function domainSection({ domains }: TraceSummary): string {
  if (domains.length === 0) return 'No domain is named by a runstate record.\n';
  const instant = (ns: number | null) => (ns === null ? '-' : formatNs(ns));
  const rows = domains.map(({ dom, vcpus, createdNs, removedNs }) => [
    domLabel(dom),
    formatCount(vcpus),
    instant(createdNs),
    instant(removedNs),
  ]);
  return textTable(['domain', 'vcpus', 'created', 'removed'], rows, [true]);
}

function eventSection({ events, records }: TraceSummary): string {
  const rows = [...events]
    .sort((a, b) => b.records - a.records || a.id - b.id)
    .map((event) => [
      event.name,
      `0x${event.id.toString(16).padStart(8, '0')}`,
      event.className,
      formatCount(event.records),
      formatPercent(event.records / records),
    ]);
  return textTable(['event', 'id', 'class', 'records', 'part'], rows, [true, true, true]);
}

function unknownSection({ unknown }: TraceSummary): string {
  const rows = [...unknown]
    .sort((a, b) => b.records - a.records)
    .map(({ kind, records }) => [kind, formatCount(records)]);
  return textTable(['unknown event/words', 'records'], rows, [true]);
}

function diagnosticSection(diagnostics: readonly Diagnostic[]): string {
  const shown = diagnostics.slice(0, DIAGNOSTICS_SHOWN).map(({ severity, code, message, advice }) => {
    return `${severity} ${code}\n${wrapText(`${message} ${advice}`, TEXT_WIDTH, 4)}`;
  });
  const more = diagnostics.length - shown.length;
  if (more > 0) shown.push(`${plural(more, 'more diagnostic')}: --format json has all of them.`);
  return `${shown.join('\n')}\n`;
}
