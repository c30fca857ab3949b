import type { Cpumask } from '../cpumask.ts';
import { Cpumask as Mask } from '../cpumask.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Pcpu } from '../pcpu.ts';
import { type DomainParameters, isRatelimit, type PoolParameters, type Scheduler } from '../scheduler.ts';
import { TRC_CSCHED2_SCHED_TASKLET, TRC_CSCHED2_SCHEDULE } from '../trace-events.ts';
import type { Domain, Vcpu } from '../vcpu.ts';
import { joinRunQueue } from './credit2/arrangement.ts';
import { balanceLoad } from './credit2/balancing.ts';
import { grabBudget, replenish, returnBudget, setCap, unparkAll } from './credit2/budget.ts';
import { burnCredits, resetCredits } from './credit2/credits.ts';
import { chooseNext, sliceOf } from './credit2/decision.ts';
import { updateLoad } from './credit2/load.ts';
import { moveTo, pickPcpu } from './credit2/placement.ts';
import {
  assignTo,
  deassign,
  enqueue,
  joinSmtIdle,
  leaveSmtIdle,
  tickle,
  updateMaxWeight,
} from './credit2/run-queue.ts';
import {
  CREDIT_RESET,
  Credit2Domain,
  Credit2Pcpu,
  Credit2System,
  Credit2Vcpu,
  credit2OfDomain,
  credit2OfPcpu,
  credit2OfVcpu,
  FLAG_DELAYED_ADD,
  FLAG_PINNED,
  FLAG_SCHEDULED,
  FLAG_YIELD,
  LOAD_TICKS_PER_NS,
  MIGRATE_COMPENSATION,
  type RunQueue,
} from './credit2/state.ts';
import { tickleFor } from './credit2/tickling.ts';

/**
 * The credit2 scheduler (common/sched/credit2.c): pCPUs share run queues sorted by credit; who has most runs,
 * time costs the more credit the less a vCPU weighs, and when the best has none left all get the same again.
 * Load is averaged per vCPU and run queue and evened out between run queues.
 */
export class Credit2Scheduler implements Scheduler {
  readonly name = 'credit2';
  readonly #xen: Hypervisor;
  readonly #system: Credit2System;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.#system = new Credit2System(xen);
  }

  // ---- The decision (csched2_schedule)

  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const system = this.#system;
    const { machine, tracer } = system;
    const pcpu = machine.cpu;
    const queue = system.queueOf(pcpu);
    const current = credit2OfVcpu(prev);
    const tickled = queue.tickled.has(pcpu);
    if (tickled) {
      queue.tickled.unset(pcpu);
      joinSmtIdle(system, queue, pcpu);
    }
    if (tracer.wants(TRC_CSCHED2_SCHEDULE)) {
      const how =
        (taskletWork ? 1 : 0) |
        (prev.isIdle ? 1 << 8 : 0) |
        (queue.smtIdle.has(pcpu) ? 1 << 16 : 0) |
        (tickled ? 1 << 24 : 0);
      tracer.record2(TRC_CSCHED2_SCHEDULE, (pcpu & 0xffff) | (queue.id << 16), how);
    }
    burnCredits(system, queue, current, nowNs);
    if (current.budgetNs <= 0) grabBudget(system, current);
    let next: Credit2Vcpu;
    if (taskletWork) {
      current.flags &= ~FLAG_YIELD;
      tracer.record0(TRC_CSCHED2_SCHED_TASKLET);
      next = credit2OfVcpu(machine.pcpus[pcpu]!.idle);
    } else {
      next = chooseNext(system, queue, current, pcpu, nowNs);
    }
    if (next !== current && !prev.isIdle && prev.isRunnable) current.flags |= FLAG_DELAYED_ADD;
    let inFlight = 0;
    let migrated = false;
    if (next.vcpu.isIdle) {
      this.#goIdle(queue, pcpu, taskletWork, nowNs);
    } else {
      this.#prepare(queue, current, next, pcpu, nowNs);
      if (system.version.slicesSeePreempted && (current.flags & FLAG_DELAYED_ADD) !== 0) {
        inFlight = current.credit;
      }
      next.startNs = nowNs;
      next.tickledPcpu = -1;
      migrated = next.vcpu.processor !== pcpu;
      if (migrated) {
        next.credit += MIGRATE_COMPENSATION;
        next.vcpu.processor = pcpu;
      }
    }
    prev.nextTask = next.vcpu;
    prev.nextTimeNs = sliceOf(system, queue, next, nowNs, inFlight);
    next.vcpu.migrated = migrated;
  }

  /** A guest's vCPU runs next: off the run queue, and new credit for all if the best of them has none. */
  #prepare(queue: RunQueue, current: Credit2Vcpu, next: Credit2Vcpu, pcpu: number, nowNs: number): void {
    const system = this.#system;
    if (next !== current) {
      next.queued.remove();
      next.flags |= FLAG_SCHEDULED;
    } else {
      updateLoad(system, queue, next, 0, nowNs);
    }
    this.#leaveIdle(queue, pcpu);
    const first = queue.waiting.next.owner;
    const top = first !== undefined && first.credit > next.credit ? first.credit : next.credit;
    if (top > CREDIT_RESET) return;
    resetCredits(system, queue, next, nowNs);
    balanceLoad(system, queue, nowNs);
  }

  #goIdle(queue: RunQueue, pcpu: number, taskletWork: boolean, nowNs: number): void {
    const system = this.#system;
    if (taskletWork) {
      this.#leaveIdle(queue, pcpu);
    } else if (!queue.idle.has(pcpu)) {
      queue.idle.set(pcpu);
      joinSmtIdle(system, queue, pcpu);
    }
    updateLoad(system, queue, undefined, 0, nowNs);
  }

  #leaveIdle(queue: RunQueue, pcpu: number): void {
    if (!queue.idle.has(pcpu)) return;
    queue.idle.unset(pcpu);
    leaveSmtIdle(this.#system, queue, pcpu);
  }

  /** Its context is saved: it may wait in the run queue, and its budget serves others. */
  contextSaved(vcpu: Vcpu): void {
    if (vcpu.isIdle) return;
    const system = this.#system;
    const { nowNs } = system.machine;
    const credit = credit2OfVcpu(vcpu);
    const returns = credit.isCapped && credit.budgetNs > 0;
    if (returns) returnBudget(credit);
    // Whom to unpark is settled before others come to the queue: nobody is parked meanwhile.
    const unparks = returns && credit.domain!.budgetNs > 0;
    const isDelayed = (credit.flags & FLAG_DELAYED_ADD) !== 0;
    credit.flags &= ~(FLAG_SCHEDULED | FLAG_DELAYED_ADD);
    if (isDelayed && vcpu.isRunnable) {
      enqueue(system, credit);
      tickleFor(system, credit, nowNs);
    } else {
      updateLoad(system, credit.runQueue!, credit, -1, nowNs);
    }
    if (unparks) unparkAll(system, credit.domain!);
  }

  // ---- Sleep, wake, yield

  sleep(vcpu: Vcpu): void {
    const system = this.#system;
    const credit = credit2OfVcpu(vcpu);
    if (system.machine.pcpus[vcpu.processor]!.chosen === vcpu) {
      tickle(system, credit.runQueue!, vcpu.processor);
    } else if (credit.isQueued) {
      updateLoad(system, credit.runQueue!, credit, -1, system.machine.nowNs);
      credit.queued.remove();
    } else {
      credit.flags &= ~FLAG_DELAYED_ADD;
    }
  }

  wake(vcpu: Vcpu): void {
    const system = this.#system;
    const credit = credit2OfVcpu(vcpu);
    if (system.machine.pcpus[vcpu.processor]!.chosen === vcpu || credit.isQueued) return;
    if ((credit.flags & FLAG_SCHEDULED) !== 0) {
      credit.flags |= FLAG_DELAYED_ADD;
      return;
    }
    if (credit.runQueue === undefined) assignTo(system, credit, system.queueOf(vcpu.processor));
    const { nowNs } = system.machine;
    updateLoad(system, credit.runQueue!, credit, 1, nowNs);
    enqueue(system, credit);
    tickleFor(system, credit, nowNs);
  }

  yield(vcpu: Vcpu): void {
    credit2OfVcpu(vcpu).flags |= FLAG_YIELD;
  }

  // ---- Placement and parameters

  pickPcpu(vcpu: Vcpu): number {
    return pickPcpu(this.#system, credit2OfVcpu(vcpu));
  }

  migrate(vcpu: Vcpu, pcpu: number): void {
    const system = this.#system;
    const credit = credit2OfVcpu(vcpu);
    const target = system.queueOf(pcpu);
    if (target === credit.runQueue) vcpu.processor = pcpu;
    else moveTo(system, credit, target, system.machine.nowNs);
  }

  /** Answers false for a cap of more than all its vCPUs can use; the weight is set nevertheless. */
  adjustDomain(target: Domain, { weight, cap }: DomainParameters): boolean {
    const system = this.#system;
    const domain = credit2OfDomain(target);
    // A toolstack reads what it does not change and writes it back.
    const newWeight = weight ?? domain.weight;
    const newCap = cap ?? domain.cap;
    if (newWeight !== 0) {
      const oldWeight = domain.weight;
      domain.weight = newWeight;
      for (const vcpu of target.vcpus) {
        const credit = credit2OfVcpu(vcpu);
        credit.weight = newWeight;
        updateMaxWeight(system, credit.runQueue!, newWeight, oldWeight);
      }
    }
    if (newCap > 100 * domain.vcpuCount) return false;
    setCap(system, domain, newCap);
    return true;
  }

  /** csched2_sys_cntl(): there is the rate limit only. */
  adjustPool({ ratelimitUs }: PoolParameters): boolean {
    if (ratelimitUs === undefined) return true;
    if (!isRatelimit(ratelimitUs)) return false;
    this.#system.ratelimitNs = ratelimitUs * 1000;
    return true;
  }

  adjustAffinity(vcpu: Vcpu, hard: Cpumask | undefined): void {
    if (hard === undefined) return;
    const credit = credit2OfVcpu(vcpu);
    if (hard.weight() === 1) credit.flags |= FLAG_PINNED;
    else credit.flags &= ~FLAG_PINNED;
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu, _pool: Cpupool): number {
    const system = this.#system;
    const { topology } = system.machine;
    const { id } = pcpu;
    const queue = joinRunQueue(system, id);
    const siblings = Mask.of(topology.pcpus, [id]);
    const { active } = queue;
    for (let other = active.first(); other < active.size; other = active.next(other)) {
      if (!topology.siblings[id]!.has(other)) continue;
      system.pcpu(other).siblings.set(id);
      siblings.set(other);
    }
    pcpu.schedulerData = new Credit2Pcpu(queue, siblings);
    queue.idle.set(id);
    queue.active.set(id);
    queue.smtIdle.set(id);
    queue.pcpuCount += 1;
    if (queue.pcpuCount === 1) queue.pickBias = id;
    return queue.id;
  }

  removePcpu(pcpu: Pcpu): void {
    const system = this.#system;
    const { id } = pcpu;
    const queue = credit2OfPcpu(pcpu).runQueue;
    for (const mask of [queue.idle, queue.smtIdle, queue.active, queue.tickled]) mask.unset(id);
    const { active } = queue;
    for (let other = active.first(); other < active.size; other = active.next(other)) {
      system.pcpu(other).siblings.unset(id);
    }
    queue.pcpuCount -= 1;
    if (queue.pcpuCount === 0) system.runQueues.splice(system.runQueues.indexOf(queue), 1);
    else if (queue.pickBias === id) queue.pickBias = active.first();
  }

  allocDomain(domain: Domain): void {
    const system = this.#system;
    const timer = this.#xen.machine.timers.init(
      () => replenish(system, credit2OfDomain(domain)),
      0,
      domain.pool!.valid.first(),
    );
    domain.schedulerData = new Credit2Domain(domain, timer);
  }

  freeDomain(domain: Domain): void {
    this.#xen.machine.timers.kill(credit2OfDomain(domain).replenishTimer);
  }

  allocVcpu(vcpu: Vcpu): void {
    const credit = new Credit2Vcpu(vcpu, vcpu.isIdle ? undefined : credit2OfDomain(vcpu.domain));
    if (!vcpu.isIdle) {
      // It counts as having wanted to run half of the time.
      credit.avgLoad = this.#system.loadUnit / 2;
      credit.loadUpdatedAt = Math.floor(this.#xen.machine.nowNs * LOAD_TICKS_PER_NS);
    }
    vcpu.schedulerData = credit;
  }

  insertVcpu(vcpu: Vcpu): void {
    const system = this.#system;
    const credit = credit2OfVcpu(vcpu);
    vcpu.processor = pickPcpu(system, credit);
    assignTo(system, credit, system.queueOf(vcpu.processor));
    credit.domain!.vcpuCount += 1;
  }

  removeVcpu(vcpu: Vcpu): void {
    const credit = credit2OfVcpu(vcpu);
    deassign(this.#system, credit);
    credit.domain!.vcpuCount -= 1;
  }
}
