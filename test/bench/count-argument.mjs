import { relative } from 'node:path';

/**
 * An argument of a script that says how many of something.
 *
 * @param {string | undefined} word
 * @param {number} byDefault
 * @returns {number} Where the word is no such number, the script ends, and says where it tells what it takes.
 */
export function countArgument(word, byDefault) {
  const count = Number(word ?? byDefault);
  if (Number.isInteger(count) && count > 0) return count;
  const script = relative(process.cwd(), process.argv[1]);
  console.error(`"${word}" is no whole number above 0: the head of ${script} tells what it takes`);
  return process.exit(2);
}
