import { type Command, Option } from 'commander';
import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import {
  createTraceRings,
  parseRecorderOptions,
  planRecording,
  type RawRecorderOptions,
  type RecorderOptionSpec,
  type Recording,
  recorderOptionSpecs,
  recordToFile,
} from '../recorder/index.ts';
import { describeScenario, loadScenario } from '../scenario/index.ts';
import { Simulation, type SimulationHooks } from '../simulator/index.ts';
import { gatherTexts, parseCountArgument, parseDurationArgument } from './arguments.ts';
import { createProgress, refuseOverwriting } from './output.ts';

interface RecordOptions extends RawRecorderOptions {
  readonly output: string;
  readonly scheduler?: string;
  readonly xen?: string;
  readonly seed?: number;
  readonly duration?: number;
  readonly jobRecords: boolean;
  readonly quiet?: boolean;
}

/** `xenscope record`: a scenario runs on a simulated host, and xentrace's double writes down what its rings hold. */
export function define(verb: Command): void {
  verb
    .argument('<scenario>', 'a scenario, YAML or JSON (docs/scenarios.md, samples/*.yaml)')
    .requiredOption('-o, --output <file>', 'the trace file; - is standard output')
    .option('--scheduler <name>', 'instead of the scenario’s')
    .option('--xen <version>', 'version of Xen to model instead of the scenario’s: 4.17, 4.21, head, ...')
    .option('--seed <number>', 'seed of all random draws instead of the scenario’s', parseCountArgument)
    .option(
      '--duration <time>',
      'length of the run instead of the scenario’s, e.g. 10s',
      parseDurationArgument,
    )
    .option(
      '--no-job-records',
      'leave out the records of guests’ jobs (TRC_TASK_*); no other record depends on them',
    )
    .option('-q, --quiet', 'do not say what was recorded')
    .optionsGroup('Recorder (as xentrace has them):');
  for (const spec of recorderOptionSpecs) verb.addOption(recorderOption(spec));
  verb
    .addHelpText(
      'after',
      `
Examples:
  xenscope record samples/busy-host.yaml -o run.trace
  xenscope record samples/busy-host.yaml -o - | xenscope analyze -
  xenscope record samples/busy-host.yaml -o run.trace --xen 4.17 --seed 7 -T 0.5
  xenscope record samples/busy-host.yaml -o small.trace -S 1       a small ring loses records, as on a busy host
  xenalyze --cpu-hz 1G --summary run.trace                     Xen's own analyser reads it too`,
    )
    .action((path: string, options: RecordOptions) => {
      refuseOverwriting(options.output, [path]);
      const scenario = loadScenario(path, {
        xen: options.xen,
        scheduler: options.scheduler,
        seed: options.seed,
        durationNs: options.duration,
      });
      const plan = planRecording(parseRecorderOptions(options), scenario);
      const say = options.quiet ? () => {} : (line: string) => process.stderr.write(`${line}\n`);
      for (const note of plan.notes) say(`xenscope: ${note}`);
      const rings = createTraceRings(plan);
      const refusals: string[] = [];
      const hooks: SimulationHooks = {
        onRefusal: (tNs, command, why) => {
          refusals.push(`xenscope: at ${formatNanosecondsExact(tNs)}: "${command}" is refused: ${why}`);
        },
      };
      const simulation = new Simulation(scenario, rings, { jobRecords: options.jobRecords, hooks });
      const progress = createProgress('recording');
      const recording = recordToFile(simulation, rings, plan, options.output, {
        onProgress: progress.update,
      });
      progress.done();
      for (const refusal of refusals) say(refusal);
      say(describeScenario(scenario));
      say(describeRecording(recording, options.output, plan.stopNs - plan.startNs));
    });
}

function describeRecording(recording: Recording, output: string, recordedNs: number): string {
  const { keptRecords, lostRecords, writtenBytes } = recording;
  const where = output === '-' ? 'standard output' : output;
  const lost =
    lostRecords > 0 ? `; ${lostRecords} records found no space in the rings (-S gives them more)` : '';
  return `${where}: ${keptRecords} records of ${formatNanosecondsExact(recordedNs)}, ${writtenBytes} bytes${lost}`;
}

function recorderOption(spec: RecorderOptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const argument = spec.argument === undefined ? '' : ` <${spec.argument}>`;
  const fallback = spec.default === undefined ? '' : ` (default: ${spec.default})`;
  const option = new Option(`${short}--${spec.long}${argument}`, `${spec.doc}${fallback}`);
  if (spec.repeatable) option.argParser(gatherTexts);
  return option;
}
