import {
  createRecordBatch,
  type Diagnostic,
  type OpenTraceOptions,
  openTrace,
  type TraceCounts,
  type TraceInput,
  type TraceReader,
} from '../../src/decoder/index.ts';

/** One row of a batch as an object: for tests only. */
export interface Row {
  readonly pcpu: number;
  readonly event: number;
  readonly tsc: bigint | undefined;
  readonly tNs: number;
  readonly words: readonly number[];
  readonly layout: number;
}

export interface Decoded {
  readonly rows: readonly Row[];
  readonly counts: TraceCounts;
  readonly diagnostics: readonly Diagnostic[];
  readonly clock: TraceReader['clock'];
  readonly pcpus: readonly number[];
  readonly bytes: number;
}

/** Decodes all of `input` into objects, by way of batches of `batchRows`. */
export async function readAll(
  input: TraceInput,
  options: OpenTraceOptions = {},
  batchRows = 1000,
): Promise<Decoded> {
  const reader = await openTrace(input, options);
  const batch = createRecordBatch(batchRows);
  const rows: Row[] = [];
  while (reader.readBatch(batch)) {
    for (let row = 0; row < batch.count; row++) {
      const timed = batch.hasTsc[row] === 1;
      rows.push({
        pcpu: batch.pcpu[row],
        event: batch.event[row],
        tsc: timed ? (BigInt(batch.tscHigh[row]) << 32n) | BigInt(batch.tscLow[row]) : undefined,
        tNs: batch.tNs[row],
        words: [...batch.words.subarray(batch.wordsOffset[row], batch.wordsOffset[row + 1])],
        layout: batch.layout[row],
      });
    }
  }
  const result = {
    rows,
    counts: reader.counts(),
    diagnostics: reader.diagnostics(),
    clock: reader.clock,
    pcpus: reader.pcpus,
    bytes: reader.bytes,
  };
  reader.close();
  return result;
}

/** The codes of what is wrong with the trace itself, sorted: not that a test's records have too few words. */
export function codesOf(decoded: Decoded): string[] {
  const beside = ['unknown_cpu_hz', 'unknown_layout'];
  return decoded.diagnostics
    .map(({ code }) => code)
    .filter((code) => !beside.includes(code))
    .sort();
}

/** Bytes in headers, in records and in diagnostics, together. */
export function accountedBytes({ counts, diagnostics }: Decoded): number {
  return counts.headerBytes + counts.recordBytes + diagnostics.reduce((sum, { bytes }) => sum + bytes, 0);
}
