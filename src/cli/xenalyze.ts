import type { Command } from 'commander';
import { descriptorSink, runXenalyze } from '../xenalyze/index.ts';
import { createProgressBar } from './progress-bar.ts';

const EXAMPLES = `
Examples:
  xenscope xenalyze --cpu-hz=3.5G --summary run.trace   what each domain and vCPU did
  xenscope xenalyze -a run.trace                        every record as a line
  xenscope xenalyze --help                              all options, which are those of xenalyze`;

/** `xenscope xenalyze`: xenalyze's own options, which commander does not look at. */
export function define(verb: Command, exit: (code: number) => void): void {
  verb
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[arguments...]', 'as those of xenalyze: see xenscope xenalyze --help')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      // As they were given: commander would take `--` away.
      const argv = process.argv.slice(process.argv.indexOf(verb.name(), 2) + 1);
      const progress = createProgressBar('reading');
      try {
        exit(
          await runXenalyze(argv, {
            stdout: descriptorSink(1),
            stderr: descriptorSink(2),
            onProgress: (done, total) => progress.update(done, total),
          }),
        );
      } finally {
        progress.done();
      }
    });
}
