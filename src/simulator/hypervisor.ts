import { assert, InvariantError } from '../base/assert.ts';
import type { BootParameters } from './boot-parameters.ts';
import { Cpumask } from './cpumask.ts';
import type { Cpupool } from './cpupool.ts';
import type { SimulationHooks } from './hooks.ts';
import type { Machine } from './machine.ts';
import type { Pcpu } from './pcpu.ts';
import type { DomainParameters, Scheduler, VcpuParameters } from './scheduler.ts';
import {
  TRC_SCHED_ADJDOM,
  TRC_SCHED_BLOCK,
  TRC_SCHED_CONTINUE_RUNNING,
  TRC_SCHED_RUNSTATE_CHANGE,
  TRC_SCHED_SLEEP,
  TRC_SCHED_SWITCH,
  TRC_SCHED_SWITCH_INFCONT,
  TRC_SCHED_SWITCH_INFNEXT,
  TRC_SCHED_SWITCH_INFPREV,
  TRC_SCHED_WAKE,
  TRC_SCHED_YIELD,
} from './trace-events.ts';
import {
  type Domain,
  RUNSTATE_BLOCKED,
  RUNSTATE_OFFLINE,
  RUNSTATE_RUNNABLE,
  RUNSTATE_RUNNING,
  type Vcpu,
  VPF_BLOCKED,
  VPF_DOWN,
  VPF_MIGRATING,
} from './vcpu.ts';
import type { XenVersion } from './versions.ts';

/** What learns when a guest's vCPU gets and loses a pCPU: the guests' own clock. */
export interface GuestClock {
  started(vcpu: Vcpu, pcpu: Pcpu): void;
  stopped(vcpu: Vcpu, pcpu: Pcpu): void;
}

/**
 * The part of Xen that is common to all schedulers (common/sched/core.c): runstates, wake and sleep,
 * migration, affinity, the SCHEDULE softirq and the context switch. Everything happens on `machine.cpu` at
 * `machine.nowNs` and takes no time. Methods bear the names of Xen's functions without their prefixes.
 */
export class Hypervisor {
  readonly machine: Machine;
  readonly version: XenVersion;
  readonly parameters: BootParameters;
  readonly hooks: SimulationHooks;
  /** All pCPUs (cpu_online_map). */
  readonly online: Cpumask;
  /** Those that exist, in the order of their creation. */
  readonly domains: Domain[] = [];
  /** All pools, by their ids. */
  readonly pools: Cpupool[] = [];
  /** Off while the machine boots, so that hooks see what the trace sees. */
  observed = false;
  #guests: GuestClock | undefined;
  /** pCPUs with a pending SCHEDULE_SOFTIRQ, the only softirq besides the timers'. */
  readonly #schedulePending: Cpumask;

  constructor(machine: Machine, version: XenVersion, parameters: BootParameters, hooks: SimulationHooks) {
    this.machine = machine;
    this.version = version;
    this.parameters = parameters;
    this.hooks = hooks;
    machine.timers.minimumNs = machine.host.timerMinNs ?? version.core.timerMinNs;
    this.online = Cpumask.all(machine.topology.pcpus);
    this.#schedulePending = new Cpumask(machine.topology.pcpus);
  }

  set guests(guests: GuestClock) {
    this.#guests = guests;
  }

  // ---- Softirqs

  /** SCHEDULE_SOFTIRQ for a pCPU; it runs when the present step's work drains. */
  raiseSchedule(pcpu: number): void {
    this.#schedulePending.set(pcpu);
  }

  /** Runs pending softirqs: always the lowest pCPU that has one, and that until it has none. */
  drainSoftirqs(): void {
    const { machine } = this;
    const pending = this.#schedulePending;
    for (let id = pending.first(); id < pending.size; id = pending.first()) {
      machine.cpu = id;
      while (pending.has(id)) {
        pending.unset(id);
        this.#schedule(machine.pcpus[id]!);
      }
    }
  }

  // ---- What guests do, in the context of the present pCPU

  /** SCHEDOP_block: the current vCPU waits for an event. */
  block(): void {
    const vcpu = this.#current();
    vcpu.pauseFlags |= VPF_BLOCKED;
    this.machine.tracer.record2(TRC_SCHED_BLOCK, vcpu.domain.id, vcpu.id);
    this.raiseSchedule(this.machine.cpu);
  }

  /** SCHEDOP_yield: the current vCPU gives way. */
  yield(): void {
    const vcpu = this.#current();
    this.schedulerOf(vcpu).yield?.(vcpu);
    this.machine.tracer.record2(TRC_SCHED_YIELD, vcpu.domain.id, vcpu.id);
    this.hooks.onYield?.(this.machine.nowNs, vcpu.domain.id, vcpu.id);
    this.raiseSchedule(this.machine.cpu);
  }

  /** The event came that a vCPU waits for; nothing happens to one that is not blocked. */
  unblock(vcpu: Vcpu): void {
    if ((vcpu.pauseFlags & VPF_BLOCKED) === 0) return;
    vcpu.pauseFlags &= ~VPF_BLOCKED;
    this.wake(vcpu);
  }

  // ---- Sleep and wake

  /** Keeps it from running until as many unpauses (vcpu_pause_nosync). */
  pause(vcpu: Vcpu): void {
    vcpu.pauseCount += 1;
    this.sleep(vcpu);
  }

  unpause(vcpu: Vcpu): void {
    assert(vcpu.pauseCount > 0, `${vcpu} is not paused`);
    vcpu.pauseCount -= 1;
    if (vcpu.pauseCount === 0) this.wake(vcpu);
  }

  /**
   * domain_pause(): none of its vCPUs runs any more when this is over. Softirqs of all pCPUs drain while it
   * waits for one that runs.
   */
  pauseDomain(domain: Domain): void {
    const { cpu } = this.machine;
    domain.pauseCount += 1;
    for (const vcpu of domain.vcpus) {
      this.sleep(vcpu);
      if (!vcpu.isRunning) continue;
      this.drainSoftirqs();
      this.machine.cpu = cpu;
    }
  }

  /** domain_unpause() */
  unpauseDomain(domain: Domain): void {
    assert(domain.pauseCount > 0, `domain ${domain.id} is not paused`);
    domain.pauseCount -= 1;
    if (domain.pauseCount > 0) return;
    for (const vcpu of domain.vcpus) this.wake(vcpu);
  }

  /** VCPUOP_down and VCPUOP_up: a guest takes a vCPU offline, or back online. */
  setOnline(vcpu: Vcpu, online: boolean): void {
    if (vcpu.isOnline === online) return;
    vcpu.pauseFlags ^= VPF_DOWN;
    if (online) this.wake(vcpu);
    else this.sleep(vcpu);
  }

  /** vcpu_sleep_nosync() */
  sleep(vcpu: Vcpu): void {
    const { wakeComesLast } = this.version.core.records;
    const { tracer } = this.machine;
    if (!wakeComesLast) tracer.record2(TRC_SCHED_SLEEP, vcpu.domain.id, vcpu.id);
    this.#sleepLocked(vcpu);
    if (wakeComesLast) tracer.record2(TRC_SCHED_SLEEP, vcpu.domain.id, vcpu.id);
  }

  /** vcpu_wake() */
  wake(vcpu: Vcpu): void {
    const { wakeComesLast } = this.version.core.records;
    const { tracer } = this.machine;
    if (!wakeComesLast) tracer.record2(TRC_SCHED_WAKE, vcpu.domain.id, vcpu.id);
    this.#wakeLocked(vcpu);
    if (wakeComesLast) tracer.record2(TRC_SCHED_WAKE, vcpu.domain.id, vcpu.id);
  }

  #wakeLocked(vcpu: Vcpu): void {
    if (vcpu.isRunnable) {
      if (vcpu.runstate >= RUNSTATE_BLOCKED) this.#changeRunstate(vcpu, RUNSTATE_RUNNABLE);
      this.schedulerOf(vcpu).wake(vcpu);
    } else if ((vcpu.pauseFlags & VPF_BLOCKED) === 0) {
      if (vcpu.runstate === RUNSTATE_BLOCKED) this.#changeRunstate(vcpu, RUNSTATE_OFFLINE);
    }
  }

  #sleepLocked(vcpu: Vcpu): void {
    if (vcpu.isRunnable) return;
    if (vcpu.runstate === RUNSTATE_RUNNABLE) this.#changeRunstate(vcpu, RUNSTATE_OFFLINE);
    this.schedulerOf(vcpu).sleep(vcpu);
  }

  // ---- Migration and affinity

  /** Asks for a running vCPU to be placed anew as soon as its context is saved. */
  requestMigration(vcpu: Vcpu): void {
    vcpu.pauseFlags |= VPF_MIGRATING;
  }

  /** New hard or soft affinity, and a new place (vcpu_set_affinity). */
  setAffinity(vcpu: Vcpu, hard: Cpumask | undefined, soft: Cpumask | undefined): void {
    this.applyAffinity(vcpu, hard, soft);
    const { movesOnlyOutcasts } = this.version.core;
    if (movesOnlyOutcasts && vcpu.hardAffinity.has(vcpu.processor)) return;
    this.placeAnew(vcpu);
  }

  /** sched_unit_migrate_start() and _finish(): moves it to where its scheduler now wants it to be. */
  placeAnew(vcpu: Vcpu): void {
    const { placesWhileRunning, records } = this.version.core;
    vcpu.pauseFlags |= VPF_MIGRATING;
    if (records.sleepsToMove) this.sleep(vcpu);
    else this.#sleepLocked(vcpu);
    if (placesWhileRunning && vcpu.isRunning) this.schedulerOf(vcpu).pickPcpu(vcpu);
    this.#finishMigration(vcpu);
  }

  /** Sets the masks without a new place (sched_set_affinity). */
  applyAffinity(vcpu: Vcpu, hard: Cpumask | undefined, soft: Cpumask | undefined): void {
    this.schedulerOf(vcpu).adjustAffinity?.(vcpu, hard, soft);
    if (hard !== undefined) vcpu.hardAffinity.copy(hard);
    if (soft !== undefined) vcpu.softAffinity.copy(soft);
    vcpu.softAffinityEffective =
      !vcpu.hardAffinity.isSubsetOf(vcpu.softAffinity) && vcpu.softAffinity.intersects(vcpu.hardAffinity);
  }

  /**
   * sched_unit_migrate_finish(): does the move unless it is still running, in which case it comes here again.
   */
  #finishMigration(vcpu: Vcpu): void {
    if (vcpu.isRunning || (vcpu.pauseFlags & VPF_MIGRATING) === 0) return;
    const scheduler = this.schedulerOf(vcpu);
    const target = this.version.core.placesOnce
      ? scheduler.pickPcpu(vcpu)
      : this.#placeLocked(vcpu, scheduler);
    vcpu.pauseFlags &= ~VPF_MIGRATING;
    if (scheduler.migrate) scheduler.migrate(vcpu, target);
    else vcpu.processor = target;
    this.wake(vcpu);
  }

  /**
   * Xen holds the locks of the old and of the guessed new pCPU; it asks again when the guess had another lock.
   */
  #placeLocked(vcpu: Vcpu, scheduler: Scheduler): number {
    const { valid } = vcpu.domain.pool!;
    const { pcpus } = this.machine;
    let target = vcpu.processor;
    for (let picked = false; ; picked = true) {
      const { lock } = pcpus[target]!;
      if (picked && vcpu.hardAffinity.has(target) && valid.has(target)) return target;
      target = scheduler.pickPcpu(vcpu);
      if (pcpus[target]!.lock === lock && valid.has(target)) return target;
    }
  }

  // ---- Parameters

  /**
   * What a toolstack sets for a domain, after which Xen makes a record (sched_adjust). To a scheduler that
   * knows no such parameters it does not even send them.
   */
  adjustDomain(domain: Domain, parameters: DomainParameters): boolean {
    const { scheduler } = domain.pool!;
    if (scheduler.adjustDomain === undefined) return false;
    this.#pauseToAdjust(domain);
    const isDone = scheduler.adjustDomain(domain, parameters);
    if (isDone) this.machine.tracer.record1(TRC_SCHED_ADJDOM, domain.id);
    this.#unpauseAfterwards(domain);
    return isDone;
  }

  /** A toolstack reads the parameters of a domain, which Xen records like a change (sched_adjust). */
  inquireDomain(domain: Domain): void {
    this.#pauseToAdjust(domain);
    this.machine.tracer.record1(TRC_SCHED_ADJDOM, domain.id);
    this.#unpauseAfterwards(domain);
  }

  /** vcpu_pause() of all its vCPUs, which waits until each does not run. */
  #pauseToAdjust(domain: Domain): void {
    if (!this.version.core.pausesToAdjust) return;
    const { machine } = this;
    const { cpu } = machine;
    for (const vcpu of domain.vcpus) {
      this.pause(vcpu);
      if (!vcpu.isRunning) continue;
      this.drainSoftirqs();
      machine.cpu = cpu;
    }
  }

  #unpauseAfterwards(domain: Domain): void {
    if (!this.version.core.pausesToAdjust) return;
    for (const vcpu of domain.vcpus) this.unpause(vcpu);
  }

  /** Answers false if the scheduler refuses them, or has none. */
  adjustVcpu(vcpu: Vcpu, parameters: VcpuParameters): boolean {
    if (this.schedulerOf(vcpu).adjustVcpu?.(vcpu, parameters) !== true) return false;
    this.machine.tracer.record1(TRC_SCHED_ADJDOM, vcpu.domain.id);
    return true;
  }

  // ---- The decision and the switch

  /** The pool that a pCPU is in decides who schedules an idle vCPU; a guest's domain decides otherwise. */
  schedulerOf(vcpu: Vcpu): Scheduler {
    return vcpu.domain.pool?.scheduler ?? this.machine.pcpus[vcpu.processor]!.scheduler!;
  }

  /** A vCPU is no more: what it did in its time stands. */
  forgetVcpu(vcpu: Vcpu): void {
    const { nowNs } = this.machine;
    vcpu.runstateNs[vcpu.runstate]! += nowNs - vcpu.runstateEntryNs;
    vcpu.runstateEntryNs = Infinity;
  }

  /** schedule(): the SCHEDULE softirq. */
  #schedule(pcpu: Pcpu): void {
    const { machine } = this;
    const now = machine.nowNs;
    const prev = pcpu.current;
    if (this.observed) this.hooks.onSchedule?.(now, pcpu.id);
    if (pcpu.scheduler === undefined) idleSchedule(pcpu, prev);
    else pcpu.scheduler.doSchedule(prev, now, false);
    const next = prev.nextTask;
    if (!this.version.core.asksNext) next.newState = RUNSTATE_RUNNING;
    // Xen stops it before it asks; nobody looks in between.
    if (prev.nextTimeNs >= 0) machine.timers.set(pcpu.sliceTimer, now + prev.nextTimeNs, now);
    else machine.timers.stop(pcpu.sliceTimer);
    const runs = next.newState === RUNSTATE_RUNNING ? next : pcpu.idle;
    this.#switchVcpus(pcpu, prev, next, runs);
    if (prev !== runs) {
      this.#switchContext(pcpu, prev, runs);
      return;
    }
    const { tracer } = machine;
    const { continues, continuesWithSlice } = this.version.core.records;
    const ranNs = now - prev.runstateEntryNs;
    if (continuesWithSlice) {
      tracer.record4(TRC_SCHED_SWITCH_INFCONT, prev.domain.id, prev.id, ranNs, prev.nextTimeNs);
    }
    this.#saveContext(pcpu);
    if (continues) tracer.record1(TRC_SCHED_CONTINUE_RUNNING, prev.packedId);
  }

  /** sched_switch_units(): records and runstates of the decision. */
  #switchVcpus(pcpu: Pcpu, prev: Vcpu, next: Vcpu, runs: Vcpu): void {
    const { nowNs, tracer } = this.machine;
    const { switchComesLast } = this.version.core.records;
    if (prev !== next) {
      pcpu.chosen = next;
      pcpu.switchedFrom = prev;
      this.#recordTimes(prev, next);
      if (!switchComesLast) {
        tracer.record4(TRC_SCHED_SWITCH, prev.domain.id, prev.id, next.domain.id, next.id);
      }
      if (next.isRunning) throw new InvariantError(`pCPU ${pcpu.id} chose ${next}, which runs already`);
      next.isRunning = true;
      next.stateEntryNs = nowNs;
    }
    const { current } = pcpu;
    if (current !== runs || current.runstate !== runs.newState) {
      this.#changeRunstate(current, stateWhenDescheduled(current));
      this.#changeRunstate(runs, runs.newState);
    }
    runs.isRunning = true;
    if (switchComesLast && prev !== next) {
      tracer.record4(TRC_SCHED_SWITCH, prev.domain.id, prev.id, next.domain.id, next.id);
    }
  }

  /** How long the one ran and the other waited. */
  #recordTimes(prev: Vcpu, next: Vcpu): void {
    const { nowNs, tracer } = this.machine;
    const { switchNamesVcpus, timesRunstates } = this.version.core.records;
    const ranNs = nowNs - (timesRunstates ? prev.runstateEntryNs : prev.stateEntryNs);
    const nextFromNs = timesRunstates ? next.runstateEntryNs : next.stateEntryNs;
    const waitedNs = next.runstate === RUNSTATE_RUNNABLE ? nowNs - nextFromNs : 0;
    if (switchNamesVcpus) {
      tracer.record3(TRC_SCHED_SWITCH_INFPREV, prev.domain.id, prev.id, ranNs);
      tracer.record4(TRC_SCHED_SWITCH_INFNEXT, next.domain.id, next.id, waitedNs, prev.nextTimeNs);
    } else {
      tracer.record2(TRC_SCHED_SWITCH_INFPREV, prev.domain.id, ranNs);
      tracer.record3(TRC_SCHED_SWITCH_INFNEXT, next.domain.id, waitedNs, prev.nextTimeNs);
    }
  }

  /** context_switch(): the guest's time stops and starts, the idle vCPUs' is nobody's. */
  #switchContext(pcpu: Pcpu, prev: Vcpu, next: Vcpu): void {
    if (!prev.isIdle) this.#guests?.stopped(prev, pcpu);
    pcpu.current = next;
    if (this.observed) this.hooks.onSwitch?.(this.machine.nowNs, pcpu.id, next.domain.id, next.id);
    if (!next.isIdle) this.#guests?.started(next, pcpu);
    this.#saveContext(pcpu);
  }

  /** unit_context_saved(): whoever was switched away may now run elsewhere. */
  #saveContext(pcpu: Pcpu): void {
    const saved = pcpu.switchedFrom;
    if (saved === undefined) return;
    saved.isRunning = false;
    saved.stateEntryNs = this.machine.nowNs;
    pcpu.switchedFrom = undefined;
    // The idle vCPU of a pCPU that has left its pool has no scheduler.
    (this.schedulerOf(saved) as Scheduler | undefined)?.contextSaved?.(saved);
    if (!saved.isIdle) this.#finishMigration(saved);
  }

  /** vcpu_runstate_change() */
  #changeRunstate(vcpu: Vcpu, state: number): void {
    const old = vcpu.runstate;
    if (old === state) return;
    const { nowNs, tracer, cpu } = this.machine;
    tracer.record1(TRC_SCHED_RUNSTATE_CHANGE | (old << 8) | (state << 4), vcpu.packedId);
    vcpu.runstateNs[old]! += nowNs - vcpu.runstateEntryNs;
    vcpu.runstateEntryNs = nowNs;
    vcpu.runstate = state;
    if (this.observed) this.hooks.onRunstate?.(nowNs, cpu, vcpu.domain.id, vcpu.id, old, state);
  }

  #current(): Vcpu {
    return this.machine.pcpus[this.machine.cpu]!.current;
  }
}

/** sched_idle_schedule(): a pCPU that is in no pool runs nothing. */
function idleSchedule({ idle }: Pcpu, prev: Vcpu): void {
  prev.nextTask = idle;
  prev.nextTimeNs = -1;
  idle.newState = RUNSTATE_RUNNING;
}

function stateWhenDescheduled(vcpu: Vcpu): number {
  if ((vcpu.pauseFlags & VPF_BLOCKED) !== 0) return RUNSTATE_BLOCKED;
  return vcpu.isRunnable ? RUNSTATE_RUNNABLE : RUNSTATE_OFFLINE;
}
