import type { Command } from '../../scenario/scenario.ts';
import { Cpumask } from '../cpumask.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Domain } from '../vcpu.ts';
import { type Refusal, vcpusOf } from './tools.ts';

/**
 * `xl vcpu-pin`: new affinities, vCPU by vCPU, hard before soft; each places the vCPU anew
 * (vcpu_affinity_domctl). A hard affinity without a pCPU of the pool is refused, and then the rest is not done.
 */
export function pinVcpus(
  xen: Hypervisor,
  domain: Domain,
  { vcpu: id, hard, soft }: Extract<Command, { kind: 'vcpu-pin' }>,
): Refusal {
  const { valid, name } = domain.pool!;
  const vcpus = vcpusOf(domain, id);
  if (vcpus.length === 0) return `domain ${domain.id} has no vCPU ${id}`;
  const masks = [hard, soft].map((pcpus) => pcpus && Cpumask.of(valid.size, pcpus));
  const [hardMask, softMask] = masks;
  if (hardMask !== undefined && !hardMask.intersects(valid)) return `none of these pCPUs is in ${name}`;
  for (const vcpu of vcpus) {
    for (const [hardOne, softOne] of [
      [hardMask, undefined],
      [undefined, softMask],
    ]) {
      if (hardOne === undefined && softOne === undefined) continue;
      xen.setAffinity(vcpu, hardOne, softOne);
      xen.drainSoftirqs();
      xen.machine.cpu = 0;
    }
  }
  return undefined;
}
