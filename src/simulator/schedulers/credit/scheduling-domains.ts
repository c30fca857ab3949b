import { assert } from '../../../base/assert.ts';
import type { LeaveReason, SchedulingDomains } from '../../scheduler.ts';
import { TRC_SDOM_JOIN, TRC_SDOM_LEAVE } from '../../trace-events.ts';
import type { Domain, Vcpu } from '../../vcpu.ts';
import { stopAccounting, unpark } from './accounting.ts';
import { isQueued } from './run-queue.ts';
import { type CreditSystem, CreditVcpu, creditOfDomain, creditOfVcpu } from './state.ts';

/**
 * Scheduling domains on credit: the vCPUs of members take turns with those of the master in the master's time
 * slices. To credit there are the master's vCPUs only, with the master's weight and cap.
 * Source: Mike D. Day, '"nemesis" scheduling domains for Xen', xen-devel, May 2007.
 */
export class CreditSchedulingDomains implements SchedulingDomains {
  readonly #system: CreditSystem;

  constructor(system: CreditSystem) {
    this.#system = system;
  }

  masterOf(domain: Domain): Domain | undefined {
    return creditOfDomain(domain).master?.domain;
  }

  membersOf(domain: Domain): readonly Domain[] {
    return creditOfDomain(domain).members.map((member) => member.domain);
  }

  /**
   * The member's vCPU n takes turns with the master's vCPU n; if that has fewer, it begins again with the
   * first.
   */
  join(master: Domain, member: Domain): void {
    const leader = creditOfDomain(master);
    const follower = creditOfDomain(member);
    assert(leader.master === undefined && leader !== follower, `${master.id} is a member itself`);
    assert(follower.master === undefined && follower.members.length === 0, `${member.id} is in a group`);
    follower.master = leader;
    leader.members.push(follower);
    for (const [i, vcpu] of member.vcpus.entries()) {
      this.#share(creditOfVcpu(master.vcpus[i % master.vcpus.length]!), vcpu);
    }
    this.#system.xen.machine.tracer.ownRecord(TRC_SDOM_JOIN, master.id, member.id);
  }

  /** It goes on as a new domain does, without credit, with the weight and the cap that it has. */
  leave(member: Domain, reason: LeaveReason): void {
    const follower = creditOfDomain(member);
    const leader = follower.master;
    assert(leader !== undefined, `${member.id} is in no group`);
    follower.master = undefined;
    leader.members.splice(leader.members.indexOf(follower), 1);
    for (const vcpu of member.vcpus) this.#part(vcpu);
    this.#system.xen.machine.tracer.ownRecord(TRC_SDOM_LEAVE, leader.domain.id, member.id, reason);
  }

  /** From now on `vcpu` is one of those that run in these time slices; credit does not see it any more. */
  #share(shared: CreditVcpu, vcpu: Vcpu): void {
    const own = creditOfVcpu(vcpu);
    assert(!isQueued(own) && !isQueued(shared), `${vcpu} is not at rest`);
    unpark(this.#system, own);
    if (!own.active.isAlone) stopAccounting(this.#system, own);
    vcpu.schedulerData = shared;
    shared.vcpus.push(vcpu);
    shared.pinned = false;
    if (shared.parked) this.#system.xen.pause(vcpu);
  }

  #part(vcpu: Vcpu): void {
    const shared = creditOfVcpu(vcpu);
    assert(!isQueued(shared), `${vcpu} is not at rest`);
    const { vcpus } = shared;
    vcpus.splice(vcpus.indexOf(vcpu), 1);
    const first = vcpus[0]!;
    if (shared.vcpu === vcpu) shared.vcpu = first;
    shared.pinned = vcpus.length === 1 && first.hardAffinity.weight() === 1;
    const own = new CreditVcpu(vcpu, creditOfDomain(vcpu.domain));
    own.pinned = vcpu.hardAffinity.weight() === 1;
    vcpu.schedulerData = own;
    if (shared.parked) this.#system.xen.unpause(vcpu);
  }
}
