/**
 * Reading a trace in a thread of its own gives what reading it in this one gives. The thread runs the built program:
 * `npm run build` comes first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type * as analysis from '../../src/analysis/index.ts';
import type * as decoder from '../../src/decoder/index.ts';
import type * as timeline from '../../src/timeline/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';

const root = resolve(import.meta.dirname, '../..');
const { openTrace, createRecordBatch }: typeof decoder = await import(join(root, 'dist/decoder/index.js'));
const { TraceAhead, followTrace }: typeof timeline = await import(join(root, 'dist/timeline/index.js'));
const { analyzeTrace, VcpuSelection }: typeof analysis = await import(join(root, 'dist/analysis/index.js'));
const sample = join(root, 'samples/traces/credit-caps.trace');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

/** A row of each batch of one kind, all columns, as text. */
function tellAll() {
  const told: Record<string, string[]> = { records: [] };
  const hear = (kind: string) => (batch: { count: number }) => {
    const columns = Object.entries({ ...batch, count: [] }) as unknown as [string, Float64Array][];
    told[kind] ??= [];
    for (let row = 0; row < batch.count; row++) {
      told[kind].push(columns.map(([name, column]) => `${name} ${column[row]}`).join());
    }
  };
  const kinds = ['Runstates', 'Waits', 'Jobs', 'Transitions', 'Blames'];
  const listener = Object.fromEntries(kinds.map((kind) => [`on${kind}`, hear(kind)]));
  const onRecords = (batch: decoder.RecordBatch) => {
    for (let row = 0; row < batch.count; row++) {
      const words = batch.words.subarray(batch.wordsOffset[row], batch.wordsOffset[row + 1]);
      told.records.push(
        `${batch.event[row]} ${batch.layout[row]} ${batch.pcpu[row]} ${batch.tNs[row]} ${words}`,
      );
    }
  };
  return { told, listener, onRecords };
}

/** The sample many times over, and a part of it: longer than all batches on the way together. */
function longDamagedTrace(): string {
  const bytes = readFileSync(sample);
  const path = scratch.path('damaged.trace');
  writeFileSync(path, Buffer.concat([...Array(45).fill(bytes), bytes.subarray(0, 50_001)]));
  return path;
}

describe('TraceAhead', () => {
  test.each([sample, longDamagedTrace()])(
    'tells all that followTrace() tells, in the same order',
    async (path) => {
      const options = { cpuHz: 1e9, order: path === sample ? 'time' : 'file' } as const;
      const [here, there] = [tellAll(), tellAll()];
      const reader = await openTrace(path, options);
      const facts = followTrace(reader, [here.listener], { onRecords: here.onRecords });
      const ahead = await TraceAhead.open(path, options);
      expect(ahead.follow([there.listener], { onRecords: there.onRecords })).toEqual(facts);
      expect(there.told).toEqual(here.told);
      expect(here.told.records.length).toBeGreaterThan(path === sample ? 5_000 : 300_000);
      expect(ahead.counts()).toEqual(reader.counts());
      expect(ahead.diagnostics()).toEqual(reader.diagnostics());
      for (const name of ['name', 'bytes', 'clock', 'pcpus'] as const)
        expect(ahead[name]).toEqual(reader[name]);
      reader.close();
      ahead.close();
    },
  );

  test('gives an analysis the same results, whatever is asked for', async () => {
    const options: analysis.AnalyzeOptions = {
      selection: { fromNs: 1e9, toNs: 2e9, vcpus: new VcpuSelection([1, 2], []) },
      domainParameters: new Map([[1, { weight: 512, pcpus: [0] }]]),
      endNs: 5e9,
    };
    for (const asked of [{}, options]) {
      const [reader, ahead] = [await openTrace(sample), await TraceAhead.open(sample)];
      expect(analyzeTrace(ahead, asked)).toEqual(analyzeTrace(reader, asked));
      for (const trace of [reader, ahead]) trace.close();
    }
  });

  test('is followed once, empty or not', async () => {
    const empty = scratch.path('empty.trace');
    writeFileSync(empty, '');
    for (const [path, why] of [
      [sample, 'a timeline is of a whole trace'],
      [empty, 'followed once'],
    ]) {
      const ahead = await TraceAhead.open(path);
      ahead.follow([]);
      expect(() => ahead.follow([])).toThrow(why);
      ahead.close();
    }
  });

  test('can be read again', async () => {
    const ahead = await TraceAhead.open(sample);
    const again = await ahead.reopen();
    expect(again.readBatch(createRecordBatch())).toBe(true);
    again.close();
    ahead.close();
  });

  test('tells a user what is wrong as openTrace does', async () => {
    for (const path of [scratch.path('none.trace'), join(root, 'package.json'), root]) {
      const said = (await openTrace(path).catch((error: unknown) => error)) as Error & { code: string };
      const { code, message } = said;
      await expect(TraceAhead.open(path)).rejects.toMatchObject({ name: 'UserError', code, message });
    }
  });
});
