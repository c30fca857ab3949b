import type { FigureTable } from '../../src/compare/index.ts';

/** Which rows of a table: those with these values in these columns. */
export type Where = Readonly<Record<string, string | number>>;

/** What the runs of one scenario, one for each seed, gave: the tables of the analysis. */
export class Outcome {
  readonly #runs: readonly (readonly FigureTable[])[];

  constructor(runs: readonly (readonly FigureTable[])[]) {
    this.#runs = runs;
  }

  /** The figure of the only row that matches, the mean over the seeds. Throws where there is not one row. */
  value(table: string, where: Where, column: string): number {
    return this.#mean((tables) => {
      const values = valuesOf(tables, table, where, column);
      if (values.length !== 1) {
        throw new Error(`${values.length} figures ${column} of ${table} for ${describe(where)}`);
      }
      return values[0];
    });
  }

  /** The sum of the rows that match, 0 where none does; the mean over the seeds. */
  sum(table: string, where: Where, column: string): number {
    return this.#mean((tables) => valuesOf(tables, table, where, column).reduce((sum, x) => sum + x, 0));
  }

  /** The greatest of all rows that match, of all seeds. */
  max(table: string, where: Where, column: string): number {
    return Math.max(...this.#runs.flatMap((tables) => valuesOf(tables, table, where, column)));
  }

  /** The smallest of all rows that match, of all seeds. */
  min(table: string, where: Where, column: string): number {
    return Math.min(...this.#runs.flatMap((tables) => valuesOf(tables, table, where, column)));
  }

  /** Of how many of the runs, 0 to 1, no row of the table has anything in this column. */
  fractionWithout(table: string, column: string): number {
    return this.#mean((tables) =>
      valuesOf(tables, table, {}, column).every((value) => value === 0) ? 1 : 0,
    );
  }

  /** Percent of one pCPU that a domain ran. */
  share(dom: number): number {
    return 100 * this.value('runstates_by_domain', { dom }, 'pcpu_share');
  }

  /** How often a second something of the table `scheduler` happened. */
  rate(event: string): number {
    return this.sum('scheduler', { event }, 'per_s');
  }

  /** Mean wait in milliseconds, of a cause or of all. */
  meanWait(where: Where): number {
    const count = this.sum('waits', where, 'count');
    return count === 0 ? 0 : this.sum('waits', where, 'wait_ns_total') / count / 1e6;
  }

  /** Longest wait in milliseconds. */
  maxWait(where: Where): number {
    return Math.max(0, this.max('waits', where, 'wait_ns_max')) / 1e6;
  }

  #mean(figure: (tables: readonly FigureTable[]) => number): number {
    return this.#runs.reduce((sum, tables) => sum + figure(tables), 0) / this.#runs.length;
  }
}

/** What is not available is left out. */
function valuesOf(tables: readonly FigureTable[], name: string, where: Where, column: string): number[] {
  const table = tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  const indexOf = (key: string) => {
    const index = table.columns.findIndex((candidate) => candidate.name === key);
    if (index < 0) throw new Error(`no column ${key} in ${name}`);
    return index;
  };
  const wanted = Object.entries(where).map(([key, value]) => ({ index: indexOf(key), value }));
  const index = indexOf(column);
  return table.rows
    .filter((row) => wanted.every((cell) => row[cell.index] === cell.value))
    .filter((row) => row[index] !== null)
    .map((row) => Number(row[index]));
}

function describe(where: Where): string {
  return Object.entries(where)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
