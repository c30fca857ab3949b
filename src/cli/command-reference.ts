/**
 * The command line as data, read from the verbs themselves: what completion and the manual page are made from, so that
 * a verb or an option is said once.
 * @module
 */
import type { Argument, Command, Option } from 'commander';

/** What may stand in a place of the command line. */
export type Value =
  | { readonly kind: 'none' | 'file' | 'folder' | 'other' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

export interface OptionReference {
  /** As commander has them: `-o, --output <file>`. */
  readonly flags: string;
  /** With their dashes: `-o`, `--output`. */
  readonly names: readonly string[];
  readonly doc: string;
  readonly value: Value;
  /** May stand without its value. */
  readonly isValueOptional: boolean;
}

export interface ArgumentReference {
  readonly name: string;
  readonly doc: string;
  readonly value: Value;
}

export interface VerbReference {
  readonly name: string;
  readonly summary: string;
  /** What follows the verb: `[options] <trace>`. */
  readonly usage: string;
  readonly arguments: readonly ArgumentReference[];
  readonly options: readonly OptionReference[];
  /** What its help says behind the options: examples first of all. */
  readonly remarks: string;
}

export interface CommandReference {
  readonly description: string;
  readonly verbs: readonly VerbReference[];
  /** Of the program itself. */
  readonly remarks: string;
}

/** Reads the whole command line; all verbs must be loaded. */
export function describeCommands(program: Command): CommandReference {
  return {
    description: program.description(),
    verbs: program.commands.map(describeVerb),
    remarks: remarksOf(program),
  };
}

function describeVerb(verb: Command): VerbReference {
  const { options, registeredArguments } = verb;
  return {
    name: verb.name(),
    summary: verb.summary(),
    usage: verb.usage(),
    arguments: registeredArguments.map((argument) => ({
      name: argument.name(),
      doc: docOf(argument),
      value: valueFor(argument.name(), argument.argChoices),
    })),
    options: [...options, verb.createOption('-h, --help', 'display help for command')]
      .filter(({ hidden }) => !hidden)
      .map(describeOption),
    remarks: remarksOf(verb),
  };
}

function describeOption(option: Option): OptionReference {
  const takes = /[<[]([^>\]]+?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1];
  return {
    flags: option.flags,
    names: [option.short, option.long].filter((name) => name !== undefined),
    doc: docOf(option),
    value: takes === undefined ? { kind: 'none' } : valueFor(takes, option.argChoices),
    isValueOptional: option.optional,
  };
}

/** What is said of it, with its choices and its default. */
function docOf(what: Option | Argument): string {
  const { description, argChoices, defaultValue, defaultValueDescription } = what;
  const hasDefault = defaultValue !== undefined && typeof defaultValue !== 'boolean' && defaultValue !== '';
  const more = [
    ...(argChoices === undefined ? [] : [argChoices.join(', ')]),
    ...(hasDefault ? [`default: ${defaultValueDescription ?? defaultValue}`] : []),
  ];
  return more.length === 0 ? description : `${description} (${more.join('; ')})`;
}

/** What people write for a placeholder such as `file`, by its name. */
function valueFor(placeholder: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'choice', choices };
  if (/folder/i.test(placeholder)) return { kind: 'folder' };
  return { kind: /file|trace|scenario|arguments/i.test(placeholder) ? 'file' : 'other' };
}

/** What a command's help says behind everything that commander makes itself. */
function remarksOf(command: Command): string {
  let text = '';
  const writeOut = (piece: string) => {
    text += piece;
  };
  const output = command.configureOutput();
  command.configureOutput({ ...output, writeOut }).outputHelp();
  command.configureOutput(output);
  return text.slice(command.helpInformation().length).trim();
}
