/**
 * Traces made by hand go through the decoder into Arrow files; what a person reads off the trace must be in the tables.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { openTrace } from '../../src/decoder/index.ts';
import { EventCatalog } from '../../src/format/index.ts';
import { MemorySink, streamTable, tableSpecs, writeTables } from '../../src/tables/index.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';
import { type FakeRecord, fakeSource, packed } from './fake-source.ts';
import { readRows, readTable } from './read-arrow.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xenscope-tables-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

describe('the tables of event classes', () => {
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

describe('the tables of the timeline', () => {
  /**
   *     d1v0   runs from 100, preempted at 200, runs on from 350
   *     d2v0   wakes at 150, runs from 200 to 350, then blocks
   */
  const trace = () =>
    new TraceBuilder()
      .window(0)
      .runstate(100, 32767, 0, 'running', 'runnable')
      .runstate(100, 1, 0, 'runnable', 'running')
      .runstate(150, 2, 0, 'blocked', 'runnable')
      .runstate(200, 1, 0, 'running', 'runnable')
      .runstate(200, 2, 0, 'runnable', 'running')
      .runstate(350, 2, 0, 'running', 'blocked')
      .runstate(350, 1, 0, 'runnable', 'running')
      .runstate(400, 1, 0, 'running', 'runnable')
      .runstate(400, 32767, 0, 'runnable', 'running')
      .bytes();

  test('tell who waited for whom', async () => {
    const reader = await openTrace(trace(), { cpuHz: 1_000_000_000 });
    writeTables(reader, folder);
    const columns = [
      'label',
      'cause',
      'start_ns',
      'end_ns',
      'wait_ns',
      'to_pcpu',
      'ran_dom',
      'ran_vcpu',
      'ran_ns',
    ];
    expect(readRows(file('waits'), columns)).toEqual([
      {
        ...{ label: 'd2v0', cause: 'wake', start_ns: 50n, end_ns: 100n, wait_ns: 50n, to_pcpu: 0 },
        ...{ ran_dom: 1, ran_vcpu: 0, ran_ns: 50n },
      },
      {
        ...{ label: 'd1v0', cause: 'preempt', start_ns: 100n, end_ns: 250n, wait_ns: 150n, to_pcpu: 0 },
        ...{ ran_dom: 2, ran_vcpu: 0, ran_ns: 150n },
      },
    ]);
    const states = readRows(file('runstates')).filter(
      ({ label, state }) => label === 'd2v0' && state === 'running',
    );
    expect(states).toMatchObject([
      {
        dom: 2,
        vcpu: 0,
        previous: 'runnable',
        xen_state: 'running',
        start_ns: 100n,
        end_ns: 250n,
        dur_ns: 150n,
      },
    ]);
    expect(states).toMatchObject([{ pcpu: 0, start_seen: true, end_seen: true }]);
    const domains = readRows(file('domains'), [
      'dom',
      'label',
      'kind',
      'vcpus',
      'first_seen_ns',
      'last_seen_ns',
    ]);
    expect(domains).toEqual([
      { dom: 1, label: 'd1', kind: 'domain', vcpus: 1, first_seen_ns: 0n, last_seen_ns: 300n },
      { dom: 2, label: 'd2', kind: 'domain', vcpus: 1, first_seen_ns: 50n, last_seen_ns: 250n },
      { dom: 32767, label: 'd[IDLE]', kind: 'idle', vcpus: 1, first_seen_ns: 0n, last_seen_ns: 300n },
    ]);
  });

  test('tile the time of each vCPU', async () => {
    writeTables(await openTrace(trace(), { cpuHz: 1_000_000_000 }), folder, { tables: ['runstates'] });
    const ends = new Map<unknown, unknown>();
    for (const { label, start_ns, end_ns, dur_ns } of readRows(file('runstates'))) {
      expect(start_ns).toBe(ends.get(label) ?? 0n);
      expect(dur_ns).toBe((end_ns as bigint) - (start_ns as bigint));
      ends.set(label, end_ns);
    }
    expect([...ends.values()]).toEqual([300n, 300n, 300n]);
  });

  test('judge jobs: early, late, unfinished', async () => {
    const release = (tsc: number, job: number, deadline: number) =>
      [0x24001, tsc, [vcpuWord(1, 0), 2, job, ...u64(deadline), ...u64(0)]] as const;
    const job = (event: number, tsc: number, number: number) =>
      [event, tsc, [vcpuWord(1, 0), 2, number]] as const;
    const builder = new TraceBuilder().window(0).record(0x21002, 1000, [vcpuWord(1, 0)]);
    for (const [event, tsc, words] of [
      release(2000, 0, 500),
      job(0x24002, 2100, 0),
      job(0x24003, 2400, 0),
      release(3000, 1, 500),
      job(0x24002, 3300, 1),
      job(0x24003, 5700, 1),
      release(6000, 2, 500_000),
    ]) {
      builder.record(event, tsc, words);
    }
    writeTables(await openTrace(builder.bytes(), { cpuHz: 1_000_000_000 }), folder);
    expect(readRows(file('jobs'))).toEqual([
      {
        ...{ dom: 1, vcpu: 0, label: 'd1v0', task: 2, job: 0, release_ns: 1000n, start_ns: 1100n },
        ...{
          completion_ns: 1400n,
          deadline_ns: 1500n,
          response_ns: 400n,
          lateness_ns: -100n,
          tardiness_ns: 0n,
          missed: false,
        },
      },
      {
        ...{ dom: 1, vcpu: 0, label: 'd1v0', task: 2, job: 1, release_ns: 2000n, start_ns: 2300n },
        ...{
          completion_ns: 4700n,
          deadline_ns: 2500n,
          response_ns: 2700n,
          lateness_ns: 2200n,
          tardiness_ns: 2200n,
          missed: true,
        },
      },
      {
        ...{ dom: 1, vcpu: 0, label: 'd1v0', task: 2, job: 2, release_ns: 5000n, start_ns: null },
        ...{
          completion_ns: null,
          deadline_ns: 505_000n,
          response_ns: null,
          lateness_ns: null,
          tardiness_ns: null,
          missed: null,
        },
      },
    ]);
  });
});

describe('the summary tables', () => {
  test('say what was lost, and when the loss began', async () => {
    const trace = new TraceBuilder()
      .window(2)
      .record(0x21002, BOOT, [vcpuWord(1, 0)])
      .lost(BOOT + 1001n, { count: 3, dom: 7, vcpu: 1, firstTsc: BOOT + 501n })
      .record(0x21002, BOOT + 2000n, [vcpuWord(1, 0)]);
    writeTables(await openTrace(trace.bytes(), { cpuHz: 2_000_000_000 }), folder);
    expect(readRows(file('lost'))).toEqual([
      { t_ns: 501n, pcpu: 2, count: 3, dom: 7, vcpu: 1, first_tsc: BOOT + 501n, first_ns: 251n },
    ]);
  });

  test('show diagnostics with null for what does not apply', () => {
    const damage = {
      severity: 'error',
      code: 'skipped_bytes',
      bytes: 12,
      count: 1,
      message: 'ä',
      advice: 'b',
    } as const;
    const nowhere = { ...damage, code: 'a', pcpu: -1, offset: -1, tNs: undefined };
    const somewhere = { ...damage, pcpu: 3, offset: 2 ** 40, tNs: 5 };
    writeTables(fakeSource([], { diagnostics: [nowhere, somewhere] }), folder, { tables: ['diagnostics'] });
    const common = { severity: 'error', bytes: 12n, count: 1n, message: 'ä', advice: 'b' };
    expect(readRows(file('diagnostics'))).toEqual([
      { ...common, code: 'a', pcpu: null, offset: null, t_ns: null },
      { ...common, code: 'skipped_bytes', pcpu: 3, offset: 2n ** 40n, t_ns: 5n },
    ]);
  });

  test('say where the tables come from, in meta and in the schema of every file', () => {
    const source = fakeSource([{ pcpu: 4, event: 0x21002, tsc: BOOT, words: [0] }], { cpuHz: undefined });
    writeTables(source, folder);
    const meta = new Map(readRows(file('meta')).map(({ key, value }) => [key, value]));
    expect(meta.get('cpu_hz')).toBe('unknown');
    expect(meta.get('tsc_start')).toBe(String(BOOT));
    expect(meta.get('records')).toBe('1');
    expect(meta.get('pcpus')).toBe('4');
    for (const name of readdirSync(folder)) {
      const { metadata } = readTable(join(folder, name)).schema;
      expect(metadata.get('source')).toBe('hand-made.trace');
      expect(metadata.get('producer')).toMatch(/^xenscope \d/);
      for (const key of metadata.keys())
        if (key !== 'table' && key !== 'pandas') expect(meta.get(key)).toBe(metadata.get(key));
    }
  });
});

describe('writing', () => {
  const one = () => fakeSource([{ pcpu: 0, event: 0x21002, tsc: 1n, words: [0] }]);

  test('leaves nothing behind when it fails', () => {
    const source = { ...one(), counts: () => expect.fail('the disk is full') };
    expect(() => writeTables(source, folder)).toThrow('the disk is full');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('removes what an earlier trace left under the name of a table that this one does not have', () => {
    writeFileSync(file('credit2'), 'old');
    writeFileSync(join(folder, 'notes.arrow'), 'mine');
    writeTables(one(), folder);
    expect(existsSync(file('credit2'))).toBe(false);
    expect(existsSync(join(folder, 'notes.arrow'))).toBe(true);
  });

  test('makes the folder, and says in a sentence when it cannot', () => {
    const deep = join(folder, 'a', 'b');
    expect(writeTables(one(), deep, { tables: ['meta'] })).toMatchObject([
      { name: 'meta', path: join(deep, 'meta.arrow') },
    ]);
    writeFileSync(join(folder, 'file'), '');
    const error = thrown(() => writeTables(one(), join(folder, 'file', 'x')));
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toBe(
      `${join(folder, 'file', 'x')}: cannot be written: a part of its path is not a folder`,
    );
    mkdirSync(file('meta'));
    expect(thrown(() => writeTables(one(), folder))).toBeInstanceOf(UserError);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('refuses a table that does not exist, with a hint', () => {
    const error = thrown(() => writeTables(one(), folder, { tables: ['recrods'] }));
    expect((error as Error).message).toBe('there is no table "recrods" (did you mean "records"?)');
  });

  test('streams one table to a sink, in the stream format', () => {
    const sink = new MemorySink();
    expect(streamTable(one(), 'records', sink)).toBe(1);
    const bytes = sink.bytes();
    expect([...bytes.subarray(0, 4)]).toEqual([0xff, 0xff, 0xff, 0xff]); // A file would begin with ARROW1.
    expect(readRows(bytes)).toMatchObject([{ t_ns: 0n, tsc: 1n }]);
    const empty = new MemorySink();
    expect(streamTable(fakeSource([]), 'waits', empty)).toBe(0);
    expect(readTable(empty.bytes()).schema.fields.map(({ name }) => name)).toContain('wait_ns');
  });

  test.skipIf(!existsSync('/dev/full'))('says in a sentence that the disk is full', () => {
    const fd = openSync('/dev/full', 'w');
    const error = thrown(() => streamTable(one(), 'records', fd));
    closeSync(fd);
    expect((error as Error).message).toBe('the output: cannot be written: no space left on the disk');
  });

  test('has no two tables or columns of one name, and only snake_case', () => {
    const specs = tableSpecs(EventCatalog.builtIn());
    expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
    for (const { columns } of specs) {
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
      for (const { name, type, unit } of columns) {
        expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
        if (name.endsWith('_ns')) expect([type, unit]).toEqual(['int64', 'ns']);
      }
    }
  });
});

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return expect.fail('it did not throw');
}
