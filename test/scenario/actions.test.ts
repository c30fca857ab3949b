import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../src/scenario/index.ts';
import { errorsOf } from './errors-of.ts';

const HEAD = 'host: {pcpus: 4}\ndomains: [{name: web, vcpus: [hog, hog]}, {name: db, vcpus: [hog]}]\n';

function commandsOf(actions: string) {
  const scenario = parseScenario(`${HEAD}actions:\n${actions}`, 'test.yaml');
  return scenario.actions!.map(({ atNs, command }) => ({ atNs, ...command! }));
}

describe('actions', () => {
  it.each([
    [
      'sched-credit -d web -w 512',
      { kind: 'sched-domain', scheduler: 'credit', dom: 1, weight: 512, cap: undefined },
    ],
    [
      'sched-credit --domain=2 --cap 50',
      { kind: 'sched-domain', scheduler: 'credit', dom: 2, weight: undefined, cap: 50 },
    ],
    [
      'sched-credit2 -s -r 500',
      {
        kind: 'sched-pool',
        scheduler: 'credit2',
        cpupool: 'Pool-0',
        tsliceMs: undefined,
        ratelimitUs: 500,
        migrationDelayUs: undefined,
      },
    ],
    [
      'sched-credit -s -t 5 -m 100',
      {
        kind: 'sched-pool',
        scheduler: 'credit',
        cpupool: 'Pool-0',
        tsliceMs: 5,
        ratelimitUs: undefined,
        migrationDelayUs: 100,
      },
    ],
    [
      'sched-rtds -d web -v all -p 10000 -b 2500 -e 1',
      { kind: 'sched-vcpu', dom: 1, vcpu: undefined, periodUs: 10000, budgetUs: 2500, extratime: true },
    ],
    [
      'sched-rtxen -d web -v 1 -b 2500 -r 3 -k polling',
      {
        kind: 'sched-server',
        scheduler: 'rtxen',
        dom: 1,
        vcpu: 1,
        server: {
          periodUs: undefined,
          budgetUs: 2500,
          priority: 3,
          serverKind: 'polling',
          extratime: undefined,
        },
      },
    ],
    [
      'sched-rtpartition -d db -p 20 -b 5 -e 1',
      {
        kind: 'sched-server',
        scheduler: 'rtpartition',
        dom: 2,
        vcpu: 0,
        server: {
          periodUs: 20_000,
          budgetUs: 5000,
          priority: undefined,
          serverKind: undefined,
          extratime: true,
        },
      },
    ],
    [
      'sched-rtglobal -s -m rm -k periodic',
      {
        kind: 'sched-pool',
        scheduler: 'rtglobal',
        cpupool: 'Pool-0',
        tsliceMs: undefined,
        ratelimitUs: undefined,
        migrationDelayUs: undefined,
        serverKind: 'periodic',
        scheme: 'rm',
      },
    ],
    ['vcpu-pin web 1 0-2,^1', { kind: 'vcpu-pin', dom: 1, vcpu: 1, hard: [0, 2], soft: undefined }],
    ['vcpu-pin web all - 3', { kind: 'vcpu-pin', dom: 1, vcpu: undefined, hard: undefined, soft: [3] }],
    ['vcpu-pin db 0 all', { kind: 'vcpu-pin', dom: 2, vcpu: 0, hard: [0, 1, 2, 3], soft: undefined }],
    ['pause db', { kind: 'pause', dom: 2 }],
    ['destroy 1', { kind: 'destroy', dom: 1 }],
    ['vcpu-set web 1', { kind: 'vcpu-set', dom: 1, count: 1 }],
    [
      `cpupool-create name="p2" sched='rtds' cpus=2-3`,
      { kind: 'cpupool-create', cpupool: 'p2', scheduler: 'rtds', pcpus: [2, 3] },
    ],
    ['cpupool-cpu-remove Pool-0 3', { kind: 'cpupool-cpu-remove', cpupool: 'Pool-0', pcpus: [3] }],
    ['cpupool-migrate db Pool-0', { kind: 'cpupool-migrate', dom: 2, cpupool: 'Pool-0' }],
  ])('%s', (text, expected) => {
    expect(commandsOf(`  - at 2s: ${text}\n`)).toEqual([{ atNs: 2e9, text, ...expected }]);
  });

  it('come in the order of time, several at an instant in the order of the text', () => {
    const text =
      '  - at 2s: [pause 1, unpause  1]\n  - {at: 1s, do: pause 2}\n  - at 1500 ms: cpupool-create name=x sched=null cpus=1\n' +
      '  - at 2s: cpupool-destroy x\n';
    expect(commandsOf(text).map(({ atNs, text: command }) => [atNs / 1e9, command])).toEqual([
      [1, 'pause 2'],
      [1.5, 'cpupool-create name=x sched=null cpus=1'],
      [2, 'pause 1'],
      [2, 'unpause 1'],
      [2, 'cpupool-destroy x'],
    ]);
  });

  it.each([
    ['at 2s: sched-credti -d 1', ['4:12: unknown action "sched-credti", did you mean "sched-credit"?']],
    ['at 2s: pause wbe', ['4:18: unknown domain "wbe", did you mean "web"?']],
    ['at 2s: pause', ['4:12: "pause" lacks DOMAIN, expected "pause DOMAIN"']],
    ['at 2s: pause web db', ['4:22: "db" is too much, expected "pause DOMAIN"']],
    ['at soon: pause web', [expect.stringMatching(/^4:5: "at": "soon" is not a duration/)]],
    ['at 2s: sched-credit -d 1 -w 0', ['4:33: "-w" is "0", expected a whole number from 1 to 65535']],
    ['at 2s: sched-credit -d 1 --weigth 9', ['4:30: unknown option "--weigth", did you mean "--weight"?']],
    [
      'at 2s: sched-credit -d 1 -w',
      ['4:30: option "-w" lacks its value, expected a whole number from 1 to 65535'],
    ],
    [
      'at 2s: sched-credit -w 9',
      [
        '4:12: "sched-credit" lacks -d, expected "sched-credit -d DOMAIN [-w WEIGHT] [-c CAP]" or ' +
          '"sched-credit -s [-t TSLICE_MS] [-r RATELIMIT_US] [-m MIGRATION_DELAY_US] [-p CPUPOOL]"',
      ],
    ],
    [
      'at 2s: sched-rtds -d 1 -p 10000 -b 4000 -e 0',
      [
        '4:12: "sched-rtds" lacks -v, expected "sched-rtds -d DOMAIN -v VCPU|all -p PERIOD_US -b BUDGET_US -e 0|1"',
      ],
    ],
    [
      'at 2s: vcpu-pin web 0 3-9',
      ['4:27: "HARD" names pCPU 4, which does not exist: the host has pCPUs 0 to 3'],
    ],
    ['at 2s: cpupool-migrate web Pool-1', ['4:32: unknown cpupool "Pool-1", did you mean "Pool-0"?']],
    [
      'at 2s: cpupool-create name=x sched=bvt cpus=1',
      [
        '4:40: unknown scheduler "bvt", expected one of credit, credit2, rtds, null, arinc653, sedf, rtxen, rtglobal, rtpartition, bcredit',
      ],
    ],
    [
      'at 2s: sched-rtxen -d web -v 0 -k lazy',
      ['4:39: "-k" is "lazy", expected one of deferrable, periodic, polling, sporadic'],
    ],
    [
      'at 2s: sched-rtglobal -s -d web',
      [expect.stringMatching(/^4:12: "sched-rtglobal" has -s and --domain, expected "sched-rtglobal -d/)],
    ],
    [
      'at 2s: sched-rtxen -s',
      [expect.stringMatching(/^4:12: "sched-rtxen" says nothing to change, expected/)],
    ],
    [
      'at 2s: sched-rtxen -d web',
      [expect.stringMatching(/^4:12: "sched-rtxen" lacks -v, expected "sched-rtxen -d DOMAIN -v/)],
    ],
    [
      'at 2s: sched-rtpartition -d web -m rm',
      [expect.stringMatching(/^4:12: "sched-rtpartition" has --scheme without -s, expected/)],
    ],
    ['{t_ns: 5, dom: 9, period_ms: 10}', ['4:20: unknown domain "9", expected one of 1, 2']],
    ['at 2s: 7', ['4:12: an action is text, such as "sched-credit -d 1 -w 512"']],
    ['{do: pause 1}', ['4:5: an action lacks "at", expected for example "at 2s: pause 1"']],
  ])('%s is a mistake', (action, messages) => {
    const errors = errorsOf(`${HEAD}actions:\n  - ${action}\n`);
    expect(errors.length).toBe(messages.length);
    expect(errors).toEqual(messages);
  });
});

describe('cpupools', () => {
  const POOL = 'cpupools: [{name: rt, scheduler: rtds, pcpus: 2-3}]\n';

  it('have names, schedulers and pCPUs, and domains in them', () => {
    const scenario = parseScenario(
      `host: {pcpus: 4}\n${POOL}params: {sched_credit_tslice_ms: 5}\ndomains: [{cpupool: rt, vcpus: [hog]}]\n`,
      'test.yaml',
    );
    expect(scenario.cpupools).toEqual([{ name: 'rt', scheduler: 'rtds', pcpus: [2, 3] }]);
    expect(scenario.domains[0]!.cpupool).toBe('rt');
  });

  it.each([
    ['cpupools: [{name: a, pcpus: 0-1}]', ['2:29: "pcpus" names pCPU 0, which stays in Pool-0']],
    [
      'cpupools: [{name: a, pcpus: 1}, {name: b, pcpus: 1-2}]',
      ['2:50: "pcpus" names pCPU 1, which is in cpupool "a" already'],
    ],
    ['cpupools: [{name: a, pcpus: 1}, {name: a, pcpus: 2}]', ['2:40: there is a cpupool "a" already']],
    [
      'cpupools: [{name: a}]',
      ['2:12: a cpupool lacks "pcpus", expected for example "{name: rt, pcpus: 2-3}"'],
    ],
    [
      'cpupools: [{name: a, pcpus: 9}]',
      ['2:29: "pcpus" names pCPU 9, which does not exist: the host has pCPUs 0 to 3'],
    ],
    [
      'xen: "4.0"\ncpupools: [{name: a, pcpus: 1}]',
      ['3:1: there are no cpupools in Xen 4.0, they came with 4.1'],
    ],
    [
      'xen: "4.0"\nactions: [at 1s: cpupool-cpu-remove Pool-0 1]',
      ['3:1: there are no cpupools in Xen 4.0, they came with 4.1'],
    ],
    ['domains: [{cpupool: rt, vcpus: [hog]}]', ['2:21: unknown cpupool "rt", expected one of Pool-0']],
    [
      'domains: [{cpupool: rt, vcpus: [hog]}]\nactions: [at 1s: cpupool-create name=rt sched=rtds cpus=1]',
      ['2:21: cpupool "rt" is not there from the start, as the domain is'],
    ],
    [
      'cpupools: [{name: a, pcpus: 1}]\ndomains: [{cpupool: a, affinity: 2, vcpus: [hog]}]',
      ['3:21: an affinity names no pCPU of cpupool "a"'],
    ],
  ])('%s is a mistake', (text, messages) => {
    const domains = text.includes('domains:') ? '' : 'domains: [{vcpus: [hog]}]\n';
    expect(errorsOf(`host: {pcpus: 4}\n${text}\n${domains}`)).toEqual(messages);
  });
});
