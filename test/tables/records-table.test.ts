/**
 * The table `records` of traces made by hand: what a person reads off the trace must be in it.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTrace } from '../../src/decoder/index.ts';
import { EventCatalog } from '../../src/format/index.ts';
import { writeTables } from '../../src/tables/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { type FakeRecord, fakeSource, packed } from './fake-source.ts';
import { readRows, readTable } from './read-arrow.ts';
import { makeFolder, removeFolder } from './temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => removeFolder(folder));

const file = (name: string) => join(folder, `${name}.arrow`);

/** A TSC that a float64 cannot hold: a host that has been up for a century, so to speak. */
const BOOT = 2n ** 60n + 1n;

describe('the table records', () => {
  test('has times, names, vCPUs and words exactly, and null where the record has none', async () => {
    const trace = new TraceBuilder()
      .window(0)
      .runstate(BOOT, 1, 2, 'runnable', 'running')
      .untimed(0x82010, [1, 2]) // TRC_HVM_NMI: no cycle count, no vCPU: whoever runs on pCPU 0.
      .record(0xfedcba9, BOOT + 7n, [1, 2, 3, 4, 5, 6, 0xffffffff])
      .runstate(BOOT + 10n, 1, 2, 'running', 'blocked')
      .window(3)
      .wrap([0xdead])
      .record(0x21002, BOOT + 8n, [vcpuWord(32767, 3)]);
    const reader = await openTrace(trace.bytes(), { cpuHz: 1_000_000_000 });
    writeTables(reader, folder, { tables: ['records'] });
    reader.close();
    const known = { dom: 1, vcpu: 2 };
    const nobody = { dom: null, vcpu: null };
    const rows = readRows(file('records'));
    const ofPcpu = (pcpu: number) => rows.filter((row) => row.pcpu === pcpu);
    const name = 'TRC_SCHED_RUNSTATE_CHANGE';
    expect(ofPcpu(0)).toEqual([
      row(0, 0n, BOOT, `${name}_runnable_running`, 0x21101, known, [0x10002]),
      row(0, null, null, 'TRC_HVM_NMI', 0x82010, known, [1, 2]),
      row(0, 7n, BOOT + 7n, 'unknown', 0xfedcba9, known, [1, 2, 3, 4, 5, 6, 0xffffffff]),
      row(0, 10n, BOOT + 10n, `${name}_running_blocked`, 0x21021, known, [0x10002]),
    ]);
    expect(ofPcpu(3)).toEqual([
      row(3, null, null, 'TRC_TRACE_WRAP_BUFFER', 0x1f002, nobody, [0xdead]),
      row(3, 8n, BOOT + 8n, 'TRC_SCHED_CONTINUE_RUNNING', 0x21002, { dom: 32767, vcpu: 3 }, [0x7fff0003]),
    ]);
    const timed = rows.filter(({ t_ns }) => t_ns !== null).map(({ t_ns }) => t_ns);
    expect(timed).toEqual([0n, 7n, 8n, 10n]);
  });

  test('keeps every row over many batches, and all batches share one complete dictionary', () => {
    const records = Array.from({ length: 2500 }, (_, index): FakeRecord => {
      return {
        pcpu: index % 5,
        event: index % 2 ? 0x21002 : 0x28006,
        words: [index, 1].slice(index % 2),
        tsc: BigInt(index) * 3n,
      };
    });
    const catalog = EventCatalog.builtIn();
    writeTables(fakeSource(records, { batchRows: 999 }), folder, { tables: ['records'] });
    const table = readTable(file('records'));
    expect(table.batches.map(({ numRows }) => numRows)).toEqual([999, 999, 502]);
    const times = table.getChild('t_ns')?.toArray() as BigInt64Array;
    expect([...times]).toEqual(records.map(({ tsc }) => tsc));
    const words = readRows(file('records'), ['words']).map(({ words }) => words);
    expect(words).toEqual(records.map(({ words }) => words));
    const entries = [...(table.getChild('event')?.data[0]?.dictionary ?? [])];
    expect(entries).toEqual(['unknown', ...catalog.events.map((event) => event.name)]);
  });

  test('puts a record without names of its own down to the vCPU that runs there', () => {
    const idle = packed(32767, 0);
    writeTables(
      fakeSource([
        { pcpu: 0, event: 0x82010, words: [1, 2] }, // Nothing is known yet.
        { pcpu: 0, event: 0x2800a, words: [32767, 0, 4, 1], tsc: 1n }, // A switch from idle to d4v1 ...
        { pcpu: 0, event: 0x82010, words: [1, 2] },
        { pcpu: 0, event: 0x21011, words: [idle], tsc: 2n }, // ... whose runstate changes follow.
        { pcpu: 0, event: 0x21101, words: [packed(4, 1)], tsc: 3n },
        { pcpu: 0, event: 0x82010, words: [1, 2] },
        { pcpu: 1, event: 0x82010, words: [1, 2] }, // The other pCPU is still unknown.
        { pcpu: 0, event: 0x21021, words: [packed(4, 1)], tsc: 4n },
        { pcpu: 0, event: 0x82010, words: [1, 2] }, // Between two vCPUs.
        { pcpu: 0, event: 0x1f001, words: [9, packed(6, 5), ...u64(4)], tsc: 9n }, // Domain in the lower half.
        { pcpu: 0, event: 0x82010, words: [1, 2] },
      ]),
      folder,
      { tables: ['records'] },
    );
    const seen = readRows(file('records'), ['dom', 'vcpu', 'event']).filter(
      ({ event }) => event === 'TRC_HVM_NMI',
    );
    expect(seen.map(({ dom, vcpu }) => `${dom}/${vcpu}`)).toEqual([
      'null/null',
      '4/1',
      '4/1',
      'null/null',
      'null/null',
      '5/6',
    ]);
  });

  test('heeds that with core scheduling one pCPU records for its sibling', () => {
    const pair = (tsc: bigint, out: number, to: number): FakeRecord[] => [
      { pcpu: 0, event: 0x21011, words: [out], tsc },
      { pcpu: 0, event: 0x21101, words: [to], tsc: tsc + 1n },
    ];
    writeTables(
      fakeSource([
        ...pair(1n, packed(32767, 1), packed(2, 1)), // Recorded on pCPU 0, but it is pCPU 1 that stops idling.
        ...pair(3n, packed(32767, 0), packed(2, 0)),
        { pcpu: 0, event: 0x82010, words: [1, 2] },
        { pcpu: 1, event: 0x82010, words: [1, 2] },
        ...pair(5n, packed(2, 1), packed(3, 1)),
        { pcpu: 0, event: 0x82010, words: [1, 2] },
        { pcpu: 1, event: 0x82010, words: [1, 2] },
      ]),
      folder,
      { tables: ['records'] },
    );
    const seen = readRows(file('records'), ['pcpu', 'dom', 'vcpu', 'event']).filter(
      ({ event }) => event === 'TRC_HVM_NMI',
    );
    expect(seen.map(({ pcpu, dom, vcpu }) => `${pcpu}: d${dom}v${vcpu}`)).toEqual([
      '0: d2v0',
      '1: d2v1',
      '0: d2v0',
      '1: d3v1',
    ]);
  });
});

function row(
  pcpu: number,
  t_ns: bigint | null,
  tsc: bigint | null,
  event: string,
  event_id: number,
  vcpu: object,
  words: number[],
): object {
  return { t_ns, tsc, pcpu, event, event_id, ...vcpu, words };
}
