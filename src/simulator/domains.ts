import { assert } from '../base/assert.ts';
import type {
  DomainSettings,
  DomainSpec,
  Scenario,
  ServerParameters,
  VcpuSpec,
} from '../scenario/scenario.ts';
import { Cpumask } from './cpumask.ts';
import type { Cpupool } from './cpupool.ts';
import { moveDomain } from './cpupools.ts';
import type { Hypervisor } from './hypervisor.ts';
import { joinMaster } from './scheduling-domains.ts';
import {
  TRC_DOM0_DOM_ADD,
  TRC_DOM0_DOM_REM,
  TRC_SCHED_ADJDOM,
  TRC_SCHED_DOM_ADD,
  TRC_SCHED_DOM_REM,
} from './trace-events.ts';
import { Domain, Vcpu, VPF_BLOCKED } from './vcpu.ts';

/**
 * Creates the domains in the scenario's order, in the context of pCPU 0's idle vCPU: the domain, its vCPUs,
 * which the scheduler places, their affinities, the parameters, as libxl does. All vCPUs are blocked until
 * their guests wake them.
 */
export function createDomains(xen: Hypervisor, scenario: Scenario, pool: Cpupool): void {
  const later = new Set<number>();
  for (const { command } of scenario.actions ?? []) if (command?.kind === 'create') later.add(command.dom);
  for (const spec of scenario.domains) {
    if (later.has(spec.id)) continue;
    xen.machine.cpu = 0;
    createDomain(xen, spec, xen.pools.find(({ name }) => name === spec.cpupool) ?? pool, false);
  }
  for (const { id, schedulingDomain } of scenario.domains) {
    const domain = xen.domains.find((one) => one.id === id);
    if (domain !== undefined && schedulingDomain !== undefined) joinMaster(xen, domain, schedulingDomain);
  }
}

/**
 * One domain, with all that the scenario says about it. One that is made while the host runs is paused
 * meanwhile, as each is on a real host.
 */
export function createDomain(xen: Hypervisor, spec: DomainSpec, pool: Cpupool, isPaused: boolean): Domain {
  const domain = allocDomain(xen, spec, pool, isPaused);
  for (const [id, vcpuSpec] of spec.vcpus.entries()) setAffinities(xen, domain.vcpus[id]!, vcpuSpec);
  if (isPaused) setParameters(xen, domain, spec);
  else if (hasParameters(spec, pool)) xen.adjustDomain(domain, spec);
  for (const [id, vcpuSpec] of spec.vcpus.entries()) {
    const server = serverOf(vcpuSpec, spec, pool);
    if (server !== undefined) xen.adjustVcpu(domain.vcpus[id]!, server);
  }
  for (const settings of spec.adjust ?? []) applySettings(xen, domain, settings);
  if (isPaused) xen.unpauseDomain(domain);
  drainFor(xen);
  return domain;
}

/** Whether the toolstack has anything to tell its scheduler. */
function hasParameters(spec: DomainSpec, { scheduler }: Cpupool): boolean {
  const { weight, cap, sedf, maxBoostPeriodMs, boostRatio } = spec;
  if (scheduler.name === 'sedf') return (sedf ?? weight) !== undefined;
  return (weight ?? cap ?? maxBoostPeriodMs ?? boostRatio) !== undefined;
}

/** One hypercall that reads the parameters of a domain, or asks for others. */
function applySettings(xen: Hypervisor, domain: Domain, settings: DomainSettings): void {
  if (settings.isInquiry) xen.inquireDomain(domain);
  else xen.adjustDomain(domain, settings);
}

/** The server that a scenario gives a vCPU. What is meant for RTDS does for RT-Xen, and the other way round. */
function serverOf(
  { rtds, server }: VcpuSpec,
  { extratime }: DomainSpec,
  { scheduler }: Cpupool,
): ServerParameters | undefined {
  if (scheduler.name === 'rtds') return rtds ?? server;
  const given = server ?? rtds;
  return extratime === undefined ? given : { ...given, extratime };
}

/** libxl reads the parameters and writes them back, also when none is given; each leaves a record. */
function setParameters(xen: Hypervisor, domain: Domain, spec: DomainSpec): void {
  const { scheduler } = domain.pool!;
  // The others have no parameters of domains.
  if (scheduler.adjustDomain === undefined && scheduler.adjustVcpu === undefined) return;
  xen.inquireDomain(domain);
  if (scheduler.adjustDomain !== undefined) xen.adjustDomain(domain, spec);
  else xen.machine.tracer.record1(TRC_SCHED_ADJDOM, domain.id);
}

/**
 * Ends a domain (domain_kill, complete_domain_destroy). Its vCPUs go one after the other, the last one first.
 */
export function destroyDomain(xen: Hypervisor, domain: Domain): void {
  const { tracer } = xen.machine;
  xen.pauseDomain(domain);
  if (domain.pool !== xen.pools[0]) moveDomain(xen, domain, xen.pools[0]!);
  tracer.record1(TRC_DOM0_DOM_REM, domain.id);
  xen.domains.splice(xen.domains.indexOf(domain), 1);
  const { scheduler } = domain.pool!;
  for (const vcpu of domain.vcpus.toReversed()) {
    scheduler.removeVcpu(vcpu);
    scheduler.freeVcpu?.(vcpu);
    xen.forgetVcpu(vcpu);
  }
  if (xen.version.core.records.removesDomains) tracer.record1(TRC_SCHED_DOM_REM, domain.id);
  scheduler.freeDomain?.(domain);
}

function allocDomain(xen: Hypervisor, spec: DomainSpec, pool: Cpupool, isPaused: boolean): Domain {
  assert(
    xen.domains.every(({ id }) => id !== spec.id),
    `domain ${spec.id} exists already`,
  );
  const { tracer } = xen.machine;
  const domain = new Domain(spec.id, pool);
  if (isPaused) domain.pauseCount = 1;
  xen.domains.push(domain);
  tracer.record1(TRC_DOM0_DOM_ADD, domain.id);
  if (!xen.version.core.records.addsVcpus) tracer.record1(TRC_SCHED_DOM_ADD, domain.id);
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
  vcpu.createdNs = xen.machine.nowNs;
  vcpu.runstateEntryNs = vcpu.createdNs;
  pool.scheduler.allocVcpu(vcpu);
  domain.vcpus.push(vcpu);
  const all = Cpumask.all(size);
  xen.applyAffinity(vcpu, all, all);
  if (xen.version.core.records.addsVcpus) xen.machine.tracer.record2(TRC_SCHED_DOM_ADD, domain.id, id);
  pool.scheduler.insertVcpu(vcpu);
}

/**
 * default_vcpu0_location() of older versions: the pCPU with the fewest vCPUs, the highest of several. Of
 * the core of pCPU 0 only one thread counts, the second if there is one, and of other cores never the first
 * if there are two. Xen takes that of the core of pCPU 0 even if it is in another pool, and then follows a null
 * pointer; here nobody leaves the pool.
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
  const ofCore0 = second < topology.pcpus ? second : first;
  let best = pool.valid.has(ofCore0) ? ofCore0 : -1;
  for (let pcpu = left.first(); pcpu < left.size; pcpu = left.next(pcpu)) {
    const siblings = topology.siblings[pcpu]!;
    if (pcpu === siblings.first() && siblings.next(pcpu) < left.size) continue;
    left.andNot(left, siblings);
    if (best < 0 || counts[pcpu]! <= counts[best]!) best = pcpu;
  }
  return best < 0 ? pool.valid.first() : best;
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
