/**
 * Arrow tables of a trace, for notebooks and other programs.
 *
 * In: the decoder's batches of records, and through the timeline what the vCPUs did. Out: one Arrow file a
 * table (docs/tables.md), or one table as a stream. The tables are declared as data (tableSpecs), from which
 * the writer, the documentation and the command line read. This is the only room that knows Apache Arrow; it
 * refuses to know what the tables are used for, and it draws no conclusions.
 */
export { DescriptorSink, FileSink, MemoryOutputSink, type OutputSink } from './byte-sink.ts';
export {
  type ResultColumn,
  type ResultTableLike,
  type ResultTableOptions,
  resultTableToArrow,
} from './result-table.ts';
export { metadataOf } from './summary-tables.ts';
export type { TableSource } from './table-source.ts';
export {
  type ArrowTypeName,
  type ColumnSpec,
  SCHEMA_VERSION,
  type TableKind,
  type TableSpec,
} from './table-spec.ts';
export { OTHER_VALUE, tableSpecs, UNKNOWN_EVENT } from './table-specs.ts';
export type { ArrowFormat } from './table-writer.ts';
export { renderTablesDoc } from './tables-doc.ts';
export { type OpenTable, TraceTables } from './trace-tables.ts';
export {
  handOnTables,
  streamTable,
  type WriteTablesOptions,
  type WrittenTable,
  writeTables,
} from './write-tables.ts';
