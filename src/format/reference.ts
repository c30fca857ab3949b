/**
 * The grammar of a trace file a second time, in binary-parser: slow, one object per record, and written
 * straight from the format's description. Tests hold the fast decoder against it; `docs/file-format.md` says
 * the same in prose.
 *
 * It knows sound traces only: windows that follow each other without gaps, filled with whole records.
 * @module
 */
import { Parser } from 'binary-parser/dist/binary_parser.js';
import { CYCLES_FLAG, EVENT_MASK, TRC_TRACE_CPU_CHANGE, WINDOW_HEADER } from './record.ts';

/** A record as it lies in the file. */
export interface ReferenceRecord {
  readonly event: number;
  /** Undefined without a cycle count. */
  readonly tsc: bigint | undefined;
  readonly words: readonly number[];
}

/** A window and its records. */
export interface ReferenceWindow {
  readonly pcpu: number;
  /** Length of the records, in bytes. */
  readonly bytes: number;
  readonly records: readonly ReferenceRecord[];
}

interface ParsedRecord {
  readonly header: number;
  readonly tsc: { readonly low?: number; readonly high?: number };
  readonly words: readonly number[];
}

// binary-parser takes bit fields from the high end of a big-endian word, so the header is read whole and
// taken apart.
const timestamp = new Parser().uint32le('low').uint32le('high');

const record = new Parser()
  .uint32le('header')
  .choice('tsc', {
    tag: function (this: ParsedRecord): number {
      return this.header & CYCLES_FLAG ? 1 : 0;
    },
    choices: { 0: new Parser(), 1: timestamp },
  })
  .array('words', {
    type: 'uint32le',
    length: function (this: ParsedRecord): number {
      return (this.header >>> 28) & 7;
    },
  });

const records = new Parser().array('records', { type: record, readUntil: 'eof' });

const window = new Parser()
  .uint32le('header', { assert: WINDOW_HEADER })
  .uint32le('pcpu')
  .uint32le('bytes')
  .buffer('body', { length: 'bytes' });

const trace = new Parser().array('windows', { type: window, readUntil: 'eof' });

/**
 * Parses a whole sound trace.
 *
 * @throws Error or RangeError of binary-parser where the trace is not sound.
 */
export function parseReference(bytes: Uint8Array): ReferenceWindow[] {
  const parsed = trace.parse(bytes) as unknown as {
    windows: { pcpu: number; bytes: number; body: Uint8Array }[];
  };
  return parsed.windows.map(({ pcpu, bytes: length, body }) => ({
    pcpu,
    bytes: length,
    records: parseReferenceRecords(body),
  }));
}

/** Parses records that follow each other without a window header. */
export function parseReferenceRecords(bytes: Uint8Array): ReferenceRecord[] {
  if (bytes.length === 0) return [];
  const parsed = records.parse(bytes) as unknown as { records: ParsedRecord[] };
  return parsed.records.map(({ header, tsc, words }) => ({
    event: header & EVENT_MASK,
    tsc: tsc.low === undefined ? undefined : (BigInt(tsc.high ?? 0) << 32n) | BigInt(tsc.low),
    words: [...words],
  }));
}

/** All records of all windows with their pCPU, as they lie in the file; window headers are none. */
export function listReferenceRecords(
  windows: readonly ReferenceWindow[],
): (ReferenceRecord & { readonly pcpu: number })[] {
  return windows.flatMap(({ pcpu, records: own }) =>
    own.filter(({ event }) => event !== TRC_TRACE_CPU_CHANGE).map((entry) => ({ ...entry, pcpu })),
  );
}
