import type { SampleLimits } from './cycle-summary.ts';
import { CycleTable, type CycleTotals } from './cycle-table.ts';
import {
  BLOCKED,
  DOMAIN_RUNSTATE_NAMES,
  INIT,
  OFFLINE,
  RUNNABLE,
  RUNNABLE_CAUSE_NAMES,
  RUNNING,
  RUNSTATE_NAMES,
} from './state.ts';

/**
 * Where transitions from one runstate to the next go, of vCPUs that the caller has numbered. What they add up to is
 * known at the end only, so that a thread can do it.
 */
export interface RunstateTimes {
  /** A vCPU that has no runstate yet, of a domain (numbered like vCPUs) or of one that nobody asks for: -1. */
  addVcpu(vcpu: number, domain: number): void;
  /** A vCPU goes over to a runstate. */
  pass(vcpu: number, runstate: number, tsc: number): void;
  /** A vCPU runs, but nobody knows since when; it does not count among its domain's. */
  supposeRunning(vcpu: number): void;
  /** It is not known any more since when a vCPU is in its runstate. */
  forgetStart(vcpu: number): void;
  /** What was counted. Nothing can be added afterwards. */
  totals(): RunstateTotals;
}

export interface RunstateTotals {
  /** Of a vCPU in one of {@link RUNSTATE_NAMES}. */
  ofRunstate(vcpu: number, runstate: number): CycleTotals;
  /** Of a vCPU that was runnable, for one of {@link RUNNABLE_CAUSE_NAMES}. */
  ofCause(vcpu: number, cause: number): CycleTotals;
  /** Of a domain in one of {@link DOMAIN_RUNSTATE_NAMES}. */
  ofDomain(domain: number, runstate: number): CycleTotals;
}

export interface RunstateTimesOptions extends SampleLimits {
  /** The TSC that stands for none. */
  readonly never: number;
}

/** How many numbers a {@link CycleTable} has for each vCPU or domain: its runstates, then causes of being runnable. */
const NUMBERS = RUNSTATE_NAMES.length + RUNNABLE_CAUSE_NAMES.length;

const RUNSTATES = RUNSTATE_NAMES.length;
/** By old and new runstate: under which of a vCPU's numbers the new one is counted. If it is runnable, by the cause. */
const NUMBER_OF = Uint8Array.from({ length: RUNSTATES * RUNSTATES }, (_, i) => {
  const [old, next] = [Math.floor(i / RUNSTATES), i % RUNSTATES];
  return next === RUNNABLE ? RUNSTATES + runnableCause(old) : next;
});

/** Why a vCPU became runnable: an index of RUNNABLE_CAUSE_NAMES. */
function runnableCause(old: number): number {
  const [wake, preempt, other] = [1, 2, 3];
  if (old === RUNNING) return preempt;
  return old === BLOCKED || old === OFFLINE ? wake : other;
}

// What a domain's vCPUs do together.
const [
  DOMAIN_BLOCKED,
  PARTIAL_RUN,
  FULL_RUN,
  PARTIAL_CONTENTION,
  CONCURRENCY_HAZARD,
  FULL_CONTENTION,
  DOMAIN_LOST,
] = DOMAIN_RUNSTATE_NAMES.keys();

/** By whether any of a domain's vCPUs is running (1), runnable (2), blocked or offline (4). */
const DOMAIN_RUNSTATES = Uint8Array.of(
  DOMAIN_LOST,
  FULL_RUN,
  FULL_CONTENTION,
  CONCURRENCY_HAZARD,
  DOMAIN_BLOCKED,
  PARTIAL_RUN,
  PARTIAL_CONTENTION,
  CONCURRENCY_HAZARD,
);

/** Counts how long vCPUs, and the vCPUs of each domain together, are in each runstate. */
export class RunstateCounter implements RunstateTimes {
  readonly #never: number;
  readonly table: CycleTable;
  // By vCPU or domain: since when it is in its runstate, and the number under which that is counted.
  #starts = new Float64Array(0);
  #numbers = new Int32Array(0);
  // By vCPU.
  #runstates = new Uint8Array(0);
  #domains = new Int32Array(0);
  /** By domain, {@link RUNSTATES} each: how many of its vCPUs are in it. */
  #counts = new Int32Array(0);

  constructor(options: RunstateTimesOptions) {
    this.#never = options.never;
    this.table = new CycleTable(options);
  }

  addVcpu(vcpu: number, domain: number): void {
    while (Math.max(vcpu, domain) >= this.#starts.length) this.#grow();
    this.#domains[vcpu] = domain;
    this.#runstates[vcpu] = INIT;
    this.#numbers[vcpu] = vcpu * NUMBERS + INIT;
    for (const cause of RUNNABLE_CAUSE_NAMES.keys())
      this.table.addTo(vcpu * NUMBERS + RUNNABLE, vcpu * NUMBERS + RUNSTATES + cause);
  }

  pass(vcpu: number, runstate: number, tsc: number): void {
    const { table } = this;
    const starts = this.#starts;
    const numbers = this.#numbers;
    const never = this.#never;
    const start = starts[vcpu];
    if (start > never && start < tsc) table.add(numbers[vcpu], tsc - start);
    starts[vcpu] = tsc;
    const old = this.#runstates[vcpu];
    this.#runstates[vcpu] = runstate;
    numbers[vcpu] = vcpu * NUMBERS + NUMBER_OF[old * RUNSTATES + runstate];
    const domain = this.#domains[vcpu];
    if (domain < 0) return;
    const domainStart = starts[domain];
    if (domainStart > never && domainStart < tsc) table.add(numbers[domain], tsc - domainStart);
    starts[domain] = tsc;
    const counts = this.#counts;
    const of = domain * RUNSTATES;
    counts[of + old]--;
    counts[of + runstate]++;
    const running = Number(counts[of + RUNNING] > 0);
    const runnable = Number(counts[of + RUNNABLE] > 0);
    const still = Number(counts[of + BLOCKED] + counts[of + OFFLINE] > 0);
    numbers[domain] = domain * NUMBERS + DOMAIN_RUNSTATES[running | (runnable << 1) | (still << 2)];
  }

  supposeRunning(vcpu: number): void {
    this.#runstates[vcpu] = RUNNING;
    this.#numbers[vcpu] = vcpu * NUMBERS + RUNNING;
  }

  forgetStart(vcpu: number): void {
    this.#starts[vcpu] = this.#never;
  }

  totals(): RunstateTotals {
    return runstateTotals(this.table.totals());
  }

  #grow(): void {
    const length = Math.max(64, this.#starts.length * 2);
    const starts = new Float64Array(length).fill(this.#never);
    const [numbers, domains, counts] = [length, length, length * RUNSTATES].map((n) => new Int32Array(n));
    const runstates = new Uint8Array(length);
    starts.set(this.#starts);
    numbers.set(this.#numbers);
    domains.set(this.#domains);
    counts.set(this.#counts);
    runstates.set(this.#runstates);
    this.#starts = starts;
    this.#numbers = numbers;
    this.#domains = domains;
    this.#counts = counts;
    this.#runstates = runstates;
  }
}

/** What a table's numbers stand for. */
export function runstateTotals(totals: (number: number) => CycleTotals): RunstateTotals {
  return {
    ofRunstate: (vcpu, runstate) => totals(vcpu * NUMBERS + runstate),
    ofCause: (vcpu, cause) => totals(vcpu * NUMBERS + RUNSTATES + cause),
    ofDomain: (domain, runstate) => totals(domain * NUMBERS + runstate),
  };
}

/** For runs that do not want to know. */
export const NO_TIMES: RunstateTimes = {
  addVcpu: () => {},
  pass: () => {},
  supposeRunning: () => {},
  forgetStart: () => {},
  totals: () => runstateTotals(() => NOTHING),
};

const NOTHING: CycleTotals = { count: 0, cycles: 0, mean: 0, percentiles: { p5: 0, p50: 0, p95: 0 } };
