/**
 * Who is to blame for a wait: what the pCPUs where a vCPU could have run did meanwhile, and why.
 *
 * A vCPU could have run on the pCPUs of its affinity, where that is given; else on those where it has been seen to run,
 * the one where the wait ends included: a trace does not carry affinities, and a pCPU of another pool, or one that it
 * may not use, is never blamed. While all of these are
 * busy, each has an equal share in the wait; while some are idle, idleness has all of it. Shares are rounded to whole
 * nanoseconds so that the parts of a wait sum to it exactly.
 *
 * Properties that hold:
 * 1. What a wait was attributed to lies within it, and each instant of it is attributed once.
 * 2. No run is let go while a wait that it concerns is not attributed up to the run's end.
 * @module
 */
import { BLAME, BLAME_REASONS, NOBODY } from './blame-batch.ts';
import { ALWAYS, RunHistory } from './run-history.ts';
import type { TimelineOutput } from './timeline-listener.ts';
import type { VcpuTable } from './vcpu-table.ts';

/** A pCPU without a vCPU for at most this long was switching. */
const SWITCH_NS_MAX = 50_000;
/** Runs kept of a pCPU at most; waits that begin earlier are attributed in pieces. */
const RUNS_MAX = 8192;
/** More pCPUs than any host has. */
const PCPUS_MAX = 65_536;
const REASONS = BLAME_REASONS.length;

/** The pCPUs of hard affinities, as far as they are known. Plain values. */
export interface Affinities {
  /** Domain -> the pCPUs that all its vCPUs may run on; of others, those on which a vCPU was seen to run count. */
  readonly ofDomains: ReadonlyMap<number, readonly number[]>;
  /** By key, `dom << 16 | vcpu`: of vCPUs that differ from their domain. */
  readonly ofVcpus: ReadonlyMap<number, readonly number[]>;
}

const NO_AFFINITIES: Affinities = { ofDomains: new Map(), ofVcpus: new Map() };

/** What is known of a vCPU. Objects: they are made once for each vCPU. */
interface Waiter {
  waiting: boolean;
  /** Up to when the present wait has been attributed. */
  doneNs: number;
  afterWake: boolean;
  /** Since the present wait began, some pCPU was told. */
  tickled: boolean;
  throttled: boolean;
  boosted: boolean;
  /** Where it could have run. */
  readonly pcpus: number[];
  /** What has been attributed of the present wait before its end: part -> ns. */
  parts: Map<number, number> | undefined;
  /**
   * Its place in the scheduler's order, as far as told: the lower goes first, by level and then by value. RTDS: the
   * priority level and the deadline. credit2: minus its credit.
   */
  level: number;
  value: number;
}

/** What is known of a pCPU. */
interface Place {
  readonly runs: RunHistory;
  /** When it was told to reschedule, and has not done so yet; NaN: it was not. */
  tickledNs: number;
  /** When its last decision began: when it was told, or else when schedule() was called. NaN: not known. */
  decidingNs: number;
  /** The vCPU for which something was done there last: began to wait, or got new budget. */
  subject: number;
}

export class BlameTracker {
  readonly #output: TimelineOutput;
  readonly #vcpus: VcpuTable;
  readonly #affinities: Affinities;
  readonly #waiters: Waiter[] = [];
  readonly #places: Place[] = [];
  #ticklesSeen = false;
  /** By part, `(culprit + 1) * REASONS + reason`: its share of the wait under attribution; zero between calls. */
  #shares = new Float64Array(64 * REASONS);
  /** The parts whose share is not zero: the first {@link #touchedCount}. */
  #touched = new Int32Array(64);
  #touchedCount = 0;
  /** Scratch: stretches in which some pCPU idled, as starts and ends. */
  readonly #idle: number[] = [];

  constructor(output: TimelineOutput, vcpus: VcpuTable, affinities: Affinities = NO_AFFINITIES) {
    this.#output = output;
    this.#vcpus = vcpus;
    this.#affinities = affinities;
  }

  /** `v` begins to wait, by a record that `pcpu` made. */
  waitBegins(tNs: number, v: number, pcpu: number, afterWake: boolean, throttled: boolean): void {
    const waiter = this.#waiter(v);
    waiter.waiting = true;
    waiter.doneNs = tNs;
    waiter.afterWake = afterWake;
    waiter.tickled = false;
    waiter.throttled = throttled;
    waiter.parts = undefined;
    this.#place(pcpu).subject = v;
  }

  /** The wait of `v` ends: it gets to run on `pcpu` (-1: not known where), and whoever was there has left. */
  waitEnds(startNs: number, endNs: number, v: number, pcpu: number): void {
    const waiter = this.#waiter(v);
    if (!waiter.waiting) return;
    if (pcpu >= 0) this.#ranOn(waiter, pcpu);
    const place = pcpu < 0 ? undefined : this.#place(pcpu);
    let dispatchNs = place === undefined ? endNs : this.#dispatchSince(place, waiter.doneNs, endNs);
    // Who woke it told a pCPU at once: finding out whom to tell is part of the dispatch.
    if (waiter.afterWake && waiter.tickled && dispatchNs - startNs <= SWITCH_NS_MAX)
      dispatchNs = waiter.doneNs;
    this.#attribute(v, dispatchNs);
    if (place !== undefined && dispatchNs < endNs) {
      this.#share(this.#lastOn(place, dispatchNs), BLAME.dispatch, endNs - dispatchNs);
    }
    this.#addParts(waiter);
    this.#tell(v, startNs, endNs, pcpu);
    waiter.waiting = false;
  }

  /** The wait of `v` ends in another way, or nobody knows any more whether it waits. */
  drop(v: number): void {
    const waiter = this.#waiter(v);
    waiter.waiting = false;
    waiter.parts = undefined;
  }

  /** `v`, which waits, has used up its budget, or has got a new one. */
  throttle(tNs: number, v: number, throttled: boolean): void {
    const waiter = this.#waiter(v);
    if (!waiter.waiting || waiter.throttled === throttled) return;
    this.#attributeInPart(v, tNs);
    waiter.throttled = throttled;
  }

  /** `v` begins to run on `pcpu`. */
  runBegins(tNs: number, v: number, pcpu: number, idle: boolean): void {
    const place = this.#place(pcpu);
    const { runs } = place;
    const waiter = this.#waiter(v);
    if (!idle) this.#ranOn(waiter, pcpu);
    let beganNs = tNs;
    if (runs.open) runs.endNs[runs.count - 1] = tNs;
    else if (runs.count > 0) {
      const leftNs = runs.endNs[runs.count - 1];
      // While a pCPU switches, it is the next one that keeps it busy.
      if (tNs - leftNs <= SWITCH_NS_MAX) beganNs = leftNs;
    }
    if (runs.full) this.#makeRoom(runs);
    const at = runs.add(v, idle, beganNs);
    if (waiter.boosted) runs.boostedToNs[at] = ALWAYS;
    runs.level[at] = waiter.level;
    runs.value[at] = waiter.value;
    place.tickledNs = Number.NaN;
    place.decidingNs = Number.NaN;
  }

  /** The run of `v` on `pcpu` is over; its start may have been learnt only now. */
  runEnds(startNs: number, endNs: number, v: number, pcpu: number, idle: boolean): void {
    const { runs } = this.#place(pcpu);
    const last = runs.count - 1;
    if (runs.open && runs.vcpu[last] === v) {
      runs.endNs[last] = endNs;
      return;
    }
    if (runs.open) runs.endNs[last] = Math.max(runs.startNs[last], startNs);
    const beganNs = last < 0 ? startNs : Math.max(startNs, runs.endNs[last]);
    if (!idle) this.#ranOn(this.#waiter(v), pcpu);
    if (beganNs >= endNs) return;
    if (runs.full) this.#makeRoom(runs);
    runs.endNs[runs.add(v, idle, beganNs)] = endNs;
  }

  /** `from` tells `to` to call schedule(); a number that is no pCPU's comes from damage and is passed over. */
  tickle(tNs: number, from: number, to: number): void {
    if (!(to < PCPUS_MAX)) return;
    this.#ticklesSeen = true;
    const { subject } = this.#place(from);
    if (subject >= 0) this.#waiter(subject).tickled = true;
    const place = this.#place(to);
    if (Number.isNaN(place.tickledNs)) place.tickledNs = tNs;
  }

  /** schedule() is called on `pcpu`. */
  schedule(tNs: number, pcpu: number): void {
    const place = this.#place(pcpu);
    place.decidingNs = Number.isNaN(place.tickledNs) ? tNs : place.tickledNs;
    place.tickledNs = Number.NaN;
  }

  /** schedule() on `pcpu` lets run on who has not run for the minimal time. */
  ratelimit(tNs: number, pcpu: number): void {
    const { runs } = this.#place(pcpu);
    if (!runs.open) return;
    const last = runs.count - 1;
    runs.ratelimitedFromNs[last] = Math.min(runs.ratelimitedFromNs[last], tNs);
  }

  /** `v` gets BOOST, or loses it while it runs on `pcpu`. */
  boost(tNs: number, v: number, pcpu: number, boosted: boolean): void {
    this.#waiter(v).boosted = boosted;
    const { runs } = this.#place(pcpu);
    const last = runs.count - 1;
    if (!boosted && runs.open && runs.vcpu[last] === v)
      runs.boostedToNs[last] = Math.min(tNs, runs.boostedToNs[last]);
  }

  /** Where `v` is in the scheduler's order from now on; the lower goes first. NaN leaves a part as it was. */
  order(v: number, level: number, value: number): void {
    const waiter = this.#waiter(v);
    if (!Number.isNaN(level)) waiter.level = level;
    if (!Number.isNaN(value)) waiter.value = value;
  }

  /** `v` got new budget, by a record that `pcpu` made: a tickle that follows is for it. */
  replenished(v: number, pcpu: number): void {
    this.#place(pcpu).subject = v;
  }

  /** Records of `pcpu` are missing from now on. */
  loss(pcpu: number): void {
    const place = this.#place(pcpu);
    place.tickledNs = Number.NaN;
    place.decidingNs = Number.NaN;
    place.subject = -1;
    for (const waiter of this.#waiters) {
      if (waiter === undefined) continue;
      waiter.boosted = false;
      waiter.level = 0;
      waiter.value = Number.NaN;
    }
  }

  /** Since when the pCPU was about to switch, at the end of a wait; `endNs` where nothing tells. */
  #dispatchSince({ runs, tickledNs, decidingNs }: Place, doneNs: number, endNs: number): number {
    const last = runs.count - 1;
    let sinceNs = endNs;
    if (last >= 0 && endNs - runs.endNs[last] <= SWITCH_NS_MAX) sinceNs = runs.endNs[last];
    if (decidingNs < sinceNs) sinceNs = decidingNs;
    else if (Number.isNaN(decidingNs) && tickledNs < sinceNs) sinceNs = tickledNs;
    return Math.min(endNs, Math.max(sinceNs, doneNs));
  }

  /** Who ran on a place at `tNs`, or left it just before; {@link NOBODY} where not known. */
  #lastOn({ runs }: Place, tNs: number): number {
    let run = runs.count - 1;
    while (run >= 0 && runs.startNs[run] > tNs) run--;
    return run >= 0 && tNs - runs.endNs[run] <= SWITCH_NS_MAX ? runs.vcpu[run] : NOBODY;
  }

  /** Gives each who ran its share of the wait of `v`, from where that stands up to `toNs`. */
  #attribute(v: number, toNs: number): void {
    const waiter = this.#waiter(v);
    const fromNs = waiter.doneNs;
    if (toNs <= fromNs) return;
    waiter.doneNs = toNs;
    if (waiter.throttled) {
      this.#share(v, BLAME.throttled, toNs - fromNs);
    } else if (waiter.pcpus.length === 0) {
      this.#share(NOBODY, BLAME.unknown, toNs - fromNs);
    } else {
      const idleNs = this.#attributeIdle(waiter, fromNs, toNs);
      if (idleNs < toNs - fromNs) this.#attributeBusy(waiter, fromNs, toNs, toNs - fromNs - idleNs);
    }
  }

  /** Finds the time in which some pCPU idled, leaves it in #idle, and gives it to the one that idled longest. */
  #attributeIdle(waiter: Waiter, fromNs: number, toNs: number): number {
    const idle = this.#idle;
    if (idle.length > 0) idle.length = 0;
    let longestNs = 0;
    let culprit = NOBODY;
    for (const pcpu of waiter.pcpus) {
      const { runs } = this.#places[pcpu];
      let idledNs = 0;
      for (let run = runs.count - 1; run >= 0 && runs.endNs[run] > fromNs; run--) {
        if (runs.idle[run] === 0 || runs.startNs[run] >= toNs) continue;
        const startNs = Math.max(fromNs, runs.startNs[run]);
        const endNs = Math.min(toNs, runs.endNs[run]);
        idle.push(startNs, endNs);
        idledNs += endNs - startNs;
        if (idledNs > longestNs) {
          longestNs = idledNs;
          culprit = runs.vcpu[run];
        }
      }
    }
    if (culprit === NOBODY) return 0;
    const idleNs = mergeStretches(idle);
    const untold = waiter.afterWake && !waiter.tickled && this.#ticklesSeen;
    this.#share(culprit, untold ? BLAME.noTickle : BLAME.idle, idleNs);
    return idleNs;
  }

  /** Divides the time in which no pCPU idled, `busyNs` in all, among those who ran. */
  #attributeBusy(waiter: Waiter, fromNs: number, toNs: number, busyNs: number): void {
    const { pcpus } = waiter;
    for (const pcpu of pcpus) {
      const { runs } = this.#places[pcpu];
      let ranNs = 0;
      for (let run = runs.count - 1; run >= 0 && runs.endNs[run] > fromNs; run--) {
        if (runs.idle[run] === 1 || runs.startNs[run] >= toNs) continue;
        ranNs += this.#attributeRun(waiter, runs, run, fromNs, toNs);
      }
      if (ranNs < busyNs) this.#share(NOBODY, BLAME.unknown, (busyNs - ranNs) / pcpus.length);
    }
  }

  /** One run's share; returns how long it ran while nobody idled. */
  #attributeRun(waiter: Waiter, runs: RunHistory, run: number, fromNs: number, toNs: number): number {
    const startNs = Math.max(fromNs, runs.startNs[run]);
    const endNs = Math.min(toNs, runs.endNs[run]);
    const limitedNs = Math.max(startNs, Math.min(endNs, runs.ratelimitedFromNs[run]));
    const unboostedNs = Math.max(startNs, Math.min(limitedNs, runs.boostedToNs[run]));
    const vcpu = runs.vcpu[run];
    const share = 1 / waiter.pcpus.length;
    const boostedNs = this.#busyWithin(startNs, unboostedNs);
    const turnNs = this.#busyWithin(unboostedNs, limitedNs);
    const ratelimitedNs = this.#busyWithin(limitedNs, endNs);
    if (boostedNs > 0) this.#share(vcpu, BLAME.boost, boostedNs * share);
    if (turnNs > 0) {
      const first = goesFirst(runs.level[run], runs.value[run], waiter);
      this.#share(vcpu, first ? BLAME.priority : BLAME.turn, turnNs * share);
    }
    if (ratelimitedNs > 0) this.#share(vcpu, BLAME.ratelimit, ratelimitedNs * share);
    return boostedNs + turnNs + ratelimitedNs;
  }

  /** The time between two instants in which nobody idled. */
  #busyWithin(startNs: number, endNs: number): number {
    let busyNs = endNs - startNs;
    const idle = this.#idle;
    for (let at = 0; at < idle.length && busyNs > 0; at += 2) {
      busyNs -= Math.max(0, Math.min(endNs, idle[at + 1]) - Math.max(startNs, idle[at]));
    }
    return busyNs;
  }

  /** Attributes the wait of `v` up to `toNs` and keeps the result until it ends. */
  #attributeInPart(v: number, toNs: number): void {
    this.#attribute(v, toNs);
    const waiter = this.#waiter(v);
    waiter.parts ??= new Map();
    for (const part of this.#touched.subarray(0, this.#touchedCount)) {
      waiter.parts.set(part, (waiter.parts.get(part) ?? 0) + this.#shares[part]);
      this.#shares[part] = 0;
    }
    this.#touchedCount = 0;
  }

  #addParts(waiter: Waiter): void {
    if (waiter.parts === undefined) return;
    for (const [part, ns] of waiter.parts) this.#share(Math.floor(part / REASONS) - 1, part % REASONS, ns);
    waiter.parts = undefined;
  }

  #share(culprit: number, reason: number, ns: number): void {
    const part = (culprit + 1) * REASONS + reason;
    if (part >= this.#shares.length) this.#growShares(part);
    if (this.#shares[part] === 0) {
      if (this.#touchedCount === this.#touched.length) this.#growTouched();
      this.#touched[this.#touchedCount++] = part;
    }
    this.#shares[part] += ns;
  }

  /** Tells the parts of a wait, in whole nanoseconds that sum to it; the shares are zero again. */
  #tell(v: number, startNs: number, endNs: number, pcpu: number): void {
    const shares = this.#shares;
    const count = this.#touchedCount;
    const key = this.#vcpus.keys[v];
    if (count > 1) roundToSum(shares, this.#touched.subarray(0, count), endNs - startNs);
    for (let at = 0; at < count; at++) {
      const part = this.#touched[at];
      const ns = count === 1 ? endNs - startNs : shares[part];
      shares[part] = 0;
      if (ns <= 0) continue;
      const culprit = Math.floor(part / REASONS) - 1;
      const culpritKey = culprit < 0 ? 0 : this.#vcpus.keys[culprit];
      this.#output.blame(v, key, startNs, endNs, pcpu, culprit, culpritKey, part % REASONS, ns);
    }
    this.#touchedCount = 0;
  }

  /** Lets old runs go, once no wait needs them. */
  #makeRoom(runs: RunHistory): void {
    const { halfNs } = runs;
    let early = 0;
    for (let v = 0; v < this.#waiters.length; v++) if (this.#waitsSince(v, halfNs)) early++;
    if (early > 0 && runs.capacity < RUNS_MAX) {
      runs.grow();
      return;
    }
    for (let v = 0; v < this.#waiters.length && early > 0; v++) {
      if (!this.#waitsSince(v, halfNs)) continue;
      this.#attributeInPart(v, halfNs);
      early--;
    }
    runs.dropHalf();
  }

  /** Whether `v` waits, and its wait has not been attributed up to `ns` yet. */
  #waitsSince(v: number, ns: number): boolean {
    const waiter = this.#waiters[v];
    return waiter?.waiting === true && waiter.doneNs < ns;
  }

  #ranOn(waiter: Waiter, pcpu: number): void {
    const { pcpus } = waiter;
    if (pcpus[pcpus.length - 1] === pcpu || pcpus.includes(pcpu)) return;
    this.#place(pcpu);
    pcpus.push(pcpu);
  }

  #waiter(v: number): Waiter {
    return this.#waiters[v] ?? this.#addWaiter(v);
  }

  #addWaiter(v: number): Waiter {
    const key = this.#vcpus.keys[v];
    const affinity = this.#affinities.ofVcpus.get(key) ?? this.#affinities.ofDomains.get(key >>> 16);
    const waiter = {
      waiting: false,
      doneNs: 0,
      afterWake: false,
      tickled: false,
      throttled: false,
      boosted: false,
      pcpus: [...(affinity ?? [])],
      parts: undefined,
      level: 0,
      value: Number.NaN,
    };
    for (const pcpu of waiter.pcpus) this.#place(pcpu);
    this.#waiters[v] = waiter;
    return waiter;
  }

  #place(pcpu: number): Place {
    return this.#places[pcpu] ?? this.#addPlace(pcpu);
  }

  #addPlace(pcpu: number): Place {
    const place = { runs: new RunHistory(), tickledNs: Number.NaN, decidingNs: Number.NaN, subject: -1 };
    this.#places[pcpu] = place;
    return place;
  }

  #growTouched(): void {
    const touched = new Int32Array(this.#touched.length * 2);
    touched.set(this.#touched);
    this.#touched = touched;
  }

  #growShares(part: number): void {
    const shares = new Float64Array(2 ** Math.ceil(Math.log2(part + 1)));
    shares.set(this.#shares);
    this.#shares = shares;
  }
}

/** Whether a run goes before a waiter by the scheduler's order, as far as both are known. */
function goesFirst(level: number, value: number, waiter: Waiter): boolean {
  if (level !== waiter.level) return level < waiter.level;
  return value < waiter.value;
}

/** Joins stretches (starts and ends, in pairs) that overlap or touch; returns their length together. */
function mergeStretches(stretches: number[]): number {
  if (stretches.length > 2) sortPairs(stretches);
  let kept = 0;
  for (let at = 2; at < stretches.length; at += 2) {
    if (stretches[at] <= stretches[kept + 1]) {
      stretches[kept + 1] = Math.max(stretches[kept + 1], stretches[at + 1]);
    } else {
      kept += 2;
      stretches[kept] = stretches[at];
      stretches[kept + 1] = stretches[at + 1];
    }
  }
  stretches.length = kept + 2;
  let ns = 0;
  for (let at = 0; at < stretches.length; at += 2) ns += stretches[at + 1] - stretches[at];
  return ns;
}

function sortPairs(pairs: number[]): void {
  const order = pairs.flatMap((startNs, at) => (at % 2 === 0 ? [{ startNs, endNs: pairs[at + 1] }] : []));
  order.sort((a, b) => a.startNs - b.startNs);
  for (const [index, { startNs, endNs }] of order.entries()) {
    pairs[2 * index] = startNs;
    pairs[2 * index + 1] = endNs;
  }
}

/** Rounds shares to whole numbers that sum to `sum`, a whole number: the largest remainders are rounded up. */
function roundToSum(shares: Float64Array, parts: Int32Array, sum: number): void {
  let left = sum;
  for (const part of parts) left -= Math.floor(shares[part]);
  const byRemainder = (a: number, b: number) => remainder(shares[b]) - remainder(shares[a]) || a - b;
  const order = left === 0 ? parts : parts.sort(byRemainder);
  for (let index = 0; index < order.length; index++) {
    shares[order[index]] = Math.floor(shares[order[index]]) + (index < left ? 1 : 0);
  }
}

function remainder(value: number): number {
  return value - Math.floor(value);
}
