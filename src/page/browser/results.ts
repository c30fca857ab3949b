import type { Cell, ResultTable } from '../../analysis/analysis.ts';

/** The results of a trace by name. */
export class Results {
  readonly all: readonly ResultTable[];

  constructor(tables: readonly ResultTable[]) {
    this.all = tables;
  }

  table(name: string): ResultTable | undefined {
    return this.all.find((table) => table.name === name);
  }

  /** Rows as objects by column name; none where there is no such result. */
  rows(name: string): Record<string, Cell>[] {
    const table = this.table(name);
    if (table === undefined) return [];
    return table.rows.map((row) =>
      Object.fromEntries(table.columns.map((column, at) => [column.name, row[at]])),
    );
  }
}
