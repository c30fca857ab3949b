import type { ResultTable } from '../analysis/index.ts';
import { renderHead } from './head-text.ts';
import { hasRows, isRepetition, renderEmptyResults, renderResultText } from './result-text.ts';
import { summaryToJson } from './summary-json.ts';
import type { TraceSummary } from './trace-summary.ts';

/**
 * `analyze` for people: what the trace is and how far to trust it, then each result, and at last which results are
 * empty and why. A result by domain is left out where every domain has one vCPU: it would say the same as the one by
 * vCPU. Long results are shown with `withDetails`.
 */
export function renderAnalysisText(
  summary: TraceSummary,
  tables: readonly ResultTable[],
  { withDetails = false } = {},
): string {
  const shown = tables.filter((table) => !isRepetition(table, tables) && (withDetails || !table.detail));
  const empty = shown.filter((table) => !hasRows(table) && !isRepetition(table, shown));
  const sections = [renderHead(summary), ...shown.filter(hasRows).map(renderResultText)];
  if (empty.length > 0) sections.push(renderEmptyResults(empty));
  return sections.join('\n');
}

/**
 * `analyze --format json`: `{ "trace": {...}, "<table>": [ {column: value, ...}, ... ], ... }`, one key for each result
 * table, one object for each row; "not available" is null.
 */
export function renderAnalysisJson(summary: TraceSummary, tables: readonly ResultTable[]): string {
  const result: Record<string, unknown> = { trace: summaryToJson(summary) };
  for (const table of tables) result[table.name] = resultRows(table);
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** A result's rows as objects by column name. */
export function resultRows({ columns, rows }: ResultTable): Record<string, number | string | null>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}
