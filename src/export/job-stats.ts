import { analyzeTrace } from '../analysis/index.ts';
import type { FileExporter } from './exporters.ts';
import { jobStatsCsv } from './job-stats-csv.ts';
import { TextOutput } from './text-output.ts';

/** Jobs as `st-job-stats` lists them, see job-stats-csv.ts. */
export const exportTrace: FileExporter['exportTrace'] = (trace, sink, selection = {}) => {
  const output = new TextOutput(sink);
  analyzeTrace(trace, { analyses: [jobStatsCsv((text) => output.write(text))], selection });
  output.flush();
};
