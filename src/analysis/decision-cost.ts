/**
 * What a decision costs, from the times of its records: from SCHEDULE to the switch, or to going on, and from
 * a tickle to the SCHEDULE that answers it.
 * @module
 */
import type { Cell, Column, ResultTable } from './analysis.ts';
import { countColumn } from './columns.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget, Samples } from './samples.ts';

const STEPS = [
  'schedule_to_switch',
  'schedule_to_continue',
  'tickle_to_schedule_own',
  'tickle_to_schedule',
] as const;
const TO_SWITCH = 0;
const TO_CONTINUE = 1;
const FROM_OWN_TICKLE = 2;
const FROM_TICKLE = 3;

/** Kept exactly: few enough that to sort them costs little beside reading them. */
const EXACT_MAX = 1 << 18;

const COLUMNS: readonly Column[] = [
  {
    name: 'step',
    type: 'string',
    key: true,
    doc:
      '`schedule_to_switch`: from SCHEDULE to SWITCH (to the first of SWITCH and the runstate change that ' +
      'starts the next vCPU); `schedule_to_continue`: from SCHEDULE to SWITCH_INFCONT or CONTINUE_RUNNING; ' +
      '`tickle_to_schedule`: from the first unanswered TICKLE by another pCPU to SCHEDULE on the pCPU that ' +
      'it names; ' +
      '`tickle_to_schedule_own`: the same where the pCPU tickled itself.',
  },
  countColumn('count', 'Times that both records were seen.'),
  ...sampleColumns(
    'cost_ns',
    'the times',
    'cost_max_start_ns',
    'When the longest began, since the start of the trace.',
  ),
];

/** The times of each step, by pCPU. */
export class DecisionCost {
  readonly #budget = new SampleBudget(EXACT_MAX);
  /** By pCPU and step. */
  readonly #samples: (Samples | undefined)[] = [];

  addSwitch(pcpu: number, startNs: number, endNs: number): void {
    this.#of(pcpu, TO_SWITCH).add(Math.max(0, endNs - startNs), startNs);
  }

  addContinue(pcpu: number, startNs: number, endNs: number): void {
    this.#of(pcpu, TO_CONTINUE).add(Math.max(0, endNs - startNs), startNs);
  }

  /** @param startNs NaN where the tickle's record has no time of its own */
  addTickle(pcpu: number, by: number, startNs: number, endNs: number): void {
    if (Number.isNaN(startNs)) return;
    this.#of(pcpu, by === pcpu ? FROM_OWN_TICKLE : FROM_TICKLE).add(Math.max(0, endNs - startNs), startNs);
  }

  /** @param coreScheduling a call's records are spread over pCPUs: what lies between them is not told */
  tables(coreScheduling: boolean): ResultTable[] {
    const pcpus = coreScheduling
      ? []
      : Array.from({ length: Math.ceil(this.#samples.length / STEPS.length) }, (_, pcpu) => pcpu);
    const empty = coreScheduling
      ? 'whole cores are scheduled, and the records of one decision are made by several pCPUs.'
      : 'the trace has no SCHEDULE records (Xen before 4.8, ARINC653, or left out by the event mask).';
    return [
      {
        name: 'decision_cost',
        title: 'What a decision costs, from record to record',
        doc: 'Times between the records of a decision, over all pCPUs.',
        columns: COLUMNS,
        rows: STEPS.flatMap((_, step) => this.#rows(pcpus, step, [])),
        sampleColumn: 'count',
        empty,
      },
      {
        name: 'decision_cost_by_pcpu',
        title: 'What a decision costs, by pCPU',
        doc: 'The same for each pCPU.',
        columns: [
          { name: 'pcpu', type: 'int', unit: 'pcpu', key: true, doc: 'The pCPU that decides.' },
          ...COLUMNS,
        ],
        rows: pcpus.flatMap((pcpu) => STEPS.flatMap((_, step) => this.#rows([pcpu], step, [pcpu]))),
        sampleColumn: 'count',
        detail: true,
        empty,
      },
    ];
  }

  /** One row, or none where there are no samples. */
  #rows(pcpus: readonly number[], step: number, keys: readonly Cell[]): Cell[][] {
    const sets = pcpus.flatMap((pcpu) => this.#samples[pcpu * STEPS.length + step] ?? []);
    const count = sets.reduce((sum, set) => sum + set.count, 0);
    return count === 0 ? [] : [[...keys, STEPS[step], count, ...sampleCells(sets)]];
  }

  #of(pcpu: number, step: number): Samples {
    const at = pcpu * STEPS.length + step;
    let samples = this.#samples[at];
    if (samples === undefined) {
      samples = new Samples(this.#budget);
      this.#samples[at] = samples;
    }
    return samples;
  }
}
