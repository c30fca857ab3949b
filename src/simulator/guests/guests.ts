import { EventQueue } from '../../base/event-queue.ts';
import { Prng } from '../../base/prng.ts';
import type { DomainSpec, Scenario } from '../../scenario/scenario.ts';
import type { SimulationHooks } from '../hooks.ts';
import type { GuestClock, Hypervisor } from '../hypervisor.ts';
import type { Pcpu } from '../pcpu.ts';
import type { Domain, Vcpu } from '../vcpu.ts';
import { Guest } from './guest.ts';
import { JobRecords } from './jobs.ts';
import { createWorkload } from './workloads.ts';

/**
 * All guests: when each next wakes, and when each one that runs next blocks or yields.
 *
 * Invariant: a pCPU has an entry in the queue of points exactly while a guest's vCPU is current on it that
 * will do something by itself.
 */
export class Guests implements GuestClock {
  /** By `vcpu.guestIndex`, that is in the order (domain id, vCPU id), with gaps for those that are still to come. */
  readonly #guests: Guest[] = [];
  /** What a domain's guests are, and the index of the first one, by its id. */
  readonly #plans = new Map<number, { readonly spec: DomainSpec; readonly firstIndex: number }>();
  readonly #root: Prng;
  readonly #xen: Hypervisor;
  readonly #records: JobRecords;
  readonly #contextSwitchNs: number;
  /** Slots are pCPUs. */
  readonly #points: EventQueue;
  /** Slots are guests. */
  readonly #wakes: EventQueue;

  constructor(xen: Hypervisor, scenario: Scenario, hooks: SimulationHooks, jobRecords: boolean) {
    this.#xen = xen;
    this.#records = new JobRecords(xen.machine, hooks, jobRecords);
    this.#contextSwitchNs = scenario.host.contextSwitchNs;
    this.#points = new EventQueue(xen.machine.topology.pcpus);
    this.#root = Prng.fromSeed(scenario.seed);
    let count = 0;
    for (const spec of scenario.domains.toSorted((a, b) => a.id - b.id)) {
      this.#plans.set(spec.id, { spec, firstIndex: count });
      count += spec.vcpus.length;
    }
    this.#wakes = new EventQueue(count);
    for (const domain of xen.domains) this.adopt(domain);
  }

  /** A domain has been created: its guests begin, and their offsets count from now. */
  adopt(domain: Domain): void {
    const { nowNs } = this.#xen.machine;
    const { spec, firstIndex } = this.#plans.get(domain.id)!;
    for (const vcpu of domain.vcpus) {
      const { workload, yieldEveryNs } = spec.vcpus[vcpu.id]!;
      vcpu.guestIndex = firstIndex + vcpu.id;
      const guest = new Guest(vcpu, createWorkload(workload, vcpu, this.#root, this.#records), yieldEveryNs);
      this.#guests[vcpu.guestIndex] = guest;
      this.#setWake(guest, nowNs + guest.workload.firstWakeNs);
    }
  }

  /** A domain is no more: its guests do nothing any more. */
  forget(domain: Domain): void {
    for (const { guestIndex } of domain.vcpus) this.#wakes.clear(guestIndex);
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

  /** Wakes the first guest, by (domain id, vCPU id), that is to be woken now. */
  runWake(): void {
    const { machine } = this.#xen;
    const guest = this.#guests[this.#wakes.nextSlot]!;
    this.#wakes.clear(guest.vcpu.guestIndex);
    machine.cpu = guest.vcpu.processor;
    this.#setWake(guest, guest.workload.wake(guest, machine.nowNs));
    this.#xen.unblock(guest.vcpu);
  }

  started(vcpu: Vcpu, pcpu: Pcpu): void {
    const guest = this.#guests[vcpu.guestIndex]!;
    guest.runFromNs = this.#xen.machine.nowNs + this.#contextSwitchNs;
    guest.workload.start?.(guest, guest.runFromNs);
    this.#setPoint(guest, pcpu.id);
  }

  stopped(vcpu: Vcpu, pcpu: Pcpu): void {
    this.#guests[vcpu.guestIndex]!.charge(this.#xen.machine.nowNs);
    this.#points.clear(pcpu.id);
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
      this.#records.started(guest.vcpu, job);
    }
    const atNs = guest.runFromNs + Math.min(guest.remainingNs, guest.yieldLeftNs);
    if (atNs < Infinity) this.#points.set(pcpu, atNs, pcpu);
  }

  #setWake(guest: Guest, atNs: number): void {
    const slot = guest.vcpu.guestIndex;
    if (atNs < Infinity) this.#wakes.set(slot, atNs, slot);
  }
}
