/**
 * A trace in, a form that another tool reads out: Perfetto, ftrace, st-job-stats, Parquet. One pass, bounded memory.
 *
 * It refuses to judge and to sum up: it writes down what the decoder and the timeline say, in the other tool's words,
 * and where those have no word for it, says so (docs/exports.md).
 * @module
 */
export {
  EXPORTERS,
  type Exporter,
  type ExporterFacts,
  type ExportPlace,
  type FileExporter,
  type FileForm,
  type FolderExporter,
  type FolderExportOptions,
  type FolderForm,
} from './exporters.ts';
export { jobStatsCsv } from './job-stats-csv.ts';
