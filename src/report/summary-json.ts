import type { TraceSummary } from './trace-summary.ts';

/**
 * `info --format json`, and the `trace` part of `analyze --format json`. Keys are stable and documented in
 * docs/metrics.md. 64-bit values that a double cannot hold are strings of digits.
 */
export function summaryToJson(summary: TraceSummary): Record<string, unknown> {
  return {
    name: summary.name,
    bytes: summary.bytes,
    records: summary.records,
    windows: summary.windows,
    span_ns: summary.spanNs,
    cpu_hz: summary.cpuHz,
    cpu_hz_source: summary.cpuHzSource,
    cpu_hz_pairs: summary.cpuHzPairs,
    cpu_hz_spread_ppm: summary.cpuHzSpreadPpm,
    tsc_start: summary.tscStart.toString(),
    lost_records: summary.lostRecords,
    unknown_records: summary.unknownRecords,
    late_records: summary.lateRecords,
    header_bytes: summary.headerBytes,
    record_bytes: summary.recordBytes,
    skipped_bytes: summary.skippedBytes,
    repairs: summary.repairs,
    partial: summary.partial,
    core_scheduling: summary.coreScheduling,
    pcpus: summary.pcpus.map(({ pcpu, records }) => ({ pcpu, records })),
    domains: summary.domains.map(({ dom, vcpus, createdNs, removedNs }) => ({
      dom,
      vcpus,
      created_ns: createdNs,
      removed_ns: removedNs,
    })),
    events: summary.events.map(({ name, id, className, records }) => ({
      name,
      id: `0x${id.toString(16).padStart(8, '0')}`,
      class: className,
      records,
    })),
    unknown: summary.unknown.map(({ kind, records }) => ({ kind, records })),
    diagnostics: summary.diagnostics.map((diagnostic) => ({
      severity: diagnostic.severity,
      code: diagnostic.code,
      pcpu: diagnostic.pcpu < 0 ? null : diagnostic.pcpu,
      offset: diagnostic.offset < 0 ? null : diagnostic.offset,
      bytes: diagnostic.bytes,
      count: diagnostic.count,
      t_ns: diagnostic.tNs ?? null,
      message: diagnostic.message,
      advice: diagnostic.advice,
    })),
  };
}
