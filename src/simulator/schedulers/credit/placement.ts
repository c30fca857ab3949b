import { affinityOfStep, BALANCE_HARD_AFFINITY, BALANCE_SOFT_AFFINITY } from '../../affinity.ts';
import { Cpumask } from '../../cpumask.ts';
import { TRC_CSCHED_PICKED_CPU, TRC_CSCHED_TICKLE } from '../../trace-events.ts';
import type { Vcpu } from '../../vcpu.ts';
import { isQueueIdle } from './run-queue.ts';
import { type CreditPcpu, type CreditSystem, type CreditVcpu, creditOfVcpu, PRI_IDLE } from './state.ts';

/** Where vCPUs go: the choice of a pCPU for one, and who is to be told that there is work. */
export class CreditPlacement {
  readonly #system: CreditSystem;
  readonly #candidates: Cpumask;
  readonly #idlers: Cpumask;
  readonly #idleNear: Cpumask;
  readonly #idleNearNext: Cpumask;
  readonly #tickled: Cpumask;

  constructor(system: CreditSystem) {
    this.#system = system;
    const { size } = system.pcpus;
    this.#candidates = new Cpumask(size);
    this.#idlers = new Cpumask(size);
    this.#idleNear = new Cpumask(size);
    this.#idleNearNext = new Cpumask(size);
    this.#tickled = new Cpumask(size);
  }

  /**
   * The pCPU that suits the vCPU best (_csched_cpu_pick): where it is, unless an idle pCPU has idler
   * neighbours. With `commit` the search next time begins behind the pCPU found.
   */
  pick(vcpu: Vcpu, commit: boolean): number {
    const system = this.#system;
    const { xen, version } = system;
    const { valid } = vcpu.domain.pool!;
    const candidates = this.#candidates;
    const idlers = this.#idlers;
    let pcpu = vcpu.processor;
    let searched: CreditPcpu | undefined;
    const countsSteps = version.neighbourTurns === 'unmasked' || version.neighbourTurns === 'stepwise';
    for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
      affinityOfStep(vcpu, step, candidates);
      candidates.and(valid, candidates);
      if (step === BALANCE_SOFT_AFFINITY && (!system.hasSoftAffinity(vcpu) || candidates.isEmpty())) continue;
      pcpu = candidates.has(vcpu.processor) ? vcpu.processor : candidates.cycle(vcpu.processor);
      idlers.and(xen.online, system.idlers);
      // Its own pCPU counts as idle if it is the only one that wants to run there.
      const isIdle = vcpu.processor === pcpu && isQueueIdle(system.pcpu(pcpu));
      if (isIdle || !version.picksIdle) idlers.set(pcpu);
      candidates.and(idlers, candidates);
      if (version.picksIdle && !candidates.has(pcpu) && !candidates.isEmpty()) {
        pcpu = candidates.cycle(pcpu);
      }
      candidates.unset(pcpu);
      while (!candidates.isEmpty()) {
        const next = candidates.cycle(pcpu);
        if (this.#isIdler(next, pcpu)) {
          pcpu = this.#chooseNear(next);
          if (version.neighbourTurns !== 'none') searched = system.pcpu(next);
          if (commit && countsSteps) searched!.idleBias = pcpu;
        } else {
          candidates.andNot(candidates, this.#idleNearNext);
        }
      }
      if (idlers.has(pcpu)) break;
    }
    if (commit && searched !== undefined) searched.idleBias = pcpu;
    if (version.records) {
      xen.machine.tracer.record3(TRC_CSCHED_PICKED_CPU, vcpu.domain.id, vcpu.id, pcpu);
    }
    return pcpu;
  }

  /** The idle neighbour of `next` whose turn it is, which is no candidate any more. */
  #chooseNear(next: number): number {
    const system = this.#system;
    const { neighbourTurns } = system.version;
    const candidates = this.#candidates;
    if (neighbourTurns === 'none') {
      candidates.unset(next);
      return next;
    }
    if (neighbourTurns !== 'unmasked') this.#idleNearNext.and(this.#idleNearNext, candidates);
    const pcpu = this.#idleNearNext.cycle(system.pcpu(next).idleBias);
    candidates.andNot(candidates, system.xen.machine.topology.siblings[pcpu]!);
    return pcpu;
  }

  /**
   * Whether `next` has idler neighbours than `pcpu`, which are then in `#idleNearNext`: threads of the core
   * on one socket; on different sockets, twice as many idle pCPUs of the socket.
   */
  #isIdler(next: number, pcpu: number): boolean {
    const { topology } = this.#system.xen.machine;
    const sameSocket = topology.socketMates[next]!.has(pcpu);
    const neighbours = sameSocket ? topology.siblings : topology.socketMates;
    const factor = sameSocket || !this.#system.version.sparesSockets ? 1 : 2;
    this.#idleNear.and(this.#idlers, neighbours[pcpu]!);
    this.#idleNearNext.and(this.#idlers, neighbours[next]!);
    const weight = this.#idleNear.weight();
    const weightNext = this.#idleNearNext.weight();
    return this.#system.savesPower ? weight > weightNext : weight * factor < weightNext;
  }

  /** Tells the pCPU or pCPUs that should look at a newly queued vCPU (__runq_tickle). */
  tickle(credit: CreditVcpu): void {
    const system = this.#system;
    const { xen, version } = system;
    const home = credit.vcpu.processor;
    const current = creditOfVcpu(xen.machine.pcpus[home]!.chosen);
    const idle = this.#idlers;
    const tickled = this.#tickled;
    tickled.clear();
    idle.and(system.idlers, credit.vcpu.domain.pool!.valid);
    const noIdlers = idle.isEmpty();
    if (version.tickling !== 'idle-first') this.#tellOwnAndIdle(credit, current, home);
    else if (version.knowsPinned && credit.pinned && idle.has(home)) tickled.set(home);
    else if (current.pri === PRI_IDLE || (noIdlers && credit.pri > current.pri)) tickled.set(home);
    else if (!noIdlers) this.#findIdlers(credit, current, home);
    for (let pcpu = tickled.first(); pcpu < tickled.size; pcpu = tickled.next(pcpu)) {
      if (version.records) xen.machine.tracer.record1(TRC_CSCHED_TICKLE, pcpu);
    }
    for (let pcpu = tickled.first(); pcpu < tickled.size; pcpu = tickled.next(pcpu)) {
      if (version.marksTickled) system.idlers.unset(pcpu);
      xen.raiseSchedule(pcpu);
    }
  }

  /**
   * Until 4.2: its own pCPU if it is better than who runs there, and unless that is idle all idle ones or one
   * of them.
   */
  #tellOwnAndIdle(credit: CreditVcpu, current: CreditVcpu, home: number): void {
    const system = this.#system;
    const idle = this.#idlers;
    const tickled = this.#tickled;
    const { hardAffinity } = credit.vcpu;
    if (credit.pri > current.pri) tickled.set(home);
    if (current.pri === PRI_IDLE || idle.isEmpty()) return;
    const isOne = system.version.tickling === 'own-and-one' && system.ticklesOneIdle;
    if (isOne) {
      const suitable = this.#candidates;
      suitable.and(idle, hardAffinity);
      if (!suitable.isEmpty()) tickled.set(this.#nextTickled(suitable));
    } else {
      tickled.or(tickled, idle);
    }
    tickled.and(tickled, hardAffinity);
  }

  /** The next after the one that this pCPU told last. */
  #nextTickled(among: Cpumask): number {
    const { cpu, pcpus } = this.#system.xen.machine;
    const here = pcpus[cpu]!;
    here.lastTickled = among.cycle(here.lastTickled);
    return here.lastTickled;
  }

  /**
   * Some pCPU is idle, but not this one: an idle one that suits the new vCPU, first by soft affinity; else
   * this one, if the new one is better than who runs here.
   */
  #findIdlers(credit: CreditVcpu, current: CreditVcpu, home: number): void {
    const system = this.#system;
    const { vcpu } = credit;
    const idle = this.#idlers;
    const tickled = this.#tickled;
    const suitable = this.#candidates;
    for (let step = BALANCE_SOFT_AFFINITY; step <= BALANCE_HARD_AFFINITY; step += 1) {
      if (step === BALANCE_SOFT_AFFINITY && !system.hasSoftAffinity(vcpu)) continue;
      affinityOfStep(vcpu, step, suitable);
      suitable.and(suitable, idle);
      const none = suitable.isEmpty();
      if (none && step === BALANCE_SOFT_AFFINITY) continue;
      if (none) {
        if (credit.pri > current.pri) {
          if (this.#isKickedAway(current)) system.xen.requestMigration(current.vcpu);
          tickled.set(home);
        }
      } else {
        const told = system.version.ticklesUnsuited ? idle : suitable;
        if (system.ticklesOneIdle) tickled.set(this.#nextTickled(told));
        else tickled.or(tickled, told);
      }
      if (!tickled.isEmpty()) break;
    }
  }

  /**
   * Whether who is preempted looks for another pCPU at once, now that some are idle. From 4.13 on Xen asks
   * whether the new one could use one of these, which was just denied.
   */
  #isKickedAway({ vcpu }: CreditVcpu): boolean {
    const { kicksAway } = this.#system.version;
    return (
      kicksAway === 'always' || (kicksAway === 'if-useful' && this.#idlers.intersects(vcpu.hardAffinity))
    );
  }
}
