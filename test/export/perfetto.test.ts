/** What Perfetto's schema and its importer's rules make of an export, against the timeline and by hand. */
import { describe, expect, test } from 'vitest';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { exportBytes } from './export-bytes.ts';
import { exportedTraces } from './exported-traces.ts';
import { type Imported, importPerfetto, readPackets } from './perfetto-importer.ts';
import { byStart, timelineOf } from './timeline-of.ts';

const T0 = 1000;
/** A record that says nothing of any vCPU: the trace goes on until there. */
const END = 0x2220e;

async function imported(bytes: Uint8Array): Promise<Imported> {
  return importPerfetto(readPackets(await exportBytes('perfetto', bytes)));
}

/** `d1v0` -> `S 0 Running@0 100 R<d0v0 200`: each state and where it begins. */
function story({ threads, threadStates }: Imported, vcpu: string): string {
  const name = (tid: number) => threads.get(tid)?.name;
  return threadStates
    .filter(({ tid }) => name(tid) === vcpu)
    .map(({ state, tNs, cpu, waker }) => {
      const where = cpu === undefined ? '' : `@${cpu}`;
      return `${state}${where}${waker === undefined ? '' : `<${name(waker)}`} ${tNs}`;
    })
    .join(' ');
}

/** `track: name 100-200 job=3` */
function slicesOf({ slices }: Imported): string[] {
  return slices.map(({ track, name, startNs, endNs, args }) => {
    const more = Object.entries(args).map(([key, value]) => ` ${key}=${value}`);
    return `${track}: ${name} ${startNs}-${endNs}${more.join('')}`;
  });
}

describe('a trace in Perfetto', () => {
  /**
   *          0     100    200    300    400    500
   *     d0v0 ......RRRRRRRRRRRRRR............      on pCPU 0, wakes d1v0 at 200
   *     idle .....................IIIIIIIIIII      on pCPU 0 from 300
   *     d1v0 .............rrrRRRRRRRRRRrrrrrr      on pCPU 1 from 250, is preempted at 400
   */
  test('has vCPUs as threads, domains as processes, and wakers', async () => {
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 0, 0, 'blocked', 'runnable')
        .runstate(T0 + 100, 0, 0, 'runnable', 'running')
        .runstate(T0 + 200, 1, 0, 'blocked', 'runnable')
        .runstate(T0 + 300, 0, 0, 'running', 'blocked')
        .runstate(T0 + 300, 32767, 0, 'runnable', 'running')
        .window(1)
        .runstate(T0 + 250, 1, 0, 'runnable', 'running')
        .runstate(T0 + 400, 1, 0, 'running', 'runnable')
        .record(END, T0 + 500, [0])
        .bytes(),
    );
    expect(found.errors).toEqual([]);
    expect(story(found, 'd0v0')).toBe('R 0 Running@0 100 S 300');
    expect(story(found, 'd1v0')).toBe('S 0 R<d0v0 200 Running@1 250 R 400');
    expect(story(found, 'd[IDLE]v0')).toBe('R 0 Running@0 300');
    expect(found.schedSlices).toEqual([
      { cpu: 0, tid: 1, startNs: 100, endNs: 300 },
      { cpu: 1, tid: 0x10001, startNs: 250, endNs: 400 },
      { cpu: 0, tid: 0x7fff0001, startNs: 300 },
    ]);
    expect([...found.processes.values()].sort()).toEqual(['d0', 'd1', 'd[IDLE]']);
    expect(found.threads.get(0x7fff0001)).toEqual({ name: 'd[IDLE]v0', pid: 0x7fff0001, isIdle: true });
    expect(found.threads.get(0x10001)).toEqual({ name: 'd1v0', pid: 0x10001, isIdle: false });
    expect(found.slices).toEqual([]);
  });

  test('has no state for unknown, offline and throttled time but slices that say so', async () => {
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 1, 0, 'runnable', 'running')
        .record(0x22803, T0 + 50, [vcpuWord(1, 0), ...u64(0), 50, 0, 0]) // RTDS: no budget left
        .runstate(T0 + 50, 1, 0, 'running', 'runnable')
        .runstate(T0 + 50, 32767, 0, 'runnable', 'running')
        .record(0x22804, T0 + 80, [vcpuWord(1, 0), 0, 0, ...u64(900), ...u64(50)].slice(0, 5)) // its budget is full again
        .runstate(T0 + 90, 2, 0, 'runnable', 'offline')
        .lost(T0 + 200, { count: 7, firstTsc: T0 + 120 })
        .runstate(T0 + 250, 2, 0, 'offline', 'runnable')
        .record(END, T0 + 300, [0])
        .bytes(),
    );
    expect(found.errors).toEqual([]);
    expect(story(found, 'd2v0')).toBe('R 0 T 90 T 120 T 200 R 250');
    expect(slicesOf(found)).toContain('d2v0: offline 90-120');
    expect(slicesOf(found)).toContain('d2v0: unknown 120-200');
    expect(slicesOf(found)).toContain('d2v0: offline 200-250');
    expect(slicesOf(found)).toContain('Lost records/lost on pCPU 0: lost records 120-200 lost=7');
    expect(story(found, 'd1v0')).toBe('Running@0 0 D 50 R 80 T 120');
    expect(slicesOf(found)).toContain('d1v0: throttled 50-80');
  });

  /** Job 0 from 0 to 5 ms, job 1 from 3 to 6, job 2 from 7 on; each is due 4 ms after its release. */
  test('has jobs as slices that do not overlap, and misses as marks', async () => {
    const at = (ms: number) => T0 + ms * 1_000_000;
    const release = (job: number) => [vcpuWord(2, 1), 7, job, ...u64(4_000_000), ...u64(0)];
    const job = (number: number) => [vcpuWord(2, 1), 7, number];
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .record(0x24001, at(0), release(0))
        .record(0x24002, at(1), job(0))
        .record(0x24001, at(3), release(1))
        .record(0x24003, at(5), job(0))
        .record(0x24002, at(5), job(1))
        .record(0x24003, at(6), job(1))
        .record(0x24001, at(7), release(2))
        .record(0x24001, at(20), [vcpuWord(2, 1), 8, 0, ...u64(0), ...u64(0)])
        .bytes(),
    );
    expect(found.errors).toEqual([]);
    const inMs = slicesOf(found).map((slice) => slice.replaceAll('000000', ''));
    expect(inMs).toEqual([
      'd2/task 7: job 0-5 job=0 release_ns=0 start_ns=1 deadline_ns=4',
      'd2/task 7: deadline missed 4-4 job=0',
      'd2/task 7: job 5-6 job=1 release_ns=3 start_ns=5 deadline_ns=7',
      'd2/task 7: job not completed 7-7 job=2 release_ns=7 deadline_ns=11',
      'd2/task 7: deadline missed 11-11 job=2',
      'd2/task 8: job not completed 20-20 job=0 release_ns=20',
    ]);
  });

  /** At 100 and 200 the clock is too coarse to tell records apart. */
  test('leaves out states of no length, but where two runs would meet', async () => {
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 1, 0, 'runnable', 'running')
        .runstate(T0 + 100, 1, 0, 'running', 'runnable')
        .window(1)
        .runstate(T0 + 100, 1, 0, 'runnable', 'running')
        .runstate(T0 + 200, 1, 0, 'running', 'blocked')
        .window(2)
        .runstate(T0 + 10, 2, 0, 'runnable', 'running')
        .runstate(T0 + 200, 1, 0, 'blocked', 'runnable')
        .window(1)
        .runstate(T0 + 250, 1, 0, 'runnable', 'blocked')
        .window(2)
        .runstate(T0 + 250, 1, 0, 'blocked', 'runnable')
        .record(END, T0 + 300, [0])
        .bytes(),
    );
    expect(story(found, 'd1v0')).toBe('Running@0 0 R 100 Running@1 100 R 200 R 250');
    expect(found.errors).toEqual(['two states of 65537 at 100']);
  });

  test('counts who waits by the pCPU, once an instant', async () => {
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 1, 0, 'runnable', 'running')
        .runstate(T0 + 100, 1, 0, 'running', 'runnable')
        .runstate(T0 + 100, 2, 0, 'runnable', 'running')
        .runstate(T0 + 200, 2, 0, 'running', 'runnable')
        .runstate(T0 + 200, 1, 0, 'runnable', 'running')
        .runstate(T0 + 300, 1, 0, 'running', 'blocked')
        .runstate(T0 + 300, 2, 0, 'runnable', 'running')
        .runstate(T0 + 400, 3, 0, 'blocked', 'runnable')
        .bytes(),
    );
    const track = 'Waiting vCPUs by the pCPU they ran on last/waiting, pCPU';
    expect(found.counters.map((counter) => `${counter.tNs} ${counter.track}: ${counter.value}`)).toEqual([
      `100 ${track} 0: 1`,
      `300 ${track} 0: 0`,
      `400 ${track} not known: 1`,
    ]);
  });

  test('leaves the vCPUs of a removed domain in no state that goes on', async () => {
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .runstate(T0, 1, 0, 'runnable', 'running')
        .record(0x28002, T0 + 100, [1])
        .record(END, T0 + 300, [0])
        .bytes(),
    );
    expect(found.errors).toEqual([]);
    expect(story(found, 'd1v0')).toBe('Running@0 0 T 100');
    expect(found.schedSlices).toEqual([{ cpu: 0, tid: 0x10001, startNs: 0, endNs: 100 }]);
    expect(slicesOf(found)).toEqual(['d1v0: removed 100-100']);
  });

  test('has credit, budget and run queues as counters', async () => {
    const found = await imported(
      new TraceBuilder()
        .window(0)
        .record(0x22203, T0, [vcpuWord(1, 2), -500_000, 3000, 900]) // credit2 burns credit, the domain has a cap
        .record(0x22203, T0 + 10, [vcpuWord(1, 3), 77, -0x80000000, 900]) // it has none
        .record(0x22804, T0 + 20, [vcpuWord(3, 0), 0, ...u64(900), ...u64(10 * 2 ** 32 + 5)]) // RTDS replenishes
        .record(
          0x2220c,
          T0 + 30,
          [...u64(0), ...u64(0), 3 + 2 * 0x10000 + 18 * 0x1000000].slice(0, 5).concat(0),
        )
        .bytes(),
    );
    expect(found.errors).toEqual([]);
    expect(found.counters).toEqual([
      { track: 'thread 65539/credit', unit: 'TIME_NS', tNs: 0, value: -500_000 },
      { track: 'thread 65539/budget', unit: 'TIME_NS', tNs: 0, value: 3000 },
      { track: 'thread 65540/credit', unit: 'TIME_NS', tNs: 10, value: 77 },
      { track: 'thread 196609/budget', unit: 'TIME_NS', tNs: 20, value: 10 * 2 ** 32 + 5 },
      { track: 'Run queues/vCPUs of run queue 2', unit: 'COUNT', tNs: 30, value: 3 },
    ]);
  });
});

describe('every trace in Perfetto tells what the timeline tells', () => {
  const totals = { wakers: 0, jobs: 0, missed: 0 };

  test.each(exportedTraces())('%s', { timeout: 120_000 }, async (_, path) => {
    const packets = readPackets(await exportBytes('perfetto', path));
    const found = importPerfetto(packets);
    const { runs, intervals, jobs, missed, spanNs, lostRecords } = await timelineOf(path);
    expect(found.errors).toEqual([]);
    expect(importPerfetto(packets, { ftraceFirst: true }).errors).toEqual([]);
    const slices = found.schedSlices.map(({ cpu, tid, startNs, endNs = spanNs }) => ({
      pcpu: cpu,
      tid,
      startNs,
      endNs,
    }));
    expect(slices.sort(byStart)).toEqual(runs);
    for (const { tid, tNs, state, endNs = spanNs } of found.threadStates) {
      const key = `${tid} ${tNs}`;
      if (state === 'Running' || !intervals.has(key)) continue;
      const [otherState, otherEndNs] = intervals.get(key) as [string, number];
      if (state !== otherState || endNs !== otherEndNs) expect.fail(`${key} is ${state} until ${endNs}`);
      intervals.delete(key);
    }
    expect([...intervals.keys()]).toEqual([]);
    expect(found.slices.filter(({ name }) => name === 'job')).toHaveLength(jobs);
    expect(found.slices.filter(({ name }) => name === 'deadline missed')).toHaveLength(missed);
    const lost = found.slices.filter(({ name }) => name === 'lost records');
    expect(lost.reduce((sum, { args }) => sum + (args.lost as number), 0)).toBe(lostRecords);
    const nameless = found.threadStates.filter(({ tid }) => !found.threads.has(tid));
    expect(nameless).toEqual([]);
    const wakers = found.threadStates.flatMap(({ waker }) => (waker === undefined ? [] : [waker]));
    expect(wakers.filter((waker) => found.threads.get(waker)?.isIdle !== false)).toEqual([]);
    totals.wakers += wakers.length;
    totals.jobs += jobs;
    totals.missed += missed;
    const waiting = found.counters.filter(({ track }) => track.startsWith('Waiting'));
    expect(waiting.every(({ value }) => value >= 0)).toBe(true);
  });

  test('there was something of everything', () => {
    expect(totals.wakers).toBeGreaterThan(100);
    expect(totals.jobs).toBeGreaterThan(100);
    expect(totals.missed).toBeGreaterThan(0);
  });
});
