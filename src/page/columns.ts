type Column = Float64Array | Int32Array | Uint8Array;

/** Rows of numbers in typed columns that grow. */
export class Columns<C extends Record<string, Column>> {
  /** Rows in use: first to count - 1. */
  count = 0;
  first = 0;
  readonly columns: C;
  #capacity: number;

  /** @param columns of equal length, more than 0: the first capacity */
  constructor(columns: C) {
    this.columns = columns;
    this.#capacity = Object.values(columns)[0].length;
  }

  /** The index of a new row, which the caller fills. */
  push(): number {
    if (this.count === this.#capacity) this.#resize(this.#capacity * 2);
    return this.count++;
  }

  /** Forgets the rows before `row`. */
  dropUntil(row: number): void {
    this.first = row;
    if (row < this.count >>> 1) return;
    for (const column of Object.values(this.columns)) column.copyWithin(0, row, this.count);
    this.count -= row;
    this.first = 0;
  }

  #resize(capacity: number): void {
    for (const [name, column] of Object.entries(this.columns)) {
      const grown = new (column.constructor as new (length: number) => Column)(capacity);
      grown.set(column);
      (this.columns as Record<string, Column>)[name] = grown;
    }
    this.#capacity = capacity;
  }
}
