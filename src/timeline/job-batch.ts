/** Of {@link JobBatch.missed}: the job was done by its deadline. */
export const JOB_MET = 0;
/** Of {@link JobBatch.missed}: it was done too late, or not yet when its deadline passed. */
export const JOB_MISSED = 1;
/**
 * Of {@link JobBatch.missed}: nobody can tell. The trace ends before completion and deadline, shows no release, or the
 * job has no deadline.
 */
export const JOB_UNJUDGED = 2;

/**
 * A batch of guest jobs: one row for each release of a task, from the TRC_TASK_* records. Completed jobs are ordered by
 * completion; those that the trace does not see completed follow at its end. Times are nanoseconds since the start of
 * the trace; NaN is "not seen". Arrays are reused: a listener copies what it keeps.
 */
export interface JobBatch {
  /** Rows in use. */
  count: number;
  readonly dom: Uint16Array;
  readonly vcpu: Uint16Array;
  /** Number of the task within its domain. */
  readonly task: Uint32Array;
  /** Number of the job within its task, from 0. */
  readonly job: Uint32Array;
  readonly releaseNs: Float64Array;
  /** NaN where the task has no deadline. */
  readonly deadlineNs: Float64Array;
  readonly startNs: Float64Array;
  readonly completionNs: Float64Array;
  /**
   * How long its vCPU ran from the job's start to its completion; NaN where that is not known. Time that the guest gave
   * to another task meanwhile is in it: Xen's records do not tell tasks apart.
   */
  readonly executionNs: Float64Array;
  /** {@link JOB_MET}, {@link JOB_MISSED} or {@link JOB_UNJUDGED}. */
  readonly missed: Uint8Array;
}

/** Allocates an empty batch. */
export function createJobBatch(rows: number): JobBatch {
  return {
    count: 0,
    dom: new Uint16Array(rows),
    vcpu: new Uint16Array(rows),
    task: new Uint32Array(rows),
    job: new Uint32Array(rows),
    releaseNs: new Float64Array(rows),
    deadlineNs: new Float64Array(rows),
    startNs: new Float64Array(rows),
    completionNs: new Float64Array(rows),
    executionNs: new Float64Array(rows),
    missed: new Uint8Array(rows),
  };
}
