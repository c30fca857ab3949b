import { describe, expect, it } from 'vitest';
import { UserError, UserErrors } from '../../src/base/errors.ts';
import { parseScenario } from '../../src/scenario/index.ts';
import { errorsOf } from './errors-of.ts';

const HOG = 'domains: [{vcpus: [hog]}]\n';

describe('mistakes in a scenario', () => {
  it('are all told at once, in the order of the text, each with line, column and what was expected', () => {
    const text = `name: 42
sched: credti
duraton: 2s
host: {pcpus: 4, cores: 2, tsc_hz: 2.4THz}
params:
  sched_credit_tslice: 5
  sched_ratelimit_us: 5
domains:
  - id: 1
    wieght: 5
    weight: 0
    vcpus:
      - workload: duty 1ms 9msec
      - {workload: hog, affinity: 0-3x}
      - periodic: {period: 10ms}
      - workload: hog
        rtds: {period: 10ms, budget: 20ms, extra: 1}
  - id: 1
    vcpus: []
`;
    expect(errorsOf(text)).toEqual([
      '2:8: "sched" is "credti", expected one of credit, credit2, rtds, null, arinc653, sedf, rtxen, rtglobal, rtpartition, bcredit',
      '3:1: unknown key "duraton", did you mean "duration"?',
      '4:15: "pcpus" is 4, but the topology (1 socket x 2 cores x 1 thread) has 2 pCPUs',
      '4:36: "tsc_hz" is "2.4THz", expected a frequency from 1MHz to 100GHz, such as 2.4GHz or a whole number of Hz',
      '6:3: unknown boot parameter "sched_credit_tslice", did you mean "sched_credit_tslice_ms"?',
      '7:23: "sched_ratelimit_us" is 5, expected 0 or a whole number from 100 to 500000 (microseconds)',
      '10:5: unknown key "wieght", did you mean "weight"?',
      '11:13: "weight" is 0, expected a whole number from 1 to 65535',
      '13:28: "sleep": "9msec" has an unknown unit "msec", known are ns, us, ms, s, min and h',
      '14:35: "affinity" is "0-3x", expected pCPUs such as 0-3,6 or [0, 1, 2, 3, 6] or all',
      '15:9: unknown key "periodic", expected the workload below "workload", as in "workload: {periodic: ...}"',
      '17:38: the budget of 20000 us is above the period of 10000 us',
      '17:44: unknown key "extra", did you mean "extratime"?',
      '18:9: domain id 1 is already taken in line 9',
      '19:12: "vcpus" is an empty list, expected a list such as [hog]',
    ]);
  });

  it('come as one UserError each, with position and code', () => {
    const both = () => parseScenario('seed: -1\nxen: 3.0\n', 'x.yaml');
    expect(both).toThrow(UserErrors);
    try {
      both();
    } catch (error) {
      const { errors } = error as UserErrors;
      expect(errors.map(({ code, position }) => [code, position])).toEqual([
        ['scenario-missing-key', { file: 'x.yaml', line: 1, column: 1 }],
        ['scenario-bad-value', { file: 'x.yaml', line: 1, column: 7 }],
        ['scenario-bad-value', { file: 'x.yaml', line: 2, column: 6 }],
      ]);
    }
  });

  it.each([
    ['', ['1:1: the file is empty, expected a scenario']],
    ['# nothing\n', ['1:1: the file is empty, expected a scenario']],
    [
      '- 1',
      ['1:1: a scenario is a list, expected a map with keys such as name, description, xen, scheduler'],
    ],
    ['seed: 1', ['1:1: the scenario lacks "domains", expected a list of domains']],
    ['domains: 5', ['1:10: "domains" is 5, expected a list of domains']],
    ['domains: [5]', ['1:11: a domain is 5, expected a map with keys such as id, name, weight, cap']],
    ['domains: [{id: 1}]', ['1:11: a domain lacks "vcpus", expected a list such as [hog]']],
    ['domains: [{vcpus: hog}]', ['1:19: "vcpus" is "hog", expected a list such as [hog]']],
    [
      'domains: [{vcpus: [{count: 2}]}]',
      ['1:20: a vCPU lacks "workload", expected for example "workload: hog"'],
    ],
    [
      'domains: [{vcpus: [[hog]]}]',
      ['1:20: a vCPU is a list, expected a map with keys such as workload, count, offset_step, yield_every'],
    ],
    [
      'domains: [{id: 32752, vcpus: [hog]}]',
      ['1:16: "id" is 32752, expected a whole number from 0 to 32751'],
    ],
    [
      'domains: [{id: 32751, vcpus: [hog]}, {vcpus: [hog]}]',
      ['1:38: domain id 32752 is beyond the last, 32751'],
    ],
    [
      'domains: [{vcpus: [{workload: hog, count: 8193}]}]',
      ['1:43: "count" is 8193, expected a whole number from 1 to 8192'],
    ],
    [
      'domains: [{vcpus: [hog, {workload: hog, count: 8192}]}]',
      ['1:25: too many vCPUs, expected at most 8192 in a domain and 65536 in all'],
    ],
    [
      'domains: [{weight: 65536, vcpus: [hog]}]',
      ['1:20: "weight" is 65536, expected a whole number from 1 to 65535'],
    ],
    [
      'domains: [{cap: 101, vcpus: [hog]}]',
      ['1:17: "cap" is 101, expected at most 100: 100 percent for each vCPU, as libxl demands'],
    ],
    [
      'domains: [{cap: 1.5, vcpus: [hog]}]',
      ['1:17: "cap" is 1.5, expected a whole number from 0 to 65535 (percent of one pCPU, 0 is no cap)'],
    ],
    [
      'domains: [{affinity: 1, vcpus: [hog]}]',
      ['1:22: "affinity" names pCPU 1, which does not exist: the host has only pCPU 0'],
    ],
    [
      'pcpus: 4\ndomains: [{vcpus: [{workload: hog, hard: [0, 4]}]}]',
      ['2:42: "hard" names pCPU 4, which does not exist: the host has pCPUs 0 to 3'],
    ],
    [
      'domains: [{affinity: [], vcpus: [hog]}]',
      ['1:22: "affinity" is an empty list, expected at least one pCPU'],
    ],
    [
      'domains: [{affinity: "0,^0", vcpus: [hog]}]',
      ['1:22: "affinity" is "0,^0", expected at least one pCPU'],
    ],
    ['domains: [{affinity: "all,^0", vcpus: [hog]}]', [`1:22: "affinity" leaves none of the host's pCPUs`]],
    ['domains: [{affinity: 3-1, vcpus: [hog]}]', ['1:22: "affinity": the range "3-1" runs backwards']],
    [
      'domains: [{vcpus: [{workload: hog, rtds: {period_us: 100, budget_us: 101}}]}]',
      ['1:70: the budget of 101 us is above the period of 100 us'],
    ],
    [
      'domains: [{vcpus: [{workload: hog, rtds: {period: 3ms}}]}]',
      ['1:51: the budget of 4000 us is above the period of 3000 us'],
    ],
    [
      'domains: [{vcpus: [{workload: hog, rtds: {period: 10.5us, budget: 10us}}]}]',
      ['1:51: "period" is no whole number of microseconds, as RTDS demands'],
    ],
    [
      'domains: [{vcpus: [{workload: hog, rtds: {budget: 9us}}]}]',
      ['1:51: "budget" is 9us, expected a duration of at least 10000 ns'],
    ],
    [`duration: 0\n${HOG}`, ['1:11: "duration" is 0, expected a duration of at least 1 ns']],
    [`duration: -2s\n${HOG}`, ['1:11: "duration": "-2s" is negative, a duration is not']],
    [
      `duration_ns: 2s\n${HOG}`,
      ['1:14: "duration_ns" is "2s", expected a whole number of nanoseconds of at least 1'],
    ],
    [
      `duration: 9007199254740992\n${HOG}`,
      ['1:11: "duration": "9007199254740992" is too long, at most 2^53 - 1 ns (104 days) can be counted'],
    ],
    [
      `duration: 99999999999999999999\n${HOG}`,
      ['1:11: "duration": "99999999999999999999" is too long, at most 2^53 - 1 ns (104 days) can be counted'],
    ],
    [
      `duration: 2s\nduration_ns: 5\n${HOG}`,
      ['2:1: "duration_ns" sets what "duration" in line 1 sets, expected only one of them'],
    ],
    [
      `host: {pcpus: 2}\npcpus: 2\n${HOG}`,
      ['1:8: "pcpus" sets what "pcpus" in line 2 sets, expected only one of them'],
    ],
    [
      `seed: 9007199254740992\n${HOG}`,
      ['1:7: "seed" is 9007199254740992, expected a whole number of at least 0'],
    ],
    [
      `xen: 3.2\n${HOG}`,
      ['1:6: "xen" is "3.2", expected 3.3, 3.4, 4.0 to 4.22, 4.6-rfc, rt-xen-2.0 or head'],
    ],
    [
      `host: {sockets: 64, cores: 64, threads: 2}\n${HOG}`,
      ['1:21: the topology (64 sockets x 64 cores x 2 threads) has 8192 pCPUs, at most 4095 are'],
    ],
    [
      `host: {pcpus: 3, threads: 2}\n${HOG}`,
      ['1:15: "pcpus" is 3, but the topology (1 socket x 1 core x 2 threads) has 2 pCPUs'],
    ],
    [
      `host: {pcpus: 2, nodes: 2}\n${HOG}`,
      ['1:25: "nodes" is 2, expected at most one for each of the 1 socket'],
    ],
    [`host: {tsc_skew: [1, 2]}\n${HOG}`, ['1:18: "tsc_skew" has 2 values, the host has 1 pCPU']],
    [
      `host: {tsc_base: 5, tsc_skew: [-6]}\n${HOG}`,
      ['1:18: a TSC would start below 0, expected tsc_base to cover the skew'],
    ],
    [
      `host: {tsc_base: 18446744073709551615}\n${HOG}`,
      ['1:18: a TSC would overflow 64 bits before the run ends'],
    ],
    [
      `params: {credit2_runqueue: all}\n${HOG}`,
      ['1:10: boot parameter "credit2_runqueue" belongs to credit2, not to credit'],
    ],
    [
      `xen: "4.17"\nparams: {load-balance-ratelimit: 0}\n${HOG}`,
      ['2:10: boot parameter "load-balance-ratelimit" exists since Xen 4.18, the scenario models 4.17'],
    ],
    [`trace: {events: all}\n${HOG}`, ['1:17: "events" is "all", expected a 32-bit mask such as 0x0002f000']],
    [`host: 5\n${HOG}`, ['1:7: host is 5, expected a map with keys such as pcpus, sockets, cores, threads']],
    [
      'name: [a]\nname: b\ndomains: []',
      ['1:7: "name" is a list, expected text of 1 to 200 characters', '2:1: key "name" is already in line 1'],
    ],
    [
      `zebra: 1\n${HOG}`,
      [
        '1:1: unknown key "zebra", expected one of name, description, xen, scheduler, params, duration, seed, host, topology, trace, arinc653, cpupools, actions, domains',
      ],
    ],
  ])('%j', (text, messages) => {
    expect(errorsOf(text)).toEqual(messages);
  });

  it.each([
    ['a: [1, 2', /^1:9: not valid YAML: /],
    ['a:\n\t- b', /^2:1: not valid YAML: tabs are not allowed as indentation/],
    [`${HOG}---\n${HOG}`, /^2:1: a second document begins here, expected one scenario in a file/],
    ['domains: !foo 1', /^1:10: unknown tag "!foo", a scenario needs none/],
    ['domains: *x', /^1:10: alias "x" has no anchor before it/],
    ['? [a]\n: 1', /^1:3: a key is a word, not a list, a map or an alias/],
    ['domains: &x [*x]', /nested too deeply/],
    [`domains: ${'['.repeat(500)}${']'.repeat(500)}`, /nested too deeply/],
    ['domains: !!binary aGVsbG8=', /^1:19: a value is text, a number, true or false/],
    ['<<: 5\ndomains: []', /^1:5: "<<" merges maps/],
  ])('%j is no scenario', (text, message) => {
    expect(errorsOf(text)[0]).toMatch(message);
  });

  it('survives texts that are nested beyond any stack', () => {
    for (const text of [
      `domains: ${'['.repeat(100_000)}`,
      `${'{a: '.repeat(100_000)}${'}'.repeat(100_000)}`,
    ]) {
      expect(errorsOf(text)[0]).toMatch(/^1:\d+: the text is nested too deeply$/);
    }
  });

  it('sees that a comma inside {} was meant to belong to the value before it', () => {
    expect(errorsOf('pcpus: 8\ndomains: [{affinity: 0-3,6, vcpus: [hog]}]')).toEqual([
      '2:26: "6" is no key: inside {} a comma ends a value, expected quotes around a value that has one',
    ]);
  });

  it('stops a text that aliases would blow up', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i += 1)
      lines.push(`a${i}: &a${i} [${new Array(10).fill(`*a${i - 1}`).join(', ')}]`);
    expect(errorsOf(lines.join('\n'))).toContain('1:1: the text is too large once its aliases are expanded');
  });

  it('lists fifty mistakes and counts the rest', () => {
    const errors = errorsOf(Array.from({ length: 200 }, (_, i) => `zebra${i}: 1`).join('\n'));
    expect(errors).toHaveLength(51);
    expect(errors.at(-1)).toBe('50:1: and 151 more mistakes from here on');
  });

  it('does not follow up on a mistake with others that it only causes', () => {
    // The host is not known, so neither the affinity nor the cap of what cannot be counted is judged.
    const text = 'pcpus: four\ndomains: [{affinity: 9, cap: 900, vcpus: [{workload: hogg}]}]';
    expect(errorsOf(text)).toEqual([
      '1:8: "pcpus" is "four", expected a whole number from 1 to 4095',
      '2:54: unknown workload "hogg", did you mean "hog"?',
    ]);
  });

  it.each([
    [{ xen: '3.2' }, 'Xen "3.2" is not known, expected 3.3, 3.4, 4.0 to 4.22, 4.6-rfc, rt-xen-2.0 or head'],
    [{ scheduler: 'creditt' }, 'unknown scheduler "creditt", did you mean "credit"?'],
    [{ seed: -1 }, 'the seed is -1, expected a whole number from 0 to 2^53 - 1'],
    [{ durationNs: 0 }, 'the duration is 0 ns, expected at least 1 ns'],
  ])('refuses the override %j', (overrides, message) => {
    const attempt = expect(() => parseScenario(HOG, 'x.yaml', overrides));
    attempt.toThrow(UserError);
    attempt.toThrow(message);
  });
});
