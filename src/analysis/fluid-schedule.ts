/**
 * The ideal fluid schedule of what the vCPUs of a log had to do: at each instant those that have work left are
 * served at the rates that weights, caps and reservations entitle them to, as if pCPUs could be divided without end
 * (generalized processor sharing: Parekh and Gallager, "A Generalized Processor Sharing Approach to Flow Control in
 * Integrated Services Networks: The Single-Node Case", IEEE/ACM Transactions on Networking 1(3), 1993). A vCPU's
 * *lag* is what it would have been served by then, less what it ran.
 *
 * It goes window by window: within one, work is served as if it had been there from the window's start; but a vCPU
 * with nothing left from before is served no longer than it ran or waited there. A window in which states are not
 * known makes every lag begin anew at 0.
 * @module
 */
import type { Division } from './division.ts';
import type { HostWindows, MemberWindows, ServiceLog } from './service-log.ts';
import { at } from './windowed-sums.ts';

/** A window is not judged when more than this part of it is unknown. */
const UNKNOWN_MAX = 0.01;

/** The vCPUs of a log in the order of a division, where those of a domain are neighbours. */
export interface Flows {
  /** Members of the log. */
  readonly order: readonly number[];
  /** By place in the order: index of its domain, ascending from 0. */
  readonly domainOf: Int32Array;
  /** Likewise: how far ahead it may be taken to be. RTDS does not hold against a vCPU what it ran on extra time. */
  readonly aheadMaxNs: Float64Array;
}

/** The furthest that somebody was behind and ahead of the fluid schedule, and when: ends of windows. */
export class Lags {
  readonly behindNs: Float64Array;
  readonly behindAtNs: Float64Array;
  /** At most 0. */
  readonly aheadNs: Float64Array;
  readonly aheadAtNs: Float64Array;

  constructor(count: number) {
    this.behindNs = new Float64Array(count);
    this.behindAtNs = new Float64Array(count);
    this.aheadNs = new Float64Array(count);
    this.aheadAtNs = new Float64Array(count);
  }

  note(index: number, lagNs: number, atNs: number): void {
    if (lagNs > this.behindNs[index]) {
      this.behindNs[index] = lagNs;
      this.behindAtNs[index] = atNs;
    } else if (lagNs < this.aheadNs[index]) {
      this.aheadNs[index] = lagNs;
      this.aheadAtNs[index] = atNs;
    }
  }
}

export class FluidSchedule {
  /** By place in the order: what it would have been served. */
  readonly entitlementNs: Float64Array;
  readonly vcpuLags: Lags;
  readonly domainLags: Lags;
  /** Whether any window was known well enough for lags. */
  hasLags = false;
  readonly #flows: Flows;
  readonly #windows: readonly MemberWindows[];
  /** By place in the order: what it has to do yet, in fact and in the fluid schedule, and how far it is behind. */
  readonly #leftNs: Float64Array;
  readonly #fluidLeftNs: Float64Array;
  readonly #lagNs: Float64Array;
  /** Likewise, of the present window: what it can use, and what it is served. */
  readonly #wantNs: Float64Array;
  readonly #shareNs: Float64Array;
  readonly #domainLagNs: Float64Array;

  /** Works through the log, in its first windows, from `fromNs` to `endNs`. */
  constructor(log: ServiceLog, flows: Flows, division: Division, fromNs: number, endNs: number) {
    const windows = log.windows[0];
    const count = flows.order.length;
    const domains = count === 0 ? 0 : flows.domainOf[count - 1] + 1;
    this.#flows = flows;
    this.#windows = flows.order.map((member) => log.memberWindows(windows, member));
    this.entitlementNs = new Float64Array(count);
    this.vcpuLags = new Lags(count);
    this.domainLags = new Lags(domains);
    this.#leftNs = new Float64Array(count);
    this.#fluidLeftNs = new Float64Array(count);
    this.#lagNs = new Float64Array(count);
    this.#wantNs = new Float64Array(count);
    this.#shareNs = new Float64Array(count);
    this.#domainLagNs = new Float64Array(domains);
    const host = log.hostWindows(windows);
    const { windowNs } = windows;
    for (let window = 0; window < windows.count; window++) {
      const startNs = fromNs + window * windowNs;
      const lengthNs = Math.min(windowNs, endNs - startNs);
      if (lengthNs <= 0) break;
      this.#step(host, division, window, lengthNs);
      this.#noteLags(startNs + lengthNs);
    }
  }

  /** Works through one window. */
  #step(host: HostWindows, division: Division, window: number, lengthNs: number): void {
    const ranNs = this.#want(window, lengthNs);
    division.divide(ranNs + this.#usableIdle(host, window), lengthNs, this.#wantNs, this.#shareNs);
    const isKnown = isKnownTime(at(host.unknownNs, window), lengthNs);
    this.hasLags ||= isKnown;
    this.#serve(window, isKnown);
  }

  /** Finds what everybody can use of a window; returns for how long everybody ran in it. */
  #want(window: number, lengthNs: number): number {
    let sumNs = 0;
    for (let index = 0; index < this.#wantNs.length; index++) {
      const { runNs, waitNs, workNs, pausedNs } = this.#windows[index];
      const ranNs = at(runNs, window);
      const activeNs = ranNs + at(waitNs, window);
      sumNs += ranNs;
      // One that has something to do, and is not there to do it all along, is gone.
      const isGone = this.#leftNs[index] > 0 && activeNs === 0;
      const presentNs = this.#fluidLeftNs[index] > 0 ? lengthNs - at(pausedNs, window) : activeNs;
      const longestNs = isGone ? 0 : presentNs;
      this.#wantNs[index] = Math.max(0, Math.min(longestNs, this.#fluidLeftNs[index] + at(workNs, window)));
    }
    return sumNs;
  }

  /** Idle time that the fluid schedule can use: what the scheduler could have, and what only it has to do yet. */
  #usableIdle(host: HostWindows, window: number): number {
    let owedNs = 0;
    for (let index = 0; index < this.#leftNs.length; index++) {
      owedNs += this.#fluidLeftNs[index] - this.#leftNs[index];
    }
    // Where it is ahead of the host, that used idle time before: it may do so again.
    const moreNs = at(host.throttledNs, window) + Math.max(0, owedNs);
    return usableIdle(at(host.idleNs, window), at(host.lostNs, window), moreNs);
  }

  #serve(window: number, isKnown: boolean): void {
    this.#domainLagNs.fill(0);
    for (let index = 0; index < this.#wantNs.length; index++) {
      const { runNs, workNs } = this.#windows[index];
      const ranNs = at(runNs, window);
      const shareNs = this.#shareNs[index];
      const work = at(workNs, window);
      this.entitlementNs[index] += shareNs;
      this.#leftNs[index] += work - ranNs;
      // Work that went away unserved may have been served here.
      this.#fluidLeftNs[index] = Math.max(0, this.#fluidLeftNs[index] + work - shareNs);
      this.#setLag(index, isKnown ? this.#lagNs[index] + shareNs - ranNs : 0, isKnown);
      this.#domainLagNs[this.#flows.domainOf[index]] += this.#lagNs[index];
    }
  }

  /** Where a lag begins anew, or may not be as low, the fluid schedule goes on from what there is to do in fact. */
  #setLag(index: number, lagNs: number, isKnown: boolean): void {
    const lowestNs = -this.#flows.aheadMaxNs[index];
    this.#lagNs[index] = Math.max(lagNs, lowestNs);
    if (!isKnown || lagNs < lowestNs) this.#fluidLeftNs[index] = this.#leftNs[index] - this.#lagNs[index];
  }

  #noteLags(atNs: number): void {
    for (let index = 0; index < this.#lagNs.length; index++) {
      this.vcpuLags.note(index, this.#lagNs[index], atNs);
    }
    for (let index = 0; index < this.#domainLagNs.length; index++) {
      this.domainLags.note(index, this.#domainLagNs[index], atNs);
    }
  }
}

/** Whether a window is known well enough to be judged, when `unknownNs` of it are not known. */
export function isKnownTime(unknownNs: number, lengthNs: number): boolean {
  return unknownNs <= UNKNOWN_MAX * lengthNs;
}

/**
 * How much of `idleNs` could have been put to use: what was lost while somebody waited, and up to `moreNs` of the
 * rest.
 */
export function usableIdle(idleNs: number, lostNs: number, moreNs: number): number {
  const lost = Math.min(lostNs, idleNs);
  return lost + Math.max(0, Math.min(idleNs - lost, moreNs));
}
