/**
 * Holds the simulator against what Xen's own C code did: every context switch at its nanosecond, every trace
 * byte, and the figures. No tolerance.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { firstDifference, type ReferenceVersion, readReference, runScenario } from './fidelity.ts';

const project = resolve(import.meta.dirname, '..', '..');
const whole = join(project, '..', 'shared', 'reference', 'xen-c-schedulers');
const part = join(import.meta.dirname, 'reference');
const root = existsSync(join(whole, 'xen-head')) ? whole : part;
const versions: readonly ReferenceVersion[] = ['4.17', 'head'];

function creditScenarios(folder: string): string[] {
  return readdirSync(join(folder, 'scenarios'))
    .filter((file) => file.endsWith('__credit.json'))
    .map((file) => file.slice(0, -'.json'.length));
}

describe.each(versions)('credit of Xen %s', (version) => {
  test.each(creditScenarios(root))('decides and traces %s as the C code does', (name) => {
    const reference = readReference(root, name, version);
    expect(firstDifference(runScenario(reference.scenario), reference)).toBeUndefined();
  });
});

describe('the comparison', () => {
  test('runs over a good number of scenarios, several pCPUs among them', () => {
    const names = creditScenarios(part);
    expect(names.length).toBeGreaterThanOrEqual(8);
    const pcpus = names.map((name) => readReference(part, name, 'head').scenario.host.pcpus);
    expect(Math.max(...pcpus)).toBeGreaterThanOrEqual(8);
  });

  test('tells one version of Xen from the other', () => {
    const old = readReference(part, 'random_0019__credit', '4.17');
    const head = readReference(part, 'random_0019__credit', 'head');
    expect(firstDifference(runScenario(old.scenario), head)).toMatch(/ours .*, the reference/);
  });

  test.each(['4.18', '4.19', '4.20', '4.21', '4.22', '4.22.0'])(
    'finds Xen %s to decide as head does',
    (xen) => {
      const head = readReference(part, 'random_0019__credit', 'head');
      expect(firstDifference(runScenario({ ...head.scenario, xen }), head)).toBeUndefined();
    },
  );

  test('names the first record that differs', () => {
    const reference = readReference(part, 'p1_2hogs_equal__credit', 'head');
    const run = runScenario(reference.scenario);
    const trace = Uint8Array.from(reference.trace!);
    // The domain in the fifth record, which says where d2v0 is placed.
    trace[12 + 4 * (4 + 6 + 4 + 4) + 3 * 4] = 7;
    expect(firstDifference(run, { ...reference, trace })).toMatch(
      /^record 4 of pCPU 0: ours 22005 at tsc 1000000004/,
    );
  });

  test('notices a switch one nanosecond off', () => {
    const reference = readReference(part, 'p1_2hogs_equal__credit', 'head');
    const switches = reference.switches.replace('60000000,0,d1v0', '60000001,0,d1v0');
    expect(firstDifference(runScenario(reference.scenario), { ...reference, switches })).toMatch(
      /^switch 3: ours 60/,
    );
  });
});
