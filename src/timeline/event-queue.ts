import { VALUES_MAX } from './record-kinds.ts';

/**
 * The last records that concern a timeline, as a ring of columns. A timeline works on the oldest one, so that it knows
 * of a loss before the first record that may be missing: TRC_LOST_RECORDS comes only when Xen has space again.
 */
export class EventQueue {
  readonly tNs: Float64Array;
  readonly kind: Uint8Array;
  /** Of a change of runstate: the old state in bits 5..4, the new one in bits 1..0. */
  readonly states: Uint8Array;
  readonly pcpu: Uint16Array;
  /** The vCPU, `dom << 16 | vcpu`. */
  readonly key: Uint32Array;
  /** {@link VALUES_MAX} a slot, for the kinds that have values; NaN where the layout lacks one. */
  readonly values: Float64Array;
  readonly #mask: number;
  #pushed = 0;
  #taken = 0;

  /** @param capacity a power of two */
  constructor(capacity: number) {
    this.#mask = capacity - 1;
    this.tNs = new Float64Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.states = new Uint8Array(capacity);
    this.pcpu = new Uint16Array(capacity);
    this.key = new Uint32Array(capacity);
    this.values = new Float64Array(capacity * VALUES_MAX);
  }

  get count(): number {
    return this.#pushed - this.#taken;
  }

  /** When the oldest event happened; never ask it of an empty queue. */
  get oldestNs(): number {
    return this.tNs[this.#taken & this.#mask];
  }

  get full(): boolean {
    return this.#pushed - this.#taken > this.#mask;
  }

  /** Reserves the next slot; never call it on a full queue. */
  push(): number {
    return this.#pushed++ & this.#mask;
  }

  /** The slot of the oldest event, which is free for the next {@link push} but one; never call it on an empty queue. */
  take(): number {
    return this.#taken++ & this.#mask;
  }
}
