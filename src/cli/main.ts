#!/usr/bin/env node
/**
 * The command line's entry. It knows the verbs' names and one line about each; a verb's own file, with its
 * options and everything that it needs, is loaded only when that verb is called, so that `--help` answers at
 * once.
 * @module
 */
import { CommanderError } from 'commander';
import { collectBeforeExit } from '../base/collect-before-exit.ts';
import { UserError } from '../base/errors.ts';
import { EXIT } from './exit.ts';
import { flushOutput } from './output.ts';
import { createProgram } from './program.ts';

const EXAMPLES = `
Examples:
  xenscope record samples/busy-host.yaml -o run.trace   simulate a host and record it as xentrace would
  xenscope taskset -u 0.7 -n 8 -o set.yaml          a task set, and the scenario in which a guest runs it
  xenscope info run.trace                           what is in the file, how far to trust it
  xenscope analyze run.trace                        who waited, how fair it was, which deadlines were missed
  ssh dom0 xentrace -D /dev/stdout | xenscope top   what a host is doing now
  xenscope report run.trace -o report.html          one page to look into it
  xenscope compare samples/busy-host.yaml --schedulers credit,credit2      which is better, and how surely
  xenscope decode run.trace -o tables               Arrow files for a notebook
  ssh dom0 xentrace -D -T 10 /dev/stdout | xenscope analyze -      straight from a host

Exit codes: 0 done, 1 the trace was damaged but what could be read was reported, 2 wrong usage or input.`;

async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const called = argv.find((word) => !word.startsWith('-'));
  const program = await createProgram({
    examples: EXAMPLES,
    isWanted: (name) => called === name || (called === 'help' && argv.includes(name)),
    exit: (code) => {
      exitCode = Math.max(exitCode, code);
    },
  });
  await program.parseAsync(argv as string[], { from: 'user' });
  return exitCode;
}

/** Turns whatever ended the run into one sentence on standard error and an exit code; never into a stack. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof UserError) {
    process.stderr.write(`xenscope: ${error.message}\n`);
    return EXIT.usage;
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EPIPE') return EXIT.done;
  if (code !== undefined && typeof (error as NodeJS.ErrnoException).syscall === 'string') {
    process.stderr.write(`xenscope: ${(error as Error).message}\n`);
    return EXIT.usage;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = process.env.XENSCOPE_DEBUG && error instanceof Error ? `\n${error.stack}` : '';
  process.stderr.write(
    `xenscope: internal error: ${text} (a bug in xenscope: please report it with the command line; ` +
      `XENSCOPE_DEBUG=1 shows where)${stack}\n`,
  );
  return EXIT.usage;
}

// Help is written by a stream, whose reader may go away too: `--help | head`.
process.stdout.on('error', (error) => process.exit(explain(error)));
// The ways out that end at once; the other one waits for the compilers before it tells that it exits.
process.on('exit', collectBeforeExit);
const code = await main(process.argv.slice(2)).catch(explain);
process.exitCode = Math.max(code, flush());
collectBeforeExit();
process.off('exit', collectBeforeExit);

/** Writes what is left to write: a full disk may show only now. */
function flush(): number {
  try {
    flushOutput();
    return EXIT.done;
  } catch (error) {
    return explain(error);
  }
}
