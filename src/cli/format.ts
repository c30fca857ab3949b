import { type Command, InvalidArgumentError } from 'commander';
import { UserError } from '../base/errors.ts';
import { DiagnosticLog } from '../decoder/index.ts';
import { loadCatalog } from '../format/index.ts';
import { TextOutput } from '../xenalyze/text-output.ts';
import {
  definitionsText,
  formatInFileOrder,
  formatInTimeOrder,
  parseRules,
  RecordPrinter,
  type Rule,
  readRules,
} from '../xentrace-format/index.ts';
import { createProgress, printBytes } from './output.ts';
import { addFormatsOption, exitCodeOf, TRACE_ARGUMENT, withTrace } from './trace-options.ts';

/** Stands for the definitions that xenscope makes. */
const OWN_DEFINITIONS = '-';

interface FormatOptions {
  readonly c?: number;
  readonly sort: 'time' | 'file';
  readonly formats?: string[];
  readonly printDefs?: true;
}

/** `xenscope format`: xentrace_format's arguments, and a few more. */
export function define(verb: Command, exit: (code: number) => void): void {
  addFormatsOption(
    verb
      .argument(
        '[defs]',
        'a definitions file as xentrace_format reads them; - (the default): made from what xenscope knows',
        OWN_DEFINITIONS,
      )
      .argument('[trace]', TRACE_ARGUMENT, '-')
      .option('-c <mhz>', 'frequency of the TSC: %(tsc) is then in seconds', parseMhz)
      .option('--sort <order>', 'file: as the records lie in the file; time: across pCPUs', parseSort, 'file')
      .option('--print-defs', 'print the definitions that xenscope makes, and no trace'),
  )
    .addHelpText(
      'after',
      `
Examples:
  xenscope format my-formats < run.trace               as xentrace_format does
  xenscope format - run.trace --sort time | less       every record that xenscope knows, in time order
  xenscope format --print-defs > my-formats            definitions to start from
  ssh dom0 xentrace -D /dev/stdout | xenscope format   as it comes

What is different from xentrace_format: docs/xentrace-format.md.`,
    )
    .action(async (defs: string, trace: string, options: FormatOptions) => {
      if (options.printDefs) {
        printBytes(Buffer.from(ownDefinitions(options)));
        return;
      }
      exit(await format(trace, rulesOf(defs, options), options));
    });
}

async function format(
  path: string,
  rules: Map<number, Rule>,
  { c = 0, sort }: FormatOptions,
): Promise<number> {
  const log = new DiagnosticLog();
  const out = new TextOutput(printBytes);
  const printer = new RecordPrinter(rules, c, out, log);
  if (sort === 'file') {
    const progress = createProgress('formatting');
    try {
      await formatInFileOrder(path, printer, progress.update);
    } finally {
      progress.done();
      out.flush();
    }
    return exitCodeOf({ diagnostics: () => log.rows() }, { tell: true });
  }
  return withTrace(path, {}, 'formatting', (reader) => {
    try {
      formatInTimeOrder(reader, printer);
    } finally {
      out.flush();
    }
    return exitCodeOf({ diagnostics: () => [...reader.diagnostics(), ...log.rows()] }, { tell: true });
  });
}

function rulesOf(defs: string, options: FormatOptions): Map<number, Rule> {
  if (defs === OWN_DEFINITIONS) return parseRules(ownDefinitions(options), '(xenscope)');
  if (options.formats !== undefined) {
    throw new UserError('usage', `--formats adds to the definitions that xenscope makes, not to ${defs}`, {
      hint: 'give - instead of the file, or add the rules to it',
    });
  }
  return readRules(defs);
}

function ownDefinitions({ formats }: FormatOptions): string {
  return definitionsText(loadCatalog(formats));
}

function parseMhz(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of MHz.');
}

function parseSort(text: string): 'time' | 'file' {
  if (text === 'time' || text === 'file') return text;
  throw new InvalidArgumentError('expected time or file.');
}
