import { closeSync, openSync, readSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../base/errors.ts';
import { MARGIN_DEFAULT } from '../compare/index.ts';
import { gatherTexts, parseCountArgument, parseDurationArgument, repeatable } from './arguments.ts';
import type { CompareOptions } from './compare-options.ts';
import { windowOption } from './fairness-options.ts';
import { gatherPasses } from './passes.ts';
import { formatOption, refuseTerminal } from './result-format.ts';
import { addSelectionOptions } from './selection-options.ts';
import { addTraceOptions } from './trace-options.ts';
import { parseParameterSet } from './variants.ts';

const OF_TRACES = ['match', 'map', 'scenario', 'domains', 'formats', 'cpuHz'] as const;
const OF_SCENARIOS = [
  'schedulers',
  'set',
  'seeds',
  'baseline',
  'xen',
  'duration',
  'margin',
  'results',
  'keep',
  'jobs',
] as const;

/**
 * `xenscope compare`: traces side by side, or a scenario under several schedulers and parameters over many
 * seeds.
 */
export function define(verb: Command, exit: (code: number) => void): void {
  addTraceOptions(
    addSelectionOptions(verb)
      .argument('<files...>', 'two traces or more, the first being the baseline; or one scenario or more')
      .addOption(formatOption('text for people; json, csv or arrow for programs, with every figure'))
      .option('--all', 'with --format text: every figure, not only those that matter most')
      .option('--only <passes>', 'only the results of these passes, comma separated', gatherPasses)
      .addOption(windowOption())
      .optionsGroup('Scenarios:')
      .option(
        '--schedulers <names>',
        'run under each of these, comma separated, the first being the baseline',
        repeatable(words),
      )
      .option(
        '--set <name: key=value,...>',
        SET_DOC,
        repeatable((text) => [parseParameterSet(text)]),
      )
      .option(
        '--seeds <number>',
        'so many seeds, from 1 on, or a range such as 101-130 (default: 30)',
        parseSeeds,
      )
      .option('--baseline <variant>', 'the variant that the others are compared with, instead of the first')
      .option('--xen <version>', "version of Xen to model instead of the scenario's")
      .option('--duration <time>', "length of each run instead of the scenario's", parseDurationArgument)
      .option(
        '--margin <percent>',
        `what counts as equal (default: ${MARGIN_DEFAULT * 100} % of the baseline)`,
        parsePercent,
      )
      .option(
        '--results <folder>',
        'where the result of each run is kept, and found again (default: out/compare/NAME)',
      )
      .option('--keep <folder>', 'keep the trace of each run too')
      .option('-j, --jobs <number>', 'runs at a time (default: one for each core)', parseJobs)
      .optionsGroup('Traces:')
      .addOption(
        new Option('--match <how>', 'which domains are the same (default: id)').choices(['id', 'name']),
      )
      .option('--map <list>', 'domain 3 of the others is domain 1 of the first: 3=1', gatherMap)
      .option(
        '--scenario <file>',
        'names, weights and caps of the domains; once for all traces, or once for each (repeatable)',
        gatherTexts,
      )
      .option(
        '--domains <file>',
        'the same from a list, or from what xl sched-credit printed (repeatable)',
        gatherTexts,
      ),
  )
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], options: CompareOptions) => {
      refuseTerminal(options.format);
      const kinds = files.map(kindOf);
      if (new Set(kinds).size > 1) {
        throw new UserError('usage', 'a trace cannot be compared with a scenario', {
          hint: 'record the scenario first: xenscope record SCENARIO -o FILE',
        });
      }
      const isScenario = kinds[0] === 'scenario';
      refuseOthers(options, isScenario);
      if (isScenario) {
        const { compareScenarioFiles } = await import('./compare-scenarios.ts');
        await compareScenarioFiles(files, options);
      } else {
        const { compareTraceFiles } = await import('./compare-trace-files.ts');
        exit(await compareTraceFiles(files, options));
      }
    });
}

const SET_DOC =
  'run with these keys of the scenario changed, as a variant of this name (repeatable; docs/comparisons.md)';

const HELP = `
Examples:
  xenscope compare before.trace after.trace                         every figure side by side
  xenscope compare host.trace run.trace --map 5=1                   d5 of run.trace is d1 of host.trace
  xenscope compare real.trace run.trace --match name --scenario real.yaml --scenario run.yaml
  xenscope compare samples/comparisons/consolidation.yaml --schedulers credit,credit2 --seeds 30
  xenscope compare samples/busy-host.yaml --set "short: sched_credit_tslice_ms=5" --set "web: web.weight=512"
  xenscope compare samples/busy-host.yaml --schedulers credit,credit2 --from 500ms     without each run's start
  xenscope compare run.yaml --xen 4.17 --schedulers credit,credit2 --format json | jq '.comparison[]'

A comparison that is interrupted goes on where it was when the same command is given again.
How to read a verdict, and the formulas: docs/comparisons.md.`;

/** Options of the other form would be passed over in silence. */
function refuseOthers(options: CompareOptions, isScenario: boolean): void {
  for (const name of isScenario ? OF_TRACES : OF_SCENARIOS) {
    if (options[name] === undefined) continue;
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UserError('usage', `${option} is for ${isScenario ? 'traces' : 'scenarios'}`, {
      hint: `${isScenario ? 'a scenario was' : 'traces were'} given`,
    });
  }
}

/** A text that is called so is a scenario; everything else should be a trace, and is told if it is none. */
function kindOf(path: string): 'trace' | 'scenario' {
  if (!/\.(ya?ml|json)$/i.test(path)) return 'trace';
  return startsLikeTrace(path) ? 'trace' : 'scenario';
}

function startsLikeTrace(path: string): boolean {
  const head = new Uint8Array(4);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    readSync(file, head);
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
  const [a, b, c, d] = head;
  return (a === 0x1f && b === 0x8b) || (a === 0x03 && b === 0xf0 && c === 0x01 && d === 0x20);
}

function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

const SEEDS_MAX = 10_000;

function parseSeeds(text: string): number[] {
  const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(text);
  const [first, last] =
    match?.[2] === undefined ? [1, Number(match?.[1])] : [Number(match[1]), Number(match[2])];
  const count = last - first + 1;
  if (!(count >= 1 && count <= SEEDS_MAX && Number.isSafeInteger(last))) {
    throw new InvalidArgumentError(
      `expected a number of seeds, 1 to ${SEEDS_MAX}, or a range such as 101-130.`,
    );
  }
  return Array.from({ length: count }, (_, index) => first + index);
}

function parsePercent(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text);
  if (!match || Number(match[1]) >= 100) throw new InvalidArgumentError('expected a percentage such as 2%.');
  return Number(match[1]) / 100;
}

function parseJobs(text: string): number {
  const jobs = parseCountArgument(text);
  if (jobs < 1 || jobs > 1024) throw new InvalidArgumentError('expected a number from 1 to 1024.');
  return jobs;
}

function gatherMap(text: string, earlier?: ReadonlyMap<number, number>): Map<number, number> {
  const map = new Map(earlier);
  for (const item of text.split(',')) {
    const match = /^\s*d?(\d+)\s*=\s*d?(\d+)\s*$/.exec(item);
    if (!match)
      throw new InvalidArgumentError(`"${item.trim()}" should look like 3=1: domain id, domain id.`);
    if ([...map.values()].includes(Number(match[2]))) {
      throw new InvalidArgumentError(`two domains cannot both be domain ${match[2]} of the first trace.`);
    }
    map.set(Number(match[1]), Number(match[2]));
  }
  return map;
}
