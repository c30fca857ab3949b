import {
  BLOCKED,
  DOM_IDLE,
  OFFLINE,
  RUNNABLE,
  RUNNING,
  type RunstateBatch,
  THROTTLED,
  UNKNOWN,
} from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE } from './coverage.ts';
import { WindowedSums } from './windowed-sums.ts';

/** Rules of thumb of operators (docs/metrics.md names the sources), not laws. */
export const READY_WATCH = 0.05;
export const READY_HIGH = 0.1;
export const STEAL_HIGH = 0.1;
/** What VMware's real-time chart sums CPU ready over. */
const CHART_MS = 20_000;
/** A vCPU is judged in a window of which at least this part is known. */
const WINDOW_KNOWN_MIN = 0.99;

/** From the best to the worst. */
const VERDICTS = ['ok', 'watch', 'throttled', 'high'] as const;

const MEASURES: readonly Column[] = [
  {
    name: 'verdict',
    type: 'string',
    doc:
      'By rules of thumb: `high`: ready_ratio is 10 % or more; `watch`: 5 % or more; `throttled`: less, but ' +
      'its guest sees 10 % steal or more, by its cap, its budget or a pause; else `ok`. Null: nothing is known.',
  },
  ratioColumn('ready_ratio', 'ready_ns over the known time: %RDY of esxtop without its %MLMTD.', {
    heading: 'ready',
    better: 'lower',
  }),
  {
    name: 'ready_ms_per_20s',
    type: 'int',
    unit: 'ms',
    heading: 'ms/20 s',
    better: 'lower',
    doc: 'The same in milliseconds of 20 s, as VMware charts "CPU Ready": ready_ratio x 20,000.',
  },
  nsColumn('ready_ns', 'Time in which it wanted to run, was free to, and did not run.', {
    heading: 'ready time',
    better: 'lower',
  }),
  ratioColumn(
    'ready_of_wanted_ratio',
    'ready_ns over the time it wanted to run: running, ready or throttled.',
    {
      heading: 'of wanted',
      better: 'lower',
    },
  ),
  ratioColumn(
    'guest_steal_ratio',
    "What `st` in the guest's top shows: Xen's runnable and offline time over the known time.",
    { heading: 'guest st', better: 'lower' },
  ),
  nsColumn('throttled_ns', 'Time in which its own cap or budget kept it back.', {
    text: 'nonzero',
    better: 'lower',
  }),
  ratioColumn('throttled_ratio', 'throttled_ns over the known time.', {
    heading: '',
    text: 'nonzero',
    better: 'lower',
  }),
  ratioColumn('ready_ratio_worst', 'ready_ratio of the worst window of those that are known to 99 %.', {
    heading: 'worst window',
    better: 'lower',
  }),
  nsColumn('ready_worst_start_ns', 'When that window began, since the start of the trace.', {
    heading: 'at',
    instant: true,
  }),
  nsColumn('window_ns', 'Length of the windows.', { text: 'never' }),
  COVERAGE,
];

interface VcpuTime {
  readonly dom: number;
  readonly vcpu: number;
  /** Its series among the windows: 2 i is ready, 2 i + 1 known. */
  readonly series: number;
  /** Time by state, 0 to THROTTLED. */
  readonly ns: Float64Array;
  /** The last stretch of time of which everything is known. */
  knownFromNs: number;
  knownToNs: number;
}

class StealRun implements AnalysisRun {
  readonly listener = { onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch) };
  readonly #fromNs: number;
  readonly #windows: WindowedSums;
  /** By vCPU index; the idle domain has none. */
  readonly #byIndex: (VcpuTime | undefined)[] = [];
  readonly #vcpus: VcpuTime[] = [];
  /** Up to where anything is known. */
  #knownToNs: number;

  constructor({ fromNs, windowNs }: AnalysisContext) {
    this.#fromNs = fromNs;
    this.#knownToNs = fromNs;
    this.#windows = new WindowedSums(windowNs);
  }

  finish(endNs: number): ResultTable[] {
    for (const vcpu of this.#vcpus) this.#addKnown(vcpu);
    this.#vcpus.sort((a, b) => a.dom - b.dom || a.vcpu - b.vcpu);
    const doms = [...new Set(this.#vcpus.map(({ dom }) => dom))];
    return [
      {
        name: 'steal',
        title: 'CPU ready and steal, by vCPU',
        doc: 'How much of its time each vCPU wanted a pCPU and had none, in the figures that operators know.',
        columns: [DOM, VCPU, ...MEASURES],
        rows: this.#vcpus.map((own) => [own.dom, own.vcpu, verdictOf(own), ...this.#measure([own], endNs)]),
      },
      {
        name: 'steal_by_domain',
        title: 'CPU ready and steal, by domain',
        doc: 'The mean of the vCPUs of each domain; times are sums, the verdict is that of its worst vCPU.',
        columns: [DOM, countColumn('vcpus', 'Its vCPUs in the trace.'), ...MEASURES],
        rows: doms.map((dom) => {
          const own = this.#vcpus.filter((vcpu) => vcpu.dom === dom);
          return [dom, own.length, worstOf(own.map(verdictOf)), ...this.#measure(own, endNs)];
        }),
      },
    ];
  }

  #onRunstates(batch: RunstateBatch): void {
    const { count, vcpuIndex, state: states, startNs: starts, endNs: ends } = batch;
    for (let row = 0; row < count; row++) {
      if (batch.dom[row] === DOM_IDLE) continue;
      const vcpu = this.#byIndex[vcpuIndex[row]] ?? this.#addVcpu(batch, row);
      const state = states[row];
      const startNs = starts[row];
      const endNs = ends[row];
      vcpu.ns[state] += endNs - startNs;
      if (state === UNKNOWN) continue;
      if (startNs !== vcpu.knownToNs) {
        this.#addKnown(vcpu);
        vcpu.knownFromNs = startNs;
      }
      vcpu.knownToNs = endNs;
      if (state === RUNNABLE)
        this.#windows.add(2 * vcpu.series, startNs - this.#fromNs, endNs - this.#fromNs);
    }
  }

  /** Tells the windows of the last known stretch of `vcpu`. */
  #addKnown({ series, knownFromNs, knownToNs }: VcpuTime): void {
    this.#windows.add(2 * series + 1, knownFromNs - this.#fromNs, knownToNs - this.#fromNs);
    this.#knownToNs = Math.max(this.#knownToNs, knownToNs);
  }

  #addVcpu(batch: RunstateBatch, row: number): VcpuTime {
    const startNs = batch.startNs[row];
    const vcpu = {
      dom: batch.dom[row],
      vcpu: batch.vcpu[row],
      series: this.#vcpus.length,
      ns: new Float64Array(THROTTLED + 1),
      knownFromNs: startNs,
      knownToNs: startNs,
    };
    this.#byIndex[batch.vcpuIndex[row]] = vcpu;
    this.#vcpus.push(vcpu);
    return vcpu;
  }

  #measure(vcpus: readonly VcpuTime[], endNs: number): Cell[] {
    const inState = (state: number) => vcpus.reduce((sum, { ns }) => sum + ns[state], 0);
    const [readyNs, throttledNs] = [inState(RUNNABLE), inState(THROTTLED)];
    const knownNs = vcpus.reduce((sum, vcpu) => sum + knownOf(vcpu), 0);
    const ready = ratio(readyNs, knownNs);
    return [
      ready,
      ready === null ? null : Math.round(ready * CHART_MS),
      readyNs,
      ratio(readyNs, inState(RUNNING) + readyNs + throttledNs),
      ratio(readyNs + throttledNs + inState(OFFLINE), knownNs),
      throttledNs,
      ratio(throttledNs, knownNs),
      ...this.#worstWindow(vcpus, endNs),
      ratio(knownNs, knownNs + inState(UNKNOWN)),
    ];
  }

  /**
   * Share and start of the full window in which `vcpus` were ready most, the first of equals; and the
   * windows' length.
   */
  #worstWindow(vcpus: readonly VcpuTime[], endNs: number): Cell[] {
    const { count, windowNs } = this.#windows;
    const lengthNs = Math.min(endNs, this.#knownToNs) - this.#fromNs;
    // A damaged TSC may be known years later, for no time at all: no window is there to be looked at.
    const windows = Math.min(count, Math.floor(lengthNs / windowNs));
    let worst: number | null = null;
    let worstStartNs: number | null = null;
    for (let window = 0; window < windows; window++) {
      let readyNs = 0;
      let knownNs = 0;
      for (const { series } of vcpus) {
        const ownNs = this.#windows.sum(2 * series + 1, window);
        if (ownNs < WINDOW_KNOWN_MIN * windowNs) continue;
        knownNs += ownNs;
        readyNs += this.#windows.sum(2 * series, window);
      }
      if (knownNs === 0 || (worst !== null && readyNs <= worst * knownNs)) continue;
      worst = readyNs / knownNs;
      worstStartNs = this.#fromNs + window * windowNs;
    }
    return [worst, worstStartNs, windowNs];
  }
}

function knownOf({ ns }: VcpuTime): number {
  return ns[RUNNING] + ns[RUNNABLE] + ns[BLOCKED] + ns[OFFLINE] + ns[THROTTLED];
}

function verdictOf(vcpu: VcpuTime): (typeof VERDICTS)[number] | null {
  const knownNs = knownOf(vcpu);
  if (knownNs === 0) return null;
  const { ns } = vcpu;
  if (ns[RUNNABLE] >= READY_HIGH * knownNs) return 'high';
  if (ns[RUNNABLE] >= READY_WATCH * knownNs) return 'watch';
  return ns[RUNNABLE] + ns[THROTTLED] + ns[OFFLINE] >= STEAL_HIGH * knownNs ? 'throttled' : 'ok';
}

function worstOf(verdicts: readonly ReturnType<typeof verdictOf>[]): Cell {
  return VERDICTS.findLast((verdict) => verdicts.includes(verdict)) ?? null;
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** CPU ready and steal, as operators know them. Definitions: docs/metrics.md. */
export const steal: Analysis = {
  name: 'steal',
  title: 'CPU ready and steal',
  doc: 'CPU ready as VMware charts it, steal as the guest sees it, throttled time apart; judged by rules of thumb.',
  create: (context) => new StealRun(context),
};
