import type { Cell, Column, ResultTable } from '../analysis/index.ts';
import type { TraceComparison } from './compare-traces.ts';
import type { VariantComparison } from './compare-variants.ts';
import type { Metric } from './metric.ts';

/** The columns that say which figure a row is about. */
const METRIC_COLUMNS: readonly Column[] = [
  { name: 'table', type: 'string', key: true, doc: 'The result that has the figure (docs/metrics.md).' },
  { name: 'dom', type: 'int', unit: 'dom', key: true, doc: 'Its domain; null: it is not about one.' },
  { name: 'vcpu', type: 'int', unit: 'vcpu', key: true, doc: 'Its vCPU within the domain; null likewise.' },
  {
    name: 'row',
    type: 'string',
    key: true,
    doc: 'What else identifies its row, such as `cause=wake`; empty: nothing else.',
  },
  {
    name: 'metric',
    type: 'string',
    key: true,
    doc:
      'Its column, or what was made of it: `_per_s` over the length of the run, `_size` without its sign, ' +
      '`_sum` and `_mean` over all rows.',
  },
  { name: 'unit', type: 'string', doc: 'The unit of its values; null: none.' },
  { name: 'better', type: 'string', doc: '`lower` or `higher`: which way is an improvement; null: neither.' },
  { name: 'headline', type: 'int', doc: '1: one of the figures that matter most, else 0.' },
];

function metricCells({ table, key, name, unit, better, headline }: Metric): Cell[] {
  const number = (column: string) => {
    const value = key.find((cell) => cell.column === column)?.value;
    return typeof value === 'number' ? value : null;
  };
  // A domain that the baseline does not have has a name instead of a number.
  const rest = key.filter((cell) => !(['dom', 'vcpu'].includes(cell.column) && number(cell.column) !== null));
  const row = rest.map(({ column, value }) => `${column}=${value}`).join(',');
  return [table, number('dom'), number('vcpu'), row, name, unit ?? null, better ?? null, headline ? 1 : 0];
}

const float = (name: string, doc: string): Column => ({ name, type: 'float', doc });
const text = (name: string, doc: string): Column => ({ name, type: 'string', doc });
const count = (name: string, doc: string): Column => ({ name, type: 'int', unit: 'count', doc });

const TRACE_COLUMNS: readonly Column[] = [
  { ...text('baseline', 'The first trace.'), key: true },
  { ...text('trace', 'The trace that is compared with it.'), key: true },
  ...METRIC_COLUMNS,
  float('baseline_value', "The figure in the baseline; null: not available, as in a report's n/a."),
  float('value', 'The figure in the other trace; null likewise.'),
  float('difference', 'value less baseline_value.'),
  float('ratio', 'value over baseline_value; null where the baseline has 0 or one of them is negative.'),
  text(
    'change',
    '`same` to the last digit; `better`, `worse`; `lower`, `higher` where neither way is better; ' +
      '`only_baseline`, `only_other`; `unknown`: neither trace has it.',
  ),
];

/** Traces side by side, one row for each figure and pair. */
export function traceComparisonTable(comparisons: readonly TraceComparison[]): ResultTable {
  return {
    name: 'comparison',
    title: 'Traces side by side',
    doc: 'Every figure of each trace beside the same figure of the first one.',
    columns: TRACE_COLUMNS,
    rows: comparisons.map((each) => [
      each.baseline,
      each.trace,
      ...metricCells(each.metric),
      each.baselineValue,
      each.value,
      each.difference,
      each.ratio,
      each.change,
    ]),
  };
}

const VARIANT_COLUMNS: readonly Column[] = [
  { ...text('baseline', 'The variant that the others are compared with.'), key: true },
  { ...text('variant', 'The variant that is compared with it.'), key: true },
  ...METRIC_COLUMNS,
  count('seeds', 'Seeds that have the figure in both variants; the rest of the row is about these.'),
  count('seeds_baseline', 'Seeds that have the figure in the baseline.'),
  count('seeds_variant', 'Seeds that have it in the variant.'),
  float('baseline_mean', "The baseline's mean over them; null: none has it."),
  float('variant_mean', "The variant's mean."),
  float('difference', 'Mean of the paired differences: variant less baseline.'),
  float(
    'difference_low',
    'Lower end of its 95 % confidence interval (bootstrap, expanded BCa); null: no chance, ' +
      'or fewer than 6 seeds.',
  ),
  float('difference_high', 'Its upper end.'),
  float('ratio', 'variant_mean over baseline_mean; null where the latter is 0 or a figure is negative.'),
  float('ratio_low', 'Lower end of its 95 % confidence interval.'),
  float('ratio_high', 'Its upper end; null where the baseline may be 0.'),
  float(
    'p',
    'Of the paired sign-flip test, two-sided; null: no seed differs, or nothing is drawn at random.',
  ),
  float('p_adjusted', 'Corrected for the number of figures.'),
  text('correction', '`holm` for headline figures, `benjamini-hochberg` for all others.'),
  float(
    'cohens_d',
    'Effect size: mean of the differences over their standard deviation; null: they are equal.',
  ),
  float(
    'vargha_delaney_a',
    'Effect size: probability that a run of the variant has more, equals counting half.',
  ),
  count('seeds_higher', 'Seeds in which the variant has more.'),
  count('seeds_lower', 'Seeds in which the variant has less.'),
  text('verdict', '`same`, `lower`, `higher`, `equal` (within the margin), `unclear` or `unknown`.'),
];

/** Variants against their baseline, one row for each figure and variant. */
export function variantComparisonTable(comparisons: readonly VariantComparison[]): ResultTable {
  return {
    name: 'comparison',
    title: 'Variants of a scenario against each other',
    doc: 'Every figure of each variant against the same figure of the baseline, over all seeds.',
    columns: VARIANT_COLUMNS,
    rows: comparisons.map((each) => [
      each.baseline,
      each.variant,
      ...metricCells(each.metric),
      each.seeds,
      each.seedsBaseline,
      each.seedsVariant,
      each.baselineMean,
      each.variantMean,
      each.difference,
      ...finite(each.differenceInterval),
      each.ratio,
      ...finite(each.ratioInterval),
      each.p,
      each.pAdjusted,
      each.correction,
      each.cohensD,
      each.varghaDelaneyA,
      each.seedsHigher,
      each.seedsLower,
      each.verdict,
    ]),
  };
}

function finite(interval: { readonly low: number; readonly high: number } | null): Cell[] {
  if (interval === null) return [null, null];
  return [interval.low, interval.high].map((bound) => (Number.isFinite(bound) ? bound : null));
}
