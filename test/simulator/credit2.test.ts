/**
 * Holds credit2 against what Xen's own C code did: every switch, every trace byte and the figures. No
 * tolerance. Where only the digests of the results are at hand, these are compared.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOMID_IDLE } from '../../src/simulator/index.ts';
import { type Digest, digestOfReference, digestOfRun } from './digest.ts';
import { firstDifference, type ReferenceVersion, readReference, runScenario } from './fidelity.ts';
import { REFERENCE_PART, REFERENCE_ROOT, referenceScenarios } from './reference-folder.ts';
import { type ReferenceFile, referenceScenario } from './reference-scenario.ts';

const versions: readonly ReferenceVersion[] = ['4.17', 'head'];

interface DigestLine {
  readonly scenario: ReferenceFile;
  readonly digests: Readonly<Record<ReferenceVersion, Digest>>;
}

const lines = readFileSync(join(REFERENCE_PART, 'digests-credit2.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as DigestLine);

describe.each(versions)('credit2 of Xen %s', (version) => {
  test.each(referenceScenarios(REFERENCE_PART, 'credit2'))(
    'decides and traces %s as the C code does',
    (name) => {
      const reference = readReference(REFERENCE_PART, name, version);
      expect(firstDifference(runScenario(reference.scenario), reference)).toBeUndefined();
    },
  );

  test.each(lines.map((line) => [line.scenario.name, line] as const))(
    'leaves the digests of %s',
    (name, { scenario, digests }) => {
      const expected = digests[version];
      const run = runScenario(referenceScenario(scenario, version));
      if (existsSync(join(REFERENCE_ROOT, 'scenarios', `${name}.json`))) {
        const reference = readReference(REFERENCE_ROOT, name, version);
        expect(firstDifference(run, reference)).toBeUndefined();
        expect(digestOfReference(reference)).toEqual(expected);
      }
      expect(digestOfRun(run, expected.trace !== undefined)).toEqual(expected);
    },
  );
});

describe('the comparison', () => {
  test('runs over all arrangements of run queues, caps, affinities and up to 16 pCPUs', () => {
    const files = lines.map(({ scenario }) => scenario);
    expect(files.length).toBeGreaterThanOrEqual(60);
    expect(Math.max(...files.map(({ pcpus }) => pcpus))).toBe(16);
    const arrangements = new Set(files.map(({ params }) => params?.credit2_runqueue ?? 'socket'));
    expect([...arrangements].sort()).toEqual(['all', 'core', 'cpu', 'node', 'socket']);
    const domains = files.flatMap((file) => file.domains);
    expect(domains.filter(({ cap }) => cap !== undefined).length).toBeGreaterThan(10);
    const vcpus = domains.flatMap((domain) => domain.vcpus);
    expect(vcpus.filter(({ hard }) => hard !== undefined).length).toBeGreaterThan(10);
    expect(vcpus.filter(({ soft }) => soft !== undefined).length).toBeGreaterThan(10);
  });

  test.each(['4.18', '4.19', '4.20'])('finds Xen %s to switch as 4.17 does', (xen) => {
    const { scenario, digests } = lines.find((line) => line.scenario.name === 'p1_2hogs_equal__credit2')!;
    const { switches, trace } = digestOfRun(runScenario(referenceScenario(scenario, xen)), true);
    expect(switches).toBe(digests['4.17'].switches);
    expect(trace).toBe(digests['4.17'].trace);
  });

  test.each(['4.21', '4.22'])('finds Xen %s to switch as head does', (xen) => {
    const { scenario, digests } = lines.find((line) => line.scenario.name === 'p1_2hogs_equal__credit2')!;
    expect(digestOfRun(runScenario(referenceScenario(scenario, xen)), true)).toEqual(digests.head);
  });

  // What the C code of 4.17.7 did when each timer fired up to 5 us late, five times, and the range over
  // these.
  test.each([
    ['p1_cap50_vs_hog__credit2', [998, 1006], [0, 0]],
    ['p1_theft_tickdodge_starts_first__credit2', [653, 673], [0, 0]],
    ['p4_5hogs_equal__credit2', [4902, 4909], [0, 0]],
    ['p8_2sockets_rq_cpu_mixed__credit2', [11194, 11236], [1, 4]],
  ])('holds with late timers, too: %s', (name, switchesIn, missed) => {
    const { scenario } = lines.find((line) => line.scenario.name === name)!;
    const runs = [1, 2, 3, 4, 5].map((seed) => {
      let entries = 0;
      const file = { ...scenario, timer_jitter_ns: 5000, jitter_seed: seed };
      const { jobs } = runScenario(referenceScenario(file, '4.17'), {
        onRunstate(_tNs, _pcpu, dom, _vcpu, _from, to) {
          if (dom !== DOMID_IDLE && to === 0) entries += 1;
        },
      });
      return { entries, missed: jobs.missed };
    });
    const range = (values: number[]) => [Math.min(...values), Math.max(...values)];
    expect(range(runs.map((run) => run.entries))).toEqual(switchesIn);
    expect(range(runs.map((run) => run.missed))).toEqual(missed);
  });

  test('notices a trace with one other bit', () => {
    const name = 'random_0013__credit2';
    const { digests } = lines.find((line) => line.scenario.name === name)!;
    const reference = readReference(REFERENCE_PART, name, 'head');
    expect(digestOfReference(reference)).toEqual(digests.head);
    const trace = Uint8Array.from(reference.trace!);
    trace[trace.length - 1]! ^= 1;
    expect(digestOfReference({ ...reference, trace })).not.toEqual(digests.head);
  });
});
