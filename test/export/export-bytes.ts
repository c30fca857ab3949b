import type { Selection } from '../../src/analysis/index.ts';
import { type OpenTraceOptions, openTrace, type TraceInput } from '../../src/decoder/index.ts';
import { EXPORTERS } from '../../src/export/index.ts';
import {
  createTraceRings,
  parseRecorderOptions,
  planRecording,
  recordToFile,
} from '../../src/recorder/index.ts';
import { loadScenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { MemoryOutputSink } from '../../src/tables/byte-sink.ts';

/** A trace in one of the forms; hand-made traces have one tick a nanosecond. */
export async function exportBytes(
  form: string,
  input: TraceInput,
  { stretch, ...options }: OpenTraceOptions & { stretch?: Selection } = {},
): Promise<Uint8Array> {
  const exporter = EXPORTERS[form];
  if (exporter?.kind !== 'file') throw new Error(`${form} is no file`);
  const { exportTrace } = await exporter.load();
  const reader = await openTrace(input, typeof input === 'string' ? options : { cpuHz: 1e9, ...options });
  const sink = new MemoryOutputSink();
  await exportTrace(reader, sink, stretch);
  reader.close();
  return sink.bytes();
}

/** Runs a scenario of samples/ for a while and records it. */
export function recordSample(scenario: string, path: string, durationNs: number): string {
  const loaded = loadScenario(scenario, { durationNs });
  const plan = planRecording(parseRecorderOptions({}), loaded);
  const rings = createTraceRings(plan);
  recordToFile(new Simulation(loaded, rings, { jobRecords: true }), rings, plan, path);
  return path;
}
