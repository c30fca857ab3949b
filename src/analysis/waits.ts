import { WAIT_CAUSES, type WaitBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, VCPU } from './columns.ts';
import { COVERAGE, type Coverage } from './coverage.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget, Samples } from './samples.ts';
import { WorstWaits } from './worst-waits.ts';

export const CAUSE: Column = {
  name: 'cause',
  type: 'string',
  key: true,
  doc: '`wake`: it was blocked before; `preempt`: it ran before (yields too); `resume`: it was offline before.',
};
const PCPU: Column = {
  name: 'pcpu',
  type: 'int',
  unit: 'pcpu',
  key: true,
  doc: 'Number of the pCPU on which the waits ended; null: where that is not known.',
};
const TIME_WEIGHTED = { timeWeighted: true };
const MEASURES: readonly Column[] = [
  CAUSE,
  countColumn('count', 'Waits: times runnable that ended by running, start and end seen.'),
  ...sampleColumns(
    'wait_ns',
    'the waits',
    'wait_max_start_ns',
    'When the longest began, since the start of the trace.',
    TIME_WEIGHTED,
  ),
  nsColumn('wait_ns_total', 'Sum of the waits.', { heading: 'total', better: 'lower' }),
  nsColumn('throttled_ns', 'The part of wait_ns_total in which its own budget or cap kept it back.', {
    text: 'nonzero',
    better: 'lower',
  }),
  COVERAGE,
];

/** Waits of one cause. */
class Waits {
  readonly samples: Samples;
  throttledNs = 0;

  constructor(budget: SampleBudget) {
    this.samples = new Samples(budget);
  }
}

/** Waits of one vCPU, or of those that ended on one pCPU, by cause. */
type Group = readonly Waits[];

class WaitsRun implements AnalysisRun {
  readonly listener = {
    onWaits: (batch: WaitBatch) => this.#onWaits(batch),
  };
  readonly #coverage: Coverage;
  readonly #vcpuBudget = new SampleBudget();
  readonly #pcpuBudget = new SampleBudget();
  /** By vCPU index. */
  readonly #ofVcpu: (Group | undefined)[] = [];
  /** The same by dom << 16 | vcpu. */
  readonly #ofKey = new Map<number, Group>();
  /** By number of the pCPU plus 1; 0 is an unknown one. */
  readonly #onPcpu: (Group | undefined)[] = [];
  readonly #worst: WorstWaits;

  constructor({ coverage, worst }: AnalysisContext) {
    this.#coverage = coverage;
    this.#worst = new WorstWaits(worst);
  }

  finish(): ResultTable[] {
    const groupOf = (key: number) => this.#ofKey.get(key);
    const vcpus = this.#coverage.vcpus();
    return [
      {
        name: 'waits',
        title: 'Waits for a pCPU, by vCPU',
        doc: 'How long each vCPU was runnable before it ran, after waking, after preemption and after a pause.',
        columns: [DOM, VCPU, ...MEASURES],
        rows: vcpus.flatMap((key) =>
          rowsOf([Math.floor(key / 0x10000), key % 0x10000], [groupOf(key)], this.#coverage.ofVcpu(key)),
        ),
        sampleColumn: 'count',
      },
      {
        name: 'waits_by_domain',
        title: 'Waits for a pCPU, by domain',
        doc: 'The same over all vCPUs of a domain.',
        columns: [DOM, ...MEASURES],
        rows: this.#coverage.domains().flatMap((dom) => {
          const own = vcpus.filter((key) => Math.floor(key / 0x10000) === dom);
          return rowsOf([dom], own.map(groupOf), this.#coverage.ofDomain(dom));
        }),
        sampleColumn: 'count',
      },
      {
        name: 'waits_by_pcpu',
        title: 'Waits for a pCPU, by the pCPU that ended them',
        doc: 'The same by the pCPU on which the vCPU got to run; its coverage is that of all vCPUs together.',
        columns: [PCPU, ...MEASURES],
        rows: this.#onPcpu.flatMap((group, number) =>
          rowsOf([number === 0 ? null : number - 1], [group], this.#coverage.ofAll()),
        ),
        sampleColumn: 'count',
        detail: true,
      },
      this.#worst.table(),
    ];
  }

  #onWaits(batch: WaitBatch): void {
    const { count, vcpuIndex, cause, startNs, endNs, toPcpu, throttledNs } = batch;
    for (let row = 0; row < count; row++) {
      const ns = endNs[row] - startNs[row];
      const ofVcpu = (this.#ofVcpu[vcpuIndex[row]] ?? this.#addVcpu(batch, row))[cause[row]];
      ofVcpu.samples.add(ns, startNs[row]);
      ofVcpu.throttledNs += throttledNs[row];
      const onPcpu = (this.#onPcpu[toPcpu[row] + 1] ?? this.#addPcpu(toPcpu[row]))[cause[row]];
      onPcpu.samples.add(ns, startNs[row]);
      onPcpu.throttledNs += throttledNs[row];
      if (ns > this.#worst.floorNs) this.#worst.add(batch, row);
    }
  }

  #addVcpu(batch: WaitBatch, row: number): Group {
    const group = WAIT_CAUSES.map(() => new Waits(this.#vcpuBudget));
    this.#ofVcpu[batch.vcpuIndex[row]] = group;
    this.#ofKey.set(((batch.dom[row] << 16) | batch.vcpu[row]) >>> 0, group);
    return group;
  }

  #addPcpu(number: number): Group {
    const group = WAIT_CAUSES.map(() => new Waits(this.#pcpuBudget));
    this.#onPcpu[number + 1] = group;
    return group;
  }
}

/** A row for each cause, over all of `groups`. */
function rowsOf(key: readonly Cell[], groups: readonly (Group | undefined)[], coverage: Cell): Cell[][] {
  return WAIT_CAUSES.map((cause, index) => {
    const waits = groups.flatMap((group) => group?.[index] ?? []);
    return [...key, cause, ...measure(waits), coverage];
  });
}

function measure(waits: readonly Waits[]): Cell[] {
  const sets = waits.map(({ samples }) => samples);
  return [
    sets.reduce((count, set) => count + set.count, 0),
    ...sampleCells(sets, TIME_WEIGHTED),
    sets.reduce((sum, set) => sum + set.sum, 0),
    waits.reduce((sum, { throttledNs }) => sum + throttledNs, 0),
  ];
}

/** How long vCPUs wait for a pCPU. Definitions: docs/metrics.md. */
export const waits: Analysis = {
  name: 'waits',
  title: 'Who waited for a pCPU, and how long',
  doc: 'Run-queue waits by vCPU, domain and pCPU and by cause: mean, percentiles, the longest with instants.',
  create: (context) => new WaitsRun(context),
};
