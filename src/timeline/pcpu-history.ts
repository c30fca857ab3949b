/** Runs remembered per pCPU: a wait that spans more of them is told from the newest ones. */
const RUNS = 128;

interface Runs {
  readonly vcpu: Int32Array;
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** Runs ever added. */
  added: number;
}

/** Who ran on each pCPU lately, in bounded memory: to tell whom a vCPU waited for. vCPUs are indices. */
export class PcpuHistory {
  readonly #byPcpu: (Runs | undefined)[] = [];
  /** Scratch: time per vCPU index within the asked span, zero between calls. */
  #ranNs = new Float64Array(64);
  /** How long the vCPU that {@link longest} gave last ran within the asked span. */
  longestNs = 0;

  /** `vcpu` ran on `pcpu` from `startNs` to `endNs`, after every run added there before. */
  add(pcpu: number, vcpu: number, startNs: number, endNs: number): void {
    let runs = this.#byPcpu[pcpu];
    if (runs === undefined) {
      runs = {
        vcpu: new Int32Array(RUNS),
        startNs: new Float64Array(RUNS),
        endNs: new Float64Array(RUNS),
        added: 0,
      };
      this.#byPcpu[pcpu] = runs;
    }
    const at = runs.added++ % RUNS;
    runs.vcpu[at] = vcpu;
    runs.startNs[at] = startNs;
    runs.endNs[at] = endNs;
  }

  /** Who ran longest on `pcpu` between two instants, the latest of equals; -1 where nobody is known to have. */
  longest(pcpu: number, fromNs: number, toNs: number): number {
    this.longestNs = 0;
    const runs = this.#byPcpu[pcpu];
    if (runs === undefined) return -1;
    const oldest = Math.max(0, runs.added - RUNS);
    let best = -1;
    let run = runs.added - 1;
    for (; run >= oldest; run--) {
      const at = run % RUNS;
      if (runs.endNs[at] <= fromNs) break;
      const vcpu = runs.vcpu[at];
      if (vcpu >= this.#ranNs.length) this.#grow(vcpu);
      const ranNs = Math.min(runs.endNs[at], toNs) - Math.max(runs.startNs[at], fromNs);
      if (ranNs <= 0) continue;
      this.#ranNs[vcpu] += ranNs;
      if (this.#ranNs[vcpu] > this.longestNs) {
        this.longestNs = this.#ranNs[vcpu];
        best = vcpu;
      }
    }
    for (let seen = runs.added - 1; seen > run; seen--) this.#ranNs[runs.vcpu[seen % RUNS]] = 0;
    return best;
  }

  #grow(vcpu: number): void {
    const ranNs = new Float64Array(2 ** Math.ceil(Math.log2(vcpu + 1)));
    ranNs.set(this.#ranNs);
    this.#ranNs = ranNs;
  }
}
