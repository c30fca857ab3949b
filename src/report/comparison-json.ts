import type { ResultTable } from '../analysis/index.ts';
import type { VariantsComparison } from '../compare/index.ts';
import { resultRows } from './result-rows.ts';
import { summaryToJson } from './summary-json.ts';
import type { TraceSummary } from './trace-summary.ts';

/** `compare` of traces for programs: `{ "traces": [...], "comparison": [ {column: value, ...}, ... ] }`. */
export function renderTraceComparisonJson(summaries: readonly TraceSummary[], table: ResultTable): string {
  return text({ traces: summaries.map(summaryToJson), comparison: resultRows(table) });
}

/** What the runs of a variant were. */
export interface VariantJson {
  readonly name: string;
  readonly scenario: string;
  readonly scheduler: string;
  readonly xen: string;
  readonly duration_ns: number;
  /** What `--set` says of it. */
  readonly set: Readonly<Record<string, string>>;
}

/** `compare` of variants for programs: how it was made, and one object for each figure and variant. */
export function renderVariantsComparisonJson(
  variants: readonly VariantJson[],
  seeds: readonly number[],
  result: VariantsComparison,
  table: ResultTable,
): string {
  return text({
    variants,
    baseline: result.baseline,
    seeds,
    deterministic: result.deterministic,
    margin: result.margin,
    headlines_tested: result.headlinesTested,
    others_tested: result.othersTested,
    p_adjusted_least: result.pAdjustedLeast,
    comparison: resultRows(table),
  });
}

function text(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
