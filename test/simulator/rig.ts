import type { Scenario } from '../../src/scenario/scenario.ts';
import { bootMachine } from '../../src/simulator/boot.ts';
import { BootParameters } from '../../src/simulator/boot-parameters.ts';
import type { Cpupool } from '../../src/simulator/cpupool.ts';
import { createDomains } from '../../src/simulator/domains.ts';
import { Guests } from '../../src/simulator/guests/guests.ts';
import type { SimulationHooks } from '../../src/simulator/hooks.ts';
import { Hypervisor } from '../../src/simulator/hypervisor.ts';
import { Machine } from '../../src/simulator/machine.ts';
import { createScheduler } from '../../src/simulator/schedulers/index.ts';
import type { Domain, Vcpu } from '../../src/simulator/vcpu.ts';
import { xenVersion } from '../../src/simulator/versions.ts';
import { MemorySink } from './memory-sink.ts';

/** A running host whose hypervisor a test can reach into, between two instants. */
export class Rig {
  readonly machine: Machine;
  readonly xen: Hypervisor;
  readonly pool: Cpupool;
  readonly sink: MemorySink;
  readonly #guests: Guests;

  constructor(scenario: Scenario, hooks: SimulationHooks = {}) {
    this.sink = new MemorySink(scenario.host.pcpus, scenario.trace.eventMask);
    this.machine = new Machine(scenario.host, this.sink);
    const version = xenVersion(scenario.xen);
    this.xen = new Hypervisor(this.machine, version, new BootParameters(scenario.params), hooks);
    this.pool = bootMachine(this.xen, createScheduler(scenario.scheduler, this.xen));
    this.machine.tracer.enabled = true;
    this.xen.observed = true;
    createDomains(this.xen, scenario, this.pool);
    this.#guests = new Guests(this.xen, scenario, hooks, false);
    this.xen.guests = this.#guests;
  }

  domain(id: number): Domain {
    return this.xen.domains.find((domain) => domain.id === id)!;
  }

  vcpu(id: number, vcpu = 0): Vcpu {
    return this.domain(id).vcpus[vcpu]!;
  }

  /** CPU time so far. */
  runNs(vcpu: Vcpu): number {
    const isRunning = vcpu.runstate === 0;
    return vcpu.runstateNs[0]! + (isRunning ? this.machine.nowNs - vcpu.runstateEntryNs : 0);
  }

  /** Does something in the context of pCPU 0, as a toolstack's hypercall would. */
  act(what: (xen: Hypervisor) => void): void {
    this.machine.cpu = 0;
    what(this.xen);
    this.xen.drainSoftirqs();
  }

  /**
   * Everything before `ns`, as Simulation.runUntil() does; and what is to be done after the guests of an
   * instant and before its timers, in the order of time.
   */
  runUntil(ns: number, actions: readonly { atNs: number; act: (xen: Hypervisor) => void }[] = []): void {
    const { machine, xen } = this;
    const { timers } = machine;
    const guests = this.#guests;
    let done = 0;
    for (;;) {
      const actionNs = actions[done]?.atNs ?? Infinity;
      const nextNs = Math.min(guests.nextPointNs, guests.nextWakeNs, timers.nextNs, actionNs);
      if (nextNs >= ns) break;
      machine.nowNs = nextNs;
      if (guests.nextPointNs === nextNs) {
        guests.runPoints();
      } else if (guests.nextWakeNs === nextNs) {
        guests.runWake();
      } else if (actionNs === nextNs) {
        machine.cpu = 0;
        actions[done]!.act(xen);
        done += 1;
      } else {
        const pcpu = timers.nextPcpu;
        machine.cpu = pcpu;
        for (let timer = timers.takeExpired(pcpu, nextNs); timer; timer = timers.takeExpired(pcpu, nextNs)) {
          timer.fire(timer.data);
          if (!machine.host.timerBatch) break;
        }
      }
      xen.drainSoftirqs();
    }
    machine.nowNs = ns;
  }
}
