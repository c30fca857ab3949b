import type { RecordBatch } from '../decoder/record-batch.ts';
import { DOM_IDLE, type TransitionBatch, UNKNOWN, VcpuTable } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE, type Coverage } from './coverage.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget } from './samples.ts';
import { Server } from './server.ts';
import { LOSS, mayConcernServers, REPLENISH, RETURN, ServerRecords } from './server-records.ts';

const LOWER = { better: 'lower' } as const;

/** Text has room for few figures of the supply. */
const SUPPLY_SHOWN: Readonly<Record<string, Partial<Column>>> = Object.fromEntries(
  ['p50', 'p95', 'p99', 'p999', 'p9999', 'max'].map((name) => [`supply_ns_${name}`, { text: 'never' }]),
);

const COLUMNS: readonly Column[] = [
  DOM,
  VCPU,
  nsColumn(
    'period_ns',
    'Its period, by its deadlines; the last one if it changed; null for one that was sporadic all along.',
  ),
  nsColumn('budget_ns', 'Its budget in each period; the last one if it changed.'),
  countColumn('periods', 'Periods from one replenishment to the next in which its states are all known.'),
  countColumn('unknown_periods', 'Periods of which the trace does not tell all.', {
    text: 'nonzero',
    heading: 'unknown',
  }),
  countColumn('backlogged', 'Periods throughout which it wanted to run: no other can be missed.'),
  countColumn('missed', 'Backlogged periods in which it was not supplied its budget.', LOWER),
  ratioColumn('miss_ratio', 'missed over backlogged.', LOWER),
  nsColumn('shortfall_ns_max', 'The most that was missing of the budget in a missed period.', {
    text: 'nonzero',
    heading: 'worst shortfall',
    ...LOWER,
  }),
  nsColumn('shortfall_max_start_ns', 'When that period began: its replenishment.', {
    instant: true,
    text: 'nonzero',
    heading: 'worst at',
  }),
  ...sampleColumns(
    'supply_ns',
    'what its reservation supplied in backlogged periods',
    'supply_max_start_ns',
    'When the period with the largest supply began.',
  ).map((column): Column => {
    if (column.name === 'supply_max_start_ns') return { ...column, text: 'never' };
    if (column.name === 'supply_ns_mean') return { ...column, heading: 'supply mean' };
    return { ...column, ...SUPPLY_SHOWN[column.name] };
  }),
  nsColumn('supply_ns_min', 'The least that its reservation supplied in a backlogged period.', {
    better: 'higher',
    heading: 'min',
  }),
  nsColumn('supply_ns_total', 'What its reservation supplied in all known periods.', { text: 'never' }),
  nsColumn('demand_ns_total', 'What it wanted of its reservation in them.', { text: 'never' }),
  ratioColumn('supplied_of_demand', 'supply_ns_total over demand_ns_total.', {
    better: 'higher',
    heading: 'of demand',
  }),
  nsColumn('extra_ns_total', 'What it ran beyond its reservation, on extra time (priority level above 0).', {
    text: 'nonzero',
    heading: 'extra time',
  }),
  countColumn('overruns', 'Periods in which its reservation supplied more than the budget.', {
    text: 'nonzero',
    ...LOWER,
  }),
  nsColumn('overrun_ns_max', 'The most by which it did.', { text: 'nonzero', heading: 'most', ...LOWER }),
  countColumn(
    'replenishments',
    'Times its budget was made full; of a sporadic server, that a part of it came back.',
    { text: 'never' },
  ),
  countColumn('depletions', 'Times its budget was used up.', { text: 'never' }),
  nsColumn('gap_ns_max', 'The longest time without supply while it wanted to run.', {
    heading: 'longest gap',
    ...LOWER,
  }),
  nsColumn('gap_max_start_ns', 'When that began.', { instant: true, text: 'never' }),
  nsColumn(
    'gap_bound_ns',
    'Twice what its period exceeds its budget by: no gap is longer where none is missed.',
    {
      heading: 'bound',
    },
  ),
  COVERAGE,
];

class ServersRun implements AnalysisRun {
  readonly listener = {
    onTransitions: (batch: TransitionBatch) => this.#onTransitions(batch),
  };
  readonly #coverage: Coverage;
  readonly #budget = new SampleBudget();
  readonly #fromNs: number;
  readonly #records: ServerRecords;
  readonly #vcpus = new VcpuTable();
  /** By index in #vcpus. */
  readonly #servers: (Server | undefined)[] = [];
  /** By index in #vcpus: depletions before anything came back, by which alone a sporadic server is told. */
  readonly #earlyDepletions: (number | undefined)[] = [];
  #state = new Uint8Array(64).fill(UNKNOWN);
  #sinceNs = new Float64Array(64);
  /** The timeline's index of a vCPU -> index in #vcpus plus 1; 0: not looked up yet. */
  #indexOf = new Int32Array(64);

  constructor({ catalog, fromNs, coverage }: AnalysisContext) {
    this.#coverage = coverage;
    this.#records = new ServerRecords(catalog);
    this.#fromNs = fromNs;
  }

  onRecords(batch: RecordBatch): void {
    const { count, event } = batch;
    const records = this.#records;
    for (let row = 0; row < count; row++) {
      if (!mayConcernServers(event[row])) continue;
      if (records.full) this.#giveUpOldest();
      records.offer(batch, row, event[row]);
    }
  }

  finish(endNs: number): ResultTable[] {
    while (this.#records.count > 0) this.#take();
    const servers = this.#servers
      .filter((server) => server !== undefined)
      .sort((a, b) => a.dom - b.dom || a.vcpu - b.vcpu);
    for (const server of servers) server.finish(endNs);
    return [
      {
        name: 'servers',
        title: 'Servers: budget supplied in each period',
        doc: 'Servers of RTDS and RT-Xen, by records and by what vCPUs did: budget supplied, periods missed, overruns.',
        columns: COLUMNS,
        rows: servers.map((server) => {
          const coverage = this.#coverage.ofVcpu(server.dom * 0x10000 + server.vcpu);
          return [...measure(server), coverage];
        }),
        empty:
          'the trace has no records of budgets that come back (TRC_RTDS_BUDGET_REPLENISH, TRC_RTXEN_BUDGET_*).',
      },
    ];
  }

  #onTransitions(batch: TransitionBatch): void {
    const { count, tNs, dom, from, to, vcpuIndex } = batch;
    const records = this.#records;
    for (let row = 0; row < count; row++) {
      const at = tNs[row];
      while (records.tNs <= at) this.#take();
      if (dom[row] === DOM_IDLE) continue;
      const index = this.#indexOf[vcpuIndex[row]] - 1;
      if (!(index >= 0)) {
        this.#introduce(batch, row--);
        continue;
      }
      this.#state[index] = to[row];
      this.#sinceNs[index] = at;
      this.#servers[index]?.change(at, from[row], to[row]);
    }
  }

  /** Works on the oldest record about servers: everything is known up to its time. */
  #take(): void {
    const records = this.#records;
    const { tNs, kind } = records;
    if (kind === LOSS) {
      for (const server of this.#servers) server?.taint();
    } else if (kind === REPLENISH) {
      const deadline = { low: records.deadlineLow, high: records.deadlineHigh };
      this.#server(records.key, true)?.replenish(tNs, deadline, records.budgetNs);
    } else if (kind === RETURN) {
      this.#giveBack(records.key, tNs);
    } else {
      this.#burn(records.key, tNs);
    }
    records.drop();
  }

  #giveBack(key: number, tNs: number): void {
    const index = Math.max(0, this.#vcpus.indexOf(key));
    const server = this.#server(key, true);
    if (server === undefined) return;
    server.depletions += this.#earlyDepletions[index] ?? 0;
    server.burnsSeen ||= this.#earlyDepletions[index] !== undefined;
    this.#earlyDepletions[index] = undefined;
    server.giveBack(tNs);
  }

  #burn(key: number, tNs: number): void {
    const { budgetNs, level } = this.#records;
    const server = this.#server(key, false);
    server?.burn(tNs, budgetNs, level);
    if (server !== undefined) return;
    const index = Math.max(0, this.#vcpus.indexOf(key));
    this.#earlyDepletions[index] = (this.#earlyDepletions[index] ?? 0) + (budgetNs === 0 ? 1 : 0);
  }

  /** So long nobody changed its state that the queue is full: what the record's vCPU did meanwhile is not known. */
  #giveUpOldest(): void {
    const { key, kind } = this.#records;
    if (kind !== LOSS) this.#server(key, false)?.taint();
    this.#take();
  }

  #server(key: number, create: boolean): Server | undefined {
    const index = Math.max(0, this.#vcpus.indexOf(key));
    if (this.#servers[index] === undefined && create) {
      this.#makeRoom(index);
      const sinceNs = Math.max(this.#fromNs, this.#sinceNs[index]);
      this.#servers[index] = new Server(key, this.#state[index], sinceNs, this.#budget);
    }
    return this.#servers[index];
  }

  /** Looks the vCPU of a row up, once. */
  #introduce({ dom, vcpu, vcpuIndex }: TransitionBatch, row: number): void {
    const theirs = vcpuIndex[row];
    if (theirs >= this.#indexOf.length) this.#indexOf = grown(this.#indexOf, new Int32Array(2 * theirs));
    const index = Math.max(0, this.#vcpus.indexOf(((dom[row] << 16) | vcpu[row]) >>> 0));
    this.#indexOf[theirs] = index + 1;
    this.#makeRoom(index);
  }

  #makeRoom(index: number): void {
    if (index < this.#state.length) return;
    const size = 2 * index;
    this.#state = grown(this.#state, new Uint8Array(size).fill(UNKNOWN));
    this.#sinceNs = grown(this.#sinceNs, new Float64Array(size));
  }
}

function grown<T extends Int32Array | Uint8Array | Float64Array>(values: T, larger: T): T {
  larger.set(values);
  return larger;
}

function measure(server: Server): Cell[] {
  const { periods, backlogged, missed, shortfall, overrun, gap, supplyRange } = server;
  const any = periods > 0;
  const ofPeriods = (count: number) => (server.isSporadic && server.periods === 0 ? null : count);
  const boundNs = 2 * (server.periodNs - server.budgetNs);
  return [
    server.dom,
    server.vcpu,
    Number.isNaN(server.periodNs) ? null : server.periodNs,
    Number.isNaN(server.budgetNs) ? null : server.budgetNs,
    ofPeriods(periods),
    ofPeriods(server.unknownPeriods),
    ofPeriods(backlogged),
    ofPeriods(missed),
    backlogged > 0 ? missed / backlogged : null,
    shortfall.count > 0 ? shortfall.max : null,
    shortfall.count > 0 ? shortfall.maxAtNs : null,
    ...sampleCells([server.supply]),
    supplyRange.count > 0 ? supplyRange.min : null,
    any ? server.supplyNs : null,
    any ? server.demandNs : null,
    server.demandNs > 0 ? server.supplyNs / server.demandNs : null,
    any && server.levelsSeen ? server.extraNs : null,
    ofPeriods(overrun.count),
    overrun.count > 0 ? overrun.max : null,
    server.replenishments,
    server.burnsSeen ? server.depletions : null,
    gap.count > 0 ? gap.max : null,
    gap.count > 0 ? gap.maxAtNs : null,
    Number.isNaN(boundNs) ? null : boundNs,
  ];
}

/** Whether each server got its budget by its deadline. Definitions: docs/metrics.md. */
export const servers: Analysis = {
  name: 'servers',
  title: 'Which servers were not supplied their budget',
  doc: 'RTDS, RT-Xen: budget supplied in each period against the demand, periods missed, overruns, longest gap.',
  // Records are not chosen by vCPU, so that it hears of servers that nobody asked for, and must know what they did.
  hears: 'all',
  create: (context) => new ServersRun(context),
};
