/**
 * Decoding in a thread of its own gives what decoding in this one gives. The thread runs the built program: `npm run
 * build` comes first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type * as decoder from '../../src/decoder/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';

const root = resolve(import.meta.dirname, '../..');
const built: typeof decoder = await import(join(root, 'dist/decoder/index.js'));
const sample = join(root, 'samples/traces/credit-caps.trace');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

/** Every cell of every record, a line each, and what the reader says at the end. */
function contents(reader: decoder.TraceReader) {
  const lines: string[] = [];
  for (let batch = reader.nextBatch(); batch !== undefined; batch = reader.nextBatch()) {
    for (let row = 0; row < batch.count; row++) {
      const words = batch.words.subarray(batch.wordsOffset[row], batch.wordsOffset[row + 1]);
      const tsc = `${batch.hasTsc[row]} ${batch.tscHigh[row]}:${batch.tscLow[row]}`;
      lines.push(
        `${batch.event[row]} ${batch.layout[row]} ${batch.pcpu[row]} ${tsc} ${batch.tNs[row]} ${words}`,
      );
    }
  }
  expect(reader.nextBatch()).toBeUndefined();
  const { name, bytes, clock, pcpus } = reader;
  const result = { lines, name, bytes, clock, pcpus, counts: reader.counts(), found: reader.diagnostics() };
  reader.close();
  return result;
}

describe('openTraceAhead()', () => {
  test('gives the same records, counts and diagnostics', async () => {
    const ahead = contents(await built.openTraceAhead(sample));
    expect(ahead).toEqual(contents(await built.openTrace(sample)));
    expect(ahead.lines.length).toBeGreaterThan(5_000);
  });

  test('of a damaged trace too, which is longer than all batches together', async () => {
    const bytes = readFileSync(sample);
    const copies = Math.ceil(300_000 / contents(await built.openTrace(sample)).lines.length);
    const path = scratch.path('damaged.trace');
    writeFileSync(path, Buffer.concat([...Array(copies).fill(bytes), bytes.subarray(0, 50_001)]));
    const ahead = contents(await built.openTraceAhead(path, { cpuHz: 1e9, order: 'file' }));
    expect(ahead).toEqual(contents(await built.openTrace(path, { cpuHz: 1e9, order: 'file' })));
    expect(ahead.found.length).toBeGreaterThan(0);
  });

  test('copies into a batch of the caller', async () => {
    const [ahead, direct] = [await built.openTraceAhead(sample), await built.openTrace(sample)];
    const [ours, theirs] = [built.createRecordBatch(), built.createRecordBatch()];
    while (direct.readBatch(theirs)) {
      expect(ahead.readBatch(ours)).toBe(true);
      expect(ours.count).toBe(theirs.count);
      expect(ours.tNs).toEqual(theirs.tNs);
      expect(ours.words.subarray(0, ours.wordsOffset[ours.count])).toEqual(
        theirs.words.subarray(0, theirs.wordsOffset[theirs.count]),
      );
    }
    expect(ahead.readBatch(ours)).toBe(false);
    for (const reader of [ahead, direct]) reader.close();
  });

  test('can be read again', async () => {
    const ahead = await built.openTraceAhead(sample);
    const again = await ahead.reopen();
    expect(contents(again)).toEqual(contents(ahead));
  });

  test('tells a user what is wrong as openTrace does', async () => {
    for (const path of [scratch.path('none.trace'), join(root, 'package.json'), root]) {
      const said = await built.openTrace(path).catch((error: Error & { code: string }) => error);
      await expect(built.openTraceAhead(path)).rejects.toMatchObject({
        name: 'UserError',
        code: (said as { code: string }).code,
        message: (said as Error).message,
      });
    }
  });
});
