/** C-states and frequencies, from hand-made records: no real trace at hand has them. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { power } from '../../src/analysis/power.ts';
import { loadCatalog } from '../../src/format/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { analyze } from './analyze-bytes.ts';

const FREQUENCY = 0x801001;
const ENTRY = 0x801002;
const EXIT = 0x801003;
const CREDIT_TICKLE = 0x22006;
const NO_TIMER_US = 0xfffff830;
const US = 1000;

const at = (us: number) => 5000 + us * US;
const entry = (us: number, state: number, expectedUs = 0, predictedUs = 0) => {
  return [ENTRY, at(us), [state, at(us), expectedUs, predictedUs]] as const;
};
const exit = (us: number, state: number) => [EXIT, at(us), [state, at(us), 0, 0, 0, 0]] as const;

/** The example of docs/metrics.md. */
function example(): Uint8Array {
  return new TraceBuilder()
    .window(0)
    .record(FREQUENCY, at(0), [1000, 2000])
    .record(...entry(100, 2, 500, 300))
    .record(...exit(310, 2))
    .record(...entry(400, 1, 200, 200))
    .record(...exit(600, 1))
    .record(FREQUENCY, at(700), [2000, 1000])
    .record(...entry(800, 2, NO_TIMER_US, 12_345))
    .window(1)
    .record(CREDIT_TICKLE, at(300), [0])
    .bytes();
}

const options = { analyses: [power], endNs: 1000 * US };

describe('the example of docs/metrics.md', () => {
  test('power', async () => {
    const { rows } = await analyze(example(), options);
    expect(rows('power')).toEqual([
      {
        pcpu: 0,
        asleep_share: 0.61,
        asleep_ns: 610 * US,
        awake_ns: 390 * US,
        unknown_ns: 0,
        entries: 3,
        ticks_per_ns: 1,
        mhz_mean: 1700,
        frequency_changes: 2,
        frequency_coverage: 1,
        coverage: 1,
      },
    ]);
  });

  test('cstates', async () => {
    const { rows } = await analyze(example(), options);
    expect(rows('cstates')).toMatchObject([
      {
        cstate: 0,
        share: 0.39,
        time_ns: 390 * US,
        entries: 2,
        residency_ns_mean: 145 * US,
        residency_ns_max: 200 * US,
        residency_max_start_ns: 600 * US,
        predicted: 0,
        expected_ns_mean: null,
        tickled: 0,
      },
      {
        cstate: 1,
        time_ns: 200 * US,
        entries: 1,
        residency_ns_mean: 200 * US,
        predicted: 1,
        predicted_ns_mean: 200 * US,
        predicted_stay_ns_mean: 200 * US,
        sooner: 0,
        tickled: 0,
        exit_latency_ns_mean: null,
      },
      {
        cstate: 2,
        time_ns: 410 * US,
        entries: 2,
        residency_ns_mean: 210 * US,
        predicted: 1,
        expected_ns_mean: 500 * US,
        predicted_ns_mean: 300 * US,
        predicted_stay_ns_mean: 210 * US,
        sooner: 1,
        tickled: 1,
        exit_latency_ns_mean: 10 * US,
        exit_latency_max_start_ns: 300 * US,
      },
    ]);
  });

  test('frequencies', async () => {
    const { rows } = await analyze(example(), options);
    expect(rows('frequencies')).toEqual([
      { pcpu: 0, mhz: 1000, share: 0.3, time_ns: 300 * US, entries: 1, coverage: 1 },
      { pcpu: 0, mhz: 2000, share: 0.7, time_ns: 700 * US, entries: 1, coverage: 1 },
    ]);
  });
});

describe('what the records do not tell', () => {
  test('a first exit says what the pCPU did since its first record, and is no stay', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x28006, at(20), [1, 0])
      .record(...exit(50, 3))
      .window(1)
      .record(0x28006, at(0), [1, 0])
      .bytes();
    const { rows } = await analyze(bytes, { ...options, endNs: 100 * US });
    expect(rows('power')).toMatchObject([
      { pcpu: 0, asleep_ns: 30 * US, awake_ns: 50 * US, unknown_ns: 20 * US, entries: 0, coverage: 0.8 },
    ]);
    expect(rows('cstates')).toMatchObject([
      { cstate: 0, entries: 1 },
      { cstate: 3, time_ns: 30 * US, residency_ns_mean: null },
    ]);
    expect(rows('frequencies')).toEqual([]);
    expect(rows('power')[0].mhz_mean).toBeNull();
  });

  test('after lost records nothing is known until the next record, nor what it ends', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(FREQUENCY, at(0), [800, 900])
      .record(...entry(10, 1))
      .lost(at(50), { count: 4, firstTsc: at(30) })
      .record(...exit(60, 1))
      .record(...entry(80, 1))
      .record(...exit(90, 1))
      .bytes();
    const { rows } = await analyze(bytes, { ...options, endNs: 100 * US });
    // Known: 0-10 awake (the last record before the loss was at 10), 60-80 awake, 80-90 asleep, 90-100 awake.
    expect(rows('power')).toMatchObject([
      { awake_ns: 40 * US, asleep_ns: 10 * US, unknown_ns: 50 * US, coverage: 0.5, frequency_coverage: 0.1 },
    ]);
    expect(rows('cstates')[1]).toMatchObject({
      entries: 2,
      residency_ns_mean: 10 * US,
      residency_ns_max: 10 * US,
    });
  });

  test('time between records that contradict each other is unknown', async () => {
    const bytes = new TraceBuilder()
      .window(0)
      .record(...entry(0, 1))
      .record(...entry(10, 2))
      .record(...exit(30, 1))
      .record(...entry(60, 1))
      .bytes();
    const { rows } = await analyze(bytes, { ...options, endNs: 100 * US });
    expect(rows('power')).toMatchObject([{ awake_ns: 30 * US, asleep_ns: 40 * US, unknown_ns: 30 * US }]);
  });

  test('numbers beyond what hardware has make no rows', async () => {
    const trace = new TraceBuilder().window(0).record(...entry(0, 0xffffffff));
    for (let mhz = 0; mhz < 1000; mhz++) trace.record(FREQUENCY, at(mhz), [mhz, mhz + 1]);
    const { rows } = await analyze(trace.bytes(), options);
    expect(rows('cstates')).toEqual([]);
    expect(rows('frequencies').length).toBe(256);
  });

  test('without any such record there are no rows', async () => {
    const { rows } = await analyze(
      new TraceBuilder().window(0).lost(9, { count: 1, firstTsc: 5 }).bytes(),
      options,
    );
    expect([rows('power'), rows('cstates'), rows('frequencies')]).toEqual([[], [], []]);
  });
});

describe('records of Xen 3.4 to 4.1', () => {
  const catalog = loadCatalog([join(import.meta.dirname, '../../formats/older/hw-4.1.json')]);

  test.each([
    ['3.4', [], []],
    ['4.0', [400, 50], [0, 0, 0, 0]],
  ])('Xen %s', async (_, predictions, irqs) => {
    const ticks = (us: number) => Math.round(us * 3.579545);
    const bytes = new TraceBuilder()
      .window(0)
      .record(0x802001, at(0), [2, 0xffffff00, ...predictions])
      .record(0x802002, at(100), [2, 0xffffff00 + ticks(100) - 2 ** 32, ...irqs])
      .bytes();
    const { rows } = await analyze(bytes, { ...options, catalog, endNs: 200 * US });
    expect(rows('cstates')).toMatchObject([
      { cstate: 0, time_ns: 100 * US },
      { cstate: 2, time_ns: 100 * US, predicted: predictions.length / 2, sooner: 0 },
    ]);
    expect(rows('power')[0].ticks_per_ns).toBeCloseTo(0.00358, 5);
  });
});
