import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import {
  drawTaskSet,
  GENERATORS,
  type GeneratorName,
  type Periods,
  type ServedScheduler,
  type ServerSpec,
  utilisationOf,
  writeTaskSetScenario,
} from '../tasksets/index.ts';
import { parseCountArgument, parseDurationArgument, parseLengthArgument } from './arguments.ts';
import { print } from './output.ts';

interface TaskSetOptions {
  readonly output: string;
  readonly generator: GeneratorName;
  readonly tasks?: number;
  readonly utilisation: number;
  readonly least: number;
  readonly most: number;
  readonly periods: PeriodsArgument;
  readonly granularity: number;
  readonly deadlinesFrom: number;
  readonly executionFrom: number;
  readonly offsets?: boolean;
  readonly seed: number;
  readonly scheduler: string;
  readonly guestScheduler: ServedScheduler;
  readonly placement: 'partitioned' | 'global';
  readonly domains: number;
  readonly vcpus: number;
  readonly pcpus?: number;
  readonly servers: readonly ServerSpec[];
  readonly caps?: boolean;
  readonly duration: number;
}

/** `xenscope taskset`: a task set is drawn, and the scenario written in which guests run it. */
export function define(verb: Command): void {
  const generators = Object.entries(GENERATORS).map(([name, doc]) => `  ${name.padEnd(17)} ${doc}`);
  verb
    .option('-o, --output <file>', 'the scenario; - is standard output', '-')
    .requiredOption('-u, --utilisation <sum>', 'what all tasks need together, in pCPUs', parsePositive)
    .option(
      '-n, --tasks <number>',
      'how many there are; the most, where they are drawn until the sum is reached',
      parseCount,
    )
    .addOption(
      new Option('--generator <name>', 'how utilisations are drawn (see below)')
        .choices(Object.keys(GENERATORS))
        .default('uunifast-discard'),
    )
    .option('--least <share>', 'what each task needs at least (randfixedsum)', parseShare, 0)
    .option('--most <share>', 'what each task needs at most (randfixedsum, uunifast-discard)', parseShare, 1)
    .addOption(
      new Option('--periods <how>', 'log-uniform(10ms..1s), uniform(10ms..100ms), or a list such as 5ms,10ms')
        .argParser(parsePeriods)
        .default(parsePeriods('log-uniform(10ms..1s)'), 'log-uniform(10ms..1s)'),
    )
    .addOption(
      new Option('--granularity <time>', 'periods from a range are multiples of it')
        .argParser(parseDurationArgument)
        .default(1_000_000, '1ms'),
    )
    .option(
      '--deadlines-from <share>',
      'deadlines are drawn from this share of the period up to it',
      parseShare,
      1,
    )
    .option(
      '--execution-from <share>',
      'jobs need from this share of the WCET up to it, as drawn',
      parseShare,
      1,
    )
    .option('--offsets', 'first jobs come at random within a period, not all at once')
    .option('--seed <number>', 'seed of the set, and of the scenario', parseCountArgument, 1)
    .optionsGroup('Where it runs:')
    .option('--scheduler <name>', "the host's scheduler", 'rtds')
    .addOption(
      new Option('--guest-scheduler <name>', "the guests' scheduler")
        .choices(['rm', 'dm', 'edf'])
        .default('edf'),
    )
    .addOption(
      new Option('--placement <how>', "of tasks on a guest's vCPUs")
        .choices(['partitioned', 'global'])
        .default('partitioned'),
    )
    .option('--domains <number>', 'how many domains the tasks are spread over', parseCount, 1)
    .option('--vcpus <number>', 'vCPUs of each domain', parseCount, 1)
    .option('--pcpus <number>', 'pCPUs of the host (default: as many as the utilisation needs)', parseCount)
    .addOption(
      new Option(
        '--servers <list>',
        "each vCPU's server, of each domain in turn: budget/period, or a period for the least budget that serves",
      )
        .argParser(parseServers)
        .default([], 'none'),
    )
    .option('--caps', 'cap domains to what their servers have, for schedulers that know no servers')
    .addOption(
      new Option('--duration <time>', 'length of the run')
        .argParser(parseDurationArgument)
        .default(10_000_000_000, '10s'),
    )
    .addHelpText(
      'after',
      `
Generators:
${generators.join('\n')}

The budget that serves is the least by the periodic resource model (Shin and Lee 2003), under --guest-scheduler and
where guests are partitioned; of a global guest, each vCPU gets an even share of what the tasks need.

Examples:
  xenscope taskset -u 0.7 -n 8 -o set.yaml && xenscope record set.yaml -o set.trace
  xenscope taskset -u 0.7 -n 8 --servers 5ms -o set.yaml          a server of 5 ms with the budget that it needs
  xenscope taskset -u 3.1 --generator bimodal-medium --periods 'uniform(10ms..100ms)' --domains 4 --vcpus 4 \\
      --pcpus 5 --servers 3ms/10ms,2ms/10ms,2ms/10ms,2ms/10ms --placement global
  xenscope taskset -u 3 -n 20 --generator randfixedsum --most 0.5 --periods 5ms,10ms,20ms --seed 7`,
    )
    .action((options: TaskSetOptions) => writeSet(options));
}

function writeSet(options: TaskSetOptions): void {
  const { generator, tasks: count, utilisation, seed, placement, guestScheduler } = options;
  const tasks = drawTaskSet({
    generator,
    count,
    utilisation,
    least: options.least,
    most: options.most,
    periods: withGranularity(options.periods, options.granularity),
    deadlineFrom: options.deadlinesFrom,
    seed,
  });
  const sum = utilisationOf(tasks);
  const { text, notes } = writeTaskSetScenario(tasks, {
    name: `task set ${seed}`,
    remarks: [
      `${tasks.length} tasks that need ${sum.toFixed(4)} pCPUs: ${generator}, ` +
        `periods ${options.periods.text}, seed ${seed}.`,
      'Made by xenscope taskset; look at it with xenscope record and xenscope analyze.',
    ],
    scheduler: options.scheduler,
    guestScheduler,
    placement,
    pcpus: options.pcpus ?? Math.max(1, Math.ceil(sum - 1e-6)),
    domains: options.domains,
    vcpus: options.vcpus,
    servers: options.servers,
    isCapped: options.caps ?? false,
    executionFrom: options.executionFrom,
    isOffset: options.offsets ?? false,
    durationNs: options.duration,
    seed,
  });
  for (const note of notes) process.stderr.write(`xenscope: ${note}\n`);
  if (options.output === '-') print(text);
  else writeFileSync(options.output, text);
}

/** A distribution of periods as it is written, the granularity not yet known. */
interface PeriodsArgument {
  readonly text: string;
  readonly kind: 'uniform' | 'log-uniform' | 'choice';
  readonly timesNs: readonly number[];
}

function parsePeriods(text: string): PeriodsArgument {
  const range = /^(uniform|log-uniform)\(([^.]+|[^.]+\.\d[^.]*)\.\.(.+)\)$/.exec(text.trim());
  if (range !== null) {
    const timesNs = [parseLengthArgument(range[2]!), parseLengthArgument(range[3]!)];
    if (timesNs[0]! > timesNs[1]!) throw new InvalidArgumentError('expected the shortest period first.');
    return { text, kind: range[1] as 'uniform' | 'log-uniform', timesNs };
  }
  if (text.includes('(')) {
    throw new InvalidArgumentError(
      'expected uniform(10ms..100ms), log-uniform(10ms..1s) or a list of times.',
    );
  }
  return { text, kind: 'choice', timesNs: text.split(',').map(parseLengthArgument) };
}

function withGranularity({ kind, timesNs, text }: PeriodsArgument, granularityNs: number): Periods {
  if (kind === 'choice') return { kind, periodsNs: timesNs };
  const [minNs, maxNs] = timesNs as [number, number];
  if (granularityNs < 1 || Math.ceil(minNs / granularityNs) > Math.floor(maxNs / granularityNs)) {
    const granularity = formatNanosecondsExact(granularityNs);
    throw new UserError('taskset-granularity', `no multiple of ${granularity} is in ${text}`);
  }
  return { kind, minNs, maxNs, granularityNs };
}

function parseServers(text: string): ServerSpec[] {
  return text.split(',').map((item) => {
    const times = item.split('/').map(parseLengthArgument);
    const [first, second] = times;
    if (times.length > 2 || first! > (second ?? first!)) {
      throw new InvalidArgumentError(`"${item.trim()}" should be a budget within a period, or a period.`);
    }
    return second === undefined
      ? { periodNs: first!, budgetNs: undefined }
      : { periodNs: second, budgetNs: first! };
  });
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a number above 0.');
}

function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('expected a number from 0 to 1.');
}

function parseCount(text: string): number {
  const value = parseCountArgument(text);
  if (value >= 1 && value <= 10_000) return value;
  throw new InvalidArgumentError('expected a whole number from 1 to 10000.');
}
