import { basename } from 'node:path';
import { closestWord } from '../base/closest-word.ts';
import { UserError } from '../base/errors.ts';
import { type BootParameter, whyNotRead } from './boot-parameters.ts';
import {
  DURATION_DEFAULT_NS,
  EVENT_MASK_DEFAULT,
  FLUSH_DEFAULT_NS,
  HOST_KEYS,
  SCENARIO_KEYS,
  SCHEDULERS,
  TRACE_KEYS,
} from './keys.ts';
import { parseLocated } from './located.ts';
import { Problems } from './problems.ts';
import { quote } from './quote.ts';
import { readKeys, Values, vocabulary } from './read-keys.ts';
import { readText } from './read-text.ts';
import { poolsCreatedBy, resolveActions } from './resolve-actions.ts';
import { resolveTable } from './resolve-arinc653.ts';
import { checkPlaces, FIRST_CPUPOOL, resolveCpupools } from './resolve-cpupools.ts';
import { type GivenPools, resolveDomains } from './resolve-domains.ts';
import { resolveHost } from './resolve-host.ts';
import type { Action, CpupoolSpec, Scenario, SchedulerName } from './scenario.ts';
import { defaultXenOf, isSinceXen, XEN_SERIES_WORDS, type XenSeries, xenSeriesOf } from './xen-versions.ts';

/** What a caller decides instead of the file. */
export interface ScenarioOverrides {
  /** As in a scenario: `4.17`, `4.17.7`, `head`. */
  readonly xen?: string | undefined;
  readonly scheduler?: string | undefined;
  readonly seed?: number | undefined;
  readonly durationNs?: number | undefined;
}

/**
 * Reads the scenario in the file `path`, YAML or JSON in UTF-8. Throws UserError, with file, line and
 * column, for whatever is wrong with the file or its text: all mistakes of a text at once ({@link
 * UserErrors}).
 */
export function loadScenario(path: string, overrides: ScenarioOverrides = {}): Scenario {
  return parseScenario(readScenarioText(path), path, overrides);
}

/** The text of the scenario in the file `path`. Throws UserError where it cannot be read or is no UTF-8. */
export function readScenarioText(path: string): string {
  return readText(path, 'a scenario', 'YAML or JSON');
}

/**
 * The scenario that `text` describes: checked, with every default filled in, and frozen. `fileName` stands
 * in messages, and without its folder and extension it is the scenario's name unless the text gives one.
 */
export function parseScenario(text: string, fileName: string, overrides: ScenarioOverrides = {}): Scenario {
  const decided = checkOverrides(overrides);
  const problems = new Problems(fileName, text);
  const root = parseLocated(text, problems);
  // What does not parse has no keys to check.
  if (root === undefined || problems.has('scenario-syntax')) problems.throwIfAny();
  const values = new Values();
  readKeys(root!, 'a scenario', SCENARIO_WORDS, values, problems);
  const scenario = root!.kind === 'map' ? resolve(values, root!.at, fileName, decided, problems) : undefined;
  problems.throwIfAny();
  return deepFreeze(scenario!);
}

const SCENARIO_WORDS = vocabulary(Object.values(SCENARIO_KEYS), [
  ...Object.values(HOST_KEYS),
  ...Object.values(TRACE_KEYS),
]);
const TRACE_WORDS = vocabulary(Object.values(TRACE_KEYS));

interface DecidedOverrides {
  readonly xen: XenSeries | undefined;
  readonly scheduler: SchedulerName | undefined;
  readonly seed: number | undefined;
  readonly durationNs: number | undefined;
}

function resolve(
  values: Values,
  rootAt: number,
  fileName: string,
  decided: DecidedOverrides,
  problems: Problems,
): Scenario {
  const durationNs = decided.durationNs ?? values.value(SCENARIO_KEYS.duration) ?? DURATION_DEFAULT_NS;
  const seed = decided.seed ?? values.value(SCENARIO_KEYS.seed) ?? 1;
  const traceGroup = values.get(SCENARIO_KEYS.trace);
  if (traceGroup) readKeys(traceGroup.value, 'trace', TRACE_WORDS, values, problems);
  const { host, pcpus } = resolveHost(values, seed, durationNs, problems);
  const domains = values.get(SCENARIO_KEYS.domains);
  if (!domains && !values.isBroken(SCENARIO_KEYS.domains)) {
    problems.add('scenario-missing-key', rootAt, 'the scenario lacks "domains", expected a list of domains');
  }
  const scheduler = decided.scheduler ?? values.value(SCENARIO_KEYS.scheduler) ?? 'credit';
  const poolList = values.get(SCENARIO_KEYS.cpupools);
  const cpupools = poolList && resolveCpupools(poolList, pcpus, scheduler, problems);
  const xen = decided.xen ?? values.value(SCENARIO_KEYS.xen) ?? defaultXenOf(scheduler);
  const givenPools: GivenPools = new Map();
  const domainSpecs = domains ? resolveDomains(domains.value, pcpus, problems, givenPools) : [];
  const actionList = values.get(SCENARIO_KEYS.actions);
  const poolNames = [
    FIRST_CPUPOOL,
    ...(cpupools ?? []).map((pool) => pool.name),
    ...poolsCreatedBy(actionList),
  ];
  const scope = { domains: domainSpecs, cpupools: poolNames, pcpus };
  const actions = actionList && resolveActions(actionList, scope, problems);
  checkPlaces({ domains: domainSpecs, givenPools, cpupools, actions, poolNames, pcpus }, problems);
  const usesPools = actions?.some(({ command }) => command?.kind.startsWith('cpupool'))
    ? actionList
    : poolList;
  if (usesPools && !isSinceXen(xen, '4.1')) {
    const sentence = `there are no cpupools in Xen ${xen}, they came with 4.1`;
    problems.add('scenario-conflict', usesPools.keyAt, sentence);
  }
  const others = schedulersOf(cpupools ?? [], actions ?? []);
  return {
    name: values.value(SCENARIO_KEYS.name) ?? basename(fileName).replace(/\.[^.]+$/, ''),
    description: values.value(SCENARIO_KEYS.description) ?? '',
    xen,
    scheduler,
    params: resolveParameters(values, decided, others, problems),
    durationNs,
    host,
    trace: {
      eventMask: values.value(TRACE_KEYS.events) ?? EVENT_MASK_DEFAULT,
      flushNs: values.value(TRACE_KEYS.flush) ?? FLUSH_DEFAULT_NS,
      endNs: Math.min(values.value(TRACE_KEYS.end) ?? durationNs, durationNs),
    },
    ...resolveArinc653(values, actions ?? [], others, problems),
    ...(cpupools && { cpupools }),
    ...(actions && { actions }),
    domains: domainSpecs,
    seed,
  };
}

/** Tables are a mistake under another scheduler, unless that is only chosen by the caller. */
function resolveArinc653(
  values: Values,
  actions: readonly Action[],
  others: readonly SchedulerName[],
  problems: Problems,
): Pick<Scenario, 'arinc653'> {
  const table = values.get(SCENARIO_KEYS.arinc653);
  const tables = actions.some(({ arinc653 }) => arinc653 !== undefined);
  const ownScheduler = values.value(SCENARIO_KEYS.scheduler) ?? 'credit';
  const isNeeded = values.isBroken(SCENARIO_KEYS.scheduler) || [ownScheduler, ...others].includes('arinc653');
  for (const given of [table, tables ? values.get(SCENARIO_KEYS.actions) : undefined]) {
    if (given === undefined || isNeeded) continue;
    const sentence = `"${given.name}" is for the scheduler arinc653, but the scheduler is ${ownScheduler}`;
    problems.add('scenario-conflict', given.keyAt, sentence);
  }
  return table ? { arinc653: resolveTable(table, problems) } : {};
}

/** The schedulers of all pools besides the first. */
function schedulersOf(pools: readonly CpupoolSpec[], actions: readonly Action[]): SchedulerName[] {
  const created = actions.flatMap(({ command }) => (command?.kind === 'cpupool-create' ? [command] : []));
  return [...pools, ...created].map(({ scheduler }) => scheduler);
}

/**
 * The boot parameters that the scheduler reads. One of another scheduler is a mistake, unless the text is
 * only run under another scheduler or version than its own: then those that do not apply are left out.
 */
function resolveParameters(
  values: Values,
  decided: DecidedOverrides,
  others: readonly SchedulerName[],
  problems: Problems,
): Record<string, number | string | boolean> {
  const ownScheduler = values.value(SCENARIO_KEYS.scheduler) ?? 'credit';
  const ownXen = values.value(SCENARIO_KEYS.xen) ?? defaultXenOf(ownScheduler);
  const isOwnKnown = !values.isBroken(SCENARIO_KEYS.scheduler) && !values.isBroken(SCENARIO_KEYS.xen);
  const params: Record<string, number | string | boolean> = {};
  for (const { parameter, value, keyAt } of values.value(SCENARIO_KEYS.params) ?? []) {
    const whyNotHere = whyNobodyReads(
      parameter,
      [decided.scheduler ?? ownScheduler, ...others],
      decided.xen ?? values.value(SCENARIO_KEYS.xen) ?? defaultXenOf(decided.scheduler ?? ownScheduler),
    );
    const whyNever = whyNobodyReads(parameter, [ownScheduler, ...others], ownXen);
    if (whyNotHere === undefined) params[parameter.name] = value;
    else if (whyNever !== undefined && isOwnKnown) problems.add('scenario-conflict', keyAt, whyNever);
  }
  return params;
}

/** undefined if one of the schedulers reads it; else why the first does not. */
function whyNobodyReads(
  parameter: BootParameter,
  schedulers: readonly SchedulerName[],
  xen: XenSeries,
): string | undefined {
  const whys = schedulers.map((scheduler) => whyNotRead(parameter, scheduler, xen));
  return whys.includes(undefined) ? undefined : whys[0];
}

function checkOverrides({ xen, scheduler, seed, durationNs }: ScenarioOverrides): DecidedOverrides {
  const series = xen === undefined ? undefined : xenSeriesOf(xen);
  if (xen !== undefined && series === undefined) {
    const sentence = `Xen ${quote(xen)} is not known, expected ${XEN_SERIES_WORDS}`;
    throw new UserError('scenario-bad-override', sentence);
  }
  const name = SCHEDULERS.find((known) => known === scheduler);
  if (scheduler !== undefined && name === undefined) {
    const meant = closestWord(scheduler, SCHEDULERS);
    const end = meant ? `did you mean "${meant}"?` : `expected one of ${SCHEDULERS.join(', ')}`;
    throw new UserError('scenario-bad-override', `unknown scheduler ${quote(scheduler)}, ${end}`);
  }
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new UserError(
      'scenario-bad-override',
      `the seed is ${seed}, expected a whole number from 0 to 2^53 - 1`,
    );
  }
  if (durationNs !== undefined && !(Number.isSafeInteger(durationNs) && durationNs >= 1)) {
    throw new UserError('scenario-bad-override', `the duration is ${durationNs} ns, expected at least 1 ns`);
  }
  return { xen: series, scheduler: name, seed, durationNs };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
