import { Cpumask } from '../cpumask.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Pcpu } from '../pcpu.ts';
import type { Scheduler, VcpuParameters } from '../scheduler.ts';
import type { Vcpu } from '../vcpu.ts';
import type { RtdsVersion } from '../versions.ts';
import { RtdsQueues } from './rtds/queues.ts';
import { RtdsRecords } from './rtds/records.ts';
import { RtdsRunning } from './rtds/running.ts';
import { comparePriority, RtdsVcpu, refuseExtratime, rtdsOf } from './rtds/state.ts';
import { TimeDrivenRtdsScheduler } from './rtds/time-driven.ts';

/** RTDS of the version that is simulated. */
export function createRtds(xen: Hypervisor): Scheduler {
  return xen.version.rtds.timeDriven === undefined
    ? new RtdsScheduler(xen)
    : new TimeDrivenRtdsScheduler(xen);
}

/**
 * The RTDS scheduler since it is event-driven (common/sched/rt.c): global earliest deadline first over
 * deferrable servers. One run queue for all pCPUs; the budget of a running vCPU ends with its time slice; a
 * timer replenishes each at its deadline.
 */
export class RtdsScheduler implements Scheduler {
  readonly name = 'rtds';
  readonly #xen: Hypervisor;
  readonly #version: RtdsVersion;
  readonly #queues: RtdsQueues;
  readonly #records: RtdsRecords;
  #pool: Cpupool | undefined;
  /** pCPUs that have been told to schedule and did not yet. */
  readonly #tickled: Cpumask;
  readonly #candidates: Cpumask;
  readonly #running: RtdsRunning;
  readonly #replenishedNow: RtdsVcpu[] = [];

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.#version = xen.version.rtds;
    this.#queues = new RtdsQueues(xen.machine, this.#version);
    this.#records = new RtdsRecords(xen.machine.tracer, this.#version);
    this.#tickled = new Cpumask(xen.machine.topology.pcpus);
    this.#candidates = new Cpumask(xen.machine.topology.pcpus);
    this.#running = new RtdsRunning(xen.machine.topology.pcpus);
  }

  // ---- Members come and go

  /** The first pCPU gets the timer; all share one lock. */
  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    this.#pool = pool;
    this.#running.idles(pcpu.id);
    this.#queues.timer ??= this.#xen.machine.timers.init(() => this.#replenish(), 0, pcpu.id);
    return this.#tickled.size + pool.id;
  }

  removePcpu(pcpu: Pcpu): void {
    this.#running.leaves(pcpu.id);
    this.#moveTimer(pcpu.id);
  }

  moveTimers(pcpu: Pcpu): void {
    const { timer } = this.#queues;
    if (timer !== undefined && !this.#pool!.valid.has(timer.pcpu)) this.#moveTimer(pcpu.id);
  }

  /** move_repl_timer(): to the next pCPU of the pool; without one there is no timer. */
  #moveTimer(from: number): void {
    const queues = this.#queues;
    const { timers, nowNs } = this.#xen.machine;
    if (queues.timer === undefined || queues.timer.pcpu !== from) return;
    const next = this.#pool!.valid.cycle(from);
    if (next < this.#tickled.size && next !== from) {
      timers.migrate(queues.timer, next, nowNs);
    } else {
      timers.kill(queues.timer);
      queues.timer = undefined;
    }
  }

  allocVcpu(vcpu: Vcpu): void {
    const rtds = new RtdsVcpu(vcpu, this.#version.hasExtratime);
    rtds.number = this.#queues.addMember(rtds);
    vcpu.schedulerData = rtds;
  }

  /** rt_unit_insert(): its first period begins, with the budget that it has before it is given another. */
  insertVcpu(vcpu: Vcpu): void {
    const { nowNs } = this.#xen.machine;
    const rtds = rtdsOf(vcpu);
    if (this.#version.placesAtInsertion) vcpu.processor = this.pickPcpu(vcpu);
    if (nowNs >= rtds.deadlineNs) this.#renew(rtds);
    if (this.#queues.isQueued(rtds) || !vcpu.isRunnable) return;
    this.#queues.scheduleReplenishment(rtds);
    if (!vcpu.isRunning) this.#queues.enqueue(rtds);
  }

  removeVcpu(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    this.#queues.dequeue(rtds);
    if (this.#queues.awaitsReplenishment(rtds)) this.#queues.cancelReplenishment(rtds);
  }

  /**
   * XEN_DOMCTL_SCHEDOP_putvcpuinfo: counts from the next replenishment on. Since 4.22 a vCPU that is
   * depleted and is allowed extratime goes on at once.
   */
  adjustVcpu(vcpu: Vcpu, parameters: VcpuParameters): boolean {
    const rtds = rtdsOf(vcpu);
    const { extratime = rtds.extratime } = parameters;
    if (extratime && !this.#version.hasExtratime) refuseExtratime(this.#xen.version.series);
    if (!rtds.setServer(parameters, this.#version.budgetMinNs)) return false;
    if (extratime && !rtds.extratime && rtds.leftNs <= 0 && this.#version.refillsOnExtratime) {
      const wasQueued = this.#queues.isQueued(rtds);
      this.#queues.dequeue(rtds);
      this.#demote(rtds);
      rtds.depleted = false;
      if (wasQueued) this.#queues.enqueue(rtds);
    }
    rtds.extratime = extratime;
    return true;
  }

  /** rt_res_pick(): where it is if it may be there, else the next pCPU where it may. */
  pickPcpu(vcpu: Vcpu): number {
    this.#allowed(vcpu);
    const { processor } = vcpu;
    return this.#candidates.has(processor) ? processor : this.#candidates.cycle(processor);
  }

  // ---- Sleep and wake

  sleep(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    if (this.#runsOn(vcpu)) {
      this.#xen.raiseSchedule(vcpu.processor);
    } else if (this.#queues.isQueued(rtds)) {
      this.#queues.dequeue(rtds);
      this.#queues.cancelReplenishment(rtds);
    } else {
      rtds.queueWhenSaved = false;
    }
  }

  /** rt_unit_wake() */
  wake(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    if (this.#runsOn(vcpu) || this.#queues.isQueued(rtds)) return;
    const missed = this.#xen.machine.nowNs >= rtds.deadlineNs;
    if (missed) this.#renew(rtds);
    if (rtds.scheduled) {
      // It woke before its context was saved, so that its replenishment is still queued.
      rtds.queueWhenSaved = true;
      if (missed) this.#queues.moveReplenishment(rtds);
      return;
    }
    this.#queues.scheduleReplenishment(rtds);
    this.#queues.enqueue(rtds);
    this.#tickle(rtds);
  }

  contextSaved(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    rtds.scheduled = false;
    if (vcpu.isIdle) return;
    const queue = rtds.queueWhenSaved && vcpu.isRunnable;
    rtds.queueWhenSaved = false;
    if (queue) {
      this.#queues.enqueue(rtds);
      this.#tickle(rtds);
    } else {
      this.#queues.cancelReplenishment(rtds);
    }
  }

  // ---- Budgets

  /** rt_update_deadline(): a new period, with the parameters of now. */
  #renew(rtds: RtdsVcpu): void {
    const { nowNs } = this.#xen.machine;
    rtds.advanceDeadline(nowNs);
    if (this.#version.chargesFromRenewal) rtds.chargedToNs = nowNs;
    rtds.leftNs = rtds.budgetNs;
    rtds.level = 0;
    this.#running.priorityChanged(rtds);
    this.#records.replenished(rtds);
  }

  /** burn_budget() */
  #burn(rtds: RtdsVcpu, nowNs: number): void {
    if (rtds.vcpu.isIdle) return;
    const deltaNs = nowNs - rtds.chargedToNs;
    rtds.leftNs -= deltaNs;
    if (this.#version.chargesFromRenewal) rtds.chargedToNs = nowNs;
    if (rtds.leftNs <= 0) {
      if (rtds.extratime) {
        this.#demote(rtds);
      } else {
        rtds.leftNs = 0;
        rtds.depleted = true;
      }
    }
    this.#records.burnt(rtds, deltaNs);
  }

  /** A budget out of turn, at a lower priority. */
  #demote(rtds: RtdsVcpu): void {
    rtds.level += 1;
    rtds.leftNs = rtds.budgetNs;
    this.#queues.levelChanged(rtds);
    this.#running.priorityChanged(rtds);
  }

  /** repl_timer_handler(): all whose deadline is there get a new one and a new budget. */
  #replenish(): void {
    const { pcpus, nowNs } = this.#xen.machine;
    const queues = this.#queues;
    const renewed = this.#replenishedNow;
    for (;;) {
      const rtds = queues.firstReplenishment();
      if (rtds === undefined || nowNs < rtds.deadlineNs) break;
      queues.takeReplenishment(rtds);
      this.#renew(rtds);
      renewed.push(rtds);
      if (queues.isQueued(rtds)) {
        queues.dequeue(rtds);
        queues.enqueue(rtds);
      }
    }
    // Xen put them on a list front to front, so the last comes first.
    for (let rtds = renewed.pop(); rtds !== undefined; rtds = renewed.pop()) {
      const { vcpu } = rtds;
      const first = queues.first();
      if (pcpus[vcpu.processor]!.chosen === vcpu && first !== undefined) {
        if (comparePriority(rtds, first) < 0) this.#tickle(first);
      } else if (rtds.depleted) {
        const isQueued = queues.isQueued(rtds);
        if (isQueued || !this.#version.tellsDepletedLate) rtds.depleted = false;
        if (isQueued) this.#tickle(rtds);
      }
      queues.insertReplenishment(rtds);
    }
    queues.setTimerToFirst();
  }

  // ---- The decision

  /** rt_schedule() */
  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    const current = rtdsOf(prev);
    this.#records.decisionAsked(cpu, taskletWork, this.#tickled.has(cpu), prev.isIdle);
    this.#tickled.unset(cpu);
    this.#burn(current, nowNs);
    let next: RtdsVcpu;
    if (taskletWork) {
      this.#records.taskletFirst();
      next = rtdsOf(idle);
    } else {
      next = this.#pickRunnable(cpu) ?? rtdsOf(idle);
      if (this.#goesOn(current, next)) next = current;
    }
    if (next !== current && !prev.isIdle && prev.isRunnable) current.queueWhenSaved = true;
    const { vcpu } = next;
    next.chargedToNs = nowNs;
    prev.nextTask = vcpu;
    prev.nextTimeNs = -1;
    vcpu.migrated = false;
    this.#running.changes(cpu, current, next);
    if (vcpu.isIdle) return;
    if (next !== current) {
      this.#queues.dequeue(next);
      next.scheduled = true;
    }
    if (vcpu.processor !== cpu) {
      vcpu.processor = cpu;
      vcpu.migrated = true;
    }
    prev.nextTimeNs = next.leftNs;
  }

  /** Whether who runs keeps the pCPU against `next`, who may be idle. */
  #goesOn(current: RtdsVcpu, next: RtdsVcpu): boolean {
    if (current.vcpu.isIdle || !current.vcpu.checkRunnable() || current.leftNs <= 0) return false;
    if (next.vcpu.isIdle) return true;
    const order = comparePriority(current, next);
    return order > 0 || (order === 0 && this.#version.equalsGoFirst);
  }

  /** The first of the run queue for `pcpu`. One that turns out not to be runnable leaves the queue. */
  #pickRunnable(pcpu: number): RtdsVcpu | undefined {
    for (;;) {
      const picked = this.#pick(pcpu);
      if (picked === undefined || picked.vcpu.checkRunnable() || !this.#xen.version.core.asksNext)
        return picked;
      this.#queues.dequeue(picked);
      if (this.#version.forgetsUnrunnable) this.#queues.cancelReplenishment(picked);
      if (!this.#version.picksAgain) return undefined;
    }
  }

  /** runq_pick() */
  #pick(pcpu: number): RtdsVcpu | undefined {
    const queues = this.#queues;
    for (let rtds = queues.first(); rtds !== undefined; rtds = queues.behind(rtds)) {
      const { vcpu } = rtds;
      if (!vcpu.hardAffinity.has(pcpu) || !vcpu.domain.pool!.valid.has(pcpu)) continue;
      this.#records.picked(rtds);
      return rtds;
    }
    return undefined;
  }

  /**
   * runq_tickle(): tells an idle pCPU, where it was before if that is idle, else the one that runs the lowest
   * priority if that is below its own. pCPUs that have been told and did not schedule yet do not count.
   */
  #tickle(rtds: RtdsVcpu): void {
    const pcpu = this.#findPcpuToTickle(rtds);
    if (pcpu < 0) return;
    this.#records.tickled(pcpu);
    this.#tickled.set(pcpu);
    this.#xen.raiseSchedule(pcpu);
  }

  #findPcpuToTickle(rtds: RtdsVcpu): number {
    const { pcpus } = this.#xen.machine;
    const { processor } = rtds.vcpu;
    const { ticklesHomeUnasked } = this.#version;
    if (ticklesHomeUnasked && pcpus[processor]!.chosen.isIdle) return processor;
    const candidates = this.#candidates;
    this.#allowed(rtds.vcpu);
    candidates.andNot(candidates, this.#tickled);
    // From its last pCPU on, or in the older versions from the first.
    const from = ticklesHomeUnasked ? 0 : processor;
    const idle = this.#running.firstIdle(candidates, from);
    return idle >= 0 ? idle : this.#running.lowestBelow(candidates, from, rtds.level, rtds.deadlineNs);
  }

  /** Where it may run, into `#candidates`. */
  #allowed(vcpu: Vcpu): void {
    this.#candidates.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
  }

  #runsOn(vcpu: Vcpu): boolean {
    return this.#xen.machine.pcpus[vcpu.processor]!.chosen === vcpu;
  }
}
