/**
 * Eyes on a simulation from outside, for checkers and counters. Hooks see the run from the moment at which
 * the machine is up; the idle domain is 32767. They must not change anything.
 */
export interface SimulationHooks {
  /** `dom`/`vcpu` has become current on `pcpu`. */
  onSwitch?(tNs: number, pcpu: number, dom: number, vcpu: number): void;
  /** The scheduler is about to decide on `pcpu`. */
  onSchedule?(tNs: number, pcpu: number): void;
  /**
   * A vCPU, perhaps an idle one, changes its runstate (Xen's numbers); `pcpu` is where the hypervisor does
   * this.
   */
  onRunstate?(tNs: number, pcpu: number, dom: number, vcpu: number, from: number, to: number): void;
  /** Xen refuses something that the toolstack asks for at this instant, or `xl` does before it asks. */
  onRefusal?(tNs: number, command: string, why: string): void;
  onYield?(tNs: number, dom: number, vcpu: number): void;
  /** A job of a periodic or sporadic task. `deadlineNs` is an instant. */
  onJobRelease?(tNs: number, dom: number, vcpu: number, job: number, deadlineNs: number): void;
  onJobComplete?(tNs: number, dom: number, vcpu: number, job: number): void;
}
