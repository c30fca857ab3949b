import { assert } from '../base/assert.ts';
import type { Action, CpupoolSpec, Scenario } from '../scenario/scenario.ts';
import { Toolstack } from './actions/toolstack.ts';
import { bootMachine } from './boot.ts';
import { BootParameters } from './boot-parameters.ts';
import type { Cpupool } from './cpupool.ts';
import { addPcpu, createPool, removePcpu } from './cpupools.ts';
import { createDomains } from './domains.ts';
import { Guests } from './guests/guests.ts';
import type { SimulationHooks } from './hooks.ts';
import { Hypervisor } from './hypervisor.ts';
import { Machine } from './machine.ts';
import { createScheduler } from './schedulers/index.ts';
import type { TraceSink } from './trace-sink.ts';
import { xenVersion } from './versions.ts';

/** What a {@link Simulation} may be told; nothing has to be. */
export interface SimulationOptions {
  /** Called as things happen. */
  readonly hooks?: SimulationHooks | undefined;
  /**
   * Whether guests' jobs leave records (TRC_TASK_*); they do unless this is false. No other record depends on
   * it.
   */
  readonly jobRecords?: boolean | undefined;
}

/** What a vCPU did in a run; the four runstates sum to the time for which it existed. */
export interface VcpuTimes {
  readonly dom: number;
  readonly vcpu: number;
  readonly runNs: number;
  readonly runnableNs: number;
  readonly blockedNs: number;
  readonly offlineNs: number;
  /** CPU time that the guest had for itself: the run time without the cost of context switches. */
  readonly guestNs: number;
}

/**
 * A simulated Xen host in virtual time (section 4 of docs/machine-model.md).
 *
 * At each instant, and again as long as any applies, the first of: (0) what the toolstack does; (1) what
 * running guests do at that instant, all of it; (2) one wake-up of a guest; (3) the expired timers of one
 * pCPU. After each, pending softirqs drain. What the toolstack does by hypercalls alone, as the reference
 * machine's does, comes between (2) and (3).
 */
export class Simulation {
  readonly scenario: Scenario;
  /** Events executed so far: guests' points as one for each instant, wake-ups, batches of timers. */
  events = 0;
  readonly #machine: Machine;
  readonly #xen: Hypervisor;
  readonly #guests: Guests;
  readonly #toolstack: Toolstack;
  readonly #actions: readonly Action[];
  #nextAction = 0;

  /**
   * Boots the machine and creates the domains: the records of that, all at t = 0, are in the sink afterwards.
   *
   * Throws UserError for a version or a scheduler that is not modelled.
   */
  constructor(scenario: Scenario, sink: TraceSink, options: SimulationOptions = {}) {
    const { hooks = {}, jobRecords = true } = options;
    this.scenario = scenario;
    const { host } = scenario;
    this.#machine = new Machine(host, sink);
    this.#xen = new Hypervisor(
      this.#machine,
      xenVersion(scenario.xen),
      new BootParameters(scenario.params),
      hooks,
    );
    const pool = bootMachine(this.#xen, createScheduler(scenario.scheduler, this.#xen));
    this.#divide(pool, scenario.cpupools ?? []);
    this.#machine.timers.setJitter(host.timerJitterNs, host.jitterSeed);
    this.#machine.tracer.enabled = true;
    this.#xen.observed = true;
    createDomains(this.#xen, scenario, pool);
    if (scenario.arinc653 !== undefined) {
      for (const { scheduler } of this.#xen.pools) scheduler.setTable?.(scenario.arinc653);
    }
    this.#actions = [...(scenario.actions ?? [])].sort((a, b) => a.atNs - b.atNs);
    this.#guests = new Guests(this.#xen, scenario, hooks, jobRecords);
    this.#xen.guests = this.#guests;
    this.#toolstack = new Toolstack(this.#xen, scenario, this.#guests);
  }

  /** The virtual clock. */
  get nowNs(): number {
    return this.#machine.nowNs;
  }

  /**
   * Executes everything before the instant `ns` and nothing at it, and sets the clock to it. So whoever polls
   * every 100 ms finds a record of t = 100 ms in the second poll, and nothing ever happens at the end of the
   * run.
   */
  runUntil(ns: number): void {
    const machine = this.#machine;
    assert(ns >= machine.nowNs, `time does not run back from ${machine.nowNs} to ${ns}`);
    const guests = this.#guests;
    const xen = this.#xen;
    const { timers } = machine;
    const { timerBatch } = this.scenario.host;
    for (;;) {
      const pointNs = guests.nextPointNs;
      const wakeNs = guests.nextWakeNs;
      const timerNs = timers.nextNs;
      const action = this.#actions[this.#nextAction];
      const actionNs = action?.atNs ?? Infinity;
      const nextNs = Math.min(actionNs, pointNs, wakeNs, timerNs);
      if (nextNs >= ns) break;
      machine.nowNs = nextNs;
      this.events += 1;
      machine.timerPcpu = -1;
      if (actionNs === nextNs && action?.command?.kind !== 'sched-domctl') this.#act();
      else if (pointNs === nextNs) guests.runPoints();
      else if (wakeNs === nextNs) guests.runWake();
      else if (actionNs === nextNs) this.#act();
      else this.#runTimers(timerBatch);
      xen.drainSoftirqs();
    }
    machine.nowNs = ns;
  }

  /**
   * The time that each guest vCPU has spent so far, in the order (domain id, vCPU id), of those that are there
   * or were.
   */
  vcpuTimes(): VcpuTimes[] {
    const { nowNs } = this.#machine;
    return this.#guests.all().map(({ vcpu, consumedNs, runFromNs }) => {
      const ns = Array.from(vcpu.runstateNs);
      ns[vcpu.runstate]! += Math.max(0, nowNs - vcpu.runstateEntryNs);
      const isCurrent = this.#machine.pcpus[vcpu.processor]!.current === vcpu;
      return {
        dom: vcpu.domain.id,
        vcpu: vcpu.id,
        runNs: ns[0]!,
        runnableNs: ns[1]!,
        blockedNs: ns[2]!,
        offlineNs: ns[3]!,
        guestNs: consumedNs + (isCurrent ? Math.max(0, nowNs - runFromNs) : 0),
      };
    });
  }

  /** The next action of the toolstack, in pCPU 0's context. */
  #act(): void {
    this.#machine.cpu = 0;
    this.#toolstack.perform(this.#actions[this.#nextAction]!);
    this.#nextAction += 1;
  }

  /** Pools that are there from the start: all pCPUs were in Pool-0 first, as on any host. */
  #divide(first: Cpupool, specs: readonly CpupoolSpec[]): void {
    const xen = this.#xen;
    for (const { name, scheduler, pcpus } of specs) {
      for (const id of pcpus) removePcpu(xen, first, this.#machine.pcpus[id]!);
      const pool = createPool(xen, name, createScheduler(scheduler, xen));
      for (const id of pcpus) addPcpu(xen, pool, this.#machine.pcpus[id]!);
      xen.drainSoftirqs();
      this.#machine.cpu = 0;
    }
  }

  /** TIMER_SOFTIRQ of the lowest pCPU that has expired timers: all of them, or the first. */
  #runTimers(batch: boolean): void {
    const machine = this.#machine;
    const { timers, nowNs } = machine;
    const pcpu = timers.nextPcpu;
    machine.cpu = pcpu;
    machine.timerPcpu = pcpu;
    let timer = timers.takeExpired(pcpu, nowNs);
    while (timer !== undefined) {
      timer.fire(timer.data);
      timer = batch ? timers.takeExpired(pcpu, nowNs) : undefined;
    }
  }
}

/** Runs a whole scenario; what is of interest went into the sink and the hooks. */
export function simulate(scenario: Scenario, sink: TraceSink, hooks: SimulationHooks = {}): Simulation {
  const simulation = new Simulation(scenario, sink, { hooks });
  simulation.runUntil(scenario.durationNs);
  return simulation;
}
