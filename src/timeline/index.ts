/**
 * Records in time order come in; what each vCPU did goes out, as columns: intervals in a runstate, waits for a pCPU,
 * jobs. Bounded memory, whatever the length of the trace.
 *
 * It refuses to know where the records came from, how they are encoded, and what the figures mean: it takes no sums.
 * What it cannot know it calls unknown and does not guess.
 * @module
 */
export * from './blame-batch.ts';
export type { Affinities } from './blame-tracker.ts';
export { type FollowOptions, followTrace, type TimelineFacts } from './follow-trace.ts';
export { createJobBatch, JOB_MET, JOB_MISSED, JOB_UNJUDGED, type JobBatch } from './job-batch.ts';
export { DEADLINE_TOLERANCE_NS } from './job-tracker.ts';
export * from './runstate-batch.ts';
export type { OpenInterval } from './runstate-tracker.ts';
export { type DomainInfo, Timeline, type TimelineOptions } from './timeline.ts';
export type { TimelineListener } from './timeline-listener.ts';
export { TraceAhead, type TraceAheadOptions } from './trace-ahead.ts';
export * from './transition-batch.ts';
export { domLabel, vcpuLabel } from './vcpu-label.ts';
export { VcpuTable } from './vcpu-table.ts';
