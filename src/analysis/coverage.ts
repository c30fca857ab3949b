import { DOM_IDLE, type RunstateBatch, UNKNOWN } from '../timeline/index.ts';
import type { Column } from './analysis.ts';

/** The last column of most results. */
export const COVERAGE: Column = {
  name: 'coverage',
  type: 'float',
  unit: 'ratio',
  doc: 'How much of the time the trace tells the state: 1 is all. The figures are of that part alone.',
};

/** No vCPU has this key: Xen has no domain of such a number. */
const NO_KEY = 0xffffffff;

/**
 * Known and unknown time of each vCPU and domain: how far a figure about it can be trusted. One for all passes, fed by
 * the runner: see `AnalysisContext`.
 */
export class Coverage {
  /** By vCPU index: `dom << 16 | vcpu`, {@link NO_KEY} where no interval names it. */
  #keys = new Uint32Array(64).fill(NO_KEY);
  #knownNs = new Float64Array(64);
  #totalNs = new Float64Array(64);
  /** Key -> vCPU index, of those that an interval names; made when first asked. */
  #indices: Map<number, number> | undefined;

  /** Takes in intervals; the runner calls it, passes only ask. */
  onRunstates(batch: RunstateBatch): void {
    const { count, dom, vcpu, vcpuIndex, state, startNs, endNs } = batch;
    this.#indices = undefined;
    for (let row = 0; row < count; row++) {
      if (dom[row] === DOM_IDLE) continue;
      const index = vcpuIndex[row];
      if (index >= this.#keys.length) this.#grow(index);
      const ns = endNs[row] - startNs[row];
      this.#keys[index] = (dom[row] << 16) | vcpu[row];
      this.#totalNs[index] += ns;
      if (state[row] !== UNKNOWN) this.#knownNs[index] += ns;
    }
  }

  /** Every vCPU that any interval names, ascending: `dom * 0x10000 + vcpu`. */
  vcpus(): number[] {
    return [...this.#byKey().keys()];
  }

  /** Every domain likewise. */
  domains(): number[] {
    return [...new Set(this.vcpus().map((key) => Math.floor(key / 0x10000)))];
  }

  /** Known part of the time of one vCPU, 0 to 1; null where it has no time at all. */
  ofVcpu(key: number): number | null {
    const index = this.#byKey().get(key);
    return index === undefined ? null : ratio(this.#knownNs[index], this.#totalNs[index]);
  }

  /** Likewise over all vCPUs of a domain. */
  ofDomain(dom: number): number | null {
    let known = 0;
    let total = 0;
    for (const [key, index] of this.#byKey()) {
      if (key >>> 16 !== dom) continue;
      total += this.#totalNs[index];
      known += this.#knownNs[index];
    }
    return ratio(known, total);
  }

  /** Likewise over all vCPUs. */
  ofAll(): number | null {
    const sum = (ns: Float64Array) => ns.reduce((total, own) => total + own, 0);
    return ratio(sum(this.#knownNs), sum(this.#totalNs));
  }

  #byKey(): ReadonlyMap<number, number> {
    if (this.#indices === undefined) {
      const named = [...this.#keys].flatMap((key, index) => (key === NO_KEY ? [] : [[key, index] as const]));
      this.#indices = new Map(named.sort(([a], [b]) => a - b));
    }
    return this.#indices;
  }

  #grow(index: number): void {
    const size = 2 ** Math.ceil(Math.log2(index + 1));
    const [keys, known, total] = [this.#keys, this.#knownNs, this.#totalNs];
    this.#keys = new Uint32Array(size).fill(NO_KEY);
    this.#keys.set(keys);
    this.#knownNs = new Float64Array(size);
    this.#knownNs.set(known);
    this.#totalNs = new Float64Array(size);
    this.#totalNs.set(total);
  }
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
