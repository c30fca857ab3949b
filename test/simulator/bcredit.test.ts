/**
 * bcredit: held against the patched C code of 2008, as `npm run fidelity` does on all of its scenarios, and
 * in cases calculated by hand.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DomainSpec, loadScenario, parseScenario, type Scenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import {
  type BcreditSystem,
  bcreditOfDomain,
  bcreditOfVcpu,
} from '../../src/simulator/schedulers/bcredit/state.ts';
import type { BcreditScheduler } from '../../src/simulator/schedulers/bcredit.ts';
import { PRI_BOOST, PRI_UNDER } from '../../src/simulator/schedulers/credit/state.ts';
import { runScenario } from './fidelity.ts';
import { MemorySink } from './memory-sink.ts';
import { OLDER_PART, olderScenarios } from './older-reference.ts';
import { read2008, readFile2008, run2008 } from './reference-2008.ts';
import { Rig } from './rig.ts';
import { hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const MS = 1_000_000;
const names = olderScenarios(OLDER_PART, 'bcredit');
const hog = vcpuOf({ kind: 'hog', offsetNs: 0 });
const idle = vcpuOf({ kind: 'idle' });

type Given = Partial<Omit<Scenario, 'domains'>> & { pcpus?: number };

/** One vCPU for each domain, numbered from 1. */
function rigOf(domains: readonly Partial<DomainSpec>[], { pcpus = 1, ...given }: Given = {}): Rig {
  const specs = domains.map((domain, i): DomainSpec => {
    return { id: i + 1, name: `d${i + 1}`, weight: undefined, cap: undefined, vcpus: [hog], ...domain };
  });
  const host = hostOf({ pcpus });
  return new Rig(scenarioOf([], { xen: '3.3', scheduler: 'bcredit', host, ...given, domains: specs }));
}

const systemOf = (rig: Rig): BcreditSystem => (rig.pool.scheduler as BcreditScheduler).system;
const creditOf = (rig: Rig, dom: number) => bcreditOfVcpu(rig.vcpu(dom));

describe('the patched C code', () => {
  test.each(names)('does %s as this does', (name) => {
    const file = readFile2008(OLDER_PART, 'bcredit', name);
    expect(run2008(file, '3.3')).toEqual(read2008(OLDER_PART, 'bcredit', name));
  });

  test.each(names)('%s is read as it stands, and recorded from the scenario alone', (name) => {
    const scenario = loadScenario(join(OLDER_PART, 'scenarios', 'bcredit', `${name}.json`));
    expect(scenario).toMatchObject({ scheduler: 'bcredit', xen: '3.3' });
    const { switches } = runScenario({ ...scenario, trace: { ...scenario.trace, eventMask: 0 } });
    expect(switches).toEqual(read2008(OLDER_PART, 'bcredit', name).switches);
  });
});

describe('paying', () => {
  test('is by the microsecond begun, and at decisions only', () => {
    const rig = rigOf([
      {},
      { vcpus: [vcpuOf({ kind: 'once', run: { kind: 'fixed', ns: MS }, offsetNs: 10_500_001 })] },
    ]);
    rig.runUntil(10_500_001);
    // Its first wake-up boosted it for 2 ms. When the other woke it had run for 8.500001 ms more.
    expect(creditOf(rig, 1).credit).toBe(-2000);
    rig.runUntil(10_500_002);
    expect(creditOf(rig, 1).credit).toBe(-10_501);
  });

  test('is with boost credit first, and the boost ends with it', () => {
    const rig = rigOf([{ maxBoostPeriodMs: 500, boostRatio: 10 }, {}]);
    // At 30 ms the ratio gives 10 % of 30 ms: 3000. The debt of those that ran is paid from it.
    rig.runUntil(30 * MS + 1);
    const credit = creditOf(rig, 1);
    const owed = 2000;
    expect([credit.credit, credit.boostCredit, credit.pri]).toEqual([0, 3000 - owed, PRI_BOOST]);
    rig.runUntil(60 * MS);
    expect(credit.boostCredit).toBe(0);
    expect(credit.pri).toBe(PRI_UNDER);
  });
});

describe('the boost slice', () => {
  test.each([
    [1, 1, 2, 30],
    [2, 1, 2, 2],
    [4, 1, 2, 2 / 3],
    [5, 1, 2, 0.5],
    [9, 1, 2, 0.5],
    [4, 4, 2, 30],
    [5, 4, 2, 2],
    [3, 1, 5, 2.5],
    [3, 1, 0, 0.5],
  ])('%i vCPUs on %i pCPUs share %i ms: %f ms', (vcpus, pcpus, ms, sliceMs) => {
    const params = { bcsched_tslice: ms };
    const rig = rigOf([{ vcpus: new Array(vcpus).fill(idle) }], { pcpus, params });
    expect(systemOf(rig).boostSliceNs).toBe(Math.floor(sliceMs * MS));
  });

  test('changes as domains come and go', () => {
    const text = `
scheduler: bcredit
duration: 30ms
domains: [{vcpus: [hog]}, {vcpus: [hog]}, {vcpus: [hog]}]
actions: [{at 10ms: create 3}, {at 20ms: destroy 3}]`;
    const { records } = recordsOf(parseScenario(text, 'x.yaml'));
    const slices = records.filter(({ event }) => event === 0x24105).map(({ words }) => words);
    expect(slices).toEqual([
      [2, 2 * MS],
      [3, MS],
      [2, 2 * MS],
    ]);
  });
});

describe('settings', () => {
  // The table of what the patched C code answered, in this order to a fresh domain each.
  test.each([
    [[{ maxBoostPeriodMs: 29 }], [256, 0, 0, 0]],
    [
      [{ maxBoostPeriodMs: 30 }, { maxBoostPeriodMs: 29 }],
      [256, 0, 30, 0],
    ],
    [[{ maxBoostPeriodMs: 65_535 }], [256, 0, 0, 0]],
    [[{ maxBoostPeriodMs: 65_534 }], [256, 0, 65_534, 0]],
    [[{ boostRatio: 50 }], [256, 0, 0, 0]],
    [[{ maxBoostPeriodMs: 29, boostRatio: 50 }], [256, 0, 0, 0]],
    [
      [{ weight: 1 }, { weight: 65_535 }],
      [1, 0, 0, 0],
    ],
    [[{ maxBoostPeriodMs: 100, boostRatio: 101 }], [256, 0, 100, 0]],
    [
      [{ maxBoostPeriodMs: 100, boostRatio: 100, weight: 512 }, { weight: 300 }],
      [0, 0, 100, 100],
    ],
    [
      [
        { maxBoostPeriodMs: 100, boostRatio: 9 },
        { weight: 300, boostRatio: 0 },
      ],
      [256, 0, 100, 0],
    ],
    [[{ weight: 777, maxBoostPeriodMs: 100, boostRatio: 20 }], [0, 0, 100, 20]],
    [
      [{ maxBoostPeriodMs: 100, boostRatio: 10 }, { maxBoostPeriodMs: 0 }, { boostRatio: 20 }],
      [0, 0, 0, 10],
    ],
    [
      [{ cap: 1000 }, { cap: 65_535 }],
      [256, 1000, 0, 0],
    ],
  ])('%j: %j', (adjust, expected) => {
    const rig = rigOf([{ adjust }]);
    const { weight, cap, maxBoostPeriodMs, boostRatio } = bcreditOfDomain(rig.domain(1));
    expect([weight, cap, maxBoostPeriodMs, boostRatio]).toEqual(expected);
  });

  test('admit ratios up to 100 percent of each pCPU, of domains that are gone, too', () => {
    const text = `
scheduler: bcredit
duration: 40ms
pcpus: 2
domains:
  - {max_boost_period: 100, boost_ratio: 150, vcpus: [hog]}
  - {max_boost_period: 100, vcpus: [hog]}
actions:
  - at 10ms: sched-bcredit -d 2 -r 51
  - at 20ms: destroy 1
  - at 30ms: [sched-bcredit -d 2 -r 51, sched-bcredit -d 2 -r 50]`;
    const { records } = recordsOf(parseScenario(text, 'x.yaml'));
    const ratios = records
      .filter(({ event, words }) => event === 0x24106 && words[0] === 2)
      .map(({ words }) => words[4]);
    expect(ratios).toEqual([0, 0, 0, 50]);
  });

  test('move boost credit through 16 bits while the domain is active, else in full', () => {
    const rig = rigOf([{ maxBoostPeriodMs: 500, boostRatio: 250 }, { maxBoostPeriodMs: 500 }], { pcpus: 8 });
    rig.runUntil(31 * MS);
    expect(systemOf(rig).boostCredit).toBe(75_000);
    rig.act((xen) => xen.adjustDomain(rig.domain(2), { boostRatio: 250 }));
    expect(systemOf(rig).boostCredit).toBe(75_000 + 75_000 - 65_536);
  });

  test('of xm: a cap that is too large does not reach Xen', () => {
    const text = `
scheduler: bcredit
duration: 20ms
domains: [{vcpus: [hog]}]
actions: [{at 10ms: [sched-bcredit -d 1 -c 101, sched-bcredit -d 1 -c 100, sched-bcredit -d 1]}]`;
    const refused: string[] = [];
    const { records } = recordsOf(parseScenario(text, 'x.yaml'), refused);
    expect(refused).toEqual(['sched-bcredit -d 1 -c 101: a cap of 101 is too much for its vCPUs']);
    expect(records.filter(({ event }) => event === 0x24106).map(({ words }) => words[2])).toEqual([100]);
    // One for the setting and one for the reading.
    expect(records.filter(({ event }) => event === 0x28009)).toHaveLength(2);
  });
});

interface SeenRecord {
  readonly event: number;
  readonly words: number[];
}

/** The records of a run on one pCPU; all words of each, with their times. */
function recordsOf(scenario: Scenario, refused: string[] = []): { records: SeenRecord[]; words: number[] } {
  const sink = new MemorySink(scenario.host.pcpus, scenario.trace.eventMask);
  const hooks = {
    onRefusal: (_tNs: number, command: string, why: string) => refused.push(`${command}: ${why}`),
  };
  const simulation = new Simulation(scenario, sink, { hooks, jobRecords: false });
  simulation.runUntil(scenario.durationNs);
  const all = Array.from(sink.drain(0));
  const records: SeenRecord[] = [];
  const foreign: number[] = [];
  for (let at = 0; at < all.length; ) {
    const header = all[at]!;
    const size = 1 + (header >>> 31) * 2 + ((header >>> 28) & 7);
    const event = header & 0x0fffffff;
    records.push({ event, words: all.slice(at + 3, at + size) });
    if ((event & 0xff000) !== 0x24000) foreign.push(...all.slice(at, at + size));
    at += size;
  }
  return { records, words: foreign };
}

describe('the records of its own', () => {
  const text = `
scheduler: bcredit
duration: 600ms
domains:
  - {max_boost_period: 60, boost_ratio: 40, vcpus: [duty 2ms 13ms]}
  - {max_boost_period: 100, vcpus: [duty 1ms 9ms]}
  - {vcpus: [hog]}`;
  const scenario = parseScenario(text, 'x.yaml');

  test('tell what each vCPU has at any time', () => {
    const { records } = recordsOf(scenario);
    const have = new Map<number, number>();
    const seen = new Set<number>();
    for (const { event, words } of records) {
      if (event < 0x24101 || event > 0x24104) continue;
      seen.add(event);
      const [vcpu, amount] = words as [number, number];
      const left = words.at(-1)!;
      const before = have.get(vcpu) ?? 0;
      // What is beyond the upper bound of 60 ms becomes credit, and is not in `left` any more.
      if (event === 0x24101) expect(left).toBe(Math.min(before + amount, 60_000));
      if (event === 0x24102) expect(left).toBe(before - amount);
      if (event === 0x24103) expect(left).toBe(before + amount);
      if (event === 0x24104) expect(before - left).toBeLessThanOrEqual(amount);
      have.set(vcpu, left);
    }
    expect([...seen].sort()).toEqual([0x24101, 0x24102, 0x24103, 0x24104]);
  });

  test('change no other record', () => {
    const without = { ...scenario, trace: { ...scenario.trace, eventMask: 0x0002b000 } };
    expect(recordsOf(without).records.some(({ event }) => (event & 0xff000) === 0x24000)).toBe(false);
    expect(recordsOf(scenario).words).toEqual(recordsOf(without).words);
  });
});

test('it is of Xen 3.3 only, which a scenario need not say', () => {
  const text = 'domains: [{vcpus: [hog]}]';
  expect(parseScenario(text, 'x.yaml', { scheduler: 'bcredit' }).xen).toBe('3.3');
  expect(parseScenario(text, 'x.yaml').xen).toBe('head');
  const later = parseScenario(`xen: "4.2"\n${text}`, 'x.yaml', { scheduler: 'bcredit' });
  expect(() => new Simulation(later, new MemorySink(1, 0))).toThrow(/bcredit" of Xen 4.2 is not modelled/);
});
