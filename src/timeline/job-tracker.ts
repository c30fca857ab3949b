/**
 * Jobs of periodic and sporadic guest tasks, from the records that a guest makes at release, start and completion.
 * @module
 */
import { JOB_MET, JOB_MISSED, JOB_UNJUDGED } from './job-batch.ts';
import type { TimelineOutput } from './timeline-listener.ts';

/**
 * How late a completion may be and still count as met. A record's time may be ahead of its instant: records of one
 * simulated instant get consecutive TSCs, up to some 520 ns ahead, and a real guest's record is made after the job's
 * end, by a hypercall. A job that completes exactly at its deadline meets it.
 */
export const DEADLINE_TOLERANCE_NS = 1_000;

/**
 * How much later than its start a job's release may be recorded: both may be of one instant, made on two pCPUs, whose
 * records of one TSC come in the order of the pCPUs.
 */
const SAME_INSTANT_NS = 1_000;

/** Open jobs remembered per task; when more are open, the oldest one is given up as not seen completed. */
const OPEN_JOBS_MAX = 65_536;

/** How long vCPUs have run, see RunstateTracker. */
export interface RunningTime {
  ranNs(tNs: number, key: number): number;
  unknownNs(key: number): number;
}

interface Start {
  readonly job: number;
  readonly ns: number;
  /** The vCPU that it started on, and what {@link RunningTime} said of it then. */
  readonly key: number;
  readonly ranNs: number;
  readonly unknownNs: number;
}

interface Job {
  readonly key: number;
  readonly job: number;
  readonly releaseNs: number;
  readonly deadlineNs: number;
  start: Start | undefined;
  /** Losses of records that had ended when it was released: a later one may have taken its completion. */
  readonly losses: number;
}

/** Jobs of one task in the order of their release: they start and complete in that order, or nearly so. */
interface Task {
  readonly task: number;
  readonly open: Job[];
  /** The latest start of a job that was not released before: it may be released by a record of another pCPU. */
  early: Start | undefined;
}

export class JobTracker {
  readonly #output: TimelineOutput;
  readonly #running: RunningTime;
  /** By `dom * 2^32 + task`. Objects: a job lives for milliseconds, records by the thousand per second at most. */
  readonly #tasks = new Map<number, Task>();
  #losses = 0;

  constructor(output: TimelineOutput, running: RunningTime) {
    this.#output = output;
    this.#running = running;
  }

  /** @param deadlineNs relative to the release; 0: none. @param lateNs how long before the record the release was. */
  release(tNs: number, key: number, task: number, job: number, deadlineNs: number, lateNs: number): void {
    const releaseNs = tNs - lateNs;
    const { open, early } = this.#task(key, task);
    if (open.length >= OPEN_JOBS_MAX) this.#giveUp(task, open.shift()!, tNs);
    const absoluteNs = deadlineNs > 0 ? releaseNs + deadlineNs : Number.NaN;
    open.push({
      key,
      job,
      releaseNs,
      deadlineNs: absoluteNs,
      start: early?.job === job && tNs - early.ns <= SAME_INSTANT_NS ? early : undefined,
      losses: this.#losses,
    });
  }

  start(tNs: number, key: number, task: number, job: number): void {
    const known = this.#task(key, task);
    const open = known.open.find((candidate) => candidate.job === job);
    if (open?.start !== undefined) return;
    const ranNs = this.#running.ranNs(tNs, key);
    const start = { job, ns: tNs, key, ranNs, unknownNs: this.#running.unknownNs(key) };
    if (open === undefined) known.early = start;
    else open.start = start;
  }

  complete(tNs: number, key: number, task: number, job: number): void {
    const { open } = this.#task(key, task);
    const index = open.findIndex((candidate) => candidate.job === job);
    if (index < 0) {
      this.#output.job(key, task, job, Number.NaN, Number.NaN, Number.NaN, tNs, Number.NaN, JOB_UNJUDGED);
      return;
    }
    const [done] = open.splice(index, 1);
    const { releaseNs, deadlineNs } = done;
    let missed = JOB_UNJUDGED;
    if (!Number.isNaN(deadlineNs)) missed = tNs > deadlineNs + DEADLINE_TOLERANCE_NS ? JOB_MISSED : JOB_MET;
    const executionNs = this.#executionNs(tNs, key, done);
    this.#output.job(done.key, task, job, releaseNs, deadlineNs, startOf(done), tNs, executionNs, missed);
  }

  /** How long the vCPU ran since the job started; NaN where it started on another, or not all of it is known. */
  #executionNs(tNs: number, key: number, { start }: Job): number {
    if (start?.key !== key || this.#running.unknownNs(key) !== start.unknownNs) return Number.NaN;
    return this.#running.ranNs(tNs, key) - start.ranNs;
  }

  /** Records were lost: the completions of open jobs may be among them. */
  loss(): void {
    this.#losses++;
  }

  /** Tells of the jobs that are still open, by task and then by release. `partial`: some pCPU's records are missing. */
  finish(endNs: number, partial: boolean): void {
    if (partial) this.#losses++;
    for (const { task, open } of this.#tasks.values()) {
      for (const job of open) this.#giveUp(task, job, endNs);
    }
    this.#tasks.clear();
  }

  #giveUp(task: number, given: Job, endNs: number): void {
    const { key, job, releaseNs, deadlineNs, losses } = given;
    const missed = deadlineNs <= endNs && losses === this.#losses ? JOB_MISSED : JOB_UNJUDGED;
    this.#output.job(key, task, job, releaseNs, deadlineNs, startOf(given), Number.NaN, Number.NaN, missed);
  }

  #task(key: number, task: number): Task {
    const id = (key >>> 16) * 2 ** 32 + task;
    let found = this.#tasks.get(id);
    if (found === undefined) {
      found = { task, open: [], early: undefined };
      this.#tasks.set(id, found);
    }
    return found;
  }
}

/** Not before its release, of which a record of the same instant may be a little ahead. */
function startOf({ releaseNs, start }: Job): number {
  return start === undefined ? Number.NaN : Math.max(start.ns, releaseNs);
}
