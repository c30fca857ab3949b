import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { DomainParameters } from '../../src/analysis/analysis.ts';
import { UserError, UserErrors } from '../../src/base/errors.ts';
import {
  loadDomainParameters,
  parseDomainParameters,
  parseScenario,
  scenarioDomainParameters,
} from '../../src/scenario/index.ts';

/** What tools/xl/xl_sched.c prints, with its widths: "%-33s %4d %6d %4d\n". */
const xlCredit = (rows: readonly (readonly [string, number, number, number])[]) =>
  [
    'Cpupool Pool-0: tslice=30ms ratelimit=1000us migration-delay=0us',
    `${'Name'.padEnd(33)} ${'ID'.padStart(4)} ${'Weight'.padStart(6)} ${'Cap'.padStart(4)}`,
    ...rows.map(([name, id, weight, cap]) => {
      const numbers = [String(id).padStart(4), String(weight).padStart(6), String(cap).padStart(4)];
      return `${name.padEnd(33)} ${numbers.join(' ')}`;
    }),
    '',
  ].join('\n');

/** The messages of all mistakes, without the name of the file. */
function errorsOf(text: string): string[] {
  try {
    parseDomainParameters(text, 'domains');
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const errors = error instanceof UserErrors ? error.errors : [error];
    return errors.map(({ message }) => message.replace(/^domains:/, ''));
  }
}

describe('a list of domains', () => {
  it('may be YAML, with ids, names and everything that a domain is promised', () => {
    const text = `
- name: Domain-0
  weight: 512
- {id: 3, name: web, weight: 256, cap: 50, affinity: "0-3,6"}
- name: rt
  period: 10ms
  budget: 4ms
  extratime: no
  vcpus:
    - {period_us: 20000, budget_us: 5000}
    - {vcpu: 3, hard: [1, 2]}
`;
    const domains: ReadonlyMap<number, DomainParameters> = parseDomainParameters(text, 'x.yaml');
    expect(domains).toEqual(
      new Map<number, DomainParameters>([
        [0, { name: 'Domain-0', weight: 512 }],
        [3, { name: 'web', weight: 256, cap: 50, pcpus: [0, 1, 2, 3, 6] }],
        [
          4,
          {
            name: 'rt',
            reservation: { periodNs: 10_000_000, budgetNs: 4_000_000 },
            vcpus: new Map([
              [0, { reservation: { periodNs: 20_000_000, budgetNs: 5_000_000 } }],
              [3, { pcpus: [1, 2] }],
            ]),
          },
        ],
      ]),
    );
  });

  it('may be JSON, and may stand below "domains"', () => {
    const list = [{ id: 1, weight: 128 }, { weight: 64 }];
    const expected = new Map([
      [1, { weight: 128 }],
      [2, { weight: 64 }],
    ]);
    expect(parseDomainParameters(JSON.stringify(list), 'x.json')).toEqual(expected);
    expect(parseDomainParameters(JSON.stringify({ domains: list }), 'x.json')).toEqual(expected);
  });

  it.each([
    ['', ['1:1: the file is empty, expected a list of domains']],
    [
      'weight',
      [
        '1:1: the text is "weight", expected a list of domains such as "- {id: 1, weight: 512}" or what xl sched-credit prints',
      ],
    ],
    [
      'scheduler: credit',
      [
        '1:1: unknown key "scheduler", expected one of domains',
        '1:1: the file lacks "domains", expected a list of domains',
      ],
    ],
    ['- {id: 1, wieght: 5}', ['1:11: unknown key "wieght", did you mean "weight"?']],
    ['- {id: 1, weight: 0}', ['1:19: "weight" is 0, expected a whole number from 1 to 65535']],
    ['- {id: 1}\n- {id: 1}', ['2:8: domain id 1 is already in line 1']],
    ['- {id: 32751}\n- {weight: 5}', ['2:3: domain id 32752 is beyond the last, 32751']],
    ['- {period: 10ms}', ['1:4: "period" is given and "budget" is not, expected both']],
    ['- {budget: 10ms}', ['1:4: "budget" is given and "period" is not, expected both']],
    ['- {period: 1ms, budget: 10ms}', ['1:25: the budget of 10000 us is above the period of 1000 us']],
    [
      '- affinity: all,^0',
      [
        '1:13: "affinity" is all pCPUs but some, and how many there are is not known here, expected pCPUs such as 1-7',
      ],
    ],
    ['- {vcpus: 2}', ['1:11: "vcpus" is 2, expected a list such as [{vcpu: 0, affinity: 0-3}]']],
    ['- vcpus: [{vcpu: 1}, {vcpu: 1}]', ['1:22: vCPU 1 is already in line 1']],
    ['- {id: 1', [expect.stringContaining('not valid YAML')]],
  ])('%j is told apart', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });
});

describe('what xl prints', () => {
  it('sched-credit and sched-credit2: weights and caps, whatever is in a name', () => {
    const text = xlCredit([
      ['Domain-0', 0, 512, 0],
      ['a name with blanks', 7, 256, 150],
      ['a-name-that-is-longer-than-its-column-of-33', 12, 65_535, 0],
    ]);
    expect(parseDomainParameters(text, 'x')).toEqual(
      new Map([
        [0, { name: 'Domain-0', weight: 512, cap: 0 }],
        [7, { name: 'a name with blanks', weight: 256, cap: 150 }],
        [12, { name: 'a-name-that-is-longer-than-its-column-of-33', weight: 65_535, cap: 0 }],
      ]),
    );
  });

  it('any names and numbers come back', () => {
    const name = fc
      .stringMatching(/^[a-z]([a-z0-9 _.-]{0,40}[a-z0-9])?$/)
      .filter((text) => !/\s\s|xl /.test(text));
    const row = fc.tuple(name, fc.nat(32_751), fc.integer({ min: 1, max: 65_535 }), fc.nat(65_535));
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: ([, id]) => id, maxLength: 8 }), (rows) => {
        const expected = rows.map(([named, id, weight, cap]) => [id, { name: named, weight, cap }] as const);
        expect(parseDomainParameters(xlCredit(rows), 'x')).toEqual(new Map(expected));
      }),
    );
  });

  it('sched-rtds: of domains, of vCPUs, of Xen before extratime; with the prompt that it was pasted with', () => {
    const text = `root@host:~# xl sched-rtds\r
Cpupool Pool-0: sched=RTDS\r
Name                                ID    Period    Budget\r
web                                  1     10000      4000\r
root@host:~# xl sched-rtds -v all\r
Cpupool Pool-0: sched=RTDS\r
Name                                ID VCPU    Period    Budget  Extratime\r
web                                  1    0     20000      1000        yes\r
web                                  1    1     30000     30000         no\r
`;
    expect(parseDomainParameters(text, 'x')).toEqual(
      new Map([
        [
          1,
          {
            name: 'web',
            reservation: { periodNs: 10_000_000, budgetNs: 4_000_000 },
            vcpus: new Map([
              [0, { reservation: { periodNs: 20_000_000, budgetNs: 1_000_000 } }],
              [1, { reservation: { periodNs: 30_000_000, budgetNs: 30_000_000 } }],
            ]),
          },
        ],
      ]),
    );
  });

  it('several pools in one text; credit2 before it had caps', () => {
    const text = `${xlCredit([['web', 1, 256, 0]])}
Cpupool other: ratelimit=1000us
Name                                ID Weight
db                                   2    512
`;
    expect(parseDomainParameters(text, 'x')).toEqual(
      new Map([
        [1, { name: 'web', weight: 256, cap: 0 }],
        [2, { name: 'db', weight: 512 }],
      ]),
    );
  });

  const HEADER = 'Name                                ID Weight  Cap';
  it.each([
    [`${HEADER}\nweb`, ['2:1: "web" is no line of xl sched-credit, sched-credit2 or sched-rtds']],
    [
      `web 1 256 0\n${HEADER}`,
      ['1:1: "web 1 256 0" is no line of xl sched-credit, sched-credit2 or sched-rtds'],
    ],
    [`${HEADER}\n  web 1 0 0`, ['2:9: "Weight" is "0", expected a whole number from 1 to 65535']],
    [`${HEADER}\nweb 1 256 x`, ['2:11: "Cap" is "x", expected a whole number from 0 to 65535']],
    [`${HEADER}\nweb 1 256 0\nweb 1 256 0`, ['3:1: domain id 1 is already in line 2']],
    [
      'Name ID Slice\nweb 1 5',
      ['1:9: unknown column "Slice", expected one of ID, VCPU, Weight, Cap, Period, Budget, Extratime'],
    ],
    [
      'Name ID VCPU Period Budget Extratime\nweb 1 0 10 10 maybe',
      ['2:15: "Extratime" is "maybe", expected yes or no'],
    ],
  ])('%j is told apart', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });
});

describe('any text', () => {
  it('is read, or refused with a position', () => {
    const word = fc.constantFrom(
      'Name',
      'ID',
      'Weight',
      'web',
      '1',
      '256',
      '-',
      ':',
      '{',
      '}',
      '[',
      ']',
      ' ',
      '\n',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        try {
          parseDomainParameters(words.join(' '), 'x');
        } catch (error) {
          const errors = error instanceof UserErrors ? error.errors : [error];
          for (const one of errors) expect(one).toMatchObject({ name: 'UserError', position: { file: 'x' } });
        }
      }),
    );
  });
});

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-domains-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are read, and a mistake in one has its path, line and column', () => {
    const path = join(folder, 'domains.txt');
    writeFileSync(path, xlCredit([['web', 1, 300, 20]]));
    expect(loadDomainParameters(path)).toEqual(new Map([[1, { name: 'web', weight: 300, cap: 20 }]]));
    writeFileSync(path, '- {id: x}');
    expect(() => loadDomainParameters(path)).toThrow(`${path}:1:8: "id" is "x"`);
    expect(() => loadDomainParameters(folder)).toThrow('is a directory, expected a domains file');
    expect(() => loadDomainParameters(join(folder, 'none'))).toThrow('no such file');
  });
});

describe('a scenario', () => {
  it('promises what it gives; reservations only where the scheduler is RTDS', () => {
    const text = (scheduler: string) => `
scheduler: ${scheduler}
host: {pcpus: 4}
domains:
  - name: a
    weight: 512
    cap: 50
    affinity: 0-1
    vcpus: [hog, hog]
  - vcpus:
      - {workload: hog, rtds: {period: 20ms, budget: 5ms}}
      - {workload: hog, affinity: 3}
`;
    expect(scenarioDomainParameters(parseScenario(text('credit'), 'x'))).toEqual(
      new Map<number, DomainParameters>([
        [1, { name: 'a', weight: 512, cap: 50, pcpus: [0, 1] }],
        [
          2,
          {
            name: 'd2',
            weight: 256,
            vcpus: new Map([
              [0, {}],
              [1, { pcpus: [3] }],
            ]),
          },
        ],
      ]),
    );
    const standard = { budgetNs: 4_000_000, periodNs: 10_000_000 };
    expect(scenarioDomainParameters(parseScenario(text('rtds'), 'x'))).toEqual(
      new Map<number, DomainParameters>([
        [1, { name: 'a', weight: 512, cap: 50, pcpus: [0, 1], reservation: standard }],
        [
          2,
          {
            name: 'd2',
            vcpus: new Map<number, DomainParameters>([
              [0, { reservation: { budgetNs: 5_000_000, periodNs: 20_000_000 } }],
              [1, { pcpus: [3], reservation: standard }],
            ]),
          },
        ],
      ]),
    );
  });

  it('of RT-Xen, SEDF and ARINC653 it is what they reserve', () => {
    const reservations = (lines: string) => {
      const scenario = parseScenario(`duration: 1s\nhost: {pcpus: 1}\n${lines}`, 'x');
      return [...scenarioDomainParameters(scenario).values()].map(({ reservation, vcpus }) => {
        return vcpus === undefined ? reservation : [...vcpus.values()].map((vcpu) => vcpu.reservation);
      });
    };
    const ms = (budget: number, period: number) => ({ budgetNs: budget * 1e6, periodNs: period * 1e6 });
    const servers = `
domains:
  - vcpus: [{workload: hog, server: {period: 20ms, budget: 6ms}}]
  - vcpus: [hog, {workload: hog, rtds: {period: 30ms, budget: 3ms}}]
`;
    for (const scheduler of ['rtxen', 'rtpartition', 'rtglobal']) {
      expect(reservations(`scheduler: ${scheduler}${servers}`)).toEqual([ms(6, 20), [ms(4, 10), ms(3, 30)]]);
    }
    expect(
      reservations(`scheduler: sedf
xen: "4.4"
domains:
  - {sedf: {period: 10ms, slice: 2ms}, vcpus: [hog]}
  - {sedf: {weight: 5}, vcpus: [hog]}
  - {vcpus: [hog]}
`),
    ).toEqual([ms(2, 10), undefined, undefined]);
    expect(
      reservations(`scheduler: arinc653
arinc653:
  major_frame: 40ms
  entries: [{dom: 1, vcpu: 0, runtime: 10ms}, {dom: 2, vcpu: 0, runtime: 5ms}, {dom: 1, vcpu: 0, runtime: 6ms}]
domains:
  - vcpus: [hog]
  - vcpus: [hog, hog]
`),
    ).toEqual([ms(16, 40), [ms(5, 40), undefined]]);
  });
});
