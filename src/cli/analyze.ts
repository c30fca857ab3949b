import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Analysis, analyses, analyzeTrace, type ResultTable } from '../analysis/index.ts';
import { closestWord } from '../base/closest-word.ts';
import { UserError } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { jobStatsCsv } from '../export/index.ts';
import { TextOutput } from '../export/text-output.ts';
import {
  findingsOf,
  renderAnalysisJson,
  renderAnalysisText,
  renderResultsCsv,
  summarizeTrace,
} from '../report/index.ts';
import { committed, FileSink } from '../tables/byte-sink.ts';
import { parseCountArgument } from './arguments.ts';
import { addFairnessOptions, domainParametersOf, type FairnessOptions } from './fairness-options.ts';
import { print, printBytes, refuseOverwriting } from './output.ts';
import { gatherPasses, PASS_NAMES } from './passes.ts';
import { formatOption, type ResultFormat, refuseTerminal } from './result-format.ts';
import {
  addSelectionOptions,
  refuseBeyond,
  type SelectionOptions,
  selectionOf,
  tellUnknown,
} from './selection-options.ts';
import {
  addTraceOptions,
  exitCodeOf,
  TRACE_ARGUMENT,
  type TraceOptions,
  withAnalyzable,
} from './trace-options.ts';
import { readWaitRecords, renderWaitRecords, waitRecordsTable } from './wait-records.ts';

interface AnalyzeVerbOptions extends TraceOptions, SelectionOptions, FairnessOptions {
  readonly format: ResultFormat;
  readonly only?: readonly Analysis[];
  readonly jobStats?: string;
  readonly worst?: number;
  readonly records?: number;
  readonly output?: string;
  readonly table?: string;
}

/** `xenscope analyze`: every pass over one trace or several. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    addFairnessOptions(
      addSelectionOptions(verb)
        .argument('<traces...>', TRACE_ARGUMENT)
        .addOption(formatOption('text for people; json, csv or arrow for programs'))
        .option('--only <passes>', `only these passes, comma separated: ${PASS_NAMES}`, gatherPasses),
    )
      .option('--worst <count>', 'how many of the longest waits to tell one by one (10)', parseCountArgument)
      .option(
        '--records <count>',
        'records before and after the beginning and the end of each of them, by reading the trace again',
        parseCountArgument,
      )
      .option(
        '--job-stats <file>',
        'also write every job as a line, as st-job-stats does; - is standard output',
      )
      .option('-o, --output <folder>', 'with --format arrow: a folder for one .arrow file per result')
      .option('--table <name>', 'with --format arrow or csv: only this result'),
  )
    .addHelpText('after', helpText())
    .action(async (traces: readonly string[], options: AnalyzeVerbOptions) => {
      if (options.output === undefined) refuseTerminal(options.format);
      refuseMixed(traces, options);
      if (options.jobStats !== undefined) refuseOverwriting(options.jobStats, traces);
      const domainParameters = await domainParametersOf(options);
      const selection = selectionOf(options);
      for (const trace of traces) {
        await withAnalyzable(trace, options, 'analysing', async (reader) => {
          const run = (more: readonly Analysis[]) => {
            const result = analyzeTrace(reader, {
              analyses: [...(options.only ?? analyses), ...more],
              domainParameters,
              windowNs: options.window,
              worst: options.worst,
              selection,
            });
            refuseBeyond(selection, result.spanNs, reader.name);
            return result;
          };
          const result = await withJobStats(options.jobStats, run);
          const summary = summarizeTrace(reader, result);
          tellUnknown(options, reader, result.domains);
          const records =
            options.records === undefined
              ? undefined
              : await readWaitRecords(reader, result.tables, options.records);
          const more = records === undefined ? [] : [waitRecordsTable(reader.catalog, records)];
          const tables = choose([...result.tables, ...more], options.table);
          // What stands out is a matter of the whole: of all passes.
          const isWhole = options.only === undefined && options.table === undefined;
          const findings = isWhole ? findingsOf(result.tables, summary) : undefined;
          if (options.format === 'json') print(renderAnalysisJson(summary, tables, findings));
          else if (options.format === 'csv') print(renderResultsCsv(tables));
          else if (options.format === 'arrow') await writeArrow(tables, options.output);
          else {
            const shown = options.table === undefined ? result.tables : tables;
            const withDetails = options.only !== undefined;
            print(renderAnalysisText(summary, shown, { withDetails, ...(findings && { findings }) }));
            if (records !== undefined) print(`\n${renderWaitRecords(reader.catalog, records)}`);
          }
          exit(exitCodeOf(reader, { tell: options.format === 'csv' || options.format === 'arrow' }));
        });
      }
    });
}

/** Two results in one place would garble or replace each other, and a folder would stay empty. */
function refuseMixed(traces: readonly string[], { jobStats, format, output }: AnalyzeVerbOptions): void {
  if (jobStats === '-' && format !== 'text') {
    throw new UserError('usage', `--job-stats - would mix its lines with the ${format} on standard output`, {
      hint: 'give a file instead of -, or leave --format out',
    });
  }
  if (output !== undefined && format !== 'arrow') {
    throw new UserError('usage', '--output is a folder for --format arrow', {
      hint: `redirect standard output to keep the ${format}`,
    });
  }
  if (traces.length > 1 && (format === 'arrow' || format === 'csv')) {
    throw new UserError('usage', `--format ${format} is for one trace: what is of which would not be told`, {
      hint: 'analyse each trace on its own, or take json, which has a document for each',
    });
  }
  const option = jobStats !== undefined ? '--job-stats' : '--output';
  const target = jobStats ?? output;
  if (traces.length > 1 && target !== undefined && target !== '-') {
    throw new UserError('usage', `${option} is for one trace: each would replace what is in ${target}`, {
      hint: 'analyse each trace on its own',
    });
  }
}

function helpText(): string {
  const width = Math.max(...analyses.map(({ name }) => name.length));
  const passes = analyses.map(({ name, doc }) => `  ${name.padEnd(width)}  ${doc.split('\n')[0]}`).join('\n');
  return `
Passes:
${passes}

Examples:
  xenscope analyze run.trace
  xenscope analyze run.trace --scenario samples/busy-host.yaml      fairness against the scenario's weights and caps
  xl sched-credit > domains.txt; xenscope analyze host.trace --domains domains.txt      the same for a real host
  xenscope analyze host.trace --weights 1=128,2=256 --caps 2=30
  xenscope analyze run.trace --only deadlines --job-stats jobs.csv      each job too, as st-job-stats lists it
  xenscope analyze run.trace --only blame --vcpu d1v0 --from 1s --to 2s   whom d1v0 waited for in that second, in detail
  xenscope analyze run.trace --only waits --worst 3 --records 5     the records around the three longest waits
  xenscope analyze run.trace --format json | jq '.waits[] | select(.wait_ns_max > 1e6)'
  ssh dom0 xentrace -D -T 10 /dev/stdout | xenscope analyze -

Every metric is in docs/metrics.md.`;
}

function choose(tables: readonly ResultTable[], name: string | undefined): readonly ResultTable[] {
  if (name === undefined) return tables;
  const found = tables.filter((table) => table.name === name);
  if (found.length > 0) return found;
  const close = closestWord(
    name,
    tables.map((table) => table.name),
  );
  throw new UserError('unknown-table', `there is no result "${name}"`, {
    hint: close ? `did you mean "${close}"?` : `there are ${resultNames(tables)}`,
  });
}

function resultNames(tables: readonly ResultTable[]): string {
  return tables.map(({ name }) => name).join(', ');
}

/** Has `run` write every job as a line to a file, or to standard output for `-`, if there is to be any. */
async function withJobStats<T>(path: string | undefined, run: (more: readonly Analysis[]) => T): Promise<T> {
  if (path === undefined) return run([]);
  if (path === '-') return run([jobStatsCsv(print)]);
  const sink = new FileSink(path);
  return committed(sink, () => {
    const output = new TextOutput(sink);
    const result = run([jobStatsCsv((text) => output.write(text))]);
    output.flush();
    return result;
  });
}

async function writeArrow(tables: readonly ResultTable[], folder: string | undefined): Promise<void> {
  const { resultTableToArrow } = await import('../tables/index.ts');
  if (folder === undefined) {
    if (tables.length !== 1) {
      throw new UserError('usage', 'standard output takes one result as Arrow', {
        hint: `choose it with --table, or give a folder with -o; there are ${resultNames(tables)}`,
      });
    }
    return printBytes(resultTableToArrow(tables[0] as ResultTable));
  }
  makeFolder(folder);
  for (const table of tables) {
    const path = join(folder, `${table.name}.arrow`);
    writeFileSync(path, resultTableToArrow(table, { format: 'file' }));
    print(`${path}  ${table.rows.length} rows\n`);
  }
}
