/** Whom a wait is due to, and why: hand-made traces, with the parts worked out on paper. One tick is one nanosecond. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { Timeline } from '../../src/timeline/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { readTimeline } from './read-timeline.ts';

const IDLE = 32767;
const CREDIT_TICKLE = 0x22006;
const BOOST_START = 0x22007;
const BOOST_END = 0x22008;
const CREDIT_SCHEDULE = 0x22009;
const CREDIT_RATELIMIT = 0x2200a;
const CREDIT2_BURN = 0x22203;
const CREDIT2_CANDIDATE = 0x22214;
const T0 = 1000;

/** d3v0 runs 10 ns on each of two pCPUs, so that it is known to be able to; then `first` is on pCPU 0, `second` on 1. */
function twoPcpus(first: readonly [number, number], second: readonly [number, number]) {
  return {
    onZero: (builder: TraceBuilder) =>
      builder
        .window(0)
        .runstate(T0, 3, 0, 'runnable', 'running')
        .runstate(T0 + 10, 3, 0, 'running', 'blocked')
        .runstate(T0 + 10, first[0], first[1], 'runnable', 'running'),
    onOne: (builder: TraceBuilder) =>
      builder
        .window(1)
        .runstate(T0 + 20, 3, 0, 'blocked', 'runnable')
        .runstate(T0 + 20, 3, 0, 'runnable', 'running')
        .runstate(T0 + 30, 3, 0, 'running', 'blocked')
        .runstate(T0 + 30, second[0], second[1], 'runnable', 'running'),
  };
}

describe('blame under credit', () => {
  //      0    10   30        100        150   180         290 300     ns
  //  p0  d3v0 d1v0 (boosted up to 150)......................sched d3v0
  //  p1       (d3v0 20-30) d2v0 ............. ratelimited ...........
  //  d3v0 waits                 |----------------------------------|
  test('busy pCPUs share a wait: by BOOST, by turn, by the ratelimit; then comes the switch', async () => {
    const { onZero, onOne } = twoPcpus([1, 0], [2, 0]);
    const builder = new TraceBuilder().window(0).record(BOOST_START, T0 - 5, [1, 0]);
    onZero(builder)
      .runstate(T0 + 100, 3, 0, 'blocked', 'runnable')
      .record(BOOST_END, T0 + 150, [1, 0])
      .record(CREDIT_SCHEDULE, T0 + 290, [0])
      .runstate(T0 + 300, 1, 0, 'running', 'runnable')
      .runstate(T0 + 301, 3, 0, 'runnable', 'running');
    onOne(builder).record(CREDIT_RATELIMIT, T0 + 180, [vcpuWord(2, 0), 150]);
    const { blames } = await readTimeline(builder.bytes());
    // Of the 190 ns before the decision, pCPU 0 has a half (50 boosted, 140 not), pCPU 1 the other (80, and 110 limited).
    expect(blames.filter((line) => line.startsWith('d3v0 105-306'))).toEqual([
      'd3v0 105-306: d1v0 boost 25',
      'd3v0 105-306: d1v0 turn 70',
      'd3v0 105-306: d2v0 turn 40',
      'd3v0 105-306: d2v0 ratelimit 55',
      'd3v0 105-306: d1v0 dispatch 11',
    ]);
  });

  test('an idle pCPU has all of it: untold, or told of another one, and its way to the switch apart', async () => {
    const { onZero, onOne } = twoPcpus([1, 0], [IDLE, 1]);
    const untold = new TraceBuilder();
    onZero(untold)
      .record(CREDIT_TICKLE, T0 + 15, [1])
      .runstate(T0 + 100, 3, 0, 'blocked', 'runnable')
      .runstate(T0 + 200, 1, 0, 'running', 'blocked')
      .runstate(T0 + 200, 3, 0, 'runnable', 'running');
    onOne(untold);
    const without = await readTimeline(untold.bytes());
    expect(without.blames.filter((line) => line.startsWith('d3v0 100'))).toEqual([
      'd3v0 100-200: d[IDLE]v1 no_tickle 100',
    ]);

    const late = new TraceBuilder();
    onZero(late)
      .runstate(T0 + 100, 3, 0, 'blocked', 'runnable')
      .record(CREDIT_TICKLE, T0 + 70_000, [1]);
    onOne(late)
      .record(CREDIT_SCHEDULE, T0 + 70_040, [1])
      .runstate(T0 + 70_050, IDLE, 1, 'running', 'runnable')
      .runstate(T0 + 70_050, 3, 0, 'runnable', 'running');
    const told = await readTimeline(late.bytes());
    expect(told.blames.filter((line) => line.startsWith('d3v0 100'))).toEqual([
      'd3v0 100-70050: d[IDLE]v1 idle 69900',
      'd3v0 100-70050: d[IDLE]v1 dispatch 50',
    ]);
  });

  test('who was told at once is being dispatched from the wake-up on', async () => {
    const { onZero, onOne } = twoPcpus([1, 0], [IDLE, 1]);
    const builder = new TraceBuilder();
    onZero(builder)
      .runstate(T0 + 100, 3, 0, 'blocked', 'runnable')
      .record(CREDIT_TICKLE, T0 + 120, [1]);
    onOne(builder)
      .runstate(T0 + 150, IDLE, 1, 'running', 'runnable')
      .runstate(T0 + 151, 3, 0, 'runnable', 'running');
    const { blames } = await readTimeline(builder.bytes());
    expect(blames.filter((line) => line.startsWith('d3v0 100'))).toEqual([
      'd3v0 100-151: d[IDLE]v1 dispatch 51',
    ]);
  });

  test('a pCPU where it never ran is not blamed for being idle', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 100, 2, 0, 'blocked', 'runnable')
      .runstate(T0 + 300, 1, 0, 'running', 'blocked')
      .runstate(T0 + 300, 2, 0, 'runnable', 'running')
      .window(1)
      .runstate(T0, IDLE, 1, 'runnable', 'running')
      .bytes();
    expect((await readTimeline(bytes)).blames).toEqual(['d2v0 100-300: d1v0 turn 200']);
  });
});

describe('blame by priority', () => {
  test('RTDS: the earlier deadline goes first, and without budget a vCPU is its own culprit', async () => {
    const replenish = (dom: number, deadline: number) => [vcpuWord(dom, 0), 0, ...u64(deadline), ...u64(100)];
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x22804, T0, replenish(1, 1000))
      .record(0x22804, T0, replenish(2, 900))
      .runstate(T0 + 1, 2, 0, 'runnable', 'running')
      .runstate(T0 + 100, 1, 0, 'blocked', 'runnable')
      .runstate(T0 + 200, 2, 0, 'running', 'runnable')
      .runstate(T0 + 200, 1, 0, 'runnable', 'running')
      .record(0x22803, T0 + 299, [vcpuWord(1, 0), ...u64(0), 40, 0, 0])
      .runstate(T0 + 300, 1, 0, 'running', 'runnable')
      .runstate(T0 + 300, 2, 0, 'runnable', 'running')
      .record(0x22804, T0 + 400, replenish(1, 2000))
      .runstate(T0 + 450, 2, 0, 'running', 'blocked')
      .runstate(T0 + 450, 1, 0, 'runnable', 'running')
      .bytes();
    expect((await readTimeline(bytes)).blames).toEqual([
      'd1v0 100-200: d2v0 priority 100',
      // d1v0 has the later deadline: it ran since d2v0 was not better off, as far as the records tell.
      'd2v0 200-300: d1v0 turn 100',
      'd1v0 300-450: d2v0 priority 50',
      'd1v0 300-450: d1v0 throttled 100',
    ]);
  });

  test('credit2: more credit goes first', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(CREDIT2_CANDIDATE, T0, [vcpuWord(1, 0), 0, 5000])
      .runstate(T0, 1, 0, 'runnable', 'running')
      .record(CREDIT2_BURN, T0 + 5, [vcpuWord(2, 0), 4000, 0, 10])
      .runstate(T0 + 10, 2, 0, 'blocked', 'runnable')
      .record(CREDIT2_BURN, T0 + 50, [vcpuWord(1, 0), -100, 0, 40])
      .record(CREDIT2_CANDIDATE, T0 + 50, [vcpuWord(2, 0), 0, 4000])
      .runstate(T0 + 50, 1, 0, 'running', 'runnable')
      .runstate(T0 + 50, 2, 0, 'runnable', 'running')
      .runstate(T0 + 80, 2, 0, 'running', 'blocked')
      .runstate(T0 + 80, 1, 0, 'runnable', 'running')
      .bytes();
    expect((await readTimeline(bytes)).blames).toEqual([
      'd2v0 10-50: d1v0 priority 40',
      'd1v0 50-80: d2v0 priority 30',
    ]);
  });
});

describe('the parts of a wait', () => {
  test('of one that lasts longer than runs are remembered are complete', async () => {
    const switches = 40_000;
    const builder = new TraceBuilder()
      .window(0)
      .runstate(T0 - 9, 3, 0, 'runnable', 'running')
      .runstate(T0, 3, 0, 'running', 'blocked')
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 5, 3, 0, 'blocked', 'runnable');
    for (let k = 1; k <= switches; k++) {
      builder.runstate(T0 + 10 * k, 2 - (k % 2), 0, 'running', 'blocked');
      builder.runstate(T0 + 10 * k, 1 + (k % 2), 0, 'blocked', 'runnable');
      builder.runstate(T0 + 10 * k, 1 + (k % 2), 0, 'runnable', 'running');
    }
    builder.runstate(T0 + 10 * switches + 10, 1, 0, 'running', 'blocked');
    builder.runstate(T0 + 10 * switches + 10, 3, 0, 'runnable', 'running');
    const { blames } = await readTimeline(builder.bytes());
    // d1v0 and d2v0 take turns of 10 ns; d1v0 has the first 5 ns and the last turn.
    expect(blames.filter((line) => line.startsWith('d3v0'))).toEqual([
      'd3v0 14-400019: d1v0 turn 200005',
      'd3v0 14-400019: d2v0 turn 200000',
    ]);
  });

  const folder = join(import.meta.dirname, '../../../shared/traces');
  const traces = existsSync(folder) ? readdirSync(folder).filter((name) => /\.trace(\.gz)?$/.test(name)) : [];
  const samples = join(import.meta.dirname, '../../samples/traces/credit-caps.trace');
  const paths = [samples, ...traces.map((name) => join(folder, name))];

  test.each(paths)('sum to the wait, and no other wait has any: %s', async (path) => {
    const reader = await openTrace(path);
    const waitNs = new Map<string, number>();
    const blamedNs = new Map<string, number>();
    const timeline = new Timeline(
      reader.catalog,
      [
        {
          onWaits({ count, vcpuIndex, startNs, endNs }) {
            for (let row = 0; row < count; row++) {
              if (endNs[row] === startNs[row]) continue;
              waitNs.set(`${vcpuIndex[row]} ${startNs[row]}`, endNs[row] - startNs[row]);
            }
          },
          onBlames({ count, vcpuIndex, startNs, ns }) {
            for (let row = 0; row < count; row++) {
              const wait = `${vcpuIndex[row]} ${startNs[row]}`;
              blamedNs.set(wait, (blamedNs.get(wait) ?? 0) + ns[row]);
              if (!(Number.isInteger(ns[row]) && ns[row] > 0))
                expect.fail(`${wait} has a part of ${ns[row]}`);
            }
          },
        },
      ],
      { pcpus: reader.pcpus },
    );
    const batch = createRecordBatch();
    while (reader.readBatch(batch)) timeline.push(batch);
    timeline.finish(reader.counts().spanNs);
    reader.close();
    expect(blamedNs).toEqual(waitNs);
  });
});
