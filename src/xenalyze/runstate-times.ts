import type { Percentiles } from './percentiles.ts';

/** What comes of a {@link RunstateLog}. What it adds up to is known at the end only, so that a thread can do it. */
export interface RunstateTimes {
  /** Takes some words of the log, which are not there any more afterwards. */
  take(words: Int32Array): void;
  /** What was counted. Nothing can be taken afterwards. */
  totals(): RunstateTotals;
}

/** vCPUs and domains are given as their indexes. */
export interface RunstateTotals {
  /** Of a vCPU in one of {@link RUNSTATE_NAMES}. */
  ofRunstate(vcpu: number, runstate: number): CycleTotals;
  /** Of a vCPU that was runnable, for one of {@link RUNNABLE_CAUSE_NAMES}. */
  ofCause(vcpu: number, cause: number): CycleTotals;
  /** Of a domain in one of {@link DOMAIN_RUNSTATE_NAMES}. */
  ofDomain(domain: number, runstate: number): CycleTotals;
}

export interface CycleTotals {
  readonly count: number;
  readonly cycles: number;
  /** Rounded down. */
  readonly mean: number;
  /** Weighted by time; zeros where no sample was kept. */
  readonly percentiles: Percentiles;
}
