/**
 * Who is entitled to how much of a stretch of time: reservations first, then weights and caps, none more than it wants.
 * @module
 */
import { pour } from './entitlement.ts';

/** A domain's part in a division. Its vCPUs are neighbours: `[from, to)`. */
export interface DomainClaim {
  readonly dom: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  /** In pCPUs; infinite: none. */
  readonly cap: number;
  /** Its vCPUs have reservations: weights do not count for it. */
  readonly isReserved: boolean;
}

/** What weights weigh: domains, as xl's manual has it, or each vCPU that wants to run, as credit and credit2 do. */
export type Weighed = 'domain' | 'vcpu';

export class Division {
  readonly #domains: readonly DomainClaim[];
  readonly #weighed: Weighed;
  /** By vCPU: budget over period, 0 where it has no reservation. */
  readonly #rates: Float64Array;
  /** The same, but 1 where it has none: it wants nothing of what is reserved then. */
  readonly #reservedWeights: Float64Array;
  readonly #isReserved: boolean;
  readonly #isCapped: boolean;
  /** By vCPU: its domain's weight. */
  readonly #weights: Float64Array;
  readonly #ones: Float64Array;
  /** Scratch, by vCPU and by domain. */
  readonly #limits: Float64Array;
  readonly #shares: Float64Array;
  readonly #domWeights: Float64Array;
  readonly #domLimits: Float64Array;
  readonly #domShares: Float64Array;
  readonly #uncappedLimits: Float64Array;
  /** By domain: 1 where its cap is less than its weight gives it. */
  readonly #isAtCap: Uint8Array;

  constructor(domains: readonly DomainClaim[], rates: Float64Array, weighed: Weighed) {
    const vcpus = rates.length;
    this.#domains = domains;
    this.#weighed = weighed;
    this.#rates = rates;
    this.#reservedWeights = rates.map((rate) => (rate > 0 ? rate : 1));
    this.#isReserved = rates.some((rate) => rate > 0);
    this.#isCapped = domains.some(({ cap }) => cap < Number.POSITIVE_INFINITY);
    this.#weights = new Float64Array(vcpus);
    for (const { from, to, weight } of domains) this.#weights.fill(weight, from, to);
    this.#ones = new Float64Array(vcpus).fill(1);
    this.#limits = new Float64Array(vcpus);
    this.#shares = new Float64Array(vcpus);
    this.#domWeights = Float64Array.from(domains, ({ weight }) => weight);
    this.#domLimits = new Float64Array(domains.length);
    this.#domShares = new Float64Array(domains.length);
    this.#uncappedLimits = new Float64Array(vcpus);
    this.#isAtCap = new Uint8Array(domains.length);
  }

  /**
   * Divides `capacityNs` of pCPU time within a stretch of `lengthNs`.
   * @param wantNs by vCPU: what it can use at most
   * @param shareNs by vCPU: what it is entitled to
   */
  divide(capacityNs: number, lengthNs: number, wantNs: Float64Array, shareNs: Float64Array): void {
    this.#limits.set(wantNs);
    if (!this.#isReserved) {
      this.#byWeight(capacityNs, lengthNs, shareNs);
      return;
    }
    let leftNs = capacityNs;
    for (let vcpu = 0; vcpu < wantNs.length; vcpu++) {
      this.#limits[vcpu] = Math.min(wantNs[vcpu], this.#rates[vcpu] * lengthNs);
    }
    this.#pourReserved(capacityNs, shareNs);
    for (let vcpu = 0; vcpu < wantNs.length; vcpu++) {
      leftNs -= shareNs[vcpu];
      this.#limits[vcpu] = this.#rates[vcpu] > 0 ? 0 : wantNs[vcpu];
    }
    this.#byWeight(Math.max(0, leftNs), lengthNs, this.#shares);
    for (let vcpu = 0; vcpu < wantNs.length; vcpu++) shareNs[vcpu] += this.#shares[vcpu];
  }

  /** Reservations are met, or cut in proportion where there are more than pCPUs. */
  #pourReserved(capacityNs: number, shareNs: Float64Array): void {
    const limits = this.#limits;
    let sumNs = 0;
    for (let vcpu = 0; vcpu < limits.length; vcpu++) sumNs += limits[vcpu];
    if (sumNs <= capacityNs) {
      shareNs.set(limits);
      return;
    }
    pour(capacityNs, this.#reservedWeights, limits, shareNs, 0, limits.length);
  }

  #byWeight(capacityNs: number, lengthNs: number, shareNs: Float64Array): void {
    if (this.#weighed === 'domain') this.#byDomain(capacityNs, lengthNs, shareNs);
    else if (!this.#isCapped) pour(capacityNs, this.#weights, this.#limits, shareNs, 0, shareNs.length);
    else this.#byVcpu(capacityNs, lengthNs, shareNs);
  }

  /** Domains by their weights; within each, vCPUs equally. */
  #byDomain(capacityNs: number, lengthNs: number, shareNs: Float64Array): void {
    for (let index = 0; index < this.#domains.length; index++) {
      const { cap } = this.#domains[index];
      this.#domLimits[index] = Math.min(this.#wanted(index), cap * lengthNs);
    }
    pour(capacityNs, this.#domWeights, this.#domLimits, this.#domShares, 0, this.#domains.length);
    for (let index = 0; index < this.#domains.length; index++) {
      const { from, to } = this.#domains[index];
      pour(this.#domShares[index], this.#ones, this.#limits, shareNs, from, to);
    }
  }

  /** vCPUs by the weights of their domains; a domain that gets above its cap so is given just that. */
  #byVcpu(capacityNs: number, lengthNs: number, shareNs: Float64Array): void {
    const isAtCap = this.#isAtCap.fill(0);
    let leftNs = capacityNs;
    for (let again = true; again; ) {
      again = false;
      this.#pourUncapped(leftNs, shareNs);
      for (let index = 0; index < this.#domains.length; index++) {
        const { from, to, cap } = this.#domains[index];
        if (isAtCap[index] === 1) continue;
        let sumNs = 0;
        for (let vcpu = from; vcpu < to; vcpu++) sumNs += shareNs[vcpu];
        if (sumNs <= cap * lengthNs) continue;
        isAtCap[index] = 1;
        leftNs -= cap * lengthNs;
        again = true;
      }
    }
    for (let index = 0; index < this.#domains.length; index++) {
      const { from, to, cap } = this.#domains[index];
      if (isAtCap[index] === 1) pour(cap * lengthNs, this.#ones, this.#limits, shareNs, from, to);
    }
  }

  #pourUncapped(capacityNs: number, shareNs: Float64Array): void {
    const limits = this.#uncappedLimits;
    limits.set(this.#limits);
    for (let index = 0; index < this.#domains.length; index++) {
      const { from, to } = this.#domains[index];
      if (this.#isAtCap[index] === 1) limits.fill(0, from, to);
    }
    pour(capacityNs, this.#weights, limits, shareNs, 0, limits.length);
  }

  #wanted(index: number): number {
    const { from, to } = this.#domains[index];
    let sumNs = 0;
    for (let vcpu = from; vcpu < to; vcpu++) sumNs += this.#limits[vcpu];
    return sumNs;
  }
}
