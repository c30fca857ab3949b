import { Cpumask } from '../cpumask.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { Link } from '../linked-list.ts';
import type { Pcpu } from '../pcpu.ts';
import type { DomainParameters, PoolParameters, Scheduler, VcpuParameters } from '../scheduler.ts';
import type { Domain, Vcpu } from '../vcpu.ts';
import { RtXenServers } from './rt-xen/servers.ts';
import { type RtXenVcpu, rtXenOf } from './rt-xen/state.ts';

/** Every pCPU decides at least so often, idle ones too. */
const QUANTUM_NS = 1_000_000;

/**
 * The partitioned scheduler of RT-Xen 2.0 (common/sched_rtpartition.c): a run queue for each pCPU, earliest
 * deadline first or rate monotonic. Nobody changes its pCPU but for a new affinity.
 */
export class RtPartitionScheduler implements Scheduler {
  readonly name = 'rtpartition';
  readonly servers: RtXenServers;
  readonly #xen: Hypervisor;
  #pool: Cpupool | undefined;
  readonly #queues: Link<RtXenVcpu>[] = [];
  /** Who has each pCPU: runs on it, or idles its budget away there. */
  readonly #current: (RtXenVcpu | undefined)[] = [];
  readonly #candidates: Cpumask;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.servers = new RtXenServers(xen);
    this.#candidates = new Cpumask(xen.machine.topology.pcpus);
  }

  addPcpu(pcpu: Pcpu, pool: Cpupool): number {
    this.#pool = pool;
    this.#queues[pcpu.id] ??= new Link<RtXenVcpu>();
    return pcpu.id;
  }

  removePcpu(pcpu: Pcpu): void {
    this.#current[pcpu.id] = undefined;
  }

  allocDomain(domain: Domain): void {
    domain.schedulerData = { extratime: false };
  }

  allocVcpu(vcpu: Vcpu): void {
    this.servers.add(vcpu, this.#xen.machine.nowNs);
  }

  insertVcpu(vcpu: Vcpu): void {
    this.servers.insert(vcpu);
  }

  removeVcpu(vcpu: Vcpu): void {
    this.servers.remove(vcpu);
    this.#release(vcpu);
  }

  /** What idles its budget away somewhere ceases to. */
  migrate(vcpu: Vcpu, pcpu: number): void {
    this.#release(vcpu);
    rtXenOf(vcpu).queued.remove();
    vcpu.processor = pcpu;
  }

  #release(vcpu: Vcpu): void {
    const pcpu = this.#current.indexOf(rtXenOf(vcpu));
    if (pcpu < 0) return;
    this.#current[pcpu] = undefined;
    this.#xen.raiseSchedule(pcpu);
  }

  adjustDomain(domain: Domain, parameters: DomainParameters): boolean {
    return this.servers.adjustDomain(domain, parameters);
  }

  adjustVcpu(vcpu: Vcpu, parameters: VcpuParameters): boolean {
    return this.servers.adjustVcpu(vcpu, parameters);
  }

  adjustPool(parameters: PoolParameters): boolean {
    return this.servers.adjustPool(parameters);
  }

  /** rtpartition_cpu_pick(): where it is if it may be there, else the next pCPU where it may. */
  pickPcpu({ processor, hardAffinity }: Vcpu): number {
    this.#candidates.and(hardAffinity, this.#pool!.valid);
    return this.#candidates.has(processor) ? processor : this.#candidates.cycle(processor);
  }

  sleep(vcpu: Vcpu): void {
    const server = rtXenOf(vcpu);
    if (this.#current[vcpu.processor] === server) this.#xen.raiseSchedule(vcpu.processor);
    else server.queued.remove();
  }

  /** rtpartition_vcpu_wake(): leads to a decision in any case. */
  wake(vcpu: Vcpu): void {
    const { processor } = vcpu;
    const server = rtXenOf(vcpu);
    const isCurrent = this.#current[processor] === server;
    // Who idled its budget away there now has work for it.
    if (isCurrent && this.servers.arePeriodic) this.#xen.raiseSchedule(processor);
    if (isCurrent || !server.queued.isAlone) return;
    const queue = this.#queues[processor]!;
    this.servers.enqueue(queue, server);
    this.servers.replenish(queue, this.#xen.machine.nowNs);
    this.#xen.raiseSchedule(processor);
  }

  /** rtpartition_schedule() */
  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    const { servers } = this;
    const queue = this.#queues[cpu]!;
    const current = this.#current[cpu] ?? rtXenOf(prev);
    servers.burn(current, nowNs);
    servers.replenish(queue, nowNs);
    for (const server of servers.idleServers(this.#current)) {
      if (server.vcpu.processor === cpu) servers.enqueue(queue, server);
    }
    let next: RtXenVcpu | undefined;
    const isReady = !current.vcpu.isIdle && servers.isReady(current);
    if (!taskletWork) {
      next = servers.pick(queue, () => true);
      if (isReady && current.leftUs > 0 && (next === undefined || servers.isAtLeastAs(current, next))) {
        next = current;
      }
    }
    if (next !== current && isReady) servers.enqueue(queue, current);
    this.#current[cpu] = next;
    const chosen = next ?? rtXenOf(idle);
    chosen.lastStartNs = nowNs;
    if (next !== undefined && next !== current) next.queued.remove();
    const runs = next === undefined || servers.idlesAway(next) ? idle : next.vcpu;
    prev.nextTask = runs;
    prev.nextTimeNs = QUANTUM_NS;
    runs.migrated = false;
  }
}
