import { createDomain, destroyDomain } from '../domains.ts';
import { joinMaster, leaveBefore, whyNoMaster } from '../scheduling-domains.ts';
import type { Domain } from '../vcpu.ts';
import type { Refusal, Tools } from './tools.ts';

/** `xl create`: the domain that the scenario describes under this id. */
export function create({ xen, scenario, guests }: Tools, id: number): Refusal {
  if (xen.domains.some((domain) => domain.id === id)) return `there is a domain ${id} already`;
  const spec = scenario.domains.find((domain) => domain.id === id)!;
  const { cpupool = xen.pools[0]!.name } = spec;
  const pool = xen.pools.find(({ name }) => name === cpupool);
  if (pool === undefined) return `there is no cpupool ${cpupool}`;
  if (pool.valid.isEmpty()) return `cpupool ${cpupool} has no pCPUs`;
  for (const { hardAffinity } of spec.vcpus) {
    if (hardAffinity?.some((pcpu) => pool.valid.has(pcpu)) === false) {
      return `an affinity names no pCPU of ${cpupool}`;
    }
  }
  const { schedulingDomain: master } = spec;
  const whyNot = master === undefined ? undefined : whyNoMaster(xen, pool, master);
  if (whyNot !== undefined) return whyNot;
  const domain = createDomain(xen, spec, pool, true);
  guests.adopt(domain);
  if (master !== undefined) joinMaster(xen, domain, master);
  return undefined;
}

/** `xl destroy`: pauses the domain, and then ends it. */
export function destroy({ xen, guests }: Tools, domain: Domain): Refusal {
  leaveBefore(xen, domain);
  xen.pauseDomain(domain);
  guests.forget(domain);
  destroyDomain(xen, domain);
  return undefined;
}
