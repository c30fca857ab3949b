import { readFileSync } from 'node:fs';
import { type Table, tableFromIPC } from 'apache-arrow';

/** An Arrow file, or the bytes of one. */
export function readTable(from: string | Uint8Array): Table {
  return tableFromIPC(typeof from === 'string' ? readFileSync(from) : from);
}

/** The rows of a table as plain objects: 64-bit integers are bigints, lists are arrays, absent values null. */
export function readRows(from: string | Uint8Array, columns?: readonly string[]): Record<string, unknown>[] {
  const table = readTable(from);
  const names = columns ?? table.schema.fields.map(({ name }) => name);
  return Array.from({ length: table.numRows }, (_, row) => {
    return Object.fromEntries(names.map((name) => [name, plain(table.getChild(name)?.get(row))]));
  });
}

function plain(value: unknown): unknown {
  if (value !== null && typeof value === 'object' && Symbol.iterator in value)
    return [...(value as Iterable<unknown>)];
  return value;
}
