import type { Command } from '../../scenario/scenario.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { LEAVE_DESTROYED, LEAVE_REMOVED } from '../scheduler.ts';
import { joinDomain, leaveMaster } from '../scheduling-domains.ts';
import type { Domain } from '../vcpu.ts';
import type { Refusal } from './tools.ts';

type NemesisCommand = Extract<Command, { kind: 'nemesis' }>;

/** `nemesis add`, `remove` and `destroy` of scheduling domains. `domain` is the master. */
export function nemesis(xen: Hypervisor, domain: Domain, { action, member: id }: NemesisCommand): Refusal {
  const { schedulingDomains } = domain.pool!.scheduler;
  if (schedulingDomains === undefined) return `${domain.pool!.scheduler.name} has no scheduling domains`;
  const members = schedulingDomains.membersOf(domain);
  if (action === 'destroy') {
    if (members.length === 0) return `domain ${domain.id} is no master`;
    for (const member of members) leaveMaster(xen, member, LEAVE_DESTROYED);
    return undefined;
  }
  const member = xen.domains.find((one) => one.id === id);
  if (member === undefined) return `there is no domain ${id}`;
  if (action === 'add') return joinDomain(xen, domain, member);
  if (!members.includes(member)) return `domain ${id} does not share the time slices of domain ${domain.id}`;
  leaveMaster(xen, member, LEAVE_REMOVED);
  return undefined;
}
