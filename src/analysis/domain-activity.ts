/**
 * What the vCPUs of one domain do together, transition by transition.
 *
 * Properties that hold at every transition:
 * 1. `times` sum to the time since the domain began, up to the last transition.
 * 2. What is told of the past holds for all vCPUs seen so far: when one is seen first, its record says what it had been
 *    doing all the time before, and the past is told anew with it.
 * @module
 */
import {
  DARK,
  DOMAIN_STATES,
  DOMAIN_UNKNOWN,
  GONE,
  NO_DOMAIN,
  RUNS,
  STATE_OF_KINDS,
  stateWith,
} from './domain-states.ts';
import { type SampleBudget, Samples } from './samples.ts';

/** {@link GONE} is none. */
const ALL_KINDS = (1 << GONE) - 1;

/** One vCPU of a domain. */
export class Sibling {
  readonly dom: number;
  readonly vcpu: number;
  readonly domain: DomainActivity;
  /** RUNS to GONE. */
  kind = GONE;
  /** Time that it ran while the state of every sibling was known, up to the last time that it left. */
  ranNs = 0;
  /** {@link DomainActivity.knownNs} when it last began to run. */
  ranSinceNs = 0;

  constructor(dom: number, vcpu: number, domain: DomainActivity) {
    this.dom = dom;
    this.vcpu = vcpu;
    this.domain = domain;
  }
}

export class DomainActivity {
  readonly dom: number;
  readonly siblings: Sibling[] = [];
  /** Time in each state, by state. */
  readonly times = new Float64Array(DOMAIN_STATES);
  /** Stays in each state whose start and end were seen, by state; those of no length are none. */
  readonly stays: readonly Samples[];
  /** Time in which all vCPUs were known and `index` of them ran. */
  readonly running: number[] = [0];
  /** The sum of `running`. */
  knownNs = 0;
  /** Time in which at least one vCPU ran. */
  someRanNs = 0;
  /** Time that its vCPUs ran, added up. */
  ranNs = 0;
  readonly #fromNs: number;
  /** How many vCPUs have each kind. */
  readonly #counts = new Int32Array(GONE + 1);
  /** Bit k: one has kind k. */
  #kinds = 0;
  #state = NO_DOMAIN;
  #sinceNs: number;
  #stayStartNs = 0;
  #stayStartSeen = false;
  /** The last stay that ended: it counts once it shows that it did not end with the trace. */
  #ended = NO_DOMAIN;
  #endedStartNs = 0;
  #endedNs = 0;

  constructor(dom: number, fromNs: number, budget: SampleBudget) {
    this.dom = dom;
    this.#fromNs = fromNs;
    this.#sinceNs = fromNs;
    this.stays = Array.from({ length: DOMAIN_UNKNOWN }, () => new Samples(budget));
  }

  /**
   * A vCPU is named for the first time, at `tNs`: it was in `kind` since `headNs`, but for `unknownNs` at the
   * beginning, of which nothing is known.
   */
  add(tNs: number, vcpu: number, kind: number, headNs: number, unknownNs: number): Sibling {
    const sibling = new Sibling(this.dom, vcpu, this);
    const sinceNs = Math.max(headNs, this.#fromNs);
    this.running.push(0);
    if (this.#state === NO_DOMAIN) {
      this.#sinceNs = sinceNs;
      if (unknownNs > 0) this.#set(sinceNs, sibling, DARK);
      this.advance(Math.min(tNs, sinceNs + unknownNs));
    } else {
      this.advance(tNs);
      if (sinceNs < tNs) this.#retell(unknownNs > 0 ? DARK : kind);
    }
    this.#set(tNs, sibling, kind);
    this.advance(tNs);
    sibling.ranSinceNs = sinceNs < tNs ? 0 : this.knownNs;
    this.siblings.push(sibling);
    return sibling;
  }

  /** A vCPU goes from its kind to another. */
  change(tNs: number, sibling: Sibling, kind: number): void {
    this.advance(tNs);
    if (kind === RUNS) sibling.ranSinceNs = this.knownNs;
    else if (sibling.kind === RUNS) sibling.ranNs += this.knownNs - sibling.ranSinceNs;
    this.#set(tNs, sibling, kind);
  }

  /** Takes the time up to `tNs` into the sums. */
  advance(tNs: number): void {
    const ns = tNs - this.#sinceNs;
    if (!(ns > 0)) return;
    this.#sinceNs = tNs;
    this.times[this.#state] += ns;
    const running = this.#counts[RUNS];
    if (this.#state !== NO_DOMAIN && this.#counts[DARK] === 0) {
      this.running[running] += ns;
      this.knownNs += ns;
    }
    if (running === 0) return;
    this.someRanNs += ns;
    this.ranNs += running * ns;
  }

  /** Ends the sums at the end of the trace. What changed at that instant, or later, is not seen. */
  finish(endNs: number): void {
    this.advance(endNs);
    if (this.#endedNs < endNs) this.#countEnded();
    for (const sibling of this.siblings) {
      if (sibling.kind === RUNS) sibling.ranNs += this.knownNs - sibling.ranSinceNs;
      sibling.kind = GONE;
    }
  }

  #set(tNs: number, sibling: Sibling, kind: number): void {
    const counts = this.#counts;
    const before = sibling.kind;
    sibling.kind = kind;
    if (--counts[before] === 0) this.#kinds &= ~(1 << before);
    if (++counts[kind] === 1) this.#kinds |= 1 << kind;
    const state = STATE_OF_KINDS[this.#kinds & ALL_KINDS];
    if (state !== this.#state) this.#enter(tNs, state);
  }

  #enter(tNs: number, state: number): void {
    const known = this.#state < DOMAIN_UNKNOWN;
    if (known && this.#stayStartSeen && state !== DOMAIN_UNKNOWN && tNs > this.#stayStartNs) {
      this.#countEnded();
      this.#ended = this.#state;
      this.#endedStartNs = this.#stayStartNs;
      this.#endedNs = tNs;
    }
    this.#state = state;
    this.#stayStartNs = tNs;
    this.#stayStartSeen = known && tNs > this.#fromNs;
  }

  #countEnded(): void {
    if (this.#ended !== NO_DOMAIN) {
      this.stays[this.#ended].add(this.#endedNs - this.#endedStartNs, this.#endedStartNs);
    }
    this.#ended = NO_DOMAIN;
  }

  /** One more vCPU was there all the time, and of `kind`. A stay in one state may have been part of one in another. */
  #retell(kind: number): void {
    this.#countEnded();
    const told = this.times.slice();
    this.times.fill(0);
    this.times[NO_DOMAIN] = told[NO_DOMAIN];
    for (let state = 0; state < NO_DOMAIN; state++) {
      const retold = stateWith(state, kind);
      this.times[retold] += told[state];
      if (retold === state) continue;
      this.stays[state]?.clear();
      this.stays[retold]?.clear();
      if (this.#state === state || this.#state === retold) this.#stayStartSeen = false;
    }
    if (this.#state !== NO_DOMAIN) this.#state = stateWith(this.#state, kind);
    if (kind === RUNS) {
      this.running.unshift(0);
      this.running.pop();
    }
    if (kind !== DARK) return;
    this.running.fill(0);
    this.knownNs = 0;
    for (const sibling of this.siblings) {
      sibling.ranNs = 0;
      sibling.ranSinceNs = 0;
    }
  }
}
