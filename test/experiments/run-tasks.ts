import { join } from 'node:path';
import { WINDOW_NS_DEFAULT } from '../../src/analysis/index.ts';
import type { RunTask } from '../../src/cli/simulated-run.ts';
import { changeScenario, readScenarioText } from '../../src/scenario/index.ts';
import type { Experiment, Run } from './experiment.ts';

export const SCENARIO_FOLDER = join(import.meta.dirname, '../../samples/experiments');

const PASSES_DEFAULT = ['waits', 'runstates', 'scheduler'];

/** A run to be done and whose it is. */
export interface NamedTask {
  readonly experiment: string;
  readonly run: string;
  readonly task: RunTask;
}

/** All runs of an experiment, one for each seed. Throws UserError for mistakes in its scenarios. */
export function tasksOf({ id, runs }: Experiment): NamedTask[] {
  return Object.entries(runs).flatMap(([name, run]) => {
    const { scenario } = run;
    const isDrawn = typeof scenario !== 'string';
    const fileName = isDrawn ? 'drawn' : scenario;
    const kept = isDrawn ? '' : changed(readScenarioText(join(SCENARIO_FOLDER, scenario)), fileName, run);
    return Array.from({ length: run.seeds ?? 1 }, (_, index) => ({
      experiment: id,
      run: name,
      task: {
        text: isDrawn ? changed(scenario(index + 1), fileName, run) : kept,
        fileName,
        scheduler: run.scheduler,
        xen: run.xen,
        seed: index + 1,
        windowNs: WINDOW_NS_DEFAULT,
        selection: selectionOf(run),
        passes: run.passes ?? PASSES_DEFAULT,
      },
    }));
  });
}

function changed(text: string, fileName: string, { set = {} }: Run): string {
  const settings = Object.entries(set).map(([path, value]) => ({ path, value: String(value) }));
  return settings.length === 0 ? text : changeScenario(text, fileName, settings);
}

function selectionOf({ fromNs, toNs }: Run): RunTask['selection'] {
  return { ...(fromNs === undefined ? {} : { from: fromNs }), ...(toNs === undefined ? {} : { to: toNs }) };
}
