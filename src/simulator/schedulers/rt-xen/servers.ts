import type { PriorityScheme } from '../../../scenario/scenario.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import type { Link } from '../../linked-list.ts';
import type { DomainParameters, PoolParameters, VcpuParameters } from '../../scheduler.ts';
import { type Domain, type Vcpu, VPF_BLOCKED } from '../../vcpu.ts';
import { RtXenRecords } from './records.ts';
import { hasNoWork, type RtXenDomain, RtXenVcpu, rtXenOf } from './state.ts';

/**
 * What the global and the partitioned scheduler of RT-Xen 2.0 do alike: parameters, budgets, and run queues
 * in the order of priority, those without budget behind those with.
 */
export class RtXenServers {
  /** Whether budget idles away while there is no work, as if the guest had a task that never ends. */
  arePeriodic: boolean;
  readonly #records: RtXenRecords;
  #scheme: PriorityScheme;
  readonly #members = new Set<RtXenVcpu>();

  constructor({ machine, parameters }: Hypervisor) {
    this.#records = new RtXenRecords(machine.tracer);
    this.#scheme = parameters.text('rtxen_scheme') === 'rm' ? 'rm' : 'edf';
    this.arePeriodic = parameters.boolean('rtxen_periodic');
  }

  // ---- Members and their parameters

  add(vcpu: Vcpu, nowNs: number): void {
    const server = new RtXenVcpu(vcpu, nowNs);
    vcpu.schedulerData = server;
  }

  insert(vcpu: Vcpu): void {
    if (!vcpu.isIdle) this.#members.add(rtXenOf(vcpu));
  }

  remove(vcpu: Vcpu): void {
    this.#members.delete(rtXenOf(vcpu));
    rtXenOf(vcpu).queued.remove();
  }

  /**
   * XEN_DOMCTL_SCHEDOP_putinfo. Any for domain 0 makes EDF and RM change places, which is how RT-Xen's own
   * tool does it. A new period and budget count from the next replenishment on. Nothing is refused; for a new
   * domain libxl writes back what it read, for whichever vCPU its stack holds, which is taken to be none.
   */
  adjustDomain(domain: Domain, { vcpu: id = 0, periodMs, budgetMs, extratime }: DomainParameters): boolean {
    if ((periodMs ?? budgetMs ?? extratime) === undefined) return true;
    if (domain.id === 0) this.#scheme = this.#scheme === 'edf' ? 'rm' : 'edf';
    const data = domain.schedulerData as RtXenDomain;
    data.extratime = extratime ?? data.extratime;
    const vcpu = domain.vcpus[id];
    if (vcpu === undefined) return true;
    const server = rtXenOf(vcpu);
    server.periodNs = periodMs === undefined ? server.periodNs : periodMs * 1_000_000;
    server.budgetUs = budgetMs === undefined ? server.budgetUs : budgetMs * 1000;
    return true;
  }

  /** The same for one vCPU. RT-Xen has whole milliseconds only. */
  adjustVcpu({ domain, id }: Vcpu, { periodUs, budgetUs, extratime }: VcpuParameters): boolean {
    const [periodMs, budgetMs] = [periodUs, budgetUs].map((us) => (us === undefined ? undefined : us / 1000));
    return this.adjustDomain(domain, { vcpu: id, periodMs, budgetMs, extratime });
  }

  /** Servers that are not as in RT-Xen are refused. */
  adjustPool({ scheme, serverKind }: PoolParameters): boolean {
    if (serverKind === 'polling' || serverKind === 'sporadic') return false;
    this.#scheme = scheme ?? this.#scheme;
    if (serverKind !== undefined) this.arePeriodic = serverKind === 'periodic';
    return true;
  }

  // ---- Budgets

  /**
   * burn_budgets(): at its deadline the running one is given a new budget instead of paying for the old one.
   */
  burn(server: RtXenVcpu, nowNs: number): void {
    const { vcpu, lastStartNs, leftUs } = server;
    if (lastStartNs === 0) {
      server.lastStartNs = nowNs;
      return;
    }
    if (vcpu.isIdle || vcpu.domain.id === 0) return;
    if (nowNs >= server.deadlineNs) {
      this.#renew(server, nowNs);
      return;
    }
    if (leftUs === 0) return;
    const ranNs = nowNs - lastStartNs;
    const wholeUs = Math.floor(ranNs / 1000);
    const paidUs = wholeUs + (ranNs % 1000 > 500 ? 1 : 0);
    server.leftUs = Math.max(0, leftUs - paidUs);
    this.#records.burnt(vcpu, server.leftUs * 1000, ranNs);
  }

  /** One that wakes is renewed at its deadline, one that is queued only later than that. */
  renewIfDue(server: RtXenVcpu, nowNs: number): void {
    if (nowNs >= server.deadlineNs) this.#renew(server, nowNs);
  }

  #renew(server: RtXenVcpu, nowNs: number): void {
    server.renew(nowNs);
    this.#records.replenished(server.vcpu, server.leftUs * 1000, server.deadlineNs);
  }

  // ---- Run queues

  /** __runq_insert(): before equals. */
  enqueue(queue: Link<RtXenVcpu>, server: RtXenVcpu): void {
    if (!server.queued.isAlone) return;
    let at = queue.next;
    while (at !== queue && !this.#goesBefore(server, at.owner!)) at = at.next;
    server.queued.insertBefore(at);
  }

  #goesBefore(server: RtXenVcpu, other: RtXenVcpu): boolean {
    if (server.leftUs > 0 !== other.leftUs > 0) return server.leftUs > 0;
    return this.isAtLeastAs(server, other);
  }

  /** Whether its deadline is no later, or its period no longer. */
  isAtLeastAs(server: RtXenVcpu, other: RtXenVcpu): boolean {
    if (this.#scheme === 'edf') return server.deadlineNs <= other.deadlineNs;
    return server.periodNs <= other.periodNs;
  }

  /** __repl_update(): each that is past its deadline is renewed, and queued anew. */
  replenish(queue: Link<RtXenVcpu>, nowNs: number): void {
    for (let at = queue.next, next = at.next; at !== queue; at = next, next = at.next) {
      const server = at.owner!;
      if (nowNs <= server.deadlineNs) continue;
      this.#renew(server, nowNs);
      at.remove();
      this.enqueue(queue, server);
    }
  }

  /** __runq_pick(): the first that may run on a pCPU of `isAllowed`. */
  pick(queue: Link<RtXenVcpu>, isAllowed: (vcpu: Vcpu) => boolean): RtXenVcpu | undefined {
    for (let at = queue.next; at !== queue; at = at.next) {
      const server = at.owner!;
      const { extratime } = server.vcpu.domain.schedulerData as RtXenDomain;
      if ((server.leftUs > 0 || extratime) && isAllowed(server.vcpu)) return server;
    }
    return undefined;
  }

  // ---- Periodic servers

  /** Whether it takes part in the scheduling: it may run, or it idles its budget away. */
  isReady({ vcpu }: RtXenVcpu): boolean {
    return vcpu.isRunnable || (this.arePeriodic && vcpu.domain.id !== 0 && hasNoWork(vcpu));
  }

  /**
   * Whether the pCPU idles while this one has it. Who was paused in the same instant runs until the next
   * decision: RT-Xen does not ask whom it takes from a queue whether it still may run.
   */
  idlesAway({ vcpu }: RtXenVcpu): boolean {
    return (vcpu.pauseFlags & VPF_BLOCKED) !== 0;
  }

  /** Those that idle their budget away and are in no queue, nor on a pCPU. */
  *idleServers(current: readonly (RtXenVcpu | undefined)[]): Generator<RtXenVcpu> {
    if (!this.arePeriodic) return;
    for (const server of this.#members) {
      const isElsewhere = server.queued.isAlone && !server.scheduled && !server.vcpu.isRunnable;
      if (isElsewhere && this.isReady(server) && !current.includes(server)) yield server;
    }
  }
}
