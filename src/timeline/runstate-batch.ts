/** The vCPU runs on a pCPU: Xen's RUNSTATE_running (public/vcpu.h). {@link RUNSTATE_NAMES} names the states. */
export const RUNNING = 0;
/** It wants to run and waits for a pCPU: Xen's RUNSTATE_runnable. */
export const RUNNABLE = 1;
/** It has nothing to do and waits for an event: Xen's RUNSTATE_blocked. */
export const BLOCKED = 2;
/** It is down, or the toolstack has paused it: Xen's RUNSTATE_offline. */
export const OFFLINE = 3;
/** Nobody can know: the start of the trace, after lost records. Never counted as waiting, running or idle. */
export const UNKNOWN = 4;
/** Out of budget or parked for its cap: kept from running by the scheduler's limits, not by others. */
export const THROTTLED = 5;
/** The name of each state, as tables and texts have it. */
export const RUNSTATE_NAMES = ['running', 'runnable', 'blocked', 'offline', 'unknown', 'throttled'] as const;

/** In place of a vCPU's key (`dom << 16 | vcpu`): none is known. Xen has no domain of such a number. */
export const NO_VCPU = 0xffffffff;

/** Domain id of Xen's idle domain: its vCPU n is pCPU n's idle loop. */
export const DOM_IDLE = 0x7fff;

/**
 * A batch of intervals, each the time that one vCPU spent in one runstate. The idle domain's are there too. The
 * intervals of a vCPU tile its time in the trace without gap or overlap: from the trace's start (or its domain's
 * creation) to the trace's end (or its domain's removal); the first and the last say so in `complete`. Ordered by end,
 * but for the unknown time before a vCPU's first record. Arrays are reused: a listener copies what it keeps.
 */
export interface RunstateBatch {
  /** Rows in use. */
  count: number;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  /** Index of the vCPU, from 0, the same in every batch of a timeline. */
  readonly vcpuIndex: Int32Array;
  /** {@link RUNNING}, {@link RUNNABLE}, ...: an index into {@link RUNSTATE_NAMES}. */
  readonly state: Uint8Array;
  /**
   * The state by Xen's own runstate records. It differs from `state` only where that is THROTTLED: RUNNABLE or OFFLINE,
   * whichever Xen calls a vCPU that its scheduler keeps back.
   */
  readonly xenState: Uint8Array;
  /** The state before this one (UNKNOWN for the first). */
  readonly previous: Uint8Array;
  /** Nanoseconds since the start of the trace, as `endNs`. */
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** Where it ran (RUNNING), else where it last ran; -1 where not known. */
  readonly pcpu: Int16Array;
  /** bit 0: the start was seen; bit 1: the end was seen. */
  readonly complete: Uint8Array;
  /** Of an interval that a wake-up began: the pCPU that recorded the wake-up; -1 for others. */
  readonly wakerPcpu: Int16Array;
  /**
   * `dom << 16 | vcpu` of what ran there. It may have woken the other, or an interrupt did while it ran. The idle
   * domain's where the pCPU idled; {@link NO_VCPU} where it is not known.
   */
  readonly wakerKey: Uint32Array;
}

/** Why a vCPU began to wait for a pCPU: it woke, was preempted (or yielded), or was let run again after a pause. */
export const WAIT_CAUSES = ['wake', 'preempt', 'resume'] as const;

/**
 * A batch of completed run-queue waits: intervals runnable, by Xen's records, that ended in running and whose start was
 * seen; ordered by end. The idle domain has none. Arrays are reused: a listener copies what it keeps.
 */
export interface WaitBatch {
  /** Rows in use. */
  count: number;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  /** Index of the vCPU, from 0, the same in every batch of a timeline. */
  readonly vcpuIndex: Int32Array;
  /** Index into {@link WAIT_CAUSES}. */
  readonly cause: Uint8Array;
  /** Nanoseconds since the start of the trace, as `endNs`: the wait is the difference. */
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** Where it last ran before the wait; -1 where not known. */
  readonly fromPcpu: Int16Array;
  /** Where it got to run; -1 where not known (see place-tracker.ts). */
  readonly toPcpu: Int16Array;
  /** The vCPU that ran longest on toPcpu meanwhile (the idle domain's where it idled); dom -1 where none is known. */
  readonly ranDom: Int32Array;
  readonly ranVcpu: Int32Array;
  /** How long that one ran there meanwhile. */
  readonly ranNs: Float64Array;
  /** Part of the wait in which the vCPU was kept back by its own budget or cap (see THROTTLED). */
  readonly throttledNs: Float64Array;
}

/** Allocates an empty batch. */
export function createRunstateBatch(rows: number): RunstateBatch {
  return {
    count: 0,
    dom: new Uint16Array(rows),
    vcpu: new Uint16Array(rows),
    vcpuIndex: new Int32Array(rows),
    state: new Uint8Array(rows),
    xenState: new Uint8Array(rows),
    previous: new Uint8Array(rows),
    startNs: new Float64Array(rows),
    endNs: new Float64Array(rows),
    pcpu: new Int16Array(rows),
    complete: new Uint8Array(rows),
    wakerPcpu: new Int16Array(rows),
    wakerKey: new Uint32Array(rows),
  };
}

/** Allocates an empty batch. */
export function createWaitBatch(rows: number): WaitBatch {
  return {
    count: 0,
    dom: new Uint16Array(rows),
    vcpu: new Uint16Array(rows),
    vcpuIndex: new Int32Array(rows),
    cause: new Uint8Array(rows),
    startNs: new Float64Array(rows),
    endNs: new Float64Array(rows),
    fromPcpu: new Int16Array(rows),
    toPcpu: new Int16Array(rows),
    ranDom: new Int32Array(rows),
    ranVcpu: new Int32Array(rows),
    ranNs: new Float64Array(rows),
    throttledNs: new Float64Array(rows),
  };
}
