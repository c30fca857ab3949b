import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8 lets a heap grow to at least 8 MB above its old generation, which is never below 3 MB once Node runs, before a
 * collection is due; memory of array buffers counts.
 */
const SURELY_ROOM_BYTES = 10e6;

/**
 * Collects garbage, unless there is little, so that this thread can end. To be called as the last thing that a thread
 * does, or does before another may end it.
 *
 * Where a thread ends, Node waits for V8's compilers in the background (`NodePlatform::DrainTasks`; `process.exit`
 * waits for them too). A compiler that needs memory when a collection is due waits for this thread to collect: neither
 * goes on (issue 54918 of nodejs/node, seen with Node 20 to 26). Array buffers of a few tens of megabytes, as any
 * decoding has them, make a collection due; without this, one in twenty short runs never ended.
 */
export function collectBeforeExit(): void {
  const { heapUsed, external } = process.memoryUsage();
  if (heapUsed + external < SURELY_ROOM_BYTES) return;
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
