/**
 * The options that say what the domains were promised, which a trace does not tell, and how fairness is judged by it:
 * the same in every verb that analyses.
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DomainParameters, WINDOW_NS_DEFAULT } from '../analysis/index.ts';
import { formatNanosecondsExact } from '../base/nanoseconds.ts';
import { parseLengthArgument, repeatableMap } from './arguments.ts';

export interface FairnessOptions {
  readonly weights?: ReadonlyMap<number, number>;
  readonly caps?: ReadonlyMap<number, number>;
  readonly scenario?: string;
  readonly domains?: string;
  readonly window: number;
}

/** As Xen keeps weights and caps: in 16 bits. */
const NUMBER_MAX = 0xffff;

/** Adds `--weights`, `--caps`, `--scenario`, `--domains` and `--window`. */
export function addFairnessOptions(verb: Command): Command {
  return verb
    .option(
      '--weights <list>',
      'weights of domains, 1=512,2=256; 256 unless given',
      repeatableMap((text) => parseNumbersByDomain(text, 1, 'a weight')),
    )
    .option(
      '--caps <list>',
      'caps of domains in percent of a pCPU, 1=50; none unless given',
      repeatableMap((text) => parseNumbersByDomain(text, 0, 'a cap')),
    )
    .option('--scenario <file>', 'weights, caps and reservations from the scenario that was recorded')
    .option(
      '--domains <file>',
      'the same from a list in YAML or JSON, or from what xl sched-credit, -credit2 or -rtds printed',
    )
    .addOption(windowOption());
}

export function windowOption(): Option {
  return new Option('--window <time>', 'length of the windows that fairness is judged in')
    .argParser(parseLengthArgument)
    .default(WINDOW_NS_DEFAULT, formatNanosecondsExact(WINDOW_NS_DEFAULT));
}

/** What the domains were promised: by the scenario, over which goes the file, over which goes the command line. */
export async function domainParametersOf(options: FairnessOptions): Promise<Map<number, DomainParameters>> {
  const parameters = new Map<number, DomainParameters>();
  const add = (dom: number, more: DomainParameters) =>
    parameters.set(dom, { ...parameters.get(dom), ...more });
  if (options.scenario !== undefined || options.domains !== undefined) {
    const { loadDomainParameters, loadScenario, scenarioDomainParameters } = await import(
      '../scenario/index.ts'
    );
    const scenario = options.scenario === undefined ? undefined : loadScenario(options.scenario);
    if (scenario) for (const [dom, promised] of scenarioDomainParameters(scenario)) add(dom, promised);
    if (options.domains !== undefined)
      for (const [dom, promised] of loadDomainParameters(options.domains)) add(dom, promised);
  }
  for (const [dom, weight] of options.weights ?? []) add(dom, { weight });
  for (const [dom, cap] of options.caps ?? []) add(dom, { cap });
  return parameters;
}

function parseNumbersByDomain(text: string, least: number, what: string): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const item of text.split(',')) {
    const match = /^\s*d?(\d+)\s*=\s*(\d+)\s*$/.exec(item);
    if (!match) throw new InvalidArgumentError(`"${item.trim()}" should look like 1=256: domain id, value.`);
    const value = Number(match[2]);
    if (value < least || value > NUMBER_MAX) {
      throw new InvalidArgumentError(`"${item.trim()}": ${what} is from ${least} to ${NUMBER_MAX}.`);
    }
    numbers.set(Number(match[1]), value);
  }
  return numbers;
}
