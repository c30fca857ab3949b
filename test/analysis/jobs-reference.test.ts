/**
 * Deadlines from a trace file alone: the reference scenarios with periodic tasks run on the simulated host, and what
 * analysis finds in the recorded trace must be what Xen's own C code gave on the same machine.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  record,
} from '../../src/recorder/index.ts';
import { loadScenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { analyze, type Row } from './analyze-bytes.ts';

const BESIDE = join(import.meta.dirname, '../../../shared/reference/xen-c-schedulers');
const SHIPPED = join(import.meta.dirname, '../simulator/reference');
const FOLDER = existsSync(BESIDE) ? BESIDE : SHIPPED;
const VERSIONS = { 'xen-4.17.7': '4.17', 'xen-head': 'head' } as const;

interface ReferenceVcpu {
  readonly dom: number;
  readonly vcpu: number;
  readonly jobs_released?: number;
  readonly jobs_completed?: number;
  readonly misses_completed?: number;
  readonly misses_unfinished?: number;
  readonly job_response?: { count: number; p50: number; p95: number; p99: number; max: number; mean: number };
}

interface Reference {
  readonly duration_ns: number;
  readonly trace_end_ns: number;
  readonly vcpus: readonly ReferenceVcpu[];
}

/** Runs under credit whose trace goes to the end: the figures are of the whole run. */
function runs(version: string) {
  const folder = join(FOLDER, version);
  return readdirSync(folder)
    .filter((file) => file.endsWith('__credit.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      scenario: join(FOLDER, 'scenarios', file),
      reference: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Reference,
    }))
    .filter(({ reference: { vcpus, trace_end_ns, duration_ns } }) => {
      return trace_end_ns === duration_ns && vcpus.some((vcpu) => (vcpu.jobs_released ?? 0) > 0);
    });
}

function recorded(path: string, xen: string): Uint8Array {
  const scenario = loadScenario(path, { xen });
  const plan = planRecording(parseRecorderOptions({ traceBufSize: '4096' }), scenario);
  const rings = createTraceRings(plan);
  const sink = new MemorySink();
  const recording = record(new Simulation(scenario, rings, { jobRecords: true }), rings, plan, sink);
  expect(recording.lostRecords).toBe(0);
  return sink.bytes();
}

describe.each(Object.entries(VERSIONS))('deadlines under credit of %s', (version, xen) => {
  test.each(runs(version))('$name', async ({ scenario, reference }) => {
    const { rows } = await analyze(recorded(scenario, xen), { endNs: reference.duration_ns });
    const tasks = rows('deadlines');
    const theirs = reference.vcpus.filter((vcpu) => (vcpu.jobs_released ?? 0) > 0);
    expect(tasks).toHaveLength(theirs.length);
    for (const { dom, vcpu, ...figures } of theirs) {
      const ours = tasks.find((row) => row.dom === dom && row.vcpu === vcpu) as Row;
      expect(ours.released).toBe(figures.jobs_released);
      expect(ours.completed).toBe(figures.jobs_completed);
      expect(Number(ours.missed) - Number(ours.missed_unfinished)).toBe(figures.misses_completed);
      expect(ours.missed_unfinished).toBe(figures.misses_unfinished);
      const { job_response: response } = figures;
      if (response === undefined) continue;
      for (const figure of ['p50', 'p95', 'p99', 'max', 'mean'] as const) {
        expect(Math.abs(Number(ours[`response_ns_${figure}`]) - response[figure])).toBeLessThan(600);
      }
    }
  });
});
