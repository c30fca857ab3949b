import type { Command } from 'commander';

/** What a verb's file exports: it adds its arguments, options and action to `verb`. */
export interface VerbModule {
  /**
   * `exit` notes the exit code of the run; the highest one counts. `whole` makes the command line with all its verbs,
   * for who tells of them.
   */
  define(verb: Command, exit: (code: number) => void, whole: () => Promise<Command>): void;
}

interface Verb {
  readonly summary: string;
  readonly load: () => Promise<VerbModule>;
}

/** Every verb, in the order of the road. */
export const VERBS = {
  taskset: {
    summary: 'draw a task set and write the scenario in which guests run it',
    load: () => import('./taskset.ts'),
  },
  record: {
    summary: 'run a scenario on a simulated Xen host and record a trace of it',
    load: () => import('./record.ts'),
  },
  info: {
    summary: 'what is in a trace and how far to trust it',
    load: () => import('./info.ts'),
  },
  dump: {
    summary: 'one line per record',
    load: () => import('./dump.ts'),
  },
  decode: {
    summary: 'Arrow tables for notebooks',
    load: () => import('./decode.ts'),
  },
  analyze: {
    summary: 'who waited because of whom, how fair it was, which deadlines were missed',
    load: () => import('./analyze.ts'),
  },
  compare: {
    summary:
      'traces side by side, or a scenario under several schedulers, with what chance allows to be said',
    load: () => import('./compare.ts'),
  },
  report: {
    summary: 'one HTML page to look into a trace, or several side by side',
    load: () => import('./report.ts'),
  },
  export: {
    summary: 'a trace in the form of another tool: Perfetto, ftrace, st-job-stats',
    load: () => import('./export.ts'),
  },
  query: {
    summary: 'SQL over the tables of a trace and what its analysis found',
    load: () => import('./query.ts'),
  },
  top: {
    summary: 'what a host is doing now: live from xentrace, or a replay of a trace',
    load: () => import('./top.ts'),
  },
  xenalyze: {
    summary: 'drop-in for xenalyze: the same options, the same output',
    load: () => import('./xenalyze.ts'),
  },
  format: {
    summary: 'drop-in for xentrace_format: one line per record, by rules of your own',
    load: () => import('./format.ts'),
  },
  demo: {
    summary: 'the whole road once: a simulated host and a real trace, recorded, decoded and analysed',
    load: () => import('./demo.ts'),
  },
  doctor: {
    summary: 'what of xenscope works on this machine',
    load: () => import('./doctor.ts'),
  },
  completion: {
    summary: 'a script that completes verbs and options in bash, zsh or fish',
    load: () => import('./completion.ts'),
  },
  man: {
    summary: 'the manual page',
    load: () => import('./man.ts'),
  },
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof VERBS;
