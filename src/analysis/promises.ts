/**
 * What each domain and vCPU is entitled to by its parameters, and how that is known: from the trace where it tells,
 * else as given by the user or a scenario, else assumed.
 * @module
 */
import type { DomainParameters, Reservation } from './analysis.ts';
import type { TracePromises } from './trace-promises.ts';

/** Xen's default weight, in credit and in credit2. */
export const WEIGHT_DEFAULT = 256;

/** How a parameter is known. */
export type Source = 'trace' | 'relative' | 'given' | 'assumed' | 'hidden';

export interface DomainPromise {
  readonly weight: number;
  /** `relative`: from the trace, but only in relation to the highest weight, which is taken to be 256. */
  readonly weightSource: Source;
  /** In percent of a pCPU; undefined: none, or not known. */
  readonly cap: number | undefined;
  /** `hidden`: the trace shows that there is one, but not how high it is. */
  readonly capSource: Source;
}

export interface ReservationPromise {
  readonly reservation: Reservation;
  readonly source: Source;
}

export class Promises {
  readonly #traced: TracePromises;
  readonly #given: ReadonlyMap<number, DomainParameters>;
  readonly #areWeightsGiven: boolean;

  constructor(traced: TracePromises, given: ReadonlyMap<number, DomainParameters>) {
    this.#traced = traced;
    this.#given = given;
    this.#areWeightsGiven = [...given.values()].some(({ weight }) => weight !== undefined);
  }

  of(dom: number): DomainPromise {
    const { cap = 0 } = this.#given.get(dom) ?? {};
    const capSource = this.#capSource(dom);
    return { ...this.#weight(dom), cap: capSource === 'given' && cap > 0 ? cap : undefined, capSource };
  }

  /** What a vCPU may run in each period under RTDS; undefined where it is not known to have such a right. */
  reservationOf(dom: number, vcpu: number): ReservationPromise | undefined {
    const traced = this.#traced.reservationOf(dom, vcpu);
    if (traced !== undefined) return { reservation: traced, source: 'trace' };
    const domain = this.#given.get(dom);
    const given = domain?.vcpus?.get(vcpu)?.reservation ?? domain?.reservation;
    return given && { reservation: given, source: 'given' };
  }

  #weight(dom: number): Pick<DomainPromise, 'weight' | 'weightSource'> {
    const traced = this.#traced.weightOf(dom);
    if (traced !== undefined && !traced.isRelative) return { weight: traced.weight, weightSource: 'trace' };
    const given = this.#given.get(dom)?.weight;
    if (given !== undefined) return { weight: given, weightSource: 'given' };
    // Ratios do not go with weights that somebody gave for other domains.
    if (traced !== undefined && !this.#areWeightsGiven)
      return { weight: traced.weight, weightSource: 'relative' };
    return { weight: WEIGHT_DEFAULT, weightSource: 'assumed' };
  }

  #capSource(dom: number): Source {
    const given = this.#given.get(dom)?.cap;
    const traced = this.#traced.hasCap(dom);
    if (traced === false) return 'trace';
    if (given !== undefined) return 'given';
    return traced === true ? 'hidden' : 'assumed';
  }
}
