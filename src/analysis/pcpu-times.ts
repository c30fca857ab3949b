import { DOM_IDLE, RUNNING, type RunstateBatch } from '../timeline/index.ts';

export interface PcpuTime {
  busyNs: number;
  idleNs: number;
  /** Times that a vCPU, the idle one included, was seen to begin to run there. */
  switches: number;
}

/** Busy and idle time of each pCPU, from who ran where. */
export class PcpuTimes {
  readonly #pcpus: (PcpuTime | undefined)[] = [];

  /** @param pcpus those that are told of even if nobody is known to have run there */
  constructor(pcpus: readonly number[]) {
    for (const pcpu of pcpus) this.of(pcpu);
  }

  onRunstates(batch: RunstateBatch): void {
    const { count, state, pcpu, dom, startNs, endNs, complete } = batch;
    for (let row = 0; row < count; row++) {
      if (state[row] !== RUNNING || pcpu[row] < 0) continue;
      const time = this.of(pcpu[row]);
      const ns = endNs[row] - startNs[row];
      if (dom[row] === DOM_IDLE) time.idleNs += ns;
      else time.busyNs += ns;
      time.switches += complete[row] & 1;
    }
  }

  of(pcpu: number): PcpuTime {
    let time = this.#pcpus[pcpu];
    if (time === undefined) {
      time = { busyNs: 0, idleNs: 0, switches: 0 };
      this.#pcpus[pcpu] = time;
    }
    return time;
  }

  /** Numbers of the pCPUs, ascending. */
  numbers(): number[] {
    return [...this.#pcpus.keys()].filter((pcpu) => this.#pcpus[pcpu] !== undefined);
  }

  /** Busy time over known time; null where nothing is known. */
  utilisation(pcpu: number): number | null {
    const { busyNs, idleNs } = this.of(pcpu);
    return busyNs + idleNs > 0 ? busyNs / (busyNs + idleNs) : null;
  }

  /** The known part of `spanNs` on one pCPU, 0 to 1; null where there is no time. */
  coverage(pcpu: number, spanNs: number): number | null {
    if (!(spanNs > 0)) return null;
    const { busyNs, idleNs } = this.of(pcpu);
    return Math.min(1, (busyNs + idleNs) / spanNs);
  }
}
