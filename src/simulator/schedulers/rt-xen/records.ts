import {
  TRC_RTXEN_BUDGET_BURN,
  TRC_RTXEN_BUDGET_REPLENISH,
  TRC_RTXEN_BUDGET_RETURN,
} from '../../trace-events.ts';
import type { Tracer } from '../../tracer.ts';
import type { Vcpu } from '../../vcpu.ts';

const TWO_32 = 0x1_0000_0000;

/** The records of servers of all of RT-Xen, which are xenscope's own (formats/rtxen.json). */
export class RtXenRecords {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** `leftNs` is left of the budget after `deltaNs` were paid. */
  burnt(vcpu: Vcpu, leftNs: number, deltaNs: number): void {
    this.#twoTimes(TRC_RTXEN_BUDGET_BURN, vcpu, leftNs, deltaNs);
  }

  /** The budget is full, and its period ends at `deadlineNs`. */
  replenished(vcpu: Vcpu, leftNs: number, deadlineNs: number): void {
    this.#twoTimes(TRC_RTXEN_BUDGET_REPLENISH, vcpu, deadlineNs, leftNs);
  }

  /** A part of a sporadic server's budget is back. */
  returned(vcpu: Vcpu, leftNs: number, partNs: number): void {
    this.#twoTimes(TRC_RTXEN_BUDGET_RETURN, vcpu, leftNs, partNs);
  }

  #twoTimes(event: number, { packedId }: Vcpu, first: number, second: number): void {
    const words = this.#tracer.begin(event);
    if (words === undefined) return;
    words[0] = packedId;
    putTime(words, 1, first);
    putTime(words, 3, second);
    this.#tracer.commit(event, 5);
  }
}

function putTime(words: Uint32Array, at: number, ns: number): void {
  words[at] = ns;
  words[at + 1] = Math.floor(ns / TWO_32);
}
