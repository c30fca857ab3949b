/** Xen's runstates (public/vcpu.h) and two of our own. */
export const RUNNING = 0;
export const RUNNABLE = 1;
export const BLOCKED = 2;
export const OFFLINE = 3;
/** Nobody can know: the start of the trace, after lost records. Never counted as waiting, running or idle. */
export const UNKNOWN = 4;
/** Out of budget or parked for its cap: kept from running by the scheduler's limits, not by others. */
export const THROTTLED = 5;
export const RUNSTATE_NAMES = ['running', 'runnable', 'blocked', 'offline', 'unknown', 'throttled'] as const;

/** Domain id of Xen's idle domain: its vCPU n is pCPU n's idle loop. */
export const DOM_IDLE = 0x7fff;

/**
 * A batch of intervals, each the time that one vCPU spent in one runstate; ordered by end. The idle domain's are there
 * too. The first and last interval of a vCPU reach to the borders of the trace and say so in `complete`.
 */
export interface RunstateBatch {
  count: number;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  readonly state: Uint8Array;
  /** The state before this one (UNKNOWN for the first). */
  readonly previous: Uint8Array;
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** Where it ran (RUNNING), else where it last ran; -1 where not known. */
  readonly pcpu: Int16Array;
  /** bit 0: the start was seen; bit 1: the end was seen. */
  readonly complete: Uint8Array;
}

/** Why a vCPU began to wait for a pCPU: it woke, was preempted (or yielded), or was let run again after a pause. */
export const WAIT_CAUSES = ['wake', 'preempt', 'resume'] as const;

/** A batch of completed run-queue waits: intervals runnable that ended in running; ordered by end. */
export interface WaitBatch {
  count: number;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  /** Index into {@link WAIT_CAUSES}. */
  readonly cause: Uint8Array;
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** Where it last ran before the wait; -1 where not known. */
  readonly fromPcpu: Int16Array;
  /** Where it got to run. */
  readonly toPcpu: Int16Array;
  /** The vCPU that ran longest on toPcpu meanwhile; dom -1 where none is known. */
  readonly ranDom: Int32Array;
  readonly ranVcpu: Int32Array;
  readonly ranNs: Float64Array;
  /** Part of the wait in which the vCPU was kept back by its own budget or cap (see THROTTLED). */
  readonly throttledNs: Float64Array;
}
