import { Command } from 'commander';
import { VERBS } from './verbs.ts';
import { VERSION } from './version.ts';

interface ProgramOptions {
  /** Behind the list of verbs. */
  readonly examples: string;
  /** Verbs that are loaded; of the others only the summary is there. */
  readonly isWanted: (name: string) => boolean;
  readonly exit: (code: number) => void;
}

/** Makes the command line from the table of verbs. */
export async function createProgram({ examples, isWanted, exit }: ProgramOptions): Promise<Command> {
  const program = new Command('xenscope')
    .description('Record, decode and analyse Xen scheduler traces, of real hosts and of simulated ones.')
    .version(VERSION)
    .showHelpAfterError('(xenscope --help lists what there is)')
    .showSuggestionAfterError(true)
    .exitOverride()
    .addHelpText('after', examples);
  const whole = () => createProgram({ examples, isWanted: () => true, exit: () => {} });
  for (const [name, { summary, load }] of Object.entries(VERBS)) {
    const verb = program
      .command(name)
      .summary(summary)
      .description(summary)
      .showHelpAfterError(`(xenscope ${name} --help lists what it takes)`);
    if (!isWanted(name)) continue;
    const { define } = await load();
    define(verb, exit, whole);
  }
  return program;
}
