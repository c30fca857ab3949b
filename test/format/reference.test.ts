import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listReferenceRecords, parseReference, parseReferenceRecords } from '../../src/format/reference.ts';
import { TraceBuilder } from '../support/trace-builder.ts';

const TRACES = join(import.meta.dirname, '../../../shared/traces');

describe('parseReference()', () => {
  test('takes apart windows, records with and without a TSC, and words', () => {
    const trace = new TraceBuilder()
      .window(3)
      .record(0x28006, 0x1_2345_6789n, [0xffff_ffff, 7])
      .untimed(0x82001, [1, 2, 3])
      .window(0)
      .wrap([])
      .bytes();
    expect(parseReference(trace)).toEqual([
      {
        pcpu: 3,
        bytes: 20 + 16,
        records: [
          { event: 0x28006, tsc: 0x1_2345_6789n, words: [0xffff_ffff, 7] },
          { event: 0x82001, tsc: undefined, words: [1, 2, 3] },
        ],
      },
      { pcpu: 0, bytes: 4, records: [{ event: 0x1f002, tsc: undefined, words: [] }] },
    ]);
  });

  test('reads the bytes of a record as trace.h lays them out', () => {
    // Event 0x0002800e, 3 extra words, cycle count: 0xb002800e.
    const bytes = Uint8Array.of(
      ...[0x0e, 0x80, 0x02, 0xb0],
      ...[0x01, 0, 0, 0, 0x02, 0, 0, 0],
      ...[0xff, 0x7f, 0, 0, 0x05, 0, 0, 0, 0x10, 0x27, 0, 0],
    );
    expect(parseReferenceRecords(bytes)).toEqual([
      { event: 0x2800e, tsc: 0x2_0000_0001n, words: [32767, 5, 10_000] },
    ]);
  });

  test('refuses a trace that does not start with a window header', () => {
    expect(() => parseReference(new Uint8Array(24))).toThrow();
  });

  test.skipIf(!existsSync(TRACES))('finds in a real trace what its makers counted', () => {
    const windows = parseReference(readFileSync(join(TRACES, 'credit-dom0-idle.trace')));
    expect(windows.length + listReferenceRecords(windows).length).toBe(1629);
  });
});
