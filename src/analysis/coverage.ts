import { DOM_IDLE, type RunstateBatch, UNKNOWN } from '../timeline/index.ts';
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
  readonly #knownNs = new Map<number, number>();
  readonly #totalNs = new Map<number, number>();

  onRunstates(batch: RunstateBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.dom[row] === DOM_IDLE) continue;
      const key = batch.dom[row] * 0x10000 + batch.vcpu[row];
      const ns = batch.endNs[row] - batch.startNs[row];
      this.#totalNs.set(key, (this.#totalNs.get(key) ?? 0) + ns);
      if (batch.state[row] !== UNKNOWN) this.#knownNs.set(key, (this.#knownNs.get(key) ?? 0) + ns);
    }
  }

  /** Every vCPU that any interval names, ascending: `dom * 0x10000 + vcpu`. */
  vcpus(): number[] {
    return [...this.#totalNs.keys()].sort((a, b) => a - b);
  }

  /** Every domain likewise. */
  domains(): number[] {
    return [...new Set(this.vcpus().map((key) => Math.floor(key / 0x10000)))];
  }

  /** Known part of the time of one vCPU, 0 to 1; null where it has no time at all. */
  ofVcpu(key: number): number | null {
    return ratio(this.#knownNs.get(key) ?? 0, this.#totalNs.get(key) ?? 0);
  }

  /** Likewise over all vCPUs of a domain. */
  ofDomain(dom: number): number | null {
    let known = 0;
    let total = 0;
    for (const [key, ns] of this.#totalNs) {
      if (Math.floor(key / 0x10000) !== dom) continue;
      total += ns;
      known += this.#knownNs.get(key) ?? 0;
    }
    return ratio(known, total);
  }
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
