import { UserError } from '../../base/errors.ts';
import type { SchedulerName } from '../../scenario/scenario.ts';
import type { Cpumask } from '../cpumask.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Pcpu } from '../pcpu.ts';
import type { DomainParameters, PoolParameters, Scheduler, SchedulingDomains } from '../scheduler.ts';
import { TRC_CSCHED_BOOST_START, TRC_CSCHED_RATELIMIT, TRC_CSCHED_SCHEDULE } from '../trace-events.ts';
import type { Domain, Vcpu } from '../vcpu.ts';
import { account, burnCredits, sharesOf, stopAccounting, tick } from './credit/accounting.ts';
import { CreditBalancing } from './credit/balancing.ts';
import { CreditPlacement } from './credit/placement.ts';
import { addToQueue, dequeue, enqueue, isQueued, removeFromQueue } from './credit/run-queue.ts';
import { CreditSchedulingDomains } from './credit/scheduling-domains.ts';
import {
  CreditDomain,
  CreditPcpu,
  CreditSystem,
  CreditVcpu,
  creditOfDomain,
  creditOfPcpu,
  creditOfVcpu,
  MIN_TIMER_NS,
  PRI_BOOST,
  PRI_IDLE,
  PRI_OVER,
  PRI_UNDER,
} from './credit/state.ts';
import { nameNext, passTurn, takeTurn } from './credit/turns.ts';

/** What a cap of this value means to Xen: leave it. */
const CAP_UNCHANGED = 65_535;

/**
 * The credit scheduler (common/sched/credit.c): run queues per pCPU, sorted by priority; credit is burnt by
 * running and given out by weight once per time slice; those that wake with credit left are boosted until a
 * tick finds them running.
 */
export class CreditScheduler implements Scheduler {
  readonly name: SchedulerName = 'credit';
  readonly schedulingDomains: SchedulingDomains | undefined;
  protected readonly placement: CreditPlacement;
  readonly #xen: Hypervisor;
  readonly #system: CreditSystem;
  readonly #balancing: CreditBalancing;
  #pool: Cpupool | undefined;

  constructor(xen: Hypervisor, system = new CreditSystem(xen)) {
    this.#xen = xen;
    this.#system = system;
    this.placement = new CreditPlacement(system);
    this.#balancing = new CreditBalancing(system);
    this.schedulingDomains = new CreditSchedulingDomains(system);
  }

  /** Its own data, for checkers outside. */
  get system(): CreditSystem {
    return this.#system;
  }

  // ---- Members come and go

  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    this.#pool = pool;
    const system = this.#system;
    const { topology, timers, nowNs } = this.#xen.machine;
    const { id } = pcpu;
    system.credit += system.creditsPerTslice;
    system.pcpuCount += 1;
    system.pcpus.set(id);
    if (system.pcpuCount === 1) this.#makeMaster(id);
    const node = topology.nodeOf[id]!;
    if (!this.#hasOtherPcpus(node, id)) system.balanceBias[node] = id;
    const ticker = timers.init((data) => this.tick(data), id, id);
    timers.set(ticker, nowNs + system.tickPeriodNs, nowNs);
    const credit = new CreditPcpu(ticker, system.accountings, topology.pcpus - 1, nowNs);
    credit.ticks = this.#xen.machine.host.xmallocFill ?? 0;
    pcpu.schedulerData = credit;
    system.idlers.set(id);
    // Each pCPU has a run queue, and a lock, of its own.
    return id;
  }

  protected tick(pcpu: number): void {
    tick(this.#system, this.placement, pcpu);
  }

  /** The first pCPU does the accounting, for which there is a timer since it is not done by ticks. */
  #makeMaster(id: number): void {
    const system = this.#system;
    const { timers, nowNs } = this.#xen.machine;
    system.master = id;
    if (system.version.accountsAtTicks) return;
    system.masterTicker = timers.init(() => account(system), 0, id);
    timers.set(system.masterTicker, nowNs + system.tsliceNs, nowNs);
  }

  removePcpu(pcpu: Pcpu): void {
    const system = this.#system;
    const { topology, timers, nowNs } = this.#xen.machine;
    const { id } = pcpu;
    system.credit -= system.creditsPerTslice;
    system.pcpuCount -= 1;
    system.idlers.unset(id);
    system.pcpus.unset(id);
    if (system.master === id && system.pcpuCount > 0) {
      system.master = system.pcpus.first();
      if (system.masterTicker !== undefined) timers.migrate(system.masterTicker, system.master, nowNs);
    }
    const node = topology.nodeOf[id]!;
    if (system.balanceBias[node] === id) {
      for (let other = system.pcpus.first(); other < system.pcpus.size; other = system.pcpus.next(other)) {
        if (topology.nodeOf[other] !== node) continue;
        system.balanceBias[node] = other;
        break;
      }
    }
    timers.kill(creditOfPcpu(pcpu).ticker);
    if (system.pcpuCount === 0 && system.masterTicker !== undefined) timers.kill(system.masterTicker);
  }

  moveTimers(pcpu: Pcpu): void {
    const { timers, nowNs } = this.#xen.machine;
    const system = this.#system;
    if (pcpu.id === system.master && system.masterTicker !== undefined) {
      timers.migrate(system.masterTicker, system.master, nowNs);
    }
    timers.migrate(creditOfPcpu(pcpu).ticker, pcpu.id, nowNs);
  }

  allocDomain(domain: Domain): void {
    domain.schedulerData = new CreditDomain(domain);
  }

  allocVcpu(vcpu: Vcpu): void {
    vcpu.schedulerData = new CreditVcpu(vcpu, vcpu.isIdle ? undefined : creditOfDomain(vcpu.domain));
  }

  insertVcpu(vcpu: Vcpu): void {
    if (this.#system.version.placesAtInsertion) vcpu.processor = this.pickPcpu(vcpu);
    const credit = creditOfVcpu(vcpu);
    if (!isQueued(credit) && vcpu.isRunnable && !vcpu.isRunning) addToQueue(this.#system, credit);
  }

  removeVcpu(vcpu: Vcpu): void {
    const credit = creditOfVcpu(vcpu);
    if (credit.parked && this.#system.version.unparksRemoved) {
      credit.parked = false;
      this.#xen.unpause(vcpu);
    }
    if (!credit.active.isAlone) stopAccounting(this.#system, credit);
  }

  // ---- Sleep, wake, yield

  sleep(vcpu: Vcpu): void {
    const credit = creditOfVcpu(vcpu);
    if (credit.vcpu !== vcpu) return;
    if (this.#isChosen(vcpu)) {
      this.#xen.raiseSchedule(vcpu.processor);
    } else if (isQueued(credit) && !passTurn(credit)) {
      removeFromQueue(this.#system, credit);
      this.#queueElsewhere(credit);
    }
  }

  #isChosen(vcpu: Vcpu): boolean {
    return this.#xen.machine.pcpus[vcpu.processor]!.chosen === vcpu;
  }

  /** Nobody can run where the last turn was; one that shares these time slices may on another pCPU. */
  #queueElsewhere(credit: CreditVcpu): void {
    const other = credit.vcpus.length > 1 ? credit.vcpus.find(({ isRunnable }) => isRunnable) : undefined;
    if (other === undefined) return;
    nameNext(credit, other);
    addToQueue(this.#system, credit);
    this.placement.tickle(credit);
  }

  wake(vcpu: Vcpu): void {
    const credit = creditOfVcpu(vcpu);
    if (this.#isChosen(credit.vcpu) || isQueued(credit)) return;
    if (credit.vcpu !== vcpu) nameNext(credit, vcpu);
    const { version } = this.#system;
    const migrating = credit.migrating && !version.boostsMigrated;
    credit.migrating = false;
    if (!migrating && credit.pri === PRI_UNDER && !credit.parked) {
      if (version.recordsBoosts) {
        this.#xen.machine.tracer.record2(TRC_CSCHED_BOOST_START, vcpu.domain.id, vcpu.id);
      }
      credit.pri = PRI_BOOST;
    }
    addToQueue(this.#system, credit);
    this.placement.tickle(credit);
  }

  yield(vcpu: Vcpu): void {
    if (this.#system.version.passesOnYield) creditOfVcpu(vcpu).yielding = true;
  }

  // ---- Placement and parameters

  pickPcpu(vcpu: Vcpu): number {
    const credit = creditOfVcpu(vcpu);
    if (credit.vcpu === vcpu) credit.migrating = true;
    return this.placement.pick(vcpu, true);
  }

  adjustDomain(domain: Domain, { weight, cap }: DomainParameters): boolean {
    const credit = creditOfDomain(domain);
    if (weight !== undefined && weight !== 0) {
      if (!credit.active.isAlone) {
        this.#system.weight += (weight - credit.weight) * sharesOf(this.#system, credit);
      }
      credit.weight = weight;
    }
    if (cap !== undefined && cap !== CAP_UNCHANGED) credit.cap = cap;
    return true;
  }

  adjustPool(parameters: PoolParameters): boolean {
    return this.#system.adjust(parameters);
  }

  /** Throws UserError `soft-affinity-too-old` for a soft affinity in a version without. */
  adjustAffinity(vcpu: Vcpu, hard: Cpumask | undefined, soft: Cpumask | undefined): void {
    if (soft !== undefined && soft.weight() < soft.size && !this.#system.version.hasSoftAffinity) {
      const sentence = `credit of Xen ${this.#xen.version.series} knows no soft affinity`;
      throw new UserError('soft-affinity-too-old', sentence, { hint: 'it is from Xen 4.5 on' });
    }
    if (hard === undefined) return;
    const credit = creditOfVcpu(vcpu);
    credit.pinned = credit.vcpus.length === 1 && hard.weight() === 1;
  }

  // ---- The decision (csched_schedule)

  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const system = this.#system;
    const { machine } = this.#xen;
    const { cpu, tracer } = machine;
    const current = creditOfVcpu(prev);
    const packed = cpu | (taskletWork ? 1 << 16 : 0) | (prev.isIdle ? 1 << 24 : 0);
    const { version } = system;
    if (version.recordsDecisions) tracer.record1(TRC_CSCHED_SCHEDULE, packed);
    if (prev.isIdle) {
      current.pri = PRI_IDLE;
    } else {
      burnCredits(system, current, nowNs);
      current.startNs -= nowNs;
      current.lastSchedNs = nowNs;
    }
    const ranNs = Math.max(0, nowNs - prev.stateEntryNs);
    const yields = current.yielding && !version.restartsRatelimit;
    const limited = !yields && !taskletWork && system.ratelimitNs !== 0 && ranNs < system.ratelimitNs;
    // The order matters: the question also notes its runstate.
    if (limited && prev.checkRunnable() && !prev.isIdle) {
      current.startNs += nowNs;
      if (version.recordsDecisions) tracer.record2(TRC_CSCHED_RATELIMIT, prev.packedId, ranNs);
      this.#decide(cpu, prev, prev, this.#limitedSliceNs(ranNs), false);
      return;
    }
    const here = system.pcpu(cpu);
    if (passTurn(current)) {
      enqueue(system, current);
    } else {
      here.runnable -= 1;
      this.#queueElsewhere(current);
    }
    if (!version.yieldLastsWhileQueued) current.yielding = false;
    this.#chooseNext(cpu, here, prev, nowNs, taskletWork);
  }

  /** How long one that must not be preempted yet goes on. */
  #limitedSliceNs(ranNs: number): number {
    const { version, ratelimitNs } = this.#system;
    if (version.restartsRatelimit) return ratelimitNs;
    return ranNs < MIN_TIMER_NS ? MIN_TIMER_NS : ratelimitNs - ranNs;
  }

  #chooseNext(cpu: number, here: CreditPcpu, prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const system = this.#system;
    const online = this.#pool!.valid;
    let next: CreditVcpu;
    let stolen = false;
    do {
      next = here.queue.next.owner!;
      if (next.pri > PRI_OVER || !this.#mayBalance(here, nowNs)) {
        dequeue(system, next);
        continue;
      }
      const better = this.#balancing.steal(cpu, next.pri, online);
      if (better === undefined) {
        dequeue(system, next);
      } else {
        next = better;
        stolen = true;
      }
    } while (!takeTurn(next) && this.#xen.version.core.asksNext);
    if (next.pri === PRI_IDLE && !taskletWork) system.idlers.set(cpu);
    else system.idlers.unset(cpu);
    if (!next.vcpu.isIdle) next.startNs += nowNs;
    this.#decide(cpu, prev, next.vcpu, system.tsliceNs, stolen);
  }

  /** From 4.18 on a pCPU looks for work to steal only so often. */
  #mayBalance(here: CreditPcpu, nowNs: number): boolean {
    const { version, loadBalanceRatelimitNs } = this.#system;
    if (!version.limitsLoadBalancing) return true;
    if (nowNs - here.lastLoadBalanceNs <= loadBalanceRatelimitNs) return false;
    here.lastLoadBalanceNs = nowNs;
    return true;
  }

  /**
   * Who runs next and how long. The tick stops on idle pCPUs and comes back on the grid of ticks since boot.
   */
  #decide(cpu: number, prev: Vcpu, next: Vcpu, sliceNs: number, migrated: boolean): void {
    prev.nextTask = next;
    const { version } = this.#system;
    prev.nextTimeNs = next.isIdle && !version.slicesIdle ? -1 : sliceNs;
    next.migrated = migrated;
    if (prev.isIdle === next.isIdle || !version.stopsIdleTicks) return;
    const { timers, nowNs } = this.#xen.machine;
    const { ticker } = this.#system.pcpu(cpu);
    const { tickPeriodNs } = this.#system;
    if (next.isIdle) timers.stop(ticker);
    else timers.set(ticker, nowNs + tickPeriodNs - (nowNs % tickPeriodNs), nowNs);
  }

  #hasOtherPcpus(node: number, pcpu: number): boolean {
    const { pcpus } = this.#system;
    const { nodeOf } = this.#xen.machine.topology;
    for (let other = pcpus.first(); other < pcpus.size; other = pcpus.next(other)) {
      if (other !== pcpu && nodeOf[other] === node) return true;
    }
    return false;
  }
}
