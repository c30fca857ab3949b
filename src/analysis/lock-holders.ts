/**
 * Preemptions that may have caught the holder of a lock: a vCPU was put aside while its siblings ran on.
 *
 * Nothing in a trace says who holds a lock. Of each preemption it is told for how long siblings ran meanwhile, which is
 * how long they may have spun, and how often they showed that they did: by yields and by PAUSE exits.
 * @module
 */
import type { Sibling } from './domain-activity.ts';
import { type SampleBudget, Samples } from './samples.ts';

/** A vCPU that yields this shortly before it is put aside gave way by itself: schedule() follows at once. */
const YIELD_NS_MAX = 50_000;
/** Preemptions listed one by one. */
export const WORST_COUNT = 20;

/** One preemption, from the vCPU's leaving to its running again (or blocking, or going offline). */
export interface Preemption {
  readonly dom: number;
  readonly vcpu: number;
  /** Where it had run; -1 where not known. */
  readonly pcpu: number;
  readonly startNs: number;
  readonly asideNs: number;
  /** The part of asideNs in which at least one sibling ran. */
  readonly exposedNs: number;
  /** Time that siblings ran meanwhile, added up. */
  readonly siblingsRanNs: number;
  readonly yields: number;
  readonly pauseExits: number;
}

/** Signs of spinning of one domain's vCPUs, so far. */
export interface DomainSpins {
  yields: number;
  pauseExits: number;
}

/** The preemptions of one vCPU that were seen from start to end. */
export class Preemptions {
  readonly sibling: Sibling;
  count = 0;
  /** Exposed time of those in which a sibling ran. */
  readonly exposed: Samples;
  siblingsRanNs = 0;
  /** Those with a yield or PAUSE exit of a sibling. */
  spun = 0;
  yields = 0;
  pauseExits = 0;
  /** When it gave way, or spun, by itself. */
  yieldedNs = Number.NEGATIVE_INFINITY;
  readonly spins: DomainSpins;
  #open = false;
  #pcpu = -1;
  #startNs = 0;
  #someRanNs = 0;
  #ranNs = 0;
  #yields = 0;
  #pauseExits = 0;
  /** The last preemption that ended: it counts once it shows that it did not end with the trace. Reused. */
  readonly #ended: { -readonly [name in keyof Preemption]: Preemption[name] };
  #hasEnded = false;

  constructor(sibling: Sibling, spins: DomainSpins, budget: SampleBudget) {
    this.sibling = sibling;
    this.spins = spins;
    this.exposed = new Samples(budget);
    const { dom, vcpu } = sibling;
    const none = { startNs: 0, asideNs: 0, exposedNs: 0, siblingsRanNs: 0, yields: 0, pauseExits: 0 };
    this.#ended = { dom, vcpu, pcpu: -1, ...none };
  }

  /** It goes from running to waiting; the sums of its domain are up to date. */
  begin(tNs: number, pcpu: number): void {
    if (tNs - this.yieldedNs <= YIELD_NS_MAX) return;
    const { someRanNs, ranNs } = this.sibling.domain;
    this.#open = true;
    this.#pcpu = pcpu;
    this.#startNs = tNs;
    this.#someRanNs = someRanNs;
    this.#ranNs = ranNs;
    this.#yields = this.spins.yields;
    this.#pauseExits = this.spins.pauseExits;
  }

  /** It waits no more, or nobody knows whether it does. */
  end(tNs: number, known: boolean, worst: WorstPreemptions): void {
    if (!this.#open) return;
    this.#open = false;
    if (!known) return;
    this.#countEnded(worst);
    const { domain } = this.sibling;
    const ended = this.#ended;
    this.#hasEnded = true;
    ended.pcpu = this.#pcpu;
    ended.startNs = this.#startNs;
    ended.asideNs = tNs - this.#startNs;
    ended.exposedNs = domain.someRanNs - this.#someRanNs;
    ended.siblingsRanNs = domain.ranNs - this.#ranNs;
    ended.yields = this.spins.yields - this.#yields;
    ended.pauseExits = this.spins.pauseExits - this.#pauseExits;
  }

  /** The trace ends; what changed at that instant, or later, is not seen. */
  finish(endNs: number, worst: WorstPreemptions): void {
    const { startNs, asideNs } = this.#ended;
    if (startNs + asideNs < endNs) this.#countEnded(worst);
  }

  #countEnded(worst: WorstPreemptions): void {
    if (!this.#hasEnded) return;
    const ended = this.#ended;
    this.#hasEnded = false;
    this.count++;
    if (ended.exposedNs === 0) return;
    this.exposed.add(ended.exposedNs, ended.startNs);
    this.siblingsRanNs += ended.siblingsRanNs;
    if (ended.yields + ended.pauseExits > 0) this.spun++;
    this.yields += ended.yields;
    this.pauseExits += ended.pauseExits;
    if (ended.exposedNs > worst.leastNs) worst.add({ ...ended });
  }
}

/** The preemptions with the longest exposed time, the longest first, the first of equals first. */
export class WorstPreemptions {
  readonly list: Preemption[] = [];
  /** A preemption must have more to be listed. */
  leastNs = 0;

  add(preemption: Preemption): void {
    const { list } = this;
    const after = list.findIndex(({ exposedNs }) => exposedNs < preemption.exposedNs);
    list.splice(after < 0 ? list.length : after, 0, preemption);
    if (list.length > WORST_COUNT) list.pop();
    if (list.length === WORST_COUNT) this.leastNs = list[WORST_COUNT - 1].exposedNs;
  }
}
