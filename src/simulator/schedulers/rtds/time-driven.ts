import { Cpumask } from '../../cpumask.ts';
import type { Cpupool } from '../../cpupool.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import { Link } from '../../linked-list.ts';
import type { Pcpu } from '../../pcpu.ts';
import type { Scheduler, VcpuParameters } from '../../scheduler.ts';
import type { Timer } from '../../timers.ts';
import type { Vcpu } from '../../vcpu.ts';
import { IdlePolls } from './idle-polls.ts';
import { RtdsRecords } from './records.ts';
import { DEFAULT_PERIOD_NS, RtdsVcpu, refuseExtratime, rtdsOf } from './state.ts';

/** The longest time slice (MAX_SCHEDULE). */
const QUANTUM_NS = 1_000_000;

/**
 * RTDS as it was until Xen 4.6 (common/sched_rt.c), and the first attempt at making it event-driven. Both:
 * the full budget, not what is left of it, is what a time slice goes by; a running vCPU is in no queue, so
 * that its deadline is not renewed while it runs; an idle pCPU asks to decide again at once, for ever.
 *
 * Polling: every decision renews the queued vCPUs whose deadline is past, and a slice is at most 1 ms. A
 * wake-up tells a pCPU for the first of the run queue, whoever that is.
 *
 * First timer: a timer renews them, at the earliest deadline among those that it has just renewed, or after
 * 10 ms.
 */
export class TimeDrivenRtdsScheduler implements Scheduler {
  readonly name = 'rtds';
  readonly #xen: Hypervisor;
  readonly #polls: boolean;
  readonly #records: RtdsRecords;
  readonly #idlePolls: IdlePolls;
  /** Head of the run queue, by deadline, of equal ones the last first. */
  readonly #runnable = new Link<RtdsVcpu>();
  /** Head of the queue of those without budget, the last first. */
  readonly #depleted = new Link<RtdsVcpu>();
  readonly #tickled: Cpumask;
  readonly #candidates: Cpumask;
  #timer: Timer | undefined;
  #timerStarted = false;

  constructor(xen: Hypervisor) {
    const { machine, version } = xen;
    this.#xen = xen;
    this.#polls = version.rtds.timeDriven === 'polling';
    this.#records = new RtdsRecords(machine.tracer, version.rtds);
    this.#idlePolls = new IdlePolls(machine);
    this.#tickled = new Cpumask(machine.topology.pcpus);
    this.#candidates = new Cpumask(machine.topology.pcpus);
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    if (!this.#polls) this.#timer ??= this.#xen.machine.timers.init(() => this.#replenish(), 0, pcpu.id);
    return this.#tickled.size + pool.id;
  }

  /** It polls no more. */
  removePcpu(pcpu: Pcpu): void {
    this.#idlePolls.busy(pcpu.id);
    this.#tickled.unset(pcpu.id);
  }

  allocVcpu(vcpu: Vcpu): void {
    vcpu.schedulerData = new RtdsVcpu(vcpu, false);
  }

  insertVcpu(vcpu: Vcpu): void {
    const { timers, nowNs } = this.#xen.machine;
    const rtds = rtdsOf(vcpu);
    if (nowNs >= rtds.deadlineNs) this.#renew(rtds);
    if (rtds.queued.isAlone && vcpu.isRunnable && !vcpu.isRunning) this.#enqueue(rtds);
    if (this.#timer === undefined || this.#timerStarted) return;
    this.#timerStarted = true;
    timers.set(this.#timer, rtds.deadlineNs, nowNs);
  }

  removeVcpu(vcpu: Vcpu): void {
    rtdsOf(vcpu).queued.remove();
  }

  /**
   * XEN_DOMCTL_SCHEDOP_putinfo: there are parameters of domains only. They count from the next renewal on.
   */
  adjustVcpu(vcpu: Vcpu, parameters: VcpuParameters): boolean {
    const { series, rtds } = this.#xen.version;
    if (parameters.extratime) refuseExtratime(series);
    return vcpu.domain.vcpus.every((each) => rtdsOf(each).setServer(parameters, rtds.budgetMinNs));
  }

  pickPcpu(vcpu: Vcpu): number {
    this.#candidates.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
    const { processor } = vcpu;
    return this.#candidates.has(processor) ? processor : this.#candidates.cycle(processor);
  }

  // ---- Sleep and wake

  sleep(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    if (this.#runsOn(vcpu)) this.#xen.raiseSchedule(vcpu.processor);
    else if (!rtds.queued.isAlone) rtds.queued.remove();
    else rtds.queueWhenSaved = false;
  }

  wake(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    if (this.#runsOn(vcpu) || !rtds.queued.isAlone) return;
    if (rtds.scheduled) {
      rtds.queueWhenSaved = true;
      return;
    }
    const { nowNs } = this.#xen.machine;
    if (nowNs >= rtds.deadlineNs) this.#renew(rtds);
    this.#enqueue(rtds);
    if (this.#polls) this.#renewAndTickleFirst();
    else this.#tickle(rtds);
  }

  contextSaved(vcpu: Vcpu): void {
    const rtds = rtdsOf(vcpu);
    rtds.scheduled = false;
    if (vcpu.isIdle) return;
    const queue = rtds.queueWhenSaved && vcpu.isRunnable;
    rtds.queueWhenSaved = false;
    if (!queue) return;
    this.#enqueue(rtds);
    if (this.#polls) this.#renewAndTickleFirst();
  }

  /** The first of the run queue is told, not the one that has just come. */
  #renewAndTickleFirst(): void {
    this.#renewQueued();
    const first = this.#runnable.next.owner;
    if (first === undefined) {
      this.#records.pickedNobody();
      return;
    }
    this.#records.picked(first);
    this.#tickle(first);
  }

  // ---- Budgets and queues

  #renew(rtds: RtdsVcpu): void {
    rtds.advanceDeadline(this.#xen.machine.nowNs);
    rtds.leftNs = rtds.budgetNs;
    this.#records.replenished(rtds);
  }

  /** Budgets are looked at only here; what was overrun is forgotten. */
  #burn(rtds: RtdsVcpu, nowNs: number): void {
    if (rtds.vcpu.isIdle) return;
    const deltaNs = nowNs - rtds.chargedToNs;
    rtds.leftNs = Math.max(0, rtds.leftNs - deltaNs);
    this.#records.burnt(rtds, deltaNs);
  }

  #enqueue(rtds: RtdsVcpu): void {
    if (rtds.leftNs > 0) {
      let at = this.#runnable.prev;
      while (at !== this.#runnable && rtds.deadlineNs <= at.owner!.deadlineNs) at = at.prev;
      rtds.queued.insertAfter(at);
    } else {
      rtds.queued.insertAfter(this.#depleted);
    }
    this.#idlePolls.queueChanged();
  }

  /**
   * __repl_update(): new budgets for those in the queues whose deadline is past. Answers the earliest of
   * the new deadlines, Infinity if there is none.
   */
  #renewQueued(then?: (rtds: RtdsVcpu) => void): number {
    const { nowNs } = this.#xen.machine;
    let earliest = Infinity;
    let next: Link<RtdsVcpu>;
    for (let at = this.#runnable.next; at !== this.#runnable; at = next) {
      next = at.next;
      const rtds = at.owner!;
      if (nowNs < rtds.deadlineNs) break;
      earliest = Math.min(earliest, this.#requeueRenewed(rtds));
    }
    for (let at = this.#depleted.next; at !== this.#depleted; at = next) {
      next = at.next;
      const rtds = at.owner!;
      if (nowNs < rtds.deadlineNs) continue;
      earliest = Math.min(earliest, this.#requeueRenewed(rtds));
      then?.(rtds);
    }
    return earliest;
  }

  #requeueRenewed(rtds: RtdsVcpu): number {
    this.#renew(rtds);
    rtds.queued.remove();
    this.#enqueue(rtds);
    return rtds.deadlineNs;
  }

  /** The handler of the first timer: it forgets those that were not due, or ran. */
  #replenish(): void {
    const { timers, nowNs } = this.#xen.machine;
    const earliest = this.#renewQueued((rtds) => this.#tickle(rtds));
    timers.set(this.#timer!, earliest < Infinity ? earliest : nowNs + DEFAULT_PERIOD_NS, nowNs);
  }

  /** The earliest deadline of all that are queued. */
  #earliestDeadline(): number {
    let earliest = this.#runnable.next.owner?.deadlineNs ?? Infinity;
    for (let at = this.#depleted.next; at !== this.#depleted; at = at.next) {
      earliest = Math.min(earliest, at.owner!.deadlineNs);
    }
    return earliest;
  }

  // ---- The decision

  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const idle = rtdsOf(pcpus[cpu]!.idle);
    const current = rtdsOf(prev);
    this.#tickled.unset(cpu);
    this.#burn(current, nowNs);
    if (this.#polls) this.#renewQueued();
    let next = idle;
    if (!taskletWork) {
      next = this.#pick(cpu) ?? idle;
      const mayGoOn = !prev.isIdle && prev.checkRunnable() && current.leftNs > 0;
      if (mayGoOn && (next === idle || current.deadlineNs <= next.deadlineNs)) next = current;
    }
    if (next !== current && !prev.isIdle && prev.isRunnable) current.queueWhenSaved = true;
    const { vcpu } = next;
    next.chargedToNs = nowNs;
    vcpu.migrated = false;
    if (next !== idle) {
      vcpu.checkRunnable();
      if (next !== current) {
        next.queued.remove();
        next.scheduled = true;
      }
      if (vcpu.processor !== cpu) {
        vcpu.processor = cpu;
        vcpu.migrated = true;
      }
    }
    prev.nextTask = vcpu;
    if (next === idle) {
      prev.nextTimeNs = this.#idlePolls.idle(cpu, this.#polls ? this.#earliestDeadline() : Infinity);
    } else {
      this.#idlePolls.busy(cpu);
      prev.nextTimeNs = this.#polls ? Math.min(next.budgetNs, QUANTUM_NS) : next.budgetNs;
    }
    this.#records.decided(next);
  }

  #pick(pcpu: number): RtdsVcpu | undefined {
    for (let at = this.#runnable.next; at !== this.#runnable; at = at.next) {
      const rtds = at.owner!;
      const { vcpu } = rtds;
      if (!vcpu.hardAffinity.has(pcpu) || !vcpu.domain.pool!.valid.has(pcpu)) continue;
      this.#records.picked(rtds);
      return rtds;
    }
    this.#records.pickedNobody();
    return undefined;
  }

  /** runq_tickle(): as it was until 4.9. */
  #tickle(rtds: RtdsVcpu): void {
    const pcpu = this.#findPcpuToTickle(rtds);
    if (pcpu < 0) return;
    this.#records.tickled(pcpu);
    this.#tickled.set(pcpu);
    this.#xen.raiseSchedule(pcpu);
  }

  #findPcpuToTickle(rtds: RtdsVcpu): number {
    const { pcpus } = this.#xen.machine;
    const { processor, hardAffinity, domain } = rtds.vcpu;
    if (pcpus[processor]!.chosen.isIdle) return processor;
    const candidates = this.#candidates;
    candidates.and(hardAffinity, domain.pool!.valid);
    candidates.andNot(candidates, this.#tickled);
    let lowest: RtdsVcpu | undefined;
    for (let pcpu = candidates.first(); pcpu < candidates.size; pcpu = candidates.next(pcpu)) {
      const { chosen } = pcpus[pcpu]!;
      if (chosen.isIdle) return pcpu;
      const running = rtdsOf(chosen);
      if (lowest === undefined || running.deadlineNs > lowest.deadlineNs) lowest = running;
    }
    return lowest !== undefined && rtds.deadlineNs < lowest.deadlineNs ? lowest.vcpu.processor : -1;
  }

  #runsOn(vcpu: Vcpu): boolean {
    return this.#xen.machine.pcpus[vcpu.processor]!.chosen === vcpu;
  }
}
