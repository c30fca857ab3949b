import { createRecordBatch, type RecordBatch } from './record-batch.ts';

/** Batches on the way from the thread that decodes to the one that works on them. */
const SLOTS = 4;
const FREE = 0;
const FULL = 1;
/** The trace is at its end, or could not be read on: the last message says which. */
const ENDED = 2;
/** What the thread that decodes may take for a batch, at most; beyond that something has happened to it. */
const PATIENCE_MS = 10 * 60_000;

/** The memory of a {@link BatchRing}, which both threads see. */
export interface SharedBatches {
  readonly batches: readonly RecordBatch[];
  /** A state for each slot, then a count of rows for each. */
  readonly control: Int32Array;
  /** How many bytes of the trace have been read. */
  readonly doneBytes: Float64Array;
}

export function createSharedBatches(): SharedBatches {
  return {
    batches: Array.from({ length: SLOTS }, () => createRecordBatch(undefined, true)),
    control: new Int32Array(new SharedArrayBuffer(SLOTS * 2 * 4)),
    doneBytes: new Float64Array(new SharedArrayBuffer(8)),
  };
}

/** A ring of batches between two threads: one fills, the other takes, each waiting for the other where it must. */
export class BatchRing {
  readonly #shared: SharedBatches;
  #slot = 0;

  constructor(shared: SharedBatches) {
    this.#shared = shared;
  }

  /** The batch to fill next; waits until it is free. */
  free(): RecordBatch {
    const { control, batches } = this.#shared;
    while (Atomics.load(control, this.#slot) !== FREE) Atomics.wait(control, this.#slot, FULL);
    return batches[this.#slot];
  }

  /** Hands the batch of {@link free} on. */
  fill(): void {
    const { control, batches } = this.#shared;
    control[SLOTS + this.#slot] = batches[this.#slot].count;
    this.#pass(FULL);
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#pass(ENDED);
  }

  /** The oldest full batch, undefined at the end; waits for it. It is good until {@link release}. */
  full(): RecordBatch | undefined {
    const { control, batches } = this.#shared;
    while (Atomics.load(control, this.#slot) === FREE) {
      if (Atomics.wait(control, this.#slot, FREE, PATIENCE_MS) === 'timed-out') {
        throw new Error('the thread that decodes has stopped answering');
      }
    }
    if (control[this.#slot] === ENDED) return undefined;
    batches[this.#slot].count = control[SLOTS + this.#slot];
    return batches[this.#slot];
  }

  /** Gives the batch of {@link full} back. */
  release(): void {
    this.#pass(FREE);
  }

  #pass(state: number): void {
    const { control } = this.#shared;
    Atomics.store(control, this.#slot, state);
    Atomics.notify(control, this.#slot);
    this.#slot = (this.#slot + 1) % SLOTS;
  }
}
