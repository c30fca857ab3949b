import {
  affinityOfStep,
  BALANCE_HARD_AFFINITY,
  BALANCE_SOFT_AFFINITY,
  hasSoftAffinity,
} from '../affinity.ts';
import { Cpumask } from '../cpumask.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { Link } from '../linked-list.ts';
import type { Pcpu } from '../pcpu.ts';
import type { Scheduler } from '../scheduler.ts';
import {
  TRC_SNULL_MIGRATE,
  TRC_SNULL_PICKED_CPU,
  TRC_SNULL_SCHEDULE,
  TRC_SNULL_TASKLET,
  TRC_SNULL_UNIT_ASSIGN,
  TRC_SNULL_UNIT_DEASSIGN,
} from '../trace-events.ts';
import type { Vcpu } from '../vcpu.ts';

/** What a record says of the owner of a pCPU that has none. */
const NO_OWNER = 0xffffffff;

/** A vCPU as null sees it (struct null_unit). */
class NullVcpu {
  readonly vcpu: Vcpu;
  /** In the wait queue, unless alone. */
  readonly waiting: Link<NullVcpu>;

  constructor(vcpu: Vcpu) {
    this.vcpu = vcpu;
    this.waiting = new Link<NullVcpu>(this);
  }
}

/** A pCPU as null sees it (struct null_pcpu): the vCPU that owns it. */
interface NullPcpu {
  owner: Vcpu | undefined;
}

/**
 * The null scheduler (common/sched/null.c): each vCPU is given a pCPU of its own and keeps it, also while it
 * is blocked. vCPUs beyond the number of pCPUs wait until somebody leaves, moves or goes offline.
 */
export class NullScheduler implements Scheduler {
  readonly name = 'null';
  readonly #xen: Hypervisor;
  /** pCPUs without an owner. */
  readonly #free: Cpumask;
  /** vCPUs without a pCPU, first come first served. */
  readonly #waitqueue = new Link<NullVcpu>();
  readonly #scratch: Cpumask;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.#free = new Cpumask(xen.machine.topology.pcpus);
    this.#scratch = new Cpumask(xen.machine.topology.pcpus);
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu): number {
    pcpu.schedulerData = { owner: undefined } satisfies NullPcpu;
    this.#free.set(pcpu.id);
    // Each pCPU has a lock of its own.
    return pcpu.id;
  }

  removePcpu(pcpu: Pcpu): void {
    this.#free.unset(pcpu.id);
    pcpu.schedulerData = undefined;
  }

  allocVcpu(vcpu: Vcpu): void {
    vcpu.schedulerData = new NullVcpu(vcpu);
  }

  /** null_unit_insert() */
  insertVcpu(vcpu: Vcpu): void {
    if (!vcpu.isOnline) return;
    for (;;) {
      const pcpu = this.pickPcpu(vcpu);
      vcpu.processor = pcpu;
      if (this.#pcpu(pcpu).owner === undefined) {
        this.#assign(vcpu, pcpu);
        return;
      }
      this.#allowed(vcpu);
      if (!this.#scratch.intersects(this.#free)) break;
    }
    nullOf(vcpu).waiting.insertBefore(this.#waitqueue);
  }

  /** null_unit_remove() */
  removeVcpu(vcpu: Vcpu): void {
    if (!vcpu.isOnline) return;
    const { waiting } = nullOf(vcpu);
    if (!waiting.isAlone) waiting.remove();
    else if (this.#pcpu(vcpu.processor).owner === vcpu) this.#deassign(vcpu);
  }

  // ---- Sleep and wake

  /** null_unit_sleep(): a blocked vCPU keeps its pCPU, one that goes offline does not. */
  sleep(vcpu: Vcpu): void {
    let successorTold = false;
    if (!vcpu.isOnline) {
      const { waiting } = nullOf(vcpu);
      if (!waiting.isAlone) waiting.remove();
      else if (this.#pcpu(vcpu.processor).owner === vcpu) successorTold = this.#deassign(vcpu);
    }
    if (!successorTold && this.#runsOn(vcpu)) this.#xen.raiseSchedule(vcpu.processor);
  }

  /** null_unit_wake() */
  wake(vcpu: Vcpu): void {
    if (this.#runsOn(vcpu)) return;
    const { waiting } = nullOf(vcpu);
    if (!waiting.isAlone) return;
    const { processor } = vcpu;
    const { owner } = this.#pcpu(processor);
    if (owner === vcpu) {
      this.#xen.raiseSchedule(processor);
      return;
    }
    // Neither assigned nor waiting: it comes back online.
    if (owner === undefined && this.#suits(vcpu, processor, BALANCE_HARD_AFFINITY)) {
      if (!hasSoftAffinity(vcpu) || this.#suits(vcpu, processor, BALANCE_SOFT_AFFINITY)) {
        this.#assign(vcpu, processor);
        this.#xen.raiseSchedule(processor);
        return;
      }
    }
    // The first free pCPU that schedules takes it.
    waiting.insertBefore(this.#waitqueue);
    this.#allowed(vcpu);
    const told = this.#scratch;
    told.and(told, this.#free);
    for (let pcpu = told.first(); pcpu < told.size; pcpu = told.next(pcpu)) this.#xen.raiseSchedule(pcpu);
  }

  // ---- Placement

  /**
   * pick_res(): where it is, if that is free or its own; else the first free pCPU, where it prefers to run
   * before where it may; else any on which it may run, although that is somebody else's.
   */
  pickPcpu(vcpu: Vcpu): number {
    const pcpu = this.#pick(vcpu);
    this.#xen.machine.tracer.record2(TRC_SNULL_PICKED_CPU, vcpu.packedId, pcpu);
    return pcpu;
  }

  #pick(vcpu: Vcpu): number {
    const { processor } = vcpu;
    const { valid } = vcpu.domain.pool!;
    const { owner } = this.#pcpu(processor);
    const suitable = this.#scratch;
    for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
      if (step === BALANCE_SOFT_AFFINITY && !hasSoftAffinity(vcpu)) continue;
      affinityOfStep(vcpu, step, suitable);
      suitable.and(suitable, valid);
      if ((owner === undefined || owner === vcpu) && suitable.has(processor)) return processor;
      suitable.and(suitable, this.#free);
      const free = suitable.first();
      if (free < suitable.size) return free;
    }
    // Xen takes a random one here (cpumask_any); the machine's random number is always 0.
    this.#allowed(vcpu);
    return this.#scratch.first();
  }

  /** null_unit_migrate() */
  migrate(vcpu: Vcpu, pcpu: number): void {
    const from = vcpu.processor;
    if (from === pcpu) return;
    this.#xen.machine.tracer.record2(TRC_SNULL_MIGRATE, vcpu.packedId, from | (pcpu << 16));
    const { waiting } = nullOf(vcpu);
    if (this.#pcpu(from).owner === vcpu) this.#deassign(vcpu);
    if (!vcpu.isOnline) {
      waiting.remove();
    } else if (this.#pcpu(pcpu).owner === undefined && this.#suits(vcpu, pcpu, BALANCE_HARD_AFFINITY)) {
      waiting.remove();
      this.#assign(vcpu, pcpu);
    } else if (waiting.isAlone) {
      waiting.insertBefore(this.#waitqueue);
    }
    vcpu.processor = pcpu;
  }

  #assign(vcpu: Vcpu, pcpu: number): void {
    this.#pcpu(pcpu).owner = vcpu;
    vcpu.processor = pcpu;
    this.#free.unset(pcpu);
    this.#xen.machine.tracer.record2(TRC_SNULL_UNIT_ASSIGN, vcpu.packedId, pcpu);
  }

  /** The pCPU of `vcpu` becomes free; whoever waited for it gets it. Answers whether somebody did. */
  #deassign(vcpu: Vcpu): boolean {
    const pcpu = vcpu.processor;
    this.#pcpu(pcpu).owner = undefined;
    this.#free.set(pcpu);
    this.#xen.machine.tracer.record2(TRC_SNULL_UNIT_DEASSIGN, vcpu.packedId, pcpu);
    const next = this.#findWaiting(pcpu);
    if (next === undefined) return false;
    next.waiting.remove();
    this.#assign(next.vcpu, pcpu);
    this.#xen.raiseSchedule(pcpu);
    return true;
  }

  /** The first in the wait queue that prefers `pcpu`, else the first that may run there. */
  #findWaiting(pcpu: number): NullVcpu | undefined {
    const queue = this.#waitqueue;
    for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
      for (let at = queue.next; at !== queue; at = at.next) {
        const { vcpu } = at.owner!;
        if (step === BALANCE_SOFT_AFFINITY && !hasSoftAffinity(vcpu)) continue;
        if (this.#suits(vcpu, pcpu, step)) return at.owner!;
      }
    }
    return undefined;
  }

  // ---- The decision

  /** null_schedule() */
  doSchedule(prev: Vcpu, _nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus, tracer } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    const here = this.#pcpu(cpu);
    const ownerId = here.owner === undefined ? NO_OWNER : here.owner.packedId;
    tracer.record2(TRC_SNULL_SCHEDULE, (taskletWork ? 1 : 0) | (cpu << 16), ownerId);
    let next = here.owner;
    if (taskletWork) {
      tracer.record0(TRC_SNULL_TASKLET);
      next = idle;
    } else if (next === undefined) {
      next = this.#takeWaiting(cpu);
    }
    if (next === undefined || !next.checkRunnable()) next = idle;
    prev.nextTask = next;
    prev.nextTimeNs = -1;
    next.migrated = false;
  }

  /**
   * Gives a free pCPU to somebody who waits. Xen leaves alone one that waits at this very pCPU, whose lock is
   * taken, and tries again at once until another pCPU has taken it; those have been told, so that it is
   * enough here to leave it to them.
   */
  #takeWaiting(pcpu: number): Vcpu | undefined {
    if (this.#waitqueue.isAlone) return undefined;
    for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
      for (let at = this.#waitqueue.next; at !== this.#waitqueue; at = at.next) {
        const { vcpu, waiting } = at.owner!;
        if (vcpu.processor === pcpu) continue;
        if (step === BALANCE_SOFT_AFFINITY && !hasSoftAffinity(vcpu)) continue;
        if (!this.#suits(vcpu, pcpu, step)) continue;
        this.#assign(vcpu, pcpu);
        waiting.remove();
        return vcpu;
      }
    }
    return undefined;
  }

  /** Whether `pcpu` is in its pool and among the pCPUs that `step` considers (unit_check_affinity). */
  #suits(vcpu: Vcpu, pcpu: number, step: number): boolean {
    affinityOfStep(vcpu, step, this.#scratch);
    return this.#scratch.has(pcpu) && vcpu.domain.pool!.valid.has(pcpu);
  }

  /** Where it may run at all, into `#scratch`. */
  #allowed(vcpu: Vcpu): void {
    this.#scratch.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
  }

  #runsOn(vcpu: Vcpu): boolean {
    return this.#xen.machine.pcpus[vcpu.processor]!.chosen === vcpu;
  }

  #pcpu(pcpu: number): NullPcpu {
    return this.#xen.machine.pcpus[pcpu]!.schedulerData as NullPcpu;
  }
}

function nullOf(vcpu: Vcpu): NullVcpu {
  return vcpu.schedulerData as NullVcpu;
}
