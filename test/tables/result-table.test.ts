import { expect, test } from 'vitest';
import { type ResultTableLike, resultTableToArrow } from '../../src/tables/index.ts';
import { readRows, readTable } from './read-arrow.ts';

const table: ResultTableLike = {
  name: 'fairness',
  doc: 'Shares.',
  columns: [
    { name: 'vcpu', type: 'string', doc: 'Which.' },
    { name: 'run_ns', type: 'int', unit: 'ns', doc: 'How long.' },
    { name: 'share', type: 'float', doc: 'How much.' },
  ],
  rows: [
    ['d1v0', 2 ** 53 - 1, 0.25],
    ['d2v0', -1, null],
    [null, null, 1e-300],
    ['d1v0', 0, 0],
  ],
};

test('a result becomes Arrow: exact integers, floats, names, nulls, and what they mean', () => {
  for (const format of ['stream', 'file'] as const) {
    const bytes = resultTableToArrow(table, { format, metadata: new Map([['source', 'a.trace']]) });
    expect(readRows(bytes)).toEqual([
      { vcpu: 'd1v0', run_ns: 2n ** 53n - 1n, share: 0.25 },
      { vcpu: 'd2v0', run_ns: -1n, share: null },
      { vcpu: null, run_ns: null, share: 1e-300 },
      { vcpu: 'd1v0', run_ns: 0n, share: 0 },
    ]);
    const { metadata, fields } = readTable(bytes).schema;
    expect([metadata.get('table'), metadata.get('doc'), metadata.get('source')]).toEqual([
      'fairness',
      'Shares.',
      'a.trace',
    ]);
    expect(fields[1].metadata.get('unit')).toBe('ns');
  }
});

test('a result of any length, none included, keeps its rows', () => {
  const rows = Array.from({ length: 70_000 }, (_, index) => [`d${index % 300}v0`, index, index / 7]);
  const read = readTable(resultTableToArrow({ ...table, rows }));
  expect(read.batches.map(({ numRows }) => numRows)).toEqual([65_536, 4_464]);
  expect(read.get(69_999)?.toJSON()).toEqual({
    vcpu: `d${69_999 % 300}v0`,
    run_ns: 69_999n,
    share: 69_999 / 7,
  });
  expect(readTable(resultTableToArrow({ ...table, rows: [] })).schema.fields).toHaveLength(3);
});

test('a fraction in a column of integers is a mistake of the program', () => {
  expect(() => resultTableToArrow({ ...table, rows: [['a', 0.5, 0]] })).toThrow('0.5 is not an integer');
});
