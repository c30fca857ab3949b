import type { Cpumask } from './cpumask.ts';
import type { Scheduler } from './scheduler.ts';

/** The pool that every host has, with pCPU 0 in it. */
export const FIRST_CPUPOOL = 'Pool-0';

/** pCPUs that one scheduler serves (struct cpupool). */
export interface Cpupool {
  readonly id: number;
  readonly name: string;
  readonly scheduler: Scheduler;
  /** The pool's pCPUs (cpu_valid and res_valid, which are the same at a granularity of one vCPU). */
  readonly valid: Cpumask;
}
