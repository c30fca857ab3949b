import { Worker } from 'node:worker_threads';
import {
  RunstateCounter,
  type RunstateCounterOptions,
  runstateMemory,
  waitUntil,
} from './runstate-counter.ts';
import type { RunstateLines, RunstateTimes } from './runstate-times.ts';
import { RING, RING_BLOCK_BYTES, RING_BLOCKS } from './wasm/runstate-layout.ts';

/** What the threads share. */
export interface RunstateOrder {
  readonly options: RunstateCounterOptions;
  /** The counter's, with a ring of blocks of the log. */
  readonly memory: WebAssembly.Memory;
  /** Words used of each block; an empty one says that there are no more. */
  readonly used: Int32Array;
  /** How many blocks were written and how many were read; then, whether all was counted. */
  readonly state: Int32Array;
}

export const WRITTEN = 0;
export const READ = 1;
export const COUNTED = 2;

/** A thread of its own in which {@link RunstateCounter} counts, worth its start for traces of tens of megabytes. */
export class RunstateThread implements RunstateTimes {
  readonly #counter: RunstateCounter;
  readonly #worker: Worker;
  readonly #ring: Int32Array;
  readonly #used: Int32Array;
  readonly #state: Int32Array;
  #written = 0;

  constructor(options: RunstateCounterOptions) {
    const shared = (length: number) => new Int32Array(new SharedArrayBuffer(length * 4));
    const memory = runstateMemory();
    // Before the thread begins: whoever starts the program writes its constants.
    this.#counter = new RunstateCounter(options, memory);
    this.#ring = new Int32Array(memory.buffer, RING, (RING_BLOCKS * RING_BLOCK_BYTES) / 4);
    this.#used = shared(RING_BLOCKS);
    this.#state = shared(3);
    const workerData: RunstateOrder = { options, memory, used: this.#used, state: this.#state };
    this.#worker = new Worker(new URL('./runstate-worker.js', import.meta.url), { workerData });
    this.#worker.unref();
  }

  take(words: Int32Array): void {
    if (words.length === 0) return;
    this.#ring.set(words, (this.#written % RING_BLOCKS) * (RING_BLOCK_BYTES / 4));
    this.#hand(words.length);
  }

  lines(): RunstateLines {
    this.#hand(0);
    waitUntil(this.#state, COUNTED, (counted) => counted === 1);
    this.#counter.findPercentiles(0);
    const lines = this.#counter.linesFound();
    void this.#worker.terminate();
    return lines;
  }

  /** Hands a block of so many words over, and waits for one to be free. */
  #hand(words: number): void {
    const state = this.#state;
    this.#used[this.#written % RING_BLOCKS] = words;
    this.#written++;
    Atomics.store(state, WRITTEN, this.#written);
    Atomics.notify(state, WRITTEN);
    waitUntil(state, READ, (read) => read > this.#written - RING_BLOCKS);
  }
}
