/**
 * A set of pCPUs, 0 to `size` - 1, with the operations of Xen's cpumask_t. Searches that find nothing answer
 * `size`, as Xen's answer nr_cpu_ids.
 */
export class Cpumask {
  readonly size: number;
  readonly words: Int32Array;

  constructor(size: number) {
    this.size = size;
    this.words = new Int32Array((size + 31) >>> 5);
  }

  static all(size: number): Cpumask {
    return new Cpumask(size).setAll();
  }

  static of(size: number, pcpus: Iterable<number>): Cpumask {
    const mask = new Cpumask(size);
    for (const pcpu of pcpus) mask.set(pcpu);
    return mask;
  }

  has(pcpu: number): boolean {
    return ((this.words[pcpu >>> 5]! >>> (pcpu & 31)) & 1) === 1;
  }

  set(pcpu: number): void {
    this.words[pcpu >>> 5]! |= 1 << (pcpu & 31);
  }

  unset(pcpu: number): void {
    this.words[pcpu >>> 5]! &= ~(1 << (pcpu & 31));
  }

  setAll(): this {
    for (let pcpu = 0; pcpu < this.size; pcpu += 1) this.set(pcpu);
    return this;
  }

  clear(): void {
    this.words.fill(0);
  }

  copy(from: Cpumask): void {
    for (let i = 0; i < this.words.length; i += 1) this.words[i] = from.words[i]!;
  }

  /** this = a ∩ b; either may be this. */
  and(a: Cpumask, b: Cpumask): void {
    for (let i = 0; i < this.words.length; i += 1) this.words[i] = a.words[i]! & b.words[i]!;
  }

  /** this = a ∪ b */
  or(a: Cpumask, b: Cpumask): void {
    for (let i = 0; i < this.words.length; i += 1) this.words[i] = a.words[i]! | b.words[i]!;
  }

  /** this = a \ b */
  andNot(a: Cpumask, b: Cpumask): void {
    for (let i = 0; i < this.words.length; i += 1) this.words[i] = a.words[i]! & ~b.words[i]!;
  }

  isEmpty(): boolean {
    for (let i = 0; i < this.words.length; i += 1) if (this.words[i] !== 0) return false;
    return true;
  }

  intersects(other: Cpumask): boolean {
    for (let i = 0; i < this.words.length; i += 1) if ((this.words[i]! & other.words[i]!) !== 0) return true;
    return false;
  }

  isSubsetOf(other: Cpumask): boolean {
    for (let i = 0; i < this.words.length; i += 1)
      if ((this.words[i]! & ~other.words[i]!) !== 0) return false;
    return true;
  }

  /** How many pCPUs are in the set. */
  weight(): number {
    let count = 0;
    for (let i = 0; i < this.words.length; i += 1) {
      for (let word = this.words[i]!; word !== 0; word &= word - 1) count += 1;
    }
    return count;
  }

  /** The lowest pCPU. */
  first(): number {
    return this.next(-1);
  }

  /** The lowest pCPU above `after`. */
  next(after: number): number {
    const from = after + 1;
    let i = from >>> 5;
    if (i >= this.words.length) return this.size;
    let word = this.words[i]! & (-1 << (from & 31));
    for (;;) {
      if (word !== 0) return (i << 5) + 31 - Math.clz32(word & -word);
      i += 1;
      if (i >= this.words.length) return this.size;
      word = this.words[i]!;
    }
  }

  /** The next pCPU above `after`, going round: `after` itself comes last. */
  cycle(after: number): number {
    const next = this.next(after);
    return next < this.size ? next : this.next(-1);
  }
}
