import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TraceBuilder } from '../support/trace-builder.ts';
import { codesOf, readAll } from './read-all.ts';

const GHZ = { cpuHz: 1e9 };

describe('time order across pCPUs', () => {
  test('merges overlapping windows by TSC', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .record(0x28006, 100)
      .record(0x28006, 400)
      .window(1)
      .record(0x28004, 200)
      .record(0x28004, 300)
      .window(0)
      .record(0x28006, 500)
      .window(1)
      .record(0x28004, 450)
      .bytes();
    const { rows } = await readAll(trace, GHZ);
    expect(rows.map(({ tsc, pcpu }) => [Number(tsc), pcpu])).toEqual([
      [100, 0],
      [200, 1],
      [300, 1],
      [400, 0],
      [450, 1],
      [500, 0],
    ]);
  });

  test('equal TSCs come by pCPU number, and within a pCPU as in the file', async () => {
    const trace = new TraceBuilder()
      .window(7)
      .record(0x28006, 50, [1])
      .record(0x28006, 50, [2])
      .window(2)
      .record(0x28006, 50, [3])
      .record(0x28006, 50, [4])
      .bytes();
    const { rows } = await readAll(trace, GHZ);
    expect(rows.map(({ words }) => words[0])).toEqual([3, 4, 1, 2]);
  });

  test('a record without a TSC stays behind the one before it on its pCPU', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .untimed(0x82001, [1])
      .record(0x28006, 1000, [2])
      .untimed(0x82001, [3])
      .record(0x28006, 1002, [4])
      .window(1)
      .record(0x28006, 1001, [5])
      .bytes();
    const { rows } = await readAll(trace, GHZ);
    expect(rows.map(({ words, tNs, tsc }) => [words[0], tNs, tsc])).toEqual([
      [1, 0, undefined],
      [2, 0, 1000n],
      [3, 0, undefined],
      [5, 1, 1001n],
      [4, 2, 1002n],
    ]);
  });

  test('never takes a time from a wrap record, not even from one with the cycles flag', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .record(0x28006, 1000)
      .record(0x1f002, 999_999, [7, 7])
      .record(0x28006, 1010)
      .bytes();
    const decoded = await readAll(trace, GHZ);
    expect(decoded.rows.map(({ tNs, tsc }) => [tNs, tsc])).toEqual([
      [0, 1000n],
      [0, undefined],
      [10, 1010n],
    ]);
    expect(codesOf(decoded)).toEqual([]);
  });

  test('a stretch of equal TSCs longer than what is loaded ahead comes out whole', async () => {
    const builder = new TraceBuilder();
    for (const pcpu of [1, 0]) {
      builder.window(pcpu);
      for (let i = 0; i < 500; i++) builder.record(0x28006, 77, [i]);
    }
    const { rows } = await readAll(builder.bytes(), { ...GHZ, blockWords: 32 });
    const expected = [0, 1].flatMap((pcpu) => Array.from({ length: 500 }, (_, i) => [pcpu, i]));
    expect(rows.map(({ pcpu, words }) => [pcpu, words[0]])).toEqual(expected);
  });

  test('orders a gap of more than 2^32 ticks and keys beyond 2^53', async () => {
    const start = 2n ** 63n;
    const trace = new TraceBuilder()
      .window(0)
      .record(0x28006, start)
      .record(0x28006, start + 2n ** 40n)
      .window(1)
      .record(0x28006, start + 2n ** 40n - 1n)
      .record(0x28006, start + 2n ** 40n + 1n)
      .bytes();
    const { rows, clock } = await readAll(trace, GHZ);
    expect(clock.tscStart).toBe(start);
    expect(rows.map(({ tNs }) => tNs)).toEqual([0, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 1]);
    expect(rows.map(({ tsc }) => tsc)).toEqual([
      start,
      start + 2n ** 40n - 1n,
      start + 2n ** 40n,
      start + 2n ** 40n + 1n,
    ]);
  });

  test('250 pCPUs with thousands of records each come out as a plain sort has them', async () => {
    const builder = new TraceBuilder();
    const tscs = new Float64Array(250).fill(1e9);
    const expected: [number, number, number][] = [];
    let state = 12_345;
    for (let sweep = 0; sweep < 10; sweep++) {
      for (let pcpu = 0; pcpu < 250; pcpu++) {
        builder.window(pcpu);
        for (let i = 0; i < 40; i++) {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          tscs[pcpu] += state >>> 18;
          builder.record(0x28006, tscs[pcpu], [expected.length]);
          expected.push([tscs[pcpu], pcpu, expected.length]);
        }
      }
    }
    expected.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    const { rows } = await readAll(builder.bytes(), GHZ);
    expect(rows.map(({ tsc, pcpu, words }) => [Number(tsc), pcpu, words[0]])).toEqual(expected);
  });
});

describe('a TSC that is wrong', () => {
  test('one that goes back keeps its place in the file and is told once per pCPU', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .record(0x28006, 1000, [1])
      .record(0x28006, 900, [2])
      .record(0x28006, 950, [3])
      .record(0x28006, 1100, [4])
      .window(1)
      .record(0x28006, 1000, [5])
      .bytes();
    const decoded = await readAll(trace, GHZ);
    expect(decoded.rows.map(({ words, tNs, tsc }) => [words[0], tNs, tsc])).toEqual([
      [1, 0, 1000n],
      [2, 0, 900n],
      [3, 0, 950n],
      [5, 0, 1000n],
      [4, 100, 1100n],
    ]);
    expect(decoded.counts.lateRecords).toBe(2);
    const row = decoded.diagnostics.find(({ code }) => code === 'tsc_backwards')!;
    expect([row.code, row.pcpu, row.count, row.offset]).toEqual(['tsc_backwards', 0, 2, 12 + 16]);
    expect(row.message).toContain('by up to 100 ns');
  });

  test('one far ahead of those that follow does not hold up its pCPU', async () => {
    const builder = new TraceBuilder().window(0);
    for (let i = 0; i < 20; i++) builder.record(0x28006, i === 5 ? 2n ** 60n : 1000 + i, [i]);
    builder.window(1).record(0x28006, 1010, [99]);
    const decoded = await readAll(builder.bytes(), GHZ);
    expect(decoded.rows.map(({ words }) => words[0])).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99],
      ...[11, 12, 13, 14, 15, 16, 17, 18, 19],
    ]);
    expect(decoded.rows[5].tNs).toBe(4);
    expect(codesOf(decoded)).toEqual(['tsc_jump']);
  });

  test('nor does the last one of a window, behind which nothing is loaded yet that contradicts it', async () => {
    const builder = new TraceBuilder()
      .window(0)
      .record(0x28006, 1000, [0])
      .record(0x28006, 2n ** 43n, [1]);
    builder.untimed(0x82001, [2]).window(1).record(0x28006, 1001, [3]).window(0);
    for (let i = 2; i < 20; i++) builder.record(0x28006, 1000 + i, [i + 2]);
    const decoded = await readAll(builder.bytes(), { ...GHZ, blockWords: 32 });
    expect(decoded.rows.map(({ words, tNs }) => [words[0], tNs])).toEqual([
      [0, 0],
      [3, 1],
      [1, 2],
      [2, 2],
      ...Array.from({ length: 18 }, (_, i) => [i + 4, i + 2]),
    ]);
    expect(codesOf(decoded)).toEqual(['tsc_jump']);
  });

  test('one by days with nothing behind it in its window is believed once the next goes on from there', async () => {
    const builder = new TraceBuilder();
    const later = 2n ** 52n;
    for (const tsc of [1000, 1010, later, later + 10n, later + 20n])
      builder.window(0).record(0x28006, tsc, [1, 0]);
    const decoded = await readAll(builder.bytes(), { ...GHZ, blockWords: 32 });
    expect(decoded.rows.map(({ tNs }) => tNs)).toEqual([
      0,
      10,
      10,
      ...[10, 20].map((n) => 2 ** 52 - 1000 + n),
    ]);
    expect(codesOf(decoded)).toEqual(['tsc_jump']);
  });

  test.each([
    ['known', [1, 0]],
    ['unknown', [1, 0, 0, 0, 0]],
  ])(
    'a new boot, or a host that slept for days: %s records that go on from there are followed',
    async (_, words) => {
      const builder = new TraceBuilder();
      const tscs: bigint[] = [];
      for (const start of [2n ** 30n, 2n ** 58n, 2n ** 62n]) {
        builder.window(0);
        for (let i = 0n; i < 20n; i++) {
          tscs.push(start + i * 2n ** 25n);
          builder.record(0x28006, tscs.at(-1)!, words);
        }
      }
      const decoded = await readAll(builder.bytes(), GHZ);
      expect(decoded.rows.map(({ tNs }) => tNs)).toEqual(tscs.map((tsc) => Number(tsc - tscs[0])));
      expect(codesOf(decoded)).toEqual([]);
    },
  );

  test('records of a kind that only the user knows are followed as far as those of Xen', async () => {
    const builder = new TraceBuilder();
    builder
      .window(0)
      .record(0x28006, 1000, [1, 0])
      .window(0)
      .record(0x22101, 2n ** 49n, [1, 7]);
    const tNsOf = async (formats: string[]) =>
      (await readAll(builder.bytes(), { ...GHZ, formats })).rows.at(-1)?.tNs;
    expect(await tNsOf([])).toBe(0);
    expect(await tNsOf([join(import.meta.dirname, '../../samples/formats/patched-credit.yaml')])).toBe(
      2 ** 49 - 1000,
    );
  });

  test('a trace that starts over with lower TSCs keeps its order, and its times stand still', async () => {
    const builder = new TraceBuilder().window(0);
    for (let i = 0; i < 300; i++) builder.record(0x28006, 2 ** 40 + i, [i]);
    builder.window(0);
    for (let i = 300; i < 600; i++) builder.record(0x28006, i, [i]);
    const decoded = await readAll(builder.bytes(), { ...GHZ, blockWords: 64 });
    expect(decoded.rows.map(({ words }) => words[0])).toEqual(Array.from({ length: 600 }, (_, i) => i));
    expect(decoded.rows.at(-1)?.tNs).toBe(299);
    expect(codesOf(decoded)).toEqual(['tsc_backwards']);
  });

  test.each([2n ** 62n, 0n])(
    'a damaged first one (%d) does not become the start of the trace',
    async (tsc) => {
      const builder = new TraceBuilder().window(0).record(0x28006, tsc);
      for (let i = 0; i < 9; i++) builder.record(0x28006, 2n ** 50n + BigInt(i));
      const decoded = await readAll(builder.bytes(), GHZ);
      expect(decoded.clock.tscStart).toBe(2n ** 50n);
      expect(decoded.rows.map(({ tNs }) => tNs)).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
      expect(codesOf(decoded)).toEqual([tsc === 0n ? 'tsc_backwards' : 'tsc_jump']);
    },
  );
});

describe('nanoseconds', () => {
  test.each([1e9, 2.4e9, 2_499_998_123, 999_999_999, 3_333_333_333])(
    'at %d Hz each time is the nearest whole one, months into the trace too',
    async (cpuHz) => {
      const offsets = [0n, 1n, 2n, 5n, 12_345n, 2n ** 32n, 2n ** 45n + 3n, 2n ** 52n + 7n, 2n ** 52n + 8n];
      const builder = new TraceBuilder().window(0);
      for (const offset of offsets) builder.record(0x28006, 10n ** 15n + offset, [1, 0]);
      const { rows } = await readAll(builder.bytes(), { cpuHz });
      for (const [i, offset] of offsets.entries()) {
        const exact = (offset * 10n ** 9n * 1000n) / BigInt(cpuHz);
        expect(Math.abs(Number(exact - BigInt(rows[i].tNs) * 1000n))).toBeLessThanOrEqual(500);
      }
    },
  );

  test('are ticks where the frequency is not known, and a diagnostic says so', async () => {
    const trace = new TraceBuilder().window(0).record(0x21021, 10, [1]).record(0x21021, 34, [1]).bytes();
    const { rows, clock, diagnostics } = await readAll(trace);
    expect(rows.map(({ tNs }) => tNs)).toEqual([0, 24]);
    expect([clock.cpuHz, clock.source]).toEqual([undefined, 'unknown']);
    expect(diagnostics.map(({ code }) => code)).toEqual(['unknown_cpu_hz']);
    expect(diagnostics[0].advice).toContain('--cpu-hz');
  });
});
