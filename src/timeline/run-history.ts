/** Runs kept of a pCPU before the older half is let go. */
const RUNS_FIRST = 256;

/** When the current run is boosted, or kept running by the ratelimit, throughout or not at all. */
export const ALWAYS = Number.POSITIVE_INFINITY;
export const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Who ran on one pCPU lately, oldest first, and what is known of why. The last one may still go on: its end is
 * {@link ALWAYS}. Internal to timeline/.
 */
export class RunHistory {
  count = 0;
  /** The vCPU's index. */
  vcpu = new Int32Array(RUNS_FIRST);
  idle = new Uint8Array(RUNS_FIRST);
  startNs = new Float64Array(RUNS_FIRST);
  endNs = new Float64Array(RUNS_FIRST);
  /** Up to when it was boosted. */
  boostedToNs = new Float64Array(RUNS_FIRST);
  /** Since when the ratelimit kept it running. */
  ratelimitedFromNs = new Float64Array(RUNS_FIRST);
  /** Its place in the scheduler's order when it began, see VcpuOrder. */
  level = new Float64Array(RUNS_FIRST);
  value = new Float64Array(RUNS_FIRST);

  get full(): boolean {
    return this.count === this.vcpu.length;
  }

  get capacity(): number {
    return this.vcpu.length;
  }

  /** Whether a run is going on. */
  get open(): boolean {
    return this.count > 0 && this.endNs[this.count - 1] === ALWAYS;
  }

  /** Adds a run that goes on; never on a full history. */
  add(vcpu: number, idle: boolean, startNs: number): number {
    const at = this.count++;
    this.vcpu[at] = vcpu;
    this.idle[at] = idle ? 1 : 0;
    this.startNs[at] = startNs;
    this.endNs[at] = ALWAYS;
    this.boostedToNs[at] = NEVER;
    this.ratelimitedFromNs[at] = ALWAYS;
    this.level[at] = Number.NaN;
    this.value[at] = Number.NaN;
    return at;
  }

  /** When the older half of the runs was over. */
  get halfNs(): number {
    return this.endNs[(this.count >> 1) - 1];
  }

  /** Lets the older half go. */
  dropHalf(): void {
    const half = this.count >> 1;
    for (const column of this.#columns()) column.copyWithin(0, half, this.count);
    this.count -= half;
  }

  grow(): void {
    const grownFloats = (column: Float64Array) => {
      const grown = new Float64Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    const vcpu = new Int32Array(this.vcpu.length * 2);
    vcpu.set(this.vcpu);
    this.vcpu = vcpu;
    const idle = new Uint8Array(this.idle.length * 2);
    idle.set(this.idle);
    this.idle = idle;
    this.startNs = grownFloats(this.startNs);
    this.endNs = grownFloats(this.endNs);
    this.boostedToNs = grownFloats(this.boostedToNs);
    this.ratelimitedFromNs = grownFloats(this.ratelimitedFromNs);
    this.level = grownFloats(this.level);
    this.value = grownFloats(this.value);
  }

  #columns(): (Int32Array | Uint8Array | Float64Array)[] {
    const { vcpu, idle, startNs, endNs, boostedToNs, ratelimitedFromNs, level, value } = this;
    return [vcpu, idle, startNs, endNs, boostedToNs, ratelimitedFromNs, level, value];
  }
}
