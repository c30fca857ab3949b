/**
 * What happens next: numbered slots, each of which is due at one instant or not at all, in an indexed binary
 * heap over typed arrays.
 *
 * Order: time, then rank, then tie, then the order of setting. Setting a slot again re-arms it as the newest.
 * The queue knows nothing of what the slots mean.
 *
 * | operation          | cost     |
 * | ------------------ | -------- |
 * | nextTime, nextSlot | O(1)     |
 * | set, clear         | O(log n) |
 * | nextSlotOfRank     | O(n)     |
 */
export class EventQueue {
  #heap: Int32Array;
  /** Where a slot is in the heap; -1 is nowhere. */
  #position: Int32Array;
  #time: Float64Array;
  #rank: Int32Array;
  #tie: Float64Array;
  #sequence: Float64Array;
  #size = 0;
  #nextSequence = 0;

  /** `slots` is how many there are at first; {@link addSlot} makes more. */
  constructor(slots = 0) {
    this.#heap = new Int32Array(slots);
    this.#position = new Int32Array(slots).fill(-1);
    this.#time = new Float64Array(slots);
    this.#rank = new Int32Array(slots);
    this.#tie = new Float64Array(slots);
    this.#sequence = new Float64Array(slots);
    this.#slots = slots;
  }
  #slots: number;

  /** A new slot, not due; slots are numbered from 0. */
  addSlot(): number {
    if (this.#slots === this.#heap.length) this.#grow();
    this.#position[this.#slots] = -1;
    this.#slots += 1;
    return this.#slots - 1;
  }

  /** The number of slots that are due at some time. */
  get size(): number {
    return this.#size;
  }

  /** The earliest time, Infinity when nothing is due. */
  get nextTime(): number {
    return this.#size === 0 ? Infinity : this.#time[this.#heap[0]!]!;
  }

  /** The slot that comes first; -1 when nothing is due. */
  get nextSlot(): number {
    return this.#size === 0 ? -1 : this.#heap[0]!;
  }

  isSet(slot: number): boolean {
    return this.#position[slot]! >= 0;
  }

  timeOf(slot: number): number {
    return this.#time[slot]!;
  }

  rankOf(slot: number): number {
    return this.#rank[slot]!;
  }

  /** Makes `slot` due at `time`, whether it was due before or not. Ranks are integers of 32 bits. */
  set(slot: number, time: number, rank: number, tie = 0): void {
    this.#time[slot] = time;
    this.#rank[slot] = rank;
    this.#tie[slot] = tie;
    this.#sequence[slot] = this.#nextSequence;
    this.#nextSequence += 1;
    let at = this.#position[slot]!;
    if (at < 0) {
      at = this.#size;
      this.#size += 1;
      this.#heap[at] = slot;
      this.#position[slot] = at;
    }
    if (this.#siftUp(at) === at) this.#siftDown(at);
  }

  /** Makes `slot` not due; nothing happens if it is not. */
  clear(slot: number): void {
    const at = this.#position[slot]!;
    if (at < 0) return;
    this.#position[slot] = -1;
    this.#size -= 1;
    if (at === this.#size) return;
    const moved = this.#heap[this.#size]!;
    this.#heap[at] = moved;
    this.#position[moved] = at;
    if (this.#siftUp(at) === at) this.#siftDown(at);
  }

  /** The first slot of this rank that is due at `time` or before; -1 if there is none. */
  nextSlotOfRank(rank: number, time: number): number {
    let best = -1;
    for (let at = 0; at < this.#size; at += 1) {
      const slot = this.#heap[at]!;
      if (this.#rank[slot] !== rank || this.#time[slot]! > time) continue;
      if (best < 0 || this.#precedes(slot, best)) best = slot;
    }
    return best;
  }

  #precedes(a: number, b: number): boolean {
    const timeA = this.#time[a]!;
    const timeB = this.#time[b]!;
    if (timeA !== timeB) return timeA < timeB;
    const byRank = this.#rank[a]! - this.#rank[b]!;
    if (byRank !== 0) return byRank < 0;
    const byTie = this.#tie[a]! - this.#tie[b]!;
    if (byTie !== 0) return byTie < 0;
    return this.#sequence[a]! < this.#sequence[b]!;
  }

  #siftUp(from: number): number {
    const heap = this.#heap;
    const position = this.#position;
    const slot = heap[from]!;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt]!;
      if (!this.#precedes(slot, parent)) break;
      heap[at] = parent;
      position[parent] = at;
      at = parentAt;
    }
    heap[at] = slot;
    position[slot] = at;
    return at;
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const position = this.#position;
    const slot = heap[from]!;
    const size = this.#size;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= size) break;
      if (childAt + 1 < size && this.#precedes(heap[childAt + 1]!, heap[childAt]!)) childAt += 1;
      const child = heap[childAt]!;
      if (!this.#precedes(child, slot)) break;
      heap[at] = child;
      position[child] = at;
      at = childAt;
    }
    heap[at] = slot;
    position[slot] = at;
  }

  #grow(): void {
    const slots = Math.max(16, this.#heap.length * 2);
    const widen = <T extends Int32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#heap = widen(new Int32Array(slots), this.#heap);
    this.#position = widen(new Int32Array(slots), this.#position);
    this.#time = widen(new Float64Array(slots), this.#time);
    this.#rank = widen(new Int32Array(slots), this.#rank);
    this.#tie = widen(new Float64Array(slots), this.#tie);
    this.#sequence = widen(new Float64Array(slots), this.#sequence);
  }
}
