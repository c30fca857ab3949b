import { DOM_IDLE, RUNNING, type RunstateBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Column, ResultTable } from './analysis.ts';
import { countColumn, nsColumn, ratioColumn } from './columns.ts';
import { COVERAGE } from './coverage.ts';

const COLUMNS: readonly Column[] = [
  { name: 'pcpu', type: 'int', unit: 'pcpu', key: true, doc: 'Number of the pCPU.' },
  ratioColumn('utilisation', 'busy_ns over known time.'),
  nsColumn('busy_ns', "Time in which a domain's vCPU ran there."),
  nsColumn('idle_ns', 'Time in which its idle vCPU ran.'),
  nsColumn('unknown_ns', 'The rest: nobody can tell who ran.'),
  countColumn('switches', 'Times that a vCPU, the idle one included, began to run there.'),
  COVERAGE,
];

class PcpusRun implements AnalysisRun {
  readonly listener = { onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch) };
  readonly #pcpus = new Map<number, { busyNs: number; idleNs: number; switches: number }>();

  readonly #fromNs: number;

  constructor(context: AnalysisContext) {
    this.#fromNs = context.fromNs;
    for (const pcpu of context.pcpus) this.#of(pcpu);
  }

  finish(endNs: number): ResultTable[] {
    const spanNs = endNs - this.#fromNs;
    const rows = [...this.#pcpus]
      .sort(([a], [b]) => a - b)
      .map(([pcpu, { busyNs, idleNs, switches }]) => {
        const knownNs = busyNs + idleNs;
        const busy = knownNs > 0 ? busyNs / knownNs : null;
        const coverage = spanNs > 0 ? knownNs / spanNs : null;
        return [pcpu, busy, busyNs, idleNs, Math.max(0, spanNs - knownNs), switches, coverage];
      });
    return [
      {
        name: 'pcpus',
        title: 'How busy each pCPU was',
        doc: 'Busy, idle and unknown time of each pCPU that the trace has records of; they sum to the span.',
        columns: COLUMNS,
        rows,
      },
    ];
  }

  #onRunstates(batch: RunstateBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.state[row] !== RUNNING || batch.pcpu[row] < 0) continue;
      const pcpu = this.#of(batch.pcpu[row]);
      const ns = batch.endNs[row] - batch.startNs[row];
      if (batch.dom[row] === DOM_IDLE) pcpu.idleNs += ns;
      else pcpu.busyNs += ns;
      pcpu.switches += batch.complete[row] & 1;
    }
  }

  #of(number: number): { busyNs: number; idleNs: number; switches: number } {
    let pcpu = this.#pcpus.get(number);
    if (pcpu === undefined) {
      pcpu = { busyNs: 0, idleNs: 0, switches: 0 };
      this.#pcpus.set(number, pcpu);
    }
    return pcpu;
  }
}

/** How busy the pCPUs were. Definitions: docs/metrics.md. */
export const pcpus: Analysis = {
  name: 'pcpus',
  title: 'How busy each pCPU was',
  doc: 'Busy, idle and unknown time of each pCPU.',
  create: (context) => new PcpusRun(context),
};
