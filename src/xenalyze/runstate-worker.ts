/**
 * The thread that counts the times of runstates and finds their percentiles; see runstate-thread.ts.
 * @module
 */
import { workerData } from 'node:worker_threads';
import { RunstateCounter } from './runstate-counter.ts';
import { COUNTED, READ, type RunstateOrder, WRITTEN } from './runstate-thread.ts';
import { RING, RING_BLOCK_BYTES, RING_BLOCKS } from './wasm/runstate-layout.ts';

const { options, memory, used, state } = workerData as RunstateOrder;
const counter = new RunstateCounter(options, memory);
for (let read = 0; ; read++) {
  while (Atomics.load(state, WRITTEN) === read) Atomics.wait(state, WRITTEN, read);
  const block = read % RING_BLOCKS;
  if (used[block] === 0) break;
  counter.takeFrom(RING + block * RING_BLOCK_BYTES, used[block]);
  Atomics.store(state, READ, read + 1);
  Atomics.notify(state, READ);
}
counter.end();
Atomics.store(state, COUNTED, 1);
Atomics.notify(state, COUNTED);
counter.findPercentiles(1);
