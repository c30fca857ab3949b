/** Extra words kept of each event: as many as a record can have. */
export const QUEUE_WORDS = 7;

/**
 * The last records that concern a timeline, as a ring of columns. A timeline works on the oldest one, so that it knows
 * of a loss before the first record that may be missing: TRC_LOST_RECORDS comes only when Xen has space again.
 */
export class EventQueue {
  readonly tNs: Float64Array;
  readonly event: Uint32Array;
  readonly pcpu: Uint16Array;
  /** {@link QUEUE_WORDS} a slot. */
  readonly words: Uint32Array;
  readonly #mask: number;
  #pushed = 0;
  #taken = 0;

  /** @param capacity a power of two */
  constructor(capacity: number) {
    this.#mask = capacity - 1;
    this.tNs = new Float64Array(capacity);
    this.event = new Uint32Array(capacity);
    this.pcpu = new Uint16Array(capacity);
    this.words = new Uint32Array(capacity * QUEUE_WORDS);
  }

  get count(): number {
    return this.#pushed - this.#taken;
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
