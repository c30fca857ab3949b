/**
 * What is told while a host is watched. Truth: the passes over the whole trace for figures since the start, and hand
 * calculation for windows.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createRecordBatch, LiveReader, openTrace } from '../../src/decoder/index.ts';
import { type Fared, LiveModel, type Snapshot } from '../../src/live/index.ts';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  record,
} from '../../src/recorder/index.ts';
import { loadScenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { analyze, type Row } from '../analysis/analyze-bytes.ts';
import { MS, waitsExample } from '../analysis/waits-example.ts';
import { type Runstate, TraceBuilder } from '../support/trace-builder.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
const TRACES = join(import.meta.dirname, '../../../shared/traces');
const SECOND = 1000 * MS;
const SINCE_START = Number.POSITIVE_INFINITY;

function recordScenario(name: string): Uint8Array {
  const scenario = loadScenario(join(SAMPLES, name));
  const plan = planRecording(parseRecorderOptions({}), scenario);
  const rings = createTraceRings(plan);
  const out = new MemorySink();
  record(new Simulation(scenario, rings), rings, plan, out);
  return out.bytes();
}

/** Feeds a trace in pieces of changing sizes, settling and looking now and then, and returns the last look. */
async function watch(trace: Uint8Array, windowNs = SINCE_START): Promise<Snapshot> {
  const whole = await openTrace(trace);
  const reader = new LiveReader({ cpuHz: whole.clock.cpuHz });
  const model = new LiveModel(whole.catalog, whole.pcpus);
  const batch = createRecordBatch(777);
  const read = () => {
    while (reader.readBatch(batch)) model.push(batch);
    model.settle(model.pushedNs - SECOND / 2);
  };
  let seed = 1;
  for (let at = 0; at < trace.length; ) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const size = 1 + (seed % 60_000);
    reader.push(trace.subarray(at, at + size));
    at += size;
    read();
    if (seed % 3 === 0) model.snapshot(SECOND);
  }
  reader.end();
  read();
  model.finish(reader.counts().spanNs);
  whole.close();
  return model.snapshot(windowNs);
}

const SIMULATED = ['busy-host.yaml', 'caps.yaml', 'deadlines.yaml'];
const REAL = [
  'credit-dom0-mix.trace',
  'credit2-caps.trace',
  'credit2-2rq-mix.trace',
  'null-fit.trace',
  'rtds-1p-clean.trace',
  'credit2-core-mix-all.trace',
  'credit-cpupool.trace',
];

function sum(rows: readonly Row[], column: string): number {
  return rows.reduce((total, row) => total + (row[column] as number), 0);
}

/** What the passes say, in the words of a snapshot. */
function expectedOf(rows: (table: string) => Row[], is: (row: Row) => boolean, suffix = ''): Fared {
  const own = (table: string) => rows(`${table}${suffix}`).filter(is);
  const [states] = own('runstates');
  const [steal] = own('steal');
  const wake = own('waits').find(({ cause }) => cause === 'wake');
  const [blame] = own('blame');
  const jobs = own('deadlines');
  const number = (row: Row | undefined, column: string) => (row?.[column] ?? 0) as number;
  const known = ['running_ns', 'runnable_ns', 'throttled_ns', 'blocked_ns', 'offline_ns'];
  return {
    knownNs: known.reduce((total, column) => total + number(states, column), 0),
    unknownNs: number(states, 'unknown_ns'),
    runNs: number(states, 'running_ns'),
    readyNs: number(steal, 'ready_ns'),
    throttledNs: number(steal, 'throttled_ns'),
    wakes: number(wake, 'count'),
    wakeNsP50: (wake?.wait_ns_p50 ?? null) as number | null,
    wakeNsP99: (wake?.wait_ns_p99 ?? null) as number | null,
    jobs: sum(jobs, 'released') - sum(jobs, 'unjudged'),
    missed: sum(jobs, 'missed'),
    culprit: (blame?.top_culprit ?? null) as string | null,
    culpritRatio: (blame?.top_share ?? null) as number | null,
  };
}

async function expectFiguresOfPasses(trace: Uint8Array): Promise<Snapshot> {
  const { cpuHz } = (await openTrace(trace)).clock;
  const { rows } = await analyze(trace, { ...(cpuHz === undefined ? {} : { cpuHz }) });
  const snapshot = await watch(trace);
  const vcpus = rows('runstates').map((row) => {
    const { dom, vcpu } = row as { dom: number; vcpu: number };
    const fared = expectedOf(rows, (other) => other.dom === dom && other.vcpu === vcpu);
    return { dom, vcpu, ...fared };
  });
  expect(vcpus.length).toBeGreaterThan(0);
  expect(snapshot.vcpus.map(({ state: _, pcpu: __, ...fared }) => fared)).toEqual(vcpus);
  const domains = rows('runstates_by_domain').map(({ dom }) => {
    const fared = expectedOf(rows, (row) => row.dom === dom, '_by_domain');
    return { dom, vcpus: vcpus.filter((vcpu) => vcpu.dom === dom).length, ...fared };
  });
  expect(snapshot.domains).toEqual(domains);
  const pcpus = rows('pcpus').map((row) => ({
    pcpu: row.pcpu,
    busyNs: row.busy_ns,
    idleNs: row.idle_ns,
    unknownNs: row.unknown_ns,
    switches: row.switches,
  }));
  expect(snapshot.pcpus.map(({ runs: _, lostRecords: __, ...load }) => load)).toEqual(pcpus);
  return snapshot;
}

describe('since the start, LiveModel tells what the passes tell of the whole', () => {
  test.each(SIMULATED)('of %s, simulated', async (name) => {
    const snapshot = await expectFiguresOfPasses(recordScenario(name));
    if (name === 'deadlines.yaml') expect(snapshot.vcpus.some(({ jobs }) => jobs > 0)).toBe(true);
  });

  test('of the sample of a real host', async () => {
    await expectFiguresOfPasses(readFileSync(join(SAMPLES, 'traces/credit-caps.trace')));
  });

  test.skipIf(!existsSync(TRACES)).each(REAL)('of %s', async (name) => {
    const bytes = readFileSync(join(TRACES, name));
    await expectFiguresOfPasses(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  });

  test.skipIf(!existsSync(TRACES))('of lost records, as far as they are learnt of in time', async () => {
    const trace = readFileSync(join(TRACES, 'credit-lost-S1-all.trace'));
    const snapshot = await watch(trace);
    const { rows, analysis } = await analyze(trace, { cpuHz: (await openTrace(trace)).clock.cpuHz });
    expect(snapshot.lostRecords).toBeGreaterThan(1000);
    expect(sum(snapshot.pcpus as unknown as Row[], 'lostRecords')).toBe(snapshot.lostRecords);
    const late = snapshot.lateLosses > 0;
    for (const { dom, vcpu, runNs, unknownNs, knownNs } of snapshot.vcpus) {
      const [states] = rows('runstates').filter((row) => row.dom === dom && row.vcpu === vcpu);
      if (!late) expect([runNs, unknownNs]).toEqual([states!.running_ns, states!.unknown_ns]);
      expect(knownNs + unknownNs).toBeLessThanOrEqual(analysis.spanNs);
    }
  });
});

/** One vCPU's states from 0 on, each with the ms that it lasts; on pCPU 0. */
function lifeOf(trace: TraceBuilder, dom: number, states: readonly (readonly [Runstate, number])[]) {
  let ms = 0;
  for (const [index, [state, length]] of states.entries()) {
    ms += length;
    const next = states[index + 1]?.[0];
    if (next !== undefined) trace.runstate(1000 + ms * MS, dom, 0, state, next);
  }
}

async function modelOf(trace: Uint8Array, settledNs: number) {
  const reader = await openTrace(trace, { cpuHz: 1e9 });
  const model = new LiveModel(reader.catalog);
  const batch = createRecordBatch();
  while (reader.readBatch(batch)) model.push(batch);
  reader.close();
  model.settle(settledNs);
  return model;
}

describe('windows', () => {
  test('what still goes on counts up to now, in each window', async () => {
    const trace = new TraceBuilder().window(0).runstate(1000, 9, 0, 'runnable', 'running');
    lifeOf(trace, 1, [
      ['blocked', 250],
      ['runnable', 300],
      ['running', 20_000],
      ['blocked', 1],
    ]);
    const model = await modelOf(trace.bytes(), 2 * SECOND);
    const of = (windowNs: number) => model.snapshot(windowNs).vcpus.find(({ dom }) => dom === 1)!;
    // Runs since 550 ms.
    expect(of(SECOND)).toMatchObject({
      runNs: SECOND,
      readyNs: 0,
      knownNs: SECOND,
      wakes: 0,
      state: 'running',
    });
    expect(of(10 * SECOND)).toMatchObject({
      runNs: 1450 * MS,
      readyNs: 300 * MS,
      knownNs: 2 * SECOND,
      wakes: 1,
      wakeNsP50: 300 * MS,
    });
    expect(of(SINCE_START)).toMatchObject({ runNs: 1450 * MS, knownNs: 2 * SECOND, wakes: 1 });
    model.settle(15 * SECOND);
    expect(of(10 * SECOND)).toMatchObject({ runNs: 10 * SECOND, readyNs: 0, wakes: 0, wakeNsP50: null });
    expect(of(SINCE_START)).toMatchObject({ runNs: 14_450 * MS, knownNs: 15 * SECOND, wakes: 1 });
    model.settle(20_600 * MS);
    expect(of(SECOND)).toMatchObject({ runNs: 950 * MS, knownNs: SECOND, state: 'blocked' });
    const [load] = model.snapshot(SECOND).pcpus;
    expect(load).toMatchObject({ pcpu: 0, busyNs: 950 * MS, idleNs: 0, unknownNs: 50 * MS, runs: null });
  });

  test.each([2095, 2100])('the last window of a trace ends with its last record, at %d ms', async (endMs) => {
    const trace = new TraceBuilder().window(0).runstate(1000, 9, 0, 'runnable', 'running');
    lifeOf(trace, 1, [
      ['blocked', 1850],
      ['runnable', endMs - 1850],
      ['running', 0],
    ]);
    const model = await modelOf(trace.bytes(), 2 * SECOND);
    expect(model.snapshot(SECOND)).toMatchObject({ fromNs: SECOND, toNs: 2 * SECOND });
    model.finish(endMs * MS);
    const last = model.snapshot(SECOND);
    expect(last).toMatchObject({ tNs: endMs * MS, fromNs: 1100 * MS, toNs: endMs * MS });
    expect(last.vcpus.find(({ dom }) => dom === 1)).toMatchObject({
      knownNs: (endMs - 1100) * MS,
      readyNs: (endMs - 1850) * MS,
      wakes: 1,
      wakeNsP50: (endMs - 1850) * MS,
    });
  });

  test('percentiles and culprits are of the waits that ended in the window', async () => {
    const trace = new TraceBuilder().window(0);
    const wait = (ms: number, length: number, culprit: number) => {
      const at = (offset: number) => 1000 + (ms + offset) * MS;
      trace
        .runstate(at(0), culprit, 0, 'runnable', 'running')
        .runstate(at(1), 1, 0, 'blocked', 'runnable')
        .runstate(at(1 + length), culprit, 0, 'running', 'runnable')
        .runstate(at(1 + length), 1, 0, 'runnable', 'running')
        .runstate(at(2 + length), 1, 0, 'running', 'blocked');
    };
    wait(0, 90, 2);
    for (let n = 1; n <= 4; n++) wait(1000 + 100 * n, n, n < 4 ? 3 : 2);
    wait(1600, 5, 2);
    const model = await modelOf(trace.bytes(), 2 * SECOND);
    const { vcpus, domains } = model.snapshot(SECOND);
    const lately = vcpus.find(({ dom }) => dom === 1)!;
    // 1, 2, 3 ms for d3 and 4, 5 ms for d2.
    expect(lately).toMatchObject({ wakes: 5, wakeNsP50: 3 * MS, wakeNsP99: 5 * MS });
    expect(lately.culprit).toBe('d2v0');
    expect(lately.culpritRatio).toBeCloseTo(9 / 15, 9);
    expect(domains.find(({ dom }) => dom === 1)).toMatchObject({ wakes: 5, culprit: 'd2', vcpus: 1 });
    const ever = model.snapshot(SINCE_START).vcpus.find(({ dom }) => dom === 1)!;
    expect(ever).toMatchObject({ wakes: 6, wakeNsP50: 3 * MS, wakeNsP99: 90 * MS, culprit: 'd2v0' });
    expect(ever.culpritRatio).toBeCloseTo(99 / 105, 9);
  });

  test('the example of docs/metrics.md, 2 ms before its end', async () => {
    const model = await modelOf(waitsExample(), 18 * MS + 1);
    const rows = model
      .snapshot(SINCE_START)
      .vcpus.map((row) => [row.dom, row.state, row.pcpu, row.readyNs, row.throttledNs]);
    expect(rows).toEqual([
      [1, 'running', 0, 6 * MS, 0],
      [2, 'blocked', 1, 4 * MS, 4 * MS],
      [3, 'running', 1, 2 * MS, 0],
    ]);
  });

  test('lost records are in the window of their instant, by pCPU', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(1000, 1, 0, 'runnable', 'running')
      .runstate(1000 + 3000 * MS, 1, 0, 'running', 'blocked')
      .window(1)
      .runstate(2000, 2, 0, 'runnable', 'running')
      .lost(1000 + 400 * MS, { count: 7, firstTsc: 1000 + 300 * MS });
    const model = await modelOf(trace.bytes(), SECOND);
    const lostIn = () => model.snapshot(SECOND).pcpus.map(({ lostRecords }) => lostRecords);
    expect(lostIn()).toEqual([0, 7]);
    const [, second] = model.snapshot(SECOND).vcpus;
    expect(second).toMatchObject({ dom: 2, state: 'unknown', unknownNs: 700 * MS });
    model.settle(2 * SECOND);
    expect(lostIn()).toEqual([0, 0]);
    expect(model.snapshot(SINCE_START).lostRecords).toBe(7);
  });
});
