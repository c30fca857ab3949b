/**
 * What each vCPU of a host, or of a run queue, ran, waited, and had to do, in windows of time.
 *
 * A *burst* is what a vCPU does from waking to blocking. Its *work* is the time that it ran in it: then it got done
 * what it wanted, and waiting was delay and not want of time. A burst that is not seen to end by blocking could
 * have used all the time in which it ran or waited. The work of a burst comes when it wakes.
 *
 * So a vCPU's *demand* in any stretch of time is the lesser of the time in which it ran or waited there, and the
 * work that it had: left from before, or come meanwhile.
 * @module
 */
import { WindowedSums } from './windowed-sums.ts';

/** Series of a log; each vCPU has some of its own after these. */
const UNKNOWN_TIME = 0;
const IDLE_TIME = 1;
const LOST_TIME = 2;
const THROTTLED_TIME = 3;
const FIRST_MEMBER = 4;
const SERIES_PER_MEMBER = 4;
/** No burst is under way. */
const NO_BURST = -1;

/** Where a window's sums have what is known of all together. */
export interface HostColumns {
  /** Time of vCPUs of which nobody knows what they did. */
  readonly unknown: number;
  /** Time of pCPUs without work. */
  readonly idle: number;
  /** The part of it in which somebody waited. */
  readonly lost: number;
  /** Time of vCPUs that were kept back by their own limits. */
  readonly throttled: number;
}

/** Where a window's sums have what vCPUs did, each by place in a list of members. */
export interface MemberColumns {
  readonly run: Int32Array;
  /** Time in which it waited, delay or not. */
  readonly wait: Int32Array;
  /** Work that came. */
  readonly work: Int32Array;
  /** Time in which a pause kept it from what it had to do. */
  readonly paused: Int32Array;
}

export class ServiceLog {
  /** By length of their windows, as asked for. */
  readonly windows: readonly WindowedSums[];
  /** By member: its domain, its number there, its whole time running and its whole demand. */
  readonly doms: number[] = [];
  readonly vcpus: number[] = [];
  runNs = new Float64Array(64);
  demandNs = new Float64Array(64);
  /** Time in which pCPUs are known to have been idle. */
  idleNs = 0;
  /** By the timeline's index of a vCPU, -1: none yet. */
  #memberOf = new Int32Array(64).fill(-1);
  /** By member: when its burst began, up to when it is known, and how much of it was running and waiting. */
  #burstStartNs = new Float64Array(64).fill(NO_BURST);
  #burstEndNs = new Float64Array(64);
  #burstRunNs = new Float64Array(64);
  #burstWaitNs = new Float64Array(64);

  constructor(fromNs: number, windowsNs: readonly number[], cellsMax?: number) {
    this.windows = windowsNs.map((windowNs) => new WindowedSums(windowNs, fromNs, cellsMax));
  }

  /** The member that is the vCPU with the index `vcpuIndex`; the same in every call. */
  member(vcpuIndex: number, dom: number, vcpu: number): number {
    const found = vcpuIndex < this.#memberOf.length ? this.#memberOf[vcpuIndex] : -1;
    return found >= 0 ? found : this.#add(vcpuIndex, dom, vcpu);
  }

  ran(member: number, startNs: number, endNs: number): void {
    this.#continue(member, startNs, endNs);
    this.runNs[member] += endNs - startNs;
    this.#burstRunNs[member] += endNs - startNs;
    this.#addTime(FIRST_MEMBER + SERIES_PER_MEMBER * member, startNs, endNs);
  }

  waited(member: number, startNs: number, endNs: number): void {
    this.#continue(member, startNs, endNs);
    this.#burstWaitNs[member] += endNs - startNs;
    this.#addTime(FIRST_MEMBER + SERIES_PER_MEMBER * member + 1, startNs, endNs);
  }

  /** It was kept from running by its own limit: that is waiting too. */
  throttled(member: number, startNs: number, endNs: number): void {
    this.waited(member, startNs, endNs);
    this.#addTime(THROTTLED_TIME, startNs, endNs);
  }

  /** It was kept from running by a pause: what it had to do is left. */
  paused(member: number, startNs: number, endNs: number): void {
    if (this.#burstStartNs[member] === NO_BURST) return;
    this.#continue(member, startNs, endNs);
    this.#addTime(FIRST_MEMBER + SERIES_PER_MEMBER * member + 3, startNs, endNs);
  }

  /** It blocked: it got done what it wanted. */
  blocked(member: number): void {
    if (this.#burstStartNs[member] === NO_BURST) return;
    const workNs = this.#burstRunNs[member];
    this.demandNs[member] += workNs;
    this.#addWork(member, this.#burstStartNs[member], workNs);
    this.#endBurst(member);
  }

  unknown(member: number, startNs: number, endNs: number): void {
    this.#cut(member);
    this.#addTime(UNKNOWN_TIME, startNs, endNs);
  }

  idle(startNs: number, endNs: number): void {
    this.idleNs += endNs - startNs;
    this.#addTime(IDLE_TIME, startNs, endNs);
  }

  /** `pcpus` pCPUs were idle while as many vCPUs waited: time that somebody could have had. */
  lost(pcpus: number, startNs: number, endNs: number): void {
    for (let times = 0; times < pcpus; times++) this.#addTime(LOST_TIME, startNs, endNs);
  }

  /** The bursts that are under way end with the trace. */
  finish(): void {
    for (let member = 0; member < this.doms.length; member++) {
      if (this.#burstStartNs[member] === NO_BURST) continue;
      this.#addWork(member, this.#burstStartNs[member], this.#addDemand(member));
      this.#endBurst(member);
    }
  }

  /** Where `windows` have what is known of all vCPUs and pCPUs together. */
  hostColumns(windows: WindowedSums): HostColumns {
    return {
      unknown: windows.column(UNKNOWN_TIME),
      idle: windows.column(IDLE_TIME),
      lost: windows.column(LOST_TIME),
      throttled: windows.column(THROTTLED_TIME),
    };
  }

  /** Where `windows` have what each of `members` did. */
  memberColumns(windows: WindowedSums, members: readonly number[]): MemberColumns {
    const columns = (series: number) => {
      return Int32Array.from(members, (member) => {
        return windows.column(FIRST_MEMBER + SERIES_PER_MEMBER * member + series);
      });
    };
    return { run: columns(0), wait: columns(1), work: columns(2), paused: columns(3) };
  }

  /** Puts an interval to the burst of a vCPU; one that does not begin where the last one ended begins another. */
  #continue(member: number, startNs: number, endNs: number): void {
    if (this.#burstStartNs[member] === NO_BURST || this.#burstEndNs[member] !== startNs) {
      this.#cut(member);
      this.#burstStartNs[member] = startNs;
    }
    this.#burstEndNs[member] = endNs;
  }

  /** The burst of a vCPU is lost sight of. What it still waited for goes with it, once this window is over. */
  #cut(member: number): void {
    if (this.#burstStartNs[member] === NO_BURST) return;
    this.#addWork(member, this.#burstStartNs[member], this.#addDemand(member));
    const waitNs = this.#burstWaitNs[member];
    const goneNs = this.#burstEndNs[member] + this.windows[0].windowNs;
    if (waitNs > 0) this.#addWork(member, goneNs, -waitNs);
    this.#endBurst(member);
  }

  #addDemand(member: number): number {
    const workNs = this.#burstRunNs[member] + this.#burstWaitNs[member];
    this.demandNs[member] += workNs;
    return workNs;
  }

  #endBurst(member: number): void {
    this.#burstStartNs[member] = NO_BURST;
    this.#burstRunNs[member] = 0;
    this.#burstWaitNs[member] = 0;
  }

  #addTime(series: number, startNs: number, endNs: number): void {
    for (let index = 0; index < this.windows.length; index++) this.windows[index].add(series, startNs, endNs);
  }

  #addWork(member: number, atNs: number, ns: number): void {
    const series = FIRST_MEMBER + SERIES_PER_MEMBER * member + 2;
    for (let index = 0; index < this.windows.length; index++) this.windows[index].addAt(series, atNs, ns);
  }

  #add(vcpuIndex: number, dom: number, vcpu: number): number {
    while (vcpuIndex >= this.#memberOf.length) {
      const grown = new Int32Array(this.#memberOf.length * 2).fill(-1);
      grown.set(this.#memberOf);
      this.#memberOf = grown;
    }
    const member = this.doms.push(dom) - 1;
    this.vcpus.push(vcpu);
    this.#memberOf[vcpuIndex] = member;
    if (member === this.runNs.length) this.#grow();
    this.#burstStartNs[member] = NO_BURST;
    return member;
  }

  #grow(): void {
    this.runNs = doubled(this.runNs);
    this.demandNs = doubled(this.demandNs);
    this.#burstStartNs = doubled(this.#burstStartNs);
    this.#burstEndNs = doubled(this.#burstEndNs);
    this.#burstRunNs = doubled(this.#burstRunNs);
    this.#burstWaitNs = doubled(this.#burstWaitNs);
  }
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(values.length * 2);
  grown.set(values);
  return grown;
}
