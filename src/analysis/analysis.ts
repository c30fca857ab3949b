import type { RecordBatch } from '../decoder/record-batch.ts';
import type { EventCatalog } from '../format/index.ts';
import type { TimelineListener } from '../timeline/index.ts';
import type { Coverage } from './coverage.ts';

/** A column of a result, with its documentation: text, JSON, CSV, Arrow and docs/metrics.md all come from here. */
export interface Column {
  /** snake_case, unit last; stable. */
  readonly name: string;
  /** `int`: whole numbers, exact up to 2^53; `float`; `string`. Any cell may be null. */
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
  /** It says what the row is about, such as `dom` or `cause`: rows of two traces are matched by their keys. */
  readonly key?: boolean;
  /** Which way is an improvement, where one is: comparisons say "better" and "worse" by it. */
  readonly better?: 'lower' | 'higher';
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
  /** People see it only when they ask for its pass by name (`--only`); programs always get it. */
  readonly detail?: boolean;
  /** What people read where there are no rows. */
  readonly empty?: string;
}

/** What a result has in one row and column: null is "not available". */
export type Cell = number | string | null;

/** RTDS: a vCPU may run for its budget in each period. */
export interface Reservation {
  /** At most `periodNs`. */
  readonly budgetNs: number;
  readonly periodNs: number;
}

/** What a single vCPU was promised, where it is not what its domain was. */
export interface VcpuParameters {
  /** pCPUs that it may run on (hard affinity), ascending; all unless given. */
  readonly pcpus?: readonly number[];
  /** None unless given. */
  readonly reservation?: Reservation;
}

/** What a domain was promised, by the user or a scenario: a trace tells part of it at most. */
export interface DomainParameters extends VcpuParameters {
  readonly name?: string;
  /** Xen's default is 256. */
  readonly weight?: number;
  /** In percent of one pCPU; 0: none. */
  readonly cap?: number;
  /** By number of the vCPU. */
  readonly vcpus?: ReadonlyMap<number, VcpuParameters>;
}

/** What every pass may know besides the records. */
export interface AnalysisContext {
  /** The layouts of the records, by {@link RecordBatch.layout}. */
  readonly catalog: EventCatalog;
  /** pCPUs that the trace has records of and that are looked at. */
  readonly pcpus: readonly number[];
  /** Where the stretch of the trace that is looked at begins; it ends where {@link AnalysisRun.finish} says. */
  readonly fromNs: number;
  /** Known time of the vCPUs that the pass hears of; complete when {@link AnalysisRun.finish} is called. */
  readonly coverage: Coverage;
  /** What domains were promised, by domain id; those that are not in it have Xen's defaults. */
  readonly domainParameters: ReadonlyMap<number, DomainParameters>;
  /** Length of the windows in which fairness is judged. */
  readonly windowNs: number;
  /** How many of the worst are listed one by one; 10 unless given. */
  readonly worst?: number | undefined;
}

/** A pass under way: it listens, and answers at the end. */
export interface AnalysisRun {
  /** Hears what the vCPUs do. */
  readonly listener: TimelineListener;
  /** Hears of all records; the arrays are reused. */
  onRecords?(batch: RecordBatch): void;
  /** Called once, at the end of the stretch that is looked at: the answers. */
  finish(endNs: number): ResultTable[];
}

/** One question to a trace. A file each, registered in analyses.ts. */
export interface Analysis {
  /** Stable, for the command line. */
  readonly name: string;
  readonly title: string;
  readonly doc: string;
  /**
   * `selected`, unless given: it hears only of the vCPUs that the user wants to know of. `all`: it hears of every vCPU,
   * since what one did concerns another; rows of those that the user did not ask for are left out of its results.
   */
  readonly hears?: 'selected' | 'all';
  /** Begins to answer it for one trace. */
  create(context: AnalysisContext): AnalysisRun;
}
