import { FLOAT_ZERO } from '../../../base/zero.ts';
import type { ServerKind } from '../../../scenario/scenario.ts';

/**
 * The budget of a server of RT-Xen 1.0: what it has, and what comes back and when. All are asked in the order
 * of time; what happens between two instants does not depend on how often they are asked.
 */
export interface Budget {
  readonly kind: ServerKind;
  /** What may be used now. */
  readonly leftNs: number;
  /** When it next gets anything; Infinity: it lacks nothing. */
  readonly dueNs: number;
  /** What it gets at `dueNs`, which is now or past. */
  replenish(): void;
  /** It ran for so long, at most `leftNs`. */
  use(ns: number): void;
  /** Its guest has work from now on. */
  workComes(nowNs: number): void;
  /**
   * Its guest has no work, from now on or still. Work that comes at the start of a period is in time for it.
   */
  loseWork(): void;
  /** New parameters; see the kinds. */
  change(periodNs: number, budgetNs: number, nowNs: number): void;
}

/** The end of the period that `nowNs` is in. Periods of all servers begin at 0. */
function endOfPeriod(periodNs: number, nowNs: number): number {
  return (Math.floor(nowNs / periodNs) + 1) * periodNs;
}

/**
 * Of deferrable, periodic and polling servers: full at the start of each period, whatever was left. They
 * differ in what becomes of it without work: a deferrable server keeps it; a periodic one uses it as if it
 * had work, which is the scheduler's business; a polling one loses it at once. New parameters count from the
 * next period on.
 */
export class PeriodBudget implements Budget {
  readonly kind: Exclude<ServerKind, 'sporadic'>;
  leftNs: number;
  dueNs: number;
  #periodNs: number;
  #budgetNs: number;

  constructor(kind: Exclude<ServerKind, 'sporadic'>, periodNs: number, budgetNs: number, nowNs: number) {
    this.kind = kind;
    this.#periodNs = periodNs;
    this.#budgetNs = budgetNs;
    this.leftNs = budgetNs;
    this.dueNs = endOfPeriod(periodNs, nowNs);
  }

  replenish(): void {
    this.leftNs = this.#budgetNs;
    this.dueNs += this.#periodNs;
  }

  use(ns: number): void {
    this.leftNs -= ns;
  }

  workComes(): void {}

  loseWork(): void {
    if (this.kind === 'polling') this.leftNs = 0;
  }

  change(periodNs: number, budgetNs: number): void {
    this.#periodNs = periodNs;
    this.#budgetNs = budgetNs;
  }
}

/** A part of a sporadic server's budget. */
interface Chunk {
  /** When it may be used, or since when the server is active with it. */
  fromNs: number;
  ns: number;
}

/**
 * Of a sporadic server (Sprunt, Lehoczky and Sha, "Aperiodic task scheduling for hard-real-time systems",
 * 1989): what was used comes back one period after the server became active with it. The server is active
 * while it has work and budget. Budget that comes while it is active is a part by itself, which comes back
 * one period after it came and not sooner: without that a server that is kept waiting would take more from
 * others than a periodic task (Stanovich, Baker, Wang and Gonzalez Harbour, "Defects of the POSIX sporadic
 * server and how to correct them", 2010).
 *
 * All parts together are always the whole budget.
 */
export class SporadicBudget implements Budget {
  readonly kind = 'sporadic';
  leftNs = FLOAT_ZERO;
  #periodNs: number;
  /** Those that may be used come first; in the order of time. */
  readonly #chunks: Chunk[] = [];
  /** How many of them may be used. */
  #usable = 0;

  constructor(periodNs: number, leftNs: number, restNs: number, restAtNs: number, nowNs: number) {
    this.#periodNs = periodNs;
    if (restNs > 0) this.#chunks.push({ fromNs: restAtNs, ns: restNs });
    if (leftNs > 0) {
      this.#chunks.unshift({ fromNs: nowNs, ns: leftNs });
      this.#usable = 1;
      this.leftNs = leftNs;
    }
  }

  get dueNs(): number {
    return this.#chunks[this.#usable]?.fromNs ?? Infinity;
  }

  /** All parts together. */
  get wholeNs(): number {
    return this.#chunks.reduce((sum, { ns }) => sum + ns, 0);
  }

  replenish(): void {
    this.leftNs += this.#chunks[this.#usable]!.ns;
    this.#usable += 1;
  }

  use(ns: number): void {
    this.leftNs -= ns;
    for (let rest = ns; rest > 0; ) {
      const first = this.#chunks[0]!;
      const used = Math.min(rest, first.ns);
      rest -= used;
      first.ns -= used;
      if (first.ns === 0) {
        this.#chunks.shift();
        this.#usable -= 1;
      }
      this.#returnAt(first.fromNs + this.#periodNs, used);
    }
  }

  #returnAt(fromNs: number, ns: number): void {
    let at = this.#chunks.length;
    while (at > this.#usable && this.#chunks[at - 1]!.fromNs > fromNs) at -= 1;
    const before = at > this.#usable ? this.#chunks[at - 1] : undefined;
    if (before?.fromNs === fromNs) before.ns += ns;
    else this.#chunks.splice(at, 0, { fromNs, ns });
  }

  /** Becomes active with all that it has. */
  workComes(nowNs: number): void {
    const { leftNs } = this;
    if (leftNs === 0) return;
    this.#chunks.splice(0, this.#usable, { fromNs: nowNs, ns: leftNs });
    this.#usable = 1;
  }

  loseWork(): void {}

  /** What it has stays, up to the new budget; what it lacks comes one new period from now. */
  change(periodNs: number, budgetNs: number, nowNs: number): void {
    const leftNs = Math.min(this.leftNs, budgetNs);
    this.#periodNs = periodNs;
    this.#chunks.length = 0;
    if (leftNs > 0) this.#chunks.push({ fromNs: nowNs, ns: leftNs });
    this.#usable = this.#chunks.length;
    this.leftNs = leftNs;
    if (budgetNs > leftNs) this.#chunks.push({ fromNs: nowNs + periodNs, ns: budgetNs - leftNs });
  }
}

/** A server as new: with its whole budget. */
export function fullBudget(kind: ServerKind, periodNs: number, budgetNs: number, nowNs: number): Budget {
  return kind === 'sporadic'
    ? new SporadicBudget(periodNs, budgetNs, 0, 0, nowNs)
    : new PeriodBudget(kind, periodNs, budgetNs, nowNs);
}

/**
 * The same server as one of another kind. What it has it keeps; what it lacks comes at the end of the period,
 * a sporadic server's own being the one that ends with the next whole multiple of its length.
 */
export function convertBudget(
  old: Budget,
  kind: ServerKind,
  periodNs: number,
  budgetNs: number,
  nowNs: number,
): Budget {
  if (old.kind === kind) return old;
  const leftNs = Math.min(old.leftNs, budgetNs);
  const endNs = old.kind === 'sporadic' ? endOfPeriod(periodNs, nowNs) : old.dueNs;
  if (kind === 'sporadic') return new SporadicBudget(periodNs, leftNs, budgetNs - leftNs, endNs, nowNs);
  const budget = new PeriodBudget(kind, periodNs, budgetNs, nowNs);
  budget.leftNs = leftNs;
  budget.dueNs = endNs;
  return budget;
}
