import type { Prng } from '../../base/prng.ts';
import type { Arrivals } from '../../scenario/guest-spec.ts';
import type { Duration } from '../../scenario/scenario.ts';
import { DurationSource } from './duration-source.ts';

const NEVER: Duration = { kind: 'fixed', ns: Infinity };
const NONE: Duration = { kind: 'fixed', ns: 0 };

/** When the jobs of a task arrive, and when each is released, which is later where there is jitter. */
export class ArrivalSource {
  /** The next arrival that is known; Infinity if none is. */
  arrivalNs: number;
  releaseNs = Infinity;
  /** Jobs at each arrival. */
  readonly batch: number;
  readonly #kind: Arrivals['kind'];
  readonly #distance: DurationSource;
  readonly #jitter: DurationSource;
  readonly #phases: readonly { readonly length: DurationSource; readonly interarrival: DurationSource }[];
  #phase = 0;
  #phaseEndNs = Infinity;

  /** `stream` names the random streams; `nowNs` is what offsets count from. */
  constructor(arrivals: Arrivals, nowNs: number, root: Prng, stream: string) {
    const draws = (duration: Duration, what: string) =>
      new DurationSource(duration, root, `${stream}/${what}`);
    this.#kind = arrivals.kind;
    this.batch = 'batch' in arrivals ? arrivals.batch : 1;
    this.#distance = draws(distanceOf(arrivals), 'interarrival');
    this.#jitter = draws((arrivals.kind === 'periodic' && arrivals.jitter) || NONE, 'jitter');
    this.#phases = (arrivals.kind === 'phases' ? arrivals.phases : []).map((phase, index) => ({
      length: draws(phase.length, `phase${index}`),
      interarrival: draws(phase.interarrival ?? NEVER, `interarrival${index}`),
    }));
    this.arrivalNs = arrivals.kind === 'requests' ? Infinity : nowNs + arrivals.offsetNs;
    if (arrivals.kind === 'phases') {
      this.#phaseEndNs = this.arrivalNs + this.#phases[0]!.length.next();
      this.#nextOfPhases();
    }
    this.#release();
  }

  /** Goes on to the next arrival; in a closed loop it is known when the job is complete. */
  next(): void {
    if (this.#kind === 'phases') this.#nextOfPhases();
    else this.arrivalNs = this.#kind === 'closed' ? Infinity : this.arrivalNs + this.#distance.next();
    this.#release();
  }

  /**
   * A job is complete: in a closed loop the next one arrives after the pause. Answers whether that changed what
   * is known.
   */
  completed(nowNs: number): boolean {
    if (this.#kind !== 'closed') return false;
    this.arrivalNs = nowNs + this.#distance.next();
    this.#release();
    return true;
  }

  #release(): void {
    this.releaseNs = this.arrivalNs + this.#jitter.next();
  }

  /** An arrival beyond the end of its phase does not come: the next phase begins with a distance of its own. */
  #nextOfPhases(): void {
    for (;;) {
      const nextNs = this.arrivalNs + this.#phases[this.#phase]!.interarrival.next();
      if (nextNs < this.#phaseEndNs) {
        this.arrivalNs = nextNs;
        return;
      }
      this.#phase = (this.#phase + 1) % this.#phases.length;
      this.arrivalNs = this.#phaseEndNs;
      this.#phaseEndNs += this.#phases[this.#phase]!.length.next();
    }
  }
}

function distanceOf(arrivals: Arrivals): Duration {
  switch (arrivals.kind) {
    case 'periodic':
      return { kind: 'fixed', ns: arrivals.periodNs };
    case 'sporadic':
      return arrivals.interarrival;
    case 'closed':
      return arrivals.think;
    case 'phases':
    case 'requests':
      return NEVER;
  }
}
