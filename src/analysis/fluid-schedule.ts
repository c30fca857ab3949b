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
import type { MemberColumns, ServiceLog } from './service-log.ts';
import type { WindowedSums } from './windowed-sums.ts';

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
  readonly #windows: WindowedSums;
  readonly #columns: MemberColumns;
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
    this.#windows = windows;
    this.#columns = log.memberColumns(windows, flows.order);
    this.entitlementNs = new Float64Array(count);
    this.vcpuLags = new Lags(count);
    this.domainLags = new Lags(domains);
    this.#leftNs = new Float64Array(count);
    this.#fluidLeftNs = new Float64Array(count);
    this.#lagNs = new Float64Array(count);
    this.#wantNs = new Float64Array(count);
    this.#shareNs = new Float64Array(count);
    this.#domainLagNs = new Float64Array(domains);
    const { windowNs } = windows;
    const host = log.hostColumns(windows);
    for (let window = 0; window < windows.count; window++) {
      const startNs = fromNs + window * windowNs;
      const lengthNs = Math.min(windowNs, endNs - startNs);
      if (lengthNs <= 0) break;
      const hostNs = (column: number) => windows.cells[windows.row(window) + column];
      const ranNs = this.#want(window, lengthNs);
      const usableNs = this.#usableIdle(hostNs(host.idle), hostNs(host.lost), hostNs(host.throttled));
      division.divide(ranNs + usableNs, lengthNs, this.#wantNs, this.#shareNs);
      const isKnown = isKnownTime(hostNs(host.unknown), lengthNs);
      this.hasLags ||= isKnown;
      this.#serve(window, isKnown);
      this.#noteLags(startNs + lengthNs);
    }
  }

  /** Finds what everybody can use of a window; returns for how long everybody ran in it. */
  #want(window: number, lengthNs: number): number {
    const { run, wait, work, paused } = this.#columns;
    const { cells } = this.#windows;
    const row = this.#windows.row(window);
    let sumNs = 0;
    for (let index = 0; index < this.#wantNs.length; index++) {
      const ranNs = cells[row + run[index]];
      const activeNs = ranNs + cells[row + wait[index]];
      sumNs += ranNs;
      // One that has something to do, and is not there to do it all along, is gone.
      const isGone = this.#leftNs[index] > 0 && activeNs === 0;
      const presentNs = this.#fluidLeftNs[index] > 0 ? lengthNs - cells[row + paused[index]] : activeNs;
      const longestNs = isGone ? 0 : presentNs;
      const leftNs = this.#fluidLeftNs[index] + cells[row + work[index]];
      this.#wantNs[index] = Math.max(0, Math.min(longestNs, leftNs));
    }
    return sumNs;
  }

  /** Idle time that the fluid schedule can use: what the scheduler could have, and what only it has to do yet. */
  #usableIdle(idleNs: number, lostNs: number, throttledNs: number): number {
    let owedNs = 0;
    for (let index = 0; index < this.#leftNs.length; index++) {
      owedNs += this.#fluidLeftNs[index] - this.#leftNs[index];
    }
    // Where it is ahead of the host, that used idle time before: it may do so again.
    return usableIdle(idleNs, lostNs, throttledNs + Math.max(0, owedNs));
  }

  #serve(window: number, isKnown: boolean): void {
    const { run, work } = this.#columns;
    const { cells } = this.#windows;
    const row = this.#windows.row(window);
    this.#domainLagNs.fill(0);
    for (let index = 0; index < this.#wantNs.length; index++) {
      const ranNs = cells[row + run[index]];
      const shareNs = this.#shareNs[index];
      const workNs = cells[row + work[index]];
      this.entitlementNs[index] += shareNs;
      this.#leftNs[index] += workNs - ranNs;
      // Work that went away unserved may have been served here.
      this.#fluidLeftNs[index] = Math.max(0, this.#fluidLeftNs[index] + workNs - shareNs);
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
