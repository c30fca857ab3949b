import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runSimulation } from '../../src/cli/simulated-run.ts';
import { parseScenario } from '../../src/scenario/index.ts';
import { type Check, exactly, verdictOf } from './experiment.ts';
import { experiments } from './index.ts';
import { Outcome } from './outcome.ts';
import { writeReports } from './report.ts';
import { SCENARIO_FOLDER, tasksOf } from './run-tasks.ts';

/** Of these everything is checked here, too; of the others only that their scenarios can be read. */
const QUICK = ['E6', 'E19'];

const scenarioNames = readdirSync(SCENARIO_FOLDER).filter((name) => name.endsWith('.yaml'));
const docs = readFileSync(join(import.meta.dirname, '../../docs/experiments.md'), 'utf8');

describe('published experiments', () => {
  it.each(experiments.filter(({ id }) => QUICK.includes(id)))('$id comes out as told', async (experiment) => {
    const outcomes: Record<string, Outcome> = {};
    for (const { run, task } of tasksOf(experiment)) {
      outcomes[run] = new Outcome([(await runSimulation(task)).tables]);
    }
    const failed = experiment.checks(outcomes).filter((check) => verdictOf(check) === 'FAILS');
    expect(failed).toEqual([]);
  });

  it.each(experiments)('$id has runs that are scenarios, and is in the docs', (experiment) => {
    for (const { task } of tasksOf(experiment)) {
      expect(
        parseScenario(task.text, task.fileName, { xen: task.xen, scheduler: task.scheduler }),
      ).toBeDefined();
    }
    expect(docs).toContain(`### ${experiment.id}. ${experiment.title}\n`);
  });

  it.each(scenarioNames)('%s says what it is for, is named as its file, and is used', (name) => {
    const text = readFileSync(join(SCENARIO_FOLDER, name), 'utf8');
    expect(text).toMatch(/^# \S/);
    expect(parseScenario(text, name).name).toBe(name.replace('.yaml', '').replaceAll('-', ' '));
    const used = experiments.flatMap(({ runs }) => Object.values(runs).map((run) => run.scenario));
    expect(used).toContain(name);
  });
});

describe('verdicts', () => {
  const check = (got: number, instead?: number): Check => ({
    what: 'x',
    tag: 'D',
    got,
    expected: exactly(1),
    ...(instead === undefined ? {} : { instead: { expected: exactly(instead), why: 'because' } }),
  });

  it('tell what holds, what differs as is known, and what does neither', () => {
    expect(verdictOf(check(1))).toBe('holds');
    expect(verdictOf(check(2))).toBe('FAILS');
    expect(verdictOf(check(2, 2))).toBe('differs');
    expect(verdictOf(check(3, 2))).toBe('FAILS');
    // What is told as a difference and is none any more is to be told no longer.
    expect(verdictOf(check(1, 2))).toBe('FAILS');
    expect(verdictOf(check(Number.NaN))).toBe('FAILS');
  });

  it('come between the marks of the page, with the reason of a difference', () => {
    const page = docs.replace(/(results: .*-->)[\s\S]*(<!-- end)/, '$1old$2');
    const [experiment] = experiments;
    const text = writeReports(page, [{ experiment, checks: [check(1), check(2, 2)] }]);
    expect(text).toContain('1 experiments, 2 checks: 1 hold, 1 differ as explained.');
    expect(text).toContain('| x | 1 [D] | 2 | differs (1) |\n\n1. because\n');
    expect(text).not.toContain('old<');
  });
});
