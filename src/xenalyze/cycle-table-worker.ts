/**
 * The thread that counts durations and finds their percentiles; see cycle-table-thread.ts.
 * @module
 */
import { workerData } from 'node:worker_threads';
import { CycleTable, findPercentiles } from './cycle-table.ts';
import {
  ADD_TO,
  BLOCK_WORDS,
  BLOCKS,
  type CycleTableAnswer,
  type CycleTableOrder,
  LONG,
  READ,
  SENT,
  WRITTEN,
} from './cycle-table-thread.ts';

const { limits, port, words, used, state } = workerData as CycleTableOrder;
const table = new CycleTable(limits);
for (let read = 0; ; read++) {
  while (Atomics.load(state, WRITTEN) === read) Atomics.wait(state, WRITTEN, read);
  const block = read % BLOCKS;
  if (used[block] === 0) break;
  addAll(block * BLOCK_WORDS, block * BLOCK_WORDS + used[block]);
  Atomics.store(state, READ, read + 1);
  Atomics.notify(state, READ);
}
const { content } = table;
const numbers = content.chunks.length;
const shared = <T>(Kind: new (buffer: SharedArrayBuffer) => T, bytes: number) =>
  new Kind(new SharedArrayBuffer(bytes));
const percentiles = shared(Float64Array, numbers * 3 * 8);
const progress = shared(Int32Array, 2 * 4);
port.postMessage({ content, percentiles, progress } satisfies CycleTableAnswer);
Atomics.store(state, SENT, 1);
Atomics.notify(state, SENT);
findPercentiles(content, percentiles, progress);

function addAll(from: number, to: number): void {
  for (let at = from; at < to; at += 2) {
    const number = words[at];
    if (number === LONG) {
      table.add(words[at + 1], words[at + 2] * 2 ** 32 + (words[at + 3] >>> 0));
      at += 2;
    } else if (number === ADD_TO) {
      table.addTo(words[at + 2], words[at + 3]);
      at += 2;
    } else table.add(number, words[at + 1]);
  }
}
