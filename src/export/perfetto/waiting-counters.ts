import { DOM_IDLE, RUNNABLE, type TransitionBatch } from '../../timeline/index.ts';
import type { PacketWriter } from './packet-writer.ts';
import type { Tracks } from './tracks.ts';

const NOWHERE = -2;

/** How many vCPUs are runnable and not throttled, by the pCPU on which each ran last: a counter each. */
export class WaitingCounters {
  readonly #writer: PacketWriter;
  readonly #tracks: Tracks;
  /** By pCPU + 1, so that -1 has a place: how many wait, and how many the counter says. */
  readonly #waiting: number[] = [];
  readonly #told: number[] = [];
  /** Counters that change at `#nowNs`: one value is told for an instant. */
  readonly #changed = new Set<number>();
  #nowNs = 0;
  /** By vCPU index: the pCPU that it waits at, or {@link NOWHERE}. */
  readonly #at: number[] = [];

  constructor(writer: PacketWriter, tracks: Tracks) {
    this.#writer = writer;
    this.#tracks = tracks;
  }

  onTransitions({ count, tNs, dom, vcpuIndex, to, pcpu }: TransitionBatch): void {
    for (let row = 0; row < count; row++) {
      const index = vcpuIndex[row];
      const before = this.#at[index] ?? NOWHERE;
      if (dom[row] === DOM_IDLE || (before === NOWHERE && to[row] !== RUNNABLE)) continue;
      if (tNs[row] !== this.#nowNs) this.finish();
      this.#nowNs = tNs[row];
      const at = to[row] === RUNNABLE ? pcpu[row] : NOWHERE;
      this.#change(before, -1);
      this.#change(at, 1);
      this.#at[index] = at;
    }
  }

  /** Tells what has changed at the last instant. */
  finish(): void {
    for (const slot of this.#changed) {
      const waiting = this.#waiting[slot] as number;
      if (waiting === this.#told[slot]) continue;
      this.#told[slot] = waiting;
      this.#writer.counter(this.#nowNs, this.#tracks.waiting(slot - 1), waiting);
    }
    this.#changed.clear();
  }

  #change(pcpu: number, by: number): void {
    if (pcpu === NOWHERE) return;
    this.#waiting[pcpu + 1] = (this.#waiting[pcpu + 1] ?? 0) + by;
    this.#changed.add(pcpu + 1);
  }
}
