/**
 * V8 lets the old generation grow by at least 8 MB before a collection is due, in which the memory of array buffers
 * counts. Node itself begins with 2 MB of them.
 */
const EXTERNAL_BYTES = 6e6;
/** A heap of less is that of a run that has put nothing more than its own modules into the old generation. */
const HEAP_BYTES = 16e6;

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
  if (external < EXTERNAL_BYTES && heapUsed < HEAP_BYTES) return;
  // Loaded only here: that takes 3 ms.
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  process.getBuiltinModule('node:vm').runInNewContext('gc')();
}
