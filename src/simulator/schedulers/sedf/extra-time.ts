import { type SedfRecords, WAIT_REASON } from './records.ts';
import { type ExtraQueue, PENALTY, type SedfPcpu, type SedfVcpu, UTILIZATION } from './state.ts';

/** How long a vCPU runs in extra time at once; in less than that nobody does (EXTRA_QUANTUM). */
export const EXTRA_QUANTUM_NS = 500_000;
/** The score of an extraweight of 1; that of 128 is the score of a slice as long as its period. */
const EXTRAWEIGHT_SCALE = 1 << 17;
/** Scores are fixed point numbers with 10 bits behind the point. */
const SCORE_SCALE = 1 << 10;

/**
 * The two queues of extra time of each pCPU, ordered by score: L0 for those who lost part of a slice because
 * they blocked, L1 for all who are allowed extra time, by utilization or weight.
 */
export class ExtraTime {
  readonly #records: SedfRecords;

  constructor(records: SedfRecords) {
    this.#records = records;
  }

  /**
   * Into the queue by its score, behind equal ones; everybody else's score is lowered by `lower`
   * (extraq_add_sort_update).
   */
  insert(pcpu: SedfPcpu, sedf: SedfVcpu, queue: ExtraQueue, lower: number): void {
    const head = pcpu.extraQueues[queue];
    let place = head;
    for (let at = head.next; at !== head; at = at.next) {
      const { scores } = at.owner!;
      // C's int: the array wraps it.
      scores[queue]! -= lower;
      if (place === head && sedf.scores[queue]! < scores[queue]!) place = at;
    }
    sedf.queuedForExtra[queue].insertBefore(place);
    this.#records.queuedForExtra(sedf, queue);
  }

  /** It blocked or sleeps: out of both. */
  remove(sedf: SedfVcpu): void {
    for (const link of sedf.queuedForExtra) link.remove();
  }

  /** Its permission may have changed (extraq_check). */
  check(pcpu: SedfPcpu, sedf: SedfVcpu): void {
    const link = sedf.queuedForExtra[UTILIZATION];
    if (link.isAlone) {
      if (sedf.extratime && !sedf.isAsleep) this.insert(pcpu, sedf, UTILIZATION, 0);
    } else if (!sedf.extratime && sedf.runsExtra === undefined) {
      link.remove();
      this.#left(sedf);
    }
  }

  /** It lost this much of its slice (part of unblock_short_extra_support). */
  compensate(pcpu: SedfPcpu, sedf: SedfVcpu, lostNs: number): void {
    if (lostNs === 0) return;
    sedf.scores[PENALTY] = Math.floor((sedf.periodNs * SCORE_SCALE) / lostNs);
    sedf.wantsPenalty = true;
    this.insert(pcpu, sedf, PENALTY, 0);
  }

  /** Whose turn it is, chosen; undefined: nobody's. */
  choose(pcpu: SedfPcpu): SedfVcpu | undefined {
    for (const queue of [PENALTY, UTILIZATION] as const) {
      const first = pcpu.extraQueues[queue].next.owner;
      if (first === undefined) continue;
      first.runsExtra = queue;
      return first;
    }
    return undefined;
  }

  /**
   * It ran in the extra time of a queue, and pays for it (desched_extra_dom). One quantum settles what it
   * lost, however much that was, and counts as a whole however short.
   */
  settle(pcpu: SedfPcpu, sedf: SedfVcpu, queue: ExtraQueue): void {
    sedf.runsExtra = undefined;
    sedf.usedNs = 0;
    sedf.queuedForExtra[queue].remove();
    if (sedf.isAsleep) {
      this.remove(sedf);
      sedf.dequeue();
    }
    if (queue === PENALTY) {
      sedf.wantsPenalty = false;
      this.#left(sedf);
      return;
    }
    const oldScore = sedf.scores[UTILIZATION]!;
    sedf.scores[UTILIZATION] =
      sedf.extraweight === 0
        ? Math.trunc((sedf.periodNs * SCORE_SCALE) / sedf.sliceNs)
        : Math.trunc(EXTRAWEIGHT_SCALE / sedf.extraweight);
    if (sedf.isAsleep) return;
    if (sedf.extratime) this.insert(pcpu, sedf, UTILIZATION, oldScore);
    else this.#left(sedf);
  }

  /** It left one of the queues, and perhaps nothing but its next period lets it run any more. */
  #left(sedf: SedfVcpu): void {
    if (sedf.waitsForPeriod && !sedf.waitsForExtra) this.#records.waits(sedf, WAIT_REASON.extraTimeOver);
  }
}
