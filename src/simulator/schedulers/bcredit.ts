import type { SchedulerName } from '../../scenario/scenario.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { DomainParameters } from '../scheduler.ts';
import type { Domain, Vcpu } from '../vcpu.ts';
import { account, charge, stop } from './bcredit/accounting.ts';
import { recordParameters } from './bcredit/records.ts';
import { applySettings } from './bcredit/settings.ts';
import { sortQueue } from './bcredit/sort-queue.ts';
import {
  BcreditDomain,
  BcreditSystem,
  BcreditVcpu,
  bcreditOfDomain,
  bcreditOfVcpu,
} from './bcredit/state.ts';
import { moveIfBetter } from './credit/accounting.ts';
import { PRI_BOOST, TICKS_PER_TSLICE } from './credit/state.ts';
import { CreditScheduler } from './credit.ts';

/**
 * The boost credit scheduler, a patch of December 2008 to the credit scheduler of that day: whoever has boost
 * credit is boosted, and stays so while it lasts. Queues, wake-ups, placement and stealing are credit's.
 * The ratio of a domain that was destroyed stays admitted, as in the patch.
 * Source: Naoki Nishiguchi, "scheduler: credit scheduler for client virtualization", xen-devel.
 */
export class BcreditScheduler extends CreditScheduler {
  override readonly name: SchedulerName = 'bcredit';
  override readonly schedulingDomains = undefined;
  readonly #system: BcreditSystem;

  constructor(xen: Hypervisor, system = new BcreditSystem(xen)) {
    super(xen, system);
    this.#system = system;
  }

  override get system(): BcreditSystem {
    return this.#system;
  }

  override allocDomain(domain: Domain): void {
    domain.schedulerData = new BcreditDomain(domain);
  }

  override allocVcpu(vcpu: Vcpu): void {
    const credit = new BcreditVcpu(vcpu, vcpu.isIdle ? undefined : bcreditOfDomain(vcpu.domain));
    vcpu.schedulerData = credit;
    if (vcpu.isIdle) return;
    credit.inactive.insertAfter(this.#system.inactiveVcpus);
    this.#system.addVcpus(1);
  }

  /** A vCPU that goes leaves both lists. */
  override removeVcpu(vcpu: Vcpu): void {
    const credit = bcreditOfVcpu(vcpu);
    if (!credit.active.isAlone) stop(this.#system, credit);
    credit.inactive.remove();
    super.removeVcpu(vcpu);
    this.#system.addVcpus(-1);
  }

  override adjustDomain(domain: Domain, parameters: DomainParameters): boolean {
    const credit = bcreditOfDomain(domain);
    applySettings(this.#system, credit, parameters);
    recordParameters(this.#system, credit);
    return true;
  }

  /**
   * bcsched_schedule(): pays for what has run, decides as credit does, and gives the boosted a shorter slice.
   */
  override doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const system = this.#system;
    if (!prev.isIdle) charge(system, bcreditOfVcpu(prev), nowNs);
    super.doSchedule(prev, nowNs, taskletWork);
    const next = bcreditOfVcpu(prev.nextTask);
    if (next.pri === PRI_BOOST) prev.nextTimeNs = system.boostSliceNs;
    next.unpaidFromNs = nowNs;
  }

  /** bcsched_tick(): nothing is paid at ticks. */
  protected override tick(pcpu: number): void {
    const system = this.#system;
    const { machine } = system.xen;
    const here = system.pcpu(pcpu);
    const { current } = machine.pcpus[pcpu]!;
    here.ticks += 1;
    if (!current.isIdle) moveIfBetter(system, this.placement, pcpu, current);
    if (pcpu === system.master && here.ticks % TICKS_PER_TSLICE === 0) account(system);
    sortQueue(system, here);
    machine.timers.set(here.ticker, machine.nowNs + system.tickPeriodNs, machine.nowNs);
  }
}
