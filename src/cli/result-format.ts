import { Option } from 'commander';
import { UserError } from '../base/errors.ts';

/** How a verb prints a result. */
export type ResultFormat = 'text' | 'json' | 'csv' | 'arrow';

/** `--format`, the same in every verb that prints a result. */
export function formatOption(docs = 'for people, or for programs'): Option {
  return new Option('-f, --format <format>', docs).choices(['text', 'json', 'csv', 'arrow']).default('text');
}

/** Arrow is not for a terminal. */
export function refuseTerminal(format: ResultFormat): void {
  if (format === 'arrow' && process.stdout.isTTY) {
    throw new UserError('usage', 'Arrow is binary and would garble the terminal', {
      hint: 'redirect the output to a file or a program',
    });
  }
}
