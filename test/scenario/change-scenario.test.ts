import { describe, expect, test } from 'vitest';
import { changeScenario, parseScenario, type Scenario, type Setting } from '../../src/scenario/index.ts';

const TEXT = `
x-web: &web
  vcpus:
    - duty 1ms 2ms
    - workload: {periodic: {period: 10ms, burst: 1ms}}
      rtds: {period: 10ms, budget: 4ms}
xen: 4.20
duration_ns: 2000000000
pcpus: 2
params: {sched_credit_tslice_ms: 30}
domains:
  - {name: web, weight: 256, <<: *web}
  - {name: web.old, vcpus: [hog]}
  - {id: 7, vcpus: [hog, hog]}
`;

function changed(...settings: [path: string, value: string][]): Scenario {
  const list: Setting[] = settings.map(([path, value]) => ({ path, value }));
  return parseScenario(changeScenario(TEXT, 'test.yaml', list), 'test.yaml');
}

describe('a scenario with some keys changed', () => {
  test('is the same if nothing is changed: merges, versions and names survive', () => {
    expect(changed()).toEqual(parseScenario(TEXT, 'test.yaml'));
    expect(changed().xen).toBe('4.20');
  });

  test('boot parameters, keys of the scenario and of the host by their own names', () => {
    const scenario = changed(
      ['sched_credit_tslice_ms', '5'],
      ['sched_ratelimit_us', '0'],
      ['duration', '500ms'],
      ['pcpus', '4'],
      ['host.context_switch', '3us'],
    );
    expect(scenario.params).toEqual({ sched_credit_tslice_ms: 5, sched_ratelimit_us: 0 });
    expect(scenario.durationNs).toBe(500_000_000);
    expect(scenario.host).toMatchObject({ pcpus: 4, contextSwitchNs: 3000 });
  });

  test('keys of domains, by the longest name that fits, or by number', () => {
    const scenario = changed(['web.weight', '512'], ['web.old.weight', '128'], ['d7.cap', '50']);
    expect(scenario.domains.map(({ weight }) => weight)).toEqual([512, 128, undefined]);
    expect(scenario.domains[2].cap).toBe(50);
  });

  test('keys of all vCPUs of a domain, or of one; a workload alone becomes a vCPU', () => {
    const scenario = changed(['web.rtds.budget', '3ms'], ['d7.vcpus.1.workload', 'duty 1ms 9ms']);
    expect(scenario.domains[0].vcpus.map(({ rtds }) => rtds?.budgetUs)).toEqual([3000, 3000]);
    expect(scenario.domains[2].vcpus.map(({ workload }) => workload.kind)).toEqual(['hog', 'duty']);
  });

  test('deep into a workload', () => {
    const { domains } = changed(['web.vcpus.1.workload.periodic.deadline', '5ms']);
    expect(domains[0].vcpus[1].workload).toMatchObject({ kind: 'periodic', deadlineNs: 5_000_000 });
  });

  test('values are those of the language: lists, maps, random durations', () => {
    const scenario = changed(
      ['web.affinity', '"0,1"'],
      ['web.rtds', '{period: 20ms, budget: 5ms}'],
      ['d7.workload', '{duty: {run: exponential(1ms), sleep: uniform(1ms..2ms)}}'],
    );
    expect(scenario.domains[0].vcpus[0].hardAffinity).toEqual([0, 1]);
    expect(scenario.domains[0].vcpus[0].rtds).toMatchObject({ periodUs: 20_000, budgetUs: 5000 });
    expect(scenario.domains[2].vcpus[1].workload).toMatchObject({ run: { kind: 'exponential' } });
  });

  test.each([
    ['webb.weight', /"webb" is no domain, boot parameter or key.*did you mean "web"/],
    ['sched_ratelimit_ms', /did you mean "sched_ratelimit_us"/],
    ['web.wieght', /neither a domain nor a vCPU has a key "wieght".*did you mean "weight"/],
    ['web.vcpus.9.workload', /no item 9, it has 2/],
    ['duration.x', /"duration_ns" is no map|"duration" is no map/],
  ])('a path that leads nowhere is told: %s', (path, sentence) => {
    expect(() => changed([path, '1'])).toThrow(sentence);
  });

  test('a value that is no YAML is told', () => {
    expect(() => changed(['web.weight', '[1'])).toThrow(/not valid YAML/);
  });
});
