import { dirname, join } from 'node:path';
import type { ResultTable } from '../analysis/index.ts';
import { makeFolder } from '../base/make-folder.ts';
import type { TraceFacts } from '../decoder/index.ts';
import { abortBehind, orUserError } from '../tables/byte-sink.ts';
import {
  handOnTables,
  metadataOf,
  resultTableToArrow,
  type TableSource,
  type TableSpec,
} from '../tables/index.ts';
import { ParquetSink, type ParquetSinkOptions } from './parquet-sink.ts';

/** The results of the analysis lie apart: two of them are called like tables of the trace. */
export const RESULTS_FOLDER = 'analysis';

export interface ParquetTablesOptions extends Pick<ParquetSinkOptions, 'compression'> {
  /** Names of the wanted tables of the trace; all by default, as `writeTables` has it. */
  readonly tables?: readonly string[] | undefined;
}

/**
 * Writes tables as Parquet files, each where `pathOf` says by its name, which is `analysis/NAME`
 * for results; the folders are made. All of them appear when `commit` is
 * called, none after `abort`. One pass over the trace, bounded memory: a row group of each table.
 */
export class ParquetTables {
  readonly #pathOf: (table: string) => string;
  readonly #sinks: ParquetSink[] = [];

  constructor(pathOf: (table: string) => string) {
    this.#pathOf = pathOf;
  }

  /**
   * Reads a trace to its end.
   *
   * @throws UserError where a name is no table's, or a file cannot be written; damage in the trace never throws.
   */
  async writeTrace(trace: TableSource, { tables, compression }: ParquetTablesOptions = {}): Promise<void> {
    const sinks: ParquetSink[] = [];
    const metadata = metadataOf(trace);
    const open = ({ name, columns }: Pick<TableSpec, 'name' | 'columns'>) => {
      const wideColumns = columns.filter(({ type }) => /^u?int64$/.test(type)).map((column) => column.name);
      sinks.push(this.#open(name, { wideColumns, compression, metadata }));
      return sinks.at(-1) as ParquetSink;
    };
    const ready = () => Promise.all(sinks.map((sink) => sink.ready()));
    await handOnTables(trace, open, { tables, ready });
    for (const sink of sinks) await sink.end();
  }

  /** Writes a result of an analysis of `trace`. */
  async writeResult(trace: TraceFacts, table: ResultTable): Promise<void> {
    const wideColumns = table.columns.filter(({ type }) => type === 'int').map(({ name }) => name);
    const metadata = metadataOf(trace);
    const sink = this.#open(join(RESULTS_FOLDER, table.name), { wideColumns, metadata });
    sink.write([resultTableToArrow(table, { metadata })]);
    await sink.end();
  }

  /** Paths of all files, in the order in which they were begun. */
  commit(): string[] {
    for (const sink of this.#sinks) sink.commit();
    return this.#sinks.map(({ path }) => path);
  }

  abort(): void {
    for (const sink of this.#sinks) abortBehind(sink);
  }

  #open(table: string, options: ParquetSinkOptions): ParquetSink {
    const path = this.#pathOf(table);
    orUserError(path, () => makeFolder(dirname(path)));
    const sink = new ParquetSink(path, options);
    this.#sinks.push(sink);
    return sink;
  }
}
