/**
 * Holds credit of Xen 3.3 to 4.1, and bcredit, against what the C code of those days did in scenarios drawn at random,
 * by digests: of every switch, of the trace, and of the scheduler's own data at rest. Parameters are set meanwhile, and
 * domains come and go, are paused and moved.
 */
import { describe, expect, test } from 'vitest';
import { parseScenario, type Scenario } from '../../src/scenario/index.ts';
import { type Digest, digestOfRun, hash, readDigests } from './digest.ts';
import { runScenario } from './fidelity.ts';
import { type File2008, run2008 } from './reference-2008.ts';
import { referenceScenario } from './reference-scenario.ts';

interface Line {
  /** Our name of the version. */
  readonly xen: string;
  /** What ran. */
  readonly ran: string;
  readonly scenario: File2008;
  readonly digest: Omit<Digest, 'figures'> & { readonly scheduleCalls: number };
  /** Of the state csv; absent where the toolstack has commands, as the reader of that csv knows settings only. */
  readonly state?: string;
  /** What was in force after each setting: weight, cap, and of bcredit the period and the ratio. */
  readonly settings?: readonly (readonly number[])[];
}

/** All of the scheduler's class but xenscope's own records, which no C code makes. */
const XEN_RECORDS = 0x0002b000;

const lines = readDigests<Line>('digests-early.jsonl');

/** The scenario as users have it, or, where there are commands, as the reference runs write them. */
function scenarioOf({ actions, ...file }: File2008, xen: string): Scenario {
  const scenario = file.commands
    ? referenceScenario(file, xen)
    : parseScenario(JSON.stringify({ ...file, actions, xen }), `${file.name}.json`);
  return { ...scenario, trace: { ...scenario.trace, eventMask: XEN_RECORDS } };
}

describe.each([
  ['credit', '3.3'],
  ['bcredit', '3.3'],
  ['credit', '3.4'],
  ['credit', '4.0'],
  ['credit', '4.1'],
])('%s of Xen %s', (scheduler, xen) => {
  const own = lines.filter((line) => line.xen === xen && line.scenario.sched === scheduler);
  const cases = own.map((line) => [line.scenario.name, line] as const);

  test.each(cases)('does as the C code: %s', (_, { scenario, digest }) => {
    const run = runScenario(scenarioOf(scenario, xen));
    const { scheduleCalls } = run;
    expect({ scheduleCalls, ...digestOfRun(run, true) }).toMatchObject(digest);
  });

  test.each(cases.filter(([, { state }]) => state !== undefined))('has the same state: %s', (_, line) => {
    const { state, settings } = run2008(line.scenario, xen);
    expect(settings.map((values) => Object.values(values))).toEqual(line.settings);
    expect(hash(state!)).toBe(line.state);
  });
});

test('there are all kinds of actions, of guests, of hosts and of extreme parameters', () => {
  const files = lines.map(({ scenario }) => scenario);
  const kinds = files.flatMap(({ commands }) => commands?.map(({ kind }) => kind) ?? []);
  expect([...new Set(kinds)].sort()).toEqual([
    'create',
    'destroy',
    'pause',
    'sched-domain',
    'sched-domctl',
    'unpause',
    'vcpu-pin',
    'vcpu-set',
  ]);
  const domains = files.flatMap((file) => file.domains);
  const workloads = domains.flatMap(({ vcpus }) => vcpus.map(({ workload }) => workload.split(' ')[0]));
  expect([...new Set(workloads)].sort()).toEqual(['dodge', 'duty', 'hog', 'idle', 'once', 'periodic']);
  const some = (has: (file: File2008) => unknown) => expect(files.some(has)).toBe(true);
  some(({ topology }) => (topology?.sockets ?? 1) > 1 && (topology?.threads ?? 1) > 1);
  some(({ xmalloc_fill }) => xmalloc_fill === 1);
  some(({ xmalloc_fill }) => xmalloc_fill === 2);
  some(({ context_switch_ns }) => context_switch_ns);
  some(({ params }) => params?.bcsched_tslice !== undefined);
  expect(domains.some(({ weight }) => (weight ?? 0) > 60_000)).toBe(true);
  expect(domains.some(({ cap }) => (cap ?? 0) > 0)).toBe(true);
  some(({ actions }) => actions?.some(({ boost_ratio }) => (boost_ratio ?? 0) > 218));
});
