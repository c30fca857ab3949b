import { fieldPlaces } from '../analysis/scheduler-records.ts';
import type { RecordBatch } from '../decoder/index.ts';
import { TRC_LOST_RECORDS } from '../format/index.ts';
import { followTrace, TraceAhead } from '../timeline/index.ts';
import type { FileExporter } from './exporters.ts';
import { FTRACE_HEAD, FtraceLines } from './ftrace-lines.ts';
import { TextOutput } from './text-output.ts';

/** Switches and wake-ups as lines of ftrace, in time order. */
export const exportTrace: FileExporter['exportTrace'] = (
  trace,
  sink,
  { fromNs = 0, toNs = Infinity } = {},
) => {
  const output = new TextOutput(sink);
  const lines = new FtraceLines((tNs, line) => {
    if (tNs >= fromNs && tNs < toNs) output.write(line);
  });
  const lost = fieldPlaces(trace.catalog, () => 'lost').word;
  const onRecords = ({ count, event, layout, tNs, pcpu, words, wordsOffset }: RecordBatch) => {
    for (let row = 0; row < count; row++) {
      if (event[row] !== TRC_LOST_RECORDS || lost[layout[row]] < 0) continue;
      lines.lost(tNs[row], pcpu[row], words[wordsOffset[row] + lost[layout[row]]]);
    }
  };
  output.write(FTRACE_HEAD);
  if (trace instanceof TraceAhead) trace.follow([lines], { onRecords });
  else followTrace(trace, [lines], { onRecords });
  lines.finish();
  output.flush();
};
