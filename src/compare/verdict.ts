import type { ConfidenceInterval } from './bootstrap.ts';

/** p-values up to this, corrected for the number of figures, count as shown. */
export const SIGNIFICANCE = 0.05;
/** Within this part of the baseline's mean two variants count as equal, unless told otherwise. */
export const MARGIN_DEFAULT = 0.02;

/**
 * By unit: differences within this are equal however small the figures are. A microsecond is less than Xen
 * needs to switch; a thousandth of a share is a tenth of a point.
 */
const MARGINS_LEAST: Readonly<Record<string, number>> = { ns: 1000, ratio: 0.001 };

/** How far from the baseline's mean a figure may be to count as equal. */
export interface Margin {
  readonly size: number;
  /** Whether it is the least of its unit, rather than a part of the mean. */
  readonly least: boolean;
}

/** `part`: of the baseline's mean, such as {@link MARGIN_DEFAULT}. */
export function marginOf(unit: string | undefined, baselineMean: number, part: number): Margin {
  const own = part * Math.abs(baselineMean);
  const least = MARGINS_LEAST[unit ?? ''] ?? 0;
  return own >= least ? { size: own, least: false } : { size: least, least: true };
}

/**
 * What the figures allow to be said:
 *
 * - `same`: equal in every run, to the last digit;
 * - `lower`, `higher`: the corrected p-value is at most 0.05 and the confidence interval leaves out 0; or,
 *   where nothing is drawn at random, simply so;
 * - `equal`: the whole confidence interval lies within the margin around the baseline's mean, shown to differ
 *   or not;
 * - `unclear`: there may be a difference or none: no difference that so many seeds can show;
 * - `unknown`: fewer than two seeds have the figure in both variants.
 */
export type Verdict = 'same' | 'lower' | 'higher' | 'equal' | 'unclear' | 'unknown';

/** What a verdict on paired differences rests on. */
export interface Evidence {
  /** Of the mean difference. */
  readonly interval: ConfidenceInterval;
  /** Corrected for the number of figures. */
  readonly pAdjusted: number;
  /** {@link Margin.size}. */
  readonly margin: number;
}

/** The verdict on a difference that there is in some run at least. */
export function judge({ interval, pAdjusted, margin }: Evidence): Verdict {
  const { low, high } = interval;
  if (low >= -margin && high <= margin) return 'equal';
  if (pAdjusted <= SIGNIFICANCE && low > 0) return 'higher';
  if (pAdjusted <= SIGNIFICANCE && high < 0) return 'lower';
  return 'unclear';
}

/** Whether a change is an improvement; undefined where neither way is one. */
export function worth(
  verdict: 'lower' | 'higher',
  better: 'lower' | 'higher' | undefined,
): 'better' | 'worse' | undefined {
  if (better === undefined) return undefined;
  return verdict === better ? 'better' : 'worse';
}
