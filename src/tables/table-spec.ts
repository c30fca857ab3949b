/**
 * How a table is described: as data, read by the writer, by the generated docs/tables.md and by the command
 * line.
 * @module
 */

/**
 * The Arrow types in use. Few and plain on purpose: every reader knows them. `dictionary` is text with signed
 * integer indices (pandas' categorical refuses unsigned ones).
 */
export type ArrowTypeName =
  | 'int64'
  | 'uint64'
  | 'uint32'
  | 'int32'
  | 'uint16'
  | 'uint8'
  | 'float64'
  | 'bool'
  | 'utf8'
  | 'dictionary'
  | 'list<uint32>';

/** One column. Absent values are null, never -1 or 0. */
export interface ColumnSpec {
  /** snake_case, stable; the unit is its last word. */
  readonly name: string;
  readonly type: ArrowTypeName;
  /** ns, tsc, pcpu, dom, vcpu, ...: also the Arrow field's metadata `unit`. */
  readonly unit?: string | undefined;
  readonly nullable: boolean;
  /** A sentence; also the Arrow field's metadata `doc`. */
  readonly doc: string;
  /** All entries of a dictionary, where they are known before the trace is read. */
  readonly values?: readonly string[] | undefined;
}

/** What a table is made from. */
export type TableKind = 'records' | 'class' | 'timeline' | 'summary';

/** One table: one file `NAME.arrow`. */
export interface TableSpec {
  readonly name: string;
  readonly kind: TableKind;
  readonly doc: string;
  readonly columns: readonly ColumnSpec[];
}

/** Written to every file as `schema_version`; grows when a column changes its meaning or goes away. */
export const SCHEMA_VERSION = 1;
