/**
 * Holds the schedulers of RT-Xen 2.0 against what its own C code did in scenarios drawn at random, by digests. In one
 * kind the parameters change by hypercalls, and the scheduler's own data over time count as well; in the other the
 * toolstack is at work: domains come, go and are paused, vCPUs are pinned and taken offline.
 */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Digest, digestOfRun, hash, readDigests } from './digest.ts';
import { runScenario } from './fidelity.ts';
import { type FileOfRtXen, type ResultOfRtXen, runRtXen, scenarioOfRtXen } from './rt-xen-2.ts';

interface Line {
  readonly scenario: FileOfRtXen;
  readonly digest: DigestOfRtXen | (Omit<Digest, 'figures'> & { readonly scheduleCalls: number });
}

interface DigestOfRtXen {
  readonly scheduleCalls: number;
  readonly switchCount: number;
  readonly switches: string;
  readonly state: string;
  readonly records: string;
  readonly times: string;
}

/** All classes of records of scheduling but that of RT-Xen's overhead, which xenscope has none of. */
const EVENT_MASK = 0x0002b000;

const lines = readDigests<Line>('digests-rt-xen.jsonl');
const withCommands = lines.filter(({ scenario }) => scenario.commands !== undefined);
const others = lines.filter(({ scenario }) => scenario.commands === undefined);
const named = (some: readonly Line[]) => some.map((line) => [line.scenario.name, line] as const);

function digestOf({ scheduleCalls, contextSwitches, ...result }: ResultOfRtXen): DigestOfRtXen {
  const times = result.times.map((v) => [v.dom, v.vcpu, v.runNs, v.runnableNs, v.blockedNs, v.offlineNs]);
  return {
    scheduleCalls,
    switchCount: contextSwitches,
    switches: hash(result.switches),
    state: hash(result.state),
    records: hash(JSON.stringify(Object.entries(result.records).sort())),
    times: hash(JSON.stringify(times)),
  };
}

describe('RT-Xen 2.0', () => {
  test.each(named(others))('does as the C code, its data too: %s', (_, { scenario, digest }) => {
    expect(digestOf(runRtXen(scenario))).toEqual(digest);
  });

  test.each(named(withCommands))('does as the C code when the toolstack acts: %s', (_, line) => {
    const plain = scenarioOfRtXen(line.scenario);
    const scenario: Scenario = { ...plain, trace: { ...plain.trace, eventMask: EVENT_MASK } };
    const run = runScenario(scenario);
    expect({ scheduleCalls: run.scheduleCalls, ...digestOfRun(run, true) }).toMatchObject(line.digest);
  });

  test('is compared under both schedulers and both schemes, on one pCPU and on many', () => {
    expect(new Set(lines.map(({ scenario }) => scenario.sched))).toEqual(
      new Set(['rtglobal', 'rtpartition']),
    );
    const pcpus = lines.map(({ scenario }) => scenario.pcpus);
    expect(Math.min(...pcpus)).toBe(1);
    expect(Math.max(...pcpus)).toBeGreaterThan(8);
    const toggles = others.filter(({ scenario: { actions = [] } }) => actions.some(({ dom }) => dom === 0));
    expect(toggles.length).toBeGreaterThan(1);
    const kinds = withCommands.flatMap(({ scenario }) => scenario.commands!.map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual([
      'create',
      'destroy',
      'pause',
      'sched-server',
      'unpause',
      'vcpu-pin',
      'vcpu-set',
    ]);
  });
});
