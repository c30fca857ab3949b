/**
 * Where a vCPU runs. A runstate record is made by the pCPU that switches, and with `sched-gran=core` (or `socket`) one
 * pCPU switches for its siblings too, so that "recorded on pCPU X" is not "ran on pCPU X". What holds:
 *
 * 1. d[IDLE]vN runs on pCPU N and nowhere else.
 * 2. A switch is a pair of records, adjacent on the pCPU that makes it: one vCPU leaves running, another enters, and
 *    both concern the same pCPU. So who enters takes the place of who left (Xen: sched_switch_units and
 *    sched_force_context_switch in common/sched/core.c).
 * 3. Without core scheduling that place is the recording pCPU.
 *
 * Core scheduling shows itself by an idle vCPU's record on another pCPU than its own, or by a second pair right after
 * one TRC_SCHED_SWITCH. From then on places come from 1 and 2 alone: a vCPU whose chain of switches has not met an idle
 * vCPU yet runs at an unknown place, -1.
 * @module
 */

const NOBODY = -2;
export const PLACE_UNKNOWN = -1;
/** The records of one switch are made in one go; a pair that comes later belongs to another switch. */
const SWITCH_NS_MAX = 50_000;

export class PlaceTracker {
  /** Set once it shows, for good. */
  coreScheduling = false;
  /** By recording pCPU: the place that the vCPU of the last record left, or {@link NOBODY}. */
  #left = new Int32Array(64).fill(NOBODY);
  /** By recording pCPU: when its last TRC_SCHED_SWITCH was, and the pairs since. */
  #switchNs = new Float64Array(64).fill(Number.NEGATIVE_INFINITY);
  #pairs = new Uint8Array(64);

  /**
   * A vCPU leaves running at `tNs`.
   * @param idleOf the pCPU whose idle vCPU it is, or -1
   * @param tracked where it was known to run, or {@link PLACE_UNKNOWN}
   * @returns where it ran, or {@link PLACE_UNKNOWN}
   */
  leave(tNs: number, pcpu: number, idleOf: number, tracked: number): number {
    this.#grow(pcpu);
    const knownBefore = this.coreScheduling;
    if (tNs - this.#switchNs[pcpu] < SWITCH_NS_MAX && ++this.#pairs[pcpu] > 1) this.coreScheduling = true;
    // Places told before core scheduling showed were those of recording pCPUs.
    let place = this.coreScheduling && !knownBefore ? PLACE_UNKNOWN : tracked;
    if (idleOf >= 0) {
      if (idleOf !== pcpu) this.coreScheduling = true;
      place = idleOf;
    } else if (!this.coreScheduling) {
      place = pcpu;
    }
    this.#left[pcpu] = place;
    return place;
  }

  /** A vCPU enters running; parameters and result are as in {@link leave}. */
  enter(pcpu: number, idleOf: number): number {
    this.#grow(pcpu);
    const left = this.#left[pcpu];
    this.#left[pcpu] = NOBODY;
    if (idleOf >= 0) {
      if (idleOf !== pcpu) this.coreScheduling = true;
      return idleOf;
    }
    if (!this.coreScheduling) return pcpu;
    return left >= 0 ? left : PLACE_UNKNOWN;
  }

  /** Any other runstate record on `pcpu`, or records lost there: what comes next is no pair with what was before. */
  interrupt(pcpu: number): void {
    this.#grow(pcpu);
    this.#left[pcpu] = NOBODY;
    this.#switchNs[pcpu] = Number.NEGATIVE_INFINITY;
  }

  /** TRC_SCHED_SWITCH on `pcpu`: its pairs follow. */
  switchAhead(tNs: number, pcpu: number): void {
    this.#grow(pcpu);
    this.#switchNs[pcpu] = tNs;
    this.#pairs[pcpu] = 0;
  }

  #grow(pcpu: number): void {
    if (pcpu < this.#left.length) return;
    const size = 2 ** Math.ceil(Math.log2(pcpu + 1));
    const left = new Int32Array(size).fill(NOBODY);
    left.set(this.#left);
    this.#left = left;
    const switchNs = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    switchNs.set(this.#switchNs);
    this.#switchNs = switchNs;
    const pairs = new Uint8Array(size);
    pairs.set(this.#pairs);
    this.#pairs = pairs;
  }
}
