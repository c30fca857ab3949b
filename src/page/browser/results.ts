import type { ResultTable } from '../../analysis/analysis.ts';
import { type ResultRow, resultRows } from '../../report/result-rows.ts';

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
  rows(name: string): ResultRow[] {
    const table = this.table(name);
    return table === undefined ? [] : resultRows(table);
  }
}
