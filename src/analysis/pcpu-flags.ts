/** Which pCPUs are looked at, to be asked for each change of state. */
export class PcpuFlags {
  readonly #flags: Uint8Array;

  constructor(pcpus: readonly number[]) {
    this.#flags = new Uint8Array(pcpus.reduce((max, pcpu) => Math.max(max, pcpu), 0) + 1);
    for (const pcpu of pcpus) this.#flags[pcpu] = 1;
  }

  has(pcpu: number): boolean {
    return this.#flags[pcpu] === 1;
  }

  /** Whether a vCPU that last ran on `pcpu` (-1: not known where) waits for one of them, as far as is known. */
  mayHave(pcpu: number): boolean {
    return pcpu < 0 || this.has(pcpu);
  }
}
