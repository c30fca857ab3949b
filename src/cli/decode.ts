import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import { print } from './output.ts';
import {
  addTraceOptions,
  exitCodeOf,
  TRACE_ARGUMENT,
  type TraceOptions,
  withTrace,
} from './trace-options.ts';

interface DecodeOptions extends TraceOptions {
  readonly output?: string;
  readonly tables?: string[];
  readonly list?: boolean;
}

/** `xenscope decode`: a trace becomes Arrow tables, in a folder or, one of them, as a stream. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    verb
      .argument('[trace]', TRACE_ARGUMENT)
      .option(
        '-o, --output <folder>',
        'folder for one .arrow file per table; - streams one table to standard output',
      )
      .option('--tables <names>', 'only these tables, comma separated', (text: string) =>
        text.split(',').map((name) => name.trim()),
      )
      .option('--list', 'list the tables and what is in them, and stop'),
  )
    .addHelpText(
      'after',
      `
Examples:
  xenscope decode run.trace -o tables                     every table, tables/waits.arrow among them
  xenscope decode run.trace -o tables --tables records,waits
  xenscope decode run.trace -o - --tables waits | python3 -c 'import pyarrow as pa; ...'
  xenscope decode --list                                  what the tables are`,
    )
    .action(async (trace: string | undefined, options: DecodeOptions) => {
      const tables = await import('../tables/index.ts');
      if (options.list) return listTables(tables, options.formats);
      if (trace === undefined)
        throw new UserError('usage', 'missing the trace to decode', { hint: '- is standard input' });
      if (options.output === undefined) {
        throw new UserError('usage', 'missing -o: the folder for the tables', {
          hint: '-o - streams one table',
        });
      }
      const output = options.output;
      await withTrace(trace, options, 'decoding', (reader) => {
        if (output === '-') {
          if (options.tables?.length !== 1) {
            throw new UserError('usage', 'standard output takes one table: choose it with --tables NAME');
          }
          tables.streamTable(reader, options.tables[0] as string);
        } else {
          const written = tables.writeTables(reader, output, { tables: options.tables });
          for (const { path, rows, bytes } of written) print(`${path}  ${rows} rows  ${bytes} bytes\n`);
        }
        exit(exitCodeOf(reader, { tell: true }));
      });
    });
}

async function listTables(
  tables: typeof import('../tables/index.ts'),
  formats: readonly string[] | undefined,
): Promise<void> {
  const { loadCatalog } = await import('../format/index.ts');
  const specs = tables.tableSpecs(loadCatalog(formats));
  const width = Math.max(...specs.map(({ name }) => name.length));
  for (const { name, doc } of specs) print(`${name.padEnd(width)}  ${doc.split('\n')[0]}\n`);
}
