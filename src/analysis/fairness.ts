import {
  BLOCKED,
  DOM_IDLE,
  RUNNABLE,
  RUNNING,
  type RunstateBatch,
  THROTTLED,
  UNKNOWN,
  VcpuTable,
} from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn } from './columns.ts';
import { COVERAGE } from './coverage.ts';
import { type Claim, entitlements } from './entitlement.ts';
import { jainIndex, sum } from './statistics.ts';
import { WindowedSums } from './windowed-sums.ts';

/** Xen's default weight, in credit and in credit2. */
export const WEIGHT_DEFAULT = 256;
/** A window is not judged when more than this part of it is unknown. */
const UNKNOWN_MAX = 0.01;

const DOMAIN_COLUMNS: readonly Column[] = [
  DOM,
  {
    name: 'weight',
    type: 'int',
    doc: `Its weight: as given, else ${WEIGHT_DEFAULT} for all, which is assumed.`,
  },
  {
    name: 'weight_source',
    heading: '',
    type: 'string',
    doc: '`given` or `assumed`: a trace does not carry weights.',
  },
  {
    name: 'cap_percent',
    type: 'int',
    unit: 'percent',
    heading: 'cap',
    text: 'nonzero',
    doc: 'Its cap in percent of one pCPU, as given; null: none known.',
  },
  nsColumn('run_ns', 'Time that its vCPUs ran.'),
  nsColumn(
    'demand_ns',
    'Time that they ran, and time that they waited or were throttled without getting done.',
  ),
  nsColumn('entitlement_ns', 'Time that weights, caps and demands entitle it to (water-filling).'),
  ratioColumn('share', 'run_ns over the capacity: all pCPUs of the trace over its span.'),
  ratioColumn('entitled_share', 'entitlement_ns over the same.'),
  {
    name: 'share_error',
    type: 'float',
    unit: 'ratio',
    doc: 'run_ns over entitlement_ns, less 1: negative is too little.',
  },
  COVERAGE,
];
const SUMMARY_COLUMNS: readonly Column[] = [
  countColumn('domains', 'Domains that wanted to run.'),
  ratioColumn(
    'jain',
    "Jain's index over their run_ns divided by weight; 1 is fair if nobody is short of demand.",
  ),
  ratioColumn('jain_entitled', "Jain's index over their run_ns divided by entitlement_ns; 1 is fair."),
  nsColumn('window_ns', 'Length of the windows judged one by one.'),
  countColumn('windows', 'Windows judged: known to 99 %, with two domains or more that wanted to run.'),
  ratioColumn('jain_worst', 'The lowest jain of a window.'),
  nsColumn('jain_worst_start_ns', 'When that window began.', { instant: true }),
  ratioColumn('jain_entitled_worst', 'The lowest jain_entitled of a window.'),
  nsColumn('jain_entitled_worst_start_ns', 'When that window began.', { instant: true }),
  COVERAGE,
];

interface Verdict {
  readonly doms: readonly number[];
  readonly entitlementNs: readonly number[];
  readonly jain: number | null;
  readonly jainEntitled: number | null;
}

/** What a vCPU waited since it woke. */
interface Backlog {
  ns: number;
  /** The part of it in the window in which the last wait ended, at `endNs`. */
  inWindowNs: number;
  endNs: number;
}

interface Worst {
  jain: number | null;
  startNs: number | null;
}

class FairnessRun implements AnalysisRun {
  readonly listener = { onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch) };
  readonly #context: AnalysisContext;
  readonly #doms: number[] = [];
  /** Domain -> index into #doms. Its series: 3 i is run, 3 i + 1 want of time, 3 i + 2 unknown. */
  readonly #indexOf = new Map<number, number>();
  readonly #windows: WindowedSums;
  readonly #pcpus: Set<number>;
  readonly #runNs: number[] = [];
  /** Time that vCPUs wanted to run and did not, see {@link #onAside}. */
  readonly #wantNs: number[] = [];
  /** By vCPU. */
  readonly #vcpus = new VcpuTable();
  readonly #backlogs: Backlog[] = [];

  constructor(context: AnalysisContext) {
    this.#context = context;
    this.#windows = new WindowedSums(context.windowNs);
    this.#pcpus = new Set(context.pcpus);
  }

  finish(endNs: number): ResultTable[] {
    const capacityNs = this.#pcpus.size * endNs;
    const verdict = this.#judge(capacityNs, endNs, this.#runNs, this.#wantNs);
    return [
      {
        name: 'fairness',
        title: 'Share against entitlement, by domain',
        doc: 'What each domain got of the pCPUs, against what its weight, cap and demand entitle it to.',
        columns: DOMAIN_COLUMNS,
        rows: verdict.doms
          .map((dom, index) => this.#row(dom, verdict.entitlementNs[index], capacityNs))
          .sort((a, b) => Number(a[0]) - Number(b[0])),
      },
      {
        name: 'fairness_summary',
        title: 'Fairness over all',
        doc: "Jain's index of the whole run and of its worst window.",
        columns: SUMMARY_COLUMNS,
        rows: [this.#summary(verdict, endNs)],
        single: true,
      },
    ];
  }

  #onRunstates(batch: RunstateBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const state = batch.state[row];
      if (state === RUNNING && batch.pcpu[row] >= 0) this.#pcpus.add(batch.pcpu[row]);
      const dom = batch.dom[row];
      if (dom === DOM_IDLE) continue;
      const index = this.#domain(dom);
      const startNs = batch.startNs[row];
      const endNs = batch.endNs[row];
      if (state === RUNNING) {
        this.#runNs[index] += endNs - startNs;
        this.#windows.add(3 * index, startNs, endNs);
      } else if (state === UNKNOWN) {
        this.#windows.add(3 * index + 2, startNs, endNs);
      } else {
        this.#onAside(index, ((dom << 16) | batch.vcpu[row]) >>> 0, state, startNs, endNs);
      }
    }
  }

  /**
   * A vCPU did not run. While it waits it wants to run; but once it blocks, it got done what it wanted, and its waiting
   * since it woke was delay and not want of time: so that is taken back, as far as it lies in the same window.
   */
  #onAside(index: number, key: number, state: number, startNs: number, endNs: number): void {
    const vcpu = Math.max(0, this.#vcpus.indexOf(key));
    this.#backlogs[vcpu] ??= { ns: 0, inWindowNs: 0, endNs: 0 };
    const backlog = this.#backlogs[vcpu];
    const { windowNs } = this.#windows;
    const windowOf = (ns: number) => Math.ceil(ns / windowNs) - 1;
    const sameWindow = backlog.inWindowNs > 0 && windowOf(backlog.endNs) === windowOf(startNs);
    if (state === RUNNABLE || state === THROTTLED) {
      this.#wantNs[index] += endNs - startNs;
      this.#windows.add(3 * index + 1, startNs, endNs);
      backlog.ns += endNs - startNs;
      const inLastNs = endNs - Math.max(startNs, windowOf(endNs) * this.#windows.windowNs);
      backlog.inWindowNs =
        inLastNs + (sameWindow && windowOf(startNs) === windowOf(endNs) ? backlog.inWindowNs : 0);
      backlog.endNs = endNs;
    } else if (state === BLOCKED) {
      this.#wantNs[index] -= backlog.ns;
      if (sameWindow) this.#windows.subtract(3 * index + 1, backlog.endNs, backlog.inWindowNs);
      backlog.ns = 0;
      backlog.inWindowNs = 0;
    }
  }

  #domain(dom: number): number {
    let index = this.#indexOf.get(dom);
    if (index === undefined) {
      index = this.#doms.push(dom) - 1;
      this.#indexOf.set(dom, index);
      this.#runNs.push(0);
      this.#wantNs.push(0);
    }
    return index;
  }

  /** Judges one stretch of time by what each domain (by index) ran, and wanted to run but did not, in it. */
  #judge(capacityNs: number, lengthNs: number, runNs: readonly number[], wantNs: readonly number[]): Verdict {
    const demandNs = runNs.map((ns, index) => ns + wantNs[index]);
    const indices = this.#doms.map((_, index) => index).filter((index) => demandNs[index] > 0);
    const claims = indices.map((index): Claim => {
      const { weight = WEIGHT_DEFAULT, cap = 0 } = this.#parameters(this.#doms[index]);
      const capNs = cap > 0 ? (cap / 100) * lengthNs : Number.POSITIVE_INFINITY;
      return { weight, limit: Math.min(demandNs[index], capNs) };
    });
    const entitlementNs = entitlements(capacityNs, claims);
    const ran = indices.map((index) => runNs[index]);
    return {
      doms: indices.map((index) => this.#doms[index]),
      entitlementNs,
      jain: jainIndex(ran.map((ns, at) => ns / claims[at].weight)),
      jainEntitled: jainIndex(
        ran.flatMap((ns, at) => (entitlementNs[at] > 0 ? [ns / entitlementNs[at]] : [])),
      ),
    };
  }

  #parameters(dom: number) {
    return this.#context.domainParameters.get(dom) ?? {};
  }

  #row(dom: number, entitlementNs: number, capacityNs: number): Cell[] {
    const index = this.#indexOf.get(dom)!;
    const { weight, cap } = this.#parameters(dom);
    const runNs = this.#runNs[index];
    return [
      dom,
      weight ?? WEIGHT_DEFAULT,
      weight === undefined ? 'assumed' : 'given',
      cap === undefined || cap === 0 ? null : cap,
      runNs,
      runNs + this.#wantNs[index],
      Math.round(entitlementNs),
      capacityNs > 0 ? runNs / capacityNs : null,
      capacityNs > 0 ? entitlementNs / capacityNs : null,
      entitlementNs > 0 ? runNs / entitlementNs - 1 : null,
      this.#context.coverage.ofDomain(dom),
    ];
  }

  #summary(verdict: Verdict, endNs: number): Cell[] {
    const { windowNs } = this.#windows;
    const worst: Worst = { jain: null, startNs: null };
    const worstEntitled: Worst = { jain: null, startNs: null };
    let judged = 0;
    for (let window = 0; (window + 1) * windowNs <= endNs; window++) {
      const of = (series: number) =>
        this.#doms.map((_, index) => this.#windows.sum(3 * index + series, window));
      const unknownNs = sum(of(2));
      if (unknownNs > UNKNOWN_MAX * windowNs) continue;
      const { doms, jain, jainEntitled } = this.#judge(this.#pcpus.size * windowNs, windowNs, of(0), of(1));
      if (doms.length < 2) continue;
      judged++;
      lower(worst, jain, window * windowNs);
      lower(worstEntitled, jainEntitled, window * windowNs);
    }
    const coverages = this.#context.coverage
      .domains()
      .flatMap((dom) => this.#context.coverage.ofDomain(dom) ?? []);
    const { jain, jainEntitled, doms } = verdict;
    const coverage = coverages.length > 0 ? Math.min(...coverages) : null;
    return [
      doms.length,
      jain,
      jainEntitled,
      windowNs,
      judged,
      worst.jain,
      worst.startNs,
      worstEntitled.jain,
      worstEntitled.startNs,
      coverage,
    ];
  }
}

function lower(worst: Worst, jain: number | null, startNs: number): void {
  if (jain === null || (worst.jain !== null && jain >= worst.jain)) return;
  worst.jain = jain;
  worst.startNs = startNs;
}

/** Whether each domain got its share. Definitions: docs/metrics.md. */
export const fairness: Analysis = {
  name: 'fairness',
  title: 'Who got the share that its weight entitles it to',
  doc: "Share against weighted entitlement with caps, Jain's index, over the whole run and in the worst window.",
  create: (context) => new FairnessRun(context),
};
