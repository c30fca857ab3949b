import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import type { SampleLimits } from './cycle-summary.ts';
import {
  type CycleCounter,
  type CycleTableContent,
  type CycleTotals,
  findPercentiles,
  totalsOf,
} from './cycle-table.ts';

/** How many words a block of durations has, and how many blocks there are. */
export const BLOCK_WORDS = 32 * 1024;
export const BLOCKS = 16;
// What stands in place of a number: before a duration that is too long for a word, the number and both halves of it;
// before the two numbers of which the second adds to the first.
export const LONG = -1;
export const ADD_TO = -2;
const CYCLES_MAX = 2 ** 31 - 1;
const PATIENCE_MS = 60_000;

/** What the threads share. */
export interface CycleTableOrder {
  readonly limits: SampleLimits;
  readonly port: MessagePort;
  /** Durations: numbers and cycles in turn. */
  readonly words: Int32Array;
  /** Words used of each block. */
  readonly used: Int32Array;
  /** How many blocks were written and how many were read; then, whether the content was sent. */
  readonly state: Int32Array;
}

export const WRITTEN = 0;
export const READ = 1;
export const SENT = 2;

/** What the thread answers with when it has counted all; both threads then look for the percentiles. */
export interface CycleTableAnswer {
  readonly content: CycleTableContent;
  readonly percentiles: Float64Array;
  readonly progress: Int32Array;
}

/** A {@link CycleTable} in a thread of its own, worth its start for traces of tens of megabytes. */
export class CycleTableThread implements CycleCounter {
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #words: Int32Array;
  readonly #used: Int32Array;
  readonly #state: Int32Array;
  #written = 0;
  /** Where in the words the next duration goes, and where its block ends. */
  #at = 0;
  #end = BLOCK_WORDS;

  constructor({ sampleSize, sampleMax }: SampleLimits) {
    const { port1, port2 } = new MessageChannel();
    const shared = (length: number) => new Int32Array(new SharedArrayBuffer(length * 4));
    this.#port = port1;
    this.#words = shared(BLOCKS * BLOCK_WORDS);
    this.#used = shared(BLOCKS);
    this.#state = shared(3);
    const workerData: CycleTableOrder = {
      limits: { sampleSize, sampleMax },
      port: port2,
      words: this.#words,
      used: this.#used,
      state: this.#state,
    };
    this.#worker = new Worker(new URL('./cycle-table-worker.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    this.#worker.unref();
  }

  add(number: number, cycles: number): void {
    const words = this.#words;
    let at = this.#at;
    if (cycles <= CYCLES_MAX) {
      words[at] = number;
      words[at + 1] = cycles;
      at += 2;
    } else {
      words[at] = LONG;
      words[at + 1] = number;
      words[at + 2] = Math.floor(cycles / 2 ** 32);
      words[at + 3] = cycles;
      at += 4;
    }
    this.#at = at;
    if (at > this.#end - 4) this.#hand();
  }

  addTo(sum: number, number: number): void {
    this.#words.set([ADD_TO, 0, sum, number], this.#at);
    this.#at += 4;
    if (this.#at > this.#end - 4) this.#hand();
  }

  totals(): (number: number) => CycleTotals {
    if (this.#at > this.#end - BLOCK_WORDS) this.#hand();
    // An empty block is the end.
    this.#hand();
    waitUntil(this.#state, SENT, (sent) => sent === 1);
    const answer = receiveMessageOnPort(this.#port)?.message as CycleTableAnswer;
    const { content, percentiles, progress } = answer;
    findPercentiles(content, percentiles, progress);
    const numbers = percentiles.length / 3;
    waitUntil(progress, 1, (done) => done === numbers);
    this.#port.close();
    void this.#worker.terminate();
    return (number) => totalsOf(content, percentiles, number);
  }

  /** Hands a block over, and waits for one to be free. */
  #hand(): void {
    const state = this.#state;
    const block = this.#written % BLOCKS;
    this.#used[block] = this.#at - block * BLOCK_WORDS;
    this.#written++;
    Atomics.store(state, WRITTEN, this.#written);
    Atomics.notify(state, WRITTEN);
    const next = this.#written % BLOCKS;
    this.#at = next * BLOCK_WORDS;
    this.#end = this.#at + BLOCK_WORDS;
    waitUntil(state, READ, (read) => read > this.#written - BLOCKS);
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
