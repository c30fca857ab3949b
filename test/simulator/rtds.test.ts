/**
 * Holds RTDS against what Xen's own C code did. Versions from 4.17 on: every switch, every trace byte, the
 * figures. Older ones: every switch and the figures. No tolerance.
 */
import { describe, expect, test } from 'vitest';
import { recordWords } from '../../src/format/record.ts';
import { simulate } from '../../src/simulator/index.ts';
import { firstDifference, type ReferenceVersion, readReference, runScenario } from './fidelity.ts';
import { MemorySink } from './memory-sink.ts';
import { OLDER_PART, OLDER_ROOT, olderScenarios, readOlder, runUntraced } from './older-reference.ts';
import { REFERENCE_PART, REFERENCE_ROOT, referenceScenarios } from './reference-folder.ts';
import { Rig } from './rig.ts';
import { fixed, hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const versions: readonly ReferenceVersion[] = ['4.17', 'head'];

describe.each(versions)('RTDS of Xen %s', (version) => {
  test.each(referenceScenarios(REFERENCE_ROOT, 'rtds'))(
    'decides and traces %s as the C code does',
    (name) => {
      const reference = readReference(REFERENCE_ROOT, name, version);
      expect(firstDifference(runScenario(reference.scenario), reference)).toBeUndefined();
    },
  );
});

/** Time-driven; the first event-driven form of it, as sent to the mailing list; event-driven with its bug. */
const older = [
  ['4.6', 'rtds-4.6.0'],
  ['4.6-rfc', 'rtds-seed-patch'],
  ['4.7', 'rtds-4.7.0'],
] as const;

describe.each(older)('RTDS of Xen %s', (version, folder) => {
  test.each(olderScenarios(OLDER_ROOT, 'rtds'))('decides %s as the C code does', (name) => {
    const reference = readOlder(OLDER_ROOT, 'rtds', folder, name, version);
    const run = runUntraced(reference);
    // Polls of idle pCPUs that find nothing are left out, so that decisions are fewer.
    const { totals } = reference.figures;
    const schedule_calls = version === '4.7' ? totals.schedule_calls : run.scheduleCalls;
    const figures = { ...reference.figures, totals: { ...totals, schedule_calls } };
    expect(firstDifference(run, { ...reference, trace: undefined, figures })).toBeUndefined();
  });
});

describe('the comparison', () => {
  test('covers several pCPUs and all older versions', () => {
    const names = referenceScenarios(REFERENCE_PART, 'rtds');
    const pcpus = names.map((name) => readReference(REFERENCE_PART, name, 'head').scenario.host.pcpus);
    expect(Math.max(...pcpus)).toBeGreaterThan(1);
    expect(olderScenarios(OLDER_PART, 'rtds').length).toBeGreaterThanOrEqual(3);
  });

  test('tells 4.6 from 4.7', () => {
    const name = 'x_two_hogs_10_5_2pcpus__rtds46';
    const reference = readOlder(OLDER_PART, 'rtds', 'rtds-4.7.0', name, '4.6');
    expect(firstDifference(runUntraced(reference), { ...reference, trace: undefined })).toMatch(/^switch/);
  });
});

describe('RTDS from version to version', () => {
  const share = (xen: string, rtds: { periodUs: number; budgetUs: number }[]) => {
    const domains = rtds.map((parameters) => {
      return [vcpuOf({ kind: 'hog', offsetNs: 0 }, { rtds: { ...parameters, extratime: false } })];
    });
    const run = runScenario(
      scenarioOf(domains, { xen, scheduler: 'rtds', durationNs: 2_000_000_000, host: hostOf() }),
    );
    return {
      calls: run.scheduleCalls,
      shares: run.times.map(({ runNs }) => Number((runNs / 2e9).toFixed(3))),
    };
  };

  test('a vCPU that runs at its deadline pays twice in 4.7 and not in 4.8', () => {
    const whole = [{ periodUs: 10_000, budgetUs: 10_000 }];
    expect(share('4.7', whole).shares).toEqual([0.502]);
    expect(share('4.8', whole).shares).toEqual([0.997]);
    const halves = [
      { periodUs: 10_000, budgetUs: 5_000 },
      { periodUs: 10_000, budgetUs: 5_000 },
    ];
    expect(share('4.7', halves).shares[1]).toBeCloseTo(0.252, 2);
    expect(share('4.8', halves).shares[1]).toBeCloseTo(0.4995, 2);
  });

  test('event-driven decides less often than time-driven, for the same service', () => {
    const halves = [
      { periodUs: 10_000, budgetUs: 5_000 },
      { periodUs: 10_000, budgetUs: 5_000 },
    ];
    const old = share('4.6', halves);
    const now = share('head', halves);
    expect(old.calls / now.calls).toBeGreaterThanOrEqual(3);
    expect(old.calls / 2).toBeGreaterThan(990);
    for (const [i, portion] of old.shares.entries()) expect(portion).toBeCloseTo(now.shares[i]!, 2);
  });

  test('time-driven overruns a budget by up to a millisecond, event-driven never', () => {
    const server = [{ periodUs: 10_000, budgetUs: 3_300 }];
    expect(share('4.6', server).shares[0]).toBeCloseTo(0.4, 2);
    expect(share('4.8', server).shares[0]).toBeCloseTo(0.33, 2);
    expect(share('head', server).shares[0]).toBeCloseTo(0.33, 2);
  });

  test('the first timer forgets replenishments', () => {
    const halves = [
      { periodUs: 10_000, budgetUs: 5_000 },
      { periodUs: 10_000, budgetUs: 5_000 },
    ];
    expect(share('4.6-rfc', halves).shares).toEqual([0.375, 0.375]);
  });

  test('leaves an idle pCPU alone', () => {
    const domains = [[vcpuOf({ kind: 'once', run: fixed(1000), offsetNs: 0 })]];
    const run = runScenario(scenarioOf(domains, { scheduler: 'rtds' }));
    // At boot, at the wake-up and at the end of the burst.
    expect(run.scheduleCalls).toBe(2);
  });

  test('refuses extratime where there was none', () => {
    const domains = [
      [vcpuOf({ kind: 'hog', offsetNs: 0 }, { rtds: { periodUs: 1000, budgetUs: 100, extratime: true } })],
    ];
    for (const xen of ['4.6', '4.6-rfc', '4.7', '4.8']) {
      const run = () => runScenario(scenarioOf(domains, { xen, scheduler: 'rtds' }));
      expect(run).toThrow(/RTDS of Xen 4\.\d(-rfc)? has no extratime/);
    }
  });

  test('times beyond 32 bits are whole in the trace', () => {
    const sink = new MemorySink(1, 0x0002f000);
    const domains = [[vcpuOf({ kind: 'hog', offsetNs: 0 })]];
    simulate(scenarioOf(domains, { scheduler: 'rtds', durationNs: 4_300_000_000 }), sink);
    const words = sink.drain(0);
    let deadline = 0n;
    for (let at = 0; at < words.length; at += recordWords(words[at]!)) {
      if ((words[at]! & 0x0fffffff) !== 0x22804) continue;
      deadline = (BigInt(words[at + 3 + 3]!) << 32n) | BigInt(words[at + 3 + 2]!);
    }
    expect(deadline).toBe(4_300_000_000n);
  });
});

describe('parameters of RTDS that change while it runs', () => {
  const server = { periodUs: 10_000, budgetUs: 2_000, extratime: false };

  function rigOf(xen: string, vcpus: number): Rig {
    const hog = [vcpuOf({ kind: 'hog', offsetNs: 10_000_000 }, { rtds: server })];
    return new Rig(scenarioOf(new Array(vcpus).fill(hog), { scheduler: 'rtds', xen }));
  }

  test.each(['4.6', '4.7', '4.17', 'head'])('count from the next replenishment on, in %s', (xen) => {
    const rig = rigOf(xen, 1);
    rig.runUntil(21_000_000);
    rig.act((hypervisor) => hypervisor.adjustVcpu(rig.vcpu(1), { ...server, budgetUs: 5_000 }));
    rig.runUntil(30_000_000);
    expect(rig.runNs(rig.vcpu(1))).toBe(4_000_000);
    rig.runUntil(40_000_000);
    expect(rig.runNs(rig.vcpu(1))).toBe(9_000_000);
    rig.act((hypervisor) => hypervisor.adjustVcpu(rig.vcpu(1), { ...server, periodUs: 4_000 }));
    rig.runUntil(48_000_000);
    expect(rig.runNs(rig.vcpu(1))).toBe(13_000_000);
  });

  test('extratime for a depleted vCPU: at its next period, or at once but nobody is told', () => {
    const before = rigOf('4.19', 1);
    const since = rigOf('4.20', 1);
    for (const rig of [before, since]) {
      // It used up its budget at 12 ms.
      rig.runUntil(15_000_000);
      rig.act((xen) => xen.adjustVcpu(rig.vcpu(1), { ...server, extratime: true }));
      rig.runUntil(30_000_000);
    }
    expect(before.runNs(before.vcpu(1))).toBe(12_000_000);
    // It is in the run queue, no longer marked as depleted: replenishing it wakes no pCPU.
    expect(since.runNs(since.vcpu(1))).toBe(2_000_000);
    since.act((xen) => xen.raiseSchedule(0));
    since.runUntil(40_000_000);
    expect(since.runNs(since.vcpu(1))).toBe(12_000_000);
  });
});
