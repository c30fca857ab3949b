import { type RunstateBatch, VcpuTable, WAIT_CAUSES, type WaitBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, VCPU } from './columns.ts';
import { COVERAGE, Coverage } from './coverage.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget, Samples } from './samples.ts';

const MEASURES: readonly Column[] = [
  {
    name: 'cause',
    type: 'string',
    key: true,
    doc: '`wake`: it was blocked before; `preempt`: it ran before (yields too); `resume`: it was offline before.',
  },
  countColumn('count', 'Waits: times runnable that ended by running, start and end seen.'),
  ...sampleColumns(
    'wait_ns',
    'the waits',
    'wait_max_start_ns',
    'When the longest began, since the start of the trace.',
  ),
  nsColumn('wait_ns_total', 'Sum of the waits.', { heading: 'total' }),
  nsColumn('throttled_ns', 'The part of wait_ns_total in which its own budget or cap kept it back.', {
    text: 'nonzero',
  }),
  COVERAGE,
];

interface Waits {
  readonly samples: Samples;
  throttledNs: number;
}

class WaitsRun implements AnalysisRun {
  readonly listener = {
    onRunstates: (batch: RunstateBatch) => this.#coverage.onRunstates(batch),
    onWaits: (batch: WaitBatch) => this.#onWaits(batch),
  };
  readonly #coverage = new Coverage();
  readonly #budget = new SampleBudget();
  readonly #vcpus = new VcpuTable();
  /** By index in the table, one for each cause. */
  readonly #waits: (readonly Waits[])[] = [];

  finish(): ResultTable[] {
    return [
      {
        name: 'waits',
        title: 'Waits for a pCPU, by vCPU',
        doc: 'How long each vCPU was runnable before it ran, after waking, after preemption and after a pause.',
        columns: [DOM, VCPU, ...MEASURES],
        rows: this.#coverage.vcpus().flatMap((key) => this.#rows(key)),
        sampleColumn: 'count',
      },
      {
        name: 'waits_by_domain',
        title: 'Waits for a pCPU, by domain',
        doc: 'The same over all vCPUs of a domain.',
        columns: [DOM, ...MEASURES],
        rows: this.#coverage.domains().flatMap((dom) => this.#domainRows(dom)),
        sampleColumn: 'count',
      },
    ];
  }

  #onWaits(batch: WaitBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const waits = this.#of(((batch.dom[row] << 16) | batch.vcpu[row]) >>> 0)[batch.cause[row]];
      waits.samples.add(batch.endNs[row] - batch.startNs[row], batch.startNs[row]);
      waits.throttledNs += batch.throttledNs[row];
    }
  }

  /** The waits of the vCPU `dom << 16 | vcpu`; those of vCPUs beyond what any host has are put together. */
  #of(key: number): readonly Waits[] {
    const index = Math.max(0, this.#vcpus.indexOf(key));
    this.#waits[index] ??= WAIT_CAUSES.map(() => ({ samples: new Samples(this.#budget), throttledNs: 0 }));
    return this.#waits[index];
  }

  #rows(key: number): Cell[][] {
    const waits = this.#of(key);
    const vcpu = [Math.floor(key / 0x10000), key % 0x10000];
    return WAIT_CAUSES.map((cause, index) => [
      ...vcpu,
      cause,
      ...measure([waits[index]]),
      this.#coverage.ofVcpu(key),
    ]);
  }

  #domainRows(dom: number): Cell[][] {
    const own = this.#waits.filter((_, index) => this.#vcpus.keys[index] >>> 16 === dom);
    return WAIT_CAUSES.map((cause, index) => [
      dom,
      cause,
      ...measure(own.map((waits) => waits[index])),
      this.#coverage.ofDomain(dom),
    ]);
  }
}

function measure(waits: readonly Waits[]): Cell[] {
  const sets = waits.map(({ samples }) => samples);
  return [
    sets.reduce((count, set) => count + set.count, 0),
    ...sampleCells(sets),
    sets.reduce((sum, set) => sum + set.sum, 0),
    waits.reduce((sum, { throttledNs }) => sum + throttledNs, 0),
  ];
}

/** How long vCPUs wait for a pCPU. Definitions: docs/metrics.md. */
export const waits: Analysis = {
  name: 'waits',
  title: 'Who waited for a pCPU, and how long',
  doc: 'Run-queue waits of each vCPU and domain by cause: count, mean, percentiles, maximum and when.',
  create: () => new WaitsRun(),
};
