/**
 * Time in which pCPUs were idle while vCPUs waited: a scheduler that conserves work leaves none but moments.
 * @module
 */
import { DOM_IDLE, RUNNABLE, RUNNING, type TransitionBatch } from '../timeline/index.ts';
import { PcpuFlags } from './pcpu-flags.ts';

const NEITHER = 0;
const WAITS = 1;
const IDLES = 2;

export class LostTime {
  readonly #pcpus: PcpuFlags;
  readonly #onLost: (pcpus: number, startNs: number, endNs: number) => void;
  /** By the timeline's index of a vCPU: whether it waits, or is an idle one that runs. */
  #part = new Uint8Array(64);
  #waiting = 0;
  #idle = 0;
  #sinceNs = 0;

  /**
   * @param pcpus those that are looked at
   * @param onLost is told of each stretch of time in which so many of them idled while as many vCPUs waited there
   */
  constructor(pcpus: readonly number[], onLost: (pcpus: number, startNs: number, endNs: number) => void) {
    this.#pcpus = new PcpuFlags(pcpus);
    this.#onLost = onLost;
  }

  onTransitions({ count, tNs, dom, vcpu, vcpuIndex, to, pcpu }: TransitionBatch): void {
    for (let row = 0; row < count; row++) {
      const index = vcpuIndex[row];
      let part = NEITHER;
      if (dom[row] === DOM_IDLE) {
        if (to[row] === RUNNING && this.#pcpus.has(vcpu[row])) part = IDLES;
      } else if (to[row] === RUNNABLE && this.#pcpus.mayHave(pcpu[row])) part = WAITS;
      if (index >= this.#part.length) this.#grow(index);
      const before = this.#part[index];
      if (part === before) continue;
      this.#tell(tNs[row]);
      this.#part[index] = part;
      this.#waiting += Number(part === WAITS) - Number(before === WAITS);
      this.#idle += Number(part === IDLES) - Number(before === IDLES);
    }
  }

  /** The trace ends. */
  finish(endNs: number): void {
    this.#tell(endNs);
  }

  #tell(nowNs: number): void {
    const pcpus = Math.min(this.#waiting, this.#idle);
    if (pcpus > 0 && nowNs > this.#sinceNs) this.#onLost(pcpus, this.#sinceNs, nowNs);
    this.#sinceNs = nowNs;
  }

  #grow(index: number): void {
    const grown = new Uint8Array(2 ** Math.ceil(Math.log2(index + 1)));
    grown.set(this.#part);
    this.#part = grown;
  }
}
