import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { analyzeTrace, resultSpecs, WINDOW_NS_DEFAULT } from '../analysis/index.ts';
import type { TraceReader } from '../decoder/index.ts';
import { tableSpecs } from '../tables/index.ts';
import type { ExportPlace, FolderExportOptions } from './exporters.ts';
import { ParquetTables, RESULTS_FOLDER } from './parquet-tables.ts';

/**
 * Writes all tables of a trace and all results of its analysis below a folder, each as
 * `TABLE/host=HOST/run=RUN/part-0.parquet` (results: `analysis/TABLE/...`). More traces may be written below the same
 * folder; a trace of the same place is replaced. Files appear under their names when all are complete.
 *
 * Reads the trace twice; memory is bounded whatever its length.
 *
 * @returns the paths of the files
 * @throws UserError where a file cannot be written or the trace cannot be read on; damage in the trace never throws.
 */
export async function exportTrace(
  trace: TraceReader,
  folder: string,
  place: ExportPlace,
  { domainParameters = new Map(), windowNs = WINDOW_NS_DEFAULT }: FolderExportOptions = {},
): Promise<string[]> {
  const pathOf = (table: string) => join(folder, table, ...partition(place), 'part-0.parquet');
  const parquet = new ParquetTables(pathOf);
  try {
    await parquet.writeTrace(trace);
    const again = await trace.reopen();
    try {
      const { tables } = analyzeTrace(again, { domainParameters, windowNs });
      for (const table of tables) await parquet.writeResult(trace, table);
    } finally {
      again.close();
    }
    const paths = parquet.commit();
    removeStale(trace, pathOf, new Set(paths));
    return paths;
  } catch (error) {
    parquet.abort();
    throw error;
  }
}

/** Hive's way: `KEY=VALUE`, what is special in a path as %XX. Readers of partitions turn it back. */
function partition({ host, run }: ExportPlace): string[] {
  return Object.entries({ host, run }).map(([key, value]) => `${key}=${encode(value)}`);
}

function encode(value: string): string {
  const hex = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(value).replace(/[!'()*]/g, hex);
}

/** What an earlier export of this place wrote and this one did not: tables of classes without records. */
function removeStale(
  trace: TraceReader,
  pathOf: (table: string) => string,
  written: ReadonlySet<string>,
): void {
  const tables = tableSpecs(trace.catalog).map(({ name }) => name);
  const results = resultSpecs(trace.catalog).map(({ table }) => join(RESULTS_FOLDER, table.name));
  for (const path of [...tables, ...results].map(pathOf))
    if (!written.has(path)) rmSync(path, { force: true });
}
