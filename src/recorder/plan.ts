import { UserError } from '../base/errors.ts';
import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import { ringDataBytes, ringPagesMax, TraceRings } from '../ring/index.ts';
import { selectPcpus } from './masks.ts';
import type { RecorderOptions } from './options.ts';

/** What a recording is planned for. The fields of a Scenario that concern it. */
export interface RecordingTarget {
  readonly host: { readonly pcpus: number };
  readonly durationNs: number;
  readonly trace: { readonly eventMask: number; readonly flushNs: number; readonly endNs: number };
}

/**
 * Options and target together: every number of a recording, none of them open any more. Names that
 * {@link RecorderOptions} has too mean the same.
 */
export interface RecordingPlan {
  readonly pcpus: number;
  readonly eventMask: number;
  readonly selectedPcpus: readonly boolean[];
  /** Bytes for records in each ring. */
  readonly dataBytes: number;
  readonly pollNs: number;
  readonly logThreshold: number;
  readonly startNs: number;
  /** Exclusive: what happens at this instant is not recorded any more. */
  readonly stopNs: number;
  /** Whether tracing is off from startNs on, up to enableAtNs. */
  readonly startsDisabled: boolean;
  readonly enableAtNs: number | undefined;
  readonly discardBuffers: boolean;
  readonly dontDisableTracing: boolean;
  readonly memoryBufferBytes: number;
  readonly reserveDiskMegabytes: number;
  readonly wakeLatencyNs: number | undefined;
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Fits options to a host and a run. The recording stops with the scenario's trace_end_ns or after -T,
 * whichever comes first. Throws UserError: `bad-cpu-mask` for pCPUs that the host does not have,
 * `nothing-to-record` for a recorder that would start after the end.
 */
export function planRecording(options: RecorderOptions, target: RecordingTarget): RecordingPlan {
  const { pcpus } = target.host;
  const notes: string[] = [];
  const pagesMax = ringPagesMax(pcpus);
  const pages = Math.min(options.tracePages, pagesMax);
  if (pages < options.tracePages) {
    notes.push(
      `requested number of ${options.tracePages} pages reduced to ${pages}, the most for ${pcpus} pCPUs`,
    );
  }
  const endNs = Math.min(target.durationNs, target.trace.endNs);
  if (options.startNs >= endNs) {
    throw new UserError(
      'nothing-to-record',
      `--start-at ${formatNanosecondsExact(options.startNs)} is not before the end of the trace, ` +
        formatNanosecondsExact(endNs),
    );
  }
  const stopNs = options.intervalNs > 0 ? Math.min(endNs, options.startNs + options.intervalNs) : endNs;
  if (options.startDisabled && (options.enableAtNs ?? stopNs) >= stopNs) {
    notes.push('tracing stays off to the end: -X records nothing until --enable-at');
  }
  return {
    pcpus,
    eventMask: options.eventMask ?? target.trace.eventMask,
    selectedPcpus: selectPcpus(options.cpuMask, pcpus),
    dataBytes: ringDataBytes(pages),
    pollNs: options.pollNs ?? target.trace.flushNs,
    logThreshold: options.logThreshold,
    startNs: options.startNs,
    stopNs,
    startsDisabled: options.startDisabled && options.enableAtNs !== options.startNs,
    enableAtNs: options.enableAtNs,
    discardBuffers: options.discardBuffers,
    dontDisableTracing: options.dontDisableTracing,
    memoryBufferBytes: options.memoryBufferBytes,
    reserveDiskMegabytes: options.reserveDiskMegabytes,
    wakeLatencyNs: options.wakeLatencyNs,
    notes,
  };
}

/** The rings of a planned recording, to be given to the machine when it is made. */
export function createTraceRings(plan: RecordingPlan): TraceRings {
  return new TraceRings({
    pcpus: plan.pcpus,
    dataBytes: plan.dataBytes,
    eventMask: plan.eventMask,
    tracesPcpu: (pcpu) => plan.selectedPcpus[pcpu]!,
    enabled: !(plan.startsDisabled && plan.startNs === 0),
  });
}
