import type { RecordBatch } from '../decoder/record-batch.ts';
import type { RunstateBatch, TransitionBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, nsColumn, ratioColumn } from './columns.ts';
import { COVERAGE } from './coverage.ts';
import { DecisionCost } from './decision-cost.ts';
import { PcpuTimes } from './pcpu-times.ts';
import { rounded } from './rounded.ts';
import { ScheduleCalls, STRIDE } from './scheduler-calls.ts';
import { TICKLES_RECEIVED } from './scheduler-counters.ts';
import { BOOSTED_NS, MEASURES, type Measure, type PcpuCounts } from './scheduler-measures.ts';
import * as Kind from './scheduler-records.ts';
import { type SchedulerRecords, schedulerRecords } from './scheduler-records.ts';
import { SchedulerSeries } from './scheduler-series.ts';
import { mean } from './statistics.ts';

const PCPU: Column = { name: 'pcpu', type: 'int', unit: 'pcpu', key: true, doc: 'Number of the pCPU.' };
const perSecondColumn = (name: string, doc: string, shown: Partial<Column> = {}): Column => ({
  name,
  type: 'float',
  unit: 'per_s',
  doc,
  ...shown,
});

/** What people see of the table by pCPU, and what is given per second there. */
const MAIN = [
  'schedule_calls',
  'switches',
  'continuations',
  'migrations',
  'tickles_received',
  'tickles_useless',
  'steals',
  'boosts',
  'ratelimits',
  'replenishments',
];

const MAIN_MEASURES = MEASURES.filter(({ name }) => MAIN.includes(name));

const EVENT_COLUMNS: readonly Column[] = [
  {
    name: 'event',
    type: 'string',
    key: true,
    doc: 'What is counted: the columns of scheduler_by_pcpu say what each is.',
  },
  countColumn('count', 'How often it was seen.'),
  perSecondColumn('per_s', 'The same per second of the time looked at.', { heading: 'per s' }),
  { name: 'busiest_pcpu', type: 'int', unit: 'pcpu', doc: 'The pCPU with most of it, the lowest of equals.' },
  countColumn('busiest_count', 'How often it was seen there.'),
];

const SUMMARY_COLUMNS: readonly Column[] = [
  {
    name: 'schedulers',
    type: 'string',
    doc: 'Schedulers whose records the trace has; null: none has any there.',
  },
  perSecondColumn('schedule_calls_per_s', 'Calls of schedule() per second, all pCPUs together.'),
  perSecondColumn('switches_per_s', 'Switches per second.'),
  ratioColumn(
    'continued_ratio',
    'continuations over the calls of which it is known whether they changed anything.',
  ),
  ratioColumn('preempted_ratio', "switches_preempted over the switches from domains' vCPUs."),
  perSecondColumn('migrations_per_s', 'Migrations per second.'),
  perSecondColumn('tickles_per_s', 'Tickles per second.'),
  ratioColumn('useless_tickle_ratio', 'tickles_useless over tickles_answered.', { better: 'lower' }),
  nsColumn('boosted_ns', BOOSTED_NS.doc),
  ratioColumn('unknown_cause_ratio', 'calls_unknown over schedule_calls.'),
  COVERAGE,
];

class SchedulerRun implements AnalysisRun {
  readonly listener = {
    onRunstates: (batch: RunstateBatch) => this.#times.onRunstates(batch),
    onTransitions: (batch: TransitionBatch) => this.#series.onTransitions(batch),
  };
  readonly #context: AnalysisContext;
  readonly #records: SchedulerRecords;
  readonly #times: PcpuTimes;
  readonly #cost = new DecisionCost();
  readonly #calls: ScheduleCalls;
  readonly #series: SchedulerSeries;

  constructor(context: AnalysisContext) {
    this.#context = context;
    this.#records = schedulerRecords(context.catalog);
    this.#times = new PcpuTimes(context.pcpus);
    this.#calls = new ScheduleCalls(this.#records, this.#cost);
    this.#series = new SchedulerSeries(context, this.#records, this.#calls);
  }

  onRecords(batch: RecordBatch): void {
    this.#calls.takeBatch(batch, this.#series);
  }

  finish(endNs: number): ResultTable[] {
    this.#calls.finish();
    const spanNs = endNs - this.#context.fromNs;
    const numbers = [...new Set([...this.#times.numbers(), ...this.#calls.pcpus])].sort((a, b) => a - b);
    const knowledge = this.#knowledge();
    const pcpus = numbers.map((number) => ({ number, counts: this.#countsOf(number, knowledge) }));
    const totals = MEASURES.map((measure) => total(pcpus, measure)).filter(({ count }) => count !== null);
    const coverage = numbers.flatMap((number) => this.#times.coverage(number, spanNs) ?? []);
    return [
      {
        name: 'scheduler_summary',
        title: 'The scheduler at a glance',
        doc: 'Rates and ratios over all pCPUs; null where the trace cannot tell.',
        columns: SUMMARY_COLUMNS,
        rows: [summary(pcpus, spanNs, schedulersOf(knowledge), mean(coverage))],
        single: true,
      },
      {
        name: 'scheduler',
        title: 'What the scheduler did',
        doc: 'Events over all pCPUs; what the trace cannot tell has no row.',
        columns: EVENT_COLUMNS,
        rows: totals.map(({ name, count, busiest, busiestCount }) => {
          return [name, count, perSecond(count, spanNs), busiest, busiestCount];
        }),
        sampleColumn: 'count',
      },
      {
        name: 'scheduler_by_pcpu',
        title: 'What the scheduler did, by pCPU',
        doc: 'The same on each pCPU; null where the trace cannot tell.',
        columns: BY_PCPU_COLUMNS,
        rows: pcpus.map(({ number, counts }) => [
          number,
          ...MEASURES.map(({ value }) => value(counts)),
          ...MAIN_MEASURES.map(({ value }) => perSecond(value(counts), spanNs)),
          BOOSTED_NS.value(counts),
          this.#times.coverage(number, spanNs),
        ]),
        detail: true,
      },
      ...this.#cost.tables(this.#calls.coreScheduling),
      this.#series.finish(endNs),
    ];
  }

  #countsOf(pcpu: number, { newest, makers, hidesOthers }: Knowledge): PcpuCounts {
    const { numbers, coreScheduling } = this.#calls;
    const { sinceOfKind } = this.#records;
    return {
      of: (index) => numbers[pcpu * STRIDE + index] ?? 0,
      knows: (kind) => {
        const maker = Kind.MAKER_OF_KIND[kind];
        // The core's records are made on every pCPU, a scheduler's on those of its cpupools.
        const made = maker < Kind.CREDIT ? makers[maker].size > 0 : makers[maker].has(pcpu);
        return made && sinceOfKind[kind] <= newest;
      },
      coreScheduling,
      hidesOthers,
    };
  }

  /** Whether there are pCPUs without records: numbers are left out, or one is tickled and makes none. */
  #hidesOthers(makers: readonly ReadonlySet<number>[]): boolean {
    const { numbers, ticklesElsewhere } = this.#calls;
    const told = new Set(makers.flatMap((pcpus) => [...pcpus]));
    const isSilent = (pcpu: number) => numbers[pcpu * STRIDE + TICKLES_RECEIVED] > 0 && !told.has(pcpu);
    return (
      ticklesElsewhere ||
      this.#context.pcpus.some((pcpu, index) => pcpu !== index) ||
      Array.from({ length: numbers.length / STRIDE }, (_, pcpu) => pcpu).some(isSilent)
    );
  }

  /** What the records that were seen say of those that were not. */
  #knowledge(): Knowledge {
    const { sinceOfLayout } = this.#records;
    const newest = this.#calls.seen.reduce(
      (max, seen, layout) => (seen ? Math.max(max, sinceOfLayout[layout]) : max),
      0,
    );
    const makers = Array.from({ length: Kind.MAKERS }, () => new Set<number>());
    const { numbers } = this.#calls;
    for (let pcpu = 0; pcpu * STRIDE < numbers.length; pcpu++) {
      for (let kind = 0; kind < Kind.KINDS; kind++) {
        const maker = Kind.MAKER_OF_KIND[kind];
        if (maker >= 0 && numbers[pcpu * STRIDE + kind] > 0) makers[maker].add(pcpu);
      }
    }
    return { newest, makers, hidesOthers: this.#hidesOthers(makers) };
  }
}

interface Knowledge {
  /**
   * The newest release of Xen that first had one of the layouts seen: the trace is of that one or a later
   * one.
   */
  readonly newest: number;
  /** By maker: the pCPUs that have records of it. */
  readonly makers: readonly ReadonlySet<number>[];
  readonly hidesOthers: boolean;
}

interface Pcpu {
  readonly number: number;
  readonly counts: PcpuCounts;
}

const BY_PCPU_COLUMNS: readonly Column[] = [
  PCPU,
  ...MEASURES.map(({ name, doc, better }) => {
    const text = MAIN.includes(name) ? 'nonzero' : 'never';
    return countColumn(name, doc, better === undefined ? { text } : { text, better });
  }),
  ...MAIN_MEASURES.map(({ name }) =>
    perSecondColumn(`${name}_per_s`, `${name} per second.`, { text: 'never' }),
  ),
  nsColumn(BOOSTED_NS.name, BOOSTED_NS.doc, { text: 'nonzero' }),
  COVERAGE,
];

/** A measure over all pCPUs that can tell it; null where none can. */
function total(pcpus: readonly Pcpu[], { name, value }: Measure) {
  let count: number | null = null;
  let busiest: number | null = null;
  let busiestCount: number | null = null;
  for (const { number, counts } of pcpus) {
    const own = value(counts);
    if (own === null) continue;
    count = (count ?? 0) + own;
    if (own > (busiestCount ?? 0)) {
      busiest = number;
      busiestCount = own;
    }
  }
  return { name, count, busiest, busiestCount };
}

function summary(pcpus: readonly Pcpu[], spanNs: number, schedulers: Cell, coverage: Cell): Cell[] {
  const of = (name: string) => total(pcpus, MEASURES.find((measure) => measure.name === name)!).count;
  const switches = of('switches');
  const continuations = of('continuations');
  const outcomes = switches === null || continuations === null ? null : switches + continuations;
  const leaves = ['blocked', 'offline', 'yielded', 'preempted'].map((cause) => of(`switches_${cause}`) ?? 0);
  return [
    schedulers,
    perSecond(of('schedule_calls'), spanNs),
    perSecond(switches, spanNs),
    ratio(continuations, outcomes),
    ratio(
      of('switches_preempted'),
      leaves.reduce((sum, count) => sum + count, 0),
    ),
    perSecond(of('migrations'), spanNs),
    perSecond(of('tickles_sent'), spanNs),
    ratio(of('tickles_useless'), of('tickles_answered')),
    total(pcpus, BOOSTED_NS).count,
    ratio(of('calls_unknown'), of('schedule_calls')),
    coverage,
  ];
}

function schedulersOf({ makers }: Knowledge): string | null {
  const seen = Kind.SCHEDULERS.filter((_, index) => makers[Kind.CREDIT + index].size > 0);
  return seen.length > 0 ? seen.join(', ') : null;
}

function perSecond(count: number | null, spanNs: number): number | null {
  return count === null || !(spanNs > 0) ? null : rounded((count * 1e9) / spanNs, 3);
}

function ratio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : part / whole;
}

/** What the scheduler did, how often, why, and what it cost. Definitions: docs/metrics.md. */
export const scheduler: Analysis = {
  name: 'scheduler',
  title: 'What the scheduler did',
  doc: 'schedule() calls, switches, migrations, tickles by cause; what a decision costs; all over time.',
  hears: 'all',
  create: (context) => new SchedulerRun(context),
};
