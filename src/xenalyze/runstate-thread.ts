import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { type CycleTableContent, findPercentiles, totalsOf } from './cycle-table.ts';
import {
  type RunstateTimes,
  type RunstateTimesOptions,
  type RunstateTotals,
  runstateTotals,
} from './runstate-times.ts';

/** How many words a block of transitions has, and how many blocks there are. */
export const BLOCK_WORDS = 32 * 1024;
export const BLOCKS = 16;
/** The first block ends soon, so that V8 compiles nothing before it has seen the end of one. */
const FIRST_BLOCK_WORDS = 256;
/** A transition is a word of vCPU and runstate, in so many bits, and one of the time since the one before it. */
export const RUNSTATE_BITS = 3;
// What stands in place of a transition's first word. Behind the second there are two more words:
/** the time, as a number, that the next transition's is told from; */
export const TIME = -1;
/** vCPU and domain; */
export const ADD_VCPU = -2;
/** vCPU; */
export const SUPPOSE_RUNNING = -3;
/** vCPU. */
export const FORGET_START = -4;

const DELTA_MAX = 2 ** 31 - 1;
const PATIENCE_MS = 60_000;

/** What the threads share. */
export interface RunstateOrder {
  readonly options: RunstateTimesOptions;
  readonly port: MessagePort;
  readonly words: Int32Array;
  /** Words used of each block. */
  readonly used: Int32Array;
  /** How many blocks were written and how many were read; then, whether the answer was sent. */
  readonly state: Int32Array;
}

export const WRITTEN = 0;
export const READ = 1;
export const SENT = 2;

/** What the thread answers with when it has counted all; both threads then look for the percentiles. */
export interface RunstateAnswer {
  readonly content: CycleTableContent;
  readonly percentiles: Float64Array;
  readonly progress: Int32Array;
}

/** A thread of its own in which {@link RunstateCounter} counts, worth its start for traces of tens of megabytes. */
export class RunstateThread implements RunstateTimes {
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #words: Int32Array;
  /** The same memory. */
  readonly #numbers: Float64Array;
  readonly #used: Int32Array;
  readonly #state: Int32Array;
  #written = 0;
  /** Where in the words the next transition goes, and where its block ends. */
  #at = 0;
  #end = FIRST_BLOCK_WORDS;
  /** The time of the last transition. */
  #tsc = 0;

  constructor(options: RunstateTimesOptions) {
    const { port1, port2 } = new MessageChannel();
    const shared = (length: number) => new Int32Array(new SharedArrayBuffer(length * 4));
    this.#port = port1;
    this.#words = shared(BLOCKS * BLOCK_WORDS);
    this.#numbers = new Float64Array(this.#words.buffer);
    this.#used = shared(BLOCKS);
    this.#state = shared(3);
    const workerData: RunstateOrder = {
      options,
      port: port2,
      words: this.#words,
      used: this.#used,
      state: this.#state,
    };
    this.#worker = new Worker(new URL('./runstate-worker.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    this.#worker.unref();
  }

  pass(vcpu: number, runstate: number, tsc: number): void {
    let delta = tsc - this.#tsc;
    if (delta > DELTA_MAX || delta < 0) {
      this.#jump(tsc);
      delta = 0;
    }
    const words = this.#words;
    const at = this.#at;
    words[at] = (vcpu << RUNSTATE_BITS) | runstate;
    words[at + 1] = delta;
    this.#tsc = tsc;
    this.#at = at + 2;
    if (at + 2 === this.#end) this.#hand();
  }

  addVcpu(vcpu: number, domain: number): void {
    this.#tell(ADD_VCPU, vcpu, domain);
  }

  supposeRunning(vcpu: number): void {
    this.#tell(SUPPOSE_RUNNING, vcpu);
  }

  forgetStart(vcpu: number): void {
    this.#tell(FORGET_START, vcpu);
  }

  totals(): RunstateTotals {
    if (this.#at > (this.#written % BLOCKS) * BLOCK_WORDS) this.#hand();
    // An empty block is the end.
    this.#hand();
    waitUntil(this.#state, SENT, (sent) => sent === 1);
    const answer = receiveMessageOnPort(this.#port)?.message as RunstateAnswer;
    const { content, percentiles, progress } = answer;
    findPercentiles(content, percentiles, progress);
    const numbers = percentiles.length / 3;
    waitUntil(progress, 1, (done) => done === numbers);
    this.#port.close();
    void this.#worker.terminate();
    return runstateTotals((number) => totalsOf(content, percentiles, number));
  }

  #jump(tsc: number): void {
    const at = this.#room();
    this.#words[at] = TIME;
    this.#numbers[at / 2 + 1] = tsc;
    this.#tsc = tsc;
  }

  #tell(what: number, vcpu: number, domain = 0): void {
    const at = this.#room();
    this.#words[at] = what;
    this.#words[at + 2] = vcpu;
    this.#words[at + 3] = domain;
  }

  /** Takes room for four words, behind which there is room for a transition. */
  #room(): number {
    if (this.#at + 6 > this.#end) this.#hand();
    this.#at += 4;
    return this.#at - 4;
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
