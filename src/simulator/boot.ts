import { assert } from '../base/assert.ts';
import type { DomainSpec, Scenario, VcpuSpec } from '../scenario/scenario.ts';
import { Cpumask } from './cpumask.ts';
import type { Cpupool } from './cpupool.ts';
import type { Hypervisor } from './hypervisor.ts';
import { Pcpu } from './pcpu.ts';
import type { Scheduler } from './scheduler.ts';
import { TRC_SCHED_DOM_ADD } from './trace-events.ts';
import { DOMID_IDLE, Domain, RUNSTATE_RUNNING, Vcpu, VPF_BLOCKED } from './vcpu.ts';

/**
 * Brings the machine up (scheduler_init, cpupool_init): every pCPU runs its idle vCPU, then all join one pool
 * in ascending order, then the decisions that this asks for are made. Nothing of it is traced or observed.
 */
export function bootMachine(xen: Hypervisor, scheduler: Scheduler): Cpupool {
  const { machine } = xen;
  const size = machine.topology.pcpus;
  const idleDomain = new Domain(DOMID_IDLE, undefined);
  for (let id = 0; id < size; id += 1) {
    const idle = new Vcpu(idleDomain, id, Cpumask.of(size, [id]), Cpumask.all(size));
    idle.processor = id;
    idle.runstate = RUNSTATE_RUNNING;
    idle.newState = RUNSTATE_RUNNING;
    idle.isRunning = true;
    idleDomain.vcpus.push(idle);
    const sliceTimer = machine.timers.init((pcpu) => xen.raiseSchedule(pcpu), id, id);
    machine.pcpus.push(new Pcpu(id, idle, sliceTimer));
  }
  const pool: Cpupool = { id: 0, scheduler, valid: new Cpumask(size) };
  for (const pcpu of machine.pcpus) {
    scheduler.allocVcpu(pcpu.idle);
    pcpu.lock = scheduler.addPcpu(pcpu, pool);
    pcpu.scheduler = scheduler;
    pool.valid.set(pcpu.id);
    xen.raiseSchedule(pcpu.id);
  }
  xen.drainSoftirqs();
  return pool;
}

/**
 * Creates the domains in the scenario's order, in the context of pCPU 0's idle vCPU: the domain, its vCPUs,
 * which the scheduler places, their affinities, the parameters, as libxl does. All vCPUs are blocked until
 * their guests wake them.
 */
export function createDomains(xen: Hypervisor, scenario: Scenario, pool: Cpupool): void {
  for (const spec of scenario.domains) {
    xen.machine.cpu = 0;
    const domain = createDomain(xen, spec, pool);
    for (const [id, vcpuSpec] of spec.vcpus.entries()) setAffinities(xen, domain.vcpus[id]!, vcpuSpec);
    if (spec.weight !== undefined || spec.cap !== undefined) {
      xen.adjustDomain(domain, { weight: spec.weight, cap: spec.cap });
    }
    for (const [id, { rtds }] of spec.vcpus.entries()) {
      if (rtds !== undefined) xen.adjustVcpu(domain.vcpus[id]!, rtds);
    }
    drainFor(xen);
  }
}

function createDomain(xen: Hypervisor, spec: DomainSpec, pool: Cpupool): Domain {
  assert(
    xen.domains.every(({ id }) => id !== spec.id),
    `domain ${spec.id} exists already`,
  );
  const domain = new Domain(spec.id, pool);
  xen.domains.push(domain);
  xen.machine.tracer.record1(TRC_SCHED_DOM_ADD, domain.id);
  pool.scheduler.allocDomain?.(domain);
  for (let id = 0; id < spec.vcpus.length; id += 1) createVcpu(xen, domain, id, pool);
  return domain;
}

/**
 * sched_init_vcpu(): on the first pCPU, or the one after the vCPU before it, until the scheduler places it.
 */
function createVcpu(xen: Hypervisor, domain: Domain, id: number, pool: Cpupool): void {
  const { size } = pool.valid;
  const vcpu = new Vcpu(domain, id, new Cpumask(size), new Cpumask(size));
  if (id > 0) vcpu.processor = pool.valid.cycle(domain.vcpus[id - 1]!.processor);
  else vcpu.processor = xen.version.core.placesByPopulation ? leastPopulated(xen, pool) : pool.valid.first();
  vcpu.pauseFlags = VPF_BLOCKED;
  pool.scheduler.allocVcpu(vcpu);
  domain.vcpus.push(vcpu);
  const all = Cpumask.all(size);
  xen.applyAffinity(vcpu, all, all);
  pool.scheduler.insertVcpu(vcpu);
}

/**
 * default_vcpu0_location() of older versions: the pCPU with the fewest vCPUs, the highest of several. Of
 * the core of pCPU 0 only one thread counts, the second if there is one, and of other cores never the first
 * if there are two.
 */
function leastPopulated(xen: Hypervisor, pool: Cpupool): number {
  const { topology } = xen.machine;
  const counts = new Int32Array(topology.pcpus);
  for (const { vcpus } of xen.domains) {
    for (const vcpu of vcpus) if (vcpu.isOnline) counts[vcpu.processor]! += 1;
  }
  const left = new Cpumask(topology.pcpus);
  left.andNot(pool.valid, topology.siblings[0]!);
  const first = topology.siblings[0]!.first();
  const second = topology.siblings[0]!.next(first);
  let best = second < topology.pcpus ? second : first;
  for (let pcpu = left.first(); pcpu < left.size; pcpu = left.next(pcpu)) {
    const siblings = topology.siblings[pcpu]!;
    if (pcpu === siblings.first() && siblings.next(pcpu) < left.size) continue;
    left.andNot(left, siblings);
    if (counts[pcpu]! <= counts[best]!) best = pcpu;
  }
  return best;
}

function setAffinities(xen: Hypervisor, vcpu: Vcpu, spec: VcpuSpec): void {
  const { size } = vcpu.hardAffinity;
  if (spec.hardAffinity !== undefined) {
    xen.setAffinity(vcpu, Cpumask.of(size, spec.hardAffinity), undefined);
    drainFor(xen);
  }
  if (spec.softAffinity !== undefined) {
    xen.setAffinity(vcpu, undefined, Cpumask.of(size, spec.softAffinity));
    drainFor(xen);
  }
}

/** What was asked for happens before the control domain goes on, in pCPU 0's context again. */
function drainFor(xen: Hypervisor): void {
  xen.drainSoftirqs();
  xen.machine.cpu = 0;
}
