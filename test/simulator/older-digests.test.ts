/**
 * Holds SEDF, the older RTDS and ARINC653 of each release that had them against what Xen's own C code of those did, by
 * digests: of every switch, of the trace, and of how often it decided. The scenarios were drawn at random: parameters
 * that Xen refuses, late timers, tables that change, domains that come, go and are paused.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Digest, digestOfRun } from './digest.ts';
import { runScenario } from './fidelity.ts';
import { REFERENCE_PART } from './reference-folder.ts';
import { type ReferenceFile, referenceScenario } from './reference-scenario.ts';

interface Line {
  /** Our name of the version. */
  readonly xen: string;
  /** What ran. */
  readonly ran: string;
  readonly scenario: ReferenceFile;
  /**
   * Neither decisions nor a trace of the time-driven RTDS where polls of idle pCPUs that find nothing are left out here.
   */
  readonly digest: Omit<Digest, 'figures'> & { readonly scheduleCalls?: number };
}

const lines = readFileSync(join(REFERENCE_PART, 'digests-older.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);

/** All TRC_SCHED classes but those of schedulers, in which Xen records nothing of SEDF, and we do. */
const CORE_EVENTS = 0x0002d000;

function asXenTraces(scenario: Scenario): Scenario {
  if (scenario.scheduler !== 'sedf') return scenario;
  return { ...scenario, trace: { ...scenario.trace, eventMask: CORE_EVENTS } };
}

describe.each(['sedf', 'rtds', 'arinc653'])('%s', (scheduler) => {
  const own = lines.filter(({ scenario }) => scenario.sched === scheduler);
  test.each(own.map((line) => [line.xen, line.scenario.name, line] as const))(
    'of Xen %s does as the C code: %s',
    (xen, _, { scenario, digest }) => {
      const run = runScenario(asXenTraces(referenceScenario(scenario, xen)));
      const { scheduleCalls } = run;
      expect({ scheduleCalls, ...digestOfRun(run, digest.trace !== undefined) }).toMatchObject(digest);
    },
  );
});

test('there are the releases that have them, refusals, late timers and new tables', () => {
  const versionsOf = (scheduler: string) => {
    return [...new Set(lines.filter(({ scenario }) => scenario.sched === scheduler).map(({ xen }) => xen))];
  };
  expect(versionsOf('sedf').sort()).toEqual(['4.2', '4.3', '4.4', '4.5']);
  expect(versionsOf('rtds').sort()).toEqual(['4.5', '4.6', '4.6-rfc', '4.7']);
  expect(versionsOf('arinc653').length).toBe(13);
  const scenarios = lines.map(({ scenario }) => scenario);
  expect(scenarios.some(({ timer_jitter_ns = 0 }) => timer_jitter_ns > 1)).toBe(true);
  expect(scenarios.some(({ actions, commands }) => actions !== undefined && commands !== undefined)).toBe(
    true,
  );
  expect(JSON.stringify(scenarios).includes('"expect_refusal"')).toBe(true);
  expect(Math.max(...scenarios.map(({ pcpus }) => pcpus))).toBeGreaterThanOrEqual(4);
});
