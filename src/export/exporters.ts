/**
 * Every form in which a trace can be handed to another tool. What is listed here is in `xenscope export --help`; what
 * it takes to write one is loaded when it is asked for.
 * @module
 */
import type { DomainParameters, Selection } from '../analysis/index.ts';
import type { TraceReader } from '../decoder/index.ts';
import type { OutputSink } from '../tables/byte-sink.ts';
import type { TraceAhead } from '../timeline/index.ts';

/** Writes one trace, or a stretch of its time, into one file. */
export interface FileExporter {
  /**
   * Reads the trace to its end and writes to the sink, which the caller then commits, or aborts where this throws.
   *
   * @throws UserError where the trace cannot be read on or the sink not written; damage in the trace never throws.
   */
  exportTrace(trace: TraceReader | TraceAhead, sink: OutputSink, stretch?: Selection): void | Promise<void>;
}

/** Writes traces below one folder, one after the other. */
export interface FolderExporter {
  /**
   * @returns the paths of the files
   * @throws UserError where the trace cannot be read on or a file not written; damage in the trace never throws.
   */
  exportTrace(
    trace: TraceReader,
    folder: string,
    place: ExportPlace,
    options?: FolderExportOptions,
  ): Promise<readonly string[]>;
}

/** What a {@link FolderExporter} may be told. */
export interface FolderExportOptions {
  /** What the domains were promised, which a trace does not tell: fairness is judged by it. */
  readonly domainParameters?: ReadonlyMap<number, DomainParameters> | undefined;
  /** Length of the windows that fairness is judged in. */
  readonly windowNs?: number | undefined;
}

/** Where a trace was recorded: what tells it apart from others below the same folder. */
export interface ExportPlace {
  /** The host that was traced. */
  readonly host: string;
  /** Which recording of it. */
  readonly run: string;
}

/** What there is to know of a form before it is loaded. */
export interface ExporterFacts {
  /** A line for `--help`. */
  readonly summary: string;
  /** Of the file, or of those in the folder, with the dot. */
  readonly extension: string;
}

/** A form that is one file. */
export interface FileForm extends ExporterFacts {
  readonly kind: 'file';
  /** Not for a terminal. */
  readonly binary: boolean;
  readonly load: () => Promise<FileExporter>;
}

/** A form that is a tree of files. */
export interface FolderForm extends ExporterFacts {
  readonly kind: 'folder';
  readonly load: () => Promise<FolderExporter>;
}

/** A form, and how its code is loaded. */
export type Exporter = FileForm | FolderForm;

/** Every form by its name, as `--to` has it: `perfetto`, `ftrace`, `job-stats`, `parquet`. */
export const EXPORTERS: Readonly<Record<string, Exporter>> &
  Readonly<Record<'perfetto' | 'ftrace' | 'job-stats', FileForm>> &
  Readonly<Record<'parquet', FolderForm>> = {
  perfetto: {
    summary: 'protobuf for ui.perfetto.dev and trace_processor',
    extension: '.pftrace',
    kind: 'file',
    binary: true,
    load: () => import('./perfetto.ts'),
  },
  ftrace: {
    summary: "text as Linux's ftrace prints it, for Trace Compass, Perfetto and scripts",
    extension: '.ftrace',
    kind: 'file',
    binary: false,
    load: () => import('./ftrace.ts'),
  },
  'job-stats': {
    summary: "a CSV line for each job, as LITMUS^RT's st-job-stats lists them",
    extension: '.csv',
    kind: 'file',
    binary: false,
    load: () => import('./job-stats.ts'),
  },
  parquet: {
    summary:
      'every table and every result, compressed, for DuckDB, pandas, Spark, Trino; many traces as one table',
    extension: '.parquet',
    kind: 'folder',
    load: () => import('./parquet.ts'),
  },
};
