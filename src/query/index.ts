/**
 * SQL over a trace: its tables and the results of its analysis, through DuckDB.
 *
 * In: a trace, or a folder that `export --to parquet` wrote, and a query. Out: rows. Only what the query names is made.
 * DuckDB is optional: without it this room says so in a sentence, and everything else works.
 * @module
 */
export { attachFolder, loadTables, refuseOtherFolder } from './load-tables.ts';
export {
  PARTITION_COLUMNS,
  qualifiedName,
  type SqlColumn,
  type SqlTable,
  sqlTables,
  tablesNamedIn,
} from './sql-tables.ts';
export { type QueryResult, type SqlValue, TraceDatabase } from './trace-database.ts';
export { RESULT_WRITERS, type ResultWriter } from './write-result.ts';
