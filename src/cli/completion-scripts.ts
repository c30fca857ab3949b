/**
 * Scripts that complete the command line in a shell: verbs, options, the values of options that have a choice, files.
 * @module
 */
import type { CommandReference, OptionReference, Value, VerbReference } from './command-reference.ts';

/** The program's own options. */
const PROGRAM_OPTIONS = ['--help', '--version'];

function bash({ verbs }: CommandReference): string {
  const values = verbs.flatMap(({ name, options }) =>
    options
      .filter(({ value }) => value.kind !== 'none')
      .map((option) => {
        const words = option.names.map((flag) => `'${name} ${flag}'`);
        return `    ${words.join('|')}) ${bashValue(option.value)} ;;`;
      }),
  );
  const ofVerb = verbs.map(({ name, options, arguments: own }) => {
    const names = options.flatMap((option) => option.names).join(' ');
    const statement = bashValue(own[0]?.value ?? { kind: 'other' });
    return `    ${name}) options='${names}'; [[ $cur == -* ]] || ${statement} ;;`;
  });
  return `# Completes xenscope in bash: eval "$(xenscope completion bash)"
_xenscope() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} verb='' options='' word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    if [[ $word != -* ]]; then verb=$word; break; fi
  done
  if [[ -z $verb ]]; then
    COMPREPLY=($(compgen -W '${[...verbs.map(({ name }) => name), 'help', ...PROGRAM_OPTIONS].join(' ')}' -- "$cur"))
    return
  fi
  if [[ $verb == help ]]; then
    COMPREPLY=($(compgen -W '${verbs.map(({ name }) => name).join(' ')}' -- "$cur"))
    return
  fi
  local values=yes
  case "$verb $prev" in
${values.join('\n')}
    *) values=no ;;
  esac
  [[ $values == yes ]] && return
  case $verb in
${ofVerb.join('\n')}
  esac
  [[ $cur == -* ]] && COMPREPLY=($(compgen -W "$options" -- "$cur"))
}
complete -F _xenscope xenscope
`;
}

/** Statements that complete a value. */
function bashValue(value: Value): string {
  switch (value.kind) {
    case 'choice':
      return `COMPREPLY=($(compgen -W '${value.choices.join(' ')}' -- "$cur"))`;
    case 'file':
      return bashPaths('-f');
    case 'folder':
      return bashPaths('-d');
    default:
      return ':';
  }
}

/** A name may have spaces in it; bash 3.2, which macOS has, knows no better way to split. */
function bashPaths(kind: '-f' | '-d'): string {
  return `{ compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen ${kind} -- "$cur")); }`;
}

function zsh({ verbs }: CommandReference): string {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const verbLines = verbs.map(
    ({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`,
  );
  const cases = verbs.map(({ name, options, arguments: own }) => {
    const specs = [
      ...options.flatMap(zshOption),
      ...own.map((argument) => zshArgument(argument.name, argument.value)),
    ];
    const words = ['_arguments -s', ...specs.map(quote)].join(' \\\n        ');
    return `    ${name})\n      ${words}\n      ;;`;
  });
  return `#compdef xenscope
# Completes xenscope in zsh: eval "$(xenscope completion zsh)" after compinit, or this file as _xenscope in $fpath
_xenscope() {
  local -a verbs=(
${verbLines.join('\n')}
    'help:help of a verb'
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
    help) _describe verb verbs ;;
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_xenscope" ]; then
  _xenscope "$@"
else
  compdef _xenscope xenscope
fi
`;
}

/** A spec for each name of an option; repeating one is not refused. */
function zshOption({ names, doc, value, isValueOptional }: OptionReference): string[] {
  const text = `[${doc.replace(/[[\]\\]/g, '\\$&')}]`;
  const takes = value.kind === 'none' ? '' : `${isValueOptional ? '::' : ':'}${zshValue('value', value)}`;
  return names.map((name) => `*${name}${text}${takes}`);
}

function zshArgument(name: string, value: Value): string {
  return `*:${zshValue(name, value)}`;
}

function zshValue(name: string, value: Value): string {
  if (value.kind === 'choice') return `${name}:(${value.choices.join(' ')})`;
  return `${name}:${value.kind === 'file' ? '_files' : value.kind === 'folder' ? '_files -/' : ''}`;
}

function fish({ verbs }: CommandReference): string {
  const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const line = (condition: string, words: string) => `complete -c xenscope -n ${quote(condition)} ${words}`;
  const lines = verbs.flatMap((verb) => [
    line('__fish_use_subcommand', `-f -a ${verb.name} -d ${quote(verb.summary)}`),
    ...fishArguments(verb).map((words) => line(`__fish_seen_subcommand_from ${verb.name}`, words)),
    ...verb.options.map(({ names, doc, value }) => {
      const flags = names.map(fishName).join(' ');
      return line(`__fish_seen_subcommand_from ${verb.name}`, `${flags} ${fishValue(value)}-d ${quote(doc)}`);
    }),
  ]);
  return `# Completes xenscope in fish: xenscope completion fish > ~/.config/fish/completions/xenscope.fish
${lines.join('\n')}
`;
}

function fishName(name: string): string {
  return name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
}

function fishArguments({ arguments: own }: VerbReference): string[] {
  const choices = own.flatMap(({ value }) => (value.kind === 'choice' ? value.choices : []));
  if (choices.length > 0) return [`-f -a '${choices.join(' ')}'`];
  return own.some(({ value }) => value.kind === 'file') ? [] : ['-f'];
}

function fishValue(value: Value): string {
  switch (value.kind) {
    case 'none':
      return '';
    case 'choice':
      return `-x -a '${value.choices.join(' ')}' `;
    case 'file':
      return '-r -F ';
    case 'folder':
      return `-x -a '(__fish_complete_directories)' `;
    default:
      return '-x ';
  }
}

/** By shell: the script. */
export const completionScripts = { bash, zsh, fish } as const;
export type Shell = keyof typeof completionScripts;
