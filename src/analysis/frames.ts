import { DOM_IDLE, RUNNING, type RunstateBatch } from '../timeline/index.ts';
import type { Analysis, AnalysisContext, AnalysisRun, Cell, Column, ResultTable } from './analysis.ts';
import { countColumn, DOM, nsColumn, ratioColumn, VCPU } from './columns.ts';
import { COVERAGE, type Coverage } from './coverage.ts';
import { findPeriod } from './find-period.ts';
import { FrameTracker } from './frame-tracker.ts';
import { sampleCells, sampleColumns } from './sample-columns.ts';
import { SampleBudget } from './samples.ts';

const START_SEEN = 1;
/** Starts in which a period is looked for: at most, and at first. */
const STARTS = 384;
const STARTS_MIN = 16;
/** After a search in vain the next one comes with so many times as many starts: the costs must not add up. */
const NEXT_SEARCH = 2;
const NEXT_LATE_SEARCH = 8;
/** A pattern that holds for a smaller part of the time is not worth telling. */
const STRETCH_MIN = 0.1;
/** Patterns told of one vCPU: they may follow each other, as tables of time slots are changed. */
const STRETCHES_MAX = 16;
const LOWER = { better: 'lower' } as const;

/** Text has room for two figures of the jitter. */
const JITTER_SHOWN: Readonly<Record<string, Partial<Column>>> = {
  jitter_ns_mean: { text: 'never' },
  jitter_ns_p50: { text: 'never' },
  jitter_ns_p95: { text: 'never' },
  jitter_ns_p99: { heading: 'jitter p99' },
  jitter_ns_p999: { text: 'never' },
  jitter_ns_p9999: { text: 'never' },
  jitter_ns_max: { heading: 'jitter max' },
};

const COLUMNS: readonly Column[] = [
  DOM,
  VCPU,
  {
    name: 'stretch',
    type: 'int',
    key: true,
    text: 'nonzero',
    doc: 'Number of the pattern: a vCPU may have one after another.',
  },
  nsColumn('first_start_ns', 'The first start of the pattern.', { instant: true }),
  nsColumn('last_start_ns', 'The last start of the pattern.', { instant: true, text: 'never' }),
  countColumn('frames', 'Frames between the first and the last start.'),
  ratioColumn('regular', 'Frames that started within 1/40 of a frame of when they were due.', {
    better: 'higher',
  }),
  { name: 'frame_ns_mean', type: 'float', unit: 'ns', heading: 'frame', doc: 'Mean length of a frame.' },
  nsColumn('frame_ns_median', 'Median length of a frame.', { text: 'never' }),
  nsColumn('frame_ns_min', 'The shortest frame.', { text: 'never' }),
  nsColumn('frame_ns_max', 'The longest frame that has a start and an end.', {
    heading: 'longest',
    ...LOWER,
  }),
  nsColumn('frame_max_start_ns', 'When that began.', { instant: true, heading: 'longest at' }),
  nsColumn('ideal_ns', 'The round length that was probably meant; null where none is near.', {
    heading: 'ideal',
  }),
  {
    name: 'drift_ns_per_frame',
    type: 'float',
    unit: 'ns',
    heading: 'drift per frame',
    doc: 'How much later each frame starts than on the ideal grid: slope of the straight line through all starts.',
  },
  nsColumn('drift_ns_total', 'How late the last start is on the ideal grid that begins with the first.', {
    heading: 'in total',
  }),
  ...sampleColumns(
    'jitter_ns',
    'the differences of frames from the length expected: the median where the pattern was found',
    'jitter_max_start_ns',
    'When the frame that differs most began.',
  ).map(
    (column): Column => ({
      ...column,
      ...(column.name === 'jitter_max_start_ns' ? { text: 'never' } : JITTER_SHOWN[column.name]),
      ...(column.unit === 'ns' && !column.instant ? LOWER : {}),
    }),
  ),
  {
    name: 'deviation_ns',
    type: 'float',
    unit: 'ns',
    text: 'never',
    ...LOWER,
    doc: 'Standard deviation of the starts from the straight line through them.',
  },
  countColumn('late', 'Starts that came later than 1/40 of a frame.', { text: 'nonzero', ...LOWER }),
  nsColumn('late_ns_max', 'The most by which one did.', { text: 'nonzero', heading: 'latest', ...LOWER }),
  nsColumn('late_max_start_ns', 'When that was.', { instant: true, text: 'nonzero', heading: 'latest at' }),
  countColumn('skipped', 'Frames in which the vCPU was not started at all.', { text: 'nonzero', ...LOWER }),
  nsColumn('skipped_start_ns', 'When the first of them should have started.', {
    instant: true,
    text: 'nonzero',
    heading: 'first skipped',
  }),
  COVERAGE,
];

/** The starts of one vCPU: a pattern that is followed, or the latest starts, in which one may be found. */
class Starts {
  readonly done: FrameTracker[] = [];
  #tracker: FrameTracker | undefined;
  #ring = new Float64Array(16);
  #count = 0;
  #searchAt = STARTS_MIN;

  add(startNs: number, budget: SampleBudget): void {
    if (this.#tracker !== undefined) {
      if (this.#tracker.add(startNs)) return;
      this.#endStretch();
    }
    if (this.#count === this.#ring.length && this.#count < STARTS) this.#grow();
    this.#ring[this.#count++ % this.#ring.length] = startNs;
    if (this.#count === this.#searchAt) this.#search(budget);
  }

  /** Every pattern found. */
  finish(budget: SampleBudget): readonly FrameTracker[] {
    if (this.#tracker === undefined) this.#search(budget);
    this.#tracker?.finish();
    this.#endStretch();
    return this.done;
  }

  #search(budget: SampleBudget): void {
    const times = this.#latest();
    const period = this.done.length < STRETCHES_MAX ? findPeriod(times) : undefined;
    this.#searchAt *= this.#searchAt < STARTS ? NEXT_SEARCH : NEXT_LATE_SEARCH;
    if (period === undefined) return;
    const tracker = new FrameTracker(period, times[period.anchor], budget);
    this.#tracker = tracker;
    for (const startNs of times.subarray(period.anchor + 1)) {
      if (tracker.add(startNs)) continue;
      this.#endStretch();
      return;
    }
  }

  /** Up to {@link STARTS}, in order. */
  #latest(): Float64Array {
    const length = Math.min(this.#count, this.#ring.length);
    const times = new Float64Array(length);
    for (let index = 0; index < length; index++) {
      times[index] = this.#ring[(this.#count - length + index) % this.#ring.length];
    }
    return times;
  }

  #endStretch(): void {
    if (this.#tracker !== undefined) this.done.push(this.#tracker);
    this.#tracker = undefined;
    this.#count = 0;
    this.#searchAt = STARTS_MIN;
  }

  #grow(): void {
    const ring = new Float64Array(Math.min(STARTS, 2 * this.#ring.length));
    ring.set(this.#ring);
    this.#ring = ring;
  }
}

class FramesRun implements AnalysisRun {
  readonly listener = { onRunstates: (batch: RunstateBatch) => this.#onRunstates(batch) };
  readonly #fromNs: number;
  readonly #coverage: Coverage;
  readonly #budget = new SampleBudget();
  /** By the timeline's index of a vCPU, and by its key. */
  readonly #byIndex: (Starts | undefined)[] = [];
  readonly #byKey = new Map<number, Starts>();

  constructor({ fromNs, coverage }: AnalysisContext) {
    this.#fromNs = fromNs;
    this.#coverage = coverage;
  }

  finish(endNs: number): ResultTable[] {
    const leastNs = STRETCH_MIN * (endNs - this.#fromNs);
    const rows = this.#coverage.vcpus().flatMap((key) => {
      const all = this.#byKey.get(key)?.finish(this.#budget) ?? [];
      const patterns = all.filter(({ firstNs, lastNs }) => lastNs - firstNs >= leastNs);
      const vcpu = [Math.floor(key / 0x10000), key % 0x10000];
      return patterns.map((pattern, stretch) => {
        return [...vcpu, stretch, ...measure(pattern), this.#coverage.ofVcpu(key)];
      });
    });
    return [
      {
        name: 'frames',
        title: 'Frames: vCPUs that are started periodically',
        doc: 'Length, jitter and drift of the frames of each vCPU that a scheduler, or its guest, starts periodically.',
        columns: COLUMNS,
        rows,
        empty: 'no vCPU was started periodically.',
      },
    ];
  }

  #onRunstates(batch: RunstateBatch): void {
    const { count, state, complete, dom, vcpuIndex, startNs } = batch;
    for (let row = 0; row < count; row++) {
      if (state[row] !== RUNNING || (complete[row] & START_SEEN) === 0 || dom[row] === DOM_IDLE) continue;
      const starts = this.#byIndex[vcpuIndex[row]] ?? this.#addVcpu(batch, row);
      starts.add(startNs[row], this.#budget);
    }
  }

  #addVcpu({ dom, vcpu, vcpuIndex }: RunstateBatch, row: number): Starts {
    const starts = new Starts();
    this.#byIndex[vcpuIndex[row]] = starts;
    this.#byKey.set(((dom[row] << 16) | vcpu[row]) >>> 0, starts);
    return starts;
  }
}

function measure(pattern: FrameTracker): Cell[] {
  const { firstNs, lastNs, frames, expectedNs, idealNs, lengths, late, skipped } = pattern;
  const { slopeNs, deviationNs } = pattern.line();
  const measured = lengths.count > 0;
  const drifts =
    idealNs === undefined
      ? [null, null, null]
      : [idealNs, expectedNs + slopeNs - idealNs, lastNs - firstNs - frames * idealNs];
  return [
    firstNs,
    lastNs,
    frames,
    frames > 0 ? pattern.regular / frames : null,
    frames > 0 ? (lastNs - firstNs) / frames : null,
    pattern.medianNs,
    measured ? pattern.lengthNsMin : null,
    measured ? lengths.max : null,
    measured ? lengths.maxAtNs : null,
    ...drifts,
    ...sampleCells([pattern.jitter]),
    deviationNs,
    late.count,
    late.count > 0 ? late.max : null,
    late.count > 0 ? late.maxAtNs : null,
    skipped,
    skipped > 0 ? pattern.skippedNs : null,
  ];
}

/** Which vCPUs are started periodically, and how exactly. Definitions: docs/metrics.md. */
export const frames: Analysis = {
  name: 'frames',
  title: 'How exactly vCPUs are started periodically',
  doc: 'Frame length, jitter, drift, late and skipped frames of each vCPU that is started periodically (ARINC653).',
  create: (context) => new FramesRun(context),
};
