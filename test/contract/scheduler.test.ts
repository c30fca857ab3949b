/**
 * One contract for every scheduler: random scenarios with features on and off per seed, each watched by every
 * law that holds of it. docs/schedulers/laws.md says which, and why not the others.
 *
 *     CONTRACT_SEED=17 npx vitest run test/contract -t credit2      one seed again
 *     CONTRACT_SEEDS=5000 npx vitest run test/contract              more of them
 */
import { describe, expect, test } from 'vitest';
import { XEN_SERIES } from '../../src/scenario/xen-versions.ts';
import { isModelled, schedulers } from '../../src/simulator/index.ts';
import { whyNoXenalyze, xenalyzeRemarks } from '../recorder/xenalyze.ts';
import { drawScenario, FEATURES } from './draw.ts';
import { checkersFor, laws } from './laws.ts';
import { observe } from './observe.ts';
import { traceProblem } from './trace-laws.ts';

const { CONTRACT_SEED, CONTRACT_SEEDS } = process.env;
const COUNT = Number(CONTRACT_SEEDS ?? 400);
const SEEDS =
  CONTRACT_SEED === undefined ? Array.from({ length: COUNT }, (_, i) => i + 1) : [Number(CONTRACT_SEED)];
/** Traces are decoded, and made twice, for as many. */
const TRACED = SEEDS.slice(0, Math.ceil(COUNT / 4));
const READ_BY_XENALYZE = 8;

if (whyNoXenalyze) console.warn(whyNoXenalyze);

/** What to do about a seed that fails. */
function replay(scheduler: string, seed: number, features: ReadonlySet<string>): string {
  return `CONTRACT_SEED=${seed} npx vitest run test/contract -t '${scheduler} ' (${[...features].join(', ')})`;
}

describe.each(schedulers)('$name', (entry) => {
  test.each(SEEDS)(`${entry.name} keeps its laws: seed %i`, (seed) => {
    const { scenario, features } = drawScenario(entry, seed);
    const { problems } = observe(scenario, checkersFor(scenario));
    expect(problems, replay(entry.name, seed, features)).toEqual([]);
  });

  test.each(TRACED)(`${entry.name} leaves a trace that tells the same, twice: seed %i`, async (seed) => {
    const { scenario, features } = drawScenario(entry, seed);
    const run = observe(scenario);
    expect(await traceProblem(run), replay(entry.name, seed, features)).toBeUndefined();
    const again = observe(drawScenario(entry, seed).scenario);
    expect(Buffer.compare(again.trace, run.trace)).toBe(0);
    expect(again.switches).toEqual(run.switches);
  });

  test.skipIf(whyNoXenalyze)(`${entry.name} leaves traces that xenalyze reads without a remark`, () => {
    let read = 0;
    for (const seed of SEEDS) {
      if (read === READ_BY_XENALYZE) break;
      const { scenario, features } = drawScenario(entry, seed);
      if (scenario.host.tscHz !== 1e9) continue;
      // An unparked vCPU of credit2 goes from offline to running, which is a remark in itself (docs/schedulers).
      if (entry.name === 'credit2' && scenario.domains.some(({ cap }) => cap !== undefined)) continue;
      const { trace, switches } = observe(scenario);
      if (switches.length === 0) continue;
      expect(xenalyzeRemarks(trace), replay(entry.name, seed, features)).toEqual([]);
      read += 1;
    }
    if (CONTRACT_SEED === undefined) expect(read).toBe(READ_BY_XENALYZE);
  });
});

describe.skipIf(CONTRACT_SEED !== undefined)('the contract', () => {
  const drawn = schedulers.flatMap((entry) => SEEDS.map((seed) => drawScenario(entry, seed)));

  test('covers every law, feature and version often enough to mean something', () => {
    for (const { name, whyNot } of laws) {
      const held = drawn.filter(({ scenario }) => whyNot(scenario) === undefined).length;
      expect([name, held >= COUNT / 20]).toEqual([name, true]);
    }
    for (const feature of FEATURES) {
      const count = drawn.filter(({ features }) => features.has(feature)).length;
      expect([feature, count > drawn.length / 10]).toEqual([feature, true]);
    }
    for (const entry of schedulers) {
      const { name } = entry;
      const versions = XEN_SERIES.filter((series) => isModelled(entry, series)).length;
      const runs = drawn.filter(({ scenario }) => scenario.scheduler === name);
      expect(new Set(runs.map(({ scenario }) => scenario.xen)).size).toBeGreaterThanOrEqual(
        Math.min(6, versions),
      );
      const kinds = runs.flatMap(({ scenario }) => scenario.domains.flatMap(({ vcpus }) => vcpus));
      expect(new Set(kinds.map(({ workload }) => workload.kind)).size).toBe(7);
    }
  });
});
