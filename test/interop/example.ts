import { join } from 'node:path';
import { FileSink } from '../../src/tables/byte-sink.ts';
import {
  type ResultTableLike,
  resultTableToArrow,
  streamTable,
  writeTables,
} from '../../src/tables/index.ts';
import { type FakeRecord, fakeSource, packed } from '../tables/fake-source.ts';

/** Neither a float64 nor a signed 64-bit integer holds this TSC. */
export const TSC = 2n ** 63n + 2n ** 53n + 1n;
/** Nanoseconds beyond 2^53, even so that the decoder's float64 holds it: a neighbour of it would be rounded. */
export const LATE_NS = 2n ** 53n + 2n;
export const BATCH_ROWS = 2_000;
export const ROWS = 2 * BATCH_ROWS + 100;

/** Records of two kinds and, last, a late one; every 1000th has no time. */
export function exampleRecords(): FakeRecord[] {
  const records = Array.from({ length: ROWS }, (_, index): FakeRecord => {
    const tsc = TSC + BigInt(index) * 3n;
    if (index % 1000 === 999) return { pcpu: 1, event: 0x1f002, words: [index] };
    if (index % 2) return { pcpu: 2, event: 0xabcdef0, words: [], tsc };
    return { pcpu: 300, event: 0x21101, words: [packed(index % 7, 1)], tsc };
  });
  records[ROWS - 1] = { pcpu: 2, event: 0x28006, words: [9, 4], tsc: TSC + LATE_NS };
  return records;
}

/** Writes the example's tables as a user gets them; returns the paths by name. */
export function writeExample(folder: string): Record<string, string> {
  writeTables(fakeSource(exampleRecords(), { batchRows: BATCH_ROWS }), folder);
  const stream = new FileSink(join(folder, 'records.arrows'));
  streamTable(fakeSource(exampleRecords(), { batchRows: BATCH_ROWS }), 'records', stream);
  writeTables(fakeSource([]), join(folder, 'none'), { tables: ['records'] });
  const result = new FileSink(join(folder, 'result.arrow'));
  result.write([resultTableToArrow(RESULT, { format: 'file' })]);
  result.commit();
  const names = ['records', 'sched_core', 'general', 'waits', 'meta', 'result'];
  const paths = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.arrow`)]));
  return { ...paths, stream: join(folder, 'records.arrows'), none: join(folder, 'none', 'records.arrow') };
}

/** A result of an analysis. */
export const RESULT: ResultTableLike = {
  name: 'wait_latency',
  doc: 'Waits.',
  columns: [
    { name: 'vcpu', type: 'string', doc: 'Which.' },
    { name: 'wait_ns_max', type: 'int', unit: 'ns', doc: 'The longest.' },
    { name: 'share', type: 'float', doc: 'How much.' },
  ],
  rows: [
    ['d1v0', 9007199254740991, 0.1],
    ['d2v0', null, null],
    ['d1v0', -5, 1e300],
    [null, 0, 0],
  ],
};
