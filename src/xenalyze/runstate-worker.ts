/**
 * The thread that counts the times of runstates and finds their percentiles; see runstate-thread.ts.
 * @module
 */
import { workerData } from 'node:worker_threads';
import { findPercentiles } from './cycle-table.ts';
import {
  ADD_VCPU,
  BLOCK_WORDS,
  BLOCKS,
  FORGET_START,
  READ,
  RUNSTATE_BITS,
  type RunstateAnswer,
  type RunstateOrder,
  SENT,
  TIME,
  WRITTEN,
} from './runstate-thread.ts';
import { RunstateCounter } from './runstate-times.ts';

const RUNSTATE_MASK = 2 ** RUNSTATE_BITS - 1;

const { options, port, words, used, state } = workerData as RunstateOrder;
const numbers = new Float64Array(words.buffer);
const counter = new RunstateCounter(options);
let tsc = 0;
for (let read = 0; ; read++) {
  while (Atomics.load(state, WRITTEN) === read) Atomics.wait(state, WRITTEN, read);
  const block = read % BLOCKS;
  if (used[block] === 0) break;
  tsc = follow(block * BLOCK_WORDS, block * BLOCK_WORDS + used[block], tsc);
  Atomics.store(state, READ, read + 1);
  Atomics.notify(state, READ);
}
const { content } = counter.table;
const shared = <T>(Kind: new (buffer: SharedArrayBuffer) => T, bytes: number) =>
  new Kind(new SharedArrayBuffer(bytes));
const percentiles = shared(Float64Array, content.chunks.length * 3 * 8);
const progress = shared(Int32Array, 2 * 4);
port.postMessage({ content, percentiles, progress } satisfies RunstateAnswer);
Atomics.store(state, SENT, 1);
Atomics.notify(state, SENT);
findPercentiles(content, percentiles, progress);

/** Takes what stands between two places of the words, from a TSC on. Returns the last TSC. */
function follow(from: number, to: number, start: number): number {
  let now = start;
  for (let at = from; at < to; at += 2) {
    const word = words[at];
    if (word >= 0) {
      now += words[at + 1];
      counter.pass(word >> RUNSTATE_BITS, word & RUNSTATE_MASK, now);
      continue;
    }
    const vcpu = words[at + 2];
    if (word === TIME) now = numbers[at / 2 + 1];
    else if (word === ADD_VCPU) counter.addVcpu(vcpu, words[at + 3]);
    else if (word === FORGET_START) counter.forgetStart(vcpu);
    else counter.supposeRunning(vcpu);
    at += 2;
  }
  return now;
}
