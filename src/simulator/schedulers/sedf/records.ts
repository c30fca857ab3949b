import { TRC_SEDF_EXTRA_QUEUE, TRC_SEDF_PERIOD, TRC_SEDF_WAIT } from '../../trace-events.ts';
import type { Tracer } from '../../tracer.ts';
import type { ExtraQueue, SedfVcpu } from './state.ts';

const TWO_32 = 0x1_0000_0000;

/** Why a vCPU waits for its next period, as TRC_SEDF_WAIT says it. */
export const WAIT_REASON = {
  sliceUsed: 0,
  shortBlock: 1,
  earlyWake: 2,
  missed: 3,
  noSlice: 4,
  extraTimeOver: 5,
} as const;
export type WaitReason = (typeof WAIT_REASON)[keyof typeof WAIT_REASON];

/**
 * The records of SEDF, which are ours (formats/sedf.json): Xen's SEDF made none. They take no tick of their
 * own.
 */
export class SedfRecords {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** It came to the wait queue, or lost the extra time that it had there. */
  waits(sedf: SedfVcpu, reason: WaitReason): void {
    const words = this.#tracer.begin(TRC_SEDF_WAIT);
    if (words === undefined) return;
    words[0] = sedf.vcpu.packedId;
    words[1] = reason | (sedf.waitsForExtra ? 1 << 8 : 0);
    words[2] = sedf.beginNs;
    words[3] = Math.floor(sedf.beginNs / TWO_32);
    this.#tracer.commitOwn(TRC_SEDF_WAIT, 4);
  }

  /** It came to the run queue. What it ran beyond its last slice is off the new one. */
  periodBegan(sedf: SedfVcpu): void {
    const words = this.#tracer.begin(TRC_SEDF_PERIOD);
    if (words === undefined) return;
    words[0] = sedf.vcpu.packedId;
    words[1] = sedf.deadlineNs;
    words[2] = Math.floor(sedf.deadlineNs / TWO_32);
    const leftNs = sedf.sliceNs - sedf.usedNs;
    words[3] = leftNs;
    words[4] = Math.floor(leftNs / TWO_32);
    this.#tracer.commitOwn(TRC_SEDF_PERIOD, 5);
  }

  /** It came to a queue of extra time. */
  queuedForExtra(sedf: SedfVcpu, queue: ExtraQueue): void {
    const words = this.#tracer.begin(TRC_SEDF_EXTRA_QUEUE);
    if (words === undefined) return;
    words[0] = sedf.vcpu.packedId;
    words[1] = queue;
    words[2] = sedf.scores[queue]!;
    this.#tracer.commitOwn(TRC_SEDF_EXTRA_QUEUE, 3);
  }
}
