import type { Diagnostic } from '../../src/decoder/diagnostic.ts';
import type { RecordBatch } from '../../src/decoder/record-batch.ts';
import { EventCatalog } from '../../src/format/index.ts';
import type { TableSource } from '../../src/tables/index.ts';

/** A record as a test writes it down. `tsc` undefined: the record carries no time. */
export interface FakeRecord {
  readonly pcpu: number;
  readonly event: number;
  readonly words?: readonly number[];
  readonly tsc?: bigint;
}

export interface FakeOptions {
  readonly cpuHz?: number | undefined;
  readonly catalog?: EventCatalog;
  readonly diagnostics?: readonly Diagnostic[];
  /** Records of one batch. */
  readonly batchRows?: number;
}

/**
 * A decoder that needs no trace: it hands out the given records in the given order. Nanosecond 0 is the first TSC.
 */
export function fakeSource(records: readonly FakeRecord[], options: FakeOptions = {}): TableSource {
  const { catalog = EventCatalog.builtIn(), diagnostics = [], batchRows = 1000 } = options;
  const cpuHz = 'cpuHz' in options ? options.cpuHz : 1_000_000_000;
  const tscStart = records.find(({ tsc }) => tsc !== undefined)?.tsc ?? 0n;
  const nsOf = (tsc: bigint) => Number(((tsc - tscStart) * 1_000_000_000n) / BigInt(cpuHz ?? 1_000_000_000));
  const times = records.flatMap(({ tsc }) => (tsc === undefined ? [] : [nsOf(tsc)]));
  let at = 0;
  return {
    name: 'hand-made.trace',
    bytes: 4096,
    catalog,
    clock: { cpuHz, source: cpuHz === undefined ? 'unknown' : 'given', pairs: 0, spreadPpm: 0, tscStart },
    pcpus: [...new Set(records.map(({ pcpu }) => pcpu))].sort((a, b) => a - b),
    readBatch(batch: RecordBatch): boolean {
      const rows = records.slice(at, at + batchRows);
      at += rows.length;
      batch.count = rows.length;
      let offset = 0;
      for (const [row, { pcpu, event, words = [], tsc }] of rows.entries()) {
        batch.event[row] = event;
        batch.layout[row] = catalog.layoutIndex(event, words.length);
        batch.pcpu[row] = pcpu;
        batch.hasTsc[row] = tsc === undefined ? 0 : 1;
        batch.tscLow[row] = tsc === undefined ? 77 : Number(tsc & 0xffffffffn);
        batch.tscHigh[row] = tsc === undefined ? 77 : Number(tsc >> 32n);
        batch.tNs[row] = tsc === undefined ? 12345 : nsOf(tsc);
        batch.wordsOffset[row] = offset;
        batch.words.set(words, offset);
        offset += words.length;
        batch.wordsOffset[row + 1] = offset;
      }
      return rows.length > 0;
    },
    diagnostics: () => diagnostics,
    counts: () => ({
      records: Math.min(at, records.length),
      lostRecords: 0,
      windows: 1,
      skippedBytes: 0,
      lateRecords: 0,
      spanNs: times.length === 0 ? 0 : (times.at(-1) as number),
    }),
  };
}

/** Xen's packed vCPU: domain in the high half, vCPU in the low one. */
export function packed(dom: number, vcpu: number): number {
  return dom * 0x10000 + vcpu;
}
