/** The servers of RT-Xen in the scenario language, in its own spelling and in that of the reference's scenarios. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeScenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { OLDER_PART } from '../simulator/older-reference.ts';
import { errorsOf, parse } from './errors-of.ts';

const vcpu = (keys: string, scheduler = 'rtxen') =>
  parse(`scheduler: ${scheduler}\ndomains: [{vcpus: [{workload: hog, ${keys}}]}]\n`);

describe('a server', () => {
  it.each([
    [
      'server: {period: 20ms, budget: 2500us, priority: 3, kind: sporadic}',
      { periodUs: 20_000, budgetUs: 2500, priority: 3, serverKind: 'sporadic' },
    ],
    ['server: {}', { periodUs: 10_000, budgetUs: 4000, priority: undefined, serverKind: undefined }],
    [
      'period_ms: 50, budget_ms: 7',
      { periodUs: 50_000, budgetUs: 7000, priority: undefined, serverKind: undefined },
    ],
  ])('%s', (keys, server) => {
    expect(vcpu(keys).domains[0]!.vcpus[0]!.server).toEqual(server);
  });

  it.each([
    ['server: {period: 5ms, budget: 6ms}', '1:66: the budget of 6000 us is above the period of 5000 us'],
    ['budget_ms: 11', '1:47: the budget of 11000 us is above the period of 10000 us'],
    ['server: {period: 10000500ns}', '1:53: "period" is no whole number of microseconds, as RT-Xen demands'],
    [
      'server: {kind: lazy}',
      '1:51: "kind" is "lazy", expected one of deferrable, periodic, polling, sporadic',
    ],
    ['server: {kidn: polling}', '1:45: unknown key "kidn", did you mean "kind"?'],
    [
      'server: {period: 5ms}, period_ms: 5',
      expect.stringMatching(/^1:\d+: "period" sets what "period_ms" in line 1 sets/),
    ],
  ])('%s is a mistake', (keys, message) => {
    expect(errorsOf(`domains: [{vcpus: [{workload: hog, ${keys}}]}]\n`)).toEqual([message]);
  });

  it('is of the version that has its scheduler unless another is named', () => {
    expect(vcpu('server: {}', 'rtglobal').xen).toBe('rt-xen-2.0');
    expect(vcpu('server: {}').xen).toBe('head');
    const other = parse('scheduler: rtpartition\nxen: "4.17"\ndomains: [{vcpus: [hog]}]\n');
    const sink = { wants: () => false, emit: () => undefined };
    expect(() => new Simulation(other, sink)).toThrow('scheduler "rtpartition" of Xen 4.17 is not modelled');
  });

  it('is part of the description', () => {
    const keys = 'server: {budget: 2ms, priority: 1, kind: polling}';
    expect(describeScenario(vcpu(keys))).toMatch(/hog \(polling server 2000\/10000 us at priority 1\)$/);
  });

  it('for RT-Xen does for RTDS, and the other way round', () => {
    const ran = (scheduler: string, keys: string) => {
      const scenario = vcpu(keys, scheduler);
      const simulation = new Simulation(scenario, { wants: () => false, emit: () => undefined });
      simulation.runUntil(scenario.durationNs);
      return simulation.vcpuTimes()[0]!.runNs / 1e6;
    };
    const rtds = 'rtds: {period: 20ms, budget: 5ms, extratime: false}';
    expect(ran('rtxen', rtds)).toBe(ran('rtxen', 'server: {period: 20ms, budget: 5ms}'));
    expect(ran('rtxen', rtds)).toBe(250);
    expect(ran('rtpartition', rtds)).toBe(ran('rtpartition', 'period_ms: 20, budget_ms: 5'));
    expect(ran('rtds', 'server: {period: 20ms, budget: 5ms}')).toBe(1000);
  });
});

describe("the reference's scenarios are read as they stand", () => {
  const root = join(OLDER_PART, 'scenarios');
  const folders = readdirSync(root).filter((name) => name.startsWith('rtxen'));
  it.each(
    folders.flatMap((folder) => readdirSync(join(root, folder)).map((file) => [folder, file] as const)),
  )('%s/%s', (folder, file) => {
    const text = readFileSync(join(root, folder, file), 'utf8');
    const scenario = parse(text);
    expect(scenario.xen).toBe('rt-xen-2.0');
    const refused: string[] = [];
    const simulation = new Simulation(
      { ...scenario, durationNs: 350_000_000 },
      { wants: () => false, emit: () => undefined },
      { hooks: { onRefusal: (_tNs, command, why) => refused.push(`${command}: ${why}`) } },
    );
    simulation.runUntil(350_000_000);
    expect(refused).toEqual([]);
    const given = JSON.parse(text) as { actions?: object[]; domains: { adjust?: object[] }[] };
    expect(scenario.actions?.length).toBe(given.actions?.length);
    expect(scenario.domains.map(({ adjust }) => adjust?.length)).toEqual(
      given.domains.map(({ adjust }) => adjust?.length),
    );
  });
});
