import { JOB_MET, JOB_MISSED, type JobBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE, type Coverage } from './coverage.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget, Samples } from './samples.ts';

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

const MEASURES: readonly Column[] = [
  countColumn('released', 'Jobs released.'),
  countColumn('completed', 'Jobs completed whose release was seen.'),
  countColumn(
    'missed',
    'Jobs that missed their deadline: completed after it, or not complete when the trace ends after it.',
  ),
  countColumn('missed_unfinished', 'The missed ones that the trace does not see completed.', {
    text: 'never',
  }),
  countColumn(
    'unjudged',
    'Jobs of which the trace does not tell: open at its end before their deadline, or hidden by losses.',
  ),
  ratioColumn('miss_ratio', 'missed over the jobs judged: released less unjudged.'),
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
  COVERAGE,
];
const TASK: Column = {
  name: 'task',
  type: 'int',
  unit: 'task',
  key: true,
  doc: 'Number of the task within its domain.',
};

interface TaskJobs {
  readonly dom: number;
  readonly vcpu: number;
  readonly task: number;
  released: number;
  completed: number;
  missed: number;
  missedUnfinished: number;
  unjudged: number;
  readonly response: Samples;
  readonly tardiness: Samples;
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
    const tasks = [...this.#tasks.values()].sort((a, b) => a.dom - b.dom || a.task - b.task);
    const doms = [...new Set(tasks.map(({ dom }) => dom))];
    return [
      {
        name: 'deadlines',
        title: 'Jobs and deadlines, by task',
        doc: 'Jobs that guests told of by TRC_TASK_* records: released, completed, missed, response and tardiness.',
        columns: [DOM, VCPU, TASK, ...MEASURES],
        rows: tasks.map((task) => {
          const coverage = this.#coverage.ofVcpu(task.dom * 0x10000 + task.vcpu);
          return [task.dom, task.vcpu, task.task, ...measure([task]), coverage];
        }),
        sampleColumn: 'released',
        empty: NO_JOBS,
      },
      {
        name: 'deadlines_by_domain',
        title: 'Jobs and deadlines, by domain',
        doc: 'The same over all tasks of a domain.',
        columns: [DOM, ...MEASURES],
        rows: doms.map((dom) => {
          const own = tasks.filter((task) => task.dom === dom);
          return [dom, ...measure(own), this.#coverage.ofDomain(dom)];
        }),
        sampleColumn: 'released',
        empty: NO_JOBS,
      },
    ];
  }

  #onJobs(batch: JobBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const task = this.#of(batch.dom[row], batch.vcpu[row], batch.task[row]);
      const releaseNs = batch.releaseNs[row];
      if (Number.isNaN(releaseNs)) continue;
      task.released++;
      const completionNs = batch.completionNs[row];
      const missed = batch.missed[row];
      if (missed === JOB_MISSED) task.missed++;
      else if (missed !== JOB_MET) task.unjudged++;
      if (Number.isNaN(completionNs)) {
        if (missed === JOB_MISSED) task.missedUnfinished++;
        continue;
      }
      task.completed++;
      task.response.add(Math.max(0, completionNs - releaseNs), releaseNs);
      const late = missed === JOB_MISSED ? completionNs - batch.deadlineNs[row] : 0;
      if (!Number.isNaN(batch.deadlineNs[row])) task.tardiness.add(late, releaseNs);
    }
  }

  #of(dom: number, vcpu: number, number: number): TaskJobs {
    const key = dom * 2 ** 32 + number;
    let task = this.#tasks.get(key);
    if (task === undefined) {
      task = {
        dom,
        vcpu,
        task: number,
        released: 0,
        completed: 0,
        missed: 0,
        missedUnfinished: 0,
        unjudged: 0,
        response: new Samples(this.#budget),
        tardiness: new Samples(this.#budget),
      };
      this.#tasks.set(key, task);
    }
    return task;
  }
}

function measure(tasks: readonly TaskJobs[]): Cell[] {
  const total = (of: (task: TaskJobs) => number) => tasks.reduce((sum, task) => sum + of(task), 0);
  const missed = total((task) => task.missed);
  const judged = total((task) => task.released - task.unjudged);
  return [
    total((task) => task.released),
    total((task) => task.completed),
    missed,
    total((task) => task.missedUnfinished),
    total((task) => task.unjudged),
    judged > 0 ? missed / judged : null,
    ...sampleCells(tasks.map(({ response }) => response)),
    ...sampleCells(tasks.map(({ tardiness }) => tardiness)),
  ];
}

/** Which deadlines were missed. Definitions: docs/metrics.md. */
export const deadlines: Analysis = {
  name: 'deadlines',
  title: 'Which deadlines were missed',
  doc: 'Jobs released, completed and missed, response times and tardiness, of each task and domain.',
  create: ({ coverage }) => new DeadlinesRun(coverage),
};
