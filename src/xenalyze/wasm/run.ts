import { Pcpu, Run } from './structs.ts';
import { PCPU_BYTES, PCPUS, RUN } from './walk-layout.ts';

/** The run as a whole. */
export const run = changetype<Run>(RUN);

/** What there is of a pCPU, whether it was seen or not. */
export function pcpuAt(number: i32): Pcpu {
  return changetype<Pcpu>(PCPUS + number * PCPU_BYTES);
}

/** Its number, whether it was seen or not. */
export function numberOf(p: Pcpu): i32 {
  return (changetype<u32>(p) - PCPUS) / PCPU_BYTES;
}
