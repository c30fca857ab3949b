import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';

export const MS = 1_000_000;
const TRC_RTDS_BUDGET_BURN = 0x22803;
const TRC_RTDS_BUDGET_REPLENISH = 0x22804;

/**
 * The example of "Waits" in docs/metrics.md, on two pCPUs under RTDS (`R` runs, `r` waits, `T` has no
 * budget):
 *
 *                   0    2    4    6    8    10   12   14   16   18   20 ms
 *     d1v0          RRRRRRRRRRrrrrrrrrrrrrrrrRRRRRRRRRRRRRRRRRRRRRRRRR     on p0
 *     d2v0          .....rrrrrRRRRRRRRRRRRRRRTTTTTTTTTTrrrrrRRRRR.....     on p0, then on p1
 *     d3v0          RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRrrrrrRRRRR     on p1
 */
export function waitsExample(): Uint8Array {
  const at = (ms: number) => 1000 + ms * MS;
  return new TraceBuilder()
    .window(0)
    .runstate(at(0), 1, 0, 'runnable', 'running')
    .runstate(at(2), 2, 0, 'blocked', 'runnable')
    .runstate(at(4), 1, 0, 'running', 'runnable')
    .runstate(at(4), 2, 0, 'runnable', 'running')
    .record(TRC_RTDS_BUDGET_BURN, at(10), [vcpuWord(2, 0), ...u64(0), 6 * MS, 0, 0])
    .runstate(at(10), 2, 0, 'running', 'runnable')
    .runstate(at(10), 1, 0, 'runnable', 'running')
    .record(TRC_RTDS_BUDGET_REPLENISH, at(14), [vcpuWord(2, 0), 0, ...u64(34 * MS), ...u64(6 * MS)])
    .window(1)
    .runstate(at(0), 3, 0, 'runnable', 'running')
    .runstate(at(16), 3, 0, 'running', 'runnable')
    .runstate(at(16), 2, 0, 'runnable', 'running')
    .runstate(at(18), 2, 0, 'running', 'blocked')
    .runstate(at(18), 3, 0, 'runnable', 'running')
    .bytes();
}

/** The trace goes on until 20 ms, in windows of 5 ms. */
export const WAITS_EXAMPLE_OPTIONS = { endNs: 20 * MS, windowNs: 5 * MS };
