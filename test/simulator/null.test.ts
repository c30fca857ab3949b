/**
 * Holds the null scheduler against what Xen's own C code did: every switch, every trace byte and the
 * figures. No tolerance.
 */
import { describe, expect, test } from 'vitest';
import { Cpumask } from '../../src/simulator/cpumask.ts';
import { type Vcpu, VPF_DOWN } from '../../src/simulator/vcpu.ts';
import { firstDifference, type ReferenceVersion, readReference, runScenario } from './fidelity.ts';
import { REFERENCE_PART, REFERENCE_ROOT, referenceScenarios } from './reference-folder.ts';
import { Rig } from './rig.ts';
import { hostOf, scenarioOf, vcpuOf } from './scenarios.ts';

const versions: readonly ReferenceVersion[] = ['4.17', 'head'];

describe.each(versions)('null of Xen %s', (version) => {
  test.each(referenceScenarios(REFERENCE_ROOT, 'null'))(
    'decides and traces %s as the C code does',
    (name) => {
      const reference = readReference(REFERENCE_ROOT, name, version);
      expect(firstDifference(runScenario(reference.scenario), reference)).toBeUndefined();
    },
  );
});

describe('the comparison', () => {
  test('covers waiting vCPUs, affinities and several pCPUs', () => {
    const scenarios = referenceScenarios(REFERENCE_PART, 'null').map(
      (name) => readReference(REFERENCE_PART, name, 'head').scenario,
    );
    expect(scenarios.length).toBeGreaterThanOrEqual(5);
    const vcpus = scenarios.map(({ domains }) => domains.flatMap((domain) => domain.vcpus));
    expect(scenarios.some(({ host }, i) => host.pcpus < vcpus[i]!.length)).toBe(true);
    expect(vcpus.flat().some(({ hardAffinity }) => hardAffinity !== undefined)).toBe(true);
    expect(vcpus.flat().some(({ softAffinity }) => softAffinity !== undefined)).toBe(true);
  });
});

describe('a vCPU that goes offline', () => {
  const hog = vcpuOf({ kind: 'hog', offsetNs: 0 });

  function rigOf(domains: Parameters<typeof scenarioOf>[0], pcpus: number): Rig {
    return new Rig(scenarioOf(domains, { scheduler: 'null', host: hostOf({ pcpus }) }));
  }

  /** VCPUOP_down and VCPUOP_up */
  function down(rig: Rig, vcpu: Vcpu): void {
    rig.act((xen) => {
      vcpu.pauseFlags |= VPF_DOWN;
      xen.sleep(vcpu);
    });
  }

  function up(rig: Rig, vcpu: Vcpu): void {
    rig.act((xen) => {
      vcpu.pauseFlags &= ~VPF_DOWN;
      xen.wake(vcpu);
    });
  }

  test('leaves its pCPU to who waits, and waits when it is back', () => {
    const rig = rigOf([[hog], [hog]], 1);
    const [first, second] = [rig.vcpu(1), rig.vcpu(2)];
    rig.runUntil(1000);
    expect([rig.runNs(first), rig.runNs(second)]).toEqual([1000, 0]);
    down(rig, first);
    rig.runUntil(3000);
    expect([rig.runNs(first), rig.runNs(second)]).toEqual([1000, 2000]);
    up(rig, first);
    rig.runUntil(4000);
    expect([rig.runNs(first), rig.runNs(second)]).toEqual([1000, 3000]);
    down(rig, second);
    rig.runUntil(9000);
    expect([rig.runNs(first), rig.runNs(second)]).toEqual([6000, 3000]);
  });

  test('comes back to its pCPU if that is free', () => {
    const rig = rigOf([[hog]], 2);
    const vcpu = rig.vcpu(1);
    rig.runUntil(1000);
    down(rig, vcpu);
    rig.runUntil(2000);
    up(rig, vcpu);
    rig.runUntil(5000);
    expect(rig.runNs(vcpu)).toBe(4000);
    expect(vcpu.processor).toBe(0);
  });

  test('goes to another free pCPU if its own is taken', () => {
    const rig = rigOf([[hog], [hog], [hog]], 2);
    const [first, second, third] = [rig.vcpu(1), rig.vcpu(2), rig.vcpu(3)];
    rig.runUntil(1000);
    down(rig, first);
    down(rig, second);
    rig.runUntil(2000);
    expect(third.processor).toBe(0);
    up(rig, first);
    rig.runUntil(5000);
    expect(first.processor).toBe(1);
    expect([first, second, third].map((vcpu) => rig.runNs(vcpu))).toEqual([4000, 1000, 4000]);
  });

  test('keeps its pCPU while it is only paused', () => {
    const rig = rigOf([[hog], [hog]], 1);
    rig.runUntil(1000);
    rig.act((xen) => xen.pause(rig.vcpu(1)));
    rig.runUntil(5000);
    expect([rig.runNs(rig.vcpu(1)), rig.runNs(rig.vcpu(2))]).toEqual([1000, 0]);
    rig.act((xen) => xen.unpause(rig.vcpu(1)));
    rig.runUntil(6000);
    expect([rig.runNs(rig.vcpu(1)), rig.runNs(rig.vcpu(2))]).toEqual([2000, 0]);
  });

  test('moves when its affinity changes, and whoever waits follows', () => {
    const rig = rigOf([[hog], [hog], [hog]], 2);
    const [first, , third] = [rig.vcpu(1), rig.vcpu(2), rig.vcpu(3)];
    rig.runUntil(1000);
    down(rig, rig.vcpu(2));
    rig.runUntil(2000);
    // The third has got pCPU 1; the first is sent there and has to wait, and pCPU 0 is free.
    expect(third.processor).toBe(1);
    rig.act((xen) => xen.setAffinity(first, Cpumask.of(2, [1]), undefined));
    rig.runUntil(4000);
    expect([rig.runNs(first), rig.runNs(third)]).toEqual([2000, 3000]);
    up(rig, rig.vcpu(2));
    rig.runUntil(5000);
    expect(rig.vcpu(2).processor).toBe(0);
  });
});
