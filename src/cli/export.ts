import { type Command, Option } from 'commander';
import type { Selection } from '../analysis/index.ts';
import { UserError } from '../base/errors.ts';
import { EXPORTERS, type Exporter } from '../export/index.ts';
import { committed, DescriptorSink, FileSink } from '../tables/byte-sink.ts';
import { parseDurationArgument } from './arguments.ts';
import { addFolderOptions, exportToFolder, type FolderOptions } from './export-to-folder.ts';
import { print, refuseOverwriting } from './output.ts';
import { refuseBeyond } from './selection-options.ts';
import {
  addTraceOptions,
  exitCodeOf,
  TRACE_ARGUMENT,
  type TraceOptions,
  withAnalyzable,
} from './trace-options.ts';

interface ExportOptions extends TraceOptions, FolderOptions {
  readonly to: string;
  readonly output?: string;
}

type Form<K extends Exporter['kind']> = Extract<Exporter, { kind: K }>;

/** `xenscope export`: a trace in the form of another tool. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    addFolderOptions(verb)
      .argument('<traces...>', TRACE_ARGUMENT)
      .addOption(
        new Option('--to <form>', 'what to write, see below')
          .choices(Object.keys(EXPORTERS))
          .makeOptionMandatory(),
      )
      .option('-o, --output <path>', 'the file, - for standard output; or the folder')
      .option(
        '--start <time>',
        'where a file begins, after the start of the trace, e.g. 1.5s',
        parseDurationArgument,
      )
      .option('--end <time>', 'where it ends, exclusive', parseDurationArgument),
  )
    .addHelpText('after', helpText())
    .action(async (traces: readonly string[], options: ExportOptions) => {
      const form = EXPORTERS[options.to] as Exporter;
      if (options.output === undefined) {
        throw new UserError('usage', `missing -o: the ${form.kind} to write`, {
          hint: form.kind === 'file' ? `-o run${form.extension}, or -o - for standard output` : '-o exported',
        });
      }
      if (form.kind === 'file') await exportToFile(form, traces, options, options.output, exit);
      else await exportToFolder(form, traces, options, options.output, exit);
    });
}

async function exportToFile(
  form: Form<'file'>,
  traces: readonly string[],
  options: ExportOptions,
  output: string,
  exit: (code: number) => void,
): Promise<void> {
  if (traces.length > 1) {
    throw new UserError('usage', `--to ${options.to} puts one trace into one file`, {
      hint: 'export each on its own',
    });
  }
  if (output === '-' && form.binary && process.stdout.isTTY) {
    throw new UserError('usage', `${options.to} is binary and would garble the terminal`, {
      hint: 'redirect the output, or give a file with -o',
    });
  }
  refuseOverwriting(output, traces);
  const stretch = stretchOf(options);
  const { exportTrace } = await form.load();
  await withAnalyzable(traces[0] as string, options, 'exporting', async (trace) => {
    const sink = output === '-' ? new DescriptorSink(1) : new FileSink(output);
    await committed(sink, async () => {
      await exportTrace(trace, sink, stretch);
      refuseBeyond(stretch, trace.counts().spanNs, trace.name, '--start');
    });
    if (sink instanceof FileSink) print(`${output}  ${sink.bytes} bytes\n`);
    exit(exitCodeOf(trace, { tell: true }));
  });
}

function stretchOf({ start, end }: ExportOptions): Selection {
  if (start !== undefined && end !== undefined && start >= end) {
    throw new UserError('usage', '--start is not before --end', {
      hint: 'both count from the start of the trace',
    });
  }
  return { fromNs: start, toNs: end };
}

function helpText(): string {
  const width = Math.max(...Object.keys(EXPORTERS).map((name) => name.length));
  const forms = Object.entries(EXPORTERS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `
Forms:
${forms.join('\n')}

Examples:
  xenscope export run.trace --to perfetto -o run.pftrace     then open it at ui.perfetto.dev
  xenscope export run.trace --to ftrace -o run.ftrace        for Trace Compass and scripts that read ftrace
  xenscope export run.trace --to job-stats -o jobs.csv       each job: response, lateness, tardiness
  xenscope export host1/*.trace host2/*.trace --to parquet -o fleet      a fleet's traces as one table, for SQL
  ssh dom0 xentrace -D -T 10 /dev/stdout | xenscope export - --to perfetto -o - | gzip > host.pftrace.gz

How to open each, and what each can show, is in docs/exports.md.`;
}
