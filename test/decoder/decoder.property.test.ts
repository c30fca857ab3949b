import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listReferenceRecords, parseReference, type ReferenceRecord } from '../../src/format/reference.ts';
import { TraceBuilder } from '../support/trace-builder.ts';
import { accountedBytes, type Decoded, type Row, readAll } from './read-all.ts';

/** What the reference says a row must be; without the layout, which the grammar does not know. */
type Expected = Omit<Row, 'layout' | 'tNs'> & { readonly key: bigint };

/**
 * The order by the rules, done slowly: the TSC, or that of the record before on the same pCPU; then the pCPU;
 * then the place in the file. A TSC that goes back counts as the one before it.
 */
function expectedRows(trace: Uint8Array): { rows: Expected[]; start: bigint } {
  const records = listReferenceRecords(parseReference(trace));
  const isTimed = ({ event, tsc }: ReferenceRecord) => tsc !== undefined && event !== 0x1f002;
  const first = records.filter(isTimed).map(({ tsc }) => tsc as bigint);
  const [start = 0n] = first.sort((a, b) => Number(a - b));
  const last = new Map<number, bigint>();
  const rows = records.map((record): Expected => {
    const tsc = isTimed(record) ? (record.tsc as bigint) : undefined;
    const key = tsc ?? last.get(record.pcpu) ?? start;
    last.set(record.pcpu, key);
    return { pcpu: record.pcpu, event: record.event, tsc, words: record.words, key };
  });
  return { rows, start };
}

function inTimeOrder(rows: readonly Expected[]): Expected[] {
  return rows
    .map((row, place) => ({ row, place }))
    .sort((a, b) => Number(a.row.key - b.row.key) || a.row.pcpu - b.row.pcpu || a.place - b.place)
    .map(({ row }) => row);
}

function check(decoded: Decoded, expected: readonly Expected[], start: bigint, trace: Uint8Array): void {
  const expectedRows = expected.map(({ key, ...row }) => ({ ...row, tNs: Number(key - start) }));
  expect(decoded.rows.map(({ layout: _, ...row }) => row)).toEqual(expectedRows);
  expect(decoded.counts.records).toBe(expected.length);
  expect(decoded.counts.skippedBytes).toBe(0);
  expect(accountedBytes(decoded)).toBe(trace.length);
}

interface RandomRecord {
  readonly timed: boolean;
  readonly event: number;
  readonly step: number;
  readonly words: readonly number[];
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
/**
 * Any event with a class, but not the window header's, and not those that say something about the frequency.
 */
const event = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0x21101, 0x28006, 0x28004, 0x1f001, 0x1f002, 0x82001) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0x30000, max: 0x0fff_ffff }).filter((id) => (id & 0xfff0000) !== 0),
  },
);
const record: fc.Arbitrary<RandomRecord> = fc.record({
  timed: fc.boolean(),
  event,
  step: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(100_000), fc.constant(5_000_000_000)),
  words: fc.array(word, { maxLength: 7 }),
});
const windows = fc.array(
  fc.record({ pcpu: fc.oneof(fc.nat(3), fc.nat(4095)), records: fc.array(record, { maxLength: 30 }) }),
  { minLength: 1, maxLength: 30 },
);

/** TSCs of one pCPU never fall; those of different pCPUs overlap as they like. They start beyond 2^53. */
function buildTrace(list: readonly { pcpu: number; records: readonly RandomRecord[] }[]): Uint8Array {
  const builder = new TraceBuilder();
  const tscs = new Map<number, bigint>();
  for (const { pcpu, records } of list) {
    builder.window(pcpu);
    for (const { timed, event: id, step, words } of records) {
      if (!timed) {
        builder.untimed(id, words);
        continue;
      }
      const tsc = (tscs.get(pcpu) ?? 0x40_0000_0000_0000n) + BigInt(step);
      if (id !== 0x1f002) tscs.set(pcpu, tsc);
      builder.record(id, tsc, words);
    }
  }
  return builder.bytes();
}

async function* pieces(trace: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < trace.length; i++) {
    const length = lengths.length > 0 ? lengths[i % lengths.length] : trace.length;
    yield trace.subarray(at, at + length);
    at += length;
  }
}

const pieceLengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5000 })), {
  maxLength: 8,
});
const blockWords = fc.constantFrom(undefined, 32, 64, 256);
const OPTIONS = { catalog: undefined, cpuHz: 1e9 };

describe('the fast decoder gives what the binary-parser grammar gives', () => {
  test('on whole traces in memory, in time order, whatever is loaded ahead', async () => {
    await fc.assert(
      fc.asyncProperty(windows, blockWords, fc.integer({ min: 1, max: 300 }), async (list, block, batch) => {
        const trace = buildTrace(list);
        const { rows, start } = expectedRows(trace);
        const decoded = await readAll(trace, { ...OPTIONS, blockWords: block }, batch);
        check(decoded, inTimeOrder(rows), start, trace);
      }),
      { numRuns: 300 },
    );
  });

  test('on whole traces, in file order', async () => {
    await fc.assert(
      fc.asyncProperty(windows, blockWords, async (list, block) => {
        const trace = buildTrace(list);
        const { rows, start } = expectedRows(trace);
        check(await readAll(trace, { ...OPTIONS, order: 'file', blockWords: block }), rows, start, trace);
      }),
      { numRuns: 150 },
    );
  });

  test('on streams that deliver pieces of any size, plain and gzip', async () => {
    await fc.assert(
      fc.asyncProperty(windows, pieceLengths, fc.boolean(), async (list, lengths, gzip) => {
        const trace = buildTrace(list);
        const { rows, start } = expectedRows(trace);
        const stream = pieces(gzip ? gzipSync(trace) : trace, lengths);
        check(await readAll(stream, OPTIONS), inTimeOrder(rows), start, trace);
      }),
      { numRuns: 150 },
    );
  });
});
