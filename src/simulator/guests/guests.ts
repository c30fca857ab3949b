import { EventQueue } from '../../base/event-queue.ts';
import { Prng } from '../../base/prng.ts';
import type { DomainSpec, Scenario } from '../../scenario/scenario.ts';
import type { SimulationHooks } from '../hooks.ts';
import type { GuestClock, Hypervisor } from '../hypervisor.ts';
import type { Machine } from '../machine.ts';
import type { Pcpu } from '../pcpu.ts';
import type { Domain, Vcpu } from '../vcpu.ts';
import { Guest } from './guest.ts';
import { GuestSystem, type SystemHost } from './guest-system.ts';
import { JobRecords } from './jobs.ts';
import { Barriers } from './locks.ts';
import type { TaskVcpu } from './task-vcpu.ts';
import { createWorkload } from './workloads.ts';

/**
 * All guests: when each next wakes, and when each one that runs next blocks or yields.
 *
 * Invariant: a pCPU has an entry in the queue of points exactly while a guest's vCPU is current on it that
 * will do something by itself.
 */
export class Guests implements GuestClock, SystemHost {
  readonly machine: Machine;
  readonly records: JobRecords;
  readonly barriers = new Barriers();
  /** By `vcpu.guestIndex`, that is in the order (domain id, vCPU id), with gaps for those that are still to come. */
  readonly #guests: Guest[] = [];
  /** What a domain's guests are, and the index of the first one, by its id. */
  readonly #plans = new Map<number, { readonly spec: DomainSpec; readonly firstIndex: number }>();
  /** The systems of domains that have tasks, by domain id; those of domains that are gone stay until replaced. */
  readonly #systems = new Map<number, GuestSystem>();
  /** The slot of each system's timers, by domain id, and the other way round. */
  readonly #slots = new Map<number, number>();
  readonly #systemAt = new Map<number, GuestSystem>();
  readonly #root: Prng;
  readonly #xen: Hypervisor;
  readonly #contextSwitchNs: number;
  /** Slots are pCPUs. */
  readonly #points: EventQueue;
  /** Slots are guests, and behind them the timers of domains' systems. */
  readonly #wakes: EventQueue;

  constructor(xen: Hypervisor, scenario: Scenario, hooks: SimulationHooks, jobRecords: boolean) {
    this.#xen = xen;
    this.machine = xen.machine;
    this.records = new JobRecords(xen.machine, hooks, jobRecords);
    this.#contextSwitchNs = scenario.host.contextSwitchNs;
    this.#points = new EventQueue(xen.machine.topology.pcpus);
    this.#root = Prng.fromSeed(scenario.seed);
    let count = 0;
    for (const spec of scenario.domains.toSorted((a, b) => a.id - b.id)) {
      this.#plans.set(spec.id, { spec, firstIndex: count });
      count += spec.vcpus.length;
      for (const { steps } of spec.guest?.tasks ?? []) {
        const names = steps.flatMap((step) => (step.kind === 'barrier' ? [step.barrier] : []));
        for (const name of new Set(names)) this.barriers.join(name);
      }
    }
    this.#wakes = new EventQueue(count);
    for (const domain of xen.domains) this.adopt(domain);
  }

  /** A domain has been created: its guests begin, and their offsets count from now. */
  adopt(domain: Domain): void {
    const { nowNs } = this.machine;
    const { spec, firstIndex } = this.#plans.get(domain.id)!;
    const { workloads, system } = this.#workloadsOf(spec);
    for (const vcpu of domain.vcpus) {
      const { workload, yieldEveryNs } = spec.vcpus[vcpu.id]!;
      vcpu.guestIndex = firstIndex + vcpu.id;
      const own =
        workload.kind === 'tasks'
          ? workloads.get(vcpu.id)!
          : createWorkload(workload, vcpu, this.#root, this.records);
      const guest = new Guest(vcpu, own, yieldEveryNs);
      this.#guests[vcpu.guestIndex] = guest;
      this.#setWake(guest, nowNs + guest.workload.firstWakeNs);
    }
    for (const [id, workload] of workloads) workload.guest = this.#guests[firstIndex + id]!;
    system?.start();
  }

  /** The system of a domain that has tasks, and what it is to each of its vCPUs. */
  #workloadsOf({ id, guest, vcpus }: DomainSpec) {
    const workloads = new Map<number, TaskVcpu>();
    if (guest === undefined) return { workloads, system: undefined };
    const ids = [...vcpus.keys()].filter((vcpu) => vcpus[vcpu]!.workload.kind === 'tasks');
    const slot = this.#slots.get(id) ?? this.#wakes.addSlot();
    this.#slots.set(id, slot);
    const system = new GuestSystem(id, guest, ids, this.#root, this);
    this.#systems.set(id, system);
    this.#systemAt.set(slot, system);
    for (const [index, vcpu] of ids.entries()) workloads.set(vcpu, system.vcpus[index]!);
    return { workloads, system };
  }

  /** A domain is no more: its guests do nothing any more. */
  forget(domain: Domain): void {
    for (const { guestIndex } of domain.vcpus) this.#wakes.clear(guestIndex);
    const system = this.#systems.get(domain.id);
    if (system === undefined) return;
    system.isGone = true;
    this.#systems.delete(domain.id);
    this.#wakes.clear(this.#slots.get(domain.id)!);
  }

  /** All guests that there are or were. */
  all(): Guest[] {
    return this.#guests.filter((guest) => guest !== undefined);
  }

  /** When a running guest next blocks or yields. */
  get nextPointNs(): number {
    return this.#points.nextTime;
  }

  /** When a guest is next woken. */
  get nextWakeNs(): number {
    return this.#wakes.nextTime;
  }

  /** Lets all guests act whose point is now, pCPUs ascending. What they ask for is left pending. */
  runPoints(): void {
    const { machine } = this.#xen;
    while (this.#points.nextTime === machine.nowNs) {
      const pcpu = this.#points.nextSlot;
      this.#points.clear(pcpu);
      machine.cpu = pcpu;
      this.#act(this.#guests[machine.pcpus[pcpu]!.current.guestIndex]!, pcpu);
    }
  }

  /**
   * Wakes the first guest, by (domain id, vCPU id), that is to be woken now. Timers of a domain's system, all
   * that are due, come before its vCPUs.
   */
  runWake(): void {
    const { machine } = this;
    const slot = this.#wakes.nextSlot;
    this.#wakes.clear(slot);
    const system = this.#systemAt.get(slot);
    if (system !== undefined) {
      system.expire(machine.nowNs);
      return;
    }
    const guest = this.#guests[slot]!;
    machine.cpu = guest.vcpu.processor;
    this.#setWake(guest, guest.workload.wake(guest, machine.nowNs));
    this.#xen.unblock(guest.vcpu);
  }

  started(vcpu: Vcpu, pcpu: Pcpu): void {
    const guest = this.#guests[vcpu.guestIndex]!;
    guest.pcpu = pcpu.id;
    guest.runFromNs = this.#xen.machine.nowNs + this.#contextSwitchNs;
    guest.workload.start?.(guest, guest.runFromNs);
    this.#setPoint(guest, pcpu.id);
  }

  stopped(vcpu: Vcpu, pcpu: Pcpu): void {
    const guest = this.#guests[vcpu.guestIndex]!;
    guest.charge(this.#xen.machine.nowNs);
    guest.pcpu = -1;
    this.#points.clear(pcpu.id);
  }

  // ---- For the systems of domains that have tasks

  isActive({ pcpu, runFromNs }: Guest): boolean {
    return pcpu >= 0 && runFromNs <= this.machine.nowNs;
  }

  wake(guest: Guest): void {
    this.#xen.unblock(guest.vcpu);
    // It blocked at this very instant and has not gone yet: it finds that there is work after all.
    this.interrupt(guest);
  }

  interrupt(guest: Guest): void {
    if (!this.isActive(guest)) return;
    const { nowNs } = this.machine;
    guest.charge(nowNs);
    guest.remainingNs = 0;
    this.#points.set(guest.pcpu, nowNs, guest.pcpu);
  }

  setTimer({ dom }: GuestSystem, atNs: number): void {
    const slot = this.#slots.get(dom)!;
    if (atNs < Infinity) this.#wakes.set(slot, atNs, this.#plans.get(dom)!.firstIndex, -1);
    else this.#wakes.clear(slot);
  }

  systemOf(dom: number): GuestSystem | undefined {
    return this.#systems.get(dom);
  }

  #act(guest: Guest, pcpu: number): void {
    const xen = this.#xen;
    const { nowNs } = xen.machine;
    guest.charge(nowNs);
    if (guest.remainingNs === 0) {
      this.#setWake(guest, guest.workload.finish(guest, nowNs));
      if (guest.remainingNs === 0) {
        // A yield that was due at this very instant is not made, and the count to the next starts anew.
        if (guest.yieldLeftNs === 0) guest.yieldLeftNs = guest.yieldEveryNs;
        xen.block();
        return;
      }
    }
    if (guest.yieldLeftNs === 0) {
      guest.yieldLeftNs = guest.yieldEveryNs;
      xen.yield();
    }
    this.#setPoint(guest, pcpu);
  }

  #setPoint(guest: Guest, pcpu: number): void {
    const { job } = guest;
    if (job !== undefined && !job.started) {
      if (guest.runFromNs > this.#xen.machine.nowNs) {
        // Its first CPU time comes when the switch is over: look again then.
        this.#points.set(pcpu, guest.runFromNs, pcpu);
        return;
      }
      job.started = true;
      this.records.started(guest.vcpu, guest.vcpu.id, job.number);
    }
    const atNs = guest.runFromNs + Math.min(guest.remainingNs, guest.yieldLeftNs);
    if (atNs < Infinity) this.#points.set(pcpu, atNs, pcpu);
  }

  #setWake(guest: Guest, atNs: number): void {
    const slot = guest.vcpu.guestIndex;
    if (atNs < Infinity) this.#wakes.set(slot, atNs, slot);
  }
}
