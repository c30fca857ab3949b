import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { reasonOf } from '../format/definition-file.ts';

/** How the records of an event are shown. */
export interface Rule {
  /** What Python's `%` operator is given, a character a byte. */
  readonly format: string;
  /** For messages. */
  readonly place: string;
}

/** The event id of the rule for all events that have none of their own. */
export const DEFAULT_RULE = 0;

/**
 * Reads a definitions file: see {@link parseRules}.
 *
 * @throws UserError where it cannot be read, or as parseRules does.
 */
export function readRules(file: string): Map<number, Rule> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UserError('definitions-unreadable', `cannot read ${file}: ${reasonOf(error)}`);
  }
  if (isTrace(bytes)) {
    throw new UserError('definitions-are-a-trace', `${file} is a trace, not a file of definitions`, {
      hint: `with those that xenscope has: xenscope format - ${file}`,
    });
  }
  return parseRules(bytes.toString('latin1'), file);
}

/**
 * Rules by event id, one a line: `EVENT_ID FORMAT`. Empty lines and those that begin with `#` are passed over; of
 * several rules for an event the last one holds.
 *
 * @param text a character a byte.
 * @throws UserError bad-rule with the line.
 */
export function parseRules(text: string, file: string): Map<number, Rule> {
  const rules = new Map<number, Rule>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const position = { file, line: index + 1, column: 1 };
    // Python's white space, which knows bytes only.
    const match = /^([^ \t\r\f\v]+)[ \t\r\f\v]+([^ \t\r\f\v].*)$/s.exec(line);
    if (!match) {
      const hint = 'each line is an event id, white space and a format, or begins with #';
      throw new UserError('bad-rule', 'Bad format file', { position, hint });
    }
    const event = parseInteger(match[1]);
    if (event === undefined) {
      const hint = 'for example 0x00028004';
      throw new UserError('bad-rule', `"${match[1]}" is no event id`, { position, hint });
    }
    rules.set(event, { format: match[2], place: `${file}:${index + 1}` });
  }
  return rules;
}

/** An integer as Python 2 reads them: `0x1F`, `010` and `0o10` in octal, `0b1`, with an `L` at the end or not. */
function parseInteger(text: string): number | undefined {
  const word = text.replace(/l$/i, '').toLowerCase();
  if (/^0[0-7]+$/.test(word)) return Number.parseInt(word, 8);
  return /^(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0|[1-9]\d*)$/.test(word) ? Number(word) : undefined;
}

/** A trace begins with a window header (xentrace) or as gzip does. */
function isTrace(bytes: Uint8Array): boolean {
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return gzip || (bytes[0] === 0x03 && bytes[1] === 0xf0 && bytes[2] === 0x01);
}
