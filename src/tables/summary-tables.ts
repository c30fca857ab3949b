import { readFileSync } from 'node:fs';
import type { Diagnostic, RecordBatch } from '../decoder/index.ts';
import { TRC_LOST_RECORDS } from '../format/index.ts';
import type { Timeline } from '../timeline/index.ts';
import { appendRow } from './row-table.ts';
import type { TableSource } from './table-source.ts';
import { SCHEMA_VERSION } from './table-spec.ts';
import type { TableWriter } from './table-writer.ts';

/**
 * What is known of a trace before it is read: the metadata of every file's schema, and the first rows of
 * `meta`.
 */
export function metadataOf(
  source: Pick<TableSource, 'name' | 'bytes' | 'clock' | 'pcpus'>,
): Map<string, string> {
  const { cpuHz, source: cpuHzSource, pairs, spreadPpm, tscStart } = source.clock;
  return new Map([
    ['producer', `xenscope ${VERSION}`],
    ['schema_version', String(SCHEMA_VERSION)],
    ['source', source.name],
    ['source_bytes', String(source.bytes)],
    ['cpu_hz', cpuHz === undefined ? 'unknown' : String(cpuHz)],
    ['cpu_hz_source', cpuHzSource],
    ['cpu_hz_pairs', String(pairs)],
    ['cpu_hz_spread_ppm', String(spreadPpm)],
    ['tsc_start', String(tscStart)],
    ['pcpus', source.pcpus.join(' ')],
  ]);
}

const VERSION: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version;

/** The table `meta`: {@link metadataOf} and what is known only after the last record. */
export function fillMeta(writer: TableWriter, source: TableSource, timeline: Timeline | undefined): void {
  const { records, lostRecords, windows, skippedBytes, lateRecords, spanNs } = source.counts();
  const rows = [
    ...metadataOf(source),
    ['span_ns', spanNs],
    ['records', records],
    ['lost_records', lostRecords],
    ['windows', windows],
    ['skipped_bytes', skippedBytes],
    ['late_records', lateRecords],
    ['diagnostics', source.diagnostics().length],
    ...(timeline ? timelineRows(timeline) : []),
  ] as const;
  for (const [key, value] of rows) appendRow(writer, [key, String(value)]);
}

/** How far to trust the timeline's tables. */
function timelineRows({ coreScheduling, partial, repairs }: Timeline): (readonly [string, unknown])[] {
  return [
    ['core_scheduling', coreScheduling],
    ['timeline_partial', partial],
    ['timeline_repairs', repairs],
  ];
}

/** Adds the batch's lost-records records to the table `lost`. */
export function fillLost(writer: TableWriter, batch: RecordBatch, { clock }: TableSource): void {
  const { count, event, words, wordsOffset } = batch;
  for (let row = 0; row < count; row++) {
    if (event[row] !== TRC_LOST_RECORDS || wordsOffset[row + 1] - wordsOffset[row] !== 4) continue;
    const at = wordsOffset[row];
    const firstTsc = (BigInt(words[at + 3]) << 32n) | BigInt(words[at + 2]);
    appendRow(writer, [
      batch.hasTsc[row] ? batch.tNs[row] : null,
      batch.pcpu[row],
      words[at],
      words[at + 1] & 0xffff,
      words[at + 1] >>> 16,
      firstTsc,
      ticksToNs(firstTsc - clock.tscStart, clock.cpuHz),
    ]);
  }
}

/**
 * Rounded as the decoder rounds; null beyond an Int64. Without a frequency a tick is shown as a nanosecond.
 */
function ticksToNs(ticks: bigint, cpuHz: number | undefined): bigint | null {
  const hz = cpuHz === undefined ? 1_000_000_000n : BigInt(Math.round(cpuHz));
  const twice = ticks * 2_000_000_000n + hz;
  const remainder = ((twice % (2n * hz)) + 2n * hz) % (2n * hz);
  const ns = (twice - remainder) / (2n * hz);
  return BigInt.asIntN(64, ns) === ns ? ns : null;
}

export function fillDiagnostics(writer: TableWriter, diagnostics: readonly Diagnostic[]): void {
  for (const { severity, code, pcpu, offset, bytes, count, tNs, message, advice } of diagnostics) {
    const time = tNs === undefined ? null : Math.round(tNs);
    const row = [severity, code, pcpu < 0 ? null : pcpu, offset < 0 ? null : offset, bytes, count, time];
    appendRow(writer, [...row, message, advice]);
  }
}

/** The entries of the dictionary `code`. */
export function diagnosticCodes(diagnostics: readonly Diagnostic[]): string[] {
  return [...new Set(diagnostics.map(({ code }) => code))].sort();
}
