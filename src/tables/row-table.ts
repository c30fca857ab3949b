import { assert } from '../base/assert.ts';
import { type ColumnBuffer, putInt64, putText, setBit, setValid, skipText } from './column-buffer.ts';
import type { TableWriter } from './table-writer.ts';

/** A value of a small table; bigints for 64-bit columns beyond 2^53. */
export type Cell = number | bigint | string | boolean | null;

/**
 * Appends one row of plain values, in the order of the columns. For small tables: the big ones fill their
 * columns.
 */
export function appendRow(writer: TableWriter, cells: readonly Cell[]): void {
  const { columns, spec } = writer;
  assert(
    cells.length === columns.length,
    `${cells.length} cells for the ${columns.length} columns of ${spec.name}`,
  );
  if (writer.rows === writer.rowsMax) writer.flush();
  for (const [index, column] of columns.entries()) putCell(column, writer.rows, cells[index]);
  writer.rows++;
}

function putCell(column: ColumnBuffer, row: number, cell: Cell): void {
  const { spec, values } = column;
  if (cell === null) {
    assert(spec.nullable, `the column ${spec.name} cannot be null`);
    if (spec.type === 'utf8') skipText(column, row);
    return;
  }
  if (spec.nullable) setValid(column, row);
  switch (spec.type) {
    case 'utf8':
      putText(column, row, encoder.encode(String(cell)));
      break;
    case 'dictionary':
      values[row] = entryOf(column, String(cell));
      break;
    case 'int64':
    case 'uint64':
      putWide(values as Uint32Array, row, cell);
      break;
    case 'bool':
      if (cell) setBit(values as Uint8Array, row);
      break;
    default:
      values[row] = Number(cell);
  }
}

const encoder = new TextEncoder();

function putWide(pairs: Uint32Array, row: number, cell: Cell): void {
  if (typeof cell === 'bigint') {
    pairs[2 * row] = Number(cell & 0xffffffffn);
    pairs[2 * row + 1] = Number((cell >> 32n) & 0xffffffffn);
  } else {
    assert(Number.isInteger(cell), `${cell} is not an integer`);
    putInt64(pairs, row, Number(cell));
  }
}

function entryOf(column: ColumnBuffer, text: string): number {
  let index = entries.get(column);
  if (!index) {
    index = new Map([...(column.dictionary ?? [])].map((entry, at) => [entry as string, at]));
    entries.set(column, index);
  }
  const entry = index.get(text);
  assert(entry !== undefined, `${text} is not in the dictionary of ${column.spec.name}`);
  return entry;
}

const entries = new WeakMap<ColumnBuffer, Map<string, number>>();
