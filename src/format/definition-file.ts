import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { checkClass } from './definition-checks.ts';
import type { ClassSource } from './definition-sources.ts';
import { DefinitionText } from './definition-text.ts';

/**
 * A user's definitions (`--formats FILE`), JSON or YAML, of the shape of the files in `formats/`.
 *
 * @param others the classes that are defined already; the file may add to them or replace parts of them.
 * @throws UserError that names file, line and column of every mistake.
 */
export function readDefinitionFile(file: string, others: readonly ClassSource[]): ClassSource {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError('definitions-unreadable', `cannot read ${file}: ${reasonOf(error)}`);
  }
  return parseDefinitions(text, file, others);
}

/** The same from the text; `file` is for messages only. */
export function parseDefinitions(text: string, file: string, others: readonly ClassSource[]): ClassSource {
  const source = new DefinitionText(text, file);
  const root = source.root();
  const checked = root && checkClass(root, source, others);
  source.throwIfAny();
  return checked!;
}

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return code ?? 'it cannot be opened';
}
