import { DOM_IDLE, REMOVED, RUNNABLE, type TransitionBatch, UNKNOWN } from '../timeline/index.ts';
import { type SeriesRows, SUBJECTS_MAX } from './series-rows.ts';

/** Where a vCPU waits: it does not; it does, but there is no subject for where. */
const NOWHERE = -2;
const SOMEWHERE = -1;

/** What is known of a vCPU's state. */
const NEVER_TOLD = 0;
const KNOWN = 1;
const NOT_KNOWN = 2;

/**
 * A subject's numbers: how many wait, since when, and of the present window: sum over time, least, most,
 * changes.
 */
const WAITING = 0;
const SINCE_NS = 1;
const SUM = 2;
const MIN = 3;
const MAX = 4;
const CHANGES = 5;
const STRIDE = 6;

/** How many vCPUs wait: over all, and by the pCPU where each ran last. Means are over time. */
export class QueueSeries {
  readonly #rows: SeriesRows;
  readonly #subjectOf: (pcpu: number) => number;
  readonly #host: number;
  #startNs: number;
  #endNs: number;
  /** {@link STRIDE} for each subject. */
  readonly #numbers = new Float64Array(SUBJECTS_MAX * STRIDE);
  /** The subjects that are followed here. */
  readonly #subjects: number[] = [];
  /** By vCPU index: the subject of the pCPU that it waits at, or {@link NOWHERE}, or {@link SOMEWHERE}. */
  #waitsAt = new Int32Array(64).fill(NOWHERE);
  #known = new Uint8Array(64);
  /** How many vCPUs have been told of, and of how many the state is not known; sums of both over time. */
  #vcpus = 0;
  #unknown = 0;
  #countedNs: number;
  #wholeNs = 0;
  #unknownNs = 0;

  /**
   * @param subjectOf gives the subject of a pCPU, or that of the host for -1; -1 where there is no room for
   * one
   */
  constructor(rows: SeriesRows, subjectOf: (pcpu: number) => number) {
    this.#rows = rows;
    this.#subjectOf = subjectOf;
    this.#startNs = rows.fromNs;
    this.#endNs = rows.fromNs + rows.windowNs;
    this.#countedNs = rows.fromNs;
    this.#host = subjectOf(-1);
    this.#subjects.push(this.#host);
    this.#numbers[this.#host * STRIDE + SINCE_NS] = rows.fromNs;
  }

  onTransitions(batch: TransitionBatch): void {
    const { count, tNs: times, dom, vcpuIndex, to: states, pcpu } = batch;
    for (let row = 0; row < count; row++) {
      if (dom[row] === DOM_IDLE) continue;
      const vcpu = vcpuIndex[row];
      const to = states[row];
      if (vcpu >= this.#waitsAt.length) this.#grow(vcpu);
      const wasAt = this.#waitsAt[vcpu];
      const known = to === UNKNOWN ? NOT_KNOWN : to === REMOVED ? NEVER_TOLD : KNOWN;
      if (wasAt === NOWHERE && to !== RUNNABLE && known === this.#known[vcpu]) continue;
      const tNs = Math.max(times[row], this.#startNs);
      if (tNs >= this.#endNs) this.#turn(tNs);
      if (known !== this.#known[vcpu]) this.#learn(tNs, vcpu, known);
      if (wasAt !== NOWHERE) this.#change(tNs, wasAt, -1);
      let at = NOWHERE;
      if (to === RUNNABLE) {
        at = pcpu[row] < 0 ? SOMEWHERE : this.#subjectAt(pcpu[row]);
        this.#change(tNs, at, 1);
      }
      this.#waitsAt[vcpu] = at;
    }
  }

  finish(endNs: number): void {
    if (endNs > this.#endNs) this.#turn(endNs);
    if (endNs > this.#startNs) this.#flush(Math.min(endNs, this.#endNs));
  }

  /** The subject of a pCPU, which is followed from now on. */
  #subjectAt(pcpu: number): number {
    const subject = this.#subjectOf(pcpu);
    if (subject >= 0 && this.#numbers[subject * STRIDE + SINCE_NS] === 0) {
      this.#numbers[subject * STRIDE + SINCE_NS] = this.#startNs;
      if (!this.#subjects.includes(subject)) this.#subjects.push(subject);
    }
    return subject;
  }

  /** One more or one less waits at a subject, and so on the host. */
  #change(tNs: number, subject: number, by: number): void {
    this.#changeOne(tNs, this.#host * STRIDE, by);
    if (subject >= 0) this.#changeOne(tNs, subject * STRIDE, by);
  }

  #changeOne(tNs: number, at: number, by: number): void {
    const numbers = this.#numbers;
    const waiting = numbers[at + WAITING] + by;
    numbers[at + SUM] += numbers[at + WAITING] * (tNs - numbers[at + SINCE_NS]);
    numbers[at + SINCE_NS] = tNs;
    numbers[at + WAITING] = waiting;
    numbers[at + CHANGES]++;
    if (waiting > numbers[at + MAX]) numbers[at + MAX] = waiting;
    if (waiting < numbers[at + MIN]) numbers[at + MIN] = waiting;
  }

  /** The state of a vCPU becomes known or unknown, or its domain is no more. */
  #learn(tNs: number, vcpu: number, known: number): void {
    this.#count(tNs);
    const before = this.#known[vcpu];
    if (before === NOT_KNOWN) this.#unknown--;
    if (known === NOT_KNOWN) this.#unknown++;
    if (before === NEVER_TOLD) this.#vcpus++;
    if (known === NEVER_TOLD) this.#vcpus--;
    this.#known[vcpu] = known;
  }

  #count(tNs: number): void {
    this.#wholeNs += this.#vcpus * (tNs - this.#countedNs);
    this.#unknownNs += this.#unknown * (tNs - this.#countedNs);
    this.#countedNs = tNs;
  }

  /** Ends the present window, and those up to `tNs`, in which nothing changes. */
  #turn(tNs: number): void {
    this.#rows.windowOf(tNs);
    while (this.#endNs <= tNs) {
      this.#flush(this.#endNs);
      this.#startNs = this.#endNs;
      const { windowNs, fromNs } = this.#rows;
      this.#endNs = this.#rows.startOf(Math.floor((this.#startNs - fromNs) / windowNs) + 1);
    }
  }

  #flush(endNs: number): void {
    this.#count(endNs);
    const knownNs = this.#wholeNs - this.#unknownNs;
    const numbers = this.#numbers;
    for (const subject of this.#subjects) {
      const at = subject * STRIDE;
      const waiting = numbers[at + WAITING];
      if (this.#wholeNs > 0 && (subject === this.#host || numbers[at + MAX] > 0)) {
        this.#rows.add(this.#startNs, {
          window: 0,
          subject,
          min: numbers[at + MIN],
          max: numbers[at + MAX],
          last: waiting,
          sum: numbers[at + SUM] + waiting * (endNs - numbers[at + SINCE_NS]),
          weight: endNs - this.#startNs,
          count: numbers[at + CHANGES],
          knownNs,
          wholeNs: this.#wholeNs,
        });
      }
      numbers[at + SUM] = 0;
      numbers[at + CHANGES] = 0;
      numbers[at + SINCE_NS] = endNs;
      numbers[at + MIN] = waiting;
      numbers[at + MAX] = waiting;
    }
    this.#wholeNs = 0;
    this.#unknownNs = 0;
  }

  #grow(vcpu: number): void {
    const [waitsAt, known] = [this.#waitsAt, this.#known];
    const size = 2 ** Math.ceil(Math.log2(vcpu + 1));
    this.#waitsAt = new Int32Array(size).fill(NOWHERE);
    this.#waitsAt.set(waitsAt);
    this.#known = new Uint8Array(size);
    this.#known.set(known);
  }
}
