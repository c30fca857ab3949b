import type { TraceSummary } from '../../src/report/index.ts';

/** A summary of a perfect small trace, but for what is given. */
export function summaryOf(given: Partial<TraceSummary> = {}): TraceSummary {
  return {
    name: 'small.trace',
    bytes: 1200,
    records: 50,
    windows: 2,
    spanNs: 1_000_000,
    part: { fromNs: 0, endNs: 1_000_000, vcpus: null, pcpus: null },
    cpuHz: 1e9,
    cpuHzSource: 'derived',
    cpuHzPairs: 20,
    cpuHzSpreadPpm: 1.5,
    tscStart: 2n ** 60n + 1n,
    pcpus: [
      { pcpu: 0, records: 30 },
      { pcpu: 1, records: 20 },
      { pcpu: 4, records: 0 },
    ],
    domains: [
      { dom: 1, vcpus: 2, createdNs: null, removedNs: 500 },
      { dom: 32767, vcpus: 3, createdNs: null, removedNs: null },
    ],
    events: [{ name: 'TRC_SCHED_WAKE', id: 0x28004, className: 'sched_core', records: 50 }],
    unknown: [],
    unknownRecords: 0,
    lostRecords: 0,
    lateRecords: 0,
    headerBytes: 24,
    recordBytes: 1176,
    skippedBytes: 0,
    repairs: 0,
    partial: false,
    coreScheduling: false,
    diagnostics: [],
    ...given,
  };
}
