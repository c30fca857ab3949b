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
 * The global scheduler of RT-Xen 2.0 (common/sched_rtglobal.c): one run queue for all pCPUs, earliest
 * deadline first or rate monotonic.
 */
export class RtGlobalScheduler implements Scheduler {
  readonly name = 'rtglobal';
  readonly servers: RtXenServers;
  readonly #xen: Hypervisor;
  #pool: Cpupool | undefined;
  readonly #queue = new Link<RtXenVcpu>();
  /** Who has each pCPU: runs on it, or idles its budget away there. */
  readonly #current: (RtXenVcpu | undefined)[] = [];
  /** pCPUs that have been told to schedule and did not yet. */
  readonly #tickled: Cpumask;
  readonly #candidates: Cpumask;

  constructor(xen: Hypervisor) {
    this.#xen = xen;
    this.servers = new RtXenServers(xen);
    this.#tickled = new Cpumask(xen.machine.topology.pcpus);
    this.#candidates = new Cpumask(xen.machine.topology.pcpus);
  }

  /** All pCPUs share one lock. */
  addPcpu(_pcpu: Pcpu, pool: Cpupool): number {
    this.#pool = pool;
    return this.#tickled.size + pool.id;
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

  /** rtglobal_cpu_pick(): where it is if it may be there, else the next pCPU where it may. */
  pickPcpu({ processor, hardAffinity }: Vcpu): number {
    this.#candidates.and(hardAffinity, this.#pool!.valid);
    return this.#candidates.has(processor) ? processor : this.#candidates.cycle(processor);
  }

  sleep(vcpu: Vcpu): void {
    const server = rtXenOf(vcpu);
    if (this.#current[vcpu.processor] === server) {
      this.#xen.raiseSchedule(vcpu.processor);
      return;
    }
    server.queued.remove();
    server.queueWhenSaved = false;
  }

  /** rtglobal_vcpu_wake() */
  wake(vcpu: Vcpu): void {
    const { processor } = vcpu;
    const server = rtXenOf(vcpu);
    if (this.#current[processor] === server) {
      // Who idled its budget away there now has work for it.
      if (this.servers.arePeriodic) this.#xen.raiseSchedule(processor);
      return;
    }
    if (!server.queued.isAlone) return;
    if (server.scheduled) {
      server.queueWhenSaved = true;
      return;
    }
    this.servers.renewIfDue(server, this.#xen.machine.nowNs);
    this.#enqueueAndTell(server);
  }

  contextSaved(vcpu: Vcpu): void {
    const server = rtXenOf(vcpu);
    server.scheduled = false;
    if (vcpu.isIdle) return;
    const isToBeQueued = server.queueWhenSaved && this.servers.isReady(server);
    server.queueWhenSaved = false;
    if (isToBeQueued) this.#enqueueAndTell(server);
  }

  /** Not `server` but the first of the queue, wherever it may run, is what a pCPU is told about. */
  #enqueueAndTell(server: RtXenVcpu): void {
    this.servers.enqueue(this.#queue, server);
    this.servers.replenish(this.#queue, this.#xen.machine.nowNs);
    const { valid } = this.#pool!;
    const first = this.servers.pick(this.#queue, ({ hardAffinity }) => hardAffinity.intersects(valid));
    if (first !== undefined) this.#tickle(first);
  }

  /**
   * rtglobal_schedule(). A pCPU that leaves the pool takes nobody any more, which RT-Xen does not see to.
   *
   * Who runs keeps the pCPU by its deadline, under RM as well.
   */
  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void {
    const { cpu, pcpus } = this.#xen.machine;
    const { idle } = pcpus[cpu]!;
    const { servers } = this;
    const current = this.#current[cpu] ?? rtXenOf(prev);
    this.#tickled.unset(cpu);
    servers.burn(current, nowNs);
    servers.replenish(this.#queue, nowNs);
    for (const server of servers.idleServers(this.#current)) servers.enqueue(this.#queue, server);
    let next: RtXenVcpu | undefined;
    const isReady = !current.vcpu.isIdle && servers.isReady(current);
    if (!taskletWork) {
      const isHere = this.#pool!.valid.has(cpu);
      next = servers.pick(this.#queue, ({ hardAffinity }) => isHere && hardAffinity.has(cpu));
      const goesOn = next === undefined || current.deadlineNs <= next.deadlineNs;
      if (isReady && isHere && current.leftUs > 0 && goesOn) next = current;
    }
    if (next !== current && isReady) {
      if (current.scheduled) current.queueWhenSaved = true;
      else servers.enqueue(this.#queue, current);
    }
    this.#current[cpu] = next;
    const chosen = next ?? rtXenOf(idle);
    chosen.lastStartNs = nowNs;
    if (next !== undefined && next !== current) next.queued.remove();
    const runs = next === undefined || servers.idlesAway(next) ? idle : next.vcpu;
    prev.nextTask = runs;
    prev.nextTimeNs = QUANTUM_NS;
    runs.migrated = false;
    if (next === undefined) return;
    next.scheduled = runs !== idle;
    if (next.vcpu.processor === cpu) return;
    next.vcpu.processor = cpu;
    runs.migrated = true;
  }

  /**
   * runq_tickle(): its last pCPU if that is idle, else the first idle one. Where none is, RT-Xen compares
   * with the earliest deadline that runs, where it means the latest.
   */
  #tickle(server: RtXenVcpu): void {
    const { hardAffinity, processor } = server.vcpu;
    if (this.#current[processor] === undefined) {
      this.#tell(processor);
      return;
    }
    const candidates = this.#candidates;
    candidates.andNot(hardAffinity, this.#tickled);
    candidates.and(candidates, this.#pool!.valid);
    let earliest: RtXenVcpu | undefined;
    for (let pcpu = candidates.first(); pcpu < candidates.size; pcpu = candidates.next(pcpu)) {
      const running = this.#current[pcpu];
      if (running === undefined) {
        this.#tell(pcpu);
        return;
      }
      if (earliest === undefined || running.deadlineNs < earliest.deadlineNs) earliest = running;
    }
    if (earliest !== undefined && server.deadlineNs < earliest.deadlineNs)
      this.#tell(earliest.vcpu.processor);
  }

  #tell(pcpu: number): void {
    this.#tickled.set(pcpu);
    this.#xen.raiseSchedule(pcpu);
  }
}
