import { DOM_IDLE, type RunstateBatch, UNKNOWN, VcpuTable } from '../timeline/index.ts';
import type { Column } from './analysis.ts';

/** The last column of most results. */
export const COVERAGE: Column = {
  name: 'coverage',
  type: 'float',
  unit: 'ratio',
  doc: 'How much of the time the trace tells the state: 1 is all. The figures are of that part alone.',
};

/** Known and unknown time of each vCPU and domain: how far a figure about it can be trusted. */
export class Coverage {
  readonly #vcpus = new VcpuTable();
  /** By vCPU index. */
  #knownNs = new Float64Array(64);
  #totalNs = new Float64Array(64);

  onRunstates(batch: RunstateBatch): void {
    const { count, dom, vcpu, state, startNs, endNs } = batch;
    for (let row = 0; row < count; row++) {
      if (dom[row] === DOM_IDLE) continue;
      const index = this.#vcpus.indexOf(((dom[row] << 16) | vcpu[row]) >>> 0);
      if (index < 0) continue;
      if (index >= this.#totalNs.length) this.#grow();
      const ns = endNs[row] - startNs[row];
      this.#totalNs[index] += ns;
      if (state[row] !== UNKNOWN) this.#knownNs[index] += ns;
    }
  }

  /** Every vCPU that any interval names, ascending: `dom * 0x10000 + vcpu`. */
  vcpus(): number[] {
    return [...this.#vcpus.keys.subarray(0, this.#vcpus.count)].sort((a, b) => a - b);
  }

  /** Every domain likewise. */
  domains(): number[] {
    return [...new Set(this.vcpus().map((key) => Math.floor(key / 0x10000)))];
  }

  /** Known part of the time of one vCPU, 0 to 1; null where it has no time at all. */
  ofVcpu(key: number): number | null {
    const index = this.#vcpus.find(key);
    return index < 0 ? null : ratio(this.#knownNs[index], this.#totalNs[index]);
  }

  /** Likewise over all vCPUs of a domain. */
  ofDomain(dom: number): number | null {
    let known = 0;
    let total = 0;
    for (let index = 0; index < this.#vcpus.count; index++) {
      if (this.#vcpus.keys[index] >>> 16 !== dom) continue;
      total += this.#totalNs[index];
      known += this.#knownNs[index];
    }
    return ratio(known, total);
  }

  /** Likewise over all vCPUs. */
  ofAll(): number | null {
    const sum = (ns: Float64Array) =>
      ns.subarray(0, this.#vcpus.count).reduce((total, own) => total + own, 0);
    return ratio(sum(this.#knownNs), sum(this.#totalNs));
  }

  #grow(): void {
    const [known, total] = [this.#knownNs, this.#totalNs];
    this.#knownNs = new Float64Array(known.length * 2);
    this.#knownNs.set(known);
    this.#totalNs = new Float64Array(total.length * 2);
    this.#totalNs.set(total);
  }
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
