/**
 * A log put into the order of a division, with everybody's promises, and its ideal fluid schedule.
 * @module
 */
import { Division, type DomainClaim, type Weighed } from './division.ts';
import type { Judged } from './fairness-windows.ts';
import { type Flows, FluidSchedule } from './fluid-schedule.ts';
import type { Promises, ReservationPromise, Source } from './promises.ts';
import type { ServiceLog } from './service-log.ts';

/** A right to pCPU time, and how it is known. */
interface Reserved {
  /** In pCPUs. */
  readonly reservation: number | null;
  readonly source: Source | null;
}

/** Indices are places in the order: of vCPUs, and of domains. */
export class FairnessOf implements Judged {
  readonly log: ServiceLog;
  readonly flows: Flows;
  readonly domains: readonly DomainClaim[];
  readonly division: Division;
  readonly fluid: FluidSchedule;
  readonly fromNs: number;
  readonly endNs: number;
  /** By vCPU. */
  readonly ranNs: Float64Array;
  readonly demandNs: Float64Array;
  /** Time of pCPUs, as far as it is known. */
  readonly capacityNs: number;
  readonly #reservations: readonly (ReservationPromise | undefined)[];

  constructor(log: ServiceLog, promises: Promises, weighed: Weighed, fromNs: number, endNs: number) {
    const { doms, vcpus } = log;
    const order = doms.map((_, member) => member).sort((a, b) => doms[a] - doms[b] || vcpus[a] - vcpus[b]);
    this.log = log;
    this.fromNs = fromNs;
    this.endNs = endNs;
    this.ranNs = Float64Array.from(order, (member) => log.runNs[member]);
    this.demandNs = Float64Array.from(order, (member) => log.demandNs[member]);
    this.capacityNs = this.ranNs.reduce((sum, ns) => sum + ns, log.idleNs);
    this.#reservations = order.map((member) => promises.reservationOf(doms[member], vcpus[member]));
    const borders = order.flatMap((member, index) => {
      return index > 0 && doms[order[index - 1]] === doms[member] ? [] : [index];
    });
    this.domains = borders.map((from, index): DomainClaim => {
      const dom = doms[order[from]];
      const to = borders[index + 1] ?? order.length;
      const { weight, cap } = promises.of(dom);
      const isReserved = this.#reservations.slice(from, to).some((promise) => promise !== undefined);
      const capPcpus = cap === undefined ? Number.POSITIVE_INFINITY : cap / 100;
      return { dom, from, to, weight, cap: capPcpus, isReserved };
    });
    const domainOf = new Int32Array(order.length);
    for (const [index, { from, to }] of this.domains.entries()) domainOf.fill(index, from, to);
    const aheadMaxNs = Float64Array.from(this.#reservations, (promise) => {
      return promise === undefined ? Number.POSITIVE_INFINITY : promise.reservation.budgetNs;
    });
    this.flows = { order, domainOf, aheadMaxNs };
    this.division = new Division(this.domains, Float64Array.from(this.#reservations, rateOf), weighed);
    this.fluid = new FluidSchedule(log, this.flows, this.division, fromNs, endNs);
  }

  /** Domains that wanted to run, ascending. */
  domainIndices(): number[] {
    return this.domains.flatMap((_, index) => (this.ofDomain(index, this.demandNs) > 0 ? [index] : []));
  }

  /** vCPUs that wanted to run, ascending. */
  vcpuIndices(): number[] {
    return [...this.demandNs.keys()].filter((index) => this.demandNs[index] > 0);
  }

  /** Its domain and number. */
  vcpuAt(index: number): [dom: number, vcpu: number] {
    const member = this.flows.order[index];
    return [this.log.doms[member], this.log.vcpus[member]];
  }

  /** The sum of a domain's vCPUs. */
  ofDomain(index: number, byVcpu: Float64Array): number {
    const { from, to } = this.domains[index];
    let sum = 0;
    for (let vcpu = from; vcpu < to; vcpu++) sum += byVcpu[vcpu];
    return sum;
  }

  vcpuReservation(index: number): Reserved {
    return reserved([this.#reservations[index]]);
  }

  domainReservation(index: number): Reserved {
    const { from, to } = this.domains[index];
    return reserved(this.#reservations.slice(from, to));
  }
}

function rateOf(promise: ReservationPromise | undefined): number {
  return promise === undefined ? 0 : promise.reservation.budgetNs / promise.reservation.periodNs;
}

function reserved(promises: readonly (ReservationPromise | undefined)[]): Reserved {
  const known = promises.filter((promise) => promise !== undefined);
  if (known.length === 0) return { reservation: null, source: null };
  const isTraced = known.every(({ source }) => source === 'trace');
  return {
    reservation: known.reduce((sum, promise) => sum + rateOf(promise), 0),
    source: isTraced ? 'trace' : 'given',
  };
}
