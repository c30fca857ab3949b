import { Cpumask } from '../../cpumask.ts';
import type { RtdsVcpu } from './state.ts';

/** What the pCPUs run, in a form in which many can be looked through fast. */
export class RtdsRunning {
  /** pCPUs that idle. */
  readonly #idle: Cpumask;
  /** Priorities of those who run, by pCPU. */
  readonly #level: Float64Array;
  readonly #deadline: Float64Array;

  constructor(pcpus: number) {
    this.#idle = new Cpumask(pcpus);
    this.#level = new Float64Array(pcpus);
    this.#deadline = new Float64Array(pcpus);
  }

  /** A pCPU joins the pool, idle. */
  idles(pcpu: number): void {
    this.#idle.set(pcpu);
  }

  /** It leaves the pool. */
  leaves(pcpu: number): void {
    this.#idle.unset(pcpu);
  }

  /** `next` was chosen on `pcpu`, where `previous` ran; either may be idle, or both the same. */
  changes(pcpu: number, previous: RtdsVcpu, next: RtdsVcpu): void {
    if (previous === next) return;
    previous.pcpu = -1;
    if (next.vcpu.isIdle) {
      this.#idle.set(pcpu);
      return;
    }
    this.#idle.unset(pcpu);
    next.pcpu = pcpu;
    this.priorityChanged(next);
  }

  /** To be called after every change, whether it runs or not. */
  priorityChanged(rtds: RtdsVcpu): void {
    if (rtds.pcpu < 0) return;
    this.#level[rtds.pcpu] = rtds.level;
    this.#deadline[rtds.pcpu] = rtds.deadlineNs;
  }

  /** The first idle pCPU of `among`, going round from `from`; -1 if there is none. */
  firstIdle(among: Cpumask, from: number): number {
    if (!among.intersects(this.#idle)) return -1;
    const start = from === 0 ? among.size - 1 : from - 1;
    let pcpu = among.cycle(start);
    while (!this.#idle.has(pcpu)) pcpu = among.cycle(pcpu);
    return pcpu;
  }

  /**
   * The pCPU of `among` that runs the lowest priority, the first of equals going round from `from`; -1 if that is
   * not lower than the one given. None of them idles.
   */
  lowestBelow(among: Cpumask, from: number, level: number, deadlineNs: number): number {
    const levels = this.#level;
    const deadlines = this.#deadline;
    let lowest = -1;
    let lowestLevel = level;
    let lowestDeadline = deadlineNs;
    const { size, words } = among;
    for (let round = 0; round < 2; round += 1) {
      const end = round === 0 ? size : from;
      for (let pcpu = round === 0 ? from : 0; pcpu < end; pcpu += 1) {
        const itsLevel = levels[pcpu]!;
        const itsDeadline = deadlines[pcpu]!;
        if (itsLevel < lowestLevel || (itsLevel === lowestLevel && itsDeadline <= lowestDeadline)) continue;
        // Asked last, because most have been sorted out by now.
        if (((words[pcpu >>> 5]! >>> pcpu) & 1) === 0) continue;
        lowest = pcpu;
        lowestLevel = itsLevel;
        lowestDeadline = itsDeadline;
      }
    }
    return lowest;
  }
}
