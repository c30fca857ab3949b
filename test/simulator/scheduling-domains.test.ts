/**
 * Scheduling domains on credit. No C code of them is to be had: the cases are calculated by hand from what
 * the announcement of May 2007 says, that a group has the time slices of its master and shares them.
 */
import { describe, expect, test } from 'vitest';
import { parseScenario, type Scenario } from '../../src/scenario/index.ts';
import { Simulation } from '../../src/simulator/index.ts';
import { errorsOf } from '../scenario/errors-of.ts';
import { MemorySink } from './memory-sink.ts';

const MS = 1_000_000;
const TSLICE = 30 * MS;

interface Run {
  /** CPU time by domain. */
  readonly ranNs: Record<number, number>;
  /** What ran when: from, to, vCPU, of each pCPU. */
  readonly stretches: {
    readonly fromNs: number;
    readonly toNs: number;
    readonly pcpu: number;
    readonly who: string;
  }[];
  readonly refused: string[];
  /** Words of the records of joining and leaving. */
  readonly changes: number[][];
}

function run(scenario: Scenario): Run {
  const { pcpus } = scenario.host;
  const sink = new MemorySink(pcpus, scenario.trace.eventMask);
  const refused: string[] = [];
  const stretches: Run['stretches'] = [];
  const since = Array.from({ length: pcpus }, () => ({ fromNs: 0, who: 'd32767v0' }));
  const hooks = {
    onRefusal: (_tNs: number, command: string, why: string) => refused.push(`${command}: ${why}`),
    onSwitch(tNs: number, pcpu: number, dom: number, vcpu: number) {
      stretches.push({ ...since[pcpu]!, toNs: tNs, pcpu });
      since[pcpu] = { fromNs: tNs, who: `d${dom}v${vcpu}` };
    },
  };
  const simulation = new Simulation(scenario, sink, { hooks });
  simulation.runUntil(scenario.durationNs);
  for (const [pcpu, last] of since.entries()) stretches.push({ ...last, toNs: scenario.durationNs, pcpu });
  const ranNs: Record<number, number> = {};
  for (const { dom, runNs } of simulation.vcpuTimes()) ranNs[dom] = (ranNs[dom] ?? 0) + runNs;
  return {
    ranNs,
    stretches,
    refused,
    changes: changesOf(Array.from({ length: pcpus }, (_, id) => sink.drain(id))),
  };
}

function changesOf(traces: readonly ArrayLike<number>[]): number[][] {
  const found: number[][] = [];
  for (const trace of traces) {
    const words = Array.from(trace);
    for (let at = 0; at < words.length; ) {
      const size = 1 + (words[at]! >>> 31) * 2 + ((words[at]! >>> 28) & 7);
      const event = words[at]! & 0x0fffffff;
      if (event === 0x24301 || event === 0x24302)
        found.push([event & 0xf, ...words.slice(at + 3, at + size)]);
      at += size;
    }
  }
  return found;
}

const runText = (text: string) => run(parseScenario(text, 'x.yaml'));
const VERSIONS = ['3.3', '4.1', '4.7', '4.17', 'head'];

describe.each(VERSIONS)('on Xen %s', (xen) => {
  test('a master with a cap of 10 % and its members get 10 % together, by turns', () => {
    const { ranNs, stretches } = runText(`
xen: "${xen}"
duration: 12s
domains:
  - {cap: 10, vcpus: [hog]}
  - {vcpus: [hog], scheduling_domain: d1}
  - {vcpus: [hog], scheduling_domain: 1}
`);
    expect(Math.abs(ranNs[1]! + ranNs[2]! + ranNs[3]! - 1200 * MS)).toBeLessThanOrEqual(TSLICE);
    // Each turn is a time slice, or what is left of one when the cap is used up.
    for (const dom of [1, 2, 3]) expect(Math.abs(ranNs[dom]! - 400 * MS)).toBeLessThanOrEqual(2 * TSLICE);
    const turns = stretches.map(({ who }) => who).filter((who) => who !== 'd32767v0');
    for (const [i, who] of turns.slice(0, -3).entries()) expect(turns[i + 3]).toBe(who);
    expect(new Set(turns.slice(0, 3)).size).toBe(3);
  });

  test('the weight is the master’s, however many share it', () => {
    const { ranNs } = runText(`
xen: "${xen}"
duration: 9s
domains:
  - {weight: 512, vcpus: [hog]}
  - {weight: 256, vcpus: [hog]}
  - {weight: 4096, vcpus: [hog], scheduling_domain: d1}
  - {weight: 4096, vcpus: [hog], scheduling_domain: d1}
`);
    expect(Math.abs(ranNs[1]! + ranNs[3]! + ranNs[4]! - 6000 * MS)).toBeLessThanOrEqual(4 * TSLICE);
    expect(Math.abs(ranNs[2]! - 3000 * MS)).toBeLessThanOrEqual(4 * TSLICE);
  });

  test('what the master does not use is its members’', () => {
    const { ranNs } = runText(`
xen: "${xen}"
duration: 3s
domains:
  - {cap: 20, vcpus: [idle]}
  - {vcpus: [hog], scheduling_domain: d1}
`);
    expect(ranNs[1]).toBe(0);
    expect(Math.abs(ranNs[2]! - 600 * MS)).toBeLessThanOrEqual(TSLICE);
  });

  test('no more of a group run at once than its master has vCPUs', () => {
    const { ranNs, stretches } = runText(`
xen: "${xen}"
duration: 2s
pcpus: 4
domains:
  - {vcpus: [hog, hog]}
  - {vcpus: [hog, hog, hog], scheduling_domain: d1}
`);
    expect(ranNs[1]! + ranNs[2]!).toBe(4000 * MS);
    const starts = stretches.filter(({ who }) => who !== 'd32767v0').map(({ fromNs }) => fromNs);
    for (const at of starts) {
      const running = stretches.filter(
        ({ fromNs, toNs, who }) => who !== 'd32767v0' && fromNs <= at && at < toNs,
      );
      expect(running.length).toBeLessThanOrEqual(2);
    }
    // vCPUs 0 and 2 of the member share one time slice with the master's first, vCPU 1 another with its
    // second.
    expect(Math.abs(ranNs[1]! - (1 / 3 + 1 / 2) * 2000 * MS)).toBeLessThanOrEqual(2 * TSLICE);
  });
});

describe('at run time', () => {
  const text = (actions: string) => `
duration: 6s
domains:
  - {name: guest, cap: 10, vcpus: [hog]}
  - {name: stub, vcpus: [hog]}
actions: ${actions}`;

  test('who joins is at once under the cap, and who leaves is not', () => {
    const { ranNs, changes } = runText(
      text('[at 2s: nemesis add guest stub, at 4s: nemesis remove guest stub]'),
    );
    // Alone the stub has all but 10 %; for 2 s in between both have 10 %.
    const ownNs = 2 * 2000 * 0.9 * MS;
    expect(Math.abs(ranNs[2]! - (ownNs + 100 * MS))).toBeLessThanOrEqual(3 * TSLICE);
    expect(Math.abs(ranNs[1]! - 500 * MS)).toBeLessThanOrEqual(3 * TSLICE);
    expect(changes).toEqual([
      [1, 1, 2],
      [2, 1, 2, 0],
    ]);
  });

  test('the end of the scheduling domain frees its members', () => {
    const { ranNs, changes } = runText(text('[at 2s: nemesis add 1 2, at 3s: nemesis destroy guest]'));
    expect(Math.abs(ranNs[2]! - (5000 * 0.9 + 50) * MS)).toBeLessThanOrEqual(3 * TSLICE);
    expect(changes).toEqual([
      [1, 1, 2],
      [2, 1, 2, 1],
    ]);
  });

  test('a master that dies leaves its members on their own', () => {
    const { ranNs, changes } = runText(text('[at 2s: nemesis add guest stub, at 4s: destroy guest]'));
    expect(Math.abs(ranNs[2]! - (2000 * 0.9 + 100 + 2000) * MS)).toBeLessThanOrEqual(3 * TSLICE);
    expect(changes.at(-1)).toEqual([2, 1, 2, 2]);
  });

  test('a member that dies leaves the time slices to the others', () => {
    const { ranNs, changes } = runText(text('[at 2s: nemesis add guest stub, at 4s: destroy stub]'));
    expect(Math.abs(ranNs[1]! - 500 * MS)).toBeLessThanOrEqual(3 * TSLICE);
    expect(changes.at(-1)).toEqual([2, 1, 2, 3]);
  });

  test('a paused master’s time slices are its members’', () => {
    const { ranNs } = runText(text('[at 0s: nemesis add guest stub, at 3s: pause guest]'));
    expect(Math.abs(ranNs[1]! - 150 * MS)).toBeLessThanOrEqual(2 * TSLICE);
    expect(Math.abs(ranNs[2]! - 450 * MS)).toBeLessThanOrEqual(2 * TSLICE);
  });

  test.each([
    ['nemesis add 1 1', 'domain 1 cannot share its own time slices'],
    ['nemesis remove 1 2', 'domain 2 does not share the time slices of domain 1'],
    ['nemesis destroy 1', 'domain 1 is no master'],
  ])('%s is refused: %s', (command, why) => {
    expect(runText(text(`[at 1s: ${command}]`)).refused).toEqual([`${command}: ${why}`]);
  });

  test('nobody is in two scheduling domains, and none is in another', () => {
    const { refused } = runText(`
duration: 100ms
domains: [{vcpus: [hog]}, {vcpus: [hog]}, {vcpus: [hog]}]
actions:
  - at 10ms: [nemesis add 1 2, nemesis add 3 2, nemesis add 2 3, nemesis add 3 1]
  - at 20ms: [destroy 3, nemesis add 1 3]`);
    expect(refused).toEqual([
      'nemesis add 3 2: domain 2 shares the time slices of domain 1',
      'nemesis add 2 3: domain 2 shares the time slices of domain 1',
      'nemesis add 3 1: domain 1 is a master',
      'nemesis add 1 3: there is no domain 3',
    ]);
  });

  test('a domain whose master is not there is not created, and one whose master is joins it', () => {
    const { refused, changes, ranNs } = runText(`
duration: 3s
domains:
  - {cap: 10, vcpus: [hog]}
  - {vcpus: [hog], scheduling_domain: d1}
  - {vcpus: [hog], scheduling_domain: d1}
actions: [{at 1s: create 2}, {at 2s: [destroy 1, create 3]}]`);
    expect(refused).toEqual(['create 3: there is no domain 1']);
    expect(changes).toEqual([
      [1, 1, 2],
      [2, 1, 2, 2],
    ]);
    expect(ranNs[3]).toBeUndefined();
  });

  test('credit alone has them', () => {
    const { refused } = runText(`scheduler: credit2\n${text('[at 1s: nemesis add 1 2]')}`);
    expect(refused).toEqual(['nemesis add 1 2: credit2 has no scheduling domains']);
  });

  test('a member where the master does not go runs when the master sleeps, and only where it may', () => {
    const { ranNs, stretches } = runText(`
duration: 1s
pcpus: 2
domains:
  - {affinity: 0, vcpus: [duty 10ms 10ms]}
  - {affinity: 1, vcpus: [hog], scheduling_domain: d1}
`);
    const places = new Set(stretches.map(({ who, pcpu }) => `${who} ${pcpu}`));
    expect([...places].filter((place) => !place.startsWith('d32767')).sort()).toEqual(['d1v0 0', 'd2v0 1']);
    expect(ranNs[1]! + ranNs[2]!).toBeLessThanOrEqual(1000 * MS);
    expect(ranNs[2]).toBeGreaterThan(300 * MS);
  });
});

test('mistakes in a scenario have their places', () => {
  const of = (master: string) =>
    errorsOf(
      `domains:\n  - {vcpus: [hog]}\n  - {vcpus: [hog], scheduling_domain: d1}\n` +
        `  - {vcpus: [hog], scheduling_domain: ${master}}\n`,
    );
  expect(of('d1')).toEqual([]);
  expect(of('dd1')).toEqual(['4:39: unknown domain "dd1", did you mean "d1"?']);
  expect(of('d3')).toEqual(['4:39: "scheduling_domain" is "d3", that is the domain itself']);
  expect(of('2')).toEqual(['4:39: "scheduling_domain" is "2", that shares those of another']);
  const action = (command: string) => errorsOf(`domains: [{vcpus: [hog]}]\nactions: [{at 1s: ${command}}]\n`);
  expect(action('nemesis ad 1 1')).toEqual(['2:27: "ACTION" is "ad", expected one of add, remove, destroy']);
  expect(action('nemesis add 1')[0]).toMatch(
    /^2:19: "nemesis add" lacks MEMBER, expected "nemesis add MASTER/,
  );
  expect(action('nemesis destroy 1 1')[0]).toMatch(/has a MEMBER too much/);
  expect(action('nemesis add 1 7')[0]).toMatch(/unknown domain "7"/);
});
