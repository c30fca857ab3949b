/**
 * What the page carries: a JSON text with places in a block of bytes. Written when the report is made (pack-page.ts),
 * read in the browser. It imports types alone, since both sides share it.
 * @module
 */
import type { ResultTable } from '../analysis/analysis.ts';
import type { AnalysisFinding } from '../report/findings.ts';

/** Where bytes are in the block. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

export interface PageData {
  readonly title: string;
  readonly traces: readonly TraceData[];
  /** The other traces beside the first one, figure by figure; null for a single trace. */
  readonly comparison: ResultTable | null;
}

/** All that the page tells of one trace. */
export interface TraceData {
  readonly name: string;
  /** What the file is, as `xenscope info` has it: heading and text. */
  readonly head: readonly (readonly [string, string])[];
  /** What stands out in its results. */
  readonly findings: readonly AnalysisFinding[];
  readonly diagnostics: readonly DiagnosticData[];
  /** Records by event. */
  readonly info: ResultTable;
  readonly tables: readonly ResultTable[];
  readonly distributions: readonly DistributionData[];
  /** The results are of some vCPUs alone; the timeline has them all, since others made those wait. */
  readonly ofChosenVcpus: boolean;
  readonly timeline: TimelineData;
}

export interface DiagnosticData {
  readonly severity: string;
  readonly message: string;
  readonly advice: string;
}

/** How many waits of a domain were at most so long. */
export interface DistributionData {
  readonly dom: number;
  /** `wake`, `preempt`, `resume`, or `all`. */
  readonly cause: string;
  readonly count: number;
  /** Ascending; points between which nothing changes are left out. */
  readonly ns: readonly number[];
  /** Of the waits, how many were at most that long: 0 to 1. */
  readonly share: readonly number[];
}

export interface TimelineData {
  /** The stretch of the trace that is shown. */
  readonly fromNs: number;
  readonly endNs: number;
  readonly pcpus: readonly number[];
  /** `dom << 16 | vcpu`, idle ones included, by vCPU index: lanes, culprits and exact intervals go by this index. */
  readonly vcpuKeys: readonly number[];
  /** vCPU indices of the lanes shown, in the order shown. */
  readonly lanes: readonly number[];
  /** vCPUs for which there was no room. */
  readonly lanesLeftOut: number;
  /** Domains with a colour of their own, by slot, in every trace of the page; the others share the last one. */
  readonly domainSlots: readonly number[];
  readonly bins: BinsData;
  readonly exact: ExactData;
  readonly lost: LostData;
  readonly curves: readonly CurveData[];
  /** By kind of mark: how many there are in the trace. */
  readonly markCounts: readonly number[];
}

/**
 * Time in equal bins, for every lane: one byte for each bin, lane and component, the share of the bin in 1/255 (0 only
 * where there is none).
 */
export interface BinsData {
  readonly widthNs: number;
  readonly count: number;
  /** By pCPU, then by domain slot ({@link DOMAIN_SLOTS}) and idle; the rest is unknown. */
  readonly pcpus: Place;
  /** By lane, then by runstate. */
  readonly vcpus: Place;
  /** By lane, then by kind of mark: numbers of variable length. */
  readonly marks: Place;
  /**
   * How many vCPUs wait, then of how many it is not known, of all of them, those without a lane too: the mean over each
   * bin in 1/{@link QUEUE_SCALE}, as numbers of variable length. Shares of many lanes do not sum to it, since the least
   * of them is 1/255.
   */
  readonly queue: Place;
}

export const QUEUE_SCALE = 10_000;

/** Domains that have a colour of their own in a pCPU's lane, and one for all others. */
export const DOMAIN_SLOTS = 8;
/** Components of a pCPU's bins: the domain slots and idle. */
export const PCPU_COMPONENTS = DOMAIN_SLOTS + 1;
/** Components of a vCPU's bins: the runstates, RUNNING to THROTTLED. */
export const VCPU_COMPONENTS = 6;

export const MARK_NAMES = ['wake', 'migration', 'miss', 'reset', 'replenishment'] as const;
export const MARK = { wake: 0, migration: 1, miss: 2, reset: 3, replenishment: 4 } as const;

export const CURVE_NAMES = ['credit', 'budget'] as const;
export const CURVE = { credit: 0, budget: 1 } as const;

/** Single intervals, waits and marks, of those stretches of time for which there is room. Times are integers. */
export interface ExactData {
  /** Ascending pairs: from, to. */
  readonly stretches: readonly number[];
  /** Intervals by vCPU index. Each vCPU's are in the order of time. */
  readonly counts: readonly number[];
  /** From the end of the interval before (from 0 for the first), and how long: numbers of variable length. */
  readonly gaps: Place;
  readonly lengths: Place;
  /** One byte each: the runstate, and 8 where the pCPU is not that of the interval before. */
  readonly states: Place;
  /** Of those with 8: the pCPU plus 1, 0 where it is not known. */
  readonly pcpus: Place;
  /**
   * Parts of waits, adjacent ones of a wait together: the number of the interval with which the wait began, less that
   * of the part before; culprit's index plus 1 (0: none); reason; length.
   */
  readonly parts: Place;
  /** Marks that intervals do not tell: time after the one before, kind, vCPU index plus 1, value (zigzag). */
  readonly marks: Place;
  /** Samples of curves: curve, vCPU index, time after the one before of all (zigzag), value (zigzag). */
  readonly samples: Place;
  /** Intervals in the trace, those left out too. */
  readonly intervalsInAll: number;
}

/** Records that Xen lost: by pCPU, from, to, how many. At most so many as there is room for, the longest. */
export interface LostData {
  readonly spans: readonly (readonly [pcpu: number, fromNs: number, toNs: number, records: number])[];
  readonly spansInAll: number;
}

/** A vCPU's credit or budget: least and most in each bin, 1 to 65535 between `low` and `high`, 0: not told. */
export interface CurveData {
  /** Index into {@link CURVE_NAMES}. */
  readonly curve: number;
  /** vCPU index. */
  readonly vcpu: number;
  readonly low: number;
  readonly high: number;
  /** Bins as in {@link BinsData}, 16 bits each: all least ones, then all most ones. */
  readonly bins: Place;
}
