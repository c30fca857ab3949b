import type { TraceReader } from '../decoder/trace-reader.ts';
import { type AffinityOf, type DomainInfo, Timeline, type TimelineListener } from '../timeline/index.ts';
import { analyses as allAnalyses } from './analyses.ts';
import type { Analysis, AnalysisRun, DomainParameters, ResultTable } from './analysis.ts';
import { Coverage } from './coverage.ts';
import { SelectingListener, SelectingRecords, type Selection, selectRows } from './selection.ts';

/** How long the windows are in which fairness is judged, unless told otherwise. */
export const WINDOW_NS_DEFAULT = 100_000_000;

export interface AnalyzeOptions {
  /** All unless given. */
  readonly analyses?: readonly Analysis[];
  /** Domain -> its weight and cap, which a trace does not carry. */
  readonly domainParameters?: ReadonlyMap<number, DomainParameters>;
  /** {@link WINDOW_NS_DEFAULT} unless given. */
  readonly windowNs?: number;
  /** How many of the longest waits are told one by one; see {@link AnalysisContext.worst}. */
  readonly worst?: number | undefined;
  /** Where the last intervals end; the last record unless given. */
  readonly endNs?: number;
  /** What part of the trace is looked at; all unless given. */
  readonly selection?: Selection | undefined;
}

/** What the passes found, and what was learnt on the way about how far to trust it. */
export interface TraceAnalysis {
  readonly tables: readonly ResultTable[];
  /** The stretch that was looked at. */
  readonly fromNs: number;
  readonly endNs: number;
  /** Length of the whole trace. */
  readonly spanNs: number;
  readonly domains: readonly DomainInfo[];
  /**
   * Records that did not continue what was known of their vCPU: some are missing that no loss accounts for.
   */
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
  const { analyses = allAnalyses, selection = {} } = options;
  const { fromNs = 0, toNs = Number.POSITIVE_INFINITY } = selection;
  const { runs, listeners } = startRuns(reader, analyses, options, selection);
  const affinityOf = affinitiesOf(reader.pcpus, options.domainParameters);
  const timeline = new Timeline(reader.catalog, listeners, { pcpus: reader.pcpus, affinityOf });
  const recordRuns = runs.flatMap(({ run }) => (run.onRecords === undefined ? [] : [run]));
  const records = isWholeTrace(selection) ? undefined : new SelectingRecords(selection);
  for (let batch = reader.nextBatch(); batch !== undefined; batch = reader.nextBatch()) {
    timeline.push(batch);
    const selected = records?.of(batch) ?? batch;
    for (const run of recordRuns) run.onRecords!(selected);
  }
  const spanNs = options.endNs ?? reader.counts().spanNs;
  timeline.finish(spanNs);
  const endNs = Math.max(fromNs, Math.min(spanNs, toNs));
  return {
    tables: runs.flatMap(({ run, hearsAll }) => {
      const tables = run.finish(endNs);
      const { vcpus } = selection;
      return hearsAll && vcpus !== undefined ? tables.map((table) => selectRows(table, vcpus)) : tables;
    }),
    fromNs,
    endNs,
    spanNs,
    domains: timeline.domains(),
    repairs: timeline.repairs,
    partial: timeline.partial,
    coreScheduling: timeline.coreScheduling,
  };
}

interface StartedRuns {
  readonly runs: readonly { readonly run: AnalysisRun; readonly hearsAll: boolean }[];
  /** They hand on to the runs, and to what all runs share, what each is to hear. */
  readonly listeners: readonly TimelineListener[];
}

function startRuns(
  reader: TraceReader,
  analyses: readonly Analysis[],
  { domainParameters = new Map(), windowNs = WINDOW_NS_DEFAULT, worst }: AnalyzeOptions,
  selection: Selection,
): StartedRuns {
  const { fromNs = 0, pcpus, vcpus } = selection;
  const heard = (listener: TimelineListener, hearsAll: boolean) => {
    const hearsEverything = isWholeTrace(selection) && (hearsAll || vcpus === undefined);
    return hearsEverything ? listener : new SelectingListener(listener, selection, hearsAll);
  };
  const ofSelected = new Coverage();
  const ofAll = vcpus === undefined ? ofSelected : new Coverage();
  const listeners = [heard(ofSelected, false)];
  if (ofAll !== ofSelected) listeners.push(heard(ofAll, true));
  const runs = analyses.map((analysis) => {
    const hearsAll = analysis.hears === 'all';
    const run = analysis.create({
      catalog: reader.catalog,
      pcpus: reader.pcpus.filter((pcpu) => pcpus?.has(pcpu) ?? true),
      fromNs,
      coverage: hearsAll ? ofAll : ofSelected,
      domainParameters,
      windowNs,
      ...(worst === undefined ? {} : { worst }),
    });
    listeners.push(heard(run.listener, hearsAll));
    return { run, hearsAll };
  });
  return { runs, listeners };
}

/** Where vCPUs may run, of the pCPUs that the trace has records of. */
function affinitiesOf(
  recorded: readonly number[],
  parameters: ReadonlyMap<number, DomainParameters> = new Map(),
): AffinityOf {
  return (key) => {
    const domain = parameters.get(key >>> 16);
    const pcpus = domain?.vcpus?.get(key & 0xffff)?.pcpus ?? domain?.pcpus;
    return pcpus?.filter((pcpu) => recorded.includes(pcpu));
  };
}

function isWholeTrace({ fromNs, toNs, pcpus }: Selection): boolean {
  return fromNs === undefined && toNs === undefined && pcpus === undefined;
}
