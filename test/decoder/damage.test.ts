import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TraceBuilder } from '../support/trace-builder.ts';
import { accountedBytes, codesOf, type Decoded, readAll } from './read-all.ts';

const GHZ = { cpuHz: 1e9 };
const RECORD_BYTES = 16;

/** `count` records of 16 bytes each, numbered from `from` in their TSC and their word. */
function fill(builder: TraceBuilder, from: number, count: number): TraceBuilder {
  for (let i = from; i < from + count; i++) builder.record(0x21021, 1000 + i, [i]);
  return builder;
}

const numbersOf = ({ rows }: Decoded) => rows.map(({ words }) => words[0]);
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

async function decode(bytes: Uint8Array): Promise<Decoded> {
  const decoded = await readAll(bytes, GHZ);
  expect(accountedBytes(decoded)).toBe(bytes.length);
  return decoded;
}

describe('a trace that ends too early', () => {
  test('within a window, between two records: all records that are there, and how much is missing', async () => {
    const bytes = fill(new TraceBuilder().window(2), 0, 10).bytes(3 * RECORD_BYTES);
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual(range(0, 7));
    expect(codesOf(decoded)).toEqual(['truncated_window']);
    expect(decoded.diagnostics[0].message).toContain('48 of its 160 bytes are missing');
    expect(decoded.diagnostics[0].pcpu).toBe(2);
  });

  test.each([1, 2, 3, 4, 7, 8, 12, 15])('within a record, %d bytes before its end', async (missing) => {
    const decoded = await decode(fill(new TraceBuilder().window(0), 0, 10).bytes(missing));
    expect(numbersOf(decoded)).toEqual(range(0, 9));
    expect(codesOf(decoded)).toEqual(['truncated_record', 'truncated_window']);
    expect(decoded.counts.skippedBytes).toBe(RECORD_BYTES - missing);
  });

  test.each([1, 3, 4, 8, 11])('within a window header, after %d of its bytes', async (present) => {
    const bytes = fill(new TraceBuilder().window(0), 0, 5)
      .window(1)
      .bytes(12 - present);
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual(range(0, 5));
    expect(codesOf(decoded)).toEqual(['truncated_header']);
    expect(decoded.counts.skippedBytes).toBe(present);
  });

  test.each([1, 4, 11])(
    'within its very first header: a trace without records (%d bytes)',
    async (present) => {
      const decoded = await decode(new TraceBuilder().window(0).bytes(12 - present));
      expect([decoded.rows, codesOf(decoded)]).toEqual([[], ['truncated_header']]);
    },
  );

  test('right behind a header: an empty window', async () => {
    const bytes = fill(fill(new TraceBuilder().window(0), 0, 2).window(1), 2, 2).bytes(2 * RECORD_BYTES);
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual(range(0, 2));
    expect(codesOf(decoded)).toEqual(['truncated_window']);
  });
});

describe('an empty file', () => {
  test('is a trace without records, and says so', async () => {
    const decoded = await decode(new Uint8Array(0));
    expect([decoded.rows, codesOf(decoded)]).toEqual([[], ['empty_trace']]);
  });
});

describe('a window whose length lies', () => {
  test.each([0, 16, 20, 64, 1000, 1 << 20, 0xffff_fffc])(
    'says %d bytes: ends at the next header',
    async (lie) => {
      const builder = fill(new TraceBuilder().window(0), 0, 3).window(1, { bytes: lie });
      const decoded = await decode(fill(fill(builder, 3, 5).window(2), 8, 3).bytes());
      expect(numbersOf(decoded)).toEqual(range(0, 11));
      expect(codesOf(decoded)).toEqual(['wrong_window_length']);
      expect(decoded.diagnostics[0].message).toContain('80 bytes of records follow');
    },
  );

  test('and is the last one, too short: reads on to the end', async () => {
    const decoded = await decode(fill(new TraceBuilder().window(0, { bytes: 32 }), 0, 5).bytes());
    expect(numbersOf(decoded)).toEqual(range(0, 5));
    expect(codesOf(decoded)).toEqual(['wrong_window_length']);
  });

  test('by swallowing the next window: the inner window goes to its own pCPU', async () => {
    const builder = new TraceBuilder().window(0, { bytes: 3 * RECORD_BYTES + 12 + 2 * RECORD_BYTES });
    const decoded = await decode(fill(fill(fill(builder, 0, 3).window(1), 3, 2).window(1), 5, 2).bytes());
    expect(decoded.rows.map(({ pcpu, words }) => [pcpu, words[0]])).toEqual([
      ...range(0, 3).map((n) => [0, n]),
      ...range(3, 4).map((n) => [1, n]),
    ]);
    expect(codesOf(decoded)).toEqual(['window_inside_window']);
    expect(decoded.counts.windows).toBe(3);
  });

  test('and does not end on a record: the rest is no record', async () => {
    const builder = new TraceBuilder().window(0);
    fill(builder, 0, 2).rawWords([0xb002800e, 1, 0]);
    const decoded = await decode(fill(builder.window(1), 2, 2).bytes());
    expect(numbersOf(decoded)).toEqual(range(0, 4));
    expect(codesOf(decoded)).toEqual(['record_past_window']);
    expect(decoded.counts.skippedBytes).toBe(12);
  });
});

describe('bytes that make no sense', () => {
  const windows = () => fill(fill(new TraceBuilder().window(0), 0, 3).window(1), 3, 3);

  test.each([1, 2, 3, 4, 5, 100, 9999])('before the first window are skipped, %d of them', async (count) => {
    const bytes = fill(new TraceBuilder().garbage(new Uint8Array(count).fill(0xee)).window(0), 0, 4).bytes();
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual(range(0, 4));
    expect(codesOf(decoded)).toEqual(['skipped_bytes']);
    expect([decoded.diagnostics[0].offset, decoded.counts.skippedBytes]).toEqual([0, count]);
  });

  test.each([1, 2, 3, 4, 5, 12, 100, 9999])('between windows are skipped, %d of them', async (count) => {
    const builder = windows();
    const offset = builder.length;
    const bytes = fill(builder.garbage(new Uint8Array(count).fill(0x5a)).window(2), 6, 4).bytes();
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual(range(0, 10));
    const row = decoded.diagnostics.find(({ code }) => code === 'skipped_bytes')!;
    expect([row.offset, row.bytes, decoded.counts.skippedBytes]).toEqual([offset, count, count]);
  });

  test('behind the last window are skipped', async () => {
    const decoded = await decode(windows().garbage(new Uint8Array(77).fill(9)).bytes());
    expect(numbersOf(decoded)).toEqual(range(0, 6));
    expect(decoded.counts.skippedBytes).toBe(77);
  });

  test('in a header: its records are read all the same, when its pCPU and length make sense', async () => {
    const bytes = fill(windows().window(2), 6, 2).bytes();
    bytes[12 + 3 * RECORD_BYTES + 1] ^= 0x40;
    const decoded = await decode(bytes);
    expect(decoded.rows.map(({ pcpu }) => pcpu)).toEqual([0, 0, 0, 1, 1, 1, 2, 2]);
    expect(codesOf(decoded)).toEqual(['damaged_header']);
  });

  test('as the pCPU of a header: that window is skipped, the others are read', async () => {
    const bytes = fill(windows().window(2), 6, 2).bytes();
    new DataView(bytes.buffer).setUint32(12 + 3 * RECORD_BYTES + 4, 0x1234_5678, true);
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual([0, 1, 2, 6, 7]);
    expect(decoded.counts.skippedBytes).toBe(12 + 3 * RECORD_BYTES);
  });

  test('zeros within a window are skipped, and reading goes on behind them', async () => {
    const bytes = fill(new TraceBuilder().window(0), 0, 100).bytes();
    bytes.fill(0, 12 + 10 * RECORD_BYTES, 12 + 20 * RECORD_BYTES + 5);
    const decoded = await decode(bytes);
    expect(numbersOf(decoded)).toEqual([...range(0, 10), ...range(21, 79)]);
    expect(codesOf(decoded)).toEqual(['damaged_records']);
    const [row] = decoded.diagnostics;
    expect([row.offset, row.bytes]).toEqual([12 + 10 * RECORD_BYTES, 11 * RECORD_BYTES]);
  });

  test.each([1, 2, 3, 4, 6, 8, 11])(
    '%d bytes cut out of a record: the next window is found',
    async (length) => {
      const whole = fill(windows().window(2), 6, 4).bytes();
      const cut = 12 + 2 * RECORD_BYTES + 5;
      const bytes = Uint8Array.from([...whole.slice(0, cut), ...whole.slice(cut + length)]);
      const decoded = await decode(bytes);
      expect(numbersOf(decoded)).toEqual([0, 1, ...range(3, 7)]);
    },
  );
});

describe('bytes written over, which look like records that agree with each other', () => {
  const sample = new Uint8Array(
    readFileSync(join(import.meta.dirname, '../../samples/traces/credit-caps.trace')),
  );
  const spanOf = ({ rows }: Decoded) => rows.at(-1)!.tNs;

  test.each([
    [288, 0xff],
    [1000, 0xff],
    [1000, 0xaa],
    [4000, 0x80],
    [4105, 0x7d],
    [36, 0xd9],
  ])('%d bytes of %d: the time goes on as it does without', async (length, byte) => {
    const whole = await readAll(sample);
    for (const offset of [40_000, 46_265, 148_134]) {
      const damaged = await readAll(sample.slice().fill(byte, offset, offset + length));
      expect(accountedBytes(damaged)).toBe(sample.length);
      expect(Math.abs(spanOf(damaged) / spanOf(whole) - 1)).toBeLessThan(0.05);
      const { diagnostics } = damaged;
      const back = diagnostics.filter(({ code }) => code === 'tsc_backwards');
      expect(back.reduce((sum, { count }) => sum + count, 0)).toBeLessThan(100);
    }
  });
});

describe('records that are sound and still say that something is missing', () => {
  test('lost-records records are rows, and diagnostics with count, pCPU and time', async () => {
    const trace = new TraceBuilder()
      .window(3)
      .record(0x21021, 1000, [1])
      .lost(5000, { count: 42, dom: 1, vcpu: 0, firstTsc: 1500 })
      .lost(6000, { count: 8, firstTsc: 5500 })
      .bytes();
    const decoded = await decode(trace);
    expect(decoded.rows).toHaveLength(3);
    expect(decoded.counts.lostRecords).toBe(50);
    expect(decoded.diagnostics.map(({ code, pcpu, count, tNs }) => [code, pcpu, count, tNs])).toEqual([
      ['lost_records', 3, 42, 4000],
      ['lost_records', 3, 8, 5000],
    ]);
    expect(decoded.diagnostics[0].message).toContain('between 500 ns and 4000 ns');
  });

  test('unknown (event, words) are rows with layout 0, counted by kind', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .record(0x2f777, 1, [1, 2])
      .record(0x2f777, 2, [1, 2])
      .record(0x2f777, 3, [1])
      .record(0x21021, 4, [1])
      .bytes();
    const decoded = await decode(trace);
    expect(decoded.rows.map(({ layout }) => layout > 0)).toEqual([false, false, false, true]);
    expect(decoded.counts.unknown).toEqual(
      new Map([
        ['0x0002f777/2', 2],
        ['0x0002f777/1', 1],
      ]),
    );
    const rows = decoded.diagnostics.filter(({ code }) => code === 'unknown_layout');
    expect(rows.map(({ count }) => count)).toEqual([2, 1]);
    expect(rows[0].advice).toContain('--formats');
  });

  test('thousands of them are folded: no count is lost, and memory stays bounded', async () => {
    const builder = new TraceBuilder().window(0);
    for (let i = 0; i < 5000; i++) builder.lost(1000 + i, { count: 2, firstTsc: 1000 + i });
    const { diagnostics } = await decode(builder.bytes());
    expect(diagnostics.length).toBeLessThan(1000);
    expect(diagnostics.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
  });
});
