/**
 * The thread that counts the times of runstates and finds their percentiles; see runstate-thread.ts.
 * @module
 */
import { workerData } from 'node:worker_threads';
import { findPercentiles, RunstateCounter } from './runstate-counter.ts';
import { READ, type RunstateAnswer, type RunstateOrder, SENT, WRITTEN } from './runstate-thread.ts';
import { RING, RING_BLOCK_BYTES, RING_BLOCKS } from './wasm/runstate-layout.ts';

const { options, port, memory, used, state } = workerData as RunstateOrder;
const counter = new RunstateCounter(options, memory);
for (let read = 0; ; read++) {
  while (Atomics.load(state, WRITTEN) === read) Atomics.wait(state, WRITTEN, read);
  const block = read % RING_BLOCKS;
  if (used[block] === 0) break;
  counter.takeFrom(RING + block * RING_BLOCK_BYTES, used[block]);
  Atomics.store(state, READ, read + 1);
  Atomics.notify(state, READ);
}
const { counts } = counter;
const shared = <T>(Kind: new (buffer: SharedArrayBuffer) => T, bytes: number) =>
  new Kind(new SharedArrayBuffer(bytes));
const percentiles = shared(Float64Array, counts.pieces.length * 3 * 8);
const progress = shared(Int32Array, 2 * 4);
port.postMessage({ counts, percentiles, progress } satisfies RunstateAnswer);
Atomics.store(state, SENT, 1);
Atomics.notify(state, SENT);
findPercentiles(counts, percentiles, progress);
