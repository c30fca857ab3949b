import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario, type Scenario, type ScenarioOverrides } from '../../src/scenario/index.ts';
import { simulate, type TraceSink } from '../../src/simulator/index.ts';

const folder = fileURLToPath(new URL('../../samples/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const textOf = (name: string) => readFileSync(folder + name, 'utf8');

/** Throws everything away. */
const nothing: TraceSink = { wants: () => false, emit: () => undefined };

/** CPU time of each domain as a share of one pCPU, by the domain's name. */
function sharesOf(scenario: Scenario): Record<string, number> {
  const shares: Record<string, number> = {};
  for (const { dom, runNs } of simulate(scenario, nothing).vcpuTimes()) {
    const { name } = scenario.domains.find(({ id }) => id === dom)!;
    shares[name] = (shares[name] ?? 0) + runNs / scenario.durationNs;
  }
  return shares;
}

function run(
  name: string,
  change: (text: string) => string = (text) => text,
  overrides: ScenarioOverrides = {},
) {
  return sharesOf(parseScenario(change(textOf(name)), name, overrides));
}

describe('the samples', () => {
  it.each(names)('%s says what one will see, and is a scenario of credit', (name) => {
    expect(textOf(name)).toMatch(/^# \S/);
    const scenario = parseScenario(textOf(name), name);
    expect(scenario.scheduler).toBe('credit');
    expect(scenario.name).toBe(name.replace('.yaml', '').replaceAll('-', ' '));
  });
});

describe('what the remarks in the samples claim', () => {
  it('two hogs get half each', () => {
    const { left, right } = run('two-hogs.yaml');
    expect(left).toBeCloseTo(0.5, 1);
    expect(right).toBeCloseTo(0.5, 1);
  });

  it('caps are kept exactly over whole periods of parking', () => {
    expect(run('caps.yaml')).toEqual({ quarter: 0.25, half: 0.5, free: 1 });
  });

  it('a thief in step with the ticks takes 90 %, and half when the ticks are not', () => {
    expect(run('theft-of-service.yaml').thief).toBeCloseTo(0.9, 2);
    const jittered = run('theft-of-service.yaml', (text) =>
      text.replace('pcpus: 1', 'pcpus: 1\n  timer_jitter: 500us'),
    );
    expect(jittered.thief).toBeCloseTo(0.5, 1);
  });

  it('heavier domains get more, and the light more than they are entitled to', () => {
    const { w128, w256, w512, w1024 } = run('weights.yaml');
    expect(w128! < w256! && w256! < w512! && w512! < w1024!).toBe(true);
    expect(w128!).toBeGreaterThan(0.29);
    expect(w1024!).toBeLessThan(2);
  });

  it('interactive gets what it asks for, greedy less than a third of it', () => {
    const { interactive, greedy } = run('boost.yaml');
    expect(interactive).toBeGreaterThan(0.055);
    expect(greedy).toBeLessThan(0.1);
  });

  it('the rate limit costs the waker time, a long one nearly all of it', () => {
    const limited = (us: number) =>
      run('ratelimit.yaml', (text) => text.replace('us: 1000', `us: ${us}`)).waker!;
    expect(limited(0)).toBeGreaterThan(limited(1000));
    expect(limited(5000)).toBeCloseTo(0.02, 2);
  });

  it('on the busy host build gets about 1.07 pCPUs against 0.65 of batch, and control its 20 %', () => {
    const { batch, build, control } = run('busy-host.yaml');
    expect(build).toBeCloseTo(1.07, 1);
    expect(batch).toBeCloseTo(0.65, 1);
    expect(control).toBeCloseTo(0.2, 2);
  });
});

describe('the seed', () => {
  it('decides the random draws: the same seed the same run, another seed another run', () => {
    const first = run('consolidation.yaml', undefined, { seed: 1 });
    expect(run('consolidation.yaml', undefined, { seed: 1 })).toEqual(first);
    expect(run('consolidation.yaml', undefined, { seed: 2 })).not.toEqual(first);
  });
});
