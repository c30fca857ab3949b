/** Damaged traces: every form takes them, and what it writes can be read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { exportBytes } from './export-bytes.ts';
import { importPerfetto, readPackets } from './perfetto-importer.ts';
import { readFtrace } from './read-ftrace.ts';

const STATES = ['running', 'runnable', 'blocked', 'offline'] as const;

/** Any records in any order, most of them about a few vCPUs: what no host would do. */
const wildTrace = fc
  .array(
    fc.record({
      pcpu: fc.constantFrom(0, 0, 1, 2, 1023, 1024, 5000, 65_535),
      records: fc.array(
        fc.record({
          kind: fc.constantFrom(
            'runstate',
            'runstate',
            'runstate',
            'lost',
            'job',
            'credit',
            'budget',
            'removed',
          ),
          at: fc.nat(300),
          dom: fc.constantFrom(0, 1, 2, 32_767, 65_535),
          vcpu: fc.constantFrom(0, 1, 65_535),
          from: fc.constantFrom(...STATES),
          to: fc.constantFrom(...STATES),
          number: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        }),
        { maxLength: 40 },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((windows) => {
    const builder = new TraceBuilder();
    let tsc = 1000;
    for (const { pcpu, records } of windows) {
      builder.window(pcpu);
      for (const { kind, at, dom, vcpu, from, to, number } of records) {
        tsc += at < 200 ? at : 0;
        const who = vcpuWord(dom, vcpu);
        if (kind === 'runstate') builder.runstate(tsc, dom, vcpu, from, to);
        else if (kind === 'lost')
          builder.lost(tsc, { count: at, dom, vcpu, firstTsc: Math.max(0, tsc - at) });
        else if (kind === 'job')
          builder.record(
            0x24001 + (at % 3),
            tsc,
            [who, 1, at >> 4, ...u64(at), ...u64(0)].slice(0, at % 3 === 0 ? 7 : 3),
          );
        else if (kind === 'credit') builder.record(0x22203, tsc, [who, number, number, at]);
        else if (kind === 'budget') builder.record(0x22803, tsc, [who, number, number, at, 0, 0]);
        else builder.record(0x28002, tsc, [dom]);
      }
    }
    return builder.bytes();
  });

const sample = readFileSync(join(import.meta.dirname, '../../samples/traces/credit-caps.trace'));
const damagedSample = fc
  .array(fc.record({ at: fc.nat(40_000), byte: fc.nat(255), length: fc.nat(60) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((damages) => {
    const bytes = new Uint8Array(sample.subarray(0, 40_000));
    for (const { at, byte, length } of damages) bytes.fill(byte, at, at + length);
    return bytes;
  });

test('every form takes any trace, and its readers take what it writes', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(wildTrace, damagedSample), async (bytes) => {
      const opened = await openTrace(bytes).catch((error) => {
        expect(error).toMatchObject({ name: 'UserError' });
        return undefined;
      });
      if (opened === undefined) return;
      opened.close();
      const { errors } = importPerfetto(readPackets(await exportBytes('perfetto', bytes)));
      // A state that lasts for no time, and an order of events that a tie leaves open: Perfetto counts them and goes on.
      expect(errors.filter((error) => !/^two states of|^spurious wake-up/.test(error))).toEqual([]);
      readFtrace(Buffer.from(await exportBytes('ftrace', bytes)).toString());
      await exportBytes('job-stats', bytes);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});
