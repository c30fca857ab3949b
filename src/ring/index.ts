/**
 * Where trace records land: Xen's per-pCPU trace buffers.
 *
 * In: records, one call each, from the simulated hypervisor, which asks first whether a record is wanted.
 * Out: for the recorder, each ring's bytes that have not been fetched yet; on the way records are masked,
 * wrapped around the end of the ring, and lost where there is no space, all as Xen does it.
 * Knows nothing of what a record means, of files, nor of time beyond the TSCs it is given.
 * @module
 */
export { EVENT_CLASS_MASKS, EVENT_MASK_ALL, eventMatches } from './event-mask.ts';
export { PAGE_BYTES, ringDataBytes, ringPagesMax, T_BUF_BYTES } from './ring-size.ts';
export {
  DATA_BYTES_MIN,
  type Insertion,
  KEPT,
  KEPT_AND_CROSSED_HIGH_WATER,
  LOST,
  LOST_RECORD_BYTES,
  TraceRing,
} from './trace-ring.ts';
export { TraceRings, type TraceRingsOptions } from './trace-rings.ts';
