/**
 * A batch of changes of vCPUs' states, in time order over all vCPUs: what several vCPUs do at one instant can be told
 * from it, which intervals, told at their end, cannot tell. The idle domain's are there too. Arrays are reused: a
 * listener copies what it keeps.
 *
 * A change is told when it happens, so that it says less than an interval: a vCPU that no record has named yet is in no
 * row, and credit's parking is still offline here. Where `from` is not what the row before said of the vCPU, records
 * are missing, and the state between the two is not known.
 */
export interface TransitionBatch {
  /** Rows in use. */
  count: number;
  /** When, in nanoseconds since the start of the trace. */
  readonly tNs: Float64Array;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  /** Index of the vCPU, from 0, the same in every batch of a timeline. */
  readonly vcpuIndex: Int32Array;
  /** The state before, by the record itself: RUNNING to OFFLINE, or THROTTLED; UNKNOWN after a loss began. */
  readonly from: Uint8Array;
  /** RUNNING to OFFLINE, THROTTLED (no budget), UNKNOWN (a loss began) or {@link REMOVED}. */
  readonly to: Uint8Array;
  /** Where it runs (RUNNING), else where it last ran; -1 where not known. */
  readonly pcpu: Int16Array;
  /** Of a wake-up, as in RunstateBatch. */
  readonly wakerPcpu: Int16Array;
  readonly wakerKey: Uint32Array;
}

/** The state of a vCPU whose domain is no more. */
export const REMOVED = 6;

/** Allocates an empty batch. */
export function createTransitionBatch(rows: number): TransitionBatch {
  return {
    count: 0,
    tNs: new Float64Array(rows),
    dom: new Uint16Array(rows),
    vcpu: new Uint16Array(rows),
    vcpuIndex: new Int32Array(rows),
    from: new Uint8Array(rows),
    to: new Uint8Array(rows),
    pcpu: new Int16Array(rows),
    wakerPcpu: new Int16Array(rows),
    wakerKey: new Uint32Array(rows),
  };
}
