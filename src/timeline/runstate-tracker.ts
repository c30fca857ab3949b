/**
 * What each vCPU is doing, from its runstate records: intervals and waits.
 *
 * Properties that hold at every record:
 * 1. A vCPU's intervals tile its time: each starts where the one before ended.
 * 2. A state is only told where no missing record could have changed it. While records of some pCPU are missing, every
 *    vCPU that this pCPU could have moved is UNKNOWN; one that runs on another pCPU is not, as it cannot leave unseen.
 * 3. A record says two things: what the vCPU did before and what it does now. So the unknown time before it reaches
 *    only up to the last instant at which records were missing; since then it did what the record says.
 * @module
 */
import { type Affinities, BlameTracker } from './blame-tracker.ts';
import { PcpuHistory } from './pcpu-history.ts';
import { PLACE_UNKNOWN, PlaceTracker } from './place-tracker.ts';
import {
  BLOCKED,
  DOM_IDLE,
  NO_VCPU,
  OFFLINE,
  RUNNABLE,
  RUNNING,
  THROTTLED,
  UNKNOWN,
} from './runstate-batch.ts';
import { ThrottleEvidence } from './throttle-evidence.ts';
import type { TimelineOutput } from './timeline-listener.ts';
import { REMOVED } from './transition-batch.ts';
import { createVcpuStates, growVcpuStates, NEVER_SEEN, type VcpuStates } from './vcpu-states.ts';
import { VcpuTable } from './vcpu-table.ts';

const START_SEEN = 1;
const END_SEEN = 2;
const CAUSE_WAKE = 0;
const CAUSE_PREEMPT = 1;
const CAUSE_RESUME = 2;

/**
 * Repairs, while no loss is known, after which some pCPU's records must be missing altogether (`xentrace -c`): from
 * then on only running time is known. One is enough where a pCPU number is missing in the file.
 */
const REPAIRS_OF_A_PARTIAL_TRACE = 16;

/** What a vCPU is doing, which nobody knows yet when it will end. As in RunstateBatch. */
export interface OpenInterval {
  readonly dom: number;
  readonly vcpu: number;
  readonly vcpuIndex: number;
  readonly state: number;
  readonly pcpu: number;
  readonly startNs: number;
}

export class RunstateTracker {
  readonly vcpus = new VcpuTable();
  /** Records that did not continue what was known of their vCPU; the time between is UNKNOWN. */
  repairs = 0;
  /** Records of vCPUs beyond what any host has; passed over. */
  ignored = 0;
  /** Records of some pCPU are missing altogether, see {@link REPAIRS_OF_A_PARTIAL_TRACE}. */
  partial = false;
  readonly places = new PlaceTracker();
  readonly evidence = new ThrottleEvidence();
  /** Undefined where nobody listens to it. */
  readonly blame: BlameTracker | undefined;
  readonly #output: TimelineOutput;
  readonly #repairsMax: number;
  readonly #history = new PcpuHistory();
  #s: VcpuStates = createVcpuStates(64);
  #coreScheduling = false;
  /** By pCPU: the vCPU index that runs there, -1 where not known. */
  readonly #runsOn: number[] = [];
  /** By pCPU: when a run there ended last. */
  readonly #leftNsOn: number[] = [];
  /** By pCPU: how many losses are open there, and when the last one ended. */
  readonly #openLossesOn: number[] = [];
  readonly #lossEndNsOn: number[] = [];
  #openLosses = 0;
  #lossEndNs = 0;
  /** By domain: when the trace saw it created. */
  readonly #bornNs = new Map<number, number>();

  constructor(output: TimelineOutput, pcpuMissing: boolean, affinities?: Affinities) {
    this.#output = output;
    if (output.tellsBlames) this.blame = new BlameTracker(output, this.vcpus, affinities);
    this.#repairsMax = pcpuMissing ? 1 : REPAIRS_OF_A_PARTIAL_TRACE;
  }

  /** TRC_SCHED_RUNSTATE_CHANGE of the vCPU `key` (dom << 16 | vcpu), made by `pcpu`. */
  runstate(tNs: number, pcpu: number, key: number, from: number, to: number): void {
    const v = this.#vcpu(key);
    if (v < 0) return;
    const s = this.#s;
    const idleOf = key >>> 16 === DOM_IDLE ? key & 0xffff : -1;
    let place = PLACE_UNKNOWN;
    if (from === RUNNING) {
      const tracked = s.state[v] === RUNNING ? s.place[v] : PLACE_UNKNOWN;
      place = this.places.leave(tNs, pcpu, idleOf, tracked);
    } else if (to === RUNNING) {
      place = this.places.enter(pcpu, idleOf);
    } else {
      this.places.interrupt(pcpu);
    }
    if (this.places.coreScheduling && !this.#coreScheduling) this.#noticeCoreScheduling();
    const continues = this.#close(tNs, v, pcpu, idleOf, place, from, to);
    const startNs = s.enteredNs[v];
    const startSeen = continues && s.enteredSeen[v] === 1;
    const fromPlace = s.place[v];
    const { throttledNs } = s;
    if (to === RUNNING && from === RUNNABLE && startSeen && idleOf < 0) {
      const ran = place < 0 ? -1 : this.#history.longest(place, startNs, tNs);
      const ranKey = ran < 0 ? -1 : this.vcpus.keys[ran];
      const ranNs = ran < 0 ? 0 : this.#history.longestNs;
      this.#output.wait(key, v, s.cause[v], startNs, tNs, fromPlace, place, ranKey, ranNs, throttledNs[v]);
      this.blame?.waitEnds(startNs, tNs, v, place);
    }
    this.#open(tNs, v, pcpu, idleOf, place, from, to);
    if (this.#output.tellsTransitions)
      this.#output.transition(tNs, key, v, from, s.shown[v], s.place[v], s.wakerPcpu[v], s.wakerKey[v]);
  }

  /** TRC_SCHED_SLEEP of `key`: somebody, perhaps the scheduler, puts it to sleep. */
  sleep(pcpu: number, key: number): void {
    const v = this.#vcpu(key);
    if (v >= 0) this.#s.sleep[v] = this.evidence.ofRecord(key, this.#runningDomain(pcpu));
  }

  /** RTDS and SEDF: the budget of `key` is used up (`depleted`), or filled again. */
  budget(tNs: number, key: number, depleted: boolean): void {
    const v = this.#vcpu(key);
    if (v < 0) return;
    const s = this.#s;
    s.depleted[v] = depleted ? 1 : 0;
    const shown = depleted ? THROTTLED : RUNNABLE;
    if (s.state[v] !== RUNNABLE || s.shown[v] === shown) return;
    this.#emit(v, s.shown[v], RUNNABLE, tNs, s.startSeen[v] | END_SEEN);
    s.startSeen[v] = START_SEEN;
    this.#change(tNs, v, shown);
    this.blame?.throttle(tNs, v, depleted);
  }

  /** The index of the vCPU `key`, which a record of the scheduler names; -1 where there are too many. */
  indexOf(key: number): number {
    return this.#vcpu(key);
  }

  /** From `tNs` on records of `pcpu` are missing. */
  beginLoss(tNs: number, pcpu: number): void {
    this.#openLossesOn[pcpu] = (this.#openLossesOn[pcpu] ?? 0) + 1;
    this.#openLosses++;
    this.#runsOn[pcpu] = -1;
    this.places.interrupt(pcpu);
    this.blame?.loss(pcpu);
    const s = this.#s;
    s.depleted.fill(0); // A replenishment may be among the lost records.
    for (let v = 0; v < this.vcpus.count; v++) {
      if (s.state[v] === UNKNOWN || s.state[v] === NEVER_SEEN || this.#outOfReach(v, pcpu)) continue;
      this.#emit(v, this.#shownAtBorder(v), s.state[v], tNs, s.startSeen[v]);
      this.#lose(tNs, v);
    }
  }

  /** A loss that {@link beginLoss} began is over. */
  endLoss(tNs: number, pcpu: number): void {
    this.#openLossesOn[pcpu]--;
    this.#openLosses--;
    this.#lossEndNsOn[pcpu] = tNs;
    this.#lossEndNs = tNs;
  }

  domainCreated(tNs: number, dom: number): void {
    this.#bornNs.set(dom, tNs);
  }

  domainRemoved(tNs: number, dom: number): void {
    const s = this.#s;
    for (let v = 0; v < this.vcpus.count; v++) {
      if (this.vcpus.keys[v] >>> 16 !== dom || s.state[v] === NEVER_SEEN) continue;
      this.#emit(v, this.#shownAtBorder(v), s.state[v], tNs, s.startSeen[v] | END_SEEN);
      this.#change(tNs, v, REMOVED);
      this.blame?.drop(v);
      s.state[v] = NEVER_SEEN;
    }
    this.#bornNs.set(dom, tNs);
  }

  /** Ends every interval at the end of the trace. */
  finish(endNs: number): void {
    const s = this.#s;
    for (let v = 0; v < this.vcpus.count; v++) {
      if (s.state[v] !== NEVER_SEEN) {
        this.#emit(v, this.#shownAtBorder(v), s.state[v], endNs, s.startSeen[v]);
        s.state[v] = NEVER_SEEN;
      }
    }
  }

  /** Tells of the interval that each vCPU is in. */
  eachOpen(visit: (open: OpenInterval) => void): void {
    const s = this.#s;
    for (let v = 0; v < this.vcpus.count; v++) {
      if (s.state[v] === NEVER_SEEN) continue;
      const key = this.vcpus.keys[v];
      visit({
        dom: key >>> 16,
        vcpu: key & 0xffff,
        vcpuIndex: v,
        state: this.#shownAtBorder(v),
        pcpu: s.place[v],
        startNs: s.sinceNs[v],
      });
    }
  }

  /** How long `key` has run up to `tNs`, where no record after that was put in yet; NaN while its state is unknown. */
  ranNs(tNs: number, key: number): number {
    const v = this.vcpus.find(key);
    const s = this.#s;
    if (v < 0 || s.state[v] === UNKNOWN || s.state[v] === NEVER_SEEN) return Number.NaN;
    return s.ranNs[v] + (s.state[v] === RUNNING ? tNs - s.sinceNs[v] : 0);
  }

  /** How much of the time of `key` before its present state is unknown. */
  unknownNs(key: number): number {
    const v = this.vcpus.find(key);
    return v < 0 ? 0 : this.#s.unknownNs[v];
  }

  #vcpu(key: number): number {
    const v = this.vcpus.indexOf(key);
    if (v < 0) this.ignored++;
    else if (v >= this.#s.state.length) this.#s = growVcpuStates(this.#s);
    return v;
  }

  /**
   * Ends the interval before a record, as far back as is known.
   * @returns whether the record continues what was known
   */
  #close(
    tNs: number,
    v: number,
    pcpu: number,
    idleOf: number,
    place: number,
    from: number,
    to: number,
  ): boolean {
    const s = this.#s;
    const moved = from === RUNNING && !this.#coreScheduling && s.place[v] !== place;
    if (s.state[v] === from && !(moved && s.state[v] === RUNNING)) {
      const shown = this.#shownBefore(v, pcpu, from, to);
      this.#emit(v, shown, from, tNs, s.startSeen[v] | END_SEEN);
      return true;
    }
    if (s.state[v] === NEVER_SEEN) s.sinceNs[v] = this.#bornNs.get(this.vcpus.keys[v] >>> 16) ?? 0;
    else if (s.state[v] !== UNKNOWN) this.#repair(v);
    let knownNs = this.#knownSince(tNs, v, idleOf < 0 ? pcpu : idleOf, from === RUNNING || idleOf >= 0);
    if (from === RUNNING && (this.#leftNsOn[place] ?? 0) > knownNs) {
      this.#countRepair(); // Another one ran there meanwhile: when this one came is not known.
      knownNs = tNs;
    }
    if (knownNs > s.sinceNs[v]) this.#emit(v, UNKNOWN, UNKNOWN, knownNs, 0);
    s.enteredSeen[v] = 0;
    if (from === RUNNING) s.place[v] = place;
    if (tNs > knownNs) this.#emit(v, this.#shownBefore(v, pcpu, from, to), from, tNs, END_SEEN);
    else s.previous[v] = UNKNOWN;
    return false;
  }

  /** Since when the state before a record is known, though its start was not seen. `tNs`: not at all. */
  #knownSince(tNs: number, v: number, pcpu: number, staysOnPcpu: boolean): number {
    const sinceNs = this.#s.sinceNs[v];
    if (this.#s.state[v] !== UNKNOWN && this.#s.state[v] !== NEVER_SEEN) return tNs;
    const allSeen = this.#openLosses === 0 && !this.partial;
    if (staysOnPcpu && !this.#coreScheduling) {
      if ((this.#openLossesOn[pcpu] ?? 0) > 0) return tNs;
      const lossEndNs = this.#lossEndNsOn[pcpu] ?? 0;
      if (lossEndNs > sinceNs) return lossEndNs;
      return allSeen || this.#s.state[v] === NEVER_SEEN ? sinceNs : tNs;
    }
    return allSeen ? Math.max(sinceNs, this.#lossEndNs) : tNs;
  }

  #countRepair(): void {
    this.repairs++;
    if (this.repairs >= this.#repairsMax) this.partial = true;
  }

  #repair(v: number): void {
    this.#countRepair();
    const place = this.#s.place[v];
    if (this.#s.state[v] === RUNNING && this.#runsOn[place] === v) this.#runsOn[place] = -1;
  }

  /** A vCPU begins to run where another is still thought to run: that one left unseen. */
  #evict(tNs: number, place: number, v: number): void {
    const other = this.#runsOn[place] ?? -1;
    if (other < 0 || other === v || this.#s.state[other] !== RUNNING) return;
    this.#repair(other);
    this.#emit(other, UNKNOWN, UNKNOWN, tNs, 0);
    this.#lose(tNs, other);
  }

  /** Starts the interval after a record. */
  #open(tNs: number, v: number, pcpu: number, idleOf: number, place: number, from: number, to: number): void {
    const s = this.#s;
    s.sinceNs[v] = tNs;
    s.enteredNs[v] = tNs;
    s.enteredSeen[v] = 1;
    s.startSeen[v] = START_SEEN;
    s.throttledNs[v] = 0;
    s.state[v] = to;
    s.shown[v] = to === RUNNABLE && s.depleted[v] === 1 ? THROTTLED : to;
    if (to === RUNNABLE)
      s.cause[v] = from === BLOCKED ? CAUSE_WAKE : from === RUNNING ? CAUSE_PREEMPT : CAUSE_RESUME;
    this.#noteWaker(v, to === RUNNABLE && from !== RUNNING ? pcpu : -1);
    if (to !== OFFLINE) s.sleep[v] = 0;
    if (to === RUNNING) {
      s.place[v] = place;
      if (place >= 0) {
        this.#evict(tNs, place, v);
        this.#runsOn[place] = v;
      }
    }
    if ((this.#openLosses > 0 || this.partial) && !this.#isSafe(to === RUNNING ? place : idleOf))
      this.#forget(v);
    if (this.blame !== undefined) this.#tellBlame(this.blame, tNs, v, pcpu, idleOf >= 0);
  }

  /** Whether nothing can happen unseen to a vCPU that runs on the pCPU `bound`. */
  #isSafe(bound: number): boolean {
    return bound >= 0 && !this.#coreScheduling && !((this.#openLossesOn[bound] ?? 0) > 0);
  }

  /** Tells of the interval of `v` that a record on `pcpu` began. */
  #tellBlame(blame: BlameTracker, tNs: number, v: number, pcpu: number, idle: boolean): void {
    const s = this.#s;
    if (s.state[v] === RUNNABLE && !idle) {
      blame.waitBegins(tNs, v, pcpu, s.cause[v] === CAUSE_WAKE, s.shown[v] === THROTTLED);
      return;
    }
    blame.drop(v);
    if (s.state[v] === RUNNING && s.place[v] >= 0) blame.runBegins(tNs, v, s.place[v], idle);
  }

  /** What `v` does is not known any more. */
  #lose(tNs: number, v: number): void {
    this.#change(tNs, v, UNKNOWN);
    this.#forget(v);
  }

  #forget(v: number): void {
    const s = this.#s;
    s.state[v] = UNKNOWN;
    s.shown[v] = UNKNOWN;
    this.#noteWaker(v, -1);
    s.startSeen[v] = 0;
    s.enteredSeen[v] = 0;
    this.blame?.drop(v);
  }

  /** Whether nothing that `pcpu` does can change the state of `v`. */
  #outOfReach(v: number, pcpu: number): boolean {
    if (this.#coreScheduling) return false;
    const key = this.vcpus.keys[v];
    if (key >>> 16 === DOM_IDLE) return (key & 0xffff) !== pcpu;
    return this.#s.state[v] === RUNNING && this.#s.place[v] >= 0 && this.#s.place[v] !== pcpu;
  }

  /** Places told by the recording pCPU were guesses. */
  #noticeCoreScheduling(): void {
    this.#coreScheduling = true;
    const s = this.#s;
    for (let v = 0; v < this.vcpus.count; v++) {
      if (this.vcpus.keys[v] >>> 16 !== DOM_IDLE) s.place[v] = PLACE_UNKNOWN;
    }
    this.#runsOn.fill(-1);
  }

  /** The open interval of `v` begins with a wake-up that `pcpu` recorded; -1: with none. */
  #noteWaker(v: number, pcpu: number): void {
    const waker = pcpu < 0 ? -1 : (this.#runsOn[pcpu] ?? -1);
    this.#s.wakerPcpu[v] = pcpu;
    this.#s.wakerKey[v] = waker < 0 ? NO_VCPU : this.vcpus.keys[waker];
  }

  #runningDomain(pcpu: number): number {
    const v = this.#runsOn[pcpu] ?? -1;
    return v < 0 ? -1 : this.vcpus.keys[v] >>> 16;
  }

  /** How to show the state `from` that a record on `pcpu` ends, by going to `to`. */
  #shownBefore(v: number, pcpu: number, from: number, to: number): number {
    if (from !== OFFLINE) return this.#s.state[v] === from ? this.#s.shown[v] : from;
    const key = this.vcpus.keys[v];
    return this.evidence.wasParked(key, this.#s.sleep[v], this.#runningDomain(pcpu), to)
      ? THROTTLED
      : OFFLINE;
  }

  /** How to show the present state of `v` where the trace, or what is known, breaks off. */
  #shownAtBorder(v: number): number {
    const s = this.#s;
    if (s.state[v] !== OFFLINE) return s.shown[v];
    return this.evidence.isParked(this.vcpus.keys[v], s.sleep[v]) ? THROTTLED : OFFLINE;
  }

  /** From `tNs` on `v` is shown as `shown`, by something else than a runstate record. */
  #change(tNs: number, v: number, shown: number): void {
    const s = this.#s;
    if (this.#output.tellsTransitions && s.shown[v] !== shown) {
      this.#output.transition(tNs, this.vcpus.keys[v], v, s.shown[v], shown, s.place[v], -1, NO_VCPU);
    }
    s.shown[v] = shown;
  }

  /** Writes the interval of `v` up to `endNs`, and starts the next one there. */
  #emit(v: number, shown: number, xenState: number, endNs: number, complete: number): void {
    const s = this.#s;
    const startNs = s.sinceNs[v];
    s.sinceNs[v] = endNs;
    // What begins with the last record has no length, but did begin.
    if (endNs === startNs && (complete & START_SEEN) === 0) return;
    const place = s.place[v];
    this.#output.runstate(
      this.vcpus.keys[v],
      v,
      shown,
      xenState,
      s.previous[v],
      startNs,
      endNs,
      place,
      complete,
      s.wakerPcpu[v],
      s.wakerKey[v],
    );
    this.#noteWaker(v, -1);
    s.previous[v] = shown;
    if (shown === RUNNING) s.ranNs[v] += endNs - startNs;
    else if (shown === UNKNOWN) s.unknownNs[v] += endNs - startNs;
    if (xenState === RUNNING && place >= 0) {
      this.#history.add(place, v, startNs, endNs);
      this.blame?.runEnds(startNs, endNs, v, place, this.vcpus.keys[v] >>> 16 === DOM_IDLE);
      this.#leftNsOn[place] = endNs;
      if (this.#runsOn[place] === v) this.#runsOn[place] = -1;
    } else if (shown === THROTTLED && xenState === RUNNABLE) {
      s.throttledNs[v] += endNs - startNs;
    }
  }
}
