/** The instrument itself: what `npm run fidelity` says of results that differ in a known place. */
import { expect, test } from 'vitest';
import { headerWord, WINDOW_HEADER } from '../../src/format/record.ts';
import { REFERENCE_PART } from '../simulator/reference-folder.ts';
import { collections, scenarioNames } from './collections.ts';
import { compareRecords, compareSwitches } from './compare.ts';
import { hold, totalsOf } from './hold.ts';
import { tablesOf, writeTable } from './table.ts';

const csv = (...rows: string[]) => `${['t_ns,pcpu,next', ...rows].join('\n')}\n`;

/** A trace of windows, each a pCPU and its records: TSC and the one extra word. */
function traceOf(...windows: (readonly [number, ...(readonly [number, number])[]])[]): Uint8Array {
  const words = windows.flatMap(([pcpu, ...records]) => {
    const body = records.flatMap(([tsc, word]) => [headerWord(0x28004, 1, true), tsc, 0, word]);
    return [WINDOW_HEADER, pcpu, body.length * 4, ...body];
  });
  return new Uint8Array(Uint32Array.from(words).buffer);
}

test('switches count up to the first row that differs', () => {
  const theirs = csv('0,0,d1v0', '5,1,d2v0', '9,0,idle');
  expect(compareSwitches(theirs, theirs)).toEqual({ agreed: 3, total: 3, difference: undefined });
  expect(compareSwitches(csv('0,0,d1v0', '6,1,d2v0', '9,0,idle'), theirs)).toEqual({
    agreed: 1,
    total: 3,
    difference: 'switch 2: ours 6,1,d2v0, the reference 5,1,d2v0 (of 3), after 0,0,d1v0',
  });
  expect(compareSwitches(csv('0,0,d1v0'), theirs)).toMatchObject({ agreed: 1, total: 3 });
  expect(compareSwitches(csv('0,0,d1v0', '5,1,d2v0', '9,0,idle', '11,0,d1v0'), theirs)).toMatchObject({
    agreed: 3,
    difference: 'switch 4: ours 11,0,d1v0, the reference none (of 3), after 9,0,idle',
  });
});

test('records count up to the first in time that differs on any pCPU', () => {
  const theirs = traceOf([0, [10, 1], [40, 2]], [1, [20, 3], [30, 4]]);
  expect(compareRecords(theirs, theirs)).toEqual({ agreed: 4, total: 4, difference: undefined });
  const ours = traceOf([0, [10, 1], [40, 9]], [1, [20, 3], [30, 5]]);
  expect(compareRecords(ours, theirs)).toEqual({
    agreed: 2,
    total: 4,
    difference:
      'record 1 of pCPU 1: ours 28004 at tsc 30 [5], the reference 28004 at tsc 30 [4], after 28004 at tsc 20 [3]',
  });
  expect(compareRecords(traceOf([0, [10, 1]], [1, [20, 3], [30, 4]]), theirs)).toMatchObject({
    agreed: 3,
    difference: 'record 1 of pCPU 0: ours none, the reference 28004 at tsc 40 [2], after 28004 at tsc 10 [1]',
  });
  const cut = traceOf([0, [10, 1]], [1, [20, 3], [30, 4]], [0, [40, 2]]);
  expect(compareRecords(cut, theirs)).toMatchObject({
    agreed: 4,
    difference: expect.stringMatching(/other windows/),
  });
});

test('the program holds every collection of the part in the tree', () => {
  const work = collections.map((collection) => scenarioNames(REFERENCE_PART, collection));
  for (const [i, names] of work.entries()) {
    expect(names.length).toBeGreaterThan(1);
    expect(hold(REFERENCE_PART, collections[i]!, names[0]!)).toMatchObject({ difference: undefined });
  }
});

test('the table tells what is not exact, and replaces the one before', () => {
  const [first] = collections;
  const name = scenarioNames(REFERENCE_PART, first!)[0]!;
  const good = hold(REFERENCE_PART, first!, name);
  const wrong = { ...good, name: 'other', switchesAgreed: 1, recordsAgreed: 2, difference: 'switch 2: ...' };
  const results = [{ collection: first!, holdings: [good, wrong], totals: totalsOf([good, wrong]) }];
  const table = tablesOf(results);
  expect(table).toMatch(/\| credit \| 4\.17 \| 4\.17\.7 \| 1 of 2 \|/);
  expect(table).toMatch(/- 4\.17 `other`: 1 of \d+ switches, then switch 2/);
  const document = 'a\n<!-- begin: npm run fidelity -- --write -->\nold\n<!-- end -->\nb\n';
  const written = writeTable(document, results);
  expect(written).toContain(table);
  expect(written).not.toContain('old');
  expect(writeTable(written, results)).toBe(written);
});
