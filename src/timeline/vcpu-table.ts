/**
 * Numbers vCPUs in the order in which a trace first names them, so that per-vCPU state is a row of typed arrays.
 * @module
 */

/** More distinct vCPUs than any host has; a damaged trace may name more, and those are passed over. */
export const VCPUS_MAX = 65_536;

const FREE = -1;
const HASH_MULTIPLIER = 0x9e3779b1 | 0;

/** A set of vCPUs, each with its index. A vCPU's key is `dom << 16 | vcpu`, as Xen packs it. */
export class VcpuTable {
  /** Indices in use: 0 to count - 1. */
  count = 0;
  /** Keys by index, at least `count` long. */
  keys = new Uint32Array(64);
  #slots = new Int32Array(256).fill(FREE);

  /** The index of `key`, or -1. */
  find(key: number): number {
    const mask = this.#slots.length - 1;
    let slot = (Math.imul(key, HASH_MULTIPLIER) >>> 12) & mask;
    for (;;) {
      const index = this.#slots[slot];
      if (index === FREE || this.keys[index] === key) return index;
      slot = (slot + 1) & mask;
    }
  }

  /** The index of `key`, a new one where it has none yet; -1 where the table is full ({@link VCPUS_MAX}). */
  indexOf(key: number): number {
    const index = this.find(key);
    return index === FREE && this.count < VCPUS_MAX ? this.#add(key) : index;
  }

  #add(key: number): number {
    if (this.count === this.keys.length) this.#grow();
    const index = this.count++;
    this.keys[index] = key;
    this.#place(key, index);
    return index;
  }

  #place(key: number, index: number): void {
    const mask = this.#slots.length - 1;
    let slot = (Math.imul(key, HASH_MULTIPLIER) >>> 12) & mask;
    while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }

  /** Keeps the slots at most a quarter full. */
  #grow(): void {
    const keys = new Uint32Array(this.keys.length * 2);
    keys.set(this.keys);
    this.keys = keys;
    this.#slots = new Int32Array(keys.length * 4).fill(FREE);
    for (let index = 0; index < this.count; index++) this.#place(keys[index], index);
  }
}
