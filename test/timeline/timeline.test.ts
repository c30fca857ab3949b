/** Hand-made traces of a dozen records, with the intervals worked out on paper. One tick is one nanosecond. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyzeTrace } from '../../src/analysis/index.ts';
import { openTrace } from '../../src/decoder/index.ts';
import { followTrace } from '../../src/timeline/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { readTimeline } from './read-timeline.ts';

const IDLE = 32767;
const SWITCH = 0x2800a;
const SLEEP = 0x28003;
const CREDIT_SCHEDULE = 0x22009;
const CREDIT2_SCHEDULE = 0x22215;
const CREDIT_TICKLE = 0x22006;

/** Traces start at TSC 1000, so that an instant in a test plus 1000 is a TSC. */
const T0 = 1000;

describe('Timeline on one pCPU', () => {
  // d1v0   RRRRRRRRRRRR rrrrrrrr RRRRRRR BBBBB       0 to 400, 400 to 700, 700 to 900
  // d2v0   BBBB rrrrrrr RRRRRRRR BBBBBBBBBBBBB       wakes at 100, runs 400 to 700
  const trace = () =>
    new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 100, 2, 0, 'blocked', 'runnable')
      .record(SWITCH, T0 + 399, [1, 0, 2, 0])
      .runstate(T0 + 400, 1, 0, 'running', 'runnable')
      .runstate(T0 + 400, 2, 0, 'runnable', 'running')
      .record(SWITCH, T0 + 699, [2, 0, 1, 0])
      .runstate(T0 + 700, 2, 0, 'running', 'blocked')
      .runstate(T0 + 700, 1, 0, 'runnable', 'running')
      .record(SWITCH, T0 + 899, [1, 0, IDLE, 0])
      .runstate(T0 + 900, 1, 0, 'running', 'blocked')
      .runstate(T0 + 900, IDLE, 0, 'runnable', 'running')
      .bytes();

  test('intervals tile the time of each vCPU, back to the start and on to the end of the trace', async () => {
    const { story, intervals } = await readTimeline(trace(), { endNs: 1000 });
    expect(story('d1v0')).toBe('running 0-400@0, runnable 400-700, running 700-900@0, blocked 900-1000');
    expect(story('d2v0')).toBe('blocked 0-100, runnable 100-400, running 400-700@0, blocked 700-1000');
    expect(story('d[IDLE]v0')).toBe('runnable 0-900, running 900-1000@0');
    const complete = intervals.filter(({ vcpu }) => vcpu === 'd2v0').map((interval) => interval.complete);
    expect(complete).toEqual([2, 3, 3, 1]);
    const previous = intervals.filter(({ vcpu }) => vcpu === 'd2v0').map((interval) => interval.previous);
    expect(previous).toEqual(['unknown', 'blocked', 'runnable', 'running']);
  });

  test('refuses a reader whose records were read before', async () => {
    const reader = await openTrace(join(import.meta.dirname, '../../samples/traces/credit-caps.trace'));
    followTrace(reader, []);
    expect(() => followTrace(reader, [])).toThrow(expect.objectContaining({ code: 'already-read' }));
    expect(() => analyzeTrace(reader)).toThrow('a timeline is of a whole trace');
    reader.close();
  });

  test('transitions tell every change in time order, over all vCPUs', async () => {
    const { transitions } = await readTimeline(trace());
    expect(transitions).toEqual([
      '0 d1v0 runnable > running@0',
      '100 d2v0 blocked > runnable@-1',
      '400 d1v0 running > runnable@0',
      '400 d2v0 runnable > running@0',
      '700 d2v0 running > blocked@0',
      '700 d1v0 runnable > running@0',
      '900 d1v0 running > blocked@0',
      '900 d[IDLE]v0 runnable > running@0',
    ]);
  });

  test('waits have their cause, places and who ran meanwhile', async () => {
    const { waits } = await readTimeline(trace());
    expect(waits).toEqual([
      {
        vcpu: 'd2v0',
        cause: 'wake',
        startNs: 100,
        endNs: 400,
        fromPcpu: -1,
        toPcpu: 0,
        ran: 'd1v0 for 300',
        throttledNs: 0,
      },
      {
        vcpu: 'd1v0',
        cause: 'preempt',
        startNs: 400,
        endNs: 700,
        fromPcpu: 0,
        toPcpu: 0,
        ran: 'd2v0 for 300',
        throttledNs: 0,
      },
    ]);
  });

  test('the size of the batches does not matter', async () => {
    const whole = await readTimeline(trace());
    for (const batchRows of [1, 2, 3, 5]) {
      const cut = await readTimeline(trace(), { batchRows, lookahead: 2 });
      expect(cut.intervals).toEqual(whole.intervals);
      expect(cut.waits).toEqual(whole.waits);
    }
  });

  test('a record that does not fit what was known makes the time between unknown, and is counted', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 100, 1, 0, 'running', 'blocked')
      .runstate(T0 + 300, 1, 0, 'runnable', 'running')
      .runstate(T0 + 400, 1, 0, 'running', 'blocked')
      .bytes();
    const { story, timeline, waits } = await readTimeline(bytes);
    expect(story('d1v0')).toBe('running 0-100@0, unknown 100-300, running 300-400@0, blocked 400-400');
    expect(timeline.repairs).toBe(1);
    expect(timeline.partial).toBe(false);
    expect(waits).toEqual([]);
  });

  test('domains appear with their creation, and end with their removal', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(SLEEP, T0, [0, 0])
      .record(0x28001, T0 + 100, [5])
      .runstate(T0 + 200, 5, 0, 'offline', 'runnable')
      .runstate(T0 + 250, 5, 0, 'runnable', 'running')
      .runstate(T0 + 300, 5, 0, 'running', 'offline')
      .record(0x28002, T0 + 400, [5])
      .record(SLEEP, T0 + 900, [0, 0])
      .bytes();
    const { story, timeline } = await readTimeline(bytes);
    expect(story('d5v0')).toBe('offline 100-200, runnable 200-250, running 250-300@0, offline 300-400');
    expect(timeline.domains()).toContainEqual({
      dom: 5,
      vcpus: 1,
      vcpuIds: [0],
      createdNs: 100,
      removedNs: 400,
    });
  });
});

describe('Timeline with lost records', () => {
  // pCPU 1 loses records from 200 to 500. d1v0 runs on pCPU 0 all the while: it cannot leave unseen.
  // d2v0 was blocked and d3v0 ran on pCPU 1: nobody knows what they did; what they did from 500 on, their next
  // records say.
  const trace = (builder = new TraceBuilder()) =>
    builder
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 50, 2, 0, 'runnable', 'blocked')
      .runstate(T0 + 600, 2, 0, 'blocked', 'runnable')
      .runstate(T0 + 700, 1, 0, 'running', 'runnable')
      .runstate(T0 + 700, 2, 0, 'runnable', 'running')
      .window(1)
      .runstate(T0 + 100, 3, 0, 'runnable', 'running')
      .lost(T0 + 500, { count: 7, dom: 3, vcpu: 0, firstTsc: T0 + 200 })
      .runstate(T0 + 800, 3, 0, 'running', 'blocked')
      .bytes();

  test('states that lost records could have changed are unknown, from the first lost one on', async () => {
    const { story, waits, timeline } = await readTimeline(trace(), { endNs: 1000 });
    expect(story('d1v0')).toBe('running 0-700@0, runnable 700-1000');
    expect(story('d2v0')).toBe(
      'runnable 0-50, blocked 50-200, unknown 200-500, blocked 500-600, runnable 600-700, running 700-1000@0',
    );
    expect(story('d3v0')).toBe(
      'runnable 0-100, running 100-200@1, unknown 200-500, running 500-800@1, blocked 800-1000',
    );
    expect(timeline.repairs).toBe(0);
    expect(waits.map(({ vcpu, startNs, endNs }) => [vcpu, startNs, endNs])).toEqual([['d2v0', 600, 700]]);
  });

  test('a state entered while records are being lost is known only where they cannot change it', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 300, 1, 0, 'running', 'runnable')
      .runstate(T0 + 300, 2, 0, 'runnable', 'running')
      .runstate(T0 + 900, 2, 0, 'running', 'blocked')
      .window(1)
      .lost(T0 + 500, { count: 7, firstTsc: T0 + 200 })
      .bytes();
    const { story } = await readTimeline(bytes, { endNs: 1000 });
    expect(story('d1v0')).toBe('running 0-300@0, unknown 300-1000');
    expect(story('d2v0')).toBe('unknown 0-300, running 300-900@0, blocked 900-1000');
  });

  test('a loss that began before the lookahead is told late, and counted', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 300, 2, 0, 'blocked', 'runnable')
      .runstate(T0 + 400, 3, 0, 'blocked', 'runnable')
      .window(1)
      .lost(T0 + 500, { count: 7, firstTsc: T0 + 200 })
      .bytes();
    const late = await readTimeline(bytes, { lookahead: 1, endNs: 600 });
    expect(late.timeline.lateLosses).toBe(1);
    expect(late.story('d2v0')).toBe('blocked 0-300, runnable 300-400, unknown 400-600');
    const early = await readTimeline(bytes, { lookahead: 4, endNs: 600 });
    expect(early.timeline.lateLosses).toBe(0);
    expect(early.story('d2v0')).toBe('unknown 0-300, unknown 300-600');
  });

  test('losses whose first TSC lies before the trace do no harm', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .lost(T0, { count: 9, firstTsc: 1 })
      .runstate(T0 + 10, 1, 0, 'blocked', 'runnable')
      .runstate(T0 + 30, 1, 0, 'runnable', 'running')
      .bytes();
    const { story, waits } = await readTimeline(bytes, { endNs: 50 });
    expect(story('d1v0')).toBe('blocked 0-10, runnable 10-30, running 30-50@0');
    expect(waits).toHaveLength(1);
  });
});

describe('Timeline of a trace that lacks some pCPUs', () => {
  test('tickles that nobody answers show it: only running time is known', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(CREDIT_TICKLE, T0, [3])
      .record(CREDIT_TICKLE, T0 + 10, [3])
      .runstate(T0 + 20, 1, 0, 'runnable', 'running')
      .runstate(T0 + 60, 1, 0, 'running', 'runnable')
      .runstate(T0 + 60, IDLE, 0, 'runnable', 'running')
      .runstate(T0 + 90, IDLE, 0, 'running', 'runnable')
      .runstate(T0 + 90, 1, 0, 'runnable', 'running')
      .bytes();
    const { story, waits, timeline } = await readTimeline(bytes, { endNs: 100 });
    expect(timeline.partial).toBe(true);
    expect(story('d1v0')).toBe('unknown 0-20, running 20-60@0, unknown 60-90, running 90-100@0');
    expect(story('d[IDLE]v0')).toBe('runnable 0-60, running 60-90@0, runnable 90-100');
    expect(waits).toEqual([]);
  });

  test('so does the lack of pCPU 0, and many repairs', async () => {
    const builder = new TraceBuilder().window(1);
    builder.runstate(T0, 1, 0, 'runnable', 'running').runstate(T0 + 10, 1, 0, 'running', 'blocked');
    expect((await readTimeline(builder.bytes())).timeline.partial).toBe(true);
    const broken = new TraceBuilder().window(0);
    for (let k = 0; k < 17; k++) broken.runstate(T0 + 10 * k, 1, 0, 'runnable', 'running');
    const { timeline } = await readTimeline(broken.bytes());
    expect([timeline.repairs, timeline.partial]).toEqual([16, true]);
  });
});

describe('Timeline under core scheduling', () => {
  // pCPUs 0 and 1 are threads of a core; pCPU 1 makes all records. Its pairs concern pCPU 0 first, then pCPU 1.
  test('a vCPU takes the place of the one it is switched with, not that of the recording pCPU', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, IDLE, 0, 'runnable', 'running')
      .window(1)
      .record(SWITCH, T0 + 100, [IDLE, 0, 1, 0])
      .runstate(T0 + 101, IDLE, 0, 'running', 'runnable')
      .runstate(T0 + 102, 1, 0, 'runnable', 'running')
      .runstate(T0 + 103, IDLE, 1, 'running', 'runnable')
      .runstate(T0 + 104, 1, 1, 'runnable', 'running')
      .record(SWITCH, T0 + 200, [1, 0, 2, 0])
      .runstate(T0 + 201, 1, 0, 'running', 'runnable')
      .runstate(T0 + 202, 2, 0, 'runnable', 'running')
      .runstate(T0 + 203, 1, 1, 'running', 'runnable')
      .runstate(T0 + 204, 2, 1, 'runnable', 'running')
      .bytes();
    const { story, timeline } = await readTimeline(bytes, { endNs: 300 });
    expect(timeline.coreScheduling).toBe(true);
    expect(story('d1v0')).toBe('runnable 0-102, running 102-201@0, runnable 201-300');
    expect(story('d2v0')).toBe('runnable 0-202, running 202-300@0');
    expect(story('d2v1')).toBe('runnable 0-204, running 204-300@1');
    expect(timeline.repairs).toBe(0);
  });

  test('without an idle vCPU in the chain, the place is not known', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(SWITCH, T0, [1, 0, 2, 0])
      .runstate(T0 + 1, 1, 0, 'running', 'runnable')
      .runstate(T0 + 2, 2, 0, 'runnable', 'running')
      .runstate(T0 + 3, 1, 1, 'running', 'runnable')
      .runstate(T0 + 4, 2, 1, 'runnable', 'running')
      .bytes();
    const { intervals } = await readTimeline(bytes, { endNs: 10 });
    const running = intervals.filter(({ vcpu, state }) => vcpu.startsWith('d2') && state === 'running');
    expect(running.map(({ pcpu }) => pcpu)).toEqual([-1, -1]);
  });
});

describe('Timeline and throttling', () => {
  test('RTDS: runnable without budget is throttled, from the burn to the replenishment', async () => {
    const burn = (ns: number) => [vcpuWord(1, 0), ...u64(ns), 40, 0, 0];
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .record(0x22803, T0 + 50, burn(60))
      .record(0x22803, T0 + 100, burn(0))
      .runstate(T0 + 101, 1, 0, 'running', 'runnable')
      .record(0x22804, T0 + 400, [vcpuWord(1, 0), 0, ...u64(900), ...u64(100)])
      .runstate(T0 + 450, 1, 0, 'runnable', 'running')
      .bytes();
    const { story, waits, intervals } = await readTimeline(bytes, { endNs: 500 });
    expect(story('d1v0')).toBe('running 0-101@0, throttled 101-400, runnable 400-450, running 450-500@0');
    expect(intervals[1]).toMatchObject({ state: 'throttled', xenState: 'runnable', previous: 'running' });
    expect(waits).toMatchObject([{ cause: 'preempt', startNs: 101, endNs: 450, throttledNs: 299 }]);
  });

  test('credit2: offline that ends by running was parking for a cap; that ends by runnable it was a pause', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(CREDIT2_SCHEDULE, T0, [0, 0])
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 100, 1, 0, 'running', 'offline')
      .runstate(T0 + 300, 1, 0, 'offline', 'running')
      .runstate(T0 + 400, 1, 0, 'running', 'offline')
      .runstate(T0 + 410, 1, 0, 'offline', 'runnable')
      .runstate(T0 + 420, 1, 0, 'runnable', 'running')
      .bytes();
    const { story, waits, intervals } = await readTimeline(bytes);
    expect(story('d1v0')).toBe(
      'running 0-100@0, throttled 100-300, running 300-400@0, offline 400-410, runnable 410-420, running 420-420@0',
    );
    expect(intervals[1].xenState).toBe('offline');
    expect(waits).toMatchObject([{ cause: 'resume', startNs: 410, endNs: 420 }]);
  });

  // Accounting parks d2v0 while it runs and unparks it while d1v0 runs: dom0 had no part in it. Later dom0 pauses and
  // unpauses d3v0, from its own vCPU.
  test('credit: a pause that neither dom0 nor the domain itself can have asked for is parking', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(CREDIT_SCHEDULE, T0, [0])
      .runstate(T0, 2, 0, 'runnable', 'running')
      .record(SLEEP, T0 + 100, [2, 0])
      .runstate(T0 + 101, 2, 0, 'running', 'offline')
      .runstate(T0 + 101, 1, 0, 'runnable', 'running')
      .runstate(T0 + 400, 2, 0, 'offline', 'runnable')
      .runstate(T0 + 401, 1, 0, 'running', 'blocked')
      .runstate(T0 + 401, 0, 0, 'runnable', 'running')
      .record(SLEEP, T0 + 500, [3, 0])
      .runstate(T0 + 501, 3, 0, 'runnable', 'offline')
      .runstate(T0 + 900, 3, 0, 'offline', 'runnable')
      .bytes();
    const { story } = await readTimeline(bytes);
    expect(story('d2v0')).toBe('running 0-101@0, throttled 101-400, runnable 400-900');
    expect(story('d3v0')).toBe('runnable 0-501, offline 501-900, runnable 900-900');
  });
});

describe('Timeline and jobs', () => {
  const release = (task: number, job: number, deadlineNs: number, lateNs = 0) => [
    vcpuWord(1, 0),
    task,
    job,
    ...u64(deadlineNs),
    ...u64(lateNs),
  ];

  test('a job is released, starts, completes, and meets or misses its deadline', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x24001, T0, release(4, 0, 50_000))
      .record(0x24002, T0 + 10_000, [vcpuWord(1, 0), 4, 0])
      .record(0x24003, T0 + 30_000, [vcpuWord(1, 0), 4, 0])
      .record(0x24001, T0 + 60_000, release(4, 1, 50_000, 10_000))
      .record(0x24003, T0 + 130_000, [vcpuWord(1, 0), 4, 1])
      .record(0x24001, T0 + 140_000, release(4, 2, 50_000))
      .record(0x24001, T0 + 150_000, release(4, 3, 50_000))
      .record(SLEEP, T0 + 195_000, [1, 0])
      .bytes();
    const { jobs } = await readTimeline(bytes);
    const none = Number.NaN;
    const base = { vcpu: 'd1v0', task: 4, executionNs: none };
    expect(jobs).toEqual([
      { ...base, job: 0, releaseNs: 0, deadlineNs: 50_000, startNs: 10_000, completionNs: 30_000, missed: 0 },
      {
        ...base,
        job: 1,
        releaseNs: 50_000,
        deadlineNs: 100_000,
        startNs: none,
        completionNs: 130_000,
        missed: 1,
      },
      {
        ...base,
        job: 2,
        releaseNs: 140_000,
        deadlineNs: 190_000,
        startNs: none,
        completionNs: none,
        missed: 1,
      },
      {
        ...base,
        job: 3,
        releaseNs: 150_000,
        deadlineNs: 200_000,
        startNs: none,
        completionNs: none,
        missed: 2,
      },
    ]);
  });

  test('a job may start by a record that comes before that of its release, of another pCPU', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x24002, T0 + 10_000, [vcpuWord(1, 0), 4, 7])
      .record(0x24003, T0 + 30_000, [vcpuWord(1, 0), 4, 7])
      .record(0x24002, T0 + 40_000, [vcpuWord(1, 0), 4, 8])
      .window(1)
      .record(0x24001, T0 + 10_000, release(4, 7, 50_000))
      .record(0x24001, T0 + 42_000, release(4, 8, 50_000))
      .bytes();
    const { jobs } = await readTimeline(bytes);
    expect(jobs).toMatchObject([
      { job: 7, releaseNs: 0, startNs: 0, completionNs: 20_000, missed: 0 },
      // Two microseconds are not the same instant.
      { job: 8, releaseNs: 32_000, startNs: Number.NaN },
    ]);
  });

  //          0    10   20   30   40   50   60 us
  // d1v0     .....RRRRRrrrrrRRRRRRRRRR??????????
  test('a job executes while its vCPU runs, and nobody can tell how long where that is not known', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x24001, T0, release(0, 0, 50_000))
      .record(0x24001, T0, release(0, 1, 50_000))
      .runstate(T0 + 10_000, 1, 0, 'runnable', 'running')
      .record(0x24002, T0 + 10_000, [vcpuWord(1, 0), 0, 0])
      .runstate(T0 + 20_000, 1, 0, 'running', 'runnable')
      .runstate(T0 + 30_000, 1, 0, 'runnable', 'running')
      .record(0x24003, T0 + 42_000, [vcpuWord(1, 0), 0, 0])
      .record(0x24002, T0 + 42_000, [vcpuWord(1, 0), 0, 1])
      .lost(T0 + 60_000, { count: 3, firstTsc: T0 + 50_000 })
      .runstate(T0 + 70_000, 1, 0, 'runnable', 'running')
      .record(0x24003, T0 + 80_000, [vcpuWord(1, 0), 0, 1])
      .bytes();
    const { jobs } = await readTimeline(bytes);
    expect(jobs.map(({ executionNs }) => executionNs)).toEqual([22_000, Number.NaN]);
  });

  test("a real guest's records mean the same", async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x0800f001, T0, release(0, 0, 50_000))
      .record(0x0800f003, T0 + 30_000, [vcpuWord(1, 0), 0, 0])
      .bytes();
    const { jobs } = await readTimeline(bytes);
    expect(jobs).toMatchObject([{ job: 0, completionNs: 30_000, missed: 0 }]);
  });

  test('a job whose completion may be among lost records is not called missed', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x24001, T0, release(0, 0, 50_000))
      .lost(T0 + 70_000, { count: 3, firstTsc: T0 + 20_000 })
      .record(SLEEP, T0 + 195_000, [1, 0])
      .bytes();
    const { jobs } = await readTimeline(bytes);
    expect(jobs).toMatchObject([{ job: 0, missed: 2 }]);
  });
});

describe('Timeline of a damaged trace', () => {
  test('a vCPU that another one replaces unseen is unknown since it was last seen: no pCPU runs two', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .runstate(T0, 1, 0, 'runnable', 'running')
      .runstate(T0 + 100, 2, 0, 'runnable', 'running')
      .runstate(T0 + 150, 2, 0, 'running', 'blocked')
      .runstate(T0 + 200, 3, 0, 'running', 'blocked')
      .bytes();
    const { story, timeline } = await readTimeline(bytes, { endNs: 300 });
    expect(story('d1v0')).toBe('unknown 0-100, unknown 100-300');
    expect(story('d2v0')).toBe('runnable 0-100, running 100-150@0, blocked 150-300');
    expect(story('d3v0')).toBe('unknown 0-200, blocked 200-300');
    expect(timeline.repairs).toBe(2);
  });
});
