import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { compareVariants, figuresOf, variantComparisonTable } from '../compare/index.ts';
import { renderVariantsComparison, renderVariantsComparisonJson, type VariantJson } from '../report/index.ts';
import { type CompareOptions, printComparison } from './compare-options.ts';
import type { RunRequest } from './compare-worker.ts';
import { print } from './output.ts';
import { createProgressBar } from './progress-bar.ts';
import { doRuns } from './run-pool.ts';
import { RunStore, slug } from './run-store.ts';
import { type SelectionOptions, tellUnknown } from './selection-options.ts';
import type { RunResult, RunTask } from './simulated-run.ts';
import { baselineFirst, type Variant, variantsOf } from './variants.ts';

const SEEDS_DEFAULT = Array.from({ length: 30 }, (_, index) => index + 1);

/** `xenscope compare` of scenarios: every variant with every seed, then one against the other. */
export async function compareScenarioFiles(files: readonly string[], options: CompareOptions): Promise<void> {
  const { variants: all, repeated } = variantsOf(files, {
    schedulers: options.schedulers ?? [],
    sets: options.set ?? [],
    xen: options.xen,
    durationNs: options.duration,
  });
  for (const sentence of repeated) process.stderr.write(`xenscope: ${sentence}: left out\n`);
  const variants = baselineFirst(all, options.baseline);
  if (variants.length < 2) {
    throw new UserError('usage', 'there is one variant only, and nothing to compare it with', {
      hint: '--schedulers credit,credit2, --set "name: key=value", or another scenario',
    });
  }
  const byFile = new Map(variants.map((variant) => [variant.file, variant]));
  for (const variant of byFile.values()) tellUnknownOf(variant, options);
  const seeds = options.seeds ?? SEEDS_DEFAULT;
  const runs = await runAll(variants, seeds, options);
  const [baseline, ...others] = variants.map(({ name }, index) => ({
    name,
    runs: runs[index].map(({ tables, spanNs }) => figuresOf(tables, spanNs)),
  }));
  const result = compareVariants(
    baseline,
    others,
    options.margin === undefined ? {} : { margin: options.margin },
  );
  const table = variantComparisonTable(result.comparisons);
  if (options.format === 'json') {
    print(renderVariantsComparisonJson(variants.map(variantJson), seeds, result, table));
  } else if (options.format !== 'text') {
    await printComparison(table, options.format);
  } else {
    const { scenario } = variants[0];
    const head = {
      scenario: files.length === 1 ? `${scenario.name} (${files[0]})` : files.join(', '),
      seeds: seedsText(seeds),
      durationsNs: variants.map((variant) => variant.scenario.durationNs),
      lossyRuns: runs.flat().filter(({ lostRecords }) => lostRecords > 0).length,
    };
    const names = new Map(scenario.domains.map(({ id, name }) => [id, name]));
    print(renderVariantsComparison(head, result, { names, all: options.all ?? false }));
  }
}

/** Variants have the domains and the pCPUs of their scenario. */
function tellUnknownOf({ file, scenario }: Variant, options: CompareOptions): void {
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);
  const domains = scenario.domains.map(({ id, vcpus }) => ({ dom: id, vcpuIds: numbers(vcpus.length) }));
  tellUnknown(options, { name: file, pcpus: numbers(scenario.host.pcpus) }, domains);
}

function seedsText(seeds: readonly number[]): string {
  return seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds, ${seeds[0]} to ${seeds.at(-1)}`;
}

function variantJson({ name, file, scenario, settings }: Variant): VariantJson {
  return {
    name,
    scenario: file,
    scheduler: scenario.scheduler,
    xen: scenario.xen,
    duration_ns: scenario.durationNs,
    set: Object.fromEntries(settings.map(({ path, value }) => [path, value])),
  };
}

/** What each variant says with each seed: from the results folder where it is there, else simulated now. */
async function runAll(
  variants: readonly Variant[],
  seeds: readonly number[],
  options: CompareOptions,
): Promise<RunResult[][]> {
  const folder = options.results ?? join('out', 'compare', slug(variants[0].scenario.name));
  const store = new RunStore(folder, options.keep);
  const runs = variants.flatMap((variant) =>
    seeds.map((seed) => ({ variant, task: taskOf(variant, seed, options) })),
  );
  const results = runs.map(({ variant, task }) => store.find(variant.name, task));
  const requests = runs.flatMap(({ variant, task }, index): RunRequest[] =>
    results[index] === undefined ? [{ index, task, tracePath: store.tracePath(variant.name, task) }] : [],
  );
  let done = runs.length - requests.length;
  const found = done;
  const progress = createProgressBar('runs');
  progress.update(done, runs.length);
  const interrupted = () => {
    progress.done();
    process.stderr.write(
      `xenscope: interrupted: ${done} of ${runs.length} runs are in ${folder}; ` +
        'the same command goes on from there\n',
    );
    process.exit(128 + 2);
  };
  process.once('SIGINT', interrupted);
  try {
    await doRuns(requests, options.jobs ?? availableParallelism(), (index, json) => {
      const { variant, task } = runs[index];
      store.save(variant.name, task, json);
      results[index] = JSON.parse(json) as RunResult;
      progress.update(++done, runs.length);
    });
  } finally {
    process.removeListener('SIGINT', interrupted);
    progress.done();
  }
  const old = found === 0 ? '' : `, ${found} of which were there`;
  process.stderr.write(`xenscope: ${runs.length} runs in ${folder}${old}\n`);
  return variants.map(
    (_, index) => results.slice(index * seeds.length, (index + 1) * seeds.length) as RunResult[],
  );
}

function taskOf({ text, file, xen, scheduler }: Variant, seed: number, options: CompareOptions): RunTask {
  return {
    text,
    fileName: file,
    xen,
    scheduler,
    durationNs: options.duration,
    seed,
    windowNs: options.window,
    selection: selectionWords(options),
    passes: options.only?.map(({ name }) => name),
  };
}

/** The selection alone, as plain values. */
function selectionWords(options: CompareOptions): SelectionOptions {
  const names = ['from', 'to', 'domain', 'vcpu', 'pcpu'] as const;
  const given = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}
