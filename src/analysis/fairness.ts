import type { RecordBatch } from '../decoder/record-batch.ts';
import {
  BLOCKED,
  DOM_IDLE,
  RUNNABLE,
  RUNNING,
  type RunstateBatch,
  THROTTLED,
  type TransitionBatch,
  UNKNOWN,
} from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE } from './coverage.ts';
import { EVENNESS_COLUMNS, Stretch } from './evenness.ts';
import { FairnessOf } from './fairness-of.ts';
import { fairnessSeries } from './fairness-series.ts';
import { judgeWindows, WINDOW_COLUMNS } from './fairness-windows.ts';
import type { Lags } from './fluid-schedule.ts';
import { LostTime } from './lost-time.ts';
import { Promises } from './promises.ts';
import { RunQueues } from './run-queues.ts';
import { ServiceLog } from './service-log.ts';
import { TracePromises } from './trace-promises.ts';

const MS = 1_000_000;
/** The shortest windows, in which lags are followed too. */
const FINEST_NS = 10 * MS;
/** Lengths of windows that are judged, besides what the user asks for. */
const WINDOWS_NS = [FINEST_NS, 30 * MS, 100 * MS, 1000 * MS];

const RUN = nsColumn('run_ns', 'Time that its vCPUs ran.');
const DEMAND = nsColumn(
  'demand_ns',
  'Time that they ran, and time that they waited or were throttled without getting done.',
);
const ENTITLEMENT = nsColumn(
  'entitlement_ns',
  'Time that weights, caps, reservations and demands entitle it to: what an ideal fluid schedule would have given.',
);
const SHARE_ERROR: Column = {
  name: 'share_error',
  type: 'float',
  unit: 'ratio',
  doc: 'run_ns over entitlement_ns, less 1: negative is too little.',
};
const RESERVATION: Column = {
  name: 'reservation',
  type: 'float',
  unit: 'ratio',
  text: 'nonzero',
  doc: 'Of a server or slice: budget over period, in pCPUs; null: none known.',
};
const RESERVATION_SOURCE: Column = {
  name: 'reservation_source',
  type: 'string',
  text: 'never',
  doc: '`trace`: from its records; `given`: by the user or the scenario; null: none known.',
};
const LAG_COLUMNS: readonly Column[] = [
  nsColumn('lag_ns_max', 'The most that it was behind the ideal fluid schedule, at ends of windows.', {
    heading: 'lag max',
    better: 'lower',
  }),
  nsColumn('lag_max_at_ns', 'When that was.', { heading: 'at', instant: true, text: 'never' }),
  nsColumn('lag_ns_min', 'The most that it was ahead of it, negative.', {
    heading: 'lag min',
    text: 'never',
  }),
  nsColumn('lag_min_at_ns', 'When that was.', { heading: 'at', instant: true, text: 'never' }),
];

const DOMAIN_COLUMNS: readonly Column[] = [
  DOM,
  {
    name: 'weight',
    type: 'int',
    doc: 'Its weight; null where reservations take the place of weights.',
  },
  {
    name: 'weight_source',
    heading: '',
    type: 'string',
    doc:
      "`trace`: from credit2's records; `relative`: likewise, but the highest is taken to be 256; `given`: by the " +
      'user or the scenario; `assumed`: 256 for all.',
  },
  {
    name: 'cap_percent',
    type: 'int',
    unit: 'percent',
    heading: 'cap',
    text: 'nonzero',
    doc: 'Its cap in percent of one pCPU; null: none, or not known.',
  },
  {
    name: 'cap_source',
    type: 'string',
    text: 'never',
    doc:
      '`trace`: records show that it has none; `hidden`: they show that it has one, but not how high; `given`: by ' +
      'the user or the scenario; `assumed`: none.',
  },
  RESERVATION,
  RESERVATION_SOURCE,
  RUN,
  DEMAND,
  ENTITLEMENT,
  ratioColumn('share', 'run_ns over the capacity: the time of all pCPUs, as far as it is known.'),
  ratioColumn('entitled_share', 'entitlement_ns over the same.'),
  SHARE_ERROR,
  nsColumn(
    'vcpu_entitlement_ns',
    'What it would be entitled to if each vCPU that wants to run had its weight, as credit and credit2 count.',
    { text: 'never' },
  ),
  {
    name: 'vcpu_share_error',
    type: 'float',
    unit: 'ratio',
    text: 'never',
    doc: 'run_ns over vcpu_entitlement_ns, less 1.',
  },
  ...LAG_COLUMNS,
  COVERAGE,
];
const VCPU_COLUMNS: readonly Column[] = [
  DOM,
  VCPU,
  RESERVATION,
  RESERVATION_SOURCE,
  { ...RUN, doc: 'Time that it ran.' },
  { ...DEMAND, doc: 'Time that it ran, and time that it waited or was throttled without getting done.' },
  { ...ENTITLEMENT, doc: "Its part of what its domain is entitled to: all the domain's vCPUs are equal." },
  SHARE_ERROR,
  ...LAG_COLUMNS,
  COVERAGE,
];
const RUNQUEUE_COLUMNS: readonly Column[] = [
  { name: 'runqueue', type: 'int', unit: 'runqueue', key: true, doc: 'Number of the run queue.' },
  DOM,
  countColumn('pcpus', 'pCPUs of the run queue.'),
  countColumn('vcpus', 'vCPUs of the domain that were in it.'),
  RUN,
  DEMAND,
  {
    ...ENTITLEMENT,
    doc: 'What it is entitled to there, if each vCPU in the run queue has the weight of its domain.',
  },
  ratioColumn('share', "run_ns over the known time of the run queue's pCPUs."),
  ratioColumn('entitled_share', 'entitlement_ns over the same.'),
  SHARE_ERROR,
  ...LAG_COLUMNS,
];
const SUMMARY_COLUMNS: readonly Column[] = [
  countColumn('domains', 'Domains that wanted to run.'),
  ...EVENNESS_COLUMNS,
  COVERAGE,
];

class FairnessRun implements AnalysisRun {
  readonly listener = {
    onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch),
    onTransitions: (batch: TransitionBatch) => this.#lostTime.onTransitions(batch),
  };
  readonly #context: AnalysisContext;
  readonly #traced: TracePromises;
  readonly #promises: Promises;
  readonly #runQueues: RunQueues;
  readonly #log: ServiceLog;
  readonly #lostTime: LostTime;

  constructor(context: AnalysisContext) {
    const { catalog, fromNs, windowNs, domainParameters } = context;
    this.#context = context;
    this.#runQueues = new RunQueues(catalog, fromNs, FINEST_NS);
    this.#traced = new TracePromises(catalog, this.#runQueues);
    this.#promises = new Promises(this.#traced, domainParameters);
    const ownNs = windowNs % FINEST_NS === 0 ? [] : [windowNs];
    this.#log = new ServiceLog(fromNs, [FINEST_NS, ...ownNs]);
    this.#lostTime = new LostTime(context.pcpus, (pcpus, startNs, endNs) =>
      this.#log.lost(pcpus, startNs, endNs),
    );
  }

  onRecords(batch: RecordBatch): void {
    this.#runQueues.onRecords(batch);
    this.#traced.onRecords(batch);
  }

  finish(endNs: number): ResultTable[] {
    this.#lostTime.finish(endNs);
    this.#traced.finish();
    this.#log.finish();
    const of = new FairnessOf(this.#log, this.#promises, 'domain', this.#context.fromNs, endNs);
    return [
      {
        name: 'fairness',
        title: 'Share against entitlement, by domain',
        doc: 'What each domain got of the pCPUs, against what weight, cap, reservations and demand entitle it to.',
        columns: DOMAIN_COLUMNS,
        rows: this.#domainRows(of, endNs),
      },
      {
        name: 'fairness_summary',
        title: 'Fairness over all',
        doc: 'How evenly the whole run was divided among those that wanted to run.',
        columns: SUMMARY_COLUMNS,
        rows: [this.#summary(of)],
        single: true,
      },
      {
        name: 'fairness_windows',
        title: 'Fairness in windows',
        doc: 'How evenly each window was divided: mean, and the worst one, for windows of several lengths.',
        columns: WINDOW_COLUMNS,
        rows: this.#windowRows(of),
        sampleColumn: 'windows',
        empty: 'no window is known in which two domains wanted to run.',
      },
      fairnessSeries(of, this.#log.windows.at(-1)!, this.#context.windowNs),
      {
        name: 'fairness_by_vcpu',
        title: 'Share against entitlement, by vCPU',
        doc: 'The same by vCPU: those of a domain are equal, and none can use more than one pCPU at a time.',
        columns: VCPU_COLUMNS,
        rows: of.vcpuIndices().map((index) => this.#vcpuRow(of, index)),
        detail: true,
      },
      {
        name: 'fairness_by_runqueue',
        title: 'Share against entitlement within run queues',
        doc: "Credit2: what each domain got of a run queue's pCPUs, against what its vCPUs there are entitled to.",
        columns: RUNQUEUE_COLUMNS,
        rows: this.#runQueueRows(endNs),
        detail: true,
        empty: 'the trace has no TRC_CSCHED2_SCHEDULE, which tells which run queue a pCPU has.',
      },
    ];
  }

  #onRunstates(batch: RunstateBatch): void {
    const log = this.#log;
    const runQueues = this.#runQueues.count > 0 ? this.#runQueues : undefined;
    for (let row = 0; row < batch.count; row++) {
      const state = batch.state[row];
      const dom = batch.dom[row];
      const startNs = batch.startNs[row];
      const endNs = batch.endNs[row];
      if (dom === DOM_IDLE) {
        if (state !== RUNNING) continue;
        log.idle(startNs, endNs);
        runQueues?.onIdle(batch.pcpu[row], startNs, endNs);
        continue;
      }
      const member = log.member(batch.vcpuIndex[row], dom, batch.vcpu[row]);
      const isLimited = state === THROTTLED && this.#isLimitKnown(dom, batch.xenState[row]);
      if (state === RUNNING) log.ran(member, startNs, endNs);
      else if (state === RUNNABLE) log.waited(member, startNs, endNs);
      else if (isLimited) log.throttled(member, startNs, endNs);
      else if (state === BLOCKED) log.blocked(member);
      else if (state === UNKNOWN) log.unknown(member, startNs, endNs);
      else log.paused(member, startNs, endNs);
      runQueues?.onInterval(batch, row, state === RUNNABLE || isLimited);
    }
  }

  /**
   * Throttled time is demand if the limit is known that a vCPU was kept back by, and so bounds what it is entitled
   * to: a cap that was given, or a reservation of RTDS, whose depleted vCPUs Xen calls runnable. Else it had its
   * fill.
   */
  #isLimitKnown(dom: number, xenState: number): boolean {
    return xenState === RUNNABLE || (this.#context.domainParameters.get(dom)?.cap ?? 0) > 0;
  }

  #domainRows(of: FairnessOf, endNs: number): Cell[][] {
    const isSame = of.domains.every(({ from, to }) => to - from === 1);
    const byVcpu = isSame
      ? of
      : new FairnessOf(this.#log, this.#promises, 'vcpu', this.#context.fromNs, endNs);
    return of.domainIndices().map((index) => {
      const { dom, isReserved } = of.domains[index];
      const { weight, weightSource, cap, capSource } = this.#promises.of(dom);
      const { reservation, source } = of.domainReservation(index);
      const ranNs = of.ofDomain(index, of.ranNs);
      const entitlementNs = of.ofDomain(index, of.fluid.entitlementNs);
      const vcpuEntitlementNs = byVcpu.ofDomain(index, byVcpu.fluid.entitlementNs);
      return [
        dom,
        isReserved ? null : weight,
        isReserved ? null : weightSource,
        cap ?? null,
        capSource,
        reservation,
        source,
        ranNs,
        of.ofDomain(index, of.demandNs),
        Math.round(entitlementNs),
        share(ranNs, of.capacityNs),
        share(entitlementNs, of.capacityNs),
        shareError(ranNs, entitlementNs),
        Math.round(vcpuEntitlementNs),
        shareError(ranNs, vcpuEntitlementNs),
        ...lagCells(of.fluid.domainLags, index, of.fluid.hasLags),
        this.#context.coverage.ofDomain(dom),
      ];
    });
  }

  #vcpuRow(of: FairnessOf, index: number): Cell[] {
    const [dom, vcpu] = of.vcpuAt(index);
    const entitlementNs = of.fluid.entitlementNs[index];
    const { reservation, source } = of.vcpuReservation(index);
    return [
      dom,
      vcpu,
      reservation,
      source,
      of.ranNs[index],
      of.demandNs[index],
      Math.round(entitlementNs),
      shareError(of.ranNs[index], entitlementNs),
      ...lagCells(of.fluid.vcpuLags, index, of.fluid.hasLags),
      this.#context.coverage.ofVcpu(dom * 0x10000 + vcpu),
    ];
  }

  #runQueueRows(endNs: number): Cell[][] {
    return this.#runQueues.logs().flatMap(([runqueue, log]) => {
      log.finish();
      const of = new FairnessOf(log, this.#promises, 'vcpu', this.#context.fromNs, endNs);
      return of.domainIndices().map((index) => {
        const { dom, from, to } = of.domains[index];
        const ranNs = of.ofDomain(index, of.ranNs);
        const entitlementNs = of.ofDomain(index, of.fluid.entitlementNs);
        return [
          runqueue,
          dom,
          this.#runQueues.pcpusOf(runqueue),
          to - from,
          ranNs,
          of.ofDomain(index, of.demandNs),
          Math.round(entitlementNs),
          share(ranNs, of.capacityNs),
          share(entitlementNs, of.capacityNs),
          shareError(ranNs, entitlementNs),
          ...lagCells(of.fluid.domainLags, index, of.fluid.hasLags),
        ];
      });
    });
  }

  #summary(of: FairnessOf): Cell[] {
    const stretch = new Stretch();
    stretch.compare(of.domains, of.ranNs, of.fluid.entitlementNs, 0);
    const coverages = this.#context.coverage
      .domains()
      .flatMap((dom) => this.#context.coverage.ofDomain(dom) ?? []);
    return [
      of.domainIndices().length,
      ...stretch.cells(),
      coverages.length > 0 ? Math.min(...coverages) : null,
    ];
  }

  #windowRows(of: FairnessOf): Cell[][] {
    const { windowNs } = this.#context;
    const lengths = [...new Set([...WINDOWS_NS, windowNs])].sort((a, b) => a - b);
    const [finest, own = finest] = this.#log.windows;
    return lengths.map((lengthNs) => judgeWindows(of, lengthNs === windowNs ? own : finest, lengthNs));
  }
}

function share(ns: number, capacityNs: number): number | null {
  return capacityNs > 0 ? ns / capacityNs : null;
}

function shareError(ranNs: number, entitlementNs: number): number | null {
  return entitlementNs > 0 ? ranNs / entitlementNs - 1 : null;
}

function lagCells(lags: Lags, index: number, areKnown: boolean): Cell[] {
  if (!areKnown) return LAG_COLUMNS.map(() => null);
  const [behindNs, aheadNs] = [Math.round(lags.behindNs[index]), Math.round(lags.aheadNs[index])];
  return [
    behindNs,
    behindNs > 0 ? lags.behindAtNs[index] : null,
    // Not -0.
    aheadNs + 0,
    aheadNs < 0 ? lags.aheadAtNs[index] : null,
  ];
}

/** Whether each domain got its share. Definitions: docs/metrics.md. */
export const fairness: Analysis = {
  name: 'fairness',
  title: 'Who got the share that its weight entitles it to',
  doc: "Share against entitlement by weight, cap and reservation, lag, Jain's index; in all and in windows.",
  hears: 'all',
  create: (context) => new FairnessRun(context),
};
