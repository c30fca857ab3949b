import type { RecordBatch } from '../decoder/record-batch.ts';
import { type FieldDefinition, type LayoutDefinition, readField, TRC_LOST_RECORDS } from '../format/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, nsColumn, ratioColumn } from './columns.ts';
import { COVERAGE } from './coverage.ts';
import { C0, type CState, PcpuPower } from './pcpu-power.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget } from './samples.ts';

const PCPU: Column = { name: 'pcpu', type: 'int', unit: 'pcpu', key: true, doc: 'Number of the pCPU.' };

const PCPU_COLUMNS: readonly Column[] = [
  PCPU,
  ratioColumn('asleep_share', 'asleep_ns over the time whose C-state is known.'),
  nsColumn('asleep_ns', 'Time in a C-state other than 0.'),
  nsColumn('awake_ns', 'Time in C0, where it executes. A halt of which Xen makes no record is in it.'),
  nsColumn('unknown_ns', 'The rest: before the first record, after lost ones, or no such records.'),
  countColumn('entries', 'Times it went into a C-state other than 0.'),
  {
    name: 'ticks_per_ns',
    type: 'float',
    text: 'never',
    doc:
      "Xen's idle clock against the trace's, over complete stays: 1 where Xen counts nanoseconds, 0.00358 where it " +
      'counts ticks of the ACPI timer. Anything else: the times of stays are in doubt.',
  },
  {
    name: 'mhz_mean',
    type: 'int',
    unit: 'mhz',
    doc: 'Mean frequency by time, in MHz, rounded, whether it slept or not; null: no record tells.',
  },
  countColumn('frequency_changes', 'Changes of its frequency.'),
  ratioColumn('frequency_coverage', 'The part of the time whose frequency is known.', { text: 'never' }),
  COVERAGE,
];

const HIDDEN = { text: 'never' } as const;
/** Text has room for few figures of each kind; programs get all. */
const SHOWN: Readonly<Record<string, Partial<Column>>> = {
  residency_ns_mean: { heading: 'mean stay' },
  predicted_ns_mean: { heading: 'mean reckoned' },
  residency_ns_p95: HIDDEN,
  residency_ns_p999: HIDDEN,
  residency_ns_p9999: HIDDEN,
  residency_max_start_ns: HIDDEN,
  exit_latency_ns_mean: { heading: 'exit latency', text: 'nonzero' },
  exit_latency_ns_p50: HIDDEN,
  exit_latency_ns_p95: HIDDEN,
  exit_latency_ns_p99: { heading: 'latency p99', text: 'nonzero' },
  exit_latency_ns_p999: HIDDEN,
  exit_latency_ns_p9999: HIDDEN,
  exit_latency_ns_max: { heading: 'latency max', text: 'nonzero' },
  exit_latency_max_start_ns: HIDDEN,
};
const CSTATE_MEASURES: readonly Column[] = [
  PCPU,
  {
    name: 'cstate',
    type: 'int',
    unit: 'cstate',
    key: true,
    doc: "0: awake. Else Xen's number for it: the state's index, or its type in Xen's own Intel driver since 4.5.",
  },
  ratioColumn('share', 'time_ns over the time of the pCPU whose C-state is known.'),
  nsColumn('time_ns', 'Time in the state.'),
  countColumn('entries', 'Times it went into the state.'),
  ...sampleColumns(
    'residency_ns',
    'the stays whose start and end were seen',
    'residency_max_start_ns',
    'When the longest stay began, since the start of the trace.',
  ),
  countColumn('predicted', 'Those stays for which the record says how long Xen reckoned to stay.', {
    text: 'nonzero',
  }),
  {
    ...nsColumn('expected_ns_mean', 'Mean time to the next timer when these stays began.', HIDDEN),
    type: 'float',
  },
  {
    ...nsColumn('predicted_ns_mean', 'Mean time that Xen reckoned them to last.', { text: 'nonzero' }),
    type: 'float',
  },
  { ...nsColumn('predicted_stay_ns_mean', 'Mean time that they did last.', HIDDEN), type: 'float' },
  countColumn('sooner', 'Those that were shorter than Xen had reckoned.', { text: 'nonzero' }),
  countColumn('tickled', 'Stays in which another pCPU asked this one to schedule (a tickle).', {
    text: 'nonzero',
  }),
  ...sampleColumns(
    'exit_latency_ns',
    'the times from the first such tickle to the end of the stay',
    'exit_latency_max_start_ns',
    'When the tickle with the longest was, since the start of the trace.',
  ),
  COVERAGE,
];
const CSTATE_COLUMNS = CSTATE_MEASURES.map((column): Column => ({ ...column, ...SHOWN[column.name] }));

const FREQUENCY_COLUMNS: readonly Column[] = [
  PCPU,
  { name: 'mhz', type: 'int', unit: 'mhz', key: true, doc: 'The frequency, in MHz.' },
  ratioColumn('share', 'time_ns over the time of the pCPU whose frequency is known.'),
  nsColumn('time_ns', 'Time at the frequency, whether the pCPU slept or not.'),
  countColumn('entries', 'Changes to it.'),
  COVERAGE,
];

const NO_CSTATES = 'the trace has no records of C-states (TRC_PM_IDLE_*; xentrace -e 0x00801000).';

const NOTHING = 0;
const ENTRY = 1;
const EXIT = 2;
const FREQUENCY = 3;
const LOSS = 4;
const TICKLE = 5;

/** What a layout has to say, and where. */
interface Plan {
  readonly role: number;
  readonly fields: readonly (FieldDefinition | undefined)[];
}

class PowerRun implements AnalysisRun {
  readonly listener = {};
  readonly #plans: readonly Plan[];
  /** By layout: the role, for the loop over all records. */
  readonly #roles: Uint8Array;
  readonly #fromNs: number;
  readonly #budget = new SampleBudget();
  readonly #pcpus = new Map<number, PcpuPower>();
  /** By pCPU: the times of its first and last record of any kind; -1 before. */
  readonly #firstNs: Float64Array;
  readonly #lastNs: Float64Array;
  /** Scratch: a record's values, in the order of its plan's fields. */
  readonly #values = new Float64Array(4);

  constructor({ catalog, pcpus, fromNs }: AnalysisContext) {
    this.#plans = catalog.layouts.map(planOf);
    this.#roles = Uint8Array.from(this.#plans, ({ role }) => role);
    this.#fromNs = fromNs;
    const size = pcpus.reduce((max, pcpu) => Math.max(max, pcpu), -1) + 1;
    this.#firstNs = new Float64Array(size).fill(-1);
    this.#lastNs = new Float64Array(size).fill(-1);
  }

  onRecords(batch: RecordBatch): void {
    const { layout, pcpu, tNs } = batch;
    const roles = this.#roles;
    const firstNs = this.#firstNs;
    const lastNs = this.#lastNs;
    for (let row = 0; row < batch.count; row++) {
      const on = pcpu[row];
      const role = roles[layout[row]];
      if (role === TICKLE) this.#onTickle(batch, row);
      else if (role !== NOTHING) this.#onPowerRecord(batch, row, role, on);
      if (lastNs[on] < 0) firstNs[on] = tNs[row];
      lastNs[on] = tNs[row];
    }
  }

  finish(endNs: number): ResultTable[] {
    const spanNs = endNs - this.#fromNs;
    const pcpus = [...this.#pcpus].sort(([a], [b]) => a - b);
    for (const [, pcpu] of pcpus) pcpu.finish(endNs);
    const seen = pcpus.filter(([, { cstates, frequencies }]) => cstates.length + frequencies.size > 0);
    return [
      {
        name: 'power',
        title: 'Sleep and frequency, by pCPU',
        doc: 'How long each pCPU slept in an idle state of the hardware, and how fast it was clocked.',
        columns: PCPU_COLUMNS,
        rows: seen.map(([pcpu, power]) => [pcpu, ...pcpuCells(power, spanNs)]),
        empty: 'the trace has no records of C-states or frequencies (class hw; xentrace -e 0x00801000).',
      },
      {
        name: 'cstates',
        title: 'C-states, by pCPU',
        doc: 'Time in each idle state of the hardware, how long the stays were, and how Xen had reckoned them.',
        columns: CSTATE_COLUMNS,
        rows: seen.flatMap(([pcpu, power]) => cstateRows(pcpu, power, spanNs)),
        empty: NO_CSTATES,
      },
      {
        name: 'frequencies',
        title: 'Frequencies, by pCPU',
        doc: 'Time at each frequency.',
        columns: FREQUENCY_COLUMNS,
        rows: seen.flatMap(([pcpu, power]) => frequencyRows(pcpu, power, spanNs)),
        empty: 'the trace has no records of frequencies (TRC_PM_FREQ_CHANGE; xentrace -e 0x00801000).',
      },
    ];
  }

  #onTickle(batch: RecordBatch, row: number): void {
    if (this.#pcpus.size === 0 || batch.hasTsc[row] === 0) return;
    const [field] = this.#plans[batch.layout[row]].fields;
    const tickled = Number(readField(batch.words, batch.wordsOffset[row], field!));
    this.#pcpus.get(tickled)?.tickle(batch.tNs[row]);
  }

  #onPowerRecord(batch: RecordBatch, row: number, role: number, on: number): void {
    if (!(on < this.#lastNs.length)) return;
    const tNs = batch.tNs[row];
    const values = this.#values;
    const { fields } = this.#plans[batch.layout[row]];
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index];
      values[index] = field === undefined ? 0 : Number(readField(batch.words, batch.wordsOffset[row], field));
    }
    const lastNs = this.#lastNs[on];
    const firstNs = lastNs < 0 ? tNs : this.#firstNs[on];
    const pcpu = this.#of(on);
    if (role === ENTRY) pcpu.enter(tNs, firstNs, values[0], values[1], values[2], values[3]);
    else if (role === EXIT) pcpu.exit(tNs, firstNs, values[0], values[1]);
    else if (role === FREQUENCY) pcpu.changeFrequency(tNs, firstNs, values[0], values[1]);
    else pcpu.lose(lastNs < 0 ? tNs : lastNs);
  }

  #of(number: number): PcpuPower {
    let pcpu = this.#pcpus.get(number);
    if (pcpu === undefined) {
      pcpu = new PcpuPower(this.#budget);
      this.#pcpus.set(number, pcpu);
    }
    return pcpu;
  }
}

/** By the names of events, which differ between Xen versions as their numbers do. */
function planOf(layout: LayoutDefinition | undefined): Plan {
  const plan = (role: number, ...names: string[]) => ({
    role,
    fields: names.map((name) => layout?.fields.find((field) => field.name === name)),
  });
  const name = layout?.event.name ?? '';
  if (name.startsWith('TRC_PM_IDLE_ENTRY'))
    return plan(ENTRY, 'state', 'ticks', 'expected_us', 'predicted_us');
  if (name.startsWith('TRC_PM_IDLE_EXIT')) return plan(EXIT, 'state', 'ticks');
  if (name === 'TRC_PM_FREQ_CHANGE') return plan(FREQUENCY, 'old_mhz', 'new_mhz');
  if (layout?.event.id === TRC_LOST_RECORDS) return plan(LOSS);
  const tickles = layout?.fields.some((field) => field.name === 'tickled_pcpu');
  return tickles ? plan(TICKLE, 'tickled_pcpu') : plan(NOTHING);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function pcpuCells(power: PcpuPower, spanNs: number): Cell[] {
  const { cstates, frequencies, knownNs, clockTicks, clockNs, frequencyChanges } = power;
  const awakeNs = cstates[C0]?.ns ?? 0;
  const frequencyNs = [...frequencies.values()].reduce((sum, { ns }) => sum + ns, 0);
  const mhzNs = [...frequencies].reduce((sum, [mhz, { ns }]) => sum + mhz * ns, 0);
  const mhzMean = ratio(mhzNs, frequencyNs);
  return [
    ratio(knownNs - awakeNs, knownNs),
    knownNs - awakeNs,
    awakeNs,
    Math.max(0, spanNs - knownNs),
    cstates.reduce((sum, cstate, state) => sum + (state === C0 ? 0 : (cstate?.entries ?? 0)), 0),
    ratio(clockTicks, clockNs),
    mhzMean === null ? null : Math.round(mhzMean),
    frequencyChanges,
    ratio(frequencyNs, spanNs),
    ratio(knownNs, spanNs),
  ];
}

function cstateRows(pcpu: number, { cstates, knownNs }: PcpuPower, spanNs: number): Cell[][] {
  return cstates.flatMap((cstate, state) => {
    if (cstate === undefined) return [];
    return [[pcpu, state, ...cstateCells(cstate, knownNs), ratio(knownNs, spanNs)]];
  });
}

function cstateCells(cstate: CState, knownNs: number): Cell[] {
  const { predicted, expectedNs, predictedNs, predictedStayNs, sooner, exits } = cstate;
  return [
    ratio(cstate.ns, knownNs),
    cstate.ns,
    cstate.entries,
    ...sampleCells([cstate.stays]),
    predicted,
    ratio(expectedNs, predicted),
    ratio(predictedNs, predicted),
    ratio(predictedStayNs, predicted),
    sooner,
    exits.count,
    ...sampleCells([exits]),
  ];
}

function frequencyRows(pcpu: number, { frequencies }: PcpuPower, spanNs: number): Cell[][] {
  const rows = [...frequencies].sort(([a], [b]) => a - b);
  const knownNs = rows.reduce((sum, [, { ns }]) => sum + ns, 0);
  return rows.map(([mhz, { ns, entries }]) => {
    return [pcpu, mhz, ratio(ns, knownNs), ns, entries, ratio(knownNs, spanNs)];
  });
}

/** How the hardware slept, and how fast it was. Definitions: docs/metrics.md. */
export const power: Analysis = {
  name: 'power',
  title: 'How the hardware slept, and how fast it was clocked',
  doc: 'C-states and frequencies of each pCPU, where the trace has their records (class hw).',
  create: (context) => new PowerRun(context),
};
