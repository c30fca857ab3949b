import { writeIntervalHeader } from './intervals.ts';
import { defaultOptions, type XenalyzeOptions } from './options.ts';
import { writeHelp, writeUsage } from './options-help.ts';
import { OPTIONS, type OptionSpec, type Parsing, USAGE } from './options-table.ts';
import type { TextOutput } from './text-output.ts';

/** The options of a command line, or the code with which the program ends because of it. */
export type ParsedOptions = { readonly options: XenalyzeOptions } | { readonly exitCode: number };

/** What every program has that reads its arguments with the C library's argp; the last two are not in the help. */
const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'help', key: '?', group: 0, help: '', take: ({ stdout }) => writeHelp(stdout) },
  { name: 'usage', group: 0, help: '', take: ({ stdout }) => writeUsage(stdout) },
  { name: 'program-name', argument: 'NAME', group: 0, help: '', take: () => undefined },
  { name: 'HANG', group: 0, help: '', take: () => undefined },
];
const ALL_OPTIONS: readonly OptionSpec[] = [...OPTIONS, ...COMMON_OPTIONS];

/**
 * Reads a command line, without the name of the program, as the real xenalyze does: short options in groups, long ones
 * abbreviated, arguments behind or among the options. Prints what is to be printed meanwhile: help, what is wrong, the
 * lines of some options, the head of interval lines. Options that come without exit code name a trace file.
 */
export function parseXenalyzeOptions(
  argv: readonly string[],
  stdout: TextOutput,
  stderr: TextOutput,
): ParsedOptions {
  const options = defaultOptions();
  const parsing: Parsing = { options, outputDefined: false, intervalMs: 1000, stdout, stderr };
  const exitCode = takeOptions(parsing, argv) ?? finish(parsing);
  return exitCode === undefined ? { options } : { exitCode };
}

/** Takes all options, then the trace file. */
function takeOptions(parsing: Parsing, argv: readonly string[]): number | undefined {
  const files: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i];
    if (argument === '--') {
      files.push(...argv.slice(i + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      files.push(argument);
      continue;
    }
    const takeOne = argument.startsWith('--') ? takeLong : takeShort;
    const taken = takeOne(parsing, argument, argv[i + 1]);
    if (taken.exitCode !== undefined) return taken.exitCode;
    if (taken.usedNext) i++;
  }
  parsing.options.traceFile = files[0];
  return files.length > 1 ? explainUsage(parsing.stderr) : undefined;
}

interface Taken {
  readonly exitCode?: number | undefined;
  readonly usedNext?: boolean;
}

function takeLong(parsing: Parsing, argument: string, next: string | undefined): Taken {
  const { stderr } = parsing;
  const equals = argument.indexOf('=');
  const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
  const given = equals < 0 ? undefined : argument.slice(equals + 1);
  const candidates = candidatesOf(name);
  const [option] = candidates;
  if (candidates.length > 1) {
    const names = candidates.map((candidate) => ` '--${candidate.name}'`).join('');
    return refuse(stderr, `option '${argument}' is ambiguous; possibilities:${names}`);
  }
  if (option === undefined) return refuse(stderr, `unrecognized option '--${name}'`);
  if (option.argument === undefined) {
    if (given !== undefined && option.name !== 'HANG')
      return refuse(stderr, `option '--${option.name}' doesn't allow an argument`);
    return { exitCode: take(parsing, option, '') };
  }
  const value = given ?? next;
  if (value === undefined) return refuse(stderr, `option '--${option.name}' requires an argument`);
  return { exitCode: take(parsing, option, value), usedNext: given === undefined };
}

/** The option of that name, or else all that an abbreviation may mean. */
function candidatesOf(name: string): readonly OptionSpec[] {
  const exact = ALL_OPTIONS.filter((option) => option.name === name);
  if (exact.length > 0) return exact;
  return ALL_OPTIONS.filter((option) => option.ours !== true && option.name.startsWith(name));
}

/** A group of letters; what follows one that needs an argument is its argument. */
function takeShort(parsing: Parsing, argument: string, next: string | undefined): Taken {
  for (let i = 1; i < argument.length; i++) {
    const letter = argument[i];
    const option = ALL_OPTIONS.find(({ key }) => key === letter);
    if (option === undefined) return refuse(parsing.stderr, `invalid option -- '${letter}'`);
    if (option.argument !== undefined) {
      const rest = argument.slice(i + 1);
      const value = rest === '' ? next : rest;
      if (value === undefined) return refuse(parsing.stderr, `option requires an argument -- '${letter}'`);
      return { exitCode: take(parsing, option, value), usedNext: rest === '' };
    }
    const exitCode = take(parsing, option, '');
    if (exitCode !== undefined) return { exitCode };
  }
  return {};
}

function take(parsing: Parsing, option: OptionSpec, argument: string): number | undefined {
  const exitCode = option.take(parsing, argument);
  return exitCode === USAGE ? explainUsage(parsing.stderr) : exitCode;
}

const SEE_HELP = "Try `xenalyze --help' or `xenalyze --usage' for more information.\n";

function refuse(stderr: TextOutput, why: string): Taken {
  stderr.text(`xenalyze: ${why}\n${SEE_HELP}`);
  return { exitCode: USAGE };
}

function explainUsage(stderr: TextOutput): number {
  stderr.text(`Usage: xenalyze [OPTION...] [trace file]\n${SEE_HELP}`);
  return USAGE;
}

/** What depends on several options; the head of the lines of intervals comes before the trace is opened. */
function finish({ options, outputDefined, intervalMs, stdout, stderr }: Parsing): number | undefined {
  if (options.interval !== undefined) {
    const cycles = BigInt.asIntN(64, BigInt(intervalMs) * BigInt(options.cpuHz)) / 1000n;
    options.interval = { ...options.interval, cycles: Number(BigInt.asUintN(64, cycles)) };
    writeIntervalHeader(options.interval, stdout);
  }
  if (!outputDefined) {
    stderr.text('No output defined, using summary.\n');
    options.summary = true;
    options.summaryInfo = true;
  }
  stderr.printf('Using %s hardware-assisted virtualization.\n', options.svmMode ? 'SVM' : 'VMX');
  return options.traceFile === undefined ? 1 : undefined;
}
