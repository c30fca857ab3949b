import type { Vcpu } from '../../vcpu.ts';
import type { CreditVcpu } from './state.ts';

/**
 * Names the next in turn: the first after the last one that can run on the pCPU where these time slices are.
 * Answers false, and names nobody else, if there is none.
 */
export function passTurn(credit: CreditVcpu): boolean {
  const { vcpus, vcpu, lastTurn } = credit;
  const count = vcpus.length;
  // Most vCPUs are alone in their time slices.
  if (count === 1) return vcpu.isRunnable;
  const last = vcpus.indexOf(lastTurn);
  for (let step = 1; step <= count; step += 1) {
    const next = vcpus[(last + step) % count]!;
    if (!next.isRunnable || !mayRunOn(next, vcpu.processor)) continue;
    nameNext(credit, next);
    return true;
  }
  return false;
}

/** Not on a pCPU either that is about to leave the pool. */
function mayRunOn({ hardAffinity, domain }: Vcpu, pcpu: number): boolean {
  return hardAffinity.has(pcpu) && domain.pool!.valid.has(pcpu);
}

/** It is next: where these time slices were if it may run there, else where it is. */
export function nameNext(credit: CreditVcpu, next: Vcpu): void {
  const { processor } = credit.vcpu;
  if (mayRunOn(next, processor)) next.processor = processor;
  credit.vcpu = next;
}

/** A time slice begins: whose turn it is. Answers false if nobody can run after all. */
export function takeTurn(credit: CreditVcpu): boolean {
  if (credit.vcpus.length > 1) passTurn(credit);
  if (!credit.vcpu.checkRunnable()) return false;
  credit.lastTurn = credit.vcpu;
  return true;
}
