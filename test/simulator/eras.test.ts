/**
 * Holds the schedulers of all releases against what Xen's own C code of those did, by digests: of every switch, of the
 * trace, and of how often it decided. Domains come and go, are paused, moved and given other parameters, and pCPUs
 * change their pools meanwhile.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
  readonly digest: Omit<Digest, 'figures'> & { readonly scheduleCalls: number };
}

const lines = readFileSync(join(REFERENCE_PART, 'digests-eras.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);

describe.each([...new Set(lines.map(({ xen }) => xen))])('Xen %s', (xen) => {
  const own = lines.filter((line) => line.xen === xen);
  test.each(own.map((line) => [line.scenario.name, line] as const))(
    'does as the C code: %s',
    (_, { scenario, digest }) => {
      const run = runScenario(referenceScenario(scenario, xen));
      const { scheduleCalls } = run;
      expect({ scheduleCalls, ...digestOfRun(run, digest.trace !== undefined) }).toMatchObject(digest);
    },
  );
});

test('there are all schedulers of Xen, all releases since 4.2, and all kinds of actions', () => {
  expect(new Set(lines.map(({ scenario }) => scenario.sched))).toEqual(
    new Set(['credit', 'credit2', 'rtds', 'null']),
  );
  expect(new Set(lines.map(({ xen }) => xen)).size).toBe(20);
  const kinds = lines.flatMap(({ scenario }) => scenario.commands?.map(({ kind }) => kind) ?? []);
  expect([...new Set(kinds)].sort()).toEqual([
    'cpupool-cpu-add',
    'cpupool-migrate',
    'destroy',
    'pause',
    'sched-domain',
    'sched-pool',
    'sched-vcpu',
    'unpause',
    'vcpu-pin',
    'vcpu-set',
  ]);
});
