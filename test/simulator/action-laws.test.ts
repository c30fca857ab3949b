/**
 * Laws that hold whatever the toolstack does, checked from outside on random scenarios. A failure prints the seed.
 */
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import type { Command, Scenario } from '../../src/scenario/index.ts';
import { DOMID_IDLE, Simulation, type SimulationHooks } from '../../src/simulator/index.ts';
import { MemorySink } from './memory-sink.ts';
import { randomActions, randomActionsOfAnyRelease } from './random-actions.ts';

const SEEDS = Array.from({ length: 150 }, (_, i) => i + 1);
const RUNNING = 0;

/** What the actions mean, told from the text of a scenario and from what was refused. */
class Ledger implements SimulationHooks {
  readonly problems: string[] = [];
  refused = 0;
  done = 0;
  readonly born = new Map<number, number>();
  readonly gone = new Map<number, number>();
  readonly #scenario: Scenario;
  readonly #on: { dom: number; vcpu: number }[];
  readonly #state = new Map<string, number>();
  readonly #poolOfPcpu = new Map<number, string>();
  readonly #poolOfDomain = new Map<number, string>();
  /** Where each vCPU may run; none said: anywhere. */
  readonly #hard = new Map<string, readonly number[]>();
  readonly #paused = new Map<number, number>();
  #nowNs = 0;
  #next = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { host, cpupools = [], actions = [] } = scenario;
    this.#on = Array.from({ length: host.pcpus }, () => ({ dom: DOMID_IDLE, vcpu: 0 }));
    for (let pcpu = 0; pcpu < host.pcpus; pcpu += 1) this.#poolOfPcpu.set(pcpu, 'Pool-0');
    for (const { name, pcpus } of cpupools) for (const pcpu of pcpus) this.#poolOfPcpu.set(pcpu, name);
    const later = new Set(
      actions.flatMap(({ command }) => (command?.kind === 'create' ? [command.dom] : [])),
    );
    for (const { id } of scenario.domains) if (!later.has(id)) this.#create(id, 0);
  }

  onRefusal(tNs: number, text: string): void {
    // Refusals come in the order of the actions; those before this one were done.
    this.#apply(tNs, text);
    this.refused += 1;
  }

  onSwitch(tNs: number, pcpu: number, dom: number, vcpu: number): void {
    this.#time(tNs);
    const other = this.#on.findIndex((one) => one.dom === dom && one.vcpu === vcpu);
    if (dom !== DOMID_IDLE && other >= 0)
      this.#problem(`d${dom}v${vcpu} enters pCPU ${pcpu} while on ${other}`);
    this.#on[pcpu] = { dom, vcpu };
  }

  onRunstate(tNs: number, _pcpu: number, dom: number, vcpu: number, from: number, to: number): void {
    this.#time(tNs);
    if (dom === DOMID_IDLE) return;
    const name = `d${dom}v${vcpu}`;
    const known = this.#state.get(name);
    if (known !== undefined && known !== from) this.#problem(`${name} leaves ${from}, it was ${known}`);
    this.#state.set(name, to);
  }

  finish(): void {
    this.#time(this.#scenario.durationNs);
  }

  #time(tNs: number): void {
    if (tNs === this.#nowNs) return;
    this.#apply(this.#nowNs);
    this.#atRest();
    this.#nowNs = tNs;
  }

  /** Actions up to an instant, or up to the one that is refused, which does nothing. */
  #apply(untilNs: number, refusedText?: string): void {
    const actions = this.#scenario.actions!;
    for (let action = actions[this.#next]; action && action.atNs <= untilNs; action = actions[this.#next]) {
      this.#next += 1;
      if (action.command!.text === refusedText && action.atNs === untilNs) return;
      this.done += 1;
      this.#do(action.command!, action.atNs);
    }
    if (refusedText !== undefined) this.#problem(`a refusal of nothing: ${refusedText}`);
  }

  #do(command: Command, atNs: number): void {
    const { domains } = this.#scenario;
    switch (command.kind) {
      case 'create':
        this.#create(command.dom, atNs);
        break;
      case 'destroy':
        this.gone.set(command.dom, atNs);
        this.#poolOfDomain.delete(command.dom);
        for (const name of this.#state.keys())
          if (name.startsWith(`d${command.dom}v`)) this.#state.delete(name);
        break;
      case 'pause':
      case 'unpause': {
        const change = command.kind === 'pause' ? 1 : -1;
        this.#paused.set(command.dom, (this.#paused.get(command.dom) ?? 0) + change);
        break;
      }
      case 'vcpu-pin': {
        if (command.hard === undefined) break;
        for (const [vcpu] of domains.find(({ id }) => id === command.dom)!.vcpus.entries()) {
          if (command.vcpu === undefined || command.vcpu === vcpu)
            this.#hard.set(`d${command.dom}v${vcpu}`, command.hard);
        }
        break;
      }
      case 'cpupool-create':
      case 'cpupool-cpu-add':
        for (const pcpu of command.pcpus) this.#poolOfPcpu.set(pcpu, command.cpupool);
        break;
      case 'cpupool-destroy':
        for (const [pcpu, pool] of this.#poolOfPcpu)
          if (pool === command.cpupool) this.#poolOfPcpu.delete(pcpu);
        break;
      case 'cpupool-cpu-remove': {
        const [pcpu] = command.pcpus;
        this.#poolOfPcpu.delete(pcpu!);
        for (const [name, list] of this.#hard) {
          if (
            this.#poolOfDomain.get(Number(/\d+/.exec(name)![0])) !== command.cpupool ||
            !list.includes(pcpu!)
          )
            continue;
          if (!list.some((one) => this.#poolOfPcpu.get(one) === command.cpupool)) this.#hard.delete(name);
        }
        break;
      }
      case 'cpupool-migrate':
        if (this.#poolOfDomain.get(command.dom) === command.cpupool) break;
        this.#poolOfDomain.set(command.dom, command.cpupool);
        for (const name of this.#hard.keys())
          if (name.startsWith(`d${command.dom}v`)) this.#hard.delete(name);
        break;
    }
  }

  #create(id: number, atNs: number): void {
    this.born.set(id, atNs);
    this.gone.delete(id);
    this.#paused.delete(id);
    const spec = this.#scenario.domains.find((domain) => domain.id === id)!;
    this.#poolOfDomain.set(id, spec.cpupool ?? 'Pool-0');
    for (const [vcpu, { hardAffinity }] of spec.vcpus.entries()) {
      this.#hard.delete(`d${id}v${vcpu}`);
      if (hardAffinity !== undefined) this.#hard.set(`d${id}v${vcpu}`, hardAffinity);
    }
  }

  #atRest(): void {
    for (const [pcpu, { dom, vcpu }] of this.#on.entries()) {
      if (dom === DOMID_IDLE) continue;
      const name = `d${dom}v${vcpu}`;
      const pool = this.#poolOfDomain.get(dom);
      if (this.#poolOfPcpu.get(pcpu) !== pool) {
        this.#problem(`${name} of ${pool} is on pCPU ${pcpu} of ${this.#poolOfPcpu.get(pcpu)}`);
      }
      if ((this.#paused.get(dom) ?? 0) > 0) this.#problem(`${name} runs although it is paused`);
      if (this.#state.get(name) !== RUNNING)
        this.#problem(`${name} is on pCPU ${pcpu}, in state ${this.#state.get(name)}`);
      const keepsAffinity = this.#schedulerOf(pool!) !== 'arinc653';
      if (keepsAffinity && this.#hard.get(name)?.includes(pcpu) === false)
        this.#problem(`${name} is on pCPU ${pcpu}`);
    }
    const running = [...this.#state].filter(([, state]) => state === RUNNING).length;
    const busy = this.#on.filter(({ dom }) => dom !== DOMID_IDLE).length;
    if (running !== busy) this.#problem(`${running} run, ${busy} pCPUs are busy`);
  }

  #schedulerOf(pool: string): string {
    if (pool === 'Pool-0') return this.#scenario.scheduler;
    // A late pool's scheduler is not told apart: it counts as one that keeps nothing.
    return this.#scenario.cpupools!.find(({ name }) => name === pool)?.scheduler ?? 'arinc653';
  }

  #problem(text: string): void {
    if (this.problems.length < 10) this.problems.push(`at ${this.#nowNs} ns: ${text}`);
  }
}

function watch(seed: number) {
  const scenario = randomActions(seed);
  const ledger = new Ledger(scenario);
  const simulation = new Simulation(scenario, new MemorySink(scenario.host.pcpus, 0), { hooks: ledger });
  simulation.runUntil(scenario.durationNs);
  ledger.finish();
  return { scenario, ledger, simulation };
}

describe('whatever the toolstack does', () => {
  test.each(SEEDS)(
    'nobody is on two pCPUs, outside its pool or its affinity, or runs while paused: seed %i',
    (seed) => {
      expect(watch(seed).ledger.problems).toEqual([]);
    },
  );

  test.each(SEEDS)('the times of a vCPU sum to its life: seed %i', (seed) => {
    const { scenario, ledger, simulation } = watch(seed);
    for (const { dom, vcpu, runNs, runnableNs, blockedNs, offlineNs } of simulation.vcpuTimes()) {
      const lifeNs = (ledger.gone.get(dom) ?? scenario.durationNs) - ledger.born.get(dom)!;
      expect([dom, vcpu, runNs + runnableNs + blockedNs + offlineNs]).toEqual([dom, vcpu, lifeNs]);
    }
  });

  test('both what is done and what is refused is there in number', () => {
    const runs = SEEDS.map((seed) => watch(seed).ledger);
    expect(runs.reduce((sum, { done }) => sum + done, 0)).toBeGreaterThan(5 * SEEDS.length);
    expect(runs.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(3 * SEEDS.length);
  });
});

test('in any release, with any schedulers, the simulation comes to its end or says what there is not', () => {
  let ended = 0;
  // The last two did not: of a vCPU outside its pool, and one whose replenishment was due twice.
  for (const seed of [...Array(300).keys(), 867, 1005]) {
    const scenario = randomActionsOfAnyRelease(seed);
    try {
      const simulation = new Simulation(scenario, new MemorySink(scenario.host.pcpus, 0));
      simulation.runUntil(scenario.durationNs);
      ended += 1;
    } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(UserError);
    }
  }
  expect(ended).toBeGreaterThan(50);
});
