import { whySedfRefuses } from '../../scenario/sedf-keys.ts';
import { Cpumask } from '../cpumask.ts';
import type { Cpupool } from '../cpupool.ts';
import { domainsOf } from '../cpupools.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Link } from '../linked-list.ts';
import type { Pcpu } from '../pcpu.ts';
import type { DomainParameters, Scheduler } from '../scheduler.ts';
import { type Domain, RUNSTATE_RUNNING, type Vcpu } from '../vcpu.ts';
import { EXTRA_QUANTUM_NS, ExtraTime } from './sedf/extra-time.ts';
import { setParameters, turnWeightsIntoSlices } from './sedf/parameters.ts';
import { SedfRecords, WAIT_REASON, type WaitReason } from './sedf/records.ts';
import { PENALTY, SedfPcpu, SedfVcpu, sedfOf, sedfPcpuOf, UTILIZATION } from './sedf/state.ts';

/** When an idle pCPU with nobody to wait for looks again. */
const IDLE_NS = 1_000_000_000;

/**
 * SEDF, "simple EDF", of Xen 4.2 to 4.5 (common/sched_sedf.c). Each vCPU has a slice in each period. On each
 * pCPU the one with the earliest deadline among those whose slice is not used up runs. Who used it up waits
 * for the next period. When nobody can run on its slice the pCPU's extra time is given to those who may have
 * it. A vCPU stays on its pCPU.
 *
 * Methods bear the names of Xen's functions without their prefixes.
 */
export class SedfScheduler implements Scheduler {
  readonly name = 'sedf';
  readonly #xen: Hypervisor;
  readonly #records: SedfRecords;
  readonly #extraTime: ExtraTime;
  readonly #candidates: Cpumask;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.#records = new SedfRecords(xen.machine.tracer);
    this.#extraTime = new ExtraTime(this.#records);
    this.#candidates = new Cpumask(xen.machine.topology.pcpus);
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    pcpu.schedulerData = new SedfPcpu(pool);
    return pcpu.id;
  }

  allocVcpu(vcpu: Vcpu): void {
    vcpu.schedulerData = new SedfVcpu(vcpu);
  }

  /** Where the core has put it. It cannot run yet, and so is queued when it wakes. */
  insertVcpu(): void {}

  /** It has been put to sleep before, and so is in no queue. */
  removeVcpu(): void {}

  /** The one after that of its number among those where it may run: the number decides, not the load. */
  pickPcpu(vcpu: Vcpu): number {
    const candidates = this.#candidates;
    candidates.and(vcpu.hardAffinity, vcpu.domain.pool!.valid);
    if (this.#xen.version.sedf.placesOnFirst) return candidates.first();
    return candidates.cycle((vcpu.id % candidates.weight()) - 1);
  }

  // ---- Parameters

  /** What is not given stays, as libxl has it: it reads the parameters of vCPU 0 and writes all of them. */
  adjustDomain(domain: Domain, { weight, sedf: given = { weight } }: DomainParameters): boolean {
    const present = sedfOf(domain.vcpus[0]!).parameters;
    const { periodNs = present.periodNs, sliceNs = present.sliceNs } = given;
    const { latencyNs = present.latencyNs, extratime = present.extratime } = given;
    const parameters = { periodNs, sliceNs, latencyNs, extratime, weight: given.weight ?? present.weight };
    if (whySedfRefuses(parameters) !== undefined) return false;
    const members = domain.vcpus.map(sedfOf);
    for (const sedf of members) setParameters(sedf, parameters);
    turnWeightsIntoSlices(domainsOf(this.#xen, domain.pool!).flatMap(({ vcpus }) => vcpus));
    for (const sedf of members) {
      sedf.extratime = extratime;
      sedf.latencyNs = latencyNs;
      this.#extraTime.check(this.#pcpuOf(sedf), sedf);
    }
    return true;
  }

  // ---- Sleep and wake

  sleep(vcpu: Vcpu): void {
    const sedf = sedfOf(vcpu);
    sedf.isAsleep = true;
    if (this.#xen.machine.pcpus[vcpu.processor]!.chosen === vcpu) {
      this.#xen.raiseSchedule(vcpu.processor);
    } else {
      sedf.dequeue();
      this.#extraTime.remove(sedf);
    }
  }

  wake(vcpu: Vcpu): void {
    const sedf = sedfOf(vcpu);
    if (!sedf.queued.isAlone) return;
    const { nowNs } = this.#xen.machine;
    const pcpu = this.#pcpuOf(sedf);
    sedf.isAsleep = false;
    if (sedf.deadlineNs === 0) sedf.deadlineNs = nowNs + sedf.sliceNs;
    let reason: WaitReason = WAIT_REASON.earlyWake;
    if (nowNs < sedf.beginNs) {
      if (sedf.wantsPenalty) this.#extraTime.insert(pcpu, sedf, PENALTY, 0);
    } else if (nowNs < sedf.deadlineNs) {
      reason = WAIT_REASON.shortBlock;
      this.#wakeInPeriod(pcpu, sedf);
    } else {
      sedf.deadlineNs = nowNs + sedf.periodNs;
      sedf.usedNs = 0;
    }
    if (sedf.extratime) this.#extraTime.insert(pcpu, sedf, UTILIZATION, 0);
    if (sedf.beginNs > nowNs) this.#wait(pcpu, sedf, reason);
    else this.#begin(pcpu, sedf);
    if (this.#shouldSwitch(pcpu, sedf)) this.#xen.raiseSchedule(vcpu.processor);
  }

  /** A short block (unblock_short_extra_support): the rest of this period's slice is lost. */
  #wakeInPeriod(pcpu: SedfPcpu, sedf: SedfVcpu): void {
    sedf.deadlineNs += sedf.periodNs;
    if (sedf.blockedNs !== 0) {
      this.#extraTime.compensate(pcpu, sedf, Math.max(0, sedf.sliceNs - sedf.usedNs));
    }
    sedf.usedNs = 0;
  }

  /** Whether who woke leads to a decision. One that runs on its slice is left alone by who wakes in time. */
  #shouldSwitch(pcpu: SedfPcpu, woken: SedfVcpu): boolean {
    if (woken.beginNs < pcpu.sliceEndsNs) return true;
    const { chosen } = this.#xen.machine.pcpus[woken.vcpu.processor]!;
    if (chosen.isIdle) return true;
    const running = sedfOf(chosen);
    switch (running.runsExtra) {
      case undefined:
        return false;
      case PENALTY:
        return woken.wantsPenalty && woken.scores[PENALTY]! < running.scores[PENALTY]!;
      case UTILIZATION:
        return woken.wantsPenalty;
    }
  }

  // ---- The decision

  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    const pcpu = sedfPcpuOf(pcpus[cpu]!);
    if (!prev.isIdle) this.#deschedule(pcpu, sedfOf(prev), nowNs);
    this.#beginPeriods(pcpu, nowNs);
    this.#dropLate(pcpu, nowNs);
    const first = pcpu.runQueue.next.owner;
    const waiting = pcpu.waitQueue.next.owner;
    const toNextPeriodNs = waiting === undefined ? Infinity : waiting.beginNs - nowNs;
    let next: SedfVcpu | undefined;
    let timeNs = toNextPeriodNs;
    if (taskletWork || (first ?? waiting) === undefined || !pcpu.pool.valid.has(cpu)) {
      timeNs = IDLE_NS;
    } else if (first !== undefined) {
      next = first;
      timeNs = Math.min(first.sliceNs - first.usedNs, toNextPeriodNs);
    } else if (toNextPeriodNs >= EXTRA_QUANTUM_NS) {
      next = this.#extraTime.choose(pcpu);
      if (next !== undefined) timeNs = EXTRA_QUANTUM_NS;
    }
    // Xen: "We are seriously BEHIND schedule!" A negative slice whose period begins now comes here.
    if (timeNs < 0) timeNs = EXTRA_QUANTUM_NS;
    if (next !== undefined) next.startedNs = nowNs;
    pcpu.sliceEndsNs = nowNs + timeNs;
    prev.nextTask = next?.vcpu ?? idle;
    prev.nextTimeNs = timeNs;
    prev.nextTask.migrated = false;
    // It runs, even if its domain is being paused and its own turn to be put to sleep is yet to come.
    prev.nextTask.newState = RUNSTATE_RUNNING;
  }

  #deschedule(pcpu: SedfPcpu, sedf: SedfVcpu, nowNs: number): void {
    if (!sedf.vcpu.isRunnable) sedf.isAsleep = true;
    if (sedf.isAsleep) sedf.blockedNs = nowNs;
    if (sedf.runsExtra !== undefined) this.#extraTime.settle(pcpu, sedf, sedf.runsExtra);
    else this.#charge(pcpu, sedf, nowNs);
  }

  /** It ran on its slice (desched_edf_dom). What it ran beyond that is taken off the next one. */
  #charge(pcpu: SedfPcpu, sedf: SedfVcpu, nowNs: number): void {
    sedf.usedNs += nowNs - sedf.startedNs;
    const isUsedUp = sedf.usedNs >= sedf.sliceNs;
    if (!isUsedUp && !sedf.isAsleep) return;
    sedf.dequeue();
    if (isUsedUp) {
      sedf.usedNs -= sedf.sliceNs;
      if (sedf.periodNs < sedf.setPeriodNs) this.#lengthenPeriod(sedf);
      sedf.deadlineNs += sedf.periodNs;
    }
    if (sedf.isAsleep) this.#extraTime.remove(sedf);
    else this.#wait(pcpu, sedf, WAIT_REASON.sliceUsed);
  }

  /**
   * Left of an idea to give who wakes a short period that grows again. A domain comes here if it changed to
   * extra time only, from a period above 100 ms, while it ran on its slice.
   */
  #lengthenPeriod(sedf: SedfVcpu): void {
    sedf.periodNs *= 2;
    sedf.sliceNs *= 2;
    if (sedf.periodNs <= sedf.setPeriodNs && sedf.sliceNs <= sedf.setSliceNs) return;
    sedf.periodNs = sedf.setPeriodNs;
    sedf.sliceNs = sedf.setSliceNs;
  }

  /** Whose period has begun goes to the run queue (first part of update_queues). */
  #beginPeriods(pcpu: SedfPcpu, nowNs: number): void {
    for (;;) {
      const first = pcpu.waitQueue.next.owner;
      if (first === undefined || first.beginNs > nowNs) return;
      first.dequeue();
      this.#begin(pcpu, first);
    }
  }

  /**
   * Who has no slice goes on to its next period, and so does who missed its deadline or has used more than
   * its slice, with a full one (second part of update_queues). Ends at the first with which all is well.
   */
  #dropLate(pcpu: SedfPcpu, nowNs: number): void {
    const { runQueue } = pcpu;
    let next: Link<SedfVcpu>;
    for (let at = runQueue.next; at !== runQueue; at = next) {
      next = at.next;
      const sedf = at.owner!;
      const hasNoSlice = sedf.sliceNs === 0;
      if (!hasNoSlice && sedf.deadlineNs >= nowNs && sedf.usedNs <= sedf.sliceNs) return;
      sedf.dequeue();
      sedf.deadlineNs += sedf.periodNs;
      if (hasNoSlice) {
        advance(sedf, nowNs - sedf.beginNs);
        this.#wait(pcpu, sedf, WAIT_REASON.noSlice);
        continue;
      }
      advance(sedf, nowNs - sedf.deadlineNs);
      sedf.usedNs = 0;
      if (sedf.beginNs > nowNs) this.#wait(pcpu, sedf, WAIT_REASON.missed);
      else this.#begin(pcpu, sedf);
    }
  }

  #begin(pcpu: SedfPcpu, sedf: SedfVcpu): void {
    sedf.startPeriod(pcpu);
    if (sedf.sliceNs > 0) this.#records.periodBegan(sedf);
  }

  #wait(pcpu: SedfPcpu, sedf: SedfVcpu, reason: WaitReason): void {
    sedf.waitForPeriod(pcpu);
    this.#records.waits(sedf, reason);
  }

  #pcpuOf({ vcpu }: SedfVcpu): SedfPcpu {
    return sedfPcpuOf(this.#xen.machine.pcpus[vcpu.processor]!);
  }
}

/** By as many periods as are in `behindNs`, rounded up. */
function advance(sedf: SedfVcpu, behindNs: number): void {
  if (behindNs > 0) sedf.deadlineNs += Math.ceil(behindNs / sedf.periodNs) * sedf.periodNs;
}
