/** Each law, where it is broken: checkers that believe in another scenario than the one that runs must complain. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Arinc653Table, Scenario, SchedulerName, VcpuSpec } from '../../src/scenario/scenario.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from '../simulator/scenarios.ts';
import { checkersFor, laws } from './laws.ts';
import { type Host, observe, RUNNABLE, RUNNING, type SeenVcpu } from './observe.ts';
import { traceProblem } from './trace-laws.ts';

const MS = 1_000_000;
const hog = (given: Partial<VcpuSpec> = {}) => vcpuOf({ kind: 'hog', offsetNs: 0 }, given);
const server = (periodUs: number, budgetUs: number) =>
  hog({ rtds: { periodUs, budgetUs, extratime: false } });

function scenario(
  scheduler: SchedulerName,
  domains: readonly (readonly VcpuSpec[])[],
  given: Partial<Scenario> & { cap?: number } = {},
): Scenario {
  const { cap, ...rest } = given;
  const made = scenarioOf(domains, { scheduler, durationNs: 400 * MS, ...rest });
  return { ...made, domains: made.domains.map((domain) => ({ ...domain, cap })) };
}

function slots(...doms: number[]): Arinc653Table {
  return { majorFrameNs: 20 * MS, entries: doms.map((dom) => ({ dom, vcpu: 0, runtimeNs: 10 * MS })) };
}

/** Two hogs under SEDF, one of them with slices and without extra time. */
function sliced(periodMs: number, sliceMs: number): Scenario {
  const made = scenario('sedf', [[hog()], [hog()]], { xen: '4.5' });
  const [first, ...others] = made.domains;
  const times = { periodNs: periodMs * MS, sliceNs: sliceMs * MS, latencyNs: 0 };
  return { ...made, domains: [{ ...first!, sedf: { ...times, extratime: false, weight: 0 } }, ...others] };
}

const two = hostOf({ pcpus: 2 });
const dear = hostOf({ contextSwitchNs: 20_000 });
const onOne = hog({ hardAffinity: [1] });
const old = { xen: '4.17' };
const fast = { params: { credit2_runqueue: 'all', sched_credit2_migrate_resist: 0 } };

/** What runs, and what the laws take it for. */
const cases: Record<string, readonly (readonly [Scenario, Scenario])[]> = {
  'times add up': [
    [scenario('credit', [[hog()], [hog()]], { host: dear }), scenario('credit', [[hog()], [hog()]])],
  ],
  'hard affinity': [
    [scenario('credit', [[hog()]], { host: two }), scenario('credit', [[onOne]], { host: two })],
  ],
  'no pCPU idles': [
    [
      scenario('credit', [[onOne, onOne]], { host: two, ...old }),
      scenario('credit', [[hog(), hog()]], { host: two, ...old }),
    ],
    [
      scenario('credit2', [[onOne, onOne]], { host: two, ...fast }),
      scenario('credit2', [[hog(), hog()]], { host: two, ...fast }),
    ],
  ],
  'nobody who can run is forgotten': [
    [
      scenario('rtds', [[server(500, 500), server(20_000, 100)]], { durationNs: 100 * MS, xen: '4.8' }),
      scenario('rtds', [[server(500, 50), server(5_000, 100)]], { durationNs: 100 * MS, xen: '4.8' }),
    ],
  ],
  'each pCPU has one vCPU': [[scenario('credit', [[hog()], [hog()]]), scenario('null', [[hog()], [hog()]])]],
  'no server gets more': [
    [scenario('rtds', [[server(10_000, 5_000)]]), scenario('rtds', [[server(10_000, 4_999)]])],
  ],
  'the earliest deadlines': [
    [
      scenario('rtds', [[server(10_000, 4_000), server(5_000, 2_000)]]),
      scenario('rtds', [[server(5_000, 4_000), server(10_000, 2_000)]]),
    ],
  ],
  'cap (credit, bcredit)': [
    [scenario('credit', [[hog()]], { cap: 50 }), scenario('credit', [[hog()]], { cap: 20 })],
  ],
  'more (credit2)': [
    [scenario('credit2', [[hog()]], { cap: 50 }), scenario('credit2', [[hog()]], { cap: 40 })],
  ],
  'in each slot': [
    [
      scenario('arinc653', [[hog()], [hog()]], { arinc653: slots(1, 2) }),
      scenario('arinc653', [[hog()], [hog()]], { arinc653: slots(2, 1) }),
    ],
  ],
  'never leaves its pCPU': [
    [
      scenario('credit', [[hog(), hog(), hog()]], { host: two, ...old }),
      scenario('sedf', [[hog(), hog(), hog()]], { host: two, xen: '4.5' }),
    ],
  ],
  'gets its slice': [
    [sliced(20, 4), sliced(20, 5)],
    [sliced(20, 6), sliced(20, 5)],
  ],
  'stays on its pCPU': [
    [
      scenario('rtglobal', [[hog()], [hog()], [hog()], [hog()], [hog()]], { host: two, xen: 'rt-xen-2.0' }),
      scenario('rtpartition', [[hog()], [hog()], [hog()], [hog()], [hog()]], {
        host: two,
        xen: 'rt-xen-2.0',
      }),
    ],
  ],
  'runs no longer than its budget': [
    [
      scenario('rtxen', [[hog()]], { params: { rtxen_quantum_us: 0 } }),
      scenario('rtxen', [[hog({ server: { periodUs: 10_000, budgetUs: 3_000 } })]], {
        params: { rtxen_quantum_us: 0 },
      }),
    ],
  ],
  'stays on the pCPU': [
    [
      scenario('credit', [[hog()], [hog()]], { host: two }),
      scenario('arinc653', [[hog()], [hog()]], { host: two }),
    ],
  ],
};

describe.each(Object.entries(cases))('"... %s ..."', (name, pairs) => {
  test.each(pairs)('complains, and of itself', (real, believed) => {
    const said = observe(real, checkersFor(believed)).problems;
    expect(said.filter((problem) => problem.includes(name)).length).toBeGreaterThan(0);
    const honest = observe(believed, checkersFor(believed)).problems;
    expect(honest).toEqual([]);
  });
});

test('there is a case for every law but the one below', () => {
  const names = Object.keys(cases);
  const without = laws.filter((law) => !names.some((name) => law.name.includes(name)));
  expect(without.map(({ name }) => name)).toEqual(['who is current is running, and nobody else is']);
});

test('who is current without running, and who runs without being current, are noticed', () => {
  const law = laws.find(({ name }) => name.startsWith('who is current'))!;
  const { rest } = law.create(scenario('credit', [[hog(), hog()]]));
  const seen = (state: number): SeenVcpu => {
    return { name: 'd1v0', dom: 1, vcpu: 0, state, sinceNs: 0, pcpu: 0, runNs: 0, history: [] };
  };
  const waiting = seen(RUNNABLE);
  const running = seen(RUNNING);
  const host = (vcpus: SeenVcpu[], on: Host['on']): Host => ({ vcpus, on });
  expect(rest!(host([running, waiting], [running]), 0, 1)).toBeUndefined();
  expect(rest!(host([waiting], [waiting]), 0, 1)).toMatch(/current in state 1/);
  expect(rest!(host([running, running], [running]), 0, 1)).toMatch(/2 vCPUs are running, 1 are on pCPUs/);
});

test('a trace that tells something else is noticed', async () => {
  const wakes = vcpuOf({ kind: 'duty', run: fixed(MS), sleep: fixed(3 * MS), offsetNs: 0 });
  const run = observe(scenario('credit2', [[hog(), wakes]], { durationNs: 50 * MS }));
  expect(await traceProblem(run)).toBeUndefined();
  expect(await traceProblem({ ...run, trace: run.trace.subarray(0, run.trace.length - 40) })).toMatch(
    /decoder says/,
  );
  const late = observe(
    scenario('credit2', [[hog(), { ...wakes, yieldEveryNs: 700_000 }]], { durationNs: 50 * MS }),
  );
  expect(await traceProblem({ ...run, trace: late.trace })).toMatch(/changes of|in the trace/);
  const times = run.times.map((one) => ({ ...one, runnableNs: one.runnableNs + MS }));
  expect(await traceProblem({ ...run, times })).toMatch(/wait on average/);
});

test('docs/schedulers/laws.md has every law', () => {
  const text = readFileSync(new URL('../../docs/schedulers/laws.md', import.meta.url), 'utf8');
  expect(laws.filter(({ name }) => !text.includes(`| ${name} |`)).map(({ name }) => name)).toEqual([]);
});
