import type {
  Arinc653Table,
  DomainSettings,
  PriorityScheme,
  SchedulerName,
  SedfChange,
  ServerKind,
  ServerParameters,
} from '../scenario/scenario.ts';
import type { Cpumask } from './cpumask.ts';
import type { Cpupool } from './cpupool.ts';
import type { Pcpu } from './pcpu.ts';
import type { Domain, Vcpu } from './vcpu.ts';

/**
 * What the hypervisor core asks of a scheduler: the hooks of Xen's struct scheduler (common/sched/private.h),
 * under their own names. A scheduler knows its run queues and parameters; runstates, contexts, softirqs and
 * timers are the core's. Where Xen says unit, this says vCPU: there is one to each.
 *
 * A scheduler keeps its data in `schedulerData` of pCPUs, domains and vCPUs and looks at nobody else's.
 * Hooks that are left out do nothing.
 */
export interface Scheduler {
  readonly name: SchedulerName;

  /**
   * The pCPU joins the pool (alloc_pdata and switch_sched); `pcpu.idle.schedulerData` has been allocated.
   * Sets `pcpu.schedulerData` and answers the number of the run queue lock that serves the pCPU.
   */
  addPcpu(pcpu: Pcpu, pool: Cpupool): number;
  /** The pCPU leaves (deinit_pdata, free_pdata). */
  removePcpu?(pcpu: Pcpu): void;
  /** The pCPU came back and its timers are to run on it again (move_timers). */
  moveTimers?(pcpu: Pcpu): void;

  /** Data of a new domain, put into `domain.schedulerData` (alloc_domdata). */
  allocDomain?(domain: Domain): void;
  freeDomain?(domain: Domain): void;
  /** Data of a new vCPU, idle ones included, put into `vcpu.schedulerData` (alloc_udata). */
  allocVcpu(vcpu: Vcpu): void;
  freeVcpu?(vcpu: Vcpu): void;

  /** A vCPU enters the pool: places it (insert_unit). */
  insertVcpu(vcpu: Vcpu): void;
  removeVcpu(vcpu: Vcpu): void;

  /** It may not run any more (sleep). */
  sleep(vcpu: Vcpu): void;
  /** It may run again (wake). Also called for one that is running. */
  wake(vcpu: Vcpu): void;
  /** It gives way to others (yield). */
  yield?(vcpu: Vcpu): void;
  /** Its context has been saved after a switch away from it (context_saved). */
  contextSaved?(vcpu: Vcpu): void;

  /**
   * The decision on the present pCPU, where `prev` runs: sets `prev.nextTask`, `prev.nextTimeNs` (-1: no
   * limit) and the next one's `migrated`; the next one has answered `checkRunnable()`, in versions that ask
   * (do_schedule).
   */
  doSchedule(prev: Vcpu, nowNs: number, taskletWork: boolean): void;

  /** The pCPU that would suit it best (pick_resource). */
  pickPcpu(vcpu: Vcpu): number;
  /** Moves it to `pcpu` (migrate); without this hook the core just sets `vcpu.processor`. */
  migrate?(vcpu: Vcpu, pcpu: number): void;

  /**
   * New parameters of a domain (adjust with XEN_DOMCTL_SCHEDOP_putinfo). Answers false if Xen refuses them.
   */
  adjustDomain?(domain: Domain, parameters: DomainParameters): boolean;
  /**
   * New parameters of a vCPU (adjust with XEN_DOMCTL_SCHEDOP_putvcpuinfo). Answers false if Xen refuses them.
   */
  adjustVcpu?(vcpu: Vcpu, parameters: VcpuParameters): boolean;
  /** New parameters of the scheduler itself (adjust_global). Answers false if Xen refuses them. */
  adjustPool?(parameters: PoolParameters): boolean;
  /** A new table of slots (adjust_global of ARINC653). Answers false if Xen refuses it. */
  setTable?(table: Arinc653Table): boolean;
  /** Domains that share the time slices of another, if the scheduler has such. */
  readonly schedulingDomains?: SchedulingDomains | undefined;

  /** Its affinity is about to become this; undefined masks stay (adjust_affinity). */
  adjustAffinity?(vcpu: Vcpu, hard: Cpumask | undefined, soft: Cpumask | undefined): void;
}

/**
 * What `xl sched-credit -d`, `xl sched-sedf -d`, `xm sched-bcredit -d` and RT-Xen 2.0's putinfo set; undefined stays
 * as it is.
 */
export interface DomainParameters extends DomainSettings {
  readonly weight?: number | undefined;
  readonly cap?: number | undefined;
  /** Of SEDF only, which goes by these before `weight`. */
  readonly sedf?: SedfChange | undefined;
  /** Of bcredit only. */
  readonly maxBoostPeriodMs?: number | undefined;
  readonly boostRatio?: number | undefined;
}

/**
 * Groups of domains that share what one of them, the master, gets. Who joins or leaves, and all of the group,
 * are paused meanwhile.
 */
export interface SchedulingDomains {
  /** undefined: it is no member of any. */
  masterOf(domain: Domain): Domain | undefined;
  /** In the order in which they joined. */
  membersOf(domain: Domain): readonly Domain[];
  join(master: Domain, member: Domain): void;
  leave(member: Domain, reason: LeaveReason): void;
}

/** Why a domain leaves its scheduling domain, by the numbers in the trace. */
export const LEAVE_REMOVED = 0;
export const LEAVE_DESTROYED = 1;
export const LEAVE_MASTER_GONE = 2;
export const LEAVE_MEMBER_GONE = 3;
export type LeaveReason = 0 | 1 | 2 | 3;

/** What `xl sched-rtds -v` and its like of RT-Xen set; undefined stays as it is. */
export type VcpuParameters = ServerParameters;

/** What `xl sched-credit -s`, `xl sched-credit2 -s` and their like of RT-Xen set. */
export interface PoolParameters {
  readonly tsliceMs?: number | undefined;
  readonly ratelimitUs?: number | undefined;
  readonly migrationDelayUs?: number | undefined;
  readonly serverKind?: ServerKind | undefined;
  readonly scheme?: PriorityScheme | undefined;
}

/** Whether Xen takes a rate limit: none, or 100 us to 500 ms (XEN_SYSCTL_SCHED_RATELIMIT_MIN and _MAX). */
export function isRatelimit(us: number): boolean {
  return us === 0 || (us >= 100 && us <= 500_000);
}
