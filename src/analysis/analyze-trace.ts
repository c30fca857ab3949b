import { createRecordBatch } from '../decoder/record-batch.ts';
import type { TraceReader } from '../decoder/trace-reader.ts';
import { type DomainInfo, Timeline } from '../timeline/index.ts';
import { analyses as allAnalyses } from './analyses.ts';
import type { Analysis, DomainParameters, ResultTable } from './analysis.ts';

/** How long the windows are in which fairness is judged, unless told otherwise. */
export const WINDOW_NS_DEFAULT = 100_000_000;

export interface AnalyzeOptions {
  /** All unless given. */
  readonly analyses?: readonly Analysis[];
  /** Domain -> its weight and cap, which a trace does not carry. */
  readonly domainParameters?: ReadonlyMap<number, DomainParameters>;
  /** {@link WINDOW_NS_DEFAULT} unless given. */
  readonly windowNs?: number;
  /** Where the last intervals end; the last record unless given. */
  readonly endNs?: number;
}

/** What the passes found, and what was learnt on the way about how far to trust it. */
export interface TraceAnalysis {
  readonly tables: readonly ResultTable[];
  readonly spanNs: number;
  readonly domains: readonly DomainInfo[];
  /** Records that did not continue what was known of their vCPU: some are missing that no loss accounts for. */
  readonly repairs: number;
  /** Records of some pCPU are missing altogether: only running time is known. */
  readonly partial: boolean;
  readonly coreScheduling: boolean;
}

/**
 * Reads a trace to its end, once, and puts every pass to it. The reader must be fresh, and stays open.
 *
 * @throws UserError when the operating system cannot read on; damage in the trace never throws.
 */
export function analyzeTrace(reader: TraceReader, options: AnalyzeOptions = {}): TraceAnalysis {
  const { analyses = allAnalyses, domainParameters = new Map(), windowNs = WINDOW_NS_DEFAULT } = options;
  const context = { catalog: reader.catalog, pcpus: reader.pcpus, fromNs: 0, domainParameters, windowNs };
  const runs = analyses.map((analysis) => analysis.create(context));
  const timeline = new Timeline(
    reader.catalog,
    runs.map(({ listener }) => listener),
    { pcpus: reader.pcpus },
  );
  const recordRuns = runs.filter(({ onRecords }) => onRecords !== undefined);
  const batch = createRecordBatch();
  for (let more = true; more; ) {
    more = reader.readBatch(batch);
    timeline.push(batch);
    for (const run of recordRuns) run.onRecords!(batch);
  }
  const spanNs = options.endNs ?? reader.counts().spanNs;
  timeline.finish(spanNs);
  return {
    tables: runs.flatMap((run) => run.finish(spanNs)),
    spanNs,
    domains: timeline.domains(),
    repairs: timeline.repairs,
    partial: timeline.partial,
    coreScheduling: timeline.coreScheduling,
  };
}
