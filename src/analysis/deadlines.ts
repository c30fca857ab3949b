import { JOB_MET, JOB_MISSED, type JobBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE, type Coverage } from './coverage.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget, Samples } from './samples.ts';
import { joinRanges, rangeCells, ValueRange } from './value-range.ts';

/** Text has room for two figures of tardiness; programs get all. */
const TARDINESS_SHOWN: Readonly<Record<string, Partial<Column>>> = {
  tardiness_ns_mean: { text: 'never' },
  tardiness_ns_p50: { text: 'never' },
  tardiness_ns_p95: { text: 'never' },
  tardiness_ns_p99: { text: 'nonzero', heading: 'tardiness p99' },
  tardiness_ns_p999: { text: 'never' },
  tardiness_ns_p9999: { text: 'never' },
  tardiness_ns_max: { heading: 'tardiness max' },
  tardiness_max_release_ns: { text: 'nonzero', heading: 'of the job of' },
};

const LOWER = { better: 'lower' } as const;

const MEASURES: readonly Column[] = [
  countColumn('released', 'Jobs released.'),
  countColumn('completed', 'Jobs completed whose release was seen.'),
  countColumn(
    'missed',
    'Jobs that missed their deadline: completed after it, or not complete when the trace ends after it.',
    LOWER,
  ),
  countColumn('missed_unfinished', 'The missed ones that the trace does not see completed.', {
    text: 'never',
    ...LOWER,
  }),
  countColumn(
    'unjudged',
    'Jobs of which nobody can tell: without a deadline, open at the end before it, or hidden by losses.',
  ),
  ratioColumn('miss_ratio', 'missed over the jobs judged: released less unjudged.', LOWER),
  countColumn('misses_in_row_max', 'The longest run of consecutive jobs of a task that all missed.', {
    text: 'nonzero',
    heading: 'misses in a row',
    ...LOWER,
  }),
  nsColumn('misses_in_row_release_ns', 'When the first job of that run was released; null without misses.', {
    instant: true,
    text: 'never',
  }),
  countColumn('misses_in_10_max', 'The most misses among any 10 consecutive jobs of a task.', {
    text: 'never',
    ...LOWER,
  }),
  ...sampleColumns(
    'response_ns',
    'the response times (release to completion)',
    'response_max_release_ns',
    'When the job with the longest response was released, since the start of the trace.',
  ),
  ...sampleColumns(
    'tardiness_ns',
    'the tardiness of completed jobs (completion after the deadline, 0 if in time)',
    'tardiness_max_release_ns',
    'When the most tardy job was released, since the start of the trace.',
  ).map((column): Column => ({ ...column, ...TARDINESS_SHOWN[column.name] })),
  {
    name: 'lateness_ns_mean',
    type: 'float',
    unit: 'ns',
    text: 'never',
    ...LOWER,
    doc: 'Mean lateness of completed jobs: completion less deadline, negative when early.',
  },
  nsColumn('lateness_ns_min', 'The smallest lateness: that of the earliest job.', {
    text: 'never',
    ...LOWER,
  }),
  nsColumn('lateness_ns_max', 'The largest lateness.', { text: 'never', ...LOWER }),
  {
    name: 'laxity_mean',
    type: 'float',
    unit: 'ratio',
    text: 'never',
    better: 'higher',
    doc: 'Mean normalised laxity of completed jobs: what was left of the time to the deadline, over that time.',
  },
  {
    name: 'laxity_min',
    type: 'float',
    unit: 'ratio',
    heading: 'laxity min',
    better: 'higher',
    doc: 'The smallest normalised laxity; negative where a job was late.',
  },
  COVERAGE,
];

const JITTER = { text: 'nonzero', ...LOWER } as const;
/** Text has room for three figures of the start latency. */
const START_SHOWN: Readonly<Record<string, Partial<Column>>> = {
  start_latency_ns_mean: { heading: 'start latency' },
  start_latency_ns_p50: { text: 'never' },
  start_latency_ns_p95: { text: 'never' },
  start_latency_ns_p999: { text: 'never' },
  start_latency_ns_p9999: { text: 'never' },
};
const TIMING: readonly Column[] = [
  countColumn('released', 'Jobs released.'),
  {
    name: 'release_interval_ns_mean',
    type: 'float',
    unit: 'ns',
    heading: 'release interval',
    doc: 'Mean time between the releases of a job and the next: the period of a periodic task.',
  },
  nsColumn('release_interval_ns_min', 'The shortest release interval.', { text: 'never' }),
  nsColumn('release_interval_ns_max', 'The longest release interval.', { text: 'never' }),
  nsColumn(
    'release_jitter_ns',
    'The longest release interval of a task less its shortest: 0 where releases are strictly periodic.',
    JITTER,
  ),
  ...sampleColumns(
    'start_latency_ns',
    'the start latencies (release to the first instruction)',
    'start_latency_max_release_ns',
    'When the job that started latest after its release was released, since the start of the trace.',
  ).map((column): Column => ({ ...column, ...START_SHOWN[column.name] })),
  nsColumn('start_jitter_ns', 'Start latency of a task: its largest less its smallest (absolute).', JITTER),
  nsColumn(
    'start_jitter_relative_ns',
    'Start latency of a task: the largest change from one job to the next (relative).',
    { ...JITTER, text: 'never' },
  ),
  nsColumn('finish_jitter_ns', 'Response time of a task: its largest less its smallest (absolute).', {
    ...JITTER,
    heading: 'response jitter',
  }),
  nsColumn(
    'finish_jitter_relative_ns',
    'Response time of a task: the largest change from one job to the next (relative).',
    { ...JITTER, text: 'never' },
  ),
  {
    name: 'execution_ns_mean',
    type: 'float',
    unit: 'ns',
    heading: 'execution',
    doc: "Mean running time of the job's vCPU from start to completion, where the trace tells it all.",
  },
  nsColumn('execution_ns_min', 'The shortest execution.', { text: 'never' }),
  nsColumn('execution_ns_max', 'The longest execution.', { heading: 'max' }),
  COVERAGE,
];
const TASK: Column = {
  name: 'task',
  type: 'int',
  unit: 'task',
  key: true,
  doc: 'Number of the task within its domain.',
};

/** Consecutive jobs among which misses are counted. */
const MISS_WINDOW = 10;

/** Misses of one task, job by job. Where it is not known of a job, nothing is said across it. */
class MissRuns {
  inRowMax = 0;
  inRowReleaseNs = Number.NaN;
  inWindowMax = 0;
  #inRow = 0;
  #firstReleaseNs = Number.NaN;
  /** The last {@link MISS_WINDOW} jobs, a bit each: 1 is missed. */
  #window = 0;

  add(missed: number, releaseNs: number): void {
    if (missed !== JOB_MISSED) this.#inRow = 0;
    else if (this.#inRow++ === 0) this.#firstReleaseNs = releaseNs;
    if (this.#inRow > this.inRowMax) {
      this.inRowMax = this.#inRow;
      this.inRowReleaseNs = this.#firstReleaseNs;
    }
    const known = missed === JOB_MISSED || missed === JOB_MET;
    const last = missed === JOB_MISSED ? 1 : 0;
    this.#window = known ? ((this.#window << 1) | last) & ((1 << MISS_WINDOW) - 1) : 0;
    this.inWindowMax = Math.max(this.inWindowMax, bitCount(this.#window));
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** A figure of each job: its spread over all, and how much it changes from one job to the next. */
class Jitter {
  readonly values = new ValueRange();
  readonly changes = new ValueRange();
  #last = Number.NaN;

  /** @param follows whether the job before it in the task was the one told last */
  add(value: number, follows: boolean): void {
    if (!Number.isNaN(value)) this.values.add(value);
    const change = Math.abs(value - this.#last);
    if (follows && !Number.isNaN(change)) this.changes.add(change);
    this.#last = value;
  }
}

class TaskJobs {
  readonly dom: number;
  readonly vcpu: number;
  readonly task: number;
  released = 0;
  completed = 0;
  missed = 0;
  missedUnfinished = 0;
  unjudged = 0;
  readonly runs = new MissRuns();
  readonly response: Samples;
  readonly tardiness: Samples;
  readonly startLatency: Samples;
  readonly lateness = new ValueRange();
  readonly laxity = new ValueRange();
  readonly releaseInterval = new ValueRange();
  readonly start = new Jitter();
  readonly finish = new Jitter();
  readonly execution = new ValueRange();
  /** Job 0 follows no other. */
  #lastJob = -2;
  #lastReleaseNs = Number.NaN;

  constructor(dom: number, vcpu: number, task: number, budget: SampleBudget) {
    this.dom = dom;
    this.vcpu = vcpu;
    this.task = task;
    this.response = new Samples(budget);
    this.tardiness = new Samples(budget);
    this.startLatency = new Samples(budget);
  }

  /** Row `row` of a batch, whose release was seen. */
  add(batch: JobBatch, row: number): void {
    const releaseNs = batch.releaseNs[row];
    const completionNs = batch.completionNs[row];
    const missed = batch.missed[row];
    const follows = batch.job[row] === this.#lastJob + 1;
    if (follows) this.releaseInterval.add(releaseNs - this.#lastReleaseNs);
    this.#lastJob = batch.job[row];
    this.#lastReleaseNs = releaseNs;
    this.released++;
    if (missed === JOB_MISSED) this.missed++;
    else if (missed !== JOB_MET) this.unjudged++;
    this.runs.add(missed, releaseNs);
    const latencyNs = Math.max(0, batch.startNs[row] - releaseNs);
    const responseNs = Math.max(0, completionNs - releaseNs);
    this.start.add(latencyNs, follows);
    this.finish.add(responseNs, follows);
    if (!Number.isNaN(latencyNs)) this.startLatency.add(latencyNs, releaseNs);
    if (!Number.isNaN(completionNs)) this.#complete(batch, row, responseNs);
    else if (missed === JOB_MISSED) this.missedUnfinished++;
  }

  #complete({ releaseNs, deadlineNs, completionNs, executionNs, missed }: JobBatch, row: number, ns: number) {
    this.completed++;
    this.response.add(ns, releaseNs[row]);
    if (!Number.isNaN(executionNs[row])) this.execution.add(executionNs[row]);
    const latenessNs = completionNs[row] - deadlineNs[row];
    if (Number.isNaN(latenessNs)) return;
    this.tardiness.add(missed[row] === JOB_MISSED ? latenessNs : 0, releaseNs[row]);
    this.lateness.add(latenessNs);
    const relativeNs = deadlineNs[row] - releaseNs[row];
    if (relativeNs > 0) this.laxity.add(-latenessNs / relativeNs);
  }
}

const NO_JOBS = 'the trace has no job records (TRC_TASK_*). docs/metrics.md says how a guest makes them.';

class DeadlinesRun implements AnalysisRun {
  readonly listener = {
    onJobs: (batch: JobBatch) => this.#onJobs(batch),
  };
  readonly #coverage: Coverage;
  readonly #budget = new SampleBudget();
  readonly #tasks = new Map<number, TaskJobs>();

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  finish(): ResultTable[] {
    return [
      this.#byTask('deadlines', MEASURES, measure, {
        title: 'Jobs and deadlines, by task',
        doc: 'Jobs that guests told of by TRC_TASK_* records: released, completed, missed, response and tardiness.',
      }),
      this.#byDomain('deadlines_by_domain', MEASURES, measure, {
        title: 'Jobs and deadlines, by domain',
        doc: 'The same over all tasks of a domain; runs of misses are those of its worst task.',
      }),
      this.#byTask('job_timing', TIMING, timing, {
        title: 'Jitter of jobs, by task',
        doc: 'How regularly jobs are released, start and finish, and how long they run.',
      }),
      this.#byDomain('job_timing_by_domain', TIMING, timing, {
        title: 'Jitter of jobs, by domain',
        doc: 'The same over all tasks of a domain; jitters are those of its worst task.',
        detail: true,
      }),
    ];
  }

  #byTask(name: string, columns: readonly Column[], cells: Measure, about: About): ResultTable {
    const tasks = [...this.#tasks.values()].sort((a, b) => a.dom - b.dom || a.task - b.task);
    const rows = tasks.map((task) => {
      const coverage = this.#coverage.ofVcpu(task.dom * 0x10000 + task.vcpu);
      return [task.dom, task.vcpu, task.task, ...cells([task]), coverage];
    });
    return {
      name,
      columns: [DOM, VCPU, TASK, ...columns],
      rows,
      sampleColumn: 'released',
      empty: NO_JOBS,
      ...about,
    };
  }

  #byDomain(name: string, columns: readonly Column[], cells: Measure, about: About): ResultTable {
    const tasks = [...this.#tasks.values()];
    const doms = [...new Set(tasks.map(({ dom }) => dom))].sort((a, b) => a - b);
    const rows = doms.map((dom) => {
      const own = tasks.filter((task) => task.dom === dom);
      return [dom, ...cells(own), this.#coverage.ofDomain(dom)];
    });
    return { name, columns: [DOM, ...columns], rows, sampleColumn: 'released', empty: NO_JOBS, ...about };
  }

  #onJobs(batch: JobBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const task = this.#of(batch.dom[row], batch.vcpu[row], batch.task[row]);
      if (!Number.isNaN(batch.releaseNs[row])) task.add(batch, row);
    }
  }

  #of(dom: number, vcpu: number, number: number): TaskJobs {
    const key = dom * 2 ** 32 + number;
    let task = this.#tasks.get(key);
    if (task === undefined) {
      task = new TaskJobs(dom, vcpu, number, this.#budget);
      this.#tasks.set(key, task);
    }
    return task;
  }
}

type Measure = (tasks: readonly TaskJobs[]) => Cell[];
type About = Pick<ResultTable, 'title' | 'doc' | 'detail'>;

function measure(tasks: readonly TaskJobs[]): Cell[] {
  const total = (of: (task: TaskJobs) => number) => tasks.reduce((sum, task) => sum + of(task), 0);
  const missed = total((task) => task.missed);
  const judged = total((task) => task.released - task.unjudged);
  const { runs } = tasks.reduce((worst, task) => (task.runs.inRowMax > worst.runs.inRowMax ? task : worst));
  const [laxityMean, laxityMin] = rangeCells(joinRanges(tasks.map(({ laxity }) => laxity)));
  return [
    total((task) => task.released),
    total((task) => task.completed),
    missed,
    total((task) => task.missedUnfinished),
    total((task) => task.unjudged),
    judged > 0 ? missed / judged : null,
    runs.inRowMax,
    runs.inRowMax > 0 ? runs.inRowReleaseNs : null,
    Math.max(...tasks.map((task) => task.runs.inWindowMax)),
    ...sampleCells(tasks.map(({ response }) => response)),
    ...sampleCells(tasks.map(({ tardiness }) => tardiness)),
    ...rangeCells(joinRanges(tasks.map(({ lateness }) => lateness))),
    laxityMean,
    laxityMin,
  ];
}

function timing(tasks: readonly TaskJobs[]): Cell[] {
  const worst = (of: (task: TaskJobs) => number | null) => {
    const known = tasks.flatMap((task) => of(task) ?? []);
    return known.length === 0 ? null : Math.max(...known);
  };
  const largest = ({ count, max }: ValueRange) => (count === 0 ? null : max);
  return [
    tasks.reduce((sum, { released }) => sum + released, 0),
    ...rangeCells(joinRanges(tasks.map(({ releaseInterval }) => releaseInterval))),
    worst(({ releaseInterval }) => releaseInterval.spread),
    ...sampleCells(tasks.map(({ startLatency }) => startLatency)),
    worst(({ start }) => start.values.spread),
    worst(({ start }) => largest(start.changes)),
    worst(({ finish }) => finish.values.spread),
    worst(({ finish }) => largest(finish.changes)),
    ...rangeCells(joinRanges(tasks.map(({ execution }) => execution))),
  ];
}

/** Which deadlines were missed. Definitions: docs/metrics.md. */
export const deadlines: Analysis = {
  name: 'deadlines',
  title: 'Which deadlines were missed',
  doc: 'Jobs released, completed and missed, response, tardiness, laxity and jitter, of each task and domain.',
  create: ({ coverage }) => new DeadlinesRun(coverage),
};
