import { analyses, analyzeTrace } from '../analysis/index.ts';
import { UserError } from '../base/errors.ts';
import {
  compareTraces,
  type DomainMap,
  figuresOf,
  type TraceFigures,
  traceComparisonTable,
} from '../compare/index.ts';
import {
  renderTraceComparison,
  renderTraceComparisonJson,
  summarizeTrace,
  type TraceSummary,
} from '../report/index.ts';
import {
  loadDomainParameters,
  loadScenario,
  type PromisedDomain,
  scenarioDomainParameters,
} from '../scenario/index.ts';
import { type CompareOptions, printComparison } from './compare-options.ts';
import { print } from './output.ts';
import { refuseBeyond, selectionOf, tellUnknown } from './selection-options.ts';
import { comparedTables } from './simulated-run.ts';
import { exitCodeOf, withAnalyzable } from './trace-options.ts';

/** `xenscope compare` of traces: the exit code is that of the most damaged one. */
export async function compareTraceFiles(paths: readonly string[], options: CompareOptions): Promise<number> {
  if (paths.length < 2) throw new UserError('usage', 'one trace alone has nothing to be compared with');
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UserError('usage', 'only one trace can come from standard input');
  }
  const promises = promisesOf(paths, options);
  const selection = selectionOf(options);
  const names = distinctNames(paths);
  const summaries: TraceSummary[] = [];
  const traces: TraceFigures[] = [];
  let exitCode = 0;
  for (const [index, path] of paths.entries()) {
    await withAnalyzable(path, options, `analysing ${path}`, (reader) => {
      const analysis = analyzeTrace(reader, {
        analyses: options.only ?? analyses,
        domainParameters: promises[index],
        windowNs: options.window,
        selection,
      });
      refuseBeyond(selection, analysis.spanNs, reader.name);
      tellUnknown(options, reader, analysis.domains);
      summaries.push(summarizeTrace(reader, analysis));
      const domains = index === 0 ? undefined : domainMap(index, promises, summaries, options);
      const tables = comparedTables(analysis.tables, options.only !== undefined);
      traces.push({
        name: names[index],
        figures: figuresOf(tables, analysis.endNs - analysis.fromNs, domains),
      });
      exitCode = Math.max(exitCode, exitCodeOf(reader, { tell: options.format !== 'json' }));
    });
  }
  tellUnmapped(options.map, summaries);
  const comparisons = compareTraces(traces);
  const table = traceComparisonTable(comparisons);
  if (options.format === 'json') print(renderTraceComparisonJson(summaries, table));
  else if (options.format !== 'text') await printComparison(table, options.format);
  else {
    const named = summaries.map((summary, index) => ({ ...summary, name: names[index] }));
    print(
      renderTraceComparison(named, comparisons, { names: namesOf(promises[0]), all: options.all ?? false }),
    );
  }
  return exitCode;
}

/** What a host's domains were promised, and what they are called. */
type Promises = ReadonlyMap<number, PromisedDomain>;

/** For each trace: by its scenario, over which goes its file of domains. */
export function promisesOf(
  paths: readonly string[],
  { scenario, domains }: Pick<CompareOptions, 'scenario' | 'domains'>,
): Promises[] {
  const scenarios = oneForEach('--scenario', scenario, paths).map((file) =>
    file === undefined ? [] : [...scenarioDomainParameters(loadScenario(file))],
  );
  return oneForEach('--domains', domains, paths).map((file, index) => {
    const promises = new Map<number, PromisedDomain>(scenarios[index]);
    for (const [dom, promised] of file === undefined ? [] : loadDomainParameters(file)) {
      promises.set(dom, { ...promises.get(dom), ...promised });
    }
    return promises;
  });
}

/** The file of each trace, where one is given for all of them or one for each. */
function oneForEach(
  option: string,
  files: readonly string[] = [],
  paths: readonly string[],
): (string | undefined)[] {
  if (files.length > 1 && files.length !== paths.length) {
    const sentence = `${option} is given ${files.length} times for ${paths.length} traces`;
    throw new UserError('usage', sentence, { hint: 'once for all of them, or once for each' });
  }
  return paths.map((_, index) => files[index] ?? files[0]);
}

function namesOf(promises: Promises): Map<number, string> {
  return new Map([...promises].flatMap(([dom, { name }]) => (name === undefined ? [] : [[dom, name]])));
}

/** The same trace may be given twice. */
export function distinctNames(paths: readonly string[]): string[] {
  return paths.map((path, index) => {
    const earlier = paths.slice(0, index).filter((other) => other === path).length;
    const name = path === '-' ? 'standard input' : path;
    return earlier === 0 ? name : `${name} (${earlier + 1})`;
  });
}

/**
 * From the domains of a trace to those of the first; a domain that the first lacks keeps out of its numbers.
 */
export function domainMap(
  index: number,
  promises: readonly Promises[],
  summaries: readonly TraceSummary[],
  { match, map }: Pick<CompareOptions, 'match' | 'map'>,
): DomainMap {
  const given = map ?? new Map<number, number>();
  const ids = match === 'name' ? idsByName(promises[0], promises[index]) : undefined;
  const numberOf = (dom: number) => given.get(dom) ?? (ids ? ids.get(dom) : dom);
  const taken = new Set(given.values());
  for (const [dom, target] of ids ?? []) if (!given.has(dom)) taken.add(target);
  const own = new Set(summaries[0].domains.map(({ dom }) => dom));
  return (dom) => {
    const number = numberOf(dom);
    if (number === undefined) return promises[index].get(dom)?.name ?? `d${dom}`;
    // Its number is that of a domain of the first trace that another domain was said to be.
    const isTaken = !given.has(dom) && ids?.get(dom) === undefined && taken.has(number) && own.has(number);
    return isTaken ? `d${dom} of the other` : number;
  };
}

/** Tells on standard error which domains of `--map` are in no trace that they could be in: a slip, mostly. */
function tellUnmapped(
  map: ReadonlyMap<number, number> = new Map(),
  [first, ...others]: readonly TraceSummary[],
): void {
  const isIn = (summary: TraceSummary, dom: number) => summary.domains.some((domain) => domain.dom === dom);
  for (const [dom, target] of map) {
    const where = [
      ...(others.some((other) => isIn(other, dom)) ? [] : [`no trace but the first has a domain ${dom}`]),
      ...(isIn(first, target) ? [] : [`${first.name} has no domain ${target}`]),
    ];
    if (where.length > 0) process.stderr.write(`xenscope: --map ${dom}=${target}: ${where.join(', and ')}\n`);
  }
}

/** Domain ids of `other` to those of `first`, by name; dom0 is dom0 unless it is named otherwise. */
function idsByName(first: Promises, other: Promises): Map<number, number> {
  const ids = new Map([...namesOf(first)].map(([dom, name]) => [name, dom]));
  const names = [...namesOf(other)];
  if (ids.size === 0 || names.length === 0) {
    throw new UserError('usage', '--match name needs the names of the domains', {
      hint: 'they are in scenarios and in what xl prints: --scenario or --domains, once for all traces or for each',
    });
  }
  const known = names.flatMap(([dom, name]): [number, number][] => {
    const target = ids.get(name);
    return target === undefined ? [] : [[dom, target]];
  });
  return new Map([[0, 0], ...known]);
}
