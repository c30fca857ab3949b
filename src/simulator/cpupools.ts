import { assert } from '../base/assert.ts';
import { Cpumask } from './cpumask.ts';
import type { Cpupool } from './cpupool.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Pcpu } from './pcpu.ts';
import type { Scheduler } from './scheduler.ts';
import type { Domain } from './vcpu.ts';

/** More rounds than any vCPU needs to leave a pCPU. */
const ROUNDS_MAX = 100;

/** A new pool without pCPUs, with the lowest number behind the last one (cpupool_create). */
export function createPool(xen: Hypervisor, name: string, scheduler: Scheduler): Cpupool {
  const id = (xen.pools.at(-1)?.id ?? -1) + 1;
  const pool: Cpupool = { id, name, scheduler, valid: new Cpumask(xen.machine.topology.pcpus) };
  xen.pools.push(pool);
  return pool;
}

/** A free pCPU joins a pool, and looks for work (cpupool_assign_cpu_locked, schedule_cpu_add). */
export function addPcpu(xen: Hypervisor, pool: Cpupool, pcpu: Pcpu): void {
  assert(pcpu.scheduler === undefined, `pCPU ${pcpu.id} is in a pool already`);
  const { scheduler } = pool;
  scheduler.allocVcpu(pcpu.idle);
  pcpu.lock = scheduler.addPcpu(pcpu, pool);
  pcpu.scheduler = scheduler;
  pool.valid.set(pcpu.id);
  xen.raiseSchedule(pcpu.id);
}

/**
 * A pCPU leaves its pool and is free (cpupool_unassign_cpu, cpu_disable_scheduler, schedule_cpu_rm). Who is on
 * it is sent to others of the pool; affinities that name no other are broken. One that runs has to be
 * descheduled first: Xen answers EAGAIN, and the toolstack asks again.
 */
export function removePcpu(xen: Hypervisor, pool: Cpupool, pcpu: Pcpu): void {
  const { machine } = xen;
  const { cpu } = machine;
  pool.valid.unset(pcpu.id);
  let rounds = 0;
  while (!sendAway(xen, pool, pcpu.id)) {
    xen.drainSoftirqs();
    machine.cpu = cpu;
    rounds += 1;
    assert(rounds < ROUNDS_MAX, `a vCPU stays on pCPU ${pcpu.id}`);
  }
  pool.scheduler.removePcpu?.(pcpu);
  pool.scheduler.freeVcpu?.(pcpu.idle);
  pcpu.idle.schedulerData = undefined;
  pcpu.schedulerData = undefined;
  pcpu.scheduler = undefined;
  pcpu.lock = -1;
}

/** cpu_disable_scheduler(): answers whether nobody is on the pCPU any more. */
function sendAway(xen: Hypervisor, pool: Cpupool, pcpu: number): boolean {
  let isEmpty = true;
  for (const domain of domainsOf(xen, pool)) {
    for (const vcpu of domain.vcpus) {
      if (!vcpu.hardAffinity.intersects(pool.valid) && vcpu.hardAffinity.has(pcpu)) {
        xen.applyAffinity(vcpu, Cpumask.all(pool.valid.size), undefined);
      }
      if (vcpu.processor !== pcpu) continue;
      xen.placeAnew(vcpu);
      if (vcpu.processor === pcpu) isEmpty = false;
    }
  }
  return isEmpty;
}

/** Its domains, by their ids as Xen lists them. */
export function domainsOf(xen: Hypervisor, pool: Cpupool): Domain[] {
  return xen.domains.filter((domain) => domain.pool === pool).sort((a, b) => a.id - b.id);
}

/**
 * A domain changes to another pool, whose scheduler knows nothing of its parameters and affinities
 * (sched_move_domain): it is paused, all its vCPUs leave, and all enter.
 */
export function moveDomain(xen: Hypervisor, domain: Domain, pool: Cpupool): void {
  const from = domain.pool!;
  const { vcpus } = domain;
  const oldData = domain.schedulerData;
  const oldVcpuData = vcpus.map(({ schedulerData }) => schedulerData);
  // What the new scheduler needs is made before anything else; the old one's data stays in force.
  domain.schedulerData = undefined;
  pool.scheduler.allocDomain?.(domain);
  for (const vcpu of vcpus) pool.scheduler.allocVcpu(vcpu);
  const newData = domain.schedulerData;
  const newVcpuData = vcpus.map(({ schedulerData }) => schedulerData);
  domain.schedulerData = oldData;
  for (const [i, vcpu] of vcpus.entries()) vcpu.schedulerData = oldVcpuData[i];
  xen.pauseDomain(domain);
  for (const vcpu of vcpus) from.scheduler.removeVcpu(vcpu);
  for (const vcpu of vcpus) from.scheduler.freeVcpu?.(vcpu);
  from.scheduler.freeDomain?.(domain);
  domain.pool = pool;
  domain.schedulerData = newData;
  for (const [i, vcpu] of vcpus.entries()) vcpu.schedulerData = newVcpuData[i];
  const all = Cpumask.all(pool.valid.size);
  let pcpu = pool.valid.first();
  for (const vcpu of vcpus) {
    xen.applyAffinity(vcpu, all, all);
    vcpu.processor = pcpu;
    vcpu.migrated = false;
    pcpu = pool.valid.cycle(pcpu);
    pool.scheduler.insertVcpu(vcpu);
  }
  xen.unpauseDomain(domain);
}
