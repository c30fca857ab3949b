import type { Pcpu } from './state.ts';

const CAPACITY = 256;

/**
 * The pCPUs in the order in which their records come: that with the smallest orderTsc first, and of equal ones the one
 * that was last put in its place.
 *
 * xenalyze has a list and moves a pCPU from its front to its place step by step. A heap gives the same order, with a
 * number that grows for each placement; but only as long as whatever is in front is put in its place after its turn.
 * Where the file ends early, xenalyze leaves in front what it has given up: from then on it is a list here as well.
 */
export class PcpuOrder {
  /** A heap: the children of i are 2i + 1 and 2i + 2. As a sorted list, it is a heap too. */
  readonly #pcpus: Pcpu[] = [];
  #tsc = new Float64Array(CAPACITY);
  /** When each was put in its place. */
  #placed = new Float64Array(CAPACITY);
  /** What {@link #placed} will be of the pCPU whose turn it is: less than of those that are inserted meanwhile. */
  #turn = 0;
  #placements = 0;
  #isList = false;

  /** Begins the turn of the first pCPU, which lasts until the record of the one behind it, and returns it. */
  nextTurn(): Pcpu | undefined {
    this.#turn = ++this.#placements;
    const pcpus = this.#pcpus;
    if (pcpus.length === 0) return;
    const first = pcpus[0];
    if (pcpus.length === 1) first.turnEnd = Number.POSITIVE_INFINITY;
    else if (this.#isList) first.turnEnd = pcpus[1].orderTsc;
    else first.turnEnd = pcpus.length === 2 ? this.#tsc[1] : Math.min(this.#tsc[1], this.#tsc[2]);
    return first;
  }

  isFirst(pcpu: Pcpu): boolean {
    return this.#pcpus[0] === pcpu;
  }

  includes(pcpu: Pcpu): boolean {
    return this.#pcpus.includes(pcpu);
  }

  /** Puts in its place a pCPU that is new. */
  insert(pcpu: Pcpu): void {
    const pcpus = this.#pcpus;
    if (this.#isList) {
      const place = pcpus.findIndex(({ orderTsc }) => orderTsc >= pcpu.orderTsc);
      pcpus.splice(place < 0 ? pcpus.length : place, 0, pcpu);
      return;
    }
    if (pcpus.length === this.#tsc.length) this.#grow();
    pcpus.push(pcpu);
    this.#rise(pcpus.length - 1, pcpu, pcpu.orderTsc, ++this.#placements);
  }

  /** Puts the pCPU whose turn it was in the place of its next record. */
  place(pcpu: Pcpu): void {
    const at = this.#pcpus[0] === pcpu ? 0 : this.#pcpus.indexOf(pcpu);
    if (this.#isList) this.#moveBack(at, pcpu);
    else this.#sink(at, pcpu, pcpu.orderTsc, this.#turn);
  }

  /** Takes a pCPU out; false where it was not in. */
  remove(pcpu: Pcpu): boolean {
    const pcpus = this.#pcpus;
    const at = pcpus.indexOf(pcpu);
    if (at < 0) return false;
    if (this.#isList) {
      pcpus.splice(at, 1);
      return true;
    }
    const last = pcpus.pop();
    if (last === undefined || last === pcpu) return true;
    const from = pcpus.length;
    this.#sink(at, last, this.#tsc[from], this.#placed[from]);
    this.#rise(pcpus.indexOf(last), last, this.#tsc[from], this.#placed[from]);
    return true;
  }

  /** From now on, what is in front may stay there without being put in its place. */
  becomeList(): void {
    if (!this.#isList) this.#sort();
    this.#isList = true;
  }

  /** Moves a pCPU behind those behind it whose next record is earlier. */
  #moveBack(from: number, pcpu: Pcpu): void {
    const pcpus = this.#pcpus;
    let at = from;
    for (; at + 1 < pcpus.length && pcpus[at + 1].orderTsc < pcpu.orderTsc; at++) pcpus[at] = pcpus[at + 1];
    pcpus[at] = pcpu;
  }

  #sort(): void {
    const pcpus = this.#pcpus;
    const tsc = this.#tsc;
    const placed = this.#placed;
    const order = Array.from(pcpus.keys()).sort((p, q) => tsc[p] - tsc[q] || placed[q] - placed[p]);
    pcpus.splice(0, pcpus.length, ...order.map((at) => pcpus[at]));
  }

  #grow(): void {
    const { length } = this.#tsc;
    const [tsc, placed] = [new Float64Array(length * 2), new Float64Array(length * 2)];
    tsc.set(this.#tsc);
    placed.set(this.#placed);
    this.#tsc = tsc;
    this.#placed = placed;
  }

  #put(at: number, pcpu: Pcpu, tsc: number, placed: number): void {
    this.#pcpus[at] = pcpu;
    this.#tsc[at] = tsc;
    this.#placed[at] = placed;
  }

  #rise(from: number, pcpu: Pcpu, tsc: number, placed: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#tsc[parent] < tsc || (this.#tsc[parent] === tsc && this.#placed[parent] > placed)) break;
      this.#put(at, this.#pcpus[parent], this.#tsc[parent], this.#placed[parent]);
      at = parent;
    }
    this.#put(at, pcpu, tsc, placed);
  }

  #sink(from: number, pcpu: Pcpu, tsc: number, placed: number): void {
    const pcpus = this.#pcpus;
    const tscs = this.#tsc;
    const places = this.#placed;
    const { length } = pcpus;
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= length) break;
      const other = child + 1;
      if (other < length) {
        const difference = tscs[other] - tscs[child];
        if (difference < 0 || (difference === 0 && places[other] > places[child])) child = other;
      }
      if (tscs[child] > tsc || (tscs[child] === tsc && places[child] < placed)) break;
      pcpus[at] = pcpus[child];
      tscs[at] = tscs[child];
      places[at] = places[child];
      at = child;
    }
    pcpus[at] = pcpu;
    tscs[at] = tsc;
    places[at] = placed;
  }
}
