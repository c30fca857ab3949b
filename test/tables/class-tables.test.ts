/**
 * The tables of event classes: fields by name, from records made by hand.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventCatalog } from '../../src/format/index.ts';
import { writeTables } from '../../src/tables/index.ts';
import { type FakeRecord, fakeSource, packed } from './fake-source.ts';
import { readRows, readTable } from './read-arrow.ts';
import { makeFolder, removeFolder } from './temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => removeFolder(folder));

const file = (name: string) => join(folder, `${name}.arrow`);

describe('the tables of event classes', () => {
  test('have null for a value that stands for "there is none"', () => {
    const infnext = (slice: number): FakeRecord => ({ pcpu: 0, event: 0x2800f, words: [1, 2, 40, slice] });
    writeTables(fakeSource([infnext(0xffffffff), infnext(41), infnext(0xffffffff)]), folder);
    expect(readRows(file('sched_core')).map(({ slice_ns }) => slice_ns)).toEqual([null, 41n, null]);
  });

  test('have named fields: narrow, wide, signed, enumerated, packed, absent', () => {
    const catalog = new EventCatalog([
      {
        class: 'odd',
        doc: 'All kinds of fields.',
        events: [
          {
            id: '0x00070001',
            name: 'ODD_ONE',
            doc: 'One.',
            layouts: [
              {
                words: 4,
                fields: [
                  { name: 'low_ns', offset: 0, width: 32, unit: 'ns', doc: '' },
                  { name: 'delta_ns', offset: 32, width: 32, signed: true, unit: 'ns', doc: '' },
                  { name: 'across', offset: 80, width: 32, doc: '' },
                  { name: 'pcpu', offset: 112, width: 12, unit: 'pcpu', doc: '' },
                  { name: 'kind', offset: 124, width: 3, values: { 0: 'none', 5: 'five' }, doc: '' },
                  { name: 'flag', offset: 127, width: 1, unit: 'bool', doc: '' },
                ],
              },
            ],
          },
          {
            id: '0x00070002',
            name: 'ODD_TWO',
            doc: 'Two.',
            layouts: [
              {
                words: 3,
                fields: [
                  { name: 'big_tsc', offset: 0, width: 64, unit: 'tsc', doc: '' },
                  { name: 'crooked', offset: 40, width: 48, signed: true, doc: '' },
                ],
              },
            ],
          },
        ],
      },
    ]);
    writeTables(
      fakeSource(
        [
          { pcpu: 1, event: 0x70001, tsc: 5n, words: [0xffffffff, 0xfffffffe, 0x5678aaaa, 0xd0091234] },
          { pcpu: 2, event: 0x70002, tsc: 6n, words: [0x89abcdef, 0xfedcba01, 0x00812345] },
          { pcpu: 1, event: 0x70001, tsc: 7n, words: [1, 2, 3, 0x60000000] },
          { pcpu: 1, event: 0x70001, tsc: 8n, words: [1] }, // Unknown layout: in `records` only.
        ],
        { catalog },
      ),
      folder,
    );
    const common = { dom: null, vcpu: null };
    const one = { event: 'ODD_ONE', ...common, big_tsc: null, crooked: null };
    expect(readRows(file('odd'))).toEqual([
      {
        ...{ record_index: 0n, t_ns: 0n, tsc: 5n, pcpu: 1, ...one },
        ...{
          low_ns: 0xffffffffn,
          delta_ns: -2n,
          across: 0x12345678,
          field_pcpu: 9,
          kind: 'five',
          flag: true,
        },
      },
      {
        ...{ record_index: 1n, t_ns: 1n, tsc: 6n, pcpu: 2, event: 'ODD_TWO', ...common },
        ...{ low_ns: null, delta_ns: null, across: null, field_pcpu: null, kind: null, flag: null },
        ...{ big_tsc: 0xfedcba0189abcdefn, crooked: BigInt.asIntN(48, 0x812345fedcban) },
      },
      {
        ...{ record_index: 2n, t_ns: 2n, tsc: 7n, pcpu: 1, ...one },
        ...{ low_ns: 1n, delta_ns: 2n, across: 0, field_pcpu: 0, kind: 'other', flag: false },
      },
    ]);
    expect(readTable(file('records')).numRows).toBe(4);
  });

  test('show runstate changes in words', () => {
    writeTables(fakeSource([{ pcpu: 0, event: 0x21321, tsc: 1n, words: [packed(3, 1)] }]), folder, {
      tables: ['sched_core'],
    });
    const [change] = readRows(file('sched_core'), ['dom', 'vcpu', 'runstate_from', 'runstate_to']);
    expect(change).toEqual({ dom: 3, vcpu: 1, runstate_from: 'offline', runstate_to: 'blocked' });
  });

  test('hold more rows than one batch, in order, and each exactly once', () => {
    const records = Array.from({ length: 150_000 }, (_, index): FakeRecord => {
      return {
        pcpu: 0,
        event: index % 3 === 0 ? 0x28006 : 0x21002,
        words: [index, 7].slice(index % 3 === 0 ? 0 : 1),
        tsc: BigInt(index),
      };
    });
    writeTables(fakeSource(records, { batchRows: 65_536 }), folder, { tables: ['sched_core', 'lost'] });
    const table = readTable(file('sched_core'));
    expect(table.numRows).toBe(150_000);
    const index = [...(table.getChild('record_index')?.toArray() ?? [])];
    expect(index.every((value, at) => value === BigInt(at))).toBe(true);
  });

  test('are written only when the trace has such records, unless asked for by name', () => {
    const source = () => fakeSource([{ pcpu: 0, event: 0x21002, tsc: 1n, words: [0] }]);
    writeTables(source(), folder);
    expect(existsSync(file('sched_core'))).toBe(true);
    expect(existsSync(file('credit2'))).toBe(false);
    expect(existsSync(file('waits'))).toBe(true);
    writeTables(source(), folder, { tables: ['credit2'] });
    expect(readTable(file('credit2')).numRows).toBe(0);
    expect(readTable(file('credit2')).getChild('tickled_pcpu')).not.toBeNull();
  });
});
