/**
 * Time in which pCPUs were idle while vCPUs waited: a scheduler that conserves work leaves none but moments.
 * @module
 */
import { DOM_IDLE, RUNNABLE, RUNNING, type TransitionBatch } from '../timeline/index.ts';

const NEITHER = 0;
const WAITS = 1;
const IDLES = 2;

export class LostTime {
  readonly #onLost: (pcpus: number, startNs: number, endNs: number) => void;
  /** By the timeline's index of a vCPU: whether it waits, or is an idle one that runs. */
  #part = new Uint8Array(64);
  #waiting = 0;
  #idle = 0;
  #sinceNs = 0;

  /** @param onLost is told of each stretch of time in which so many pCPUs idled while as many vCPUs waited */
  constructor(onLost: (pcpus: number, startNs: number, endNs: number) => void) {
    this.#onLost = onLost;
  }

  onTransitions({ count, tNs, dom, vcpuIndex, to }: TransitionBatch): void {
    for (let row = 0; row < count; row++) {
      const index = vcpuIndex[row];
      const isIdle = dom[row] === DOM_IDLE;
      const part = isIdle ? (to[row] === RUNNING ? IDLES : NEITHER) : to[row] === RUNNABLE ? WAITS : NEITHER;
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
