import type { Cpumask } from './cpumask.ts';
import type { Scheduler } from './scheduler.ts';

/** pCPUs that one scheduler serves. There is one pool now, holding all pCPUs. */
export interface Cpupool {
  readonly id: number;
  readonly scheduler: Scheduler;
  /** The pool's pCPUs (cpu_valid and res_valid, which are the same at a granularity of one vCPU). */
  readonly valid: Cpumask;
}
