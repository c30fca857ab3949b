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
 * Core scheduling shows itself by an idle vCPU's record on another pCPU than its own, or by a second pair after one
 * TRC_SCHED_SWITCH. From then on places come from 1 and 2 alone: a vCPU whose chain of switches has not met an idle
 * vCPU yet runs at an unknown place, -1.
 * @module
 */

const NOBODY = -2;
export const PLACE_UNKNOWN = -1;
/** No TRC_SCHED_SWITCH seen on a pCPU yet: pairs cannot be counted. */
const NO_SWITCH_SEEN = 255;

export class PlaceTracker {
  /** Set once it shows, for good. */
  coreScheduling = false;
  /** By recording pCPU: the place that the vCPU of the last record left, or {@link NOBODY}. */
  #left = new Int32Array(64).fill(NOBODY);
  #pairsSinceSwitch = new Uint8Array(64).fill(NO_SWITCH_SEEN);

  /**
   * A vCPU leaves running.
   * @param idleOf the pCPU whose idle vCPU it is, or -1
   * @param tracked where it was known to run, or {@link PLACE_UNKNOWN}
   * @returns where it ran, or {@link PLACE_UNKNOWN}
   */
  leave(pcpu: number, idleOf: number, tracked: number): number {
    this.#grow(pcpu);
    let place = tracked;
    if (idleOf >= 0) {
      if (idleOf !== pcpu) this.coreScheduling = true;
      place = idleOf;
    } else if (!this.coreScheduling) {
      place = pcpu;
    }
    this.#left[pcpu] = place;
    return place;
  }

  /** A vCPU enters running; parameters and result as in {@link leave}. */
  enter(pcpu: number, idleOf: number): number {
    this.#grow(pcpu);
    const left = this.#left[pcpu];
    this.#left[pcpu] = NOBODY;
    if (this.#pairsSinceSwitch[pcpu] < 254 && ++this.#pairsSinceSwitch[pcpu] > 1) this.coreScheduling = true;
    if (idleOf >= 0) {
      if (idleOf !== pcpu) this.coreScheduling = true;
      return idleOf;
    }
    if (!this.coreScheduling) return pcpu;
    return left >= 0 ? left : PLACE_UNKNOWN;
  }

  /** Any other runstate record on `pcpu`, or records lost there: what comes next is no pair with what was before. */
  interrupt(pcpu: number): void {
    if (pcpu < this.#left.length) this.#left[pcpu] = NOBODY;
  }

  /** TRC_SCHED_SWITCH on `pcpu`: its pairs follow. */
  switchAhead(pcpu: number): void {
    this.#grow(pcpu);
    this.#pairsSinceSwitch[pcpu] = 0;
  }

  #grow(pcpu: number): void {
    if (pcpu < this.#left.length) return;
    const size = 2 ** Math.ceil(Math.log2(pcpu + 1));
    const left = new Int32Array(size).fill(NOBODY);
    left.set(this.#left);
    this.#left = left;
    const pairs = new Uint8Array(size).fill(NO_SWITCH_SEEN);
    pairs.set(this.#pairsSinceSwitch);
    this.#pairsSinceSwitch = pairs;
  }
}
