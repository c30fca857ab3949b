import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../base/errors.ts';
import type { Exporter, ExportPlace } from '../export/index.ts';
import { addFairnessOptions, domainParametersOf, type FairnessOptions } from './fairness-options.ts';
import { print } from './output.ts';
import { exitCodeOf, type TraceOptions, withTrace } from './trace-options.ts';

export interface FolderOptions extends TraceOptions, FairnessOptions {
  readonly host?: string;
  readonly run?: string;
  readonly start?: number;
  readonly end?: number;
}

/** Adds the options of forms that are a folder. */
export function addFolderOptions(verb: Command): Command {
  return addFairnessOptions(
    verb
      .option(
        '--host <name>',
        'parquet: where the traces were recorded; unless given, the name of the folder that a trace is in',
      )
      .option('--run <name>', 'parquet: which recording it is; unless given, the name of the file'),
  );
}

/** Writes traces, one after the other, below one folder, and tells the files. */
export async function exportToFolder(
  form: Extract<Exporter, { kind: 'folder' }>,
  traces: readonly string[],
  options: FolderOptions,
  folder: string,
  exit: (code: number) => void,
): Promise<void> {
  if (options.start !== undefined || options.end !== undefined) {
    throw new UserError('usage', 'a folder of tables takes whole traces, without --start and --end');
  }
  const places = placesOf(traces, options);
  const domainParameters = await domainParametersOf(options);
  const { exportTrace } = await form.load();
  for (const [path, place] of places) {
    await withTrace(path, options, 'exporting', async (trace) => {
      const more = { domainParameters, windowNs: options.window };
      for (const file of await exportTrace(trace, folder, place, more)) {
        print(`${file}  ${statSync(file).size} bytes\n`);
      }
      exit(exitCodeOf(trace, { tell: true }));
    });
  }
}

/** @throws UserError where two traces would be written to the same place. */
function placesOf(
  traces: readonly string[],
  { host, run }: Pick<FolderOptions, 'host' | 'run'>,
): Map<string, ExportPlace> {
  const places = new Map<string, ExportPlace>();
  const taken = new Map<string, string>();
  for (const path of traces) {
    const place = { host: host ?? hostOf(path), run: run ?? runOf(path) };
    const key = join(place.host, place.run);
    const other = taken.get(key);
    if (other !== undefined) {
      throw new UserError(
        'usage',
        `${other} and ${path} would both be host ${place.host}, run ${place.run}`,
        {
          hint: 'export each on its own, with --host and --run',
        },
      );
    }
    taken.set(key, path);
    places.set(path, place);
  }
  return places;
}

function hostOf(path: string): string {
  if (path === '-') throw nameless('--host');
  return basename(dirname(resolve(path))) || 'root';
}

function runOf(path: string): string {
  if (path === '-') throw nameless('--run');
  return basename(path).replace(/(\.trace)?(\.gz)?$/, '') || basename(path);
}

function nameless(option: string): UserError {
  return new UserError('usage', `standard input has no name: ${option} is missing`, {
    hint: 'tables are kept by host and run',
  });
}
