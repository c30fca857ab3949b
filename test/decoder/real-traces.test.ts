import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRecordBatch, openTrace } from '../../src/decoder/index.ts';

/** Recorded by the real xentrace on real Xen; INDEX.tsv counts windows among the records. */
const TRACES = join(import.meta.dirname, '../../../shared/traces');
const NO_NANOSECONDS = ['credit2-min', 'credit2-pvh-hvmonly', 'credit2-pvonly'];

interface IndexRow {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly records: number;
  readonly pcpus: number;
  readonly lostRecords: number;
  readonly lostTotal: number;
}

function readIndex(): IndexRow[] {
  const [head, ...lines] = readFileSync(join(TRACES, 'INDEX.tsv'), 'utf8').trim().split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    const cell = (name: string) => cells[names.indexOf(name)];
    return {
      name: cell('name'),
      file: join(TRACES, cell('file')),
      bytes: Number(cell('bytes')),
      records: Number(cell('records')),
      pcpus: Number(cell('pcpus_in_trace')),
      lostRecords: Number(cell('lost_records')),
      lostTotal: Number(cell('lost_total')),
    };
  });
}

describe.skipIf(!existsSync(TRACES))('openTrace() on real traces', () => {
  const index = existsSync(TRACES) ? readIndex() : [];

  test.each(index)('$name: every byte is read, in time order, nothing is skipped', async (row) => {
    const reader = await openTrace(row.file);
    const batch = createRecordBatch();
    const lastTsc = new Map<number, bigint>();
    let previousNs = 0;
    let records = 0;
    let lost = 0;
    while (reader.readBatch(batch)) {
      records += batch.count;
      for (let i = 0; i < batch.count; i++) {
        if (batch.event[i] === 0x1f001) lost++;
        if (batch.event[i] === 0x1f002) expect(batch.hasTsc[i]).toBe(0);
        if (batch.tNs[i] < previousNs) throw new Error(`row ${i} is earlier than the one before it`);
        previousNs = batch.tNs[i];
        if (!batch.hasTsc[i]) continue;
        const tsc = (BigInt(batch.tscHigh[i]) << 32n) | BigInt(batch.tscLow[i]);
        if (tsc < (lastTsc.get(batch.pcpu[i]) ?? 0n)) throw new Error('a pCPU is out of order');
        lastTsc.set(batch.pcpu[i], tsc);
      }
    }
    const counts = reader.counts();
    expect(reader.bytes).toBe(row.bytes);
    expect(records).toBe(counts.records);
    expect(counts.records + counts.windows).toBe(row.records);
    expect(reader.pcpus).toHaveLength(row.pcpus);
    expect([lost, counts.lostRecords]).toEqual([row.lostRecords, row.lostTotal]);
    expect(counts.headerBytes + counts.recordBytes).toBe(row.bytes);
    expect(counts.skippedBytes).toBe(0);
    expect(counts.unknown).toEqual(new Map());
    const codes = new Set(reader.diagnostics().map(({ code }) => code));
    codes.delete('unknown_cpu_hz');
    expect([...codes]).toEqual(row.lostTotal > 0 ? ['lost_records'] : []);
    reader.close();
  });

  test.each(index)('$name: the frequency is within 0.1 %, or not known', async ({ name, file }) => {
    const meta = JSON.parse(readFileSync(join(TRACES, `${name}.meta.json`), 'utf8')) as { cpu_hz: number };
    const reader = await openTrace(file);
    const { cpuHz, source, pairs } = reader.clock;
    reader.close();
    if (NO_NANOSECONDS.includes(name)) {
      expect([cpuHz, source, pairs]).toEqual([undefined, 'unknown', 0]);
      return;
    }
    expect(source).toBe('derived');
    expect(pairs).toBeGreaterThan(4);
    expect(Math.abs((cpuHz as number) / meta.cpu_hz - 1)).toBeLessThan(0.001);
  });
});
