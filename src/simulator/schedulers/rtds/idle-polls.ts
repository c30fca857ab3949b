import { Cpumask } from '../../cpumask.ts';
import type { Machine } from '../../machine.ts';

/**
 * The decisions that an idle pCPU of the time-driven RTDS makes: one after the other, for ever, each as
 * much later as the machine's least timer demands (a microsecond). Nearly all of them find nothing. As long
 * as nobody is queued and no deadline passes they change nothing, so they are left out; the others happen
 * at the instants at which they would have happened.
 *
 * Where timers are late at random every poll counts, and none is left out.
 */
export class IdlePolls {
  readonly #machine: Machine;
  readonly #stepNs: number;
  readonly #leavesOut: boolean;
  /** pCPUs that poll. */
  readonly #idle: Cpumask;
  /** When each of them decided last. */
  readonly #fromNs: Float64Array;

  constructor(machine: Machine) {
    const { host, topology, timers } = machine;
    this.#machine = machine;
    this.#stepNs = timers.minimumNs;
    this.#leavesOut = host.timerJitterNs === 0 && host.timerBatch && this.#stepNs > 0;
    this.#idle = new Cpumask(topology.pcpus);
    this.#fromNs = new Float64Array(topology.pcpus);
  }

  /** `pcpu` idles from now on. Answers how long until its next decision that may matter; -1 is none. */
  idle(pcpu: number, earliestDeadlineNs: number): number {
    if (!this.#leavesOut) return 0;
    const { nowNs } = this.#machine;
    this.#idle.set(pcpu);
    this.#fromNs[pcpu] = nowNs;
    if (earliestDeadlineNs === Infinity) return -1;
    return Math.max(1, Math.ceil((earliestDeadlineNs - nowNs) / this.#stepNs)) * this.#stepNs;
  }

  busy(pcpu: number): void {
    this.#idle.unset(pcpu);
  }

  /** Somebody was queued: every idle pCPU's next poll counts. */
  queueChanged(): void {
    const { pcpus, timers } = this.#machine;
    for (let pcpu = this.#idle.first(); pcpu < this.#idle.size; pcpu = this.#idle.next(pcpu)) {
      timers.setExactly(pcpus[pcpu]!.sliceTimer, this.#nextPollNs(pcpu));
    }
  }

  /**
   * The first poll that has not happened. Timers run on the pCPUs in ascending order, each one's all at
   * once.
   */
  #nextPollNs(pcpu: number): number {
    const { nowNs, timerPcpu } = this.#machine;
    const fromNs = this.#fromNs[pcpu]!;
    const polls = Math.ceil((nowNs - fromNs) / this.#stepNs);
    const atNs = fromNs + Math.max(1, polls) * this.#stepNs;
    return atNs === nowNs && pcpu < timerPcpu ? atNs + this.#stepNs : atNs;
  }
}
