/**
 * The scheduler over time: run queue length, credit, budget, load, calls and switches of each window.
 * @module
 */
import type { RecordBatch } from '../decoder/record-batch.ts';
import type { EventCatalog } from '../format/index.ts';
import type { TransitionBatch } from '../timeline/index.ts';
import type { AnalysisContext, Cell, Column, ResultTable } from './analysis.ts';
import { COVERAGE } from './coverage.ts';
import { QueueSeries } from './queue-series.ts';
import { rounded } from './rounded.ts';
import { budgetOf, type ScheduleCalls, STRIDE, signed64 } from './scheduler-calls.ts';
import { BEGAN, SWITCHED } from './scheduler-counters.ts';
import * as Kind from './scheduler-records.ts';
import { type FieldPlaces, fieldPlaces, type SchedulerRecords } from './scheduler-records.ts';
import { type SeriesRow, SeriesRows, SUBJECTS_MAX } from './series-rows.ts';

const number = (name: string, doc: string): Column => ({ name, type: 'float', doc });
const COLUMNS: readonly Column[] = [
  {
    name: 'measure',
    type: 'string',
    key: true,
    doc:
      '`waiting`: vCPUs runnable but not throttled (of a pCPU: those that ran there last); `credit`: of ' +
      "credit2, in ns; `budget_ns`: budget left, RTDS's, or of a capped domain's vCPU under credit2; " +
      "`runqueue_load`: credit2's average load of a run queue, in vCPUs; `runqueue_vcpus`: its vCPUs that " +
      'run or want to; `schedule_calls`; `switches`.',
  },
  { name: 'dom', type: 'int', unit: 'dom', key: true, doc: "Whose it is; null where it is no domain's." },
  {
    name: 'pcpu',
    type: 'int',
    unit: 'pcpu',
    key: true,
    doc: 'Likewise the pCPU; null: all, or none in particular.',
  },
  { name: 'runqueue', type: 'int', unit: 'runqueue', key: true, doc: 'Likewise the run queue of credit2.' },
  {
    name: 'window_start_ns',
    type: 'int',
    unit: 'ns',
    key: true,
    instant: true,
    doc: 'When the window began.',
  },
  { name: 'window_ns', type: 'int', unit: 'ns', doc: 'Its length: at least what was asked for.' },
  number('min', 'The least in the window; null for calls and switches.'),
  number(
    'mean',
    'Of `waiting`: over time. Of calls and switches: per second. Else over the records that tell it.',
  ),
  number('max', 'The most; null for calls and switches.'),
  number('last', 'The last one in the window; null for calls and switches.'),
  {
    name: 'count',
    type: 'int',
    unit: 'count',
    doc: 'Calls or switches; changes of `waiting`; else records that tell it.',
  },
  COVERAGE,
];

const MEASURES = [
  'waiting',
  'credit',
  'budget_ns',
  'runqueue_load',
  'runqueue_vcpus',
  'schedule_calls',
  'switches',
] as const;
const WAITING = 0;
const CREDIT = 1;
const BUDGET = 2;
const LOAD = 3;
const VCPUS = 4;
const CALLS = 5;
const SWITCHES = 6;
/** 2 to the power of -n: shifts are of 18 bits or so. */
const FRACTION = Float64Array.from({ length: 64 }, (_, shift) => 2 ** -shift);

/** A subject's numbers of the present window. */
const MIN = 0;
const MAX = 1;
const LAST = 2;
const SUM = 3;
const COUNT = 4;
const NUMBERS = 5;

/** What the number beside the measure is of. */
const OF = ['pcpu', 'dom', 'dom', 'runqueue', 'runqueue', 'pcpu', 'pcpu'] as const;

/** Feed it the records of its kinds in time order, and transitions in theirs. */
export class SchedulerSeries {
  /**
   * Before a record at or after this is fed to {@link ScheduleCalls} or here, {@link turn} must be called.
   */
  windowEndNs: number;
  #windowStartNs: number;
  readonly #rows: SeriesRows;
  readonly #queues: QueueSeries;
  readonly #calls: ScheduleCalls;
  readonly #records: SchedulerRecords;
  readonly #runqueue: FieldPlaces;
  readonly #shift: FieldPlaces;
  readonly #instantLoad: FieldPlaces;
  readonly #creditBefore: FieldPlaces;
  /** By measure << 16 | number of the domain, pCPU or run queue: its subject, plus 1. */
  readonly #subjectOf = new Uint16Array(MEASURES.length << 16);
  /** By subject: its measure, and whose it is. */
  readonly #measures: number[] = [];
  readonly #owners: number[] = [];
  /** {@link NUMBERS} for each subject. */
  readonly #numbers = new Float64Array(SUBJECTS_MAX * NUMBERS);
  /** By pCPU: calls and switches at the start of the window. */
  readonly #callsBefore: number[] = [];
  readonly #switchesBefore: number[] = [];

  constructor(context: AnalysisContext, records: SchedulerRecords, calls: ScheduleCalls) {
    this.#calls = calls;
    this.#records = records;
    this.#rows = new SeriesRows(context.fromNs, context.windowNs);
    this.#windowStartNs = context.fromNs;
    this.windowEndNs = context.fromNs + context.windowNs;
    const places = (catalog: EventCatalog, name: string) => fieldPlaces(catalog, () => name);
    this.#runqueue = places(context.catalog, 'runqueue');
    this.#shift = places(context.catalog, 'shift');
    this.#instantLoad = places(context.catalog, 'instant_load');
    this.#creditBefore = places(context.catalog, 'credit_start');
    this.#queues = new QueueSeries(this.#rows, (pcpu) => this.#subject(WAITING, pcpu));
  }

  onTransitions(batch: TransitionBatch): void {
    this.#queues.onTransitions(batch);
  }

  /** Takes the record in `row`, which is of `kind` and carries numbers. */
  take(kind: number, batch: RecordBatch, row: number): void {
    switch (kind) {
      case Kind.CREDIT_RESET:
        this.#add(CREDIT, this.#dom(batch, row), this.#word(this.#creditBefore, batch, row));
        this.#add(CREDIT, this.#dom(batch, row), this.#word(this.#records.value, batch, row));
        return;
      case Kind.CREDIT_SEEN:
        this.#add(CREDIT, this.#dom(batch, row), this.#word(this.#records.value, batch, row));
        return;
      case Kind.CREDIT_BURN:
        this.#add(CREDIT, this.#dom(batch, row), this.#word(this.#records.value, batch, row));
        this.#add(BUDGET, this.#dom(batch, row), budgetOf(this.#records, batch, row));
        return;
      case Kind.RTDS_BURN:
      case Kind.REPLENISH:
        this.#add(BUDGET, this.#dom(batch, row), budgetOf(this.#records, batch, row));
        return;
      default:
        this.#load(batch, row);
    }
  }

  /** Ends the present window, since what comes next is at `tNs`. */
  turn(tNs: number): void {
    this.#flush(this.windowEndNs);
    const window = this.#rows.windowOf(tNs);
    this.#windowStartNs = Math.max(this.windowEndNs, this.#rows.startOf(window));
    this.windowEndNs = this.#rows.startOf(window + 1);
  }

  finish(endNs: number): ResultTable {
    this.#flush(Math.max(endNs, this.#windowStartNs));
    this.#queues.finish(endNs);
    return {
      name: 'scheduler_series',
      title: 'The scheduler over time',
      doc:
        'Run queue length, credit, budget, load, calls and switches in windows of --window; ' +
        'no row where nothing was told, or nobody waited at a pCPU.',
      columns: COLUMNS,
      rows: this.#shownRows().map((row) => {
        const measure = this.#measures[row.subject];
        const counted = measure === CALLS || measure === SWITCHES;
        return [
          MEASURES[measure],
          ...(['dom', 'pcpu', 'runqueue'] as const).map((of) => this.#ownerOf(row.subject, of)),
          this.#rows.startOf(row.window),
          this.#rows.windowNs,
          counted ? null : rounded(row.min, 3),
          mean(row.sum, row.weight),
          counted ? null : rounded(row.max, 3),
          counted ? null : rounded(row.last, 3),
          row.count,
          row.wholeNs > 0 ? row.knownNs / row.wholeNs : null,
        ];
      }),
      detail: true,
    };
  }

  /** Where whole cores are scheduled, calls and switches are not those of the pCPU that makes the records. */
  #shownRows(): readonly SeriesRow[] {
    const rows = this.#rows.rows();
    return this.#calls.coreScheduling ? rows.filter(({ subject }) => this.#measures[subject] < CALLS) : rows;
  }

  #ownerOf(subject: number, of: 'dom' | 'pcpu' | 'runqueue'): Cell {
    const isOf = OF[this.#measures[subject]] === of && this.#owners[subject] >= 0;
    return isOf ? this.#owners[subject] : null;
  }

  #load(batch: RecordBatch, row: number): void {
    const layout = batch.layout[row];
    const { value } = this.#records;
    if (this.#runqueue.word[layout] < 0) return;
    const runqueue = this.#word(this.#runqueue, batch, row);
    if (this.#instantLoad.word[layout] >= 0)
      this.#add(VCPUS, runqueue, this.#word(this.#instantLoad, batch, row));
    // Until 4.7 the record does not say how many bits are behind the point.
    if (this.#shift.word[layout] < 0 || value.wide[layout] === 0) return;
    const load = signed64(batch.words, batch.wordsOffset[row] + value.word[layout]);
    this.#add(LOAD, runqueue, load * FRACTION[this.#word(this.#shift, batch, row) & 63]);
  }

  #word({ word, shift, mask }: FieldPlaces, batch: RecordBatch, row: number): number {
    const layout = batch.layout[row];
    if (word[layout] < 0) return Number.NaN;
    return (batch.words[batch.wordsOffset[row] + word[layout]] >>> shift[layout]) & mask[layout];
  }

  #dom(batch: RecordBatch, row: number): number {
    return this.#word(this.#records.dom, batch, row) & 0xffff;
  }

  /** NaN is not told. */
  #add(measure: number, of: number, value: number): void {
    if (Number.isNaN(value)) return;
    const subject = this.#subject(measure, of);
    if (subject < 0) return;
    const numbers = this.#numbers;
    const at = subject * NUMBERS;
    const first = numbers[at + COUNT]++ === 0;
    if (first || value < numbers[at + MIN]) numbers[at + MIN] = value;
    if (first || value > numbers[at + MAX]) numbers[at + MAX] = value;
    numbers[at + LAST] = value;
    numbers[at + SUM] += value;
  }

  /** @param of -1: all of them */
  #subject(measure: number, of: number): number {
    const at = (measure << 16) | (of & 0xffff);
    if (this.#subjectOf[at] === 0 && this.#measures.length < SUBJECTS_MAX) {
      this.#owners.push(of);
      this.#subjectOf[at] = this.#measures.push(measure);
    }
    return this.#subjectOf[at] - 1;
  }

  #flush(endNs: number): void {
    this.#flushCounts(CALLS, BEGAN, endNs);
    this.#flushCounts(SWITCHES, SWITCHED, endNs);
    const numbers = this.#numbers;
    for (let subject = 0; subject < this.#measures.length; subject++) {
      const at = subject * NUMBERS;
      const count = numbers[at + COUNT];
      if (count === 0) continue;
      const [min, max, last, sum] = numbers.subarray(at, at + COUNT);
      this.#push(subject, min, max, last, sum, count, count);
      numbers[at + SUM] = 0;
      numbers[at + COUNT] = 0;
    }
  }

  #flushCounts(measure: number, counter: number, endNs: number): void {
    const { numbers, pcpus } = this.#calls;
    const before = measure === CALLS ? this.#callsBefore : this.#switchesBefore;
    const seconds = (endNs - this.#windowStartNs) / 1e9;
    for (const pcpu of pcpus) {
      const total = numbers[pcpu * STRIDE + counter];
      const count = total - (before[pcpu] ?? 0);
      if (count === 0) continue;
      before[pcpu] = total;
      const subject = this.#subject(measure, pcpu);
      if (subject >= 0) this.#push(subject, 0, 0, 0, count, seconds, count);
    }
  }

  #push(
    subject: number,
    min: number,
    max: number,
    last: number,
    sum: number,
    weight: number,
    count: number,
  ): void {
    const row = { window: 0, subject, min, max, last, sum, weight, count, knownNs: 0, wholeNs: 0 };
    this.#rows.add(this.#windowStartNs, row);
  }
}

function mean(sum: number, weight: number): number | null {
  return weight > 0 ? rounded(sum / weight, 3) : null;
}
