/**
 * The texts of `--help` and `--usage`, laid out as the C library's argp does.
 * @module
 */
import { OPTIONS, type OptionSpec } from './options-table.ts';
import type { TextOutput } from './text-output.ts';

const WIDTH = 79;
/** Columns of long options, and of what they do. */
const LONG_COLUMN = 6;
const HELP_COLUMN = 29;
const USAGE_COLUMN = 12;
const TRACE_FILE = '[trace file]';

type Shown = Pick<OptionSpec, 'name' | 'key' | 'argument' | 'help'>;

const COMMON: readonly Shown[] = [
  { name: 'help', key: '?', help: 'Give this help list' },
  { name: 'usage', help: 'Give a short usage message' },
];
/** By group; within one by the first letter, where a sign comes first and short options come last. */
const SHOWN: readonly Shown[] = [
  ...[...OPTIONS].sort(
    (a, b) =>
      a.group - b.group ||
      compare(initial(a), initial(b)) ||
      Number(a.key !== undefined) - Number(b.key !== undefined) ||
      compare(a.name, b.name),
  ),
  ...COMMON,
];

function initial({ key, name }: OptionSpec): string {
  return key ?? name[0];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Prints what the options are; gives the exit code. */
export function writeHelp(out: TextOutput): number {
  out.text(`Usage: xenalyze [OPTION...] ${TRACE_FILE}\n\n`);
  for (const option of SHOWN) out.text(helpOf(option));
  out.text('\nMandatory or optional arguments to long options are also mandatory or optional\n');
  out.text('for any corresponding short options.\n');
  out.text('\nReport bugs to George Dunlap <george.dunlap@eu.citrix.com>.\n');
  return 0;
}

function helpOf({ name, key, argument, help }: Shown): string {
  const short = key === undefined ? '' : `  -${key}, `;
  const head = `${short.padEnd(LONG_COLUMN)}--${name}${argument === undefined ? '' : `=${argument}`}`;
  const margin = ' '.repeat(HELP_COLUMN);
  let start = head.padEnd(HELP_COLUMN);
  if (head.length > HELP_COLUMN + 3) start = `${head}\n${margin}`;
  else if (head.length >= HELP_COLUMN) start = `${head}   `;
  const room = WIDTH - HELP_COLUMN;
  const lines = wrap(help, WIDTH - Math.max(HELP_COLUMN, start.length - start.lastIndexOf('\n') - 1), room);
  // A last line that is exactly full is followed by an empty one.
  const rest = lines.at(-1)?.length === room ? `${margin.slice(1)}\n` : '';
  return `${start}${lines.join(`\n${margin}`)}\n${rest}`;
}

/** Lines of at most `width` columns, the first of `first`; of two spaces where a line ends, one begins the next. */
function wrap(text: string, first: number, width: number): string[] {
  if (text.length <= first) return [text];
  const space = text.lastIndexOf(' ', first);
  return [text.slice(0, space).trimEnd(), ...wrap(text.slice(space + 1), width, width)];
}

/** Prints how xenalyze is called; gives the exit code. */
export function writeUsage(out: TextOutput): number {
  const short = SHOWN.filter(({ key }) => key !== undefined);
  const flags = short.filter(({ argument }) => argument === undefined).map(({ key }) => key);
  const items = [
    `[-${flags.join('')}]`,
    ...short.flatMap(({ key, argument }) => (argument === undefined ? [] : [`[-${key} ${argument}]`])),
    ...SHOWN.map(({ name, argument }) => `[--${name}${argument === undefined ? '' : `=${argument}`}]`),
    TRACE_FILE,
  ];
  let line = 'Usage: xenalyze';
  for (const item of items) {
    if (line.length + item.length + 1 > WIDTH) {
      out.text(`${line}\n`);
      line = ' '.repeat(USAGE_COLUMN) + item;
    } else line += ` ${item}`;
  }
  out.text(`${line}\n`);
  return 0;
}
