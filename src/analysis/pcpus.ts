import type { RunstateBatch, TransitionBatch, WaitBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, nsColumn, ratioColumn } from './columns.ts';
import { COVERAGE } from './coverage.ts';
import { IdleWhileWaiting } from './idle-while-waiting.ts';
import { PcpuTimes } from './pcpu-times.ts';
import { rounded } from './rounded.ts';
import { mean } from './statistics.ts';

const COLUMNS: readonly Column[] = [
  { name: 'pcpu', type: 'int', unit: 'pcpu', key: true, doc: 'Number of the pCPU.' },
  ratioColumn('utilisation', 'busy_ns over known time.'),
  nsColumn('busy_ns', "Time in which a domain's vCPU ran there."),
  nsColumn('idle_ns', 'Time in which its idle vCPU ran.'),
  nsColumn('unknown_ns', 'The rest: nobody can tell who ran.'),
  nsColumn('waited_ns', 'Sum of the waits that ended there: of the vCPUs that then ran on this pCPU.', {
    better: 'lower',
  }),
  countColumn('switches', 'Times that a vCPU, the idle one included, began to run there.'),
  COVERAGE,
];

const BALANCE_COLUMNS: readonly Column[] = [
  countColumn('pcpus', 'pCPUs that the trace has records of.'),
  ratioColumn('utilisation', 'Mean of their utilisations.'),
  ratioColumn('utilisation_spread', 'The highest utilisation less the lowest.', { better: 'lower' }),
  ratioColumn('utilisation_cov', 'Coefficient of variation of the utilisations: 0 if all are equal.', {
    better: 'lower',
  }),
  ratioColumn('waited_cov', 'Likewise of waited_ns.', { better: 'lower' }),
  {
    name: 'waiting_mean',
    type: 'float',
    unit: 'vcpus',
    doc: 'vCPUs that wait at a time, all run queues together: mean over time.',
    better: 'lower',
  },
  { name: 'waiting_max', type: 'int', unit: 'vcpus', doc: 'The most at once.', better: 'lower' },
  nsColumn(
    'idle_while_waiting_ns',
    'Time in which a pCPU idled while a vCPU waited, though it may not run there.',
    {
      better: 'lower',
    },
  ),
  nsColumn('lost_ns', 'Time of pCPUs that idled for as many vCPUs that waited: at most so much was lost.', {
    better: 'lower',
  }),
  ratioColumn(
    'lost_ratio',
    'lost_ns over the busy time of all pCPUs: how much more could have been done, at most.',
    {
      better: 'lower',
    },
  ),
  COVERAGE,
];

class PcpusRun implements AnalysisRun {
  readonly listener = {
    onRunstates: (batch: RunstateBatch) => this.#times.onRunstates(batch),
    onWaits: (batch: WaitBatch) => this.#onWaits(batch),
    onTransitions: (batch: TransitionBatch) => this.#idle.onTransitions(batch),
  };
  readonly #fromNs: number;
  readonly #times: PcpuTimes;
  readonly #idle: IdleWhileWaiting;
  /** By pCPU. */
  readonly #waitedNs: number[] = [];

  constructor({ pcpus, fromNs }: AnalysisContext) {
    this.#fromNs = fromNs;
    this.#times = new PcpuTimes(pcpus);
    this.#idle = new IdleWhileWaiting(fromNs, pcpus);
  }

  finish(endNs: number): ResultTable[] {
    const spanNs = Math.max(0, endNs - this.#fromNs);
    this.#idle.finish(endNs);
    return [
      {
        name: 'pcpus',
        title: 'How busy each pCPU was',
        doc: 'Busy, idle and unknown time of each pCPU that the trace has records of; they sum to the span.',
        columns: COLUMNS,
        rows: this.#times.numbers().map((pcpu) => this.#row(pcpu, spanNs)),
      },
      {
        name: 'balance',
        title: 'How even the pCPUs were',
        doc: 'Spread of busy and waiting time over the pCPUs, and what was left undone meanwhile.',
        columns: BALANCE_COLUMNS,
        rows: [this.#balance(spanNs)],
        single: true,
      },
    ];
  }

  #onWaits(batch: WaitBatch): void {
    const { count, toPcpu, startNs, endNs } = batch;
    for (let row = 0; row < count; row++) {
      const pcpu = toPcpu[row];
      if (pcpu >= 0) this.#waitedNs[pcpu] = this.#waitedOn(pcpu) + endNs[row] - startNs[row];
    }
  }

  #waitedOn(pcpu: number): number {
    return this.#waitedNs[pcpu] ?? 0;
  }

  #row(pcpu: number, spanNs: number): Cell[] {
    const { busyNs, idleNs, switches } = this.#times.of(pcpu);
    return [
      pcpu,
      this.#times.utilisation(pcpu),
      busyNs,
      idleNs,
      Math.max(0, spanNs - busyNs - idleNs),
      this.#waitedOn(pcpu),
      switches,
      this.#times.coverage(pcpu, spanNs),
    ];
  }

  #balance(spanNs: number): Cell[] {
    const numbers = this.#times.numbers();
    const utilisations = numbers.flatMap((pcpu) => this.#times.utilisation(pcpu) ?? []);
    const busyNs = numbers.reduce((sum, pcpu) => sum + this.#times.of(pcpu).busyNs, 0);
    const coverage = mean(numbers.flatMap((pcpu) => this.#times.coverage(pcpu, spanNs) ?? []));
    const known = utilisations.length > 0;
    const { lostNs, bothNs, waitingNs, waitingMax } = this.#idle;
    return [
      numbers.length,
      mean(utilisations),
      known ? Math.max(...utilisations) - Math.min(...utilisations) : null,
      variation(utilisations),
      variation(numbers.map((pcpu) => this.#waitedOn(pcpu))),
      known && spanNs > 0 ? rounded(waitingNs / spanNs, 3) : null,
      known ? waitingMax : null,
      known ? bothNs : null,
      known ? lostNs : null,
      busyNs > 0 ? lostNs / busyNs : null,
      coverage,
    ];
  }
}

/** Coefficient of variation: the standard deviation of all of them over their mean. Null where that is 0. */
function variation(values: readonly number[]): number | null {
  const middle = mean(values);
  if (middle === null || middle === 0) return null;
  const variance = mean(values.map((value) => (value - middle) ** 2))!;
  return Math.sqrt(variance) / middle;
}

/** How busy the pCPUs were, and how evenly. Definitions: docs/metrics.md. */
export const pcpus: Analysis = {
  name: 'pcpus',
  title: 'How busy each pCPU was',
  doc: 'Busy, idle and unknown time of each pCPU, and how evenly work and waiting were spread over them.',
  hears: 'all',
  create: (context) => new PcpusRun(context),
};
