import type { TraceAnalysis } from '../analysis/index.ts';
import type { Diagnostic } from '../decoder/diagnostic.ts';
import type { TraceFacts } from '../decoder/trace-reader.ts';

/** What a trace is and how far to trust it: the head of every report. Plain values; null is "not known". */
export interface TraceSummary {
  /** The path, or what stands for it. */
  readonly name: string;
  /** Decompressed. */
  readonly bytes: number;
  /** All records but window headers. */
  readonly records: number;
  readonly windows: number;
  /** Time from the first to the last record of the whole trace. */
  readonly spanNs: number;
  readonly part: SummaryPart;
  /** The frequency of the TSC; null: the trace does not tell, and a tick is shown as a nanosecond. */
  readonly cpuHz: number | null;
  /** As in the trace's clock (TraceClock): from how many `pairs` it was derived and how far they lie apart. */
  readonly cpuHzSource: 'derived' | 'given' | 'unknown';
  readonly cpuHzPairs: number;
  readonly cpuHzSpreadPpm: number;
  /** The TSC at time 0. */
  readonly tscStart: bigint;
  readonly pcpus: readonly PcpuSummary[];
  readonly domains: readonly DomainSummary[];
  readonly events: readonly EventSummary[];
  readonly unknown: readonly UnknownEvent[];
  readonly unknownRecords: number;
  /** The sum of what lost-records records say. */
  readonly lostRecords: number;
  /** Records whose TSC is lower than the one before it on their pCPU. */
  readonly lateRecords: number;
  /** The three sum to `bytes`. */
  readonly headerBytes: number;
  readonly recordBytes: number;
  readonly skippedBytes: number;
  /** Breaks in a vCPU's runstates that no loss accounts for. */
  readonly repairs: number;
  /** Some pCPU's records are missing altogether. */
  readonly partial: boolean;
  /** The host scheduled cores or sockets as a whole (Xen's `sched-gran`). */
  readonly coreScheduling: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** What part of the trace is looked at: a stretch of time, and what was chosen of it; null is "all". */
export interface SummaryPart {
  readonly fromNs: number;
  readonly endNs: number;
  /** Domains and vCPUs, as Xen's tools print them. */
  readonly vcpus: readonly string[] | null;
  readonly pcpus: readonly number[] | null;
}

/** A pCPU that has windows in the trace. */
export interface PcpuSummary {
  readonly pcpu: number;
  readonly records: number;
}

/** A domain that runstate records name, and when the trace saw it come and go; null: it did not. */
export interface DomainSummary {
  readonly dom: number;
  /** How many of its vCPUs records name. */
  readonly vcpus: number;
  readonly createdNs: number | null;
  readonly removedNs: number | null;
}

/** How many records of an event there are; events without any are left out. */
export interface EventSummary {
  /** Xen's name. */
  readonly name: string;
  readonly id: number;
  readonly className: string;
  readonly records: number;
}

/** Records of a kind that no definition knows. */
export interface UnknownEvent {
  /** `0x0002f123/5`: event id and number of extra words. */
  readonly kind: string;
  readonly records: number;
}

/** Sums up a trace that was read to its end. */
export function summarizeTrace(reader: TraceFacts, analysis: TraceAnalysis): TraceSummary {
  const counts = reader.counts();
  const { clock } = reader;
  return {
    name: reader.name,
    bytes: reader.bytes,
    records: counts.records,
    windows: counts.windows,
    spanNs: analysis.spanNs,
    part: {
      fromNs: analysis.fromNs,
      endNs: analysis.endNs,
      vcpus: analysis.selection.vcpus?.labels ?? null,
      pcpus: analysis.selection.pcpus === undefined ? null : [...analysis.selection.pcpus],
    },
    cpuHz: clock.cpuHz ?? null,
    cpuHzSource: clock.source,
    cpuHzPairs: clock.pairs,
    cpuHzSpreadPpm: clock.spreadPpm,
    tscStart: clock.tscStart,
    pcpus: reader.pcpus.map((pcpu) => ({ pcpu, records: counts.recordsOfPcpu.get(pcpu) ?? 0 })),
    domains: analysis.domains.map(({ dom, vcpus, createdNs, removedNs }) => ({
      dom,
      vcpus,
      createdNs: createdNs ?? null,
      removedNs: removedNs ?? null,
    })),
    events: eventsOf(reader, counts.byLayout),
    unknown: [...counts.unknown].map(([kind, records]) => ({ kind, records })),
    unknownRecords: counts.byLayout[0],
    lostRecords: counts.lostRecords,
    lateRecords: counts.lateRecords,
    headerBytes: counts.headerBytes,
    recordBytes: counts.recordBytes,
    skippedBytes: counts.skippedBytes,
    repairs: analysis.repairs,
    partial: analysis.partial,
    coreScheduling: analysis.coreScheduling,
    diagnostics: reader.diagnostics(),
  };
}

function eventsOf({ catalog }: TraceFacts, byLayout: Float64Array): EventSummary[] {
  const records = new Float64Array(catalog.events.length);
  for (let layout = 1; layout < byLayout.length; layout++) {
    records[catalog.eventIndexOfLayout[layout]] += byLayout[layout];
  }
  return catalog.events.flatMap(({ name, id, className, index }) =>
    records[index] > 0 ? [{ name, id, className, records: records[index] }] : [],
  );
}
