/**
 * The whole road on small scenarios: what goes in and what comes out are in the tree, small enough for a person to
 * check. `npx vitest run test/golden -u` writes what comes out now; read the difference before you commit it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyzeTrace } from '../../src/analysis/index.ts';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import {
  createTraceRings,
  MemorySink,
  parseRecorderOptions,
  planRecording,
  record,
} from '../../src/recorder/index.ts';
import { DumpFormatter, findingsOf, renderAnalysisText, summarizeTrace } from '../../src/report/index.ts';
import { loadScenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
);

function recordScenario(path: string): Uint8Array {
  const scenario = loadScenario(path);
  const plan = planRecording(parseRecorderOptions(), scenario);
  const rings = createTraceRings(plan);
  const sink = new MemorySink();
  record(new Simulation(scenario, rings), rings, plan, sink);
  return sink.bytes();
}

describe.each(cases.map(({ name }) => name))('%s', (name) => {
  const folder = join(import.meta.dirname, name);
  const trace = recordScenario(join(folder, 'scenario.yaml'));

  test('the records', async () => {
    const reader = await openTrace(trace, { cpuHz: 1e9 });
    const formatter = new DumpFormatter(reader.catalog);
    const batch = createRecordBatch();
    let text = '';
    while (reader.readBatch(batch)) {
      for (let row = 0; row < batch.count; row++) text += formatter.textLine(batch, row);
    }
    expect(reader.diagnostics()).toEqual([]);
    await expect(text).toMatchFileSnapshot(join(folder, 'dump.txt'));
  });

  test('the report', async () => {
    const reader = await openTrace(trace, { cpuHz: 1e9 });
    const result = analyzeTrace(reader);
    const summary = { ...summarizeTrace(reader, result), name: `${name}.trace` };
    const text = renderAnalysisText(summary, result.tables, {
      findings: findingsOf(result.tables, summary),
    });
    await expect(text).toMatchFileSnapshot(join(folder, 'report.txt'));
  });
});
