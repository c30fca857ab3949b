import type { Cpupool } from './cpupool.ts';
import type { Hypervisor } from './hypervisor.ts';
import { LEAVE_MASTER_GONE, LEAVE_MEMBER_GONE, type LeaveReason } from './scheduler.ts';
import type { Domain } from './vcpu.ts';

/** `member` shares the time slices of `master` from now on. Answers why not, or undefined. */
export function joinDomain(xen: Hypervisor, master: Domain, member: Domain): string | undefined {
  const { scheduler, name } = master.pool!;
  const { schedulingDomains } = scheduler;
  if (schedulingDomains === undefined) return `${scheduler.name} has no scheduling domains`;
  if (master === member) return `domain ${master.id} cannot share its own time slices`;
  if (member.pool !== master.pool) return `domain ${member.id} is not in ${name}`;
  for (const one of [master, member]) {
    const other = schedulingDomains.masterOf(one);
    if (other !== undefined) return `domain ${one.id} shares the time slices of domain ${other.id}`;
  }
  if (schedulingDomains.membersOf(member).length > 0) return `domain ${member.id} is a master`;
  whilePaused(xen, [master, ...schedulingDomains.membersOf(master), member], () => {
    schedulingDomains.join(master, member);
  });
  return undefined;
}

/** Before a domain goes, or moves to another pool: it leaves, or all leave whose master it is. */
export function leaveBefore(xen: Hypervisor, domain: Domain): void {
  const { schedulingDomains } = domain.pool!.scheduler;
  if (schedulingDomains === undefined) return;
  for (const member of schedulingDomains.membersOf(domain)) leaveMaster(xen, member, LEAVE_MASTER_GONE);
  if (schedulingDomains.masterOf(domain) !== undefined) leaveMaster(xen, domain, LEAVE_MEMBER_GONE);
}

/** `member` has time slices of its own again. */
export function leaveMaster(xen: Hypervisor, member: Domain, reason: LeaveReason): void {
  const { schedulingDomains } = member.pool!.scheduler;
  const master = schedulingDomains!.masterOf(member)!;
  whilePaused(xen, [master, ...schedulingDomains!.membersOf(master)], () => {
    schedulingDomains!.leave(member, reason);
  });
}

/**
 * Why a domain that is to be created in `pool` cannot share the time slices of domain `id`, or undefined. Where there
 * are no scheduling domains it just does not.
 */
export function whyNoMaster(xen: Hypervisor, pool: Cpupool, id: number): string | undefined {
  const { schedulingDomains } = pool.scheduler;
  if (schedulingDomains === undefined) return undefined;
  const master = xen.domains.find((one) => one.id === id);
  if (master === undefined) return `there is no domain ${id}`;
  if (master.pool !== pool) return `domain ${id} is not in ${pool.name}`;
  const other = schedulingDomains.masterOf(master);
  return other && `domain ${id} shares the time slices of domain ${other.id}`;
}

/** Puts a new domain into the scheduling domain of domain `id`, if that can be. */
export function joinMaster(xen: Hypervisor, domain: Domain, id: number): void {
  const master = xen.domains.find((one) => one.id === id);
  if (master !== undefined) joinDomain(xen, master, domain);
}

/** Nobody whom it concerns runs or waits in a queue while a group changes. */
function whilePaused(xen: Hypervisor, domains: readonly Domain[], change: () => void): void {
  for (const domain of domains) xen.pauseDomain(domain);
  change();
  for (const domain of domains) xen.unpauseDomain(domain);
  xen.drainSoftirqs();
  xen.machine.cpu = 0;
}
