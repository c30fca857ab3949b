import { FLOAT_ZERO } from '../../base/zero.ts';
import type { Vcpu } from '../vcpu.ts';
import type { Job } from './jobs.ts';
import type { Workload } from './workloads.ts';

/**
 * What runs inside one vCPU: how much of its CPU time is left until it does something that the hypervisor
 * sees.
 */
export class Guest {
  readonly vcpu: Vcpu;
  readonly workload: Workload;
  readonly yieldEveryNs: number;
  /** CPU time left of the present burst; Infinity never ends, 0 is idle. */
  remainingNs = FLOAT_ZERO;
  /** CPU time left until it yields; Infinity never. */
  yieldLeftNs: number;
  /** CPU time consumed in all, up to `runFromNs`. */
  consumedNs = FLOAT_ZERO;
  /**
   * While it is current: from when on its CPU time counts, which is later than the switch if switches cost
   * time.
   */
  runFromNs = FLOAT_ZERO;
  /** Where its vCPU is current; -1 is nowhere. */
  pcpu = -1;
  /** The job that the burst serves, if the workload has jobs. */
  job: Job | undefined;

  constructor(vcpu: Vcpu, workload: Workload, yieldEveryNs: number) {
    this.vcpu = vcpu;
    this.workload = workload;
    this.yieldEveryNs = yieldEveryNs > 0 ? yieldEveryNs : Infinity;
    this.yieldLeftNs = this.yieldEveryNs;
  }

  /** Charges the CPU time since `runFromNs`: none if the switch was not over yet. */
  charge(nowNs: number): void {
    const consumed = nowNs - this.runFromNs;
    if (consumed <= 0) return;
    this.consumedNs += consumed;
    this.remainingNs -= consumed;
    this.yieldLeftNs -= consumed;
    this.runFromNs = nowNs;
  }
}
