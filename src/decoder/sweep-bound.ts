/**
 * How far a trace that is still being written is complete.
 *
 * xentrace looks at the rings in sweeps: pCPU after pCPU, ascending, and takes from each ring whatever is in it. So
 * when it takes ring q, all records of q up to that instant come. Where the present sweep stands now, the sweep before
 * it has stood: whatever is still to come lies behind the instant at which the sweep before passed there, and behind
 * every record that had been taken by then. The bound is the latest of those: a sweep behind, 0.1 s as a rule. A pCPU
 * that makes no records holds nothing up, as it is passed all the same.
 */
export class SweepBound {
  /** No window that is still to come has a record before this time, in the unit of the times that are passed. */
  bound = Number.NEGATIVE_INFINITY;
  /** Sweeps that are known to be over. */
  sweeps = 0;
  /** The latest record so far. */
  latest = Number.NEGATIVE_INFINITY;
  /** The windows of the sweep before, and of this one: pCPU, and the latest record up to there. */
  #previous: Step[] = [];
  #current: Step[] = [];
  /** Windows of the sweep before that this one has passed. */
  #passed = 0;

  /** A window of `pcpu` has come, whose last record was made at `last`. */
  pass(pcpu: number, last: number): void {
    if (this.#current.length > 0 && pcpu <= this.#current[this.#current.length - 1].pcpu) this.#beginSweep();
    if (last > this.latest) this.latest = last;
    this.#current.push({ pcpu, latest: this.latest });
    while (this.#passed < this.#previous.length && this.#previous[this.#passed].pcpu <= pcpu) {
      this.bound = this.#previous[this.#passed++].latest;
    }
  }

  #beginSweep(): void {
    this.bound = this.#previous.at(-1)?.latest ?? this.bound;
    this.#previous = this.#current;
    this.#current = [];
    this.#passed = 0;
    this.sweeps++;
  }
}

interface Step {
  readonly pcpu: number;
  readonly latest: number;
}
