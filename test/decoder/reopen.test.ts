/** Reading a trace again: the same records, and nothing counted twice. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  createRecordBatch,
  openTrace,
  type RecordBatch,
  recordsAround,
  type TraceReader,
} from '../../src/decoder/index.ts';
import { TraceBuilder } from '../support/trace-builder.ts';

const GHZ = { cpuHz: 1e9 };

/** Two pCPUs, lost records, an unknown event, bytes that make no sense, and an end within a record. */
function damagedTrace(): Uint8Array {
  const builder = new TraceBuilder();
  for (let window = 0; window < 40; window++) {
    builder.window(window % 2);
    for (let i = 0; i < 50; i++) builder.record(0x28006, 10_000 + window * 1000 + i, [1, i]);
    if (window === 5) builder.rawWords([7, 7, 7]);
    if (window === 9) builder.lost(20_000, { count: 4, firstTsc: 19_500 });
    if (window === 20) builder.record(0x2f123, 30_900, [1, 2, 3]).garbage([1, 2, 3, 4, 5]);
  }
  return builder.bytes(6);
}

function readOn(reader: TraceReader, batches = Number.POSITIVE_INFINITY): number[] {
  const batch = createRecordBatch(64);
  const read: number[] = [];
  for (let count = 0; count < batches && reader.readBatch(batch); count++) {
    for (let row = 0; row < batch.count; row++) read.push(batch.tNs[row], batch.event[row], batch.pcpu[row]);
  }
  return read;
}

const summary = (reader: TraceReader) =>
  structuredClone({ counts: reader.counts(), diagnostics: reader.diagnostics() });

describe('reopen()', () => {
  const trace = damagedTrace();

  test.each([
    ['bytes', () => trace],
    ['a stream', () => Readable.from([trace.subarray(0, 100), trace.subarray(100)])],
    ['gzip', () => gzipSync(trace)],
    ['a stream that fills memory', () => Readable.from([trace]), 1],
  ] as const)(
    'reads %s again, with counts and diagnostics of its own',
    async (_, input, spoolMemoryBytes?: 1) => {
      const reader = await openTrace(input(), { ...GHZ, spoolMemoryBytes });
      const opening = summary(reader);
      const records = readOn(reader);
      const all = summary(reader);
      expect(all.diagnostics.length).toBeGreaterThan(3);
      expect(all.counts.records).toBeGreaterThan(1900);
      for (const again of [await reader.reopen(), await reader.reopen()]) {
        expect(summary(again)).toEqual(opening);
        expect(readOn(again)).toEqual(records);
        expect(summary(again)).toEqual(all);
        again.close();
      }
      expect(summary(reader)).toEqual(all);
      reader.close();
    },
  );

  test('lets both read in turn, and one end before the other', async () => {
    const reader = await openTrace(trace, GHZ);
    const start = readOn(reader, 3);
    const again = await reader.reopen();
    const records = readOn(again, 7);
    const rest = readOn(reader);
    records.push(...readOn(again));
    expect([...start, ...rest]).toEqual(records);
    expect(summary(again)).toEqual(summary(reader));
    again.close();
    expect(readOn(await (await reader.reopen()).reopen())).toEqual(records);
    reader.close();
  });

  test('is over when the first reader is closed', async () => {
    const reader = await openTrace(trace, GHZ);
    const again = await reader.reopen();
    const third = await again.reopen();
    again.close();
    expect(readOn(third, 1).length).toBeGreaterThan(0);
    const closed = { name: 'UserError', code: 'reader-closed' };
    expect(() => readOn(again, 1)).toThrow(expect.objectContaining(closed));
    const counts = reader.counts();
    reader.close();
    reader.close();
    expect(() => readOn(reader, 1)).toThrow('readBatch() after close(): the reader of');
    expect(() => readOn(third, 1)).toThrow(expect.objectContaining(closed));
    await expect(reader.reopen()).rejects.toMatchObject(closed);
    expect(reader.counts()).toEqual(counts);
  });
});

describe('recordsAround()', () => {
  /** Records at 0, 10, 20, ... ns on pCPUs 0 and 1 in turn, numbered in their first word. */
  async function open(records: number): Promise<TraceReader> {
    const builder = new TraceBuilder();
    for (const pcpu of [0, 1]) {
      builder.window(pcpu);
      for (let i = pcpu; i < records; i += 2)
        builder.record(0x28006, 1000 + 10 * i, [i, 0].slice(0, 1 + (i % 3 ? 1 : 0)));
    }
    return openTrace(builder.bytes(), GHZ);
  }

  const numbers = (batch: RecordBatch) =>
    Array.from({ length: batch.count }, (_, row) => {
      expect(batch.tNs[row]).toBe(10 * batch.words[batch.wordsOffset[row]]);
      expect(batch.wordsOffset[row + 1] - batch.wordsOffset[row]).toBe(batch.tNs[row] % 30 ? 2 : 1);
      return batch.words[batch.wordsOffset[row]];
    });

  async function around(
    records: number,
    stretches: readonly (readonly [number, number])[],
    count: number,
    pcpu?: number,
  ) {
    const reader = await open(records);
    const takes = (batch: RecordBatch, row: number) => pcpu === undefined || batch.pcpu[row] === pcpu;
    const found = recordsAround(
      reader,
      stretches.map(([startNs, endNs]) => ({ startNs, endNs })),
      count,
      takes,
    );
    reader.close();
    return found.map(({ before, begun, ending, after }) => [before, begun, ending, after].map(numbers));
  }

  test('gives the last before and the first after, at both ends', async () => {
    expect(await around(1000, [[200, 300]], 3)).toEqual([
      [
        [18, 19, 20],
        [21, 22, 23],
        [27, 28, 29],
        [30, 31, 32],
      ],
    ]);
    expect(await around(1000, [[205, 295]], 2)).toEqual([
      [
        [19, 20],
        [21, 22],
        [28, 29],
        [30, 31],
      ],
    ]);
  });

  test('gives no record twice where a stretch is short', async () => {
    expect(await around(1000, [[200, 250]], 3)).toEqual([[[18, 19, 20], [21, 22, 23], [24], [25, 26, 27]]]);
    expect(await around(1000, [[200, 210]], 2)).toEqual([[[19, 20], [], [], [21, 22]]]);
    expect(await around(1000, [[200, 200]], 2)).toEqual([[[19, 20], [], [], [21, 22]]]);
  });

  test('has fewer at the borders of the trace', async () => {
    expect(await around(20, [[10, 180]], 3)).toEqual([
      [
        [0, 1],
        [2, 3, 4],
        [15, 16, 17],
        [18, 19],
      ],
    ]);
    expect(await around(20, [[10, 500]], 3)).toEqual([[[0, 1], [2, 3, 4], [17, 18, 19], []]]);
    expect(await around(20, [[500, 600]], 3)).toEqual([[[17, 18, 19], [], [], []]]);
    expect(await around(1, [[0, 0]], 3)).toEqual([[[0], [], [], []]]);
  });

  test('takes only what is wanted', async () => {
    expect(await around(1000, [[200, 400]], 2, 1)).toEqual([
      [
        [17, 19],
        [21, 23],
        [37, 39],
        [41, 43],
      ],
    ]);
  });

  test('finds them across batches, for several stretches in any order, and stops when it has all', async () => {
    const stretches = [
      [655_360, 1_400_000],
      [100, 655_355],
      [655_350, 655_370],
    ] as const;
    expect(await around(150_000, stretches, 2)).toEqual([
      [
        [65_535, 65_536],
        [65_537, 65_538],
        [139_998, 139_999],
        [140_000, 140_001],
      ],
      [
        [9, 10],
        [11, 12],
        [65_534, 65_535],
        [65_536, 65_537],
      ],
      [[65_534, 65_535], [65_536], [], [65_537, 65_538]],
    ]);
    const reader = await open(150_000);
    recordsAround(reader, [{ startNs: 100, endNs: 200 }], 2);
    expect(reader.counts().byLayout.reduce((sum, count) => sum + count, 0)).toBe(65_536);
    reader.close();
  });

  test('of none and for none is nothing', async () => {
    expect(await around(10, [], 3)).toEqual([]);
    expect(await around(10, [[10, 20]], 0)).toEqual([[[], [], [], []]]);
    expect(await around(0, [[10, 20]], 2).catch(() => 'no trace')).toEqual([[[], [], [], []]]);
  });
});
