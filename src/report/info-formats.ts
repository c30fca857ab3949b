import type { ResultTable } from '../analysis/index.ts';
import { renderResultCsv } from './result-csv.ts';
import { summaryToJson } from './summary-json.ts';
import type { TraceSummary } from './trace-summary.ts';

/** `info --format json`: one object, see {@link summaryToJson}. */
export function renderInfoJson(summary: TraceSummary): string {
  return `${JSON.stringify(summaryToJson(summary), null, 2)}\n`;
}

/** `info --format csv`: {@link infoTable}. */
export function renderInfoCsv(summary: TraceSummary): string {
  return renderResultCsv(infoTable(summary));
}

/** The plain facts about a trace as one table of keys and values; lists are only in the JSON. */
export function infoTable(summary: TraceSummary): ResultTable {
  const rows = Object.entries(summaryToJson(summary))
    .filter(([, value]) => !Array.isArray(value))
    .map(([key, value]) => [key, value === null ? null : String(value)] as const);
  return {
    name: 'info',
    title: 'What is in the trace',
    doc: 'Facts about a trace: one row each.',
    columns: [
      { name: 'key', type: 'string', doc: 'The key, as in `info --format json`.' },
      { name: 'value', type: 'string', doc: 'The value as text.' },
    ],
    rows,
  };
}
