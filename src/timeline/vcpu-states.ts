import { NO_VCPU, UNKNOWN } from './runstate-batch.ts';

/** The state of a vCPU that no record has named yet, or whose domain is gone. */
export const NEVER_SEEN = 255;

/** What is known of each vCPU, as columns by vCPU index. Internal to timeline/. */
export interface VcpuStates {
  /** By Xen's records: RUNNING to OFFLINE, or UNKNOWN, or {@link NEVER_SEEN}. */
  readonly state: Uint8Array;
  /** What the open interval is shown as: `state` or THROTTLED. */
  readonly shown: Uint8Array;
  /** What the interval before the open one was shown as. */
  readonly previous: Uint8Array;
  /** Start of the open interval. */
  readonly sinceNs: Float64Array;
  /** 1 where the start of the open interval was seen. */
  readonly startSeen: Uint8Array;
  /** When the vCPU entered `state`; earlier than `sinceNs` where throttling cut the interval. */
  readonly enteredNs: Float64Array;
  readonly enteredSeen: Uint8Array;
  /** Where it runs, else where it last ran. */
  readonly place: Int16Array;
  /** Index into WAIT_CAUSES, while RUNNABLE. */
  readonly cause: Uint8Array;
  /** Of the open interval, see RunstateBatch. */
  readonly wakerPcpu: Int16Array;
  readonly wakerKey: Uint32Array;
  /** Throttled time since `enteredNs`. */
  readonly throttledNs: Float64Array;
  /** Time running, and time unknown, in all intervals told so far. */
  readonly ranNs: Float64Array;
  readonly unknownNs: Float64Array;
  /** 1 while an RTDS budget is used up. */
  readonly depleted: Uint8Array;
  /** What the last TRC_SCHED_SLEEP says, see throttle-evidence.ts; 0: there was none since it was last up. */
  readonly sleep: Uint8Array;
}

export function createVcpuStates(size: number): VcpuStates {
  return {
    state: new Uint8Array(size).fill(NEVER_SEEN),
    shown: new Uint8Array(size).fill(UNKNOWN),
    previous: new Uint8Array(size).fill(UNKNOWN),
    sinceNs: new Float64Array(size),
    startSeen: new Uint8Array(size),
    enteredNs: new Float64Array(size),
    enteredSeen: new Uint8Array(size),
    place: new Int16Array(size).fill(-1),
    cause: new Uint8Array(size),
    wakerPcpu: new Int16Array(size).fill(-1),
    wakerKey: new Uint32Array(size).fill(NO_VCPU),
    throttledNs: new Float64Array(size),
    ranNs: new Float64Array(size),
    unknownNs: new Float64Array(size),
    depleted: new Uint8Array(size),
    sleep: new Uint8Array(size),
  };
}

/** Twice the size, with what `states` holds. */
export function growVcpuStates(states: VcpuStates): VcpuStates {
  const grown = createVcpuStates(states.state.length * 2);
  for (const name of Object.keys(states) as (keyof VcpuStates)[]) grown[name].set(states[name]);
  return grown;
}
