import { type Analysis, resultSpecs } from '../analysis/index.ts';
import type { EventCatalog } from '../format/index.ts';
import { type ArrowTypeName, type ResultColumn, tableSpecs } from '../tables/index.ts';

/** A column of a table that a query can name. */
export interface SqlColumn {
  readonly name: string;
  /** DuckDB's name of its type: `BIGINT`, `VARCHAR`, ... */
  readonly sqlType: string;
  readonly unit?: string | undefined;
  readonly doc: string;
}

/** A table that a query can name. */
export interface SqlTable {
  /** `main`: what the trace tells, row by row. `analysis`: what an analysis of it found. */
  readonly schema: 'main' | 'analysis';
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly SqlColumn[];
  /** The pass that gives it, in schema `analysis`. */
  readonly pass?: Analysis;
}

/** Every table that a trace, or a folder of Parquet files, can give, in the order in which they are listed. */
export function sqlTables(catalog: EventCatalog): SqlTable[] {
  const ofTrace = tableSpecs(catalog).map(({ name, doc, columns }): SqlTable => {
    return { schema: 'main', name, doc, columns: columns.map(sqlColumn) };
  });
  const results = resultSpecs(catalog).map(({ pass, table: { name, doc, columns } }): SqlTable => {
    return { schema: 'analysis', name, doc, columns: columns.map(sqlColumn), pass };
  });
  return [...ofTrace, ...results];
}

/** The columns by which the tables of a folder are partitioned. */
export const PARTITION_COLUMNS: readonly SqlColumn[] = [
  { name: 'host', sqlType: 'VARCHAR', doc: 'Where the trace was recorded.' },
  { name: 'run', sqlType: 'VARCHAR', doc: 'Which recording it is.' },
];

/** How a query may call it; the schema can be left out where the name is unique, or `main` is meant. */
export function qualifiedName({ schema, name }: SqlTable): string {
  return schema === 'main' ? name : `${schema}.${name}`;
}

/**
 * The tables whose names occur in a query, as words: a table whose name is used for something else is made in vain, but
 * none is missed, however the SQL is built.
 */
export function tablesNamedIn(sql: string, tables: readonly SqlTable[]): SqlTable[] {
  const named = new Set<SqlTable>();
  for (const [, schema, word] of sql.matchAll(/(?:\b(main|analysis)"?\s*\.\s*"?)?\b([a-z_]\w*)/gi)) {
    const matches = ({ schema: own, name }: SqlTable) =>
      name === word.toLowerCase() && (schema === undefined || own === schema.toLowerCase());
    const found = tables.find(matches);
    if (found !== undefined) named.add(found);
  }
  return [...named];
}

function sqlColumn({
  name,
  type,
  unit,
  doc,
}: Omit<ResultColumn, 'type'> & { type: keyof typeof SQL_TYPES }): SqlColumn {
  return { name, sqlType: SQL_TYPES[type], unit, doc };
}

/** What DuckDB makes of the types of our Parquet files. */
const SQL_TYPES = {
  int64: 'BIGINT',
  uint64: 'UBIGINT',
  uint32: 'UINTEGER',
  int32: 'INTEGER',
  uint16: 'USMALLINT',
  uint8: 'UTINYINT',
  float64: 'DOUBLE',
  bool: 'BOOLEAN',
  utf8: 'VARCHAR',
  dictionary: 'VARCHAR',
  'list<uint32>': 'UINTEGER[]',
  int: 'BIGINT',
  float: 'DOUBLE',
  string: 'VARCHAR',
} as const satisfies Record<ArrowTypeName | ResultColumn['type'], string>;
