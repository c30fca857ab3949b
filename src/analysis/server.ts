/**
 * One server: a vCPU with a budget in each period, as RTDS has it. It takes what the vCPU did and what the scheduler
 * did with its budget, in time order, and judges each of its periods, from one replenishment to the next.
 * @module
 */
import { BLOCKED, OFFLINE, RUNNABLE, RUNNING, THROTTLED, UNKNOWN } from '../timeline/index.ts';
import { type SampleBudget, Samples } from './samples.ts';
import { ValueRange } from './value-range.ts';

/**
 * What is forgiven: a timer of Xen's may fire so much late (boot parameter timer_slop), so that budgets are taken away
 * and replenished late. With short budgets it is a hundredth of the budget.
 */
const TOLERANCE_NS_MAX = 50_000;

/** The part of a deadline that differences are taken of: two halves, as sums beyond 2^53 are not exact. */
export interface Deadline {
  readonly low: number;
  readonly high: number;
}

export class Server {
  readonly dom: number;
  readonly vcpu: number;
  /** NaN until known. */
  periodNs = Number.NaN;
  budgetNs = Number.NaN;
  /** Complete periods, all of whose states are known; those that are not. */
  periods = 0;
  unknownPeriods = 0;
  /** Periods that it wanted to run throughout: only these can be missed. */
  backlogged = 0;
  missed = 0;
  /** By how much its budget was not served, of missed periods. */
  readonly shortfall = new ValueRange();
  /** Supply on its reservation in backlogged periods. */
  readonly supply: Samples;
  readonly supplyRange = new ValueRange();
  supplyNs = 0;
  extraNs = 0;
  demandNs = 0;
  readonly overrun = new ValueRange();
  replenishments = 0;
  depletions = 0;
  /** It was a sporadic server at some time: then it had no periods. */
  isSporadic = false;
  /** Whether records of burnt budget were seen, which tell of depletions and of extra time. */
  burnsSeen = false;
  levelsSeen = false;
  /** Times without supply while it wanted to run. */
  readonly gap = new ValueRange();

  #state = UNKNOWN;
  #sinceNs: number;
  /** When it stopped running, or woke, without running since; NaN while it runs or does not want to. */
  #gapStartNs = Number.NaN;
  /** The period under way: whether there is one, and what is known of it. */
  #open = false;
  #startNs = 0;
  #deadline: Deadline = { low: 0, high: 0 };
  #level = 0;
  #suppliedNs = 0;
  #extraNs = 0;
  /** Not running though it wanted to. */
  #idleNs = 0;
  /** Of that, since it last woke. */
  #wantNs = 0;
  #slept = false;
  #unknown = false;
  #backloggedBefore = false;
  #lastDifferenceNs = Number.NaN;

  constructor(key: number, state: number, sinceNs: number, budget: SampleBudget) {
    this.dom = key >>> 16;
    this.vcpu = key & 0xffff;
    this.#state = state;
    this.#sinceNs = sinceNs;
    this.supply = new Samples(budget);
  }

  /** The vCPU went from one state to another. */
  change(tNs: number, from: number, to: number): void {
    if (from !== this.#state && this.#state !== UNKNOWN) this.taint();
    this.#advance(tNs);
    this.#state = to;
    if (to === RUNNABLE || to === THROTTLED) {
      if (Number.isNaN(this.#gapStartNs)) this.#gapStartNs = tNs;
      return;
    }
    if (to === RUNNING || to === BLOCKED || to === OFFLINE) this.#endGap(tNs);
    if (to !== RUNNING) this.#wantNs = 0;
    this.#gapStartNs = Number.NaN;
    if (to > THROTTLED) this.#open = false;
  }

  /** Its budget is full again, and its deadline moved. */
  replenish(tNs: number, deadline: Deadline, budgetNs: number): void {
    this.#advance(tNs);
    const backlogged = this.#open && !this.#slept && !this.#unknown;
    if (this.#open) this.#close(tNs, deadline);
    this.replenishments++;
    this.budgetNs = budgetNs;
    this.#open = true;
    this.#startNs = tNs;
    this.#deadline = deadline;
    this.#level = 0;
    this.#suppliedNs = 0;
    this.#extraNs = 0;
    this.#idleNs = 0;
    this.#wantNs = 0;
    this.#slept = false;
    this.#unknown = false;
    this.#backloggedBefore = backlogged;
  }

  /** A part of a sporadic server's budget is back. */
  giveBack(tNs: number): void {
    this.#advance(tNs);
    this.isSporadic = true;
    this.replenishments++;
  }

  /** It pays for the time that it ran; `level` is negative where the record does not tell. */
  burn(tNs: number, budgetNs: number, level: number): void {
    this.#advance(tNs);
    this.burnsSeen = true;
    if (level >= 0) this.levelsSeen = true;
    if (this.#level === 0 && (budgetNs === 0 || level > 0)) this.depletions++;
    this.#level = Math.max(0, level);
  }

  /** Records may be missing: the period under way cannot be judged. */
  taint(): void {
    this.#unknown = true;
  }

  finish(endNs: number): void {
    this.#advance(endNs);
    this.#endGap(endNs);
  }

  #advance(tNs: number): void {
    const ns = tNs - this.#sinceNs;
    this.#sinceNs = tNs;
    if (!(ns > 0)) return;
    switch (this.#state) {
      case RUNNING:
        if (this.#level === 0) this.#suppliedNs += ns;
        else this.#extraNs += ns;
        return;
      case RUNNABLE:
      case THROTTLED:
        this.#idleNs += ns;
        this.#wantNs += ns;
        return;
      case UNKNOWN:
        this.#unknown = true;
        return;
      default:
        this.#slept = true;
    }
  }

  #endGap(tNs: number): void {
    if (!Number.isNaN(this.#gapStartNs)) this.gap.add(tNs - this.#gapStartNs, this.#gapStartNs);
  }

  /** The period under way ends, by a replenishment that sets the deadline `next`. */
  #close(tNs: number, next: Deadline): void {
    const differenceNs = (next.high - this.#deadline.high) * 2 ** 32 + next.low - this.#deadline.low;
    const throughout = !this.#slept && !this.#unknown;
    this.#learnPeriod(differenceNs, throughout);
    if (this.#unknown) {
      this.unknownPeriods++;
      return;
    }
    this.periods++;
    const budgetNs = this.budgetNs;
    const suppliedNs = this.#suppliedNs;
    this.supplyNs += suppliedNs;
    this.extraNs += this.#extraNs;
    this.demandNs += suppliedNs + Math.min(Math.max(0, budgetNs - suppliedNs), this.#wantNs);
    const toleranceNs = Math.min(TOLERANCE_NS_MAX, budgetNs / 100);
    if (differenceNs !== this.periodNs) return;
    if (suppliedNs > budgetNs + toleranceNs) this.overrun.add(suppliedNs - budgetNs, this.#startNs);
    const whole = this.#backloggedBefore || tNs - this.#startNs >= differenceNs - toleranceNs;
    if (throughout && whole) this.#judge(budgetNs, toleranceNs);
  }

  #judge(budgetNs: number, toleranceNs: number): void {
    this.backlogged++;
    this.supply.add(this.#suppliedNs, this.#startNs);
    this.supplyRange.add(this.#suppliedNs);
    const shortfallNs = budgetNs - this.#suppliedNs;
    if (shortfallNs <= toleranceNs || this.#idleNs === 0) return;
    this.missed++;
    this.shortfall.add(shortfallNs, this.#startNs);
  }

  /**
   * Deadlines move by a period, or by several when the vCPU slept meanwhile. So the smallest difference is the period,
   * until two in a row that it did not sleep through agree on another.
   */
  #learnPeriod(differenceNs: number, throughout: boolean): void {
    if (!(differenceNs > 0)) return;
    const agree = throughout && differenceNs === this.#lastDifferenceNs;
    if (agree || !(differenceNs >= this.periodNs)) this.periodNs = differenceNs;
    this.#lastDifferenceNs = throughout ? differenceNs : Number.NaN;
  }
}
