import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { closestWord } from '../base/closest-word.ts';
import { UserError } from '../base/errors.ts';
import { loadCatalog } from '../format/index.ts';
import {
  attachFolder,
  loadTables,
  PARTITION_COLUMNS,
  qualifiedName,
  RESULT_WRITERS,
  refuseOtherFolder,
  type SqlTable,
  sqlTables,
  TraceDatabase,
  tablesNamedIn,
} from '../query/index.ts';
import { TEXT_WIDTH, wrapText } from '../report/text-table.ts';
import { addFairnessOptions, domainParametersOf, type FairnessOptions } from './fairness-options.ts';
import { print } from './output.ts';
import {
  addTraceOptions,
  exitCodeOf,
  type TraceOptions,
  withAnalyzable,
  withTrace,
} from './trace-options.ts';

interface QueryOptions extends TraceOptions, FairnessOptions {
  readonly format: keyof typeof RESULT_WRITERS;
  readonly file?: string;
  readonly list?: string | true;
}

/** `xenscope query`: SQL over a trace, or over a folder of exported ones. */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    addFairnessOptions(
      verb
        .argument(
          '[trace]',
          'a trace, plain or gzip; - is standard input; or a folder of export --to parquet',
        )
        .argument('[sql]', 'the query, in the SQL of DuckDB')
        .addOption(
          new Option('-f, --format <format>', 'for people, or for programs')
            .choices(Object.keys(RESULT_WRITERS))
            .default('text'),
        )
        .option('--file <file>', 'the query from a file')
        .option('--list [table]', 'list the tables, or the columns of one, and stop'),
    ),
  )
    .addHelpText(
      'after',
      `
Examples:
  xenscope query run.trace 'select label, cause, count(*), max(wait_ns) from waits group by all order by 4 desc'
  xenscope query run.trace 'select * from blame' --format csv
  xenscope query run.trace "copy (select * from runstates) to 'runstates.parquet'"
  xenscope query run.trace --file longest.sql --format json
  xenscope export host1/*.trace host2/*.trace --to parquet -o fleet
  xenscope query fleet 'select host, run, max(wait_ns) from waits group by all'
  xenscope query --list; xenscope query --list waits

Tables are what decode writes; results of analyze are called by their names too: fairness, or analysis.waits where a
table has that name. Only those that the query names are made. Ten queries to start from are in docs/queries.md.`,
    )
    .action(async (trace: string | undefined, sql: string | undefined, options: QueryOptions) => {
      const tables = sqlTables(loadCatalog(options.formats));
      if (options.list === true) return listTables(tables);
      if (options.list !== undefined) return listColumns(tables, options.list);
      if (trace === undefined)
        throw new UserError('usage', 'missing the trace to query', { hint: '- is standard input' });
      const text = queryOf(sql, options.file);
      const isFolder = statSync(trace, { throwIfNoEntry: false })?.isDirectory() === true;
      if (isFolder) refuseOtherFolder(trace, tables);
      const known = isFolder ? tables.map(withPartitions) : tables;
      const scratch = mkdtempSync(join(tmpdir(), 'xenscope-query-'));
      try {
        const database = await TraceDatabase.open(known, scratch);
        try {
          await database.check(text);
          const named = tablesNamedIn(text, known);
          if (isFolder) await attachFolder(database, trace, named);
          else exit(await readTrace(database, trace, named, scratch, options));
          await RESULT_WRITERS[options.format](await database.run(text), print);
        } finally {
          database.close();
        }
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    });
}

function queryOf(sql: string | undefined, file: string | undefined): string {
  if (sql !== undefined && file !== undefined) {
    throw new UserError('usage', 'a query was given twice: as an argument and with --file');
  }
  if (file !== undefined) return readFileSync(file, 'utf8');
  if (sql !== undefined) return sql;
  throw new UserError('usage', 'missing the query', {
    hint: "for example 'select * from waits limit 10'; query --list shows the tables",
  });
}

function withPartitions(table: SqlTable): SqlTable {
  return { ...table, columns: [...table.columns, ...PARTITION_COLUMNS] };
}

/** Fills the tables that a query names. Returns the exit code that the trace asks for. */
async function readTrace(
  database: TraceDatabase,
  path: string,
  tables: readonly SqlTable[],
  scratch: string,
  options: QueryOptions,
): Promise<number> {
  const domainParameters = await domainParametersOf(options);
  const open = tables.some(({ schema }) => schema === 'analysis') ? withAnalyzable : withTrace;
  return open(path, options, 'reading', async (trace) => {
    await loadTables(database, trace, tables, scratch, { domainParameters, windowNs: options.window });
    return exitCodeOf(trace, { tell: true });
  });
}

function listTables(tables: readonly SqlTable[]): void {
  for (const table of tables) {
    const columns = table.columns.map((column) => column.name).join(', ');
    print(
      `${qualifiedName(table)}: ${table.doc.split(/(?<=\.)\s/)[0]}\n${wrapText(columns, TEXT_WIDTH, 4)}\n`,
    );
  }
}

function listColumns(tables: readonly SqlTable[], name: string): void {
  const found = tables.filter((table) => table.name === name || qualifiedName(table) === name);
  if (found.length === 0) {
    const close = closestWord(name, tables.map(qualifiedName));
    throw new UserError('unknown-table', `there is no table "${name}"`, {
      hint: close ? `did you mean "${close}"?` : 'query --list shows all',
    });
  }
  for (const table of found) {
    print(`${qualifiedName(table)}: ${table.doc}\n`);
    const width = (of: 'name' | 'sqlType') => Math.max(...table.columns.map((column) => column[of].length));
    for (const { name: column, sqlType, doc } of table.columns) {
      print(`    ${column.padEnd(width('name'))}  ${sqlType.padEnd(width('sqlType'))}  ${doc}\n`);
    }
  }
}
