import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { analyses, analyzeTrace, type ResultTable } from '../analysis/index.ts';
import { UserError } from '../base/errors.ts';
import { compareTraces, figuresOf, type TraceFigures, traceComparisonTable } from '../compare/index.ts';
import { EXACT_ROWS_DEFAULT, ReportPage } from '../page/index.ts';
import { formatBytes, summarizeTrace, type TraceSummary } from '../report/index.ts';
import { committed, DescriptorSink, FileSink } from '../tables/byte-sink.ts';
import { gatherTexts, parseCountArgument } from './arguments.ts';
import { distinctNames, domainMap, promisesOf } from './compare-trace-files.ts';
import { windowOption } from './fairness-options.ts';
import { print, refuseOverwriting } from './output.ts';
import {
  addSelectionOptions,
  refuseBeyond,
  type SelectionOptions,
  selectionOf,
  tellUnknown,
} from './selection-options.ts';
import { comparedTables } from './simulated-run.ts';
import {
  addTraceOptions,
  exitCodeOf,
  TRACE_ARGUMENT,
  type TraceOptions,
  withAnalyzable,
} from './trace-options.ts';

interface ReportOptions extends TraceOptions, SelectionOptions {
  readonly output: string;
  readonly title?: string;
  readonly scenario?: readonly string[];
  readonly domains?: readonly string[];
  readonly window: number;
  readonly worst: number;
  readonly exact: number;
}

/** `xenscope report`: one HTML page of one trace, or of several side by side. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    addSelectionOptions(verb)
      .argument(
        '<traces...>',
        `${TRACE_ARGUMENT}; of several, the first is what the others are compared with`,
      )
      .requiredOption('-o, --output <file>', 'where the page goes; - is standard output')
      .option('--title <text>', 'what the page is called, instead of the names of the traces')
      .option(
        '--scenario <file>',
        'weights, caps and reservations from the scenario that was recorded (repeatable: one for each trace)',
        gatherTexts,
      )
      .option(
        '--domains <file>',
        'the same from a list, or from what xl sched-credit, -credit2 or -rtds printed (repeatable)',
        gatherTexts,
      )
      .addOption(windowOption())
      .addOption(
        new Option('--worst <count>', 'how many of the longest waits are listed')
          .argParser(parseCountArgument)
          .default(50),
      )
      .addOption(
        new Option(
          '--exact <count>',
          'room for single intervals, parts of waits and marks; what is beyond it is shown in sums',
        )
          .argParser(parseCountArgument)
          .default(EXACT_ROWS_DEFAULT),
      ),
  )
    .addHelpText('after', HELP)
    .action(async (paths: readonly string[], options: ReportOptions) => {
      exit(await writeReport(paths, options));
    });
}

const HELP = `
Examples:
  xenscope report run.trace -o report.html
  xenscope report run.trace --scenario samples/busy-host.yaml -o report.html     fairness against what was promised
  xenscope report before.trace after.trace -o compared.html                      side by side, with every difference
  xenscope report big.trace --from 12s --to 13s -o second.html                   one second, every interval of it
  ssh dom0 xentrace -D -T 10 /dev/stdout | xenscope report - -o report.html

The page is one file that needs no network: it can be mailed. What is on it: docs/report-page.md.`;

async function writeReport(paths: readonly string[], options: ReportOptions): Promise<number> {
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UserError('usage', 'only one trace can come from standard input');
  }
  refuseOverwriting(options.output, paths);
  const promises = promisesOf(paths, options);
  const selection = selectionOf(options);
  const names = distinctNames(paths);
  const page = new ReportPage(options.exact);
  const summaries: TraceSummary[] = [];
  const figures: TraceFigures[] = [];
  let exitCode = 0;
  for (const [index, path] of paths.entries()) {
    await withAnalyzable(path, options, `analysing ${path}`, (reader) => {
      const passes = page.passes(reader.clock);
      const analysis = analyzeTrace(reader, {
        analyses: [...analyses, passes.timeline, passes.distributions],
        domainParameters: promises[index],
        windowNs: options.window,
        worst: options.worst,
        selection,
      });
      refuseBeyond(selection, analysis.spanNs, reader.name);
      const { tables } = analysis;
      const summary = summarizeTrace(reader, analysis);
      tellUnknown(options, reader, analysis.domains);
      summaries.push(summary);
      page.add({ name: names[index], summary, tables, passes }, paths.length);
      if (paths.length > 1) {
        const domains = index === 0 ? undefined : domainMap(index, promises, summaries, {});
        const spanNs = analysis.endNs - analysis.fromNs;
        figures.push({
          name: names[index],
          figures: figuresOf(comparedTables(tables, false), spanNs, domains),
        });
      }
      exitCode = Math.max(exitCode, exitCodeOf(reader, { tell: true }));
    });
  }
  const comparison: ResultTable | null =
    figures.length > 1 ? traceComparisonTable(compareTraces(figures)) : null;
  const bytes = Buffer.from(page.render(options.title ?? titleOf(names), comparison));
  await writePage(options.output, bytes);
  if (options.output !== '-') print(`${options.output}: ${formatBytes(bytes.length)}\n`);
  return exitCode;
}

function titleOf(names: readonly string[]): string {
  return names.map((name) => basename(name)).join(' and ');
}

/** A page that cannot be written whole is not there at all, and the one before it stays. */
async function writePage(path: string, bytes: Uint8Array): Promise<void> {
  const sink = path === '-' ? new DescriptorSink(1) : new FileSink(path);
  await committed(sink, () => sink.write([bytes]));
}
