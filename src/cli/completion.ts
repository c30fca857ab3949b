import { Argument, type Command } from 'commander';
import { describeCommands } from './command-reference.ts';
import { completionScripts, type Shell } from './completion-scripts.ts';
import { print } from './output.ts';

/** `xenscope completion`: a script for a shell, made from the verbs and their options. */
export function define(verb: Command, _exit: (code: number) => void, whole: () => Promise<Command>): void {
  verb
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(completionScripts)))
    .addHelpText(
      'after',
      `
Examples:
  eval "$(xenscope completion bash)"                                in ~/.bashrc
  eval "$(xenscope completion zsh)"                                 in ~/.zshrc, after compinit
  xenscope completion fish > ~/.config/fish/completions/xenscope.fish`,
    )
    .action(async (shell: Shell) => {
      print(completionScripts[shell](describeCommands(await whole())));
    });
}
