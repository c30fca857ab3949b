import type { SimulationHooks } from '../hooks.ts';
import type { Machine } from '../machine.ts';
import { TRC_TASK_COMPLETE, TRC_TASK_RELEASE, TRC_TASK_START } from '../trace-events.ts';
import type { Vcpu } from '../vcpu.ts';

/** One job of a periodic or sporadic workload. */
export interface Job {
  /** From 0 for each task. */
  readonly number: number;
  readonly burstNs: number;
  /** Whether it has had CPU time. */
  started: boolean;
}

/**
 * The records that guests make of their jobs. A task has a number within its domain; where a vCPU's workload
 * is its only task, that is the vCPU's. A record goes to the trace of the pCPU in whose context it is made.
 */
export class JobRecords {
  readonly #machine: Machine;
  readonly #hooks: SimulationHooks;
  readonly #traced: boolean;

  constructor(machine: Machine, hooks: SimulationHooks, traced: boolean) {
    this.#machine = machine;
    this.#hooks = hooks;
    this.#traced = traced;
  }

  /** A job is there. `deadlineNs` counts from its arrival, which was `lateNs` ago; 0 is none. */
  released(dom: number, task: number, job: number, deadlineNs: number, lateNs = 0): void {
    const { nowNs } = this.#machine;
    const dueNs = deadlineNs === 0 ? Infinity : nowNs - lateNs + deadlineNs;
    this.#hooks.onJobRelease?.(nowNs, dom, task, job, dueNs);
  }

  /** The guest notices a job, on this vCPU, so long after its arrival. */
  noticed({ packedId }: Vcpu, task: number, job: number, deadlineNs: number, lateNs = 0): void {
    const { tracer } = this.#machine;
    if (this.#traced) tracer.releaseRecord(TRC_TASK_RELEASE, packedId, task, job, deadlineNs, lateNs);
  }

  started({ packedId }: Vcpu, task: number, job: number): void {
    if (this.#traced) this.#machine.tracer.jobRecord(TRC_TASK_START, packedId, task, job);
  }

  completed({ packedId, domain }: Vcpu, task: number, job: number): void {
    const { nowNs, tracer } = this.#machine;
    this.#hooks.onJobComplete?.(nowNs, domain.id, task, job);
    if (this.#traced) tracer.jobRecord(TRC_TASK_COMPLETE, packedId, task, job);
  }
}
