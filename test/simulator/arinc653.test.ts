/**
 * Holds ARINC653 against what Xen's own C code did: every switch, every trace byte, the figures. No
 * tolerance.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadScenario } from '../../src/scenario/index.ts';
import type { Arinc653Table, Scenario } from '../../src/scenario/scenario.ts';
import { firstDifference, runScenario } from './fidelity.ts';
import { OLDER_PART, OLDER_ROOT, olderScenarios, readOlder } from './older-reference.ts';
import { hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const versions = [
  ['4.17', 'arinc653-4.17.7'],
  ['head', 'arinc653-head'],
] as const;

describe.each(versions)('ARINC653 of Xen %s', (version, folder) => {
  test.each(olderScenarios(OLDER_ROOT, 'arinc653'))('decides and traces %s as the C code does', (name) => {
    const reference = readOlder(OLDER_ROOT, 'arinc653', folder, name, version);
    expect(firstDifference(runScenario(reference.scenario), reference)).toBeUndefined();
  });
});

describe('the comparison', () => {
  const names = olderScenarios(OLDER_PART, 'arinc653');

  test('covers late timers, new tables and several pCPUs', () => {
    const scenarios = names.map((name) => {
      return readOlder(OLDER_PART, 'arinc653', 'arinc653-head', name, 'head').scenario;
    });
    expect(scenarios.some(({ host }) => host.timerJitterNs > 0)).toBe(true);
    expect(scenarios.some(({ host }) => host.pcpus > 1)).toBe(true);
    expect(scenarios.some(({ actions }) => actions !== undefined)).toBe(true);
  });

  test('tells a drifting version from one that does not', () => {
    const name = names.find((one) => one.includes('jitter'))!;
    const reference = readOlder(OLDER_PART, 'arinc653', 'arinc653-head', name, '4.18');
    expect(firstDifference(runScenario(reference.scenario), reference)).toMatch(/^switch/);
  });

  test.each(['4.6', '4.7', '4.18'])('finds Xen %s to decide as 4.17 does on one pCPU', (xen) => {
    for (const name of names.filter((one) => one.startsWith('p1_'))) {
      const reference = readOlder(OLDER_PART, 'arinc653', 'arinc653-4.17.7', name, xen);
      // Records of older versions are others.
      const expected = xen === '4.18' ? reference : { ...reference, trace: undefined };
      expect(firstDifference(runScenario(reference.scenario), expected)).toBeUndefined();
    }
  });

  test.each(['4.20', '4.21', '4.22'])('finds Xen %s to decide as head does', (xen) => {
    for (const name of names) {
      const reference = readOlder(OLDER_PART, 'arinc653', 'arinc653-head', name, xen);
      expect(firstDifference(runScenario(reference.scenario), reference)).toBeUndefined();
    }
  });
});

describe.each(['arinc653', 'rtds'])('the files of %s', (kind) => {
  test.each(olderScenarios(OLDER_ROOT, kind))('%s is a scenario as it stands', (name) => {
    const path = join(OLDER_ROOT, 'scenarios', kind, `${name}.json`);
    const folder = kind === 'rtds' ? 'rtds-4.7.0' : 'arinc653-head';
    const expected = readOlder(OLDER_ROOT, kind, folder, name, '4.7').scenario;
    const { host, domains, arinc653, actions, durationNs } = loadScenario(path, { xen: '4.7' });
    const { jitterSeed } = host;
    expect({ host, domains, arinc653, actions, durationNs }).toEqual({
      host: {
        ...expected.host,
        jitterSeed: expected.host.timerJitterNs > 0 ? expected.host.jitterSeed : jitterSeed,
      },
      domains: expected.domains,
      arinc653: expected.arinc653,
      actions: expected.actions,
      durationNs: expected.durationNs,
    });
  });
});

describe('ARINC653', () => {
  const hog = vcpuOf({ kind: 'hog', offsetNs: 0 });

  function runOf(domains: Parameters<typeof scenarioOf>[0], given: Partial<Scenario>) {
    return runScenario(scenarioOf(domains, { scheduler: 'arinc653', durationNs: 1_000_000_000, ...given }));
  }

  function table(majorFrameNs: number, runtimesNs: readonly number[]): Arinc653Table {
    return { majorFrameNs, entries: runtimesNs.map((runtimeNs, i) => ({ dom: i + 1, vcpu: 0, runtimeNs })) };
  }

  test('gives dom0 a table of its own, with an idle slot at its end in Xen 4.19', () => {
    const share = (xen: string) => {
      const scenario = scenarioOf([], { scheduler: 'arinc653', xen });
      const domains = [{ id: 0, name: 'd0', weight: undefined, cap: undefined, vcpus: [hog] }];
      return runScenario({ ...scenario, domains }).times[0]!.runNs / scenario.durationNs;
    };
    expect(share('4.17')).toBe(1);
    expect(share('4.18')).toBe(1);
    // Its slot of the frame that began at boot, when there was no table, and then half of the time.
    expect(share('4.19')).toBe(0.51);
    expect(share('4.20')).toBe(1);
    expect(share('head')).toBe(1);
  });

  test('refuses what Xen refuses: the table before stays', () => {
    const good = table(40_000_000, [15_000_000, 10_000_000]);
    const bad = [
      table(0, [1]),
      table(1_000_000, []),
      table(1_000_000, [500_000, 500_001]),
      table(1_000_000, [0]),
      table(
        100_000_000,
        Array.from({ length: 65 }, () => 1000),
      ),
    ];
    const expected = runOf([[hog], [hog]], { arinc653: good }).switches;
    for (const arinc653 of bad) {
      const actions = [{ atNs: 7_000_000, arinc653 }];
      expect(runOf([[hog], [hog]], { arinc653: good, actions }).switches).toBe(expected);
    }
  });

  test('runs nobody without a table, and looks every 10 ms', () => {
    const run = runOf([[hog]], {});
    expect(run.times[0]!.runNs).toBe(0);
    // At the wake-up of the hog and then every 10 ms, but not at the end of the run.
    expect(run.scheduleCalls).toBe(100);
  });

  test('runs a vCPU only on the pCPU where it is', () => {
    const host = hostOf({ pcpus: 2 });
    const run = runOf([[hog], [hog]], { host, arinc653: table(20_000_000, [10_000_000, 10_000_000]) });
    expect(run.switches).not.toMatch(/,1,d/);
    expect(run.times.map(({ runNs }) => runNs)).toEqual([500_000_000, 500_000_000]);
  });
});
