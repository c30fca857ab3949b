import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import { makeFolder } from '../base/make-folder.ts';
import { BATCH_ROWS, createRecordBatch } from '../decoder/index.ts';
import { abortBehind, DescriptorSink, FileSink, type OutputSink, orUserError } from './byte-sink.ts';
import { metadataOf } from './summary-tables.ts';
import type { TableSource } from './table-source.ts';
import type { TableSpec } from './table-spec.ts';
import { tableSpecs } from './table-specs.ts';
import { TableWriter } from './table-writer.ts';
import { TraceTables } from './trace-tables.ts';

/** Which tables are written. */
export interface WriteTablesOptions {
  /**
   * Names of the wanted tables; all by default. A class table named here is written even when it stays empty.
   */
  readonly tables?: readonly string[] | undefined;
}

/** A table that was written. */
export interface WrittenTable {
  readonly name: string;
  /** The folder that was given, `/`, and `NAME.arrow`. */
  readonly path: string;
  readonly rows: number;
  /** Of the file. */
  readonly bytes: number;
}

/**
 * Reads a trace to its end and writes its tables into a folder (made where it does not exist), each as
 * `NAME.arrow` in Arrow's IPC file format, uncompressed. One pass, bounded memory.
 *
 * Files appear under their names only when all of them are complete. A class table that this trace has no
 * records for is not written, and one that an earlier run left there is removed: the folder shows one trace.
 *
 * @param source a fresh reader; it stays open
 * @param folder where the files go
 * @throws UserError unknown-table, already-read, cannot-write, and where the trace cannot be read on.
 */
export function writeTables(
  source: TableSource,
  folder: string,
  options: WriteTablesOptions = {},
): WrittenTable[] {
  const sinks = new Map<string, FileSink>();
  try {
    const metadata = metadataOf(source);
    const tables = new TraceTables(
      source,
      (spec, writerOptions) => {
        if (sinks.size === 0) orUserError(folder, () => makeFolder(folder));
        const sink = new FileSink(join(folder, fileName(spec.name)));
        sinks.set(spec.name, sink);
        return new TableWriter(spec, sink, { ...writerOptions, metadata, format: 'file' });
      },
      options.tables,
    );
    readAll(source, tables);
    for (const sink of sinks.values()) sink.close();
    for (const sink of sinks.values()) sink.commit();
    removeStale(source, folder, sinks, options.tables);
    return [...sinks].map(([name, { path, bytes }]) => {
      return { name, path, bytes, rows: tables.writers.get(name)?.rowsWritten ?? 0 };
    });
  } catch (error) {
    for (const sink of sinks.values()) abortBehind(sink);
    throw error;
  }
}

/**
 * Reads a trace to its end and writes one of its tables in Arrow's IPC stream format: to a descriptor (1 is
 * standard output) or a sink, which is committed, or aborted where this throws. One pass, bounded memory.
 *
 * @param source a fresh reader; it stays open
 * @param name of a table: `records`, `waits`, ... (docs/tables.md, or {@link tableSpecs})
 * @returns the number of rows
 * @throws UserError unknown-table, already-read, and where the trace cannot be read on; whatever the sink throws; the
 *   system's error with code EPIPE when nobody reads a descriptor any more.
 */
export function streamTable(source: TableSource, name: string, to: number | OutputSink = 1): number {
  const sink = typeof to === 'number' ? new DescriptorSink(to) : to;
  try {
    const metadata = metadataOf(source);
    const tables = new TraceTables(
      source,
      (spec, options) => new TableWriter(spec, sink, { ...options, metadata, format: 'stream' }),
      [name],
    );
    readAll(source, tables);
    sink.commit();
    return tables.writers.get(name)?.rowsWritten ?? 0;
  } catch (error) {
    abortBehind(sink);
    throw error;
  }
}

/**
 * Reads a trace to its end and hands its tables on in batches, each an Arrow IPC stream of its own and one write to
 * the sink that `open` made for its table. `ready` is awaited after each batch of records: so a sink that works
 * asynchronously is never more than a batch behind. The caller commits the sinks.
 *
 * @throws UserError where a name is no table's.
 */
export async function handOnTables(
  source: TableSource,
  open: (spec: TableSpec) => OutputSink,
  { tables: names, ready }: WriteTablesOptions & { readonly ready: () => Promise<unknown> },
): Promise<void> {
  const metadata = metadataOf(source);
  const tables = new TraceTables(
    source,
    (spec, options) => new TableWriter(spec, open(spec), { ...options, metadata, format: 'streams' }),
    names,
  );
  const batch = createRecordBatch(BATCH_ROWS);
  while (source.readBatch(batch)) {
    tables.push(batch);
    await ready();
  }
  tables.finish();
  await ready();
}

function readAll(source: TableSource, tables: TraceTables): void {
  const batch = createRecordBatch(BATCH_ROWS);
  while (source.readBatch(batch)) tables.push(batch);
  tables.finish();
}

/** Class names come from definition files, a user's among them: they must not lead out of the folder. */
function fileName(table: string): string {
  assert(/^[A-Za-z0-9_-]+$/.test(table), `the table name ${table} cannot be a file name`);
  return `${table}.arrow`;
}

function removeStale(
  source: TableSource,
  folder: string,
  written: ReadonlyMap<string, unknown>,
  chosen: readonly string[] | undefined,
): void {
  const present = new Set(readdirSync(folder));
  for (const { name } of tableSpecs(source.catalog)) {
    const stale = present.has(`${name}.arrow`) && !written.has(name) && (chosen?.includes(name) ?? true);
    if (stale) rmSync(join(folder, fileName(name)));
  }
}
