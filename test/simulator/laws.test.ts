/**
 * Laws that hold for any scenario, checked from outside on random ones. A failure prints the seed.
 */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { DOMID_IDLE, Simulation, type SimulationHooks } from '../../src/simulator/index.ts';
import { runScenario } from './fidelity.ts';
import { MemorySink } from './memory-sink.ts';
import { type Features, randomScenario } from './scenarios.ts';

const RUNNING = 0;
const RUNNABLE = 1;
const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

/** Everything that may be on, half of it off for each seed. */
function featuresOf(seed: number): Features {
  return {
    caps: (seed & 1) !== 0,
    affinity: (seed & 2) !== 0,
    yields: (seed & 4) !== 0,
    xen: (seed & 8) !== 0 ? '4.17' : 'head',
  };
}

/** Watches where everybody is, and asks `atRest` before time moves on. */
class Watch implements SimulationHooks {
  readonly problems: string[] = [];
  readonly runs: Map<string, number> = new Map();
  readonly on: string[];
  readonly state = new Map<string, number>();
  #nowNs = 0;
  readonly #atRest: (watch: Watch) => string | undefined;

  constructor(scenario: Scenario, atRest: (watch: Watch) => string | undefined = () => undefined) {
    this.on = Array.from({ length: scenario.host.pcpus }, () => 'idle');
    this.#atRest = atRest;
  }

  onSwitch(tNs: number, pcpu: number, dom: number, vcpu: number): void {
    this.#time(tNs);
    const next = dom === DOMID_IDLE ? 'idle' : `d${dom}v${vcpu}`;
    const elsewhere = this.on.indexOf(next);
    if (next !== 'idle' && elsewhere >= 0) this.#problem(`${next} enters pCPU ${pcpu} while on ${elsewhere}`);
    this.on[pcpu] = next;
  }

  onRunstate(tNs: number, _pcpu: number, dom: number, vcpu: number, from: number, to: number): void {
    this.#time(tNs);
    if (dom === DOMID_IDLE) return;
    const name = `d${dom}v${vcpu}`;
    const known = this.state.get(name);
    if (known !== undefined && known !== from) this.#problem(`${name} leaves ${from}, it was ${known}`);
    this.state.set(name, to);
  }

  #time(tNs: number): void {
    if (tNs < this.#nowNs) this.#problem('time runs back');
    if (tNs === this.#nowNs) return;
    const complaint = this.#atRest(this);
    if (complaint !== undefined) this.#problem(complaint);
    this.#nowNs = tNs;
  }

  #problem(text: string): void {
    this.problems.push(`at ${this.#nowNs} ns: ${text}`);
  }
}

function watchRun(scenario: Scenario, watch: Watch): Simulation {
  const simulation = new Simulation(scenario, new MemorySink(scenario.host.pcpus, 0), { hooks: watch });
  simulation.runUntil(scenario.durationNs);
  return simulation;
}

describe('on random scenarios', () => {
  test.each(SEEDS)(
    'no vCPU is on two pCPUs, who is current is running, and states follow each other: seed %i',
    (seed) => {
      const scenario = randomScenario(seed, featuresOf(seed));
      const watch = new Watch(scenario, ({ on, state }) => {
        const running = [...state].filter(([, to]) => to === RUNNING).map(([name]) => name);
        const current = on.filter((name) => name !== 'idle');
        return running.toSorted().join() === current.toSorted().join()
          ? undefined
          : `running ${running}, on pCPUs ${current}`;
      });
      watchRun(scenario, watch);
      expect(watch.problems).toEqual([]);
    },
  );

  test.each(SEEDS)('times add up, of every vCPU and of every pCPU: seed %i', (seed) => {
    const scenario = randomScenario(seed, featuresOf(seed));
    const busyNs = scenario.domains.map(() => 0);
    const simulation = watchRun(scenario, new Watch(scenario));
    for (const { dom, runNs, runnableNs, blockedNs, offlineNs, guestNs } of simulation.vcpuTimes()) {
      expect(runNs + runnableNs + blockedNs + offlineNs).toBe(scenario.durationNs);
      expect(guestNs).toBe(runNs);
      busyNs[dom - 1]! += runNs;
    }
    const total = busyNs.reduce((sum, ns) => sum + ns, 0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual(scenario.durationNs * scenario.host.pcpus);
  });

  test.each(SEEDS)(
    'no pCPU idles while a vCPU waits, without caps and affinity, in 4.17: seed %i',
    (seed) => {
      const scenario = randomScenario(seed, {
        caps: false,
        affinity: false,
        yields: (seed & 1) !== 0,
        xen: '4.17',
      });
      const watch = new Watch(scenario, ({ on, state }) => {
        const waiting = [...state].filter(([, to]) => to === RUNNABLE).map(([name]) => name);
        return on.includes('idle') && waiting.length > 0 ? `${waiting} waits, pCPUs run ${on}` : undefined;
      });
      watchRun(scenario, watch);
      expect(watch.problems).toEqual([]);
    },
  );

  test.each(SEEDS)('a capped domain gets little more than its cap: seed %i', (seed) => {
    const scenario = randomScenario(seed, { caps: true, affinity: false, yields: false, xen: 'head' });
    const times = watchRun(scenario, new Watch(scenario)).vcpuTimes();
    for (const { id, cap } of scenario.domains) {
      if (cap === undefined) continue;
      const runNs = times.filter(({ dom }) => dom === id).reduce((sum, { runNs }) => sum + runNs, 0);
      // Those whom no tick finds running are not charged for (theft of service), which this law leaves out.
      const specs = scenario.domains.find((domain) => domain.id === id)!.vcpus;
      if (specs.some(({ workload }) => workload.kind !== 'hog')) continue;
      // Parking acts once per accounting, on all vCPUs: up to two periods of 30 ms of each are overrun at the
      // start.
      expect(runNs).toBeLessThanOrEqual((cap / 100) * scenario.durationNs + specs.length * 60_000_000);
    }
  });

  test.each(SEEDS.slice(0, 20))(
    'the same scenario leaves the same bytes, however it is cut: seed %i',
    (seed) => {
      const scenario = randomScenario(seed, featuresOf(seed));
      const first = runScenario(scenario);
      const second = runScenario(scenario);
      expect(Buffer.compare(first.trace, second.trace)).toBe(0);
      expect(second.switches).toBe(first.switches);
      const whole = new MemorySink(scenario.host.pcpus, scenario.trace.eventMask);
      new Simulation(scenario, whole, { jobRecords: false }).runUntil(scenario.durationNs);
      const cut = new MemorySink(scenario.host.pcpus, scenario.trace.eventMask);
      const simulation = new Simulation(scenario, cut, { jobRecords: false });
      for (let t = 0; t < scenario.durationNs; t += 777_777 * seed) simulation.runUntil(t);
      simulation.runUntil(scenario.durationNs);
      for (let pcpu = 0; pcpu < scenario.host.pcpus; pcpu += 1)
        expect(cut.drain(pcpu)).toEqual(whole.drain(pcpu));
    },
  );
});
