import type { Prng } from '../../base/prng.ts';
import type { Workload as WorkloadSpec } from '../../scenario/scenario.ts';
import type { Vcpu } from '../vcpu.ts';
import { DurationSource } from './duration-source.ts';
import type { Guest } from './guest.ts';
import type { Job, JobRecords } from './jobs.ts';

/**
 * What a guest does with its CPU time (section 5 of docs/machine-model.md). Each method answers when the
 * workload next wants to be woken, Infinity for never or for as it was before.
 */
export interface Workload {
  /** When it first wakes. */
  readonly firstWakeNs: number;
  /** It is woken: there is work, in `guest.remainingNs`. Answers the next wake-up that is known now. */
  wake(guest: Guest, nowNs: number): number;
  /**
   * Its burst is over: either `guest.remainingNs` is positive again, or the guest blocks. Answers a new
   * wake-up, or Infinity for the one that is known already, if any.
   */
  finish(guest: Guest, nowNs: number): number;
  /** It gets a pCPU, and CPU time from `fromNs` on. */
  start?(guest: Guest, fromNs: number): void;
}

/**
 * The workload of `vcpu` as the scenario describes it. Random durations come from substreams named after the
 * vCPU.
 */
export function createWorkload(
  spec: Exclude<WorkloadSpec, { kind: 'tasks' }>,
  vcpu: Vcpu,
  root: Prng,
  records: JobRecords,
): Workload {
  const draws = (duration: ConstructorParameters<typeof DurationSource>[0], what: string) =>
    new DurationSource(duration, root, `${vcpu}/${what}`);
  switch (spec.kind) {
    case 'idle':
      return new Once(Infinity, draws({ kind: 'fixed', ns: 0 }, 'run'));
    case 'hog':
      return new Once(spec.offsetNs, draws({ kind: 'fixed', ns: Infinity }, 'run'));
    case 'once':
      return new Once(spec.offsetNs, draws(spec.run, 'run'));
    case 'duty':
      return new Duty(spec.offsetNs, draws(spec.run, 'run'), draws(spec.sleep, 'sleep'));
    case 'dodge':
      return new Dodge(spec.offsetNs, spec.periodNs, spec.guardNs);
    case 'periodic': {
      const period = draws({ kind: 'fixed', ns: spec.periodNs }, 'interarrival');
      return new Jobs(spec.offsetNs, period, draws(spec.burst, 'burst'), spec.deadlineNs, records);
    }
    case 'sporadic': {
      const interarrival = draws(spec.interarrival, 'interarrival');
      return new Jobs(spec.offsetNs, interarrival, draws(spec.burst, 'burst'), spec.deadlineNs, records);
    }
  }
}

/** One burst, then blocked for ever; a hog's burst has no end. */
class Once implements Workload {
  readonly firstWakeNs: number;
  readonly #run: DurationSource;

  constructor(firstWakeNs: number, run: DurationSource) {
    this.firstWakeNs = firstWakeNs;
    this.#run = run;
  }

  wake(guest: Guest): number {
    guest.remainingNs = this.#run.next();
    return Infinity;
  }

  finish(): number {
    return Infinity;
  }
}

/** Runs for some CPU time, sleeps for some time of the clock, and so on. */
class Duty implements Workload {
  readonly firstWakeNs: number;
  readonly #run: DurationSource;
  readonly #sleep: DurationSource;

  constructor(firstWakeNs: number, run: DurationSource, sleep: DurationSource) {
    this.firstWakeNs = firstWakeNs;
    this.#run = run;
    this.#sleep = sleep;
  }

  wake(guest: Guest): number {
    guest.remainingNs = this.#run.next();
    return Infinity;
  }

  finish(_guest: Guest, nowNs: number): number {
    return nowNs + this.#sleep.next();
  }
}

/**
 * Theft of service: whenever it gets a pCPU it runs until `guardNs` before the next multiple of `periodNs`,
 * then blocks for twice the guard, so that what looks at the multiples never sees it.
 */
class Dodge implements Workload {
  readonly firstWakeNs: number;
  readonly #periodNs: number;
  readonly #guardNs: number;

  constructor(firstWakeNs: number, periodNs: number, guardNs: number) {
    this.firstWakeNs = firstWakeNs;
    this.#periodNs = periodNs;
    this.#guardNs = guardNs;
  }

  wake(guest: Guest): number {
    // How long it really is, is known when it gets a pCPU.
    guest.remainingNs = Infinity;
    return Infinity;
  }

  start(guest: Guest, fromNs: number): void {
    const periods = Math.floor((fromNs + this.#guardNs) / this.#periodNs) + 1;
    guest.remainingNs = periods * this.#periodNs - this.#guardNs - fromNs;
  }

  finish(_guest: Guest, nowNs: number): number {
    return nowNs + 2 * this.#guardNs;
  }
}

/**
 * A task: jobs that are released at fixed or drawn distances, served in turn, without a pause while any
 * waits.
 */
class Jobs implements Workload {
  readonly firstWakeNs: number;
  readonly #interarrival: DurationSource;
  readonly #burst: DurationSource;
  readonly #deadlineNs: number;
  readonly #records: JobRecords;
  /** Released and not begun, in the order of release, from `#firstWaiting` on. */
  #waiting: Job[] = [];
  #firstWaiting = 0;
  #nextNumber = 0;

  constructor(
    firstWakeNs: number,
    interarrival: DurationSource,
    burst: DurationSource,
    deadlineNs: number,
    records: JobRecords,
  ) {
    this.firstWakeNs = firstWakeNs;
    this.#interarrival = interarrival;
    this.#burst = burst;
    this.#deadlineNs = deadlineNs;
    this.#records = records;
  }

  wake(guest: Guest, nowNs: number): number {
    const job: Job = { number: this.#nextNumber, burstNs: this.#burst.next(), started: false };
    this.#nextNumber += 1;
    const { vcpu } = guest;
    // It notices a release at once, whether or not it has a pCPU.
    this.#records.released(vcpu.domain.id, vcpu.id, job.number, this.#deadlineNs);
    this.#records.noticed(vcpu, vcpu.id, job.number, this.#deadlineNs);
    if (guest.job === undefined) take(guest, job);
    else this.#waiting.push(job);
    return nowNs + this.#interarrival.next();
  }

  finish(guest: Guest): number {
    this.#records.completed(guest.vcpu, guest.vcpu.id, guest.job!.number);
    guest.job = undefined;
    if (this.#firstWaiting < this.#waiting.length) {
      take(guest, this.#waiting[this.#firstWaiting]!);
      this.#firstWaiting += 1;
      // Shed what was served once it is the larger part, so that each job is moved at most once on average.
      if (this.#firstWaiting > 64 && this.#firstWaiting * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#firstWaiting);
        this.#firstWaiting = 0;
      }
    }
    return Infinity;
  }
}

function take(guest: Guest, job: Job): void {
  guest.job = job;
  guest.remainingNs = job.burstNs;
}
