import type { Command } from 'commander';
import { type CommandReference, describeCommands, type VerbReference } from './command-reference.ts';
import { print } from './output.ts';
import { VERSION } from './version.ts';

/** `xenscope man`: the manual page, made from the verbs and their options. */
export function define(verb: Command, _exit: (code: number) => void, whole: () => Promise<Command>): void {
  verb
    .addHelpText(
      'after',
      `
Examples:
  xenscope man | man -l -
  xenscope man > /usr/local/share/man/man1/xenscope.1`,
    )
    .action(async () => print(manualPage(describeCommands(await whole()))));
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['NO_COLOR', 'If it is not empty, no colours are used (no-color.org).'],
  ['TMPDIR', 'Where the part of a stream goes that does not fit in memory; /tmp unless given.'],
  ['XENSCOPE_DEBUG', 'If it is set, an internal error is told with its stack.'],
];
const EXIT_CODES: readonly (readonly [string, string])[] = [
  ['0', 'Done.'],
  ['1', 'The trace was damaged, but what could be read was reported.'],
  ['2', 'Wrong usage or input.'],
];

/** The page in roff, by the macros of man(7). */
function manualPage({ description, verbs, remarks }: CommandReference): string {
  const [summary] = description.split('. ');
  return [
    `.TH XENSCOPE 1 "" "xenscope ${roff(VERSION)}" "User Commands"`,
    '.SH NAME',
    `xenscope \\- ${roff(summary!.replace(/\.$/, '').replace(/^./, (letter) => letter.toLowerCase()))}`,
    '.SH SYNOPSIS',
    ...verbs.flatMap(({ name, usage }) => ['.br', `.B xenscope ${roff(name)}`, roff(usage)]),
    '.SH DESCRIPTION',
    roff(description),
    'A trace is a path, or - for standard input; plain or gzip.',
    '.SH VERBS',
    ...verbs.flatMap(verbSection),
    '.SH EXIT STATUS',
    ...definitions(EXIT_CODES),
    '.SH ENVIRONMENT',
    ...definitions(ENVIRONMENT),
    '.SH EXAMPLES',
    ...literal(remarks.replace(/^Examples:\n/, '').replace(/\n\nExit codes:.*$/s, '')),
    '.SH SEE ALSO',
    '.BR xentrace (8),',
    '.BR xenalyze (1),',
    '.BR xl (1)',
    '',
  ].join('\n');
}

function verbSection({ name, summary, usage, arguments: own, options, remarks }: VerbReference): string[] {
  return [
    `.SS "xenscope ${roff(name)} ${roff(usage)}"`,
    roff(`${summary.replace(/^./, (letter) => letter.toUpperCase())}.`),
    ...definitions(own.map(({ name: argument, doc }) => [argument, doc])),
    ...definitions(options.map(({ flags, doc }) => [flags, doc])),
    ...(remarks === '' ? [] : ['.PP', ...literal(remarks)]),
  ];
}

/** Terms with what is to say of each. */
function definitions(pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.flatMap(([term, text]) => ['.TP', `.B ${roff(term)}`, roff(text)]);
}

/** Lines that stay as they are. */
function literal(text: string): string[] {
  return ['.nf', ...text.split('\n').map(roff), '.fi'];
}

/** Text as roff takes it: no escapes, no requests, a real minus, plain quotes. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
    .replaceAll('’', '\\(aq')
    .replace(/^\./, '\\&.');
}
