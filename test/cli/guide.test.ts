import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const root = resolve(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/guide.md'), 'utf8');
/** Each command of the guide that is to be tried, and the lines that it is said to print. */
const examples = [...guide.matchAll(/```console\n\$ xenscope (.*)\n([\s\S]*?)```/g)].map(
  ([, command, output]) => ({ command: command!, output: output!.trim().split('\n') }),
);

/** The words of a command line; those in double quotes are one. */
function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

describe('docs/guide.md', () => {
  test.each(examples)('xenscope $command', ({ command, output }) => {
    const paths = words(command).map((word) => (word.startsWith('samples/') ? join(root, word) : word));
    const { stdout, status } = runCli(paths);
    expect(status).toBe(0);
    const printed = stdout.replaceAll(`${root}/`, '').split('\n');
    let at = 0;
    for (const line of output) {
      if (line === '...') continue;
      const found = printed.indexOf(line, at);
      expect(found, line).toBeGreaterThanOrEqual(at);
      at = found + 1;
    }
  });

  test('has such commands', () => expect(examples.length).toBeGreaterThan(6));
});
