import type { Cpumask } from './cpumask.ts';
import type { Vcpu } from './vcpu.ts';

/**
 * The two steps in which schedulers look for a pCPU: first where a vCPU prefers to run, then where it may
 * (BALANCE_SOFT_AFFINITY, BALANCE_HARD_AFFINITY of Xen's private.h).
 */
export const BALANCE_SOFT_AFFINITY = 0;
export const BALANCE_HARD_AFFINITY = 1;

/** Whether soft affinity makes a difference for it within its pool (has_soft_affinity). */
export function hasSoftAffinity(vcpu: Vcpu): boolean {
  return vcpu.softAffinityEffective && !vcpu.domain.pool!.valid.isSubsetOf(vcpu.softAffinity);
}

/** Puts the pCPUs to consider in `step` into `mask` (affinity_balance_cpumask). */
export function affinityOfStep(vcpu: Vcpu, step: number, mask: Cpumask): void {
  if (step === BALANCE_SOFT_AFFINITY) {
    mask.and(vcpu.softAffinity, vcpu.hardAffinity);
    if (!mask.isEmpty()) return;
  }
  mask.copy(vcpu.hardAffinity);
}
