/**
 * How long vCPUs stay on pCPUs. As in xenalyze, a stay counts for the pCPU that the vCPU goes to.
 * @module
 */
import { add, take } from './samples.ts';
import { ALL_PCPUS, Stays, Subject } from './tallies.ts';

/** A vCPU comes to a pCPU: its stay where it was before, if that is known, ends. */
export function countStay(vcpu: Subject, pcpu: i32, tsc: i64, never: i64): void {
  const start = vcpu.stayStart;
  vcpu.stayStart = tsc;
  if (start === never || start === tsc) return;
  addStay(vcpu, ALL_PCPUS, tsc - start);
  addStay(vcpu, pcpu, tsc - start);
}

function addStay(vcpu: Subject, pcpu: i32, cycles: i64): void {
  const stays = staysOf(vcpu, pcpu);
  if (stays !== null) add(stays, cycles);
}

/** The stays that count for a pCPU, in ascending order; null where there is no memory for them. */
function staysOf(vcpu: Subject, pcpu: i32): Stays | null {
  let before: Stays | null = null;
  let stays = vcpu.stays;
  while (stays !== null && stays.pcpu < pcpu) {
    before = stays;
    stays = stays.next;
  }
  if (stays !== null && stays.pcpu === pcpu) return stays;
  const address = take(offsetof<Stays>());
  if (address === 0) return null;
  const added = changetype<Stays>(address);
  added.pcpu = pcpu;
  added.next = stays;
  if (before === null) vcpu.stays = added;
  else before.next = added;
  return added;
}
