import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { createRecordBatch, type TraceReader } from '../decoder/index.ts';
import { csvLine, DumpFormatter, formatCount } from '../report/index.ts';
import {
  gatherPcpus,
  gatherVcpus,
  parseCountArgument,
  parseDurationArgument,
  type VcpuName,
} from './arguments.ts';
import { print } from './output.ts';
import { type RecordFilters, RecordSelection } from './record-selection.ts';
import { formatOption, type ResultFormat, refuseTerminal } from './result-format.ts';
import { refuseBeyond, refuseEmpty, tellMissing } from './selection-options.ts';
import {
  addTraceOptions,
  exitCodeOf,
  TRACE_ARGUMENT,
  type TraceOptions,
  withTrace,
} from './trace-options.ts';

interface DumpOptions extends TraceOptions, RecordFilters {
  readonly format: ResultFormat;
  readonly order: 'time' | 'file';
  readonly limit?: number;
}

/** `xenscope dump`: one line a record, in time order across pCPUs. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    verb
      .argument('<trace>', TRACE_ARGUMENT)
      .addOption(formatOption('text; json: an object a line; csv; arrow: the records table as a stream'))
      .option('--pcpu <list>', 'only records made on these pCPUs, e.g. 0-3,5', gatherPcpus)
      .option('--vcpu <list>', 'only records about these vCPUs or domains, e.g. d1v0,d2', gatherVcpus)
      .option(
        '--event <list>',
        'only these events: names, with * for anything, ids, or classes, e.g. TRC_CSCHED_*,0x28004,rtds',
        (text: string, earlier?: string) => (earlier === undefined ? text : `${earlier},${text}`),
      )
      .option(
        '--from <time>',
        'from this time after the start of the trace, e.g. 1.5s',
        parseDurationArgument,
      )
      .option('--to <time>', 'up to this time, exclusive', parseDurationArgument)
      .option('-n, --limit <count>', 'stop after so many lines', parseCountArgument)
      .option(
        '--order <order>',
        'time: across pCPUs by TSC; file: as the records lie in the file',
        parseOrder,
        'time',
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  xenscope dump run.trace | less
  xenscope dump run.trace --vcpu d1v0 --from 100ms --to 200ms
  xenscope dump run.trace --event 'TRC_CSCHED_*' --pcpu 0 --format json`,
    )
    .action(async (trace: string, options: DumpOptions) => {
      refuseTerminal(options.format);
      refuseEmpty(options.from, options.to);
      await withTrace(trace, options, 'dumping', async (reader) => {
        if (options.format === 'arrow') await streamRecords(reader, options);
        else dump(reader, options, options.format);
        exit(exitCodeOf(reader, { tell: true }));
      });
    });
}

function dump(reader: TraceReader, options: DumpOptions, format: 'text' | 'json' | 'csv'): void {
  const formatter = new DumpFormatter(reader.catalog);
  const selection = new RecordSelection(reader.catalog, options);
  const batch = createRecordBatch();
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let taken = 0;
  if (format === 'csv') print(csvLine(['t_ns', 'tsc', 'pcpu', 'event', 'fields']));
  for (let more = true; more && left > 0; ) {
    more = reader.readBatch(batch);
    for (let row = 0; row < batch.count && left > 0; row++) {
      if (!selection.takes(batch, row)) continue;
      left--;
      taken++;
      if (format === 'text') print(formatter.textLine(batch, row));
      else if (format === 'json') print(formatter.jsonLine(batch, row));
      else print(csvOf(formatter.jsonLine(batch, row)));
    }
  }
  if (left > 0) tellNothingTaken(reader, options, selection.missing, taken);
}

/** The trace was read to its end: says what of it was asked for in vain. */
function tellNothingTaken(
  reader: TraceReader,
  { from, pcpu }: DumpOptions,
  missing: readonly VcpuName[],
  taken: number,
): void {
  const { spanNs, records } = reader.counts();
  refuseBeyond({ fromNs: from }, spanNs, reader.name);
  tellMissing(reader, missing, pcpu);
  if (taken === 0 && records > 0)
    process.stderr.write(
      `xenscope: none of the ${formatCount(records)} records of ${reader.name} is chosen\n`,
    );
}

/** A line of CSV from one of JSON: what differs from event to event shares the last column, as `name=value` pairs. */
function csvOf(json: string): string {
  const { t_ns, tsc, pcpu, event, ...fields } = JSON.parse(json);
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return csvLine([t_ns, tsc, pcpu, event, pairs.join(' ')]);
}

async function streamRecords(reader: TraceReader, options: DumpOptions): Promise<void> {
  const { pcpu, vcpu, event, from, to, limit } = options;
  if ([pcpu, vcpu, event, from, to, limit].some((filter) => filter !== undefined)) {
    throw new UserError('usage', 'the filters of dump are for text, json and csv', {
      hint: 'filter the Arrow table in the notebook',
    });
  }
  const { streamTable } = await import('../tables/index.ts');
  streamTable(reader, 'records');
}

function parseOrder(text: string): 'time' | 'file' {
  if (text === 'time' || text === 'file') return text;
  throw new UserError('usage', `--order: expected time or file, not "${text}"`);
}
