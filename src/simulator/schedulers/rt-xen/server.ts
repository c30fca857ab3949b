import type { ServerKind } from '../../../scenario/scenario.ts';
import type { Vcpu } from '../../vcpu.ts';
import { type Budget, fullBudget } from './budgets.ts';

/** What a vCPU has before it is given parameters, as in RT-Xen 2.0. */
const DEFAULT_PERIOD_NS = 10_000_000;
const DEFAULT_BUDGET_NS = 4_000_000;

/** A vCPU as RT-Xen 1.0 sees it. */
export class RtXenServer {
  readonly vcpu: Vcpu;
  /** When it came to this scheduler. */
  readonly sinceNs: number;
  periodNs = DEFAULT_PERIOD_NS;
  budgetNs = DEFAULT_BUDGET_NS;
  /** Lower numbers go first. */
  priority = 0;
  budget: Budget;
  /** Its guest has not said that it waits for an event. */
  hasWork = false;
  /** Where it is among its equals, lower numbers in front. */
  arrival = 0;

  constructor(vcpu: Vcpu, kind: ServerKind, nowNs: number) {
    this.vcpu = vcpu;
    this.sinceNs = nowNs;
    this.budget = fullBudget(kind, this.periodNs, this.budgetNs, nowNs);
  }

  /** With its parameters of now, as if it were new. */
  refill(kind: ServerKind, nowNs: number): void {
    this.budget = fullBudget(kind, this.periodNs, this.budgetNs, nowNs);
  }

  /** By priority, of equal ones by the shorter period (rate monotonic), of equal ones by arrival. */
  precedes(other: RtXenServer): boolean {
    if (this.priority !== other.priority) return this.priority < other.priority;
    if (this.periodNs !== other.periodNs) return this.periodNs < other.periodNs;
    return this.arrival < other.arrival;
  }
}

export function serverOf(vcpu: Vcpu): RtXenServer {
  return vcpu.schedulerData as RtXenServer;
}
