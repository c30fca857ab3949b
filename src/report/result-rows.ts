import type { Cell, ResultTable } from '../analysis/analysis.ts';

/** A row of a result, by column name; null is "not available". */
export type ResultRow = Record<string, Cell>;

/** A result's rows as objects by column name. */
export function resultRows({ columns, rows }: ResultTable): ResultRow[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}
