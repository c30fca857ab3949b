/**
 * Every sample scenario, recorded as `xenscope record` would, is read by the real xenalyze to the end without
 * a remark: with rings that hold everything, with rings of one page that lose a good part of it, and through
 * a circular buffer.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  type RawRecorderOptions,
  record,
} from '../../src/recorder/index.ts';
import { loadScenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { windowsOf } from './windows.ts';
import { whyNoXenalyze, xenalyzeRemarks } from './xenalyze.ts';

if (whyNoXenalyze) console.warn(whyNoXenalyze);

const folder = new URL('../../samples/', import.meta.url);
const samples = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

async function recordSample(name: string, raw: RawRecorderOptions = {}) {
  const scenario = await loadScenario(new URL(name, folder).pathname);
  const plan = planRecording(parseRecorderOptions(raw), scenario);
  const rings = createTraceRings(plan);
  const out = new MemorySink();
  const recording = record(new Simulation(scenario, rings), rings, plan, out);
  return { ...recording, trace: out.bytes(), rings };
}

/** How many records of each event a trace has. */
function eventCounts(trace: Uint8Array): Map<number, number> {
  const view = new DataView(trace.buffer, trace.byteOffset, trace.length);
  const counts = new Map<number, number>();
  for (let at = 0; at < trace.length; ) {
    const header = view.getUint32(at, true);
    const event = header & 0x0fffffff;
    counts.set(event, (counts.get(event) ?? 0) + 1);
    at += 4 + 8 * (header >>> 31) + 4 * ((header >>> 28) & 7);
  }
  return counts;
}

test('there are samples, and some have jobs', async () => {
  expect(samples.length).toBeGreaterThan(3);
  let withJobs = 0;
  for (const name of samples) {
    const counts = eventCounts((await recordSample(name)).trace);
    if ([0x24001, 0x24002, 0x24003].every((event) => counts.has(event))) withJobs += 1;
  }
  expect(withJobs).toBeGreaterThan(0);
});

describe.each(samples)('%s', (name) => {
  test('is recorded whole: nothing lost, and no ring so much as half full', async () => {
    const { lostRecords, keptRecords, rings, trace } = await recordSample(name);
    expect(lostRecords).toBe(0);
    expect(rings.notifications).toBe(0);
    const records = windowsOf(trace).flatMap((window) => window.records);
    expect(records.filter((entry) => entry !== 'wrap')).toHaveLength(keptRecords);
  });

  test.skipIf(whyNoXenalyze)('passes without a remark', async () => {
    const { trace } = await recordSample(name);
    expect(xenalyzeRemarks(trace, /runstate_change/)).toEqual([]);
  });

  test.skipIf(whyNoXenalyze)('passes without a remark with rings of one page', async () => {
    const { trace } = await recordSample(name, { traceBufSize: '1' });
    expect(xenalyzeRemarks(trace)).toEqual([]);
  });

  test.skipIf(whyNoXenalyze)('passes without a remark through a circular buffer', async () => {
    const { trace } = await recordSample(name, { memoryBuffer: '256k' });
    expect(xenalyzeRemarks(trace)).toEqual([]);
  });
});

test('a small ring under load loses records, the same ones every time, and tells of them', async () => {
  const first = await recordSample('ratelimit.yaml', { traceBufSize: '1' });
  const again = await recordSample('ratelimit.yaml', { traceBufSize: '1' });
  expect(first.trace).toEqual(again.trace);
  expect(first.lostRecords).toBeGreaterThan(1000);
  const whole = await recordSample('ratelimit.yaml');
  expect(first.keptRecords + first.lostRecords).toBe(whole.keptRecords);
  const told = windowsOf(first.trace)
    .flatMap(({ records }) => records)
    .reduce<number>((sum, entry) => sum + Number(/^lost (\d+)/.exec(`${entry}`)?.[1] ?? 0), 0);
  expect(told).toBe(first.lostRecords - first.untoldLostRecords);
});
