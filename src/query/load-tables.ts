import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AnalyzeOptions, analyzeTrace } from '../analysis/index.ts';
import { UserError } from '../base/errors.ts';
import type { TraceReader } from '../decoder/index.ts';
import type { TraceAhead } from '../timeline/index.ts';
import { PARTITION_COLUMNS, qualifiedName, type SqlTable } from './sql-tables.ts';
import type { TraceDatabase } from './trace-database.ts';

/**
 * Fills tables of a database from a trace, through Parquet files in `folder`: they do not have to fit into memory, and
 * DuckDB reads of them only what a query needs.
 *
 * @throws UserError where the trace cannot be read on or a file not written; damage in the trace never throws.
 */
export async function loadTables(
  database: TraceDatabase,
  trace: TraceReader | TraceAhead,
  tables: readonly SqlTable[],
  folder: string,
  options: Pick<AnalyzeOptions, 'domainParameters' | 'windowNs'> = {},
): Promise<void> {
  const { ParquetTables } = await import('../export/parquet-tables.ts');
  const parquet = new ParquetTables((table) => join(folder, `${table}.parquet`));
  try {
    const results = tables.filter(({ schema }) => schema === 'analysis');
    const passes = new Set(results.flatMap(({ pass }) => pass ?? []));
    if (passes.size > 0) {
      const found = analyzeTrace(trace, { ...options, analyses: [...passes] });
      const wanted = new Set(results.map(({ name }) => name));
      for (const table of found.tables) if (wanted.has(table.name)) await parquet.writeResult(trace, table);
    }
    const names = tables.filter(({ schema }) => schema === 'main').map(({ name }) => name);
    if (names.length > 0) {
      const reader = passes.size > 0 || !('readBatch' in trace) ? await trace.reopen() : trace;
      try {
        await parquet.writeTrace(reader, { tables: names, compression: 'snappy' });
      } finally {
        if (reader !== trace) reader.close();
      }
    }
    parquet.commit();
  } catch (error) {
    parquet.abort();
    throw error;
  }
  for (const table of tables) await database.attach(table, join(folder, `${pathOf(table)}.parquet`));
}

/**
 * Shows tables of a folder that `exportTrace` of export/parquet.ts has written, with columns `host` and `run`. Those
 * that the folder lacks stay empty.
 */
export async function attachFolder(
  database: TraceDatabase,
  folder: string,
  tables: readonly SqlTable[],
): Promise<void> {
  for (const table of tables) {
    const path = join(folder, pathOf(table));
    if (existsSync(path)) await database.attach(table, join(path, '*', '*', '*.parquet'), PARTITION_COLUMNS);
  }
}

/**
 * Tells a folder of exported traces from any other.
 *
 * @throws UserError not-exported, where the folder has none of the tables.
 */
export function refuseOtherFolder(folder: string, tables: readonly SqlTable[]): void {
  if (tables.some((table) => existsSync(join(folder, pathOf(table))))) return;
  throw new UserError('not-exported', `${folder} has no tables of traces`, {
    hint: `export TRACE... --to parquet -o ${folder} writes them`,
  });
}

function pathOf(table: SqlTable): string {
  return qualifiedName(table).replace('.', '/');
}
