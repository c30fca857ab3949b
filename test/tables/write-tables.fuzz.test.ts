/**
 * Damaged traces: whatever the decoder makes of them, the tables take it, and hold as many rows as it counted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { MemoryOutputSink, streamTable, writeTables } from '../../src/tables/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { readTable } from './read-arrow.ts';

/** A trace with something for every table. */
function soundTrace(): Uint8Array {
  const builder = new TraceBuilder();
  for (let window = 0; window < 6; window++) {
    builder.window(window % 3);
    for (let index = 0; index < 30; index++) {
      const tsc = 1_000_000 + window * 10_000 + index * 300;
      builder
        .runstate(tsc, 1, window % 3, 'running', index % 2 ? 'runnable' : 'blocked')
        .runstate(tsc + 10, 32767, window % 3, 'runnable', 'running')
        .record(0x2800f, tsc + 20, [1, index, 5, 6]) // TRC_SCHED_SWITCH_INFNEXT
        .record(0x22803, tsc + 30, [vcpuWord(1, 0), ...u64(-5), 7, 0, 1]) // TRC_RTDS_BUDGET_BURN
        .untimed(0x82010, [1, 2])
        .record(0x24001, tsc + 40, [vcpuWord(1, 0), 0, index, ...u64(100), ...u64(0)])
        .record(0x24003, tsc + 90, [vcpuWord(1, 0), 0, index]);
    }
    builder.lost(1_000_000 + window * 10_000 + 9_900, {
      count: 3,
      firstTsc: 1_000_000 + window * 10_000 + 9_500,
    });
  }
  return builder.bytes();
}

const sound = soundTrace();
const mutation = fc.record({
  at: fc.integer({ min: 12, max: sound.length - 1 }), // Behind the first header: it shall pass for a trace.
  length: fc.integer({ min: 1, max: 64 }),
  kind: fc.constantFrom('flip', 'zero', 'ones', 'cut', 'end'),
});

function mutate(
  trace: Uint8Array,
  mutations: readonly { at: number; length: number; kind: string }[],
): Uint8Array {
  let bytes = trace.slice();
  for (const { at, length, kind } of mutations) {
    if (kind === 'flip') bytes[Math.min(at, bytes.length - 1)] ^= 1 << (length & 7);
    else if (kind === 'cut')
      bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    else if (kind === 'end') bytes = bytes.slice(0, Math.max(1000, at));
    else bytes.fill(kind === 'ones' ? 0xff : 0, at, at + length);
  }
  return bytes;
}

test('damaged traces end in tables, never in an exception', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-fuzz-'));
  const run = fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 8 }), async (mutations) => {
    const bytes = mutate(sound, mutations);
    const reader = await openTrace(bytes);
    const written = writeTables(reader, folder);
    const { records } = reader.counts();
    const rows = new Map(written.map(({ name, rows }) => [name, rows]));
    expect(rows.get('records')).toBe(records);
    for (const { path, rows } of written) expect(readTable(path).numRows).toBe(rows);
    reader.close();
    const again = await openTrace(bytes);
    expect(streamTable(again, 'records', new MemoryOutputSink())).toBe(records);
    again.close();
  });
  try {
    await fc.assert(run, { numRuns: 60 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
