/**
 * Batches on their way from one thread to another, through memory that both see: copied in on the one side, read in
 * place on the other, in the order in which they were sent. Who is ahead waits.
 * @module
 */
import { assert } from '../base/assert.ts';
import { createRecordBatch, type RecordBatch } from '../decoder/record-batch.ts';
import { createBlameBatch } from './blame-batch.ts';
import { createJobBatch } from './job-batch.ts';
import { createRunstateBatch, createWaitBatch } from './runstate-batch.ts';
import { LISTENER_ROWS } from './timeline-listener.ts';
import { createTransitionBatch } from './transition-batch.ts';

/** What is sent, with the constructor of its batches. */
const KINDS = {
  records: () => createRecordBatch(),
  runstates: () => createRunstateBatch(LISTENER_ROWS),
  waits: () => createWaitBatch(LISTENER_ROWS),
  jobs: () => createJobBatch(LISTENER_ROWS),
  transitions: () => createTransitionBatch(LISTENER_ROWS),
  blames: () => createBlameBatch(LISTENER_ROWS),
} as const;

export type BatchKind = keyof typeof KINDS;
export const BATCH_KINDS = Object.keys(KINDS) as BatchKind[];

/** Rows in use, and columns. */
export interface Batch {
  count: number;
}

/** Batches of a kind that may be on the way at once. */
const SLOTS_PER_KIND = 4;
const SLOTS = SLOTS_PER_KIND * BATCH_KINDS.length;
/** More than there are slots, with the mark of the end: never full. */
const QUEUE = SLOTS + 1;
const END = -1;
const FREE = 0;
const FULL = 1;
/** What the other thread may take for a batch, at most; beyond that something has happened to it. */
const PATIENCE_MS = 10 * 60_000;

/** The memory of a channel: plain values, to be handed to the other thread. */
export interface ChannelMemory {
  /** By slot; those of one kind follow each other. */
  readonly batches: readonly Batch[];
  /** By slot: {@link FREE} or {@link FULL}; then by slot: rows in use. */
  readonly slots: Int32Array;
  /** Slots in the order in which they were sent, as a ring. */
  readonly queue: Int32Array;
  /** [0]: how many have been sent. */
  readonly sent: Int32Array;
}

export function createChannelMemory(): ChannelMemory {
  const words = (count: number) => new Int32Array(new SharedArrayBuffer(count * 4));
  const batches = BATCH_KINDS.flatMap((kind) =>
    Array.from({ length: SLOTS_PER_KIND }, () => shared(KINDS[kind]())),
  );
  return { batches, slots: words(SLOTS * 2), queue: words(QUEUE), sent: words(1) };
}

/** The side that sends. */
export class BatchSender {
  readonly #memory: ChannelMemory;
  /** By kind: the slot to fill next, from 0. */
  readonly #next = BATCH_KINDS.map(() => 0);

  constructor(memory: ChannelMemory) {
    this.#memory = memory;
  }

  /** Copies a batch of the size that its kind has; waits for a place for it. */
  send(kind: BatchKind, batch: Batch): void {
    const { batches, slots } = this.#memory;
    const kindIndex = BATCH_KINDS.indexOf(kind);
    const slot = kindIndex * SLOTS_PER_KIND + this.#next[kindIndex];
    this.#next[kindIndex] = (this.#next[kindIndex] + 1) % SLOTS_PER_KIND;
    while (Atomics.load(slots, slot) === FULL) Atomics.wait(slots, slot, FULL);
    copyColumns(batch, batches[slot]);
    slots[SLOTS + slot] = batch.count;
    Atomics.store(slots, slot, FULL);
    this.#pass(slot);
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#pass(END);
  }

  #pass(entry: number): void {
    const { queue, sent } = this.#memory;
    queue[sent[0] % QUEUE] = entry;
    Atomics.add(sent, 0, 1);
    Atomics.notify(sent, 0);
  }
}

/** The side that receives. */
export class BatchReceiver {
  readonly #memory: ChannelMemory;
  #received = 0;

  constructor(memory: ChannelMemory) {
    this.#memory = memory;
  }

  /** Hands the next batch to `use`, which may read it until it returns; false at the end. Waits for it. */
  receive(use: (kind: BatchKind, batch: Batch) => void): boolean {
    const { batches, slots, queue, sent } = this.#memory;
    while (Atomics.load(sent, 0) === this.#received) {
      const waited = Atomics.wait(sent, 0, this.#received, PATIENCE_MS);
      assert(waited !== 'timed-out', 'the thread that decodes has stopped answering');
    }
    const slot = queue[this.#received % QUEUE];
    this.#received++;
    if (slot === END) return false;
    const batch = batches[slot];
    batch.count = slots[SLOTS + slot];
    use(BATCH_KINDS[Math.floor(slot / SLOTS_PER_KIND)], batch);
    Atomics.store(slots, slot, FREE);
    Atomics.notify(slots, slot);
    return true;
  }
}

type Columns = Record<string, Float64Array>;

/** The same batch, its columns in memory that threads can share. */
function shared(batch: Batch): Batch {
  const columns = Object.entries(batch).map(([name, column]) => {
    if (!ArrayBuffer.isView(column)) return [name, column];
    const Column = column.constructor as Float64ArrayConstructor;
    return [name, new Column(new SharedArrayBuffer(column.byteLength))];
  });
  return Object.fromEntries(columns) as Batch;
}

function copyColumns(from: Batch, to: Batch): void {
  const [source, target] = [from as unknown as Columns, to as unknown as Columns];
  for (const name of Object.keys(from)) {
    if (name !== 'count') target[name].set(source[name].subarray(0, lengthOf(from, name)));
  }
}

/** How much of a column is in use: a row each, but for the words of records. */
function lengthOf(batch: Batch, column: string): number {
  if (column === 'wordsOffset') return batch.count + 1;
  return column === 'words' ? (batch as RecordBatch).wordsOffset[batch.count] : batch.count;
}
