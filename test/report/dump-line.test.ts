import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';
import { DumpFormatter } from '../../src/report/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';
import { TraceBuilder, u64, vcpuWord } from '../support/trace-builder.ts';

async function dump(
  trace: TraceBuilder,
  formats: string[] = [],
): Promise<{ text: string[]; json: Record<string, unknown>[] }> {
  const reader = await openTrace(trace.bytes(), { cpuHz: 1e9, formats });
  const batch = createRecordBatch();
  reader.readBatch(batch);
  const formatter = new DumpFormatter(reader.catalog);
  const rows = Array.from({ length: batch.count }, (_, row) => row);
  reader.close();
  return {
    text: rows.map((row) => formatter.textLine(batch, row)),
    json: rows.map((row) => JSON.parse(formatter.jsonLine(batch, row))),
  };
}

describe('DumpFormatter', () => {
  test('names the event, the vCPU and each field; pairs of dom and vcpu become one', async () => {
    const { text, json } = await dump(
      new TraceBuilder()
        .window(3)
        .record(0x2800e, 5000, [1, 2, 30_000_000])
        .record(0x2800a, 1_000_005_013, [1, 2, 32767, 3]),
    );
    expect(text).toEqual([
      '     0.000000000  p3     d1v2        TRC_SCHED_SWITCH_INFPREV       run_ns=30000000\n',
      '     1.000000013  p3                 TRC_SCHED_SWITCH               prev=d1v2 next=d[IDLE]v3\n',
    ]);
    expect(json[0]).toEqual({
      t_ns: 0,
      tsc: '5000',
      pcpu: 3,
      event: 'TRC_SCHED_SWITCH_INFPREV',
      dom: 1,
      vcpu: 2,
      run_ns: 30_000_000,
    });
  });

  test('a value that stands for "there is none" is no number: a slice without a limit', async () => {
    const { text, json } = await dump(
      new TraceBuilder()
        .window(0)
        .record(0x2800f, 7, [1, 2, 40, 0xffffffff])
        .record(0x2800f, 8, [1, 2, 40, 41]),
    );
    expect(text[0]).toContain('wait_ns=40 slice_ns=none');
    expect(text[1]).toContain('wait_ns=40 slice_ns=41');
    expect(json.map(({ slice_ns }) => slice_ns)).toEqual([null, 41]);
  });

  test('a field that is named like what every object has goes by the name that it has in the tables', async () => {
    const folder = scratchFolder();
    const path = folder.path('own.json');
    const field = (name: string, offset: number) => ({ name, offset, width: 32, unit: 'count', doc: 'Own.' });
    const layout = { words: 2, fields: [field('t_ns', 0), field('event', 32)] };
    const event = { id: '0x00022105', name: 'TRC_OWN', doc: 'Own.', layouts: [layout] };
    writeFileSync(path, JSON.stringify({ class: 'credit', events: [event] }));
    const { json } = await dump(new TraceBuilder().window(0).record(0x22105, 7, [1, 2]), [path]);
    folder.remove();
    expect(json).toEqual([{ t_ns: 0, tsc: '7', pcpu: 0, event: 'TRC_OWN', field_t_ns: 1, field_event: 2 }]);
  });

  test('an unknown record is shown raw, with its words', async () => {
    const { text, json } = await dump(new TraceBuilder().window(0).record(0x2f123, 7, [1, 0xdeadbeef]));
    expect(text[0]).toBe(`     0.000000000  p0 ${' '.repeat(16)}0x0002f123/2 0x00000001 0xdeadbeef\n`);
    expect(json[0]).toMatchObject({ event: '0x0002f123/2', words: [1, 0xdeadbeef] });
  });

  test('64-bit values are exact: the TSC, and fields', async () => {
    const tsc = 2n ** 63n + 12_345n;
    const words = [vcpuWord(1, 0), ...u64(2n ** 60n + 7n), 5, 0, 0];
    const { json, text } = await dump(new TraceBuilder().window(0).record(0x22803, tsc, words));
    expect(json[0]).toMatchObject({ tsc: tsc.toString(), budget_ns: (2n ** 60n + 7n).toString() });
    expect(text[0]).toContain('budget_ns=1152921504606846983');
  });

  test('a record without a TSC has none in JSON', async () => {
    const trace = new TraceBuilder().window(0).record(0x28005, 9, [1, 0]).untimed(0x1f002, [1]);
    expect((await dump(trace)).json[1]).toMatchObject({ tsc: null, event: 'TRC_TRACE_WRAP_BUFFER' });
  });
});
