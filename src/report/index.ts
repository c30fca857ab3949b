/**
 * Results in, texts out: for people (text), for programs (JSON, CSV). What a trace is and how far to trust it
 * comes first; a figure that is not available says so.
 *
 * It refuses to compute: every figure comes from analysis/ or from the reader's counts. It writes nowhere
 * itself.
 * @module
 */
export { renderAnalysisJson, renderAnalysisText } from './analysis-formats.ts';
export {
  renderTraceComparisonJson,
  renderVariantsComparisonJson,
  type VariantJson,
} from './comparison-json.ts';
export {
  type ComparisonTextOptions,
  renderTraceComparison,
  renderVariantsComparison,
  type VariantsHead,
} from './comparison-text.ts';
export type { DomainNames } from './comparison-words.ts';
export { DumpFormatter } from './dump-line.ts';
export { type AnalysisFinding, findingsOf } from './findings.ts';
export { headFields, renderHead, trustSentences } from './head-text.ts';
export { infoTable, renderInfoCsv, renderInfoJson } from './info-formats.ts';
export { renderInfoText } from './info-text.ts';
export { formatBytes, formatCount, formatHz, formatNs, formatPercent } from './quantities.ts';
export { csvLine, renderResultCsv, renderResultsCsv } from './result-csv.ts';
export { type ResultRow, resultRows } from './result-rows.ts';
export { emptySentence, layOut, renderResultText, type ShownColumn, type ShownRow } from './result-text.ts';
export { summaryToJson } from './summary-json.ts';
export {
  type DomainSummary,
  type EventSummary,
  type PcpuSummary,
  type SummaryPart,
  summarizeTrace,
  type TraceSummary,
  type UnknownEvent,
} from './trace-summary.ts';
