/**
 * Why a vCPU waited. The first ones say why the culprit went before the victim; of the others a pCPU that was free, or
 * the victim itself, is the culprit.
 *
 * - `boost`: the culprit was boosted (credit: between BOOST_START and BOOST_END).
 * - `priority`: it went before by the scheduler's own order: more credit (credit2), a lower priority level or an
 *   earlier deadline (RTDS).
 * - `turn`: nothing shows that it went before; it had its turn.
 * - `ratelimit`: it was kept running because it had not run for the minimal time yet (ratelimit of credit, credit2).
 * - `throttled`: the victim's own budget or cap kept it back.
 * - `no_tickle`: a pCPU where it could have run was idle, and no pCPU had been told since the victim woke.
 * - `idle`: a pCPU where it could have run was idle all the same: work conservation was lost.
 * - `dispatch`: the pCPU that took it had been told (tickle), or was deciding already (schedule()), and had not
 *   switched yet.
 * - `unknown`: nobody can tell who ran.
 */
export const BLAME_REASONS = [
  'boost',
  'priority',
  'turn',
  'ratelimit',
  'throttled',
  'no_tickle',
  'idle',
  'dispatch',
  'unknown',
] as const;

/** Indices into {@link BLAME_REASONS}. */
export const BLAME = {
  boost: 0,
  priority: 1,
  turn: 2,
  ratelimit: 3,
  throttled: 4,
  noTickle: 5,
  idle: 6,
  dispatch: 7,
  unknown: 8,
} as const;

/** No culprit is known: {@link BlameBatch.culpritIndex}. */
export const NOBODY = -1;

/**
 * A batch of parts of completed waits (see WaitBatch): what share of a wait one culprit has for one reason. The parts
 * of a wait are adjacent rows, and their `ns` sum to the wait exactly. Arrays are reused: a listener copies what it
 * keeps.
 */
export interface BlameBatch {
  /** Rows in use. */
  count: number;
  /** The victim, by its index in the timeline's batches, and its key, `dom << 16 | vcpu`. */
  readonly vcpuIndex: Int32Array;
  readonly vcpuKey: Uint32Array;
  /** When the wait began and ended. */
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** Where the wait ended; -1 where not known. */
  readonly toPcpu: Int16Array;
  /** The culprit likewise; {@link NOBODY} and 0 where none is known. The victim itself where it was throttled. */
  readonly culpritIndex: Int32Array;
  readonly culpritKey: Uint32Array;
  /** Index into {@link BLAME_REASONS}. */
  readonly reason: Uint8Array;
  /** A whole number, more than 0. */
  readonly ns: Float64Array;
}

/** Allocates an empty batch. */
export function createBlameBatch(rows: number): BlameBatch {
  return {
    count: 0,
    vcpuIndex: new Int32Array(rows),
    vcpuKey: new Uint32Array(rows),
    startNs: new Float64Array(rows),
    endNs: new Float64Array(rows),
    toPcpu: new Int16Array(rows),
    culpritIndex: new Int32Array(rows),
    culpritKey: new Uint32Array(rows),
    reason: new Uint8Array(rows),
    ns: new Float64Array(rows),
  };
}
