const FREE = -1;
const HASH_MULTIPLIER = 0x9e3779b1 | 0;

/** Sums by a pair of small whole numbers and a column: a matrix of which few cells are not zero. */
export class PairSums {
  /** Pairs in use: 0 to count - 1, in the order in which they came. */
  count = 0;
  first = new Int32Array(64);
  second = new Int32Array(64);
  readonly #columns: number;
  #sums: Float64Array;
  #slots = new Int32Array(256).fill(FREE);

  /** @param columns sums kept of each pair */
  constructor(columns: number) {
    this.#columns = columns;
    this.#sums = new Float64Array(64 * columns);
  }

  add(first: number, second: number, column: number, value: number): void {
    // The index first: making room for a new pair replaces the array.
    const index = this.#indexOf(first, second);
    this.#sums[index * this.#columns + column] += value;
  }

  /** The sums of the pair with that index. */
  sums(index: number): Float64Array {
    return this.#sums.subarray(index * this.#columns, (index + 1) * this.#columns);
  }

  #indexOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let slot = slotOf(first, second) & mask;
    for (;;) {
      const index = this.#slots[slot];
      if (index === FREE) return this.#add(first, second, slot);
      if (this.first[index] === first && this.second[index] === second) return index;
      slot = (slot + 1) & mask;
    }
  }

  #add(first: number, second: number, slot: number): number {
    const index = this.count++;
    this.#slots[slot] = index;
    this.first[index] = first;
    this.second[index] = second;
    if (this.count === this.first.length) this.#grow();
    return index;
  }

  /** Keeps the slots at most a quarter full. */
  #grow(): void {
    const size = this.first.length * 2;
    const { first, second } = this;
    this.first = new Int32Array(size);
    this.first.set(first);
    this.second = new Int32Array(size);
    this.second.set(second);
    const sums = new Float64Array(size * this.#columns);
    sums.set(this.#sums);
    this.#sums = sums;
    this.#slots = new Int32Array(size * 4).fill(FREE);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = slotOf(this.first[index], this.second[index]) & mask;
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
      this.#slots[slot] = index;
    }
  }
}

function slotOf(first: number, second: number): number {
  const mixed = Math.imul(first ^ Math.imul(second, 0x85ebca6b | 0), HASH_MULTIPLIER);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
