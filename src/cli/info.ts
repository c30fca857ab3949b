import type { Command } from 'commander';
import { analyzeTrace } from '../analysis/index.ts';
import { infoTable, renderInfoCsv, renderInfoJson, renderInfoText, summarizeTrace } from '../report/index.ts';
import { print, printBytes } from './output.ts';
import { formatOption, type ResultFormat, refuseTerminal } from './result-format.ts';
import {
  addTraceOptions,
  exitCodeOf,
  TRACE_ARGUMENT,
  type TraceOptions,
  withTrace,
} from './trace-options.ts';

interface InfoOptions extends TraceOptions {
  readonly format: ResultFormat;
}

/** `xenscope info`: what is in a trace, and how far to trust it. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(verb.argument('<trace>', TRACE_ARGUMENT).addOption(formatOption()))
    .addHelpText(
      'after',
      `
Examples:
  xenscope info run.trace
  xenscope info run.trace --format json | jq '.records, .cpu_hz, .lost_records'
  ssh dom0 xentrace -D -T 10 /dev/stdout | xenscope info -

The TSC's frequency is not in a trace: it is derived from records that carry nanoseconds, and shown with its spread.`,
    )
    .action(async (trace: string, options: InfoOptions) => {
      refuseTerminal(options.format);
      await withTrace(trace, options, 'reading', async (reader) => {
        const summary = summarizeTrace(reader, analyzeTrace(reader, { analyses: [] }));
        if (options.format === 'json') print(renderInfoJson(summary));
        else if (options.format === 'csv') print(renderInfoCsv(summary));
        else if (options.format === 'text') print(renderInfoText(summary));
        else {
          const { resultTableToArrow } = await import('../tables/index.ts');
          printBytes(resultTableToArrow(infoTable(summary)));
        }
        exit(exitCodeOf(reader, { tell: options.format === 'csv' || options.format === 'arrow' }));
      });
    });
}
