import type { SimulationHooks } from '../hooks.ts';
import type { Machine } from '../machine.ts';
import { TRC_TASK_COMPLETE, TRC_TASK_RELEASE, TRC_TASK_START } from '../trace-events.ts';
import type { Vcpu } from '../vcpu.ts';

/** One job of a periodic or sporadic task. */
export interface Job {
  /** From 0 for each task. */
  readonly number: number;
  readonly burstNs: number;
  /** Whether it has had CPU time. */
  started: boolean;
}

/**
 * The records that guests make of their jobs. A task is a vCPU; its number within the domain is the vCPU's. A
 * record goes to the trace of the pCPU where the guest is, or was when the job is released.
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

  /** Simulated guests notice a release at once, so it is never late. `deadlineNs` counts from the release. */
  released({ packedId, domain, id }: Vcpu, job: Job, deadlineNs: number): void {
    const { nowNs, tracer } = this.#machine;
    this.#hooks.onJobRelease?.(nowNs, domain.id, id, job.number, nowNs + deadlineNs);
    if (this.#traced) tracer.releaseRecord(TRC_TASK_RELEASE, packedId, id, job.number, deadlineNs, 0);
  }

  started({ packedId, id }: Vcpu, job: Job): void {
    if (this.#traced) this.#machine.tracer.jobRecord(TRC_TASK_START, packedId, id, job.number);
  }

  completed({ packedId, domain, id }: Vcpu, job: Job): void {
    const { nowNs, tracer } = this.#machine;
    this.#hooks.onJobComplete?.(nowNs, domain.id, id, job.number);
    if (this.#traced) tracer.jobRecord(TRC_TASK_COMPLETE, packedId, id, job.number);
  }
}
