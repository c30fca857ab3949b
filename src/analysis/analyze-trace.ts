import { assert } from '../base/assert.ts';
import type { RecordBatch } from '../decoder/record-batch.ts';
import type { TraceFacts, TraceReader } from '../decoder/trace-reader.ts';
import {
  type Affinities,
  type FollowOptions,
  followTrace,
  type TimelineFacts,
  type TimelineListener,
  TraceAhead,
} from '../timeline/index.ts';
import { analyses as allAnalyses } from './analyses.ts';
import type { Analysis, AnalysisRun, DomainParameters, ResultTable } from './analysis.ts';
import { Coverage } from './coverage.ts';
import { SelectingListener, SelectingRecords, type Selection, selectRows } from './selection.ts';

/** How long the windows are in which fairness is judged, unless told otherwise. */
export const WINDOW_NS_DEFAULT = 100_000_000;

/** What {@link analyzeTrace} may be told; nothing has to be. */
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
export interface TraceAnalysis extends TimelineFacts {
  /** In the order of the passes; a pass may give several. Their names and columns are in docs/metrics.md. */
  readonly tables: readonly ResultTable[];
  /** The stretch that was looked at; `spanNs` is the length of the whole trace. */
  readonly fromNs: number;
  readonly endNs: number;
  /** What was asked for. */
  readonly selection: Selection;
}

/**
 * Reads a trace to its end, once, and puts every pass to it. The reader must be fresh, and stays open.
 *
 * @throws UserError already-read where it is not, or when the operating system cannot read on; damage in the trace
 *   never throws.
 */
export function analyzeTrace(trace: TraceReader | TraceAhead, options: AnalyzeOptions = {}): TraceAnalysis {
  const { analyses = allAnalyses, selection = {} } = options;
  const { fromNs = 0, toNs = Number.POSITIVE_INFINITY } = selection;
  const { runs, listeners } = startRuns(trace, analyses, options, selection);
  const recordRuns = runs.flatMap(({ run }) => (run.onRecords === undefined ? [] : [run]));
  const records = isWholeTrace(selection) ? undefined : new SelectingRecords(selection);
  const onRecords = (batch: RecordBatch) => {
    const selected = records?.of(batch) ?? batch;
    for (const run of recordRuns) run.onRecords!(selected);
  };
  const followOptions: FollowOptions = {
    affinities: affinitiesOf(trace.pcpus, options.domainParameters),
    endNs: options.endNs,
    ...(recordRuns.length > 0 ? { onRecords } : {}),
  };
  const { spanNs, ...facts } =
    trace instanceof TraceAhead
      ? trace.follow(listeners, followOptions)
      : followTrace(trace, listeners, followOptions);
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
    selection,
    ...facts,
  };
}

interface StartedRuns {
  readonly runs: readonly { readonly run: AnalysisRun; readonly hearsAll: boolean }[];
  /** They hand on to the runs, and to what all runs share, what each is to hear. */
  readonly listeners: readonly TimelineListener[];
}

function startRuns(
  trace: TraceFacts,
  analyses: readonly Analysis[],
  { domainParameters = new Map(), windowNs = WINDOW_NS_DEFAULT, worst }: AnalyzeOptions,
  selection: Selection,
): StartedRuns {
  assert(windowNs > 0, 'a window has a length');
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
      catalog: trace.catalog,
      pcpus: trace.pcpus.filter((pcpu) => pcpus?.has(pcpu) ?? true),
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
): Affinities {
  const ofDomains = new Map<number, readonly number[]>();
  const ofVcpus = new Map<number, readonly number[]>();
  const isRecorded = (pcpu: number) => recorded.includes(pcpu);
  for (const [dom, { pcpus, vcpus }] of parameters) {
    if (pcpus !== undefined) ofDomains.set(dom, pcpus.filter(isRecorded));
    for (const [vcpu, { pcpus: own }] of vcpus ?? []) {
      if (own !== undefined) ofVcpus.set(((dom << 16) | vcpu) >>> 0, own.filter(isRecorded));
    }
  }
  return { ofDomains, ofVcpus };
}

function isWholeTrace({ fromNs, toNs, pcpus }: Selection): boolean {
  return fromNs === undefined && toNs === undefined && pcpus === undefined;
}
