import type { ResultTable } from '../analysis/index.ts';
import type { AnalysisFinding } from './findings.ts';
import { isOfPart, renderHead } from './head-text.ts';
import { hasRows, isRepetition, renderEmptyResults, renderResultText } from './result-text.ts';
import { summaryToJson } from './summary-json.ts';
import { wrapText } from './text-table.ts';
import type { TraceSummary } from './trace-summary.ts';

const WIDTH = 110;
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
  const items = findings.map(({ text }) => `- ${wrapText(text, WIDTH, 2).trimStart()}\n`);
  return `${STANDS_OUT}\n${'-'.repeat(STANDS_OUT.length)}\n${items.join('')}`;
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

/** A result's rows as objects by column name. */
export function resultRows({ columns, rows }: ResultTable): Record<string, number | string | null>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}
