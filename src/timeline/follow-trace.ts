import { createRecordBatch, type RecordBatch } from '../decoder/record-batch.ts';
import { refuseUsed } from '../decoder/refuse-used.ts';
import type { TraceReader } from '../decoder/trace-reader.ts';
import { type DomainInfo, Timeline, type TimelineOptions } from './timeline.ts';
import type { TimelineListener } from './timeline-listener.ts';

/** What {@link followTrace} may be told; nothing has to be. */
export interface FollowOptions extends Pick<TimelineOptions, 'affinities'> {
  /** Where the last intervals end; the last record unless given. */
  readonly endNs?: number | undefined;
  /** Hears of all records, batch by batch, each after the timeline has taken it; the arrays are reused. */
  readonly onRecords?: ((batch: RecordBatch) => void) | undefined;
}

/** What was learnt on the way, besides what the listeners were told. Plain values. */
export interface TimelineFacts {
  /** Where the last intervals end. */
  readonly spanNs: number;
  /** The domains that records name. */
  readonly domains: readonly DomainInfo[];
  /** Records that did not continue what was known of their vCPU: some are missing that no loss accounts for. */
  readonly repairs: number;
  /** Records of some pCPU are missing altogether: only running time is known. */
  readonly partial: boolean;
  /** The host scheduled cores or sockets as a whole (Xen's `sched-gran`): its switches show it. */
  readonly coreScheduling: boolean;
}

/**
 * Reads a trace to its end, once, and tells the listeners what each vCPU was doing. The reader must be fresh, and stays
 * open.
 *
 * @throws UserError already-read where it is not, or when the operating system cannot read on; damage in the trace
 *   never throws.
 */
export function followTrace(
  reader: TraceReader,
  listeners: readonly TimelineListener[],
  { affinities, endNs, onRecords }: FollowOptions = {},
): TimelineFacts {
  refuseUsed(reader, 'a timeline is');
  const timeline = new Timeline(reader.catalog, listeners, { pcpus: reader.pcpus, affinities });
  const batch = createRecordBatch();
  while (reader.readBatch(batch)) {
    timeline.push(batch);
    onRecords?.(batch);
  }
  const spanNs = endNs ?? reader.counts().spanNs;
  timeline.finish(spanNs);
  const { repairs, partial, coreScheduling } = timeline;
  return { spanNs, domains: timeline.domains(), repairs, partial, coreScheduling };
}
