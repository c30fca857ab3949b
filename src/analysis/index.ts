/**
 * Records and a timeline come in; answers go out, as small tables with documented columns: who waited and how long,
 * what each vCPU did, who got its share, which deadlines were missed. Every figure says how much of the time it could
 * know.
 *
 * A pass is one file and is registered once, in analyses.ts. The passes refuse to know how their results are shown, and
 * whether the trace was simulated.
 * @module
 */
export { analyses } from './analyses.ts';
export type {
  Analysis,
  AnalysisContext,
  AnalysisRun,
  Cell,
  Column,
  DomainParameters,
  Reservation,
  ResultTable,
  VcpuParameters,
} from './analysis.ts';
export { type AnalyzeOptions, analyzeTrace, type TraceAnalysis, WINDOW_NS_DEFAULT } from './analyze-trace.ts';
export type { Coverage } from './coverage.ts';
export { LogHistogram } from './log-histogram.ts';
export { RecordFields } from './record-fields.ts';
export { type ResultSpec, resultSpecs } from './result-specs.ts';
export { type Selection, VcpuSelection } from './selection.ts';
export { WORST_DEFAULT, type WorstWait, worstWaitsOf } from './worst-waits.ts';
