import type { Cell, ResultTable } from '../analysis/index.ts';

/** One result as CSV (RFC 4180): a header of column names, plain numbers, nothing for "not available", CRLF ends. */
export function renderResultCsv(table: ResultTable): string {
  const lines = [table.columns.map(({ name }) => name), ...table.rows];
  return lines.map(csvLine).join('');
}

/**
 * Several results as one text: each as {@link renderResultCsv} has it, but with a first column `table` that names it,
 * and an empty line between.
 */
export function renderResultsCsv(tables: readonly ResultTable[]): string {
  return tables
    .map((table) =>
      [['table', ...table.columns.map(({ name }) => name)], ...table.rows.map((row) => [table.name, ...row])]
        .map(csvLine)
        .join(''),
    )
    .join('\r\n');
}

/** One line of CSV. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
