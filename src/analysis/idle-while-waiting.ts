import { DOM_IDLE, RUNNABLE, RUNNING, type TransitionBatch } from '../timeline/index.ts';
import { PcpuFlags } from './pcpu-flags.ts';

const IDLES = 1;
const WAITS = 2;

/**
 * Time in which a pCPU idled while a vCPU waited. It is an upper bound of what a work-conserving scheduler
 * would have used: a trace does not tell which pCPUs a vCPU may run on, nor how long it takes to start it.
 */
export class IdleWhileWaiting {
  /** pCPUs that idle while vCPUs wait, as many at once as there are of both, over time. */
  lostNs = 0;
  /** Time in which there was at least one of both. */
  bothNs = 0;
  /** Waiting vCPUs over time, and the most at once. */
  waitingNs = 0;
  waitingMax = 0;
  readonly #pcpus: PcpuFlags;
  #sinceNs: number;
  #idle = 0;
  #waiting = 0;
  /** By vCPU index. */
  #state = new Uint8Array(64);

  /** @param pcpus those that are looked at: idle vCPU n idles on pCPU n */
  constructor(fromNs: number, pcpus: readonly number[]) {
    this.#sinceNs = fromNs;
    this.#pcpus = new PcpuFlags(pcpus);
  }

  onTransitions(batch: TransitionBatch): void {
    const { count, dom, vcpuIndex, to, tNs } = batch;
    for (let row = 0; row < count; row++) {
      const vcpu = vcpuIndex[row];
      if (vcpu >= this.#state.length) this.#grow(vcpu);
      const state = this.#stateOf(dom[row], batch.vcpu[row], to[row], batch.pcpu[row]);
      const before = this.#state[vcpu];
      if (state === before) continue;
      this.#count(tNs[row]);
      this.#state[vcpu] = state;
      if (state === IDLES) this.#idle++;
      else if (state === WAITS) this.waitingMax = Math.max(this.waitingMax, ++this.#waiting);
      if (before === IDLES) this.#idle--;
      else if (before === WAITS) this.#waiting--;
    }
  }

  finish(endNs: number): void {
    this.#count(endNs);
  }

  /** @param pcpu where the vCPU last ran: there it waits */
  #stateOf(dom: number, vcpu: number, state: number, pcpu: number): number {
    if (dom === DOM_IDLE) return state === RUNNING && this.#pcpus.has(vcpu) ? IDLES : 0;
    return state === RUNNABLE && this.#pcpus.mayHave(pcpu) ? WAITS : 0;
  }

  #count(tNs: number): void {
    const ns = tNs - this.#sinceNs;
    if (!(ns > 0)) return;
    this.#sinceNs = tNs;
    this.waitingNs += this.#waiting * ns;
    if (this.#idle === 0 || this.#waiting === 0) return;
    this.lostNs += Math.min(this.#idle, this.#waiting) * ns;
    this.bothNs += ns;
  }

  #grow(vcpu: number): void {
    const state = this.#state;
    this.#state = new Uint8Array(2 ** Math.ceil(Math.log2(vcpu + 1)));
    this.#state.set(state);
  }
}
