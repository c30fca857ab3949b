import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import {
  findPercentiles,
  type RunstateCounterOptions,
  type RunstateCounts,
  runstateMemory,
  runstateTotals,
} from './runstate-counter.ts';
import type { RunstateTimes, RunstateTotals } from './runstate-times.ts';
import { RING, RING_BLOCK_BYTES, RING_BLOCKS } from './wasm/runstate-layout.ts';

const PATIENCE_MS = 60_000;

/** What the threads share. */
export interface RunstateOrder {
  readonly options: RunstateCounterOptions;
  readonly port: MessagePort;
  /** The counter's, with a ring of blocks of the log. */
  readonly memory: WebAssembly.Memory;
  /** Words used of each block; an empty one says that there are no more. */
  readonly used: Int32Array;
  /** How many blocks were written and how many were read; then, whether the answer was sent. */
  readonly state: Int32Array;
}

export const WRITTEN = 0;
export const READ = 1;
export const SENT = 2;

/** What the thread answers with when it has counted all; both threads then look for the percentiles. */
export interface RunstateAnswer {
  readonly counts: RunstateCounts;
  readonly percentiles: Float64Array;
  readonly progress: Int32Array;
}

/** A thread of its own in which {@link RunstateCounter} counts, worth its start for traces of tens of megabytes. */
export class RunstateThread implements RunstateTimes {
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #ring: Int32Array;
  readonly #used: Int32Array;
  readonly #state: Int32Array;
  #written = 0;

  constructor(options: RunstateCounterOptions) {
    const { port1, port2 } = new MessageChannel();
    const shared = (length: number) => new Int32Array(new SharedArrayBuffer(length * 4));
    const memory = runstateMemory();
    this.#port = port1;
    this.#ring = new Int32Array(memory.buffer, RING, (RING_BLOCKS * RING_BLOCK_BYTES) / 4);
    this.#used = shared(RING_BLOCKS);
    this.#state = shared(3);
    const workerData: RunstateOrder = { options, port: port2, memory, used: this.#used, state: this.#state };
    this.#worker = new Worker(new URL('./runstate-worker.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    this.#worker.unref();
  }

  take(words: Int32Array): void {
    if (words.length === 0) return;
    this.#ring.set(words, (this.#written % RING_BLOCKS) * (RING_BLOCK_BYTES / 4));
    this.#hand(words.length);
  }

  totals(): RunstateTotals {
    this.#hand(0);
    waitUntil(this.#state, SENT, (sent) => sent === 1);
    const answer = receiveMessageOnPort(this.#port)?.message as RunstateAnswer;
    const { counts, percentiles, progress } = answer;
    findPercentiles(counts, percentiles, progress);
    const numbers = percentiles.length / 3;
    waitUntil(progress, 1, (done) => done === numbers);
    this.#port.close();
    void this.#worker.terminate();
    return runstateTotals(counts, percentiles);
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

function waitUntil(words: Int32Array, index: number, isDone: (value: number) => boolean): void {
  for (;;) {
    const value = Atomics.load(words, index);
    if (isDone(value)) return;
    const waited = Atomics.wait(words, index, value, PATIENCE_MS);
    assert(waited !== 'timed-out', 'the thread that counts has stopped answering');
  }
}
