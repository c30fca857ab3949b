/**
 * Jobs as LITMUS^RT's `st-job-stats` lists them, so that what reads its output reads ours: a comment line that names
 * the columns, one that names each task, and a line for each job whose release and completion the trace shows. Source
 * of the format: feather-trace-tools, src/job_stats.c. Times are nanoseconds.
 *
 *     # Task,   Job,     Period,   Response, DL Miss?,   Lateness,  Tardiness, Forced?,       ACET
 *     # task NAME=d2v0/0 PID=1
 *          1,     0,   10000000,    2000000,        0,   -2000000,          0,       0,    1000000
 *
 * What differs: lines are in the order of completion and not grouped by task; a trace has no PIDs, so tasks are
 * numbered as they come, and named by vCPU and task number; a cell is empty where the trace does not tell; a job is
 * late when docs/metrics.md says so, which forgives the microsecond that its record may take.
 * @module
 */
import type { Analysis } from '../analysis/index.ts';
import { JOB_MISSED, type JobBatch, vcpuLabel } from '../timeline/index.ts';

/** What `st-job-stats` prints above its columns, and how wide each is. */
const COLUMNS = [
  ['Task', 5],
  ['Job', 5],
  ['Period', 10],
  ['Response', 10],
  ['DL Miss?', 8],
  ['Lateness', 10],
  ['Tardiness', 10],
  ['Forced?', 7],
  ['ACET', 10],
] as const;
const PERIOD = 2;
/** Job 0 follows no other. */
const NO_JOB = -2;

type Cells = (number | undefined)[];

interface Task {
  readonly number: number;
  lastJob: number;
  lastReleaseNs: number;
  /** The first job's line, until the second job's release tells the period. */
  first: Cells | undefined;
}

class JobStats {
  readonly listener = { onJobs: (batch: JobBatch) => this.#onJobs(batch) };
  readonly #write: (text: string) => void;
  readonly #tasks = new Map<number, Task>();

  constructor(write: (text: string) => void) {
    this.#write = write;
    this.#write(`#${line(COLUMNS.map(([name]) => name))}`);
  }

  finish(): [] {
    for (const { first } of this.#tasks.values()) this.#tell(first);
    return [];
  }

  #onJobs(batch: JobBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (!Number.isNaN(batch.releaseNs[row])) this.#job(batch, row);
    }
  }

  #job(batch: JobBatch, row: number): void {
    const task = this.#taskOf(batch, row);
    const releaseNs = batch.releaseNs[row];
    const follows = batch.job[row] === task.lastJob + 1;
    const periodNs = follows ? releaseNs - task.lastReleaseNs : undefined;
    const isFirst = task.lastJob === NO_JOB;
    task.lastJob = batch.job[row];
    task.lastReleaseNs = releaseNs;
    if (task.first !== undefined) {
      task.first[PERIOD] = periodNs;
      this.#tell(task.first);
      task.first = undefined;
    }
    if (Number.isNaN(batch.completionNs[row])) return;
    const cells = cellsOf(batch, row, task.number, periodNs);
    if (isFirst) task.first = cells;
    else this.#tell(cells);
  }

  #taskOf(batch: JobBatch, row: number): Task {
    const key = batch.dom[row] * 2 ** 32 + batch.task[row];
    let task = this.#tasks.get(key);
    if (task === undefined) {
      task = { number: this.#tasks.size + 1, lastJob: NO_JOB, lastReleaseNs: 0, first: undefined };
      this.#tasks.set(key, task);
      const name = `${vcpuLabel(batch.dom[row], batch.vcpu[row])}/${batch.task[row]}`;
      this.#write(`# task NAME=${name} PID=${task.number}\n`);
    }
    return task;
  }

  #tell(cells: Cells | undefined): void {
    if (cells !== undefined) this.#write(` ${line(cells)}`);
  }
}

function cellsOf(batch: JobBatch, row: number, task: number, periodNs: number | undefined): Cells {
  const completionNs = batch.completionNs[row];
  const latenessNs = known(completionNs - batch.deadlineNs[row]);
  const hasDeadline = latenessNs !== undefined;
  const missed = batch.missed[row] === JOB_MISSED;
  return [
    task,
    batch.job[row],
    periodNs,
    completionNs - batch.releaseNs[row],
    hasDeadline ? Number(missed) : undefined,
    latenessNs,
    hasDeadline ? Math.max(0, latenessNs) : undefined,
    0,
    known(batch.executionNs[row]),
  ];
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function line(cells: readonly (number | string | undefined)[]): string {
  return `${cells.map((cell, index) => String(cell ?? '').padStart(COLUMNS[index][1])).join(', ')}\n`;
}

/**
 * A pass that answers with no table but writes each job as a line of `st-job-stats`, in one go over the trace.
 *
 * @param write takes the text piece by piece, whole lines
 */
export function jobStatsCsv(write: (text: string) => void): Analysis {
  return {
    name: 'job_stats',
    title: 'Jobs as st-job-stats lists them',
    doc: 'A line for each completed job: period, response, lateness, tardiness, execution time.',
    create: () => new JobStats(write),
  };
}
