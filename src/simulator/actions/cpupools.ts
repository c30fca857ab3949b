import type { Command } from '../../scenario/scenario.ts';
import type { Cpupool } from '../cpupool.ts';
import { addPcpu, createPool, domainsOf, moveDomain, removePcpu } from '../cpupools.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { createScheduler } from '../schedulers/index.ts';
import { leaveBefore } from '../scheduling-domains.ts';
import type { Domain } from '../vcpu.ts';
import type { Refusal, Tools } from './tools.ts';

/** `xl cpupool-create`: a new pool, with pCPUs that are free. */
export function createCpupool(
  tools: Tools,
  { cpupool, scheduler, pcpus }: Extract<Command, { kind: 'cpupool-create' }>,
): Refusal {
  const { xen } = tools;
  if (xen.pools.some(({ name }) => name === cpupool)) return `there is a cpupool ${cpupool} already`;
  const taken = firstTaken(xen, pcpus);
  if (taken !== undefined) return `pCPU ${taken} is in a cpupool`;
  return addPcpus(tools, createPool(xen, cpupool, createScheduler(scheduler, xen)), pcpus);
}

/** `xl cpupool-destroy`: without domains only; its pCPUs are free afterwards. */
export function destroyCpupool(tools: Tools, pool: Cpupool): Refusal {
  const { xen } = tools;
  if (pool === xen.pools[0]) return `${pool.name} stays`;
  if (domainsOf(xen, pool).length > 0) return `there are domains in ${pool.name}`;
  const refusal = removePcpus(
    tools,
    pool,
    xen.machine.pcpus.filter(({ id }) => pool.valid.has(id)).map(({ id }) => id),
  );
  if (refusal === undefined) xen.pools.splice(xen.pools.indexOf(pool), 1);
  return refusal;
}

/** `xl cpupool-cpu-add`: of free pCPUs. */
export function addPcpus({ xen }: Tools, pool: Cpupool, pcpus: readonly number[]): Refusal {
  for (const pcpu of pcpus) {
    if (firstTaken(xen, [pcpu]) !== undefined) return `pCPU ${pcpu} is in a cpupool`;
    addPcpu(xen, pool, xen.machine.pcpus[pcpu]!);
    settle(xen);
  }
  return undefined;
}

/** `xl cpupool-cpu-remove`: never pCPU 0 from Pool-0, nor the last one from a pool with domains. */
export function removePcpus({ xen }: Tools, pool: Cpupool, pcpus: readonly number[]): Refusal {
  for (const pcpu of pcpus) {
    if (!pool.valid.has(pcpu)) return `pCPU ${pcpu} is not in ${pool.name}`;
    if (pcpu === 0 && pool === xen.pools[0]) return `pCPU 0 stays in ${pool.name}`;
    if (pool.valid.weight() === 1 && domainsOf(xen, pool).length > 0) {
      return `pCPU ${pcpu} is the last one of ${pool.name}, which has domains`;
    }
    removePcpu(xen, pool, xen.machine.pcpus[pcpu]!);
    settle(xen);
  }
  return undefined;
}

/** `xl cpupool-migrate` */
export function migrateDomain(xen: Hypervisor, domain: Domain, pool: Cpupool): Refusal {
  if (domain.pool === pool) return undefined;
  if (pool.valid.isEmpty()) return `cpupool ${pool.name} has no pCPUs`;
  leaveBefore(xen, domain);
  moveDomain(xen, domain, pool);
  return undefined;
}

function firstTaken(xen: Hypervisor, pcpus: readonly number[]): number | undefined {
  return pcpus.find((pcpu) => xen.machine.pcpus[pcpu]!.scheduler !== undefined);
}

/** Between two hypercalls what was asked for happens. */
function settle(xen: Hypervisor): void {
  xen.drainSoftirqs();
  xen.machine.cpu = 0;
}
