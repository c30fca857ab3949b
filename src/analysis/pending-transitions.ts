import {
  createTransitionBatch,
  DOM_IDLE,
  type RunstateBatch,
  type TransitionBatch,
  UNKNOWN,
} from '../timeline/index.ts';

/** Batches kept at most. Transitions and intervals come in about the same number, so that two is the rule. */
const BATCHES_MAX = 8;

/**
 * Holds transitions back until the intervals that ended before them have come: a vCPU's first interval, which ends at
 * its first transition, says since when it had been doing what that transition says it did, and the two streams come
 * in batches of their own.
 */
export class PendingTransitions {
  readonly #batches: TransitionBatch[] = [];
  #count = 0;
  /** By vCPU index: where its first interval starts, NaN before; and how long nothing was known of it. */
  #headNs = new Float64Array(64).fill(Number.NaN);
  #unknownNs = new Float64Array(64);

  /** Whether what is held back is to be worked off, whatever intervals are missing. */
  get full(): boolean {
    return this.#count === BATCHES_MAX;
  }

  push(batch: TransitionBatch): void {
    const at = this.#count++;
    const { tNs, dom, vcpu, vcpuIndex, from, to, pcpu } = batch;
    let copy = this.#batches[at];
    if (copy === undefined || copy.tNs.length < batch.count) {
      copy = createTransitionBatch(tNs.length);
      this.#batches[at] = copy;
    }
    copy.count = batch.count;
    copy.tNs.set(tNs);
    copy.dom.set(dom);
    copy.vcpu.set(vcpu);
    copy.vcpuIndex.set(vcpuIndex);
    copy.from.set(from);
    copy.to.set(to);
    copy.pcpu.set(pcpu);
  }

  /** Notes the heads among the intervals; what was pushed before can be worked off now. */
  noteHeads({ count, dom, vcpuIndex, state, startNs, endNs }: RunstateBatch): void {
    let headNs: Float64Array = this.#headNs;
    for (let row = 0; row < count; row++) {
      const index = vcpuIndex[row];
      if (headNs[index] >= 0 || dom[row] === DOM_IDLE) continue;
      if (index >= headNs.length) headNs = this.#grow(index);
      headNs[index] = startNs[row];
      if (state[row] === UNKNOWN) this.#unknownNs[index] = endNs[row] - startNs[row];
    }
  }

  /** Since when a vCPU is in the trace, as far as its intervals tell; NaN: they tell nothing. */
  headNs(vcpuIndex: number): number {
    return this.#headNs[vcpuIndex] ?? Number.NaN;
  }

  /** How long nothing was known of it from then on. */
  unknownNs(vcpuIndex: number): number {
    return this.#unknownNs[vcpuIndex] ?? 0;
  }

  /** Hands over what is held back, in its order. */
  drain(take: (batch: TransitionBatch) => void): void {
    for (let at = 0; at < this.#count; at++) take(this.#batches[at]);
    this.#count = 0;
  }

  #grow(index: number): Float64Array {
    const size = 2 ** Math.ceil(Math.log2(index + 1));
    const headNs = new Float64Array(size).fill(Number.NaN);
    headNs.set(this.#headNs);
    this.#headNs = headNs;
    const unknownNs = new Float64Array(size);
    unknownNs.set(this.#unknownNs);
    this.#unknownNs = unknownNs;
    return headNs;
  }
}
