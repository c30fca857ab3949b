import { analyses, analyzeTrace, type DomainParameters } from '../analysis/index.ts';
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
import { loadScenario, type Scenario, scenarioDomainParameters } from '../scenario/index.ts';
import { type CompareOptions, printComparison } from './compare-options.ts';
import { print } from './output.ts';
import { refuseBeyond, selectionOf } from './selection-options.ts';
import { comparedTables } from './simulated-run.ts';
import { exitCodeOf, withTrace } from './trace-options.ts';

/** `xenscope compare` of traces: the exit code is that of the most damaged one. */
export async function compareTraceFiles(paths: readonly string[], options: CompareOptions): Promise<number> {
  if (paths.length < 2) throw new UserError('usage', 'one trace alone has nothing to be compared with');
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UserError('usage', 'only one trace can come from standard input');
  }
  const scenarios = scenariosOf(paths, options);
  const selection = selectionOf(options);
  const names = distinctNames(paths);
  const summaries: TraceSummary[] = [];
  const traces: TraceFigures[] = [];
  let exitCode = 0;
  for (const [index, path] of paths.entries()) {
    await withTrace(path, options, `analysing ${path}`, (reader) => {
      const scenario = scenarios[index];
      const analysis = analyzeTrace(reader, {
        analyses: options.only ?? analyses,
        domainParameters: scenario ? scenarioDomainParameters(scenario) : new Map<number, DomainParameters>(),
        windowNs: options.window,
        selection,
      });
      refuseBeyond(selection, analysis.spanNs, reader.name);
      summaries.push(summarizeTrace(reader, analysis));
      const domains = index === 0 ? undefined : domainMap(index, scenarios, summaries, options);
      const tables = comparedTables(analysis.tables, options.only !== undefined);
      traces.push({
        name: names[index],
        figures: figuresOf(tables, analysis.endNs - analysis.fromNs, domains),
      });
      exitCode = Math.max(exitCode, exitCodeOf(reader, { tell: options.format !== 'json' }));
    });
  }
  const comparisons = compareTraces(traces);
  const table = traceComparisonTable(comparisons);
  if (options.format === 'json') print(renderTraceComparisonJson(summaries, table));
  else if (options.format !== 'text') await printComparison(table, options.format);
  else {
    const named = summaries.map((summary, index) => ({ ...summary, name: names[index] }));
    const domainNames = new Map(scenarios[0]?.domains.map(({ id, name }) => [id, name]));
    print(renderTraceComparison(named, comparisons, { names: domainNames, all: options.all ?? false }));
  }
  return exitCode;
}

function scenariosOf(
  paths: readonly string[],
  { scenario: files = [] }: CompareOptions,
): (Scenario | undefined)[] {
  if (files.length === 0) return paths.map(() => undefined);
  if (files.length !== 1 && files.length !== paths.length) {
    const sentence = `--scenario is given ${files.length} times for ${paths.length} traces`;
    throw new UserError('usage', sentence, { hint: 'once for all of them, or once for each' });
  }
  const scenarios = files.map((file) => loadScenario(file));
  return paths.map((_, index) => scenarios[index] ?? scenarios[0]);
}

/** The same trace may be given twice. */
function distinctNames(paths: readonly string[]): string[] {
  return paths.map((path, index) => {
    const earlier = paths.slice(0, index).filter((other) => other === path).length;
    const name = path === '-' ? 'standard input' : path;
    return earlier === 0 ? name : `${name} (${earlier + 1})`;
  });
}

/**
 * From the domains of a trace to those of the first; a domain that the first lacks keeps out of its numbers.
 */
function domainMap(
  index: number,
  scenarios: readonly (Scenario | undefined)[],
  summaries: readonly TraceSummary[],
  { match, map }: CompareOptions,
): DomainMap {
  const given = map ?? new Map<number, number>();
  const ids = match === 'name' ? idsByName(scenarios[0], scenarios[index]) : undefined;
  const numberOf = (dom: number) => given.get(dom) ?? (ids ? ids.get(dom) : dom);
  const taken = new Set(given.values());
  for (const [dom, target] of ids ?? []) if (!given.has(dom)) taken.add(target);
  const own = new Set(summaries[0].domains.map(({ dom }) => dom));
  return (dom) => {
    const number = numberOf(dom);
    if (number === undefined)
      return scenarios[index]?.domains.find(({ id }) => id === dom)?.name ?? `d${dom}`;
    // Its number is that of a domain of the first trace that another domain was said to be.
    const isTaken = !given.has(dom) && ids?.get(dom) === undefined && taken.has(number) && own.has(number);
    return isTaken ? `d${dom} of the other` : number;
  };
}

/** Domain ids of `other` to those of `first`, by name; dom0 is dom0 unless it is named otherwise. */
function idsByName(first: Scenario | undefined, other: Scenario | undefined): Map<number, number> {
  if (first === undefined || other === undefined) {
    throw new UserError('usage', '--match name needs the names of the domains', {
      hint: 'they are in the scenarios: --scenario, once for all traces or once for each',
    });
  }
  const ids = new Map(first.domains.map(({ name, id }) => [name, id]));
  const known = other.domains.flatMap(({ name, id }): [number, number][] => {
    const target = ids.get(name);
    return target === undefined ? [] : [[id, target]];
  });
  return new Map([[0, 0], ...known]);
}
