/** Co-scheduling and preempted lock holders: the example of docs/metrics.md, corner cases, and real traces by brute force. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { independentRunning, pairsRunning } from '../../src/analysis/coscheduling.ts';
import { domains } from '../../src/analysis/domains.ts';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { type Interval, readTimeline } from '../timeline/read-timeline.ts';
import { analyze } from './analyze-bytes.ts';

const MS = 1_000_000;
const YIELD = 0x28005;
const VMEXIT64 = 0x81102;
const PAUSE = 40;
const IDLE = 32767;
const at = (ms: number) => 1000 + ms * MS;
const options = { analyses: [domains], endNs: 10 * MS };

/**
 *          0   1   2   3   4   5   6   7   8   9   10 ms
 *     d1v0 RRRRRRRRRRRRRRRRrrrrrrrrrrrrRRRRRRRR....     on pCPU 0, where d2v0 runs from 4 to 7 ms
 *     d1v1 ....RRRRRRRRRRRRRRRRRRRRRRRRRRRR........     on pCPU 1; it yields at 5 ms
 */
function example(): Uint8Array {
  return new TraceBuilder()
    .window(0)
    .runstate(at(0), 1, 0, 'runnable', 'running')
    .runstate(at(4), 1, 0, 'running', 'runnable')
    .runstate(at(4), 2, 0, 'runnable', 'running')
    .runstate(at(7), 2, 0, 'running', 'runnable')
    .runstate(at(7), 1, 0, 'runnable', 'running')
    .runstate(at(9), 1, 0, 'running', 'blocked')
    .runstate(at(9), 2, 0, 'runnable', 'running')
    .window(1)
    .runstate(at(1), 1, 1, 'blocked', 'runnable')
    .runstate(at(1), IDLE, 1, 'running', 'runnable')
    .runstate(at(1), 1, 1, 'runnable', 'running')
    .record(YIELD, at(5), [1, 1])
    .runstate(at(8), 1, 1, 'running', 'blocked')
    .runstate(at(8), IDLE, 1, 'runnable', 'running')
    .bytes();
}

describe('the example of docs/metrics.md', () => {
  test('domain states', async () => {
    const { rows } = await analyze(example(), options);
    const states = rows('domain_states')
      .filter(({ dom }) => dom === 1)
      .map(({ state, time_ns, share, stays, stay_ns_mean }) => {
        return [state, Number(time_ns) / MS, share, stays, stay_ns_mean === null ? null : stay_ns_mean];
      });
    expect(states).toEqual([
      ['full run', 4, 0.4, 2, 2 * MS],
      ['partial run', 2, 0.2, 1, 1 * MS],
      ['concurrency hazard', 3, 0.3, 1, 3 * MS],
      ['blocked', 1, 0.1, null, null],
    ]);
  });

  test('co-scheduling', async () => {
    const { rows } = await analyze(example(), options);
    expect(rows('coscheduling')).toHaveLength(1);
    const [{ all_run_ratio, together_expected_share, overlap_ratio, ...rest }] = rows('coscheduling');
    expect(all_run_ratio).toBeCloseTo(6 / 9, 12);
    expect(together_expected_share).toBeCloseTo(0.42, 12);
    expect(overlap_ratio).toBeCloseTo(0.4 / 0.42, 12);
    expect(rest).toEqual({
      dom: 1,
      vcpus: 2,
      together_share: 0.4,
      hazard_share: 0.3,
      hazard_ns_max: 3 * MS,
      hazard_max_start_ns: 4 * MS,
      coverage: 1,
    });
    const running = rows('coscheduling_running');
    expect(running.map(({ running: k, time_ns }) => [k, Number(time_ns) / MS])).toEqual([
      [0, 1],
      [1, 5],
      [2, 4],
    ]);
    for (const [k, share] of [0.12, 0.46, 0.42].entries()) {
      expect(running[k].expected_share).toBeCloseTo(share, 12);
    }
  });

  test('preempted lock holders', async () => {
    const { rows } = await analyze(example(), options);
    expect(rows('lock_holder_preemptions')).toMatchObject([
      {
        dom: 1,
        vcpu: 0,
        preemptions: 1,
        candidates: 1,
        exposed_ns_mean: 3 * MS,
        exposed_ns_max: 3 * MS,
        exposed_max_start_ns: 4 * MS,
        exposed_ns_total: 3 * MS,
        siblings_ran_ns: 3 * MS,
        spun: 1,
        sibling_yields: 1,
        pause_exits: null,
        coverage: 1,
      },
      { dom: 1, vcpu: 1, preemptions: 0, candidates: 0, exposed_ns_max: null },
    ]);
    expect(rows('lock_holder_preemptions_by_domain')).toMatchObject([{ dom: 1, candidates: 1, spun: 1 }]);
    expect(rows('lock_holder_worst')).toEqual([
      {
        dom: 1,
        vcpu: 0,
        start_ns: 4 * MS,
        pcpu: 0,
        aside_ns: 3 * MS,
        exposed_ns: 3 * MS,
        siblings_ran_ns: 3 * MS,
        sibling_yields: 1,
        pause_exits: null,
      },
    ]);
  });
});

test('of a stretch of time: what is cut off is no stay and no preemption', async () => {
  const stretch = async (from: number, to: number) => {
    const selection = { fromNs: from * MS, toNs: to * MS };
    const { rows } = await analyze(example(), { ...options, selection });
    const states = rows('domain_states')
      .filter(({ dom }) => dom === 1)
      .map(({ state, time_ns, stays }) => [state, Number(time_ns) / MS, stays]);
    return [states, rows('lock_holder_preemptions').map(({ preemptions }) => preemptions)];
  };
  expect(await stretch(2, 6)).toEqual([
    [
      ['full run', 2, null],
      ['concurrency hazard', 2, null],
    ],
    [0, 0],
  ]);
  expect((await stretch(4, 7))[1]).toEqual([0, 0]);
  expect((await stretch(5, 8))[1]).toEqual([0, 0]);
  expect(await stretch(3, 7.5)).toEqual([
    [
      ['full run', 1.5, null],
      ['concurrency hazard', 3, 1],
    ],
    [1, 0],
  ]);
  expect((await stretch(0, 0.5))[0]).toEqual([['partial run', 0.5, null]]);
});

describe('a vCPU that is first seen late', () => {
  const wakes = (trace: TraceBuilder, vcpu: number, ms: number) => {
    return trace
      .runstate(at(ms), 1, vcpu, 'blocked', 'runnable')
      .runstate(at(ms), 1, vcpu, 'runnable', 'running');
  };
  const statesOf = async (bytes: Uint8Array) => {
    const { rows } = await analyze(bytes, options);
    const states = rows('domain_states').map(({ state, time_ns, stays }) => [
      state,
      Number(time_ns) / MS,
      stays,
    ]);
    return { states, running: rows('coscheduling_running').map(({ time_ns }) => Number(time_ns) / MS) };
  };

  test('was there before: times are told with it, and stays that it makes others are counted anew', async () => {
    let trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running');
    trace = wakes(trace.runstate(at(1), 1, 0, 'running', 'blocked'), 0, 2);
    trace = wakes(trace.runstate(at(3), 1, 0, 'running', 'blocked'), 0, 6);
    trace.runstate(at(7), 1, 0, 'running', 'blocked').window(1);
    trace = wakes(trace, 1, 5).runstate(at(8), 1, 1, 'running', 'blocked');
    expect(await statesOf(trace.bytes())).toEqual({
      states: [
        ['full run', 1, 1],
        ['partial run', 4, 2],
        ['blocked', 5, 2],
      ],
      running: [5, 4, 1],
    });
    // With a third one, what was full run is partial run, and one with its neighbours.
    expect(await statesOf(wakes(trace.window(2), 2, 9).bytes())).toEqual({
      states: [
        ['partial run', 6, null],
        ['blocked', 4, 3],
      ],
      running: [4, 5, 1, 0],
    });
  });

  test('and had run all the time, if its record says so', async () => {
    const trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running');
    trace.runstate(at(2), 1, 0, 'running', 'blocked').window(1).runstate(at(6), 1, 1, 'running', 'blocked');
    const { states, running } = await statesOf(trace.bytes());
    expect(states).toEqual([
      ['full run', 2, null],
      ['partial run', 4, null],
      ['blocked', 4, null],
    ]);
    expect(running).toEqual([4, 4, 2]);
  });

  test('makes the time before unknown where losses hide what it did', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(at(0), 1, 0, 'runnable', 'running')
      .window(1)
      .lost(at(3), { count: 5, firstTsc: at(1) })
      .runstate(at(6), 1, 1, 'runnable', 'running');
    expect(await statesOf(trace.bytes())).toEqual({
      states: [
        ['full run', 4, null],
        ['unknown', 6, null],
      ],
      running: [0, 0, 4],
    });
  });
});

describe('preempted lock holders', () => {
  /** d1v0 is put aside from 4 to 7 ms on pCPU 0; `rest` says what its siblings do on other pCPUs. */
  const preempted = (
    before: (trace: TraceBuilder) => TraceBuilder,
    rest: (trace: TraceBuilder) => TraceBuilder,
  ) => {
    const trace = before(new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running'))
      .runstate(at(4), 1, 0, 'running', 'runnable')
      .runstate(at(4), 2, 0, 'runnable', 'running')
      .runstate(at(7), 2, 0, 'running', 'runnable')
      .runstate(at(7), 1, 0, 'runnable', 'running');
    return rest(trace).bytes();
  };
  const same = (trace: TraceBuilder) => trace;

  test('exposed is only the time in which some sibling ran; siblings_ran_ns adds them up', async () => {
    const bytes = preempted(same, (trace) =>
      trace
        .window(1)
        .runstate(at(1), 1, 1, 'runnable', 'running')
        .runstate(at(5), 1, 1, 'running', 'blocked')
        .window(2)
        .runstate(at(2), 1, 2, 'runnable', 'running')
        .runstate(at(6), 1, 2, 'running', 'blocked'),
    );
    const { rows } = await analyze(bytes, options);
    expect(rows('lock_holder_preemptions')[0]).toMatchObject({
      candidates: 1,
      exposed_ns_total: 2 * MS,
      siblings_ran_ns: 3 * MS,
      spun: 0,
      // Nobody asked for such records.
      sibling_yields: null,
    });
  });

  test('a preemption during which no sibling runs is none of a lock holder', async () => {
    const bytes = preempted(same, (trace) =>
      trace
        .window(1)
        .runstate(at(1), 1, 1, 'runnable', 'running')
        .runstate(at(3), 1, 1, 'running', 'blocked'),
    );
    const { rows, analysis } = await analyze(bytes, options);
    expect(rows('lock_holder_preemptions')[0]).toMatchObject({ preemptions: 1, candidates: 0 });
    expect(rows('lock_holder_worst')).toEqual([]);
    // There are siblings, as the table of co-scheduling shows.
    expect(rows('coscheduling')).toHaveLength(1);
    const locks = analysis.tables.filter(({ name }) => name.startsWith('lock_holder'));
    for (const { empty } of locks) expect(empty).toBe('no vCPU was preempted while a sibling ran.');
  });

  const sibling = (trace: TraceBuilder) => {
    return trace
      .window(1)
      .runstate(at(1), 1, 1, 'runnable', 'running')
      .runstate(at(9), 1, 1, 'running', 'blocked');
  };

  test('who yields is not preempted', async () => {
    const { rows } = await analyze(
      preempted((trace) => trace.record(YIELD, at(4) - 5_000, [1, 0]), sibling),
      options,
    );
    expect(rows('lock_holder_preemptions')[0]).toMatchObject({ preemptions: 0, candidates: 0 });
  });

  test('but it is if it yielded long ago', async () => {
    const { rows } = await analyze(
      preempted((trace) => trace.record(YIELD, at(3), [1, 0]), sibling),
      options,
    );
    expect(rows('lock_holder_preemptions')[0]).toMatchObject({
      preemptions: 1,
      candidates: 1,
      sibling_yields: 0,
    });
  });

  test('PAUSE exits of a sibling on its pCPU are evidence; other exits and other vCPUs are not', async () => {
    const bytes = preempted(
      (trace) => trace.record(VMEXIT64, at(2), [PAUSE, 0, 0]),
      (trace) =>
        trace
          .window(1)
          .runstate(at(1), 1, 1, 'runnable', 'running')
          .record(VMEXIT64, at(5), [PAUSE, 0, 0])
          .record(VMEXIT64, at(5.5), [PAUSE + 1, 0, 0])
          .record(VMEXIT64, at(6), [PAUSE, 0, 0])
          .record(VMEXIT64, at(8), [PAUSE, 0, 0])
          .runstate(at(9), 1, 1, 'running', 'blocked'),
    );
    const { rows } = await analyze(bytes, options);
    expect(rows('lock_holder_preemptions')[0]).toMatchObject({
      spun: 1,
      pause_exits: 2,
      sibling_yields: null,
    });
  });

  test('a preemption whose end is lost is not counted', async () => {
    const bytes = sibling(
      new TraceBuilder()
        .window(0)
        .runstate(at(0), 1, 0, 'runnable', 'running')
        .runstate(at(4), 1, 0, 'running', 'runnable')
        .lost(at(6), { count: 9, firstTsc: at(5) })
        .runstate(at(7), 1, 0, 'running', 'blocked'),
    ).bytes();
    const { rows } = await analyze(bytes, options);
    expect(rows('lock_holder_preemptions')[0]).toMatchObject({ preemptions: 0, candidates: 0 });
  });
});

test('no more than the worst are listed, the worst first', async () => {
  const trace = new TraceBuilder().window(0).runstate(at(0), 1, 0, 'runnable', 'running');
  for (let turn = 0; turn < 100; turn++) {
    const ms = 1 + turn * 10;
    trace
      .runstate(at(ms), 1, 0, 'running', 'runnable')
      .runstate(at(ms) + ((turn * 37) % 101) * 1000 + 1, 1, 0, 'runnable', 'running');
  }
  trace.window(1).runstate(at(0), 1, 1, 'runnable', 'running').runstate(at(1001), 1, 1, 'running', 'blocked');
  const { rows } = await analyze(trace.bytes(), { ...options, endNs: 1002 * MS });
  const exposed = rows('lock_holder_worst').map(({ exposed_ns }) => exposed_ns);
  const all = Array.from({ length: 100 }, (_, turn) => ((turn * 37) % 101) * 1000 + 1);
  expect(exposed).toEqual(all.sort((a, b) => b - a).slice(0, 20));
});

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

test('independentRunning() is what going through every combination gives', () => {
  fc.assert(
    fc.property(shares, (parts) => {
      const expected = new Array(parts.length + 1).fill(0);
      for (let who = 0; who < 2 ** parts.length; who++) {
        const chance = parts.reduce((product, part, v) => product * ((who >> v) & 1 ? part : 1 - part), 1);
        expected[who.toString(2).replaceAll('0', '').length] += chance;
      }
      const chances = independentRunning(parts);
      expect(chances).toHaveLength(expected.length);
      for (const [k, chance] of chances.entries()) expect(chance).toBeCloseTo(expected[k], 10);
      const pairs = parts.flatMap((a, i) => parts.slice(i + 1).map((b) => a * b));
      expect(pairsRunning(chances)).toBeCloseTo(
        pairs.reduce((sum, pair) => sum + pair, 0),
        10,
      );
    }),
  );
});

const BESIDE = join(import.meta.dirname, '../../../shared/traces');
const SHIPPED = join(import.meta.dirname, '../../samples/traces');
const real = existsSync(BESIDE)
  ? ['credit-caps.trace', 'credit-dom0-mix.trace', 'credit2-2rq-mix.trace', 'credit2-dom0-hogper.trace'].map(
      (name) => join(BESIDE, name),
    )
  : [join(SHIPPED, 'credit-caps.trace')];

describe.each(real)('%s', (path) => {
  test('its preemptions and exposed times are those of the intervals, compared one with another', async () => {
    const { rows } = await analyze(path, { analyses: [domains] });
    const { intervals } = await readTimeline(path);
    const yields = await yieldsOf(path);
    const told = new Map(rows('lock_holder_preemptions').map((row) => [`d${row.dom}v${row.vcpu}`, row]));
    expect(told.size).toBeGreaterThan(1);
    let candidates = 0;
    for (const [vcpu, row] of told) {
      const siblings = intervals.filter((other) => {
        const runs = other.state === 'running' && (other.complete & 1) === 1;
        return runs && other.vcpu.split('v')[0] === vcpu.split('v')[0] && other.vcpu !== vcpu;
      });
      const asides = intervals.filter((own) => {
        const preempted = own.vcpu === vcpu && own.state === 'runnable' && own.previous === 'running';
        return preempted && own.complete === 3 && !gaveWay(own, yields.get(vcpu) ?? []);
      });
      const exposed = asides.map((aside) => overlap(aside, siblings)).filter(({ unionNs }) => unionNs > 0);
      candidates += exposed.length;
      expect(row).toMatchObject({
        preemptions: asides.length,
        candidates: exposed.length,
        exposed_ns_total: exposed.reduce((sum, { unionNs }) => sum + unionNs, 0),
        siblings_ran_ns: exposed.reduce((sum, { sumNs }) => sum + sumNs, 0),
        exposed_ns_max: exposed.length === 0 ? null : Math.max(...exposed.map(({ unionNs }) => unionNs)),
      });
    }
    expect(candidates > 0).toBe(!path.includes('caps'));
  });

  test('as much ran as the vCPUs ran', async () => {
    const { rows } = await analyze(path);
    for (const { dom } of rows('coscheduling')) {
      const own = rows('coscheduling_running').filter((row) => row.dom === dom);
      const ranNs = own.reduce((sum, row) => sum + Number(row.running) * Number(row.time_ns), 0);
      const spanNs = own.reduce((sum, row) => sum + Number(row.time_ns), 0);
      const [runstates] = rows('runstates_by_domain').filter((row) => row.dom === dom);
      expect(ranNs).toBe(runstates.running_ns);
      const pairs = own.map((row) => Number(row.expected_share) * Number(row.running));
      expect(pairs.reduce((sum, part) => sum + part, 0)).toBeCloseTo(ranNs / spanNs, 9);
    }
  });
});

function gaveWay({ startNs }: Interval, yields: readonly number[]): boolean {
  return yields.some((tNs) => tNs <= startNs && startNs - tNs <= 50_000);
}

/** How long any of `others` overlap `aside`, and their overlaps added up. */
function overlap(aside: Interval, others: readonly Interval[]): { unionNs: number; sumNs: number } {
  const parts = others
    .map(({ startNs, endNs }) => [Math.max(startNs, aside.startNs), Math.min(endNs, aside.endNs)])
    .filter(([start, end]) => end > start)
    .sort(([a], [b]) => a - b);
  let [unionNs, sumNs, doneNs] = [0, 0, 0];
  for (const [start, end] of parts) {
    sumNs += end - start;
    unionNs += Math.max(0, end - Math.max(start, doneNs));
    doneNs = Math.max(doneNs, end);
  }
  return { unionNs, sumNs };
}

async function yieldsOf(path: string): Promise<Map<string, number[]>> {
  const reader = await openTrace(path);
  const batch = createRecordBatch();
  const yields = new Map<string, number[]>();
  for (let more = true; more; ) {
    more = reader.readBatch(batch);
    for (let row = 0; row < batch.count; row++) {
      if (batch.event[row] !== YIELD) continue;
      const [dom, vcpu] = batch.words.subarray(batch.wordsOffset[row]);
      const key = `d${dom}v${vcpu}`;
      yields.set(key, [...(yields.get(key) ?? []), batch.tNs[row]]);
    }
  }
  reader.close();
  return yields;
}
