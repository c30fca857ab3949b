import type { RecordBatch } from '../decoder/record-batch.ts';
import type { TimelineListener } from '../timeline/index.ts';

/** A column of a result, with its documentation: text, JSON, CSV, Arrow and docs/metrics.md all come from here. */
export interface Column {
  /** snake_case, unit last; stable. */
  readonly name: string;
  readonly type: 'int' | 'float' | 'string';
  /** `ns`, `ratio`, `count`, `dom`, `vcpu`, `pcpu`, `pcpus`, `percent`; undefined for names. */
  readonly unit?: string;
  readonly doc: string;
  /** With fewer samples ({@link ResultTable.sampleColumn}) people are told "n/a": the figure says little. */
  readonly samplesMin?: number;
  /** What people see as its heading, where that is not the name. */
  readonly heading?: string;
  /** When people see it: `nonzero`, if any cell is neither 0 nor null; `never`; always unless given. */
  readonly text?: 'nonzero' | 'never';
  /** A point in time, not a length of time. */
  readonly instant?: boolean;
}

/** An answer: small, whatever the length of the trace. A null cell is "not available". */
export interface ResultTable {
  /** Stable, for programs; unique among all passes. */
  readonly name: string;
  readonly title: string;
  readonly doc: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** The column that counts a row's samples: text leaves out rows where it is 0. */
  readonly sampleColumn?: string;
  /** There is one row by nature: people see it as `heading: value` lines. */
  readonly single?: boolean;
}

export type Cell = number | string | null;

/** What a domain was promised. It is not in a trace: it comes from the user or from a scenario. */
export interface DomainParameters {
  /** Xen's default is 256. */
  readonly weight?: number;
  /** In percent of one pCPU; 0: none. */
  readonly cap?: number;
}

/** What every pass may know besides the records. */
export interface AnalysisContext {
  /** pCPUs that the trace has records of. */
  readonly pcpus: readonly number[];
  readonly domainParameters: ReadonlyMap<number, DomainParameters>;
  /** Length of the windows in which fairness is judged. */
  readonly windowNs: number;
}

/** A pass under way: it listens, and answers at the end. */
export interface AnalysisRun {
  readonly listener: TimelineListener;
  onRecords?(batch: RecordBatch): void;
  finish(endNs: number): ResultTable[];
}

/** One question to a trace. A file each, registered in analyses.ts. */
export interface Analysis {
  /** Stable, for the command line. */
  readonly name: string;
  readonly title: string;
  readonly doc: string;
  create(context: AnalysisContext): AnalysisRun;
}
