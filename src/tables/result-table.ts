import { MemoryOutputSink } from './byte-sink.ts';
import { appendRow } from './row-table.ts';
import type { ColumnSpec } from './table-spec.ts';
import { type ArrowFormat, TableWriter } from './table-writer.ts';

/** An analysis's result, as far as Arrow is concerned. */
export interface ResultTableLike {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly (number | string | null)[])[];
}

/** A column of a result: `Column` of an analysis has all of it. */
export interface ResultColumn {
  readonly name: string;
  readonly type: 'int' | 'float' | 'string';
  readonly unit?: string | undefined;
  readonly doc: string;
}

/** How {@link resultTableToArrow} writes. */
export interface ResultTableOptions {
  /** `stream` (the default) for pipes, `file` for files. */
  readonly format?: ArrowFormat | undefined;
  /** Written into the schema, beside the name of the table. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

/** A small table as Arrow: int is Int64, float Float64, string a dictionary of text; all may be null. */
export function resultTableToArrow(table: ResultTableLike, options: ResultTableOptions = {}): Uint8Array {
  const columns = table.columns.map((column, index): ColumnSpec => {
    const { name, unit, doc } = column;
    if (column.type !== 'string') return { name, unit, doc, type: TYPES[column.type], nullable: true };
    const texts = table.rows.map((row) => row[index]).filter((cell) => cell !== null);
    return { name, unit, doc, type: 'dictionary', nullable: true, values: [...new Set(texts.map(String))] };
  });
  const sink = new MemoryOutputSink();
  const metadata = new Map([['doc', table.doc], ...(options.metadata ?? [])]);
  const spec = { name: table.name, kind: 'summary' as const, doc: table.doc, columns };
  const format = options.format ?? 'stream';
  const writer = new TableWriter(spec, sink, { format, metadata, rowsMax: rowsMaxOf(table.rows.length) });
  for (const row of table.rows) appendRow(writer, row);
  writer.finish();
  return sink.bytes();
}

const TYPES = { int: 'int64', float: 'float64' } as const;

function rowsMaxOf(rows: number): number {
  return Math.min(65_536, Math.max(32, rows));
}
