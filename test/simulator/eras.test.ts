/**
 * Holds the schedulers of all releases since 4.2 against what Xen's own C code of those did, by digests: of every
 * switch, of the trace, and of how often it decided. Domains come and go, are paused, moved and given other parameters,
 * also such that Xen refuses, tables change, timers are late, and pCPUs change their pools.
 */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Digest, digestOfRun, readDigests } from './digest.ts';
import { runScenario } from './fidelity.ts';
import { type ReferenceFile, referenceScenario } from './reference-scenario.ts';

interface Line {
  /** Our name of the version. */
  readonly xen: string;
  /** What ran. */
  readonly ran: string;
  readonly scenario: ReferenceFile;
  /** Neither decisions nor a trace of the time-driven RTDS where polls that find nothing are left out here. */
  readonly digest: Omit<Digest, 'figures'> & { readonly scheduleCalls?: number };
}

const lines = readDigests<Line>('digests-eras.jsonl');

/** All classes of scheduling but that of schedulers, in which Xen records nothing of SEDF, and we do. */
const CORE_EVENTS = 0x0002d000;

function asXenTraces(scenario: Scenario): Scenario {
  if (scenario.scheduler !== 'sedf') return scenario;
  return { ...scenario, trace: { ...scenario.trace, eventMask: CORE_EVENTS } };
}

describe.each([...new Set(lines.map(({ xen }) => xen))])('Xen %s', (xen) => {
  const own = lines.filter((line) => line.xen === xen);
  test.each(own.map((line) => [line.scenario.name, line] as const))(
    'does as the C code: %s',
    (_, { scenario, digest }) => {
      const run = runScenario(asXenTraces(referenceScenario(scenario, xen)));
      const { scheduleCalls } = run;
      expect({ scheduleCalls, ...digestOfRun(run, digest.trace !== undefined) }).toMatchObject(digest);
    },
  );
});

test('there are all schedulers of Xen, all releases since 4.2, and all kinds of actions', () => {
  const scenarios = lines.map(({ scenario }) => scenario);
  expect(new Set(scenarios.map(({ sched }) => sched))).toEqual(
    new Set(['credit', 'credit2', 'rtds', 'null', 'sedf', 'arinc653']),
  );
  const versionsOf = (scheduler: string) => {
    return new Set(lines.filter(({ scenario }) => scenario.sched === scheduler).map(({ xen }) => xen));
  };
  expect(versionsOf('credit').size).toBe(20);
  expect([...versionsOf('sedf')].sort()).toEqual(['4.2', '4.3', '4.4', '4.5']);
  expect([...versionsOf('rtds')]).toEqual(expect.arrayContaining(['4.5', '4.6', '4.6-rfc', '4.7', 'head']));
  expect(versionsOf('arinc653').size).toBe(13);
  const kinds = scenarios.flatMap(({ commands }) => commands?.map(({ kind }) => kind) ?? []);
  expect([...new Set(kinds)].sort()).toEqual([
    'cpupool-cpu-add',
    'cpupool-cpu-remove',
    'cpupool-migrate',
    'create',
    'destroy',
    'pause',
    'sched-domain',
    'sched-pool',
    'sched-sedf',
    'sched-vcpu',
    'unpause',
    'vcpu-pin',
    'vcpu-set',
  ]);
  expect(scenarios.some(({ timer_jitter_ns = 0 }) => timer_jitter_ns > 1)).toBe(true);
  expect(scenarios.some(({ actions, commands }) => actions && commands)).toBe(true);
  expect(JSON.stringify(scenarios)).toContain('"expect_refusal"');
});
