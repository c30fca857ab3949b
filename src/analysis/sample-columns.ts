import type { Cell, Column } from './analysis.ts';
import { percentile, type Samples, timeWeightedPercentile } from './samples.ts';

/** `samplesMin` is 1 / (1 - p): with fewer, a percentile is no more than the maximum. */
const PERCENTILES = [
  { name: 'p50', label: 'p50', permille: 500, samplesMin: 2 },
  { name: 'p95', label: 'p95', permille: 950, samplesMin: 20 },
  { name: 'p99', label: 'p99', permille: 990, samplesMin: 100 },
  { name: 'p999', label: 'p99.9', permille: 999, samplesMin: 1000 },
  { name: 'p9999', label: 'p99.99', permille: 999.9, samplesMin: 10_000 },
] as const;
type Percentile = (typeof PERCENTILES)[number];

/** From this one on a percentile of too few samples is null for programs too. */
const PERMILLE_NULL = 999;
/** Text has room for two of the time-weighted ones; programs get all. */
const TIME_WEIGHTED_SHOWN: readonly string[] = ['p50', 'p99'];

/** What of a set of durations is wanted beyond the percentiles of their number. */
export interface SampleMeasures {
  /** Time-weighted percentiles too. */
  readonly timeWeighted?: boolean;
}

/**
 * The columns that describe a set of durations: mean, percentiles, maximum and when. A percentile is of
 * nearest rank; below its `samplesMin` samples people are told "n/a". p99.9 and p99.99 are null then; the
 * others are given to programs all the same.
 *
 * @param name what is measured, such as `wait_ns`
 * @param what the same in words, as in "how long a wait was"
 * @param at the column for the instant of the longest, such as `wait_max_start_ns`
 */
export function sampleColumns(
  name: string,
  what: string,
  at: string,
  atDoc: string,
  { timeWeighted = false }: SampleMeasures = {},
): Column[] {
  const ns = { type: 'int', unit: 'ns', better: 'lower' } as const;
  return [
    {
      name: `${name}_mean`,
      ...ns,
      type: 'float',
      heading: 'mean',
      doc: `Mean of ${what}.`,
    },
    ...PERCENTILES.map((percent): Column => {
      const { label, samplesMin } = percent;
      return {
        name: `${name}_${percent.name}`,
        ...ns,
        doc: `${label} of ${what}: nearest rank, ${withFewer(percent)}.`,
        samplesMin,
        heading: label,
        ...(percent.name === 'p9999' ? { text: 'nonzero' as const } : {}),
      };
    }),
    ...(timeWeighted ? PERCENTILES : []).map((percent): Column => {
      const { label, permille, samplesMin } = percent;
      return {
        name: `${name}_tw_${percent.name}`,
        ...ns,
        doc:
          `Time-weighted ${label} of ${what}: those up to this have ${permille / 10} % of their time; ` +
          `${withFewer(percent)}.`,
        samplesMin,
        heading: `tw ${label}`,
        ...(TIME_WEIGHTED_SHOWN.includes(percent.name) ? {} : { text: 'never' as const }),
      };
    }),
    { name: `${name}_max`, ...ns, heading: 'max', doc: `The longest of ${what}.` },
    { name: at, type: 'int', unit: 'ns', heading: 'max at', instant: true, doc: atDoc },
    {
      name: `${name}_error`,
      type: 'float',
      unit: 'ratio',
      heading: 'error',
      text: 'nonzero',
      doc: `0: percentiles are exact. Else how much they may be too high: there were too many to keep each.`,
    },
  ];
}

function withFewer({ permille, samplesMin }: Percentile): string {
  return permille >= PERMILLE_NULL
    ? `null with fewer than ${samplesMin}`
    : `"n/a" in text with fewer than ${samplesMin}`;
}

/** The cells of {@link sampleColumns} for all samples of `sets` together. */
export function sampleCells(sets: readonly Samples[], { timeWeighted = false }: SampleMeasures = {}): Cell[] {
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  const percentiles = [percentile, ...(timeWeighted ? [timeWeightedPercentile] : [])];
  const cells = percentiles.flatMap((percentileOf) =>
    PERCENTILES.map(({ permille, samplesMin }) =>
      permille >= PERMILLE_NULL && count < samplesMin ? null : percentileOf(sets, permille),
    ),
  );
  if (count === 0) return [null, ...cells, null, null, 0];
  const longest = sets.filter((set) => set.count > 0).reduce(longer);
  return [
    sets.reduce((sum, set) => sum + set.sum, 0) / count,
    ...cells,
    longest.max,
    longest.maxAtNs,
    sets.reduce((error, set) => Math.max(error, set.error), 0),
  ];
}

function longer(a: Samples, b: Samples): Samples {
  return b.max > a.max || (b.max === a.max && b.maxAtNs < a.maxAtNs) ? b : a;
}
