/**
 * The states of a whole domain, as xenalyze has them: what its vCPUs do together. By Xen's own runstates: a vCPU that
 * RTDS keeps back for its budget is runnable, one that credit or credit2 keeps back for its cap is offline.
 * @module
 */
import { BLOCKED, OFFLINE, REMOVED, RUNNABLE, RUNNING, THROTTLED, UNKNOWN } from '../timeline/index.ts';

/** What a vCPU's state means for its domain. */
export const RUNS = 0;
export const WAITS = 1;
/** Blocked or offline. */
export const RESTS = 2;
export const DARK = 3;
/** It is no more. */
export const GONE = 4;

/** By runstate. */
export const KIND_OF_STATE = new Uint8Array(7);
KIND_OF_STATE[RUNNING] = RUNS;
KIND_OF_STATE[RUNNABLE] = WAITS;
KIND_OF_STATE[THROTTLED] = WAITS;
KIND_OF_STATE[BLOCKED] = RESTS;
KIND_OF_STATE[OFFLINE] = RESTS;
KIND_OF_STATE[UNKNOWN] = DARK;
KIND_OF_STATE[REMOVED] = GONE;

export const FULL_RUN = 0;
export const PARTIAL_RUN = 1;
export const CONCURRENCY_HAZARD = 2;
export const PARTIAL_CONTENTION = 3;
export const FULL_CONTENTION = 4;
export const ALL_BLOCKED = 5;
/** It hangs on a vCPU whose state is not known. */
export const DOMAIN_UNKNOWN = 6;
/** It has no vCPU. */
export const NO_DOMAIN = 7;
export const DOMAIN_STATES = 8;

/** xenalyze's names; its "lost" is not quite our "unknown". */
export const DOMAIN_STATE_NAMES = [
  'full run',
  'partial run',
  'concurrency hazard',
  'partial contention',
  'full contention',
  'blocked',
  'unknown',
] as const;

/**
 * The state of a domain by the kinds that its vCPUs have: bit k is set where one has kind k. With some running and some
 * waiting it is a hazard whatever the others do; else it is not known while one of them is not.
 */
export const STATE_OF_KINDS = Uint8Array.from({ length: 16 }, (_, kinds) => {
  const has = (kind: number) => (kinds & (1 << kind)) !== 0;
  if (has(RUNS) && has(WAITS)) return CONCURRENCY_HAZARD;
  if (has(DARK)) return DOMAIN_UNKNOWN;
  if (has(RUNS)) return has(RESTS) ? PARTIAL_RUN : FULL_RUN;
  if (has(WAITS)) return has(RESTS) ? PARTIAL_CONTENTION : FULL_CONTENTION;
  return has(RESTS) ? ALL_BLOCKED : NO_DOMAIN;
});

/** Kinds that give a state, by state. */
const KINDS_OF_STATE = [
  1 << RUNS,
  (1 << RUNS) | (1 << RESTS),
  (1 << RUNS) | (1 << WAITS),
  (1 << WAITS) | (1 << RESTS),
  1 << WAITS,
  1 << RESTS,
  1 << DARK,
  0,
];

/** The state of a domain in `state` when one more vCPU turns out to be there, of `kind`. */
export function stateWith(state: number, kind: number): number {
  return STATE_OF_KINDS[KINDS_OF_STATE[state] | (1 << kind)];
}
