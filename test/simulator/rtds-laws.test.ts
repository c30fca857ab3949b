/**
 * Laws of RTDS, null and ARINC653 that hold for any scenario, checked from outside on random ones. A
 * failure names the seed.
 */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { DomainSpec, RtdsParameters, Scenario } from '../../src/scenario/scenario.ts';
import { DOMID_IDLE, Simulation, type SimulationHooks } from '../../src/simulator/index.ts';
import { PriorityList } from '../../src/simulator/schedulers/rtds/priority-list.ts';
import { runScenario } from './fidelity.ts';
import { MemorySink } from './memory-sink.ts';
import { hostOf, randomScenario, scenarioOf, vcpuOf } from './scenarios.ts';

const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
const MS = 1_000_000;
/** Every vCPU has this period first, whatever it is given. */
const FIRST_PERIOD_NS = 10 * MS;

/** Who ran where, from when to when, in the order of the ends. */
interface Run {
  readonly name: string;
  readonly pcpu: number;
  readonly fromNs: number;
  readonly toNs: number;
}

function runsOf(scenario: Scenario): Run[] {
  const runs: Run[] = [];
  const on = Array.from({ length: scenario.host.pcpus }, () => ({ name: 'idle', fromNs: 0 }));
  const end = (pcpu: number, toNs: number) => {
    const { name, fromNs } = on[pcpu]!;
    if (name !== 'idle' && toNs > fromNs) runs.push({ name, pcpu, fromNs, toNs });
  };
  const hooks: SimulationHooks = {
    onSwitch(tNs, pcpu, dom, vcpu) {
      end(pcpu, tNs);
      const name = dom === DOMID_IDLE ? 'idle' : `d${dom}v${vcpu}`;
      expect(name === 'idle' || on.every((other) => other.name !== name)).toBe(true);
      on[pcpu] = { name, fromNs: tNs };
    },
  };
  const simulation = new Simulation(scenario, new MemorySink(scenario.host.pcpus, 0), { hooks });
  simulation.runUntil(scenario.durationNs);
  for (let pcpu = 0; pcpu < on.length; pcpu += 1) end(pcpu, scenario.durationNs);
  return runs;
}

/** CPU time of `name` in each period, the first of which ends at 10 ms. */
function servicePerPeriod(
  runs: readonly Run[],
  name: string,
  periodNs: number,
  durationNs: number,
): number[] {
  const service = new Array<number>(Math.ceil((durationNs - FIRST_PERIOD_NS) / periodNs) + 1).fill(0);
  for (const run of runs) {
    if (run.name !== name) continue;
    for (let fromNs = run.fromNs; fromNs < run.toNs; ) {
      const index = fromNs < FIRST_PERIOD_NS ? 0 : 1 + Math.floor((fromNs - FIRST_PERIOD_NS) / periodNs);
      const toNs = Math.min(run.toNs, FIRST_PERIOD_NS + index * periodNs);
      service[index]! += toNs - fromNs;
      fromNs = toNs;
    }
  }
  return service;
}

function withServers(scenario: Scenario, draw: () => RtdsParameters | undefined): Scenario {
  const domains = scenario.domains.map((domain): DomainSpec => {
    return { ...domain, vcpus: domain.vcpus.map((vcpu) => ({ ...vcpu, rtds: draw() })) };
  });
  return { ...scenario, scheduler: 'rtds', domains };
}

function serverFrom(prng: Prng, extratime: boolean): RtdsParameters {
  const periodUs = 500 + prng.below(20_000);
  return { periodUs, budgetUs: 10 + prng.below(periodUs - 9), extratime };
}

function features(seed: number, xen: string) {
  return { caps: false, affinity: (seed & 1) !== 0, yields: (seed & 2) !== 0, xen };
}

describe('RTDS on random scenarios', () => {
  test.each(SEEDS)('no vCPU gets more than its budget in any period: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('servers');
    const xen = ['head', '4.17', '4.8', '4.7'][seed % 4]!;
    const scenario = withServers(randomScenario(seed, features(seed, xen)), () => serverFrom(prng, false));
    const runs = runsOf(scenario);
    for (const { id, vcpus } of scenario.domains) {
      for (const [vcpu, { rtds }] of vcpus.entries()) {
        const { periodUs, budgetUs } = rtds!;
        const service = servicePerPeriod(runs, `d${id}v${vcpu}`, periodUs * 1000, scenario.durationNs);
        expect(service[0]).toBeLessThanOrEqual(4 * MS);
        expect(Math.max(0, ...service.slice(1))).toBeLessThanOrEqual(budgetUs * 1000);
      }
    }
  });

  test.each(SEEDS)('nobody runs where its hard affinity forbids: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('servers');
    const xen = ['head', '4.17', '4.8', '4.7', '4.6', '4.6-rfc'][seed % 6]!;
    const mayHaveExtratime = xen === 'head' || xen === '4.17';
    const scenario = withServers(randomScenario(seed, { ...features(seed, xen), affinity: true }), () => {
      return prng.below(3) === 0 ? undefined : serverFrom(prng, mayHaveExtratime && prng.below(2) === 0);
    });
    for (const { name, pcpu } of runsOf(scenario)) {
      const [dom, vcpu] = name.slice(1).split('v').map(Number);
      const allowed = scenario.domains.find(({ id }) => id === dom)!.vcpus[vcpu!]!.hardAffinity;
      expect(allowed === undefined || allowed.includes(pcpu)).toBe(true);
    }
  });

  /** Hogs from 10 ms on, when their own parameters count. */
  function hogs(servers: readonly RtdsParameters[], pcpus: number): Scenario {
    const domains = servers.map((rtds) => [vcpuOf({ kind: 'hog', offsetNs: FIRST_PERIOD_NS }, { rtds })]);
    const durationNs = 400 * MS;
    return scenarioOf(domains, { scheduler: 'rtds', durationNs, host: hostOf({ pcpus }) });
  }

  function expectWholeBudgets(scenario: Scenario): void {
    const runs = runsOf(scenario);
    for (const { id, vcpus } of scenario.domains) {
      const { periodUs, budgetUs } = vcpus[0]!.rtds!;
      const service = servicePerPeriod(runs, `d${id}v0`, periodUs * 1000, scenario.durationNs);
      const whole = Math.floor((scenario.durationNs - FIRST_PERIOD_NS) / (periodUs * 1000));
      expect(new Set(service.slice(1, 1 + whole))).toEqual(new Set([budgetUs * 1000]));
    }
  }

  /** Servers of utilisations that sum to at most `total`, none above `most`. */
  function servers(prng: Prng, total: number, most: number): RtdsParameters[] {
    const list: RtdsParameters[] = [];
    for (let left = total; list.length < 20; ) {
      const periodUs = 1000 + prng.below(30_000);
      const budgetUs = Math.floor(Math.min(left, most * ((1 + prng.below(100)) / 100)) * periodUs);
      if (budgetUs < 10) break;
      list.push({ periodUs, budgetUs, extratime: false });
      left -= budgetUs / periodUs;
    }
    return list;
  }

  test.each(SEEDS)('one pCPU serves every set of utilisation 1 in full (EDF is optimal): seed %i', (seed) => {
    expectWholeBudgets(hogs(servers(Prng.fromSeed(seed), 1, 0.7), 1));
  });

  test.each(SEEDS)('m pCPUs serve sets within the bound of Goossens, Funk and Baruah: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed);
    const pcpus = 2 + prng.below(6);
    const most = (1 + prng.below(9)) / 10;
    expectWholeBudgets(hogs(servers(prng, pcpus - (pcpus - 1) * most, most), pcpus));
  });

  test.each(SEEDS.slice(0, 20))(
    'with extratime no pCPU idles as long as somebody could run: seed %i',
    (seed) => {
      const prng = Prng.fromSeed(seed);
      const pcpus = 1 + prng.below(4);
      const many = Array.from({ length: pcpus + prng.below(6) }, () => serverFrom(prng, true));
      const scenario = hogs(many, pcpus);
      const busyNs = runsOf(scenario).reduce((sum, { fromNs, toNs }) => sum + toNs - fromNs, 0);
      expect(busyNs).toBe((scenario.durationNs - FIRST_PERIOD_NS) * pcpus);
    },
  );

  test.each(SEEDS.slice(0, 12))(
    'the same scenario leaves the same bytes, 64-bit times too: seed %i',
    (seed) => {
      const prng = Prng.fromSeed(seed).fork('servers');
      const xen = ['head', '4.17', '4.8', '4.6'][seed % 4]!;
      const scenario = withServers(randomScenario(seed, features(seed, xen)), () => serverFrom(prng, false));
      expect(Buffer.compare(runScenario(scenario).trace, runScenario(scenario).trace)).toBe(0);
    },
  );
});

describe('RTDS of Xen 4.6 on random scenarios', () => {
  // Each pCPU has one timer only, so that it does not matter whether timers run in batches; with batches, the
  // polls of idle pCPUs that find nothing are left out.
  test.each(SEEDS)('polls that are left out change nothing: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('servers');
    const base = withServers(randomScenario(seed, features(seed, '4.6')), () => serverFrom(prng, false));
    const contextSwitchNs = prng.below(3) === 0 ? prng.below(30_000) : 0;
    const host = { ...base.host, contextSwitchNs, timerMinNs: 500 + prng.below(5000) };
    const scenario = { ...base, durationNs: 60 * MS, host };
    const short = { ...scenario, trace: { ...scenario.trace, endNs: 60 * MS, eventMask: 0 } };
    const every = runScenario({ ...short, host: { ...host, timerBatch: false } });
    const useful = runScenario(short);
    expect(useful.switches).toBe(every.switches);
    expect(useful.times).toEqual(every.times);
    expect(useful.scheduleCalls).toBeLessThanOrEqual(every.scheduleCalls);
  });
});

describe('null on random scenarios', () => {
  test.each(SEEDS)('a pCPU serves one vCPU for ever, and one that may run there: seed %i', (seed) => {
    const scenario: Scenario = { ...randomScenario(seed, features(seed, 'head')), scheduler: 'null' };
    const owners = new Map<number, string>();
    const places = new Map<string, number>();
    for (const { name, pcpu } of runsOf(scenario)) {
      expect(owners.get(pcpu) ?? name).toBe(name);
      expect(places.get(name) ?? pcpu).toBe(pcpu);
      owners.set(pcpu, name);
      places.set(name, pcpu);
      const [dom, vcpu] = name.slice(1).split('v').map(Number);
      const allowed = scenario.domains.find(({ id }) => id === dom)!.vcpus[vcpu!]!.hardAffinity;
      expect(allowed === undefined || allowed.includes(pcpu)).toBe(true);
    }
  });
});

describe('ARINC653 on random scenarios', () => {
  test.each(SEEDS)('nobody runs outside of its slots: seed %i', (seed) => {
    const prng = Prng.fromSeed(seed).fork('table');
    const base = randomScenario(seed, features(seed, 'head'));
    const ids = base.domains.map(({ id }) => id);
    const entries = Array.from({ length: 1 + prng.below(8) }, () => {
      return { dom: ids[prng.below(ids.length)]!, vcpu: prng.below(3), runtimeNs: 1 + prng.below(5 * MS) };
    });
    const sumNs = entries.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0);
    const arinc653 = { majorFrameNs: sumNs + prng.below(2) * prng.below(10 * MS), entries };
    const scenario: Scenario = { ...base, scheduler: 'arinc653', arinc653 };
    for (const { name, fromNs, toNs } of runsOf(scenario)) {
      // The frame is anchored where the table was set, at 0.
      let atNs = fromNs;
      while (atNs < toNs) {
        const inFrameNs = atNs % arinc653.majorFrameNs;
        let endNs = 0;
        const slot = entries.find(({ runtimeNs }) => {
          endNs += runtimeNs;
          return inFrameNs < endNs;
        });
        expect(slot === undefined ? 'idle' : `d${slot.dom}v${slot.vcpu}`).toBe(name);
        atNs += endNs - inFrameNs;
      }
    }
  });
});

describe('PriorityList', () => {
  interface Key {
    level: number;
    deadline: number;
  }

  function precedes(a: Key, b: Key, equalsGoFirst: boolean): boolean {
    if (a.level !== b.level) return a.level < b.level;
    return a.deadline < b.deadline || (equalsGoFirst && a.deadline === b.deadline);
  }

  test.each([false, true])(
    'is the list that a search from the front makes (equals first: %s)',
    (equalsGoFirst) => {
      const prng = Prng.fromSeed(7);
      const list = new PriorityList(equalsGoFirst);
      const keys: Key[] = Array.from({ length: 60 }, () => ({ level: 0, deadline: 0 }));
      const naive: number[] = [];
      for (let step = 0; step < 5000; step += 1) {
        const member = prng.below(keys.length);
        const key = keys[member]!;
        const at = naive.indexOf(member);
        if (at < 0) {
          keys[member] = { level: prng.below(3), deadline: prng.below(40) };
          const behind = naive.findIndex((other) => precedes(keys[member]!, keys[other]!, equalsGoFirst));
          naive.splice(behind < 0 ? naive.length : behind, 0, member);
          list.insert(member, keys[member].level, keys[member].deadline);
        } else if (prng.below(3) === 0) {
          key.level += 1;
          list.update(member, key.level, key.deadline);
        } else {
          naive.splice(at, 1);
          list.remove(member);
        }
        const walked: number[] = [];
        for (let each = list.first(); each >= 0; each = list.next(each)) walked.push(each);
        expect(walked).toEqual(naive);
        expect(list.isEmpty).toBe(naive.length === 0);
        expect(list.has(member)).toBe(naive.includes(member));
      }
    },
  );
});
