/** What is remembered at most: ten seconds of a host with a hundred thousand of them a second. */
const EVENTS_MAX = 1 << 20;

/**
 * The newest of many events, each an instant, two whole numbers and a length of time, in the order in which they were
 * told. Bounded: beyond {@link EVENTS_MAX} the oldest ones are forgotten.
 */
export class RecentEvents {
  #atNs = new Float64Array(1024);
  #first = new Int32Array(1024);
  #second = new Int32Array(1024);
  #ns = new Float64Array(1024);
  /** Events ever added; those kept are the last ones, at their number modulo the capacity. */
  #added = 0;
  #oldest = 0;
  readonly #max: number;

  constructor(max = EVENTS_MAX) {
    this.#max = max;
  }

  add(atNs: number, first: number, second: number, ns: number): void {
    if (this.#added - this.#oldest === this.#atNs.length) this.#makeRoom();
    const at = this.#added++ & (this.#atNs.length - 1);
    this.#atNs[at] = atNs;
    this.#first[at] = first;
    this.#second[at] = second;
    this.#ns[at] = ns;
  }

  /** Forgets what happened before `fromNs`. */
  forget(fromNs: number): void {
    const mask = this.#atNs.length - 1;
    while (this.#oldest < this.#added && this.#atNs[this.#oldest & mask] < fromNs) this.#oldest++;
  }

  /** Calls `visit` for each event from `fromNs` on and before `toNs`. */
  visit(fromNs: number, toNs: number, visit: (first: number, second: number, ns: number) => void): void {
    const mask = this.#atNs.length - 1;
    for (let event = this.#oldest; event < this.#added; event++) {
      const at = event & mask;
      if (this.#atNs[at] >= fromNs && this.#atNs[at] < toNs)
        visit(this.#first[at], this.#second[at], this.#ns[at]);
    }
  }

  #makeRoom(): void {
    const capacity = this.#atNs.length;
    if (capacity >= this.#max) {
      this.#oldest++;
      return;
    }
    const move = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      for (let event = this.#oldest; event < this.#added; event++)
        to[event & (2 * capacity - 1)] = from[event & (capacity - 1)];
      return to;
    };
    this.#atNs = move(this.#atNs, new Float64Array(2 * capacity));
    this.#first = move(this.#first, new Int32Array(2 * capacity));
    this.#second = move(this.#second, new Int32Array(2 * capacity));
    this.#ns = move(this.#ns, new Float64Array(2 * capacity));
  }
}
