/**
 * Holds the null scheduler against what Xen's own C code did: every switch, every trace byte and the
 * figures. No tolerance.
 */
import { describe, expect, test } from 'vitest';
import { firstDifference, type ReferenceVersion, readReference, runScenario } from './fidelity.ts';
import { REFERENCE_PART, REFERENCE_ROOT, referenceScenarios } from './reference-folder.ts';

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
