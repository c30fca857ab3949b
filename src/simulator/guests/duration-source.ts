import type { Prng } from '../../base/prng.ts';
import type { Duration } from '../../scenario/scenario.ts';

/** Draws durations: always the same, or anew from the vCPU's own random substream each time. */
export class DurationSource {
  readonly #duration: Duration;
  readonly #prng: Prng | undefined;

  /** `stream` names the substream, e.g. `d1v0/burst`; a fixed duration needs none. */
  constructor(duration: Duration, root: Prng, stream: string) {
    this.#duration = duration;
    this.#prng = duration.kind === 'fixed' ? undefined : root.fork(stream);
  }

  /** In nanoseconds; 0 only where the scenario says 0. */
  next(): number {
    const duration = this.#duration;
    switch (duration.kind) {
      case 'fixed':
        return duration.ns;
      case 'uniform':
        return this.#prng!.uniformNs(duration.minNs, duration.maxNs);
      case 'exponential':
        return this.#exponential(duration.meanNs, duration.maxNs ?? Infinity);
    }
  }

  /** Truncated by drawing again, which is as often as not once or twice: the most is not below the mean. */
  #exponential(meanNs: number, maxNs: number): number {
    let ns = this.#prng!.exponentialNs(meanNs);
    while (ns > maxNs) ns = this.#prng!.exponentialNs(meanNs);
    return ns;
  }
}
