import type { Command } from '../../scenario/scenario.ts';
import type { Cpupool } from '../cpupool.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { TRC_SCHED_ADJDOM } from '../trace-events.ts';
import type { Domain } from '../vcpu.ts';
import { type Refusal, vcpusOf } from './tools.ts';

type DomainCommand = Extract<Command, { kind: 'sched-domain' }>;
type SedfCommand = Extract<Command, { kind: 'sched-sedf' }>;
type VcpuCommand = Extract<Command, { kind: 'sched-vcpu' }>;
type ServerCommand = Extract<Command, { kind: 'sched-server' }>;
type DomctlCommand = Extract<Command, { kind: 'sched-domctl' }>;
type PoolCommand = Extract<Command, { kind: 'sched-pool' }>;

/** The hypercalls alone. After a setting the parameters are read back. */
export function setByDomctl(xen: Hypervisor, domain: Domain, { settings }: DomctlCommand): Refusal {
  if (!settings.isInquiry) {
    if (!xen.adjustDomain(domain, settings)) return 'Xen refuses these parameters';
    endHypercall(xen);
  }
  xen.inquireDomain(domain);
  return undefined;
}

/**
 * `xm sched-bcredit -d`: what Xen takes of it, since Xen passes over the rest without a word. Without any
 * parameter they are read.
 */
function adjustBoosted(xen: Hypervisor, domain: Domain, command: DomainCommand): Refusal {
  const { weight, cap, maxBoostPeriodMs, boostRatio } = command;
  const isGiven = [weight, cap, maxBoostPeriodMs, boostRatio].some((value) => value !== undefined);
  if (isGiven) xen.adjustDomain(domain, command);
  else xen.inquireDomain(domain);
  return undefined;
}

/**
 * `xl sched-credit -d` and its like: reads a domain's parameters, changes what is given and writes them back.
 * Xen makes a record of the reading as well (sched_adjust).
 */
export function adjustDomain(xen: Hypervisor, domain: Domain, command: DomainCommand): Refusal {
  const { scheduler } = domain.pool!;
  const { weight, cap } = command;
  if (scheduler.name !== command.scheduler) return isScheduledBy(domain, scheduler.name);
  const isTooMuch = cap !== undefined && cap > domain.vcpus.length * 100;
  const tooMuch = `a cap of ${cap} is too much for its vCPUs`;
  if (scheduler.name === 'bcredit') return isTooMuch ? tooMuch : adjustBoosted(xen, domain, command);
  readFirst(xen, domain);
  if (isTooMuch) return tooMuch;
  return xen.adjustDomain(domain, { weight, cap }) ? undefined : 'Xen refuses these parameters';
}

/** Reads the parameters of a domain that are then set: until 4.1 even that pauses it. */
function readFirst(xen: Hypervisor, domain: Domain): void {
  xen.inquireDomain(domain);
  endHypercall(xen);
}

/** Others may run before the next hypercall comes. */
function endHypercall(xen: Hypervisor): void {
  xen.drainSoftirqs();
  xen.machine.cpu = 0;
}

/** `xl sched-sedf -d`, likewise. */
export function adjustSedf(xen: Hypervisor, domain: Domain, { sedf }: SedfCommand): Refusal {
  const { scheduler } = domain.pool!;
  if (scheduler.name !== 'sedf') return isScheduledBy(domain, scheduler.name);
  readFirst(xen, domain);
  return xen.adjustDomain(domain, { sedf }) ? undefined : 'Xen refuses these parameters';
}

/** `xl sched-rtds -d -v`: one hypercall for all of them. Until 4.6 it is of the domain, which is read before. */
export function adjustVcpus(xen: Hypervisor, domain: Domain, command: VcpuCommand): Refusal {
  const { scheduler } = domain.pool!;
  if (scheduler.name !== 'rtds') return isScheduledBy(domain, scheduler.name);
  const vcpus = vcpusOf(domain, command.vcpu);
  if (vcpus.length === 0) return `domain ${domain.id} has no vCPU ${command.vcpu}`;
  if (xen.version.rtds.timeDriven !== undefined) readFirst(xen, domain);
  for (const vcpu of vcpus) {
    if (scheduler.adjustVcpu?.(vcpu, command) !== false) continue;
    const least = xen.version.rtds.budgetMinNs / 1000;
    return `a budget is at least ${least} us and at most the period`;
  }
  xen.machine.tracer.record1(TRC_SCHED_ADJDOM, domain.id);
  return undefined;
}

/** `xl sched-rtxen -d` and its like: reads the parameters, and sets those of one vCPU after the other. */
export function adjustServers(xen: Hypervisor, domain: Domain, command: ServerCommand): Refusal {
  const { scheduler } = domain.pool!;
  if (scheduler.name !== command.scheduler) return isScheduledBy(domain, scheduler.name);
  const vcpus = vcpusOf(domain, command.vcpu);
  if (vcpus.length === 0) return `domain ${domain.id} has no vCPU ${command.vcpu}`;
  readFirst(xen, domain);
  for (const vcpu of vcpus)
    if (!xen.adjustVcpu(vcpu, command.server)) return 'a budget is at most the period';
  return undefined;
}

/** `xl sched-credit -s` and its like, which leave no record. */
export function adjustPool({ name, scheduler }: Cpupool, command: PoolCommand): Refusal {
  if (scheduler.name !== command.scheduler) return `the scheduler of ${name} is ${scheduler.name}`;
  return scheduler.adjustPool?.(command) ? undefined : 'Xen refuses these parameters';
}

function isScheduledBy({ id }: Domain, scheduler: string): string {
  return `domain ${id} is scheduled by ${scheduler}`;
}
