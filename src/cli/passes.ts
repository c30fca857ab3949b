import { InvalidArgumentError } from 'commander';
import { type Analysis, analyses } from '../analysis/index.ts';
import { closestWord } from '../base/closest-word.ts';
import { repeatable } from './arguments.ts';

/** The names of all passes, as help texts and errors list them. */
export const PASS_NAMES = analyses.map(({ name }) => name).join(', ');

const gather = repeatable(parsePasses);

/** Lists of passes by name, `waits,blame`, added up: a pass that is named again runs once all the same. */
export function gatherPasses(text: string, earlier?: readonly Analysis[]): Analysis[] {
  return [...new Set(gather(text, earlier))];
}

function parsePasses(text: string): Analysis[] {
  return text.split(',').map((word) => {
    const name = word.trim();
    const found = analyses.find((analysis) => analysis.name === name);
    if (found !== undefined) return found;
    const close = closestWord(
      name,
      analyses.map((analysis) => analysis.name),
    );
    throw new InvalidArgumentError(
      `"${name}" is no pass; ${close ? `did you mean "${close}"?` : `there are ${PASS_NAMES}.`}`,
    );
  });
}
