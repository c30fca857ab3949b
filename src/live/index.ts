/**
 * What a host is doing now: records in time order come in while they are made, snapshots go out, of the last seconds
 * and since the start.
 *
 * It takes the same timeline as the passes of `analysis/` and means the same by its figures; it differs in what it
 * keeps, which is bounded however long the host is watched. It refuses to know where the records come from and how a
 * snapshot is shown.
 * @module
 */
export { LiveModel, LOOKBACK_NS, WINDOW_NS_MAX } from './live-model.ts';
export { SLICE_NS } from './rolling-sums.ts';
export type { DomainFared, Fared, PcpuLoad, Snapshot, VcpuFared } from './snapshot.ts';
