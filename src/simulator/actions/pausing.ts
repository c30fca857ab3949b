import type { Hypervisor } from '../hypervisor.ts';
import type { Domain } from '../vcpu.ts';
import type { Refusal } from './tools.ts';

/** `xl pause` (domain_pause_by_systemcontroller). A second one is taken back where they do not count. */
export function pause(xen: Hypervisor, domain: Domain): Refusal {
  const wasPaused = domain.pauseCount > 0;
  xen.pauseDomain(domain);
  if (wasPaused && !xen.version.core.countsPauses) xen.unpauseDomain(domain);
  return undefined;
}

/** `xl unpause`: undoes one `xl pause`, or all of them where they do not count. */
export function unpause(xen: Hypervisor, domain: Domain): Refusal {
  if (domain.pauseCount === 0) return `domain ${domain.id} is not paused`;
  xen.unpauseDomain(domain);
  return undefined;
}

/**
 * `xl vcpu-set`: the guest, which is told, takes vCPUs offline from the last one down, or brings them back, each
 * on the pCPU where it is (VCPUOP_down, VCPUOP_up). A simulated guest does so at once; what it has to do on a
 * vCPU waits until that is back.
 */
export function setVcpus(xen: Hypervisor, domain: Domain, count: number): Refusal {
  const { vcpus } = domain;
  if (count > vcpus.length) return `domain ${domain.id} has ${vcpus.length} vCPUs only`;
  const change = [
    ...vcpus.slice(0, count).filter(({ isOnline }) => !isOnline),
    ...vcpus
      .slice(count)
      .filter(({ isOnline }) => isOnline)
      .reverse(),
  ];
  for (const vcpu of change) {
    xen.machine.cpu = vcpu.processor;
    xen.setOnline(vcpu, !vcpu.isOnline);
    xen.drainSoftirqs();
  }
  return undefined;
}
