import type { ResultTable } from '../analysis/index.ts';
import type { AnalysisFinding } from './findings.ts';
import { isOfPart, renderHead } from './head-text.ts';
import { resultRows } from './result-rows.ts';
import { hasRows, isRepetition, renderEmptyResults, renderResultText } from './result-text.ts';
import { summaryToJson } from './summary-json.ts';
import { TEXT_WIDTH, underlined, wrapText } from './text-table.ts';
import type { TraceSummary } from './trace-summary.ts';

const STANDS_OUT = 'What stands out';

/**
 * `analyze` for people: what the trace is and how far to trust it, what stands out in it, then each result, and at last
 * which results are empty and why. A result by domain is left out where every domain has one vCPU: it would say the
 * same as the one by vCPU. Long results are shown with `withDetails`.
 */
export function renderAnalysisText(
  summary: TraceSummary,
  tables: readonly ResultTable[],
  {
    withDetails = false,
    findings = [],
  }: { withDetails?: boolean; findings?: readonly AnalysisFinding[] } = {},
): string {
  const shown = tables.filter((table) => !isRepetition(table, tables) && (withDetails || !table.detail));
  const empty = shown.filter((table) => !hasRows(table) && !isRepetition(table, shown));
  const standsOut = findings.length > 0 ? [renderFindings(findings)] : [];
  const sections = [renderHead(summary), ...standsOut, ...shown.filter(hasRows).map(renderResultText)];
  if (empty.length > 0) sections.push(renderEmptyResults(empty, { isPart: isOfPart(summary) }));
  return sections.join('\n');
}

/** Findings, each a paragraph of a list. */
function renderFindings(findings: readonly AnalysisFinding[]): string {
  const items = findings.map(({ text }) => `- ${wrapText(text, TEXT_WIDTH, 2).trimStart()}\n`);
  return underlined(STANDS_OUT) + items.join('');
}

/**
 * `analyze --format json`: `{ "trace": {...}, "findings": [...], "<table>": [ {column: value, ...}, ... ], ... }`, one
 * key for each result table, one object for each row; "not available" is null. Without `findings`, no such key.
 */
export function renderAnalysisJson(
  summary: TraceSummary,
  tables: readonly ResultTable[],
  findings?: readonly AnalysisFinding[],
): string {
  const result: Record<string, unknown> = { trace: summaryToJson(summary) };
  if (findings !== undefined) result.findings = findings;
  for (const table of tables) result[table.name] = resultRows(table);
  return `${JSON.stringify(result, null, 2)}\n`;
}
