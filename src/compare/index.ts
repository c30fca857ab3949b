/**
 * Results of several runs or traces come in; what differs between them, by how much and how certainly, goes
 * out.
 *
 * Two questions: traces side by side (no statement of certainty, since one pair of traces has none), and
 * variants of a scenario over many seeds, paired seed by seed (confidence intervals, tests, effect sizes and
 * a verdict that claims no more than these allow). Results are read by what their columns declare, `key` and
 * `better`, so that a new pass is compared as soon as it is registered. It refuses to know how the runs were
 * made and how the answers are shown.
 * @module
 */
export type { ConfidenceInterval } from './bootstrap.ts';
export { type Change, compareTraces, type TraceComparison, type TraceFigures } from './compare-traces.ts';
export {
  compareVariants,
  seedsNeeded,
  type VariantComparison,
  type VariantRuns,
  type VariantsComparison,
} from './compare-variants.ts';
export { traceComparisonTable, variantComparisonTable } from './comparison-tables.ts';
export {
  type DomainMap,
  type FigureColumn,
  type Figures,
  type FigureTable,
  figuresOf,
  type KeyCell,
  type Metric,
} from './metric.ts';
export { DRAWN_PATTERNS, EXACT_PAIRS_MAX } from './sign-flip-test.ts';
export { MARGIN_DEFAULT, type Margin, marginOf, SIGNIFICANCE, type Verdict, worth } from './verdict.ts';
