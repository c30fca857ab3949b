import type { Cell, Column } from './analysis.ts';
import { HISTOGRAM_ERROR, percentile, type Samples } from './samples.ts';

/** Thousandths. */
const PERCENTILES = [500, 950, 990, 999] as const;

/**
 * The columns that describe a set of durations: mean, percentiles, maximum and when. A percentile is of nearest rank;
 * below its `samplesMin` samples, 1 / (1 - p), it is no more than the maximum, and people are told "n/a". p99.9 is null
 * then; the others are given to programs all the same.
 *
 * @param name what is measured, such as `wait_ns`
 * @param what the same in words, as in "how long a wait was"
 * @param at the column for the instant of the longest, such as `wait_max_start_ns`
 */
export function sampleColumns(name: string, what: string, at: string, atDoc: string): Column[] {
  const ns = { type: 'int', unit: 'ns' } as const;
  return [
    { name: `${name}_mean`, type: 'float', unit: 'ns', heading: 'mean', doc: `Mean of ${what}.` },
    ...PERCENTILES.map((permille): Column => {
      const samplesMin = Math.ceil(1000 / (1000 - permille));
      return {
        name: `${name}_p${permille % 10 === 0 ? permille / 10 : permille}`,
        ...ns,
        doc:
          `p${permille / 10} of ${what}: nearest rank, ` +
          (permille === 999
            ? `null with fewer than ${samplesMin}.`
            : `"n/a" in text with fewer than ${samplesMin}.`),
        samplesMin,
        heading: `p${permille / 10}`,
      };
    }),
    { name: `${name}_max`, ...ns, heading: 'max', doc: `The longest of ${what}.` },
    { name: at, ...ns, heading: 'max at', instant: true, doc: atDoc },
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

/** The cells of {@link sampleColumns} for all samples of `sets` together. */
export function sampleCells(sets: readonly Samples[]): Cell[] {
  const count = sets.reduce((sum, set) => sum + set.count, 0);
  if (count === 0) return [null, ...PERCENTILES.map(() => null), null, null, 0];
  const longest = sets.filter((set) => set.count > 0).reduce(longer);
  return [
    sets.reduce((sum, set) => sum + set.sum, 0) / count,
    ...PERCENTILES.map((permille) => (permille === 999 && count < 1000 ? null : percentile(sets, permille))),
    longest.max,
    longest.maxAtNs,
    sets.every((set) => set.exact) ? 0 : HISTOGRAM_ERROR,
  ];
}

function longer(a: Samples, b: Samples): Samples {
  return b.max > a.max || (b.max === a.max && b.maxAtNs < a.maxAtNs) ? b : a;
}
