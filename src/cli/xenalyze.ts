import type { Command } from 'commander';
import { descriptorSink, runXenalyze } from '../xenalyze/index.ts';
import { createProgress } from './progress-bar.ts';

/** `xenscope xenalyze`: xenalyze's own options, which commander does not look at. */
export function define(verb: Command, exit: (code: number) => void): void {
  verb
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .passThroughOptions()
    .argument('[arguments...]', 'as those of xenalyze: see xenscope xenalyze --help')
    .action(async (argv: readonly string[]) => {
      const progress = createProgress('reading');
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
