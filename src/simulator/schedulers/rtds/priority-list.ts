/**
 * A list of numbered members with keys (level, deadline), into which each is inserted before the first member in the
 * order of the list whose key is greater. With keys that never change that is a list sorted by key, of equals the
 * first one first; where keys change in their place it need not be sorted, and the place is still the one that a
 * search from the front finds.
 *
 * A treap over the positions in the list, each node with the greatest key below it.
 *
 * | operation              | cost                                  |
 * | ---------------------- | ------------------------------------- |
 * | insert, remove, update | O(log n) on average                   |
 * | next                   | O(log n), O(1) on average over a walk |
 * | first                  | O(1)                                  |
 */
export class PriorityList {
  readonly #equalsGoFirst: boolean;
  #left = new Int32Array(0);
  #right = new Int32Array(0);
  #parent = new Int32Array(0);
  /** Heap order of the treap; 0 is not in the list. */
  #weight = new Uint32Array(0);
  #level = new Float64Array(0);
  #deadline = new Float64Array(0);
  /** The greatest key of a node and all below it. */
  #topLevel = new Float64Array(0);
  #topDeadline = new Float64Array(0);
  #root = -1;
  #first = -1;
  #random = 0x9e3779b9;

  /** `equalsGoFirst`: a new member goes before the first one whose key is greater or equal. */
  constructor(equalsGoFirst: boolean) {
    this.#equalsGoFirst = equalsGoFirst;
  }

  get isEmpty(): boolean {
    return this.#root < 0;
  }

  has(member: number): boolean {
    return member < this.#weight.length && this.#weight[member] !== 0;
  }

  /** The member at the front, -1 if there is none. */
  first(): number {
    return this.#first;
  }

  /** The member behind `member`, -1 if there is none. */
  next(member: number): number {
    if (this.#right[member]! >= 0) return this.#leftmost(this.#right[member]!);
    let node = member;
    let parent = this.#parent[node]!;
    while (parent >= 0 && this.#right[parent] === node) {
      node = parent;
      parent = this.#parent[node]!;
    }
    return parent;
  }

  /** Inserts a member that is not in the list. */
  insert(member: number, level: number, deadline: number): void {
    if (member >= this.#weight.length) this.#grow(member);
    this.#left[member] = -1;
    this.#right[member] = -1;
    this.#level[member] = level;
    this.#deadline[member] = deadline;
    this.#topLevel[member] = level;
    this.#topDeadline[member] = deadline;
    this.#weight[member] = this.#nextWeight();
    if (this.#root < 0) {
      this.#parent[member] = -1;
      this.#root = member;
      this.#first = member;
      return;
    }
    const behind = this.#findGreater(level, deadline);
    if (behind === this.#first) this.#first = member;
    if (behind < 0) this.#hang(member, this.#rightmost(this.#root), this.#right);
    else if (this.#left[behind]! < 0) this.#hang(member, behind, this.#left);
    else this.#hang(member, this.#rightmost(this.#left[behind]!), this.#right);
    for (let up = this.#parent[member]!; up >= 0; up = this.#parent[up]!) {
      if (!this.#isBeyond(level, deadline, this.#topLevel[up]!, this.#topDeadline[up]!)) break;
      this.#topLevel[up] = level;
      this.#topDeadline[up] = deadline;
    }
    while (this.#parent[member]! >= 0 && this.#weight[this.#parent[member]!]! < this.#weight[member]!) {
      this.#rotateUp(member);
    }
  }

  /** Takes a member out. */
  remove(member: number): void {
    if (member === this.#first) this.#first = this.next(member);
    for (;;) {
      const left = this.#left[member]!;
      const right = this.#right[member]!;
      if (left < 0 || right < 0) {
        const parent = this.#parent[member]!;
        const child = left < 0 ? right : left;
        if (child >= 0) this.#parent[child] = parent;
        if (parent < 0) this.#root = child;
        else if (this.#left[parent] === member) this.#left[parent] = child;
        else this.#right[parent] = child;
        this.#weight[member] = 0;
        this.#recomputeUp(parent);
        return;
      }
      this.#rotateUp(this.#weight[left]! > this.#weight[right]! ? left : right);
    }
  }

  /** A member's key has changed; it stays in its place. */
  update(member: number, level: number, deadline: number): void {
    this.#level[member] = level;
    this.#deadline[member] = deadline;
    this.#recomputeUp(member);
  }

  /** The first member whose key is greater, or equal if equals go first; -1 if there is none. */
  #findGreater(level: number, deadline: number): number {
    let node = this.#root;
    if (!this.#isGreater(this.#topLevel[node]!, this.#topDeadline[node]!, level, deadline)) return -1;
    for (;;) {
      const left = this.#left[node]!;
      if (left >= 0 && this.#isGreater(this.#topLevel[left]!, this.#topDeadline[left]!, level, deadline)) {
        node = left;
      } else if (this.#isGreater(this.#level[node]!, this.#deadline[node]!, level, deadline)) {
        return node;
      } else {
        node = this.#right[node]!;
      }
    }
  }

  #isGreater(level: number, deadline: number, thanLevel: number, thanDeadline: number): boolean {
    if (level !== thanLevel) return level > thanLevel;
    return deadline > thanDeadline || (this.#equalsGoFirst && deadline === thanDeadline);
  }

  #isBeyond(level: number, deadline: number, thanLevel: number, thanDeadline: number): boolean {
    return level > thanLevel || (level === thanLevel && deadline > thanDeadline);
  }

  #hang(member: number, parent: number, side: Int32Array): void {
    side[parent] = member;
    this.#parent[member] = parent;
  }

  #leftmost(node: number): number {
    const left = this.#left;
    let at = node;
    while (left[at]! >= 0) at = left[at]!;
    return at;
  }

  #rightmost(node: number): number {
    const right = this.#right;
    let at = node;
    while (right[at]! >= 0) at = right[at]!;
    return at;
  }

  /** `child` takes the place of its parent, which becomes its child. */
  #rotateUp(child: number): void {
    const parent = this.#parent[child]!;
    const grand = this.#parent[parent]!;
    const isLeft = this.#left[parent] === child;
    const from = isLeft ? this.#left : this.#right;
    const to = isLeft ? this.#right : this.#left;
    const moved = to[child]!;
    from[parent] = moved;
    if (moved >= 0) this.#parent[moved] = parent;
    to[child] = parent;
    this.#parent[parent] = child;
    this.#parent[child] = grand;
    if (grand < 0) this.#root = child;
    else if (this.#left[grand] === parent) this.#left[grand] = child;
    else this.#right[grand] = child;
    this.#topLevel[child] = this.#topLevel[parent]!;
    this.#topDeadline[child] = this.#topDeadline[parent]!;
    this.#recompute(parent);
  }

  /** Where the greatest key below a node stays as it was, so do those further up. */
  #recomputeUp(from: number): void {
    let node = from;
    while (node >= 0 && this.#recompute(node)) node = this.#parent[node]!;
  }

  /** Answers whether the greatest key below the node has changed. */
  #recompute(node: number): boolean {
    let level = this.#level[node]!;
    let deadline = this.#deadline[node]!;
    for (let side = 0; side < 2; side += 1) {
      const child = side === 0 ? this.#left[node]! : this.#right[node]!;
      if (child < 0) continue;
      if (this.#isBeyond(this.#topLevel[child]!, this.#topDeadline[child]!, level, deadline)) {
        level = this.#topLevel[child]!;
        deadline = this.#topDeadline[child]!;
      }
    }
    if (this.#topLevel[node] === level && this.#topDeadline[node] === deadline) return false;
    this.#topLevel[node] = level;
    this.#topDeadline[node] = deadline;
    return true;
  }

  /** Marsaglia's xorshift32: the shape of the tree hangs on it, the order of the list does not. */
  #nextWeight(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }

  #grow(member: number): void {
    const length = Math.max(16, this.#weight.length * 2, member + 1);
    const widen = <T extends Int32Array | Uint32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#left = widen(new Int32Array(length), this.#left);
    this.#right = widen(new Int32Array(length), this.#right);
    this.#parent = widen(new Int32Array(length), this.#parent);
    this.#weight = widen(new Uint32Array(length), this.#weight);
    this.#level = widen(new Float64Array(length), this.#level);
    this.#deadline = widen(new Float64Array(length), this.#deadline);
    this.#topLevel = widen(new Float64Array(length), this.#topLevel);
    this.#topDeadline = widen(new Float64Array(length), this.#topDeadline);
  }
}
