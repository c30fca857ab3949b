import { FLOAT_ZERO } from '../base/zero.ts';
import type { Cpumask } from './cpumask.ts';
import type { Cpupool } from './cpupool.ts';

/** The states of a vCPU, with Xen's numbers (public vcpu.h). */
export const RUNSTATE_RUNNING = 0;
export const RUNSTATE_RUNNABLE = 1;
export const RUNSTATE_BLOCKED = 2;
export const RUNSTATE_OFFLINE = 3;

/** Reasons for which a vCPU may not run (VPF_* of Xen's sched.h). */
export const VPF_BLOCKED = 1 << 0;
export const VPF_DOWN = 1 << 1;
export const VPF_MIGRATING = 1 << 3;
export const VPF_PARKED = 1 << 8;

/** The domain that the idle vCPUs belong to (DOMID_IDLE). */
export const DOMID_IDLE = 0x7fff;

/** A virtual machine, or the idle domain. */
export class Domain {
  readonly id: number;
  readonly isIdle: boolean;
  readonly vcpus: Vcpu[] = [];
  /** Where it runs; the idle domain is in no pool. */
  pool: Cpupool | undefined;
  pauseCount = 0;
  /** The scheduler's own data (struct domain's sched_priv). */
  schedulerData: unknown = undefined;

  constructor(id: number, pool: Cpupool | undefined) {
    this.id = id;
    this.isIdle = id === DOMID_IDLE;
    this.pool = pool;
  }
}

/**
 * A virtual CPU, and Xen's scheduling unit at once: scheduling granularity is always one vCPU, so that each
 * unit has exactly one. Fields that Xen keeps in struct sched_unit say so.
 */
export class Vcpu {
  readonly domain: Domain;
  readonly id: number;
  readonly isIdle: boolean;
  /** domain << 16 | vCPU, as trace records pack them. */
  readonly packedId: number;

  /** The pCPU that it runs on or last ran on or is placed on (v->processor, unit->res). */
  processor = 0;
  pauseFlags = 0;
  pauseCount = 0;

  createdNs = 0;
  runstate: number = RUNSTATE_BLOCKED;
  /** When `runstate` began. */
  runstateEntryNs = FLOAT_ZERO;
  /** How long it was in each runstate before the present one. */
  readonly runstateNs = new Float64Array(4);
  /** The runstate that the scheduling decision under way gives it. */
  newState: number = RUNSTATE_BLOCKED;

  /** Of the unit: its context is on a pCPU, perhaps only until it is saved. */
  isRunning = false;
  /** Of the unit: when it last began or ceased to run. This is not `runstateEntryNs`. */
  stateEntryNs = FLOAT_ZERO;
  /**
   * Of the unit, when it was the one that a decision replaced: who runs next and for how long (-1: no limit).
   */
  nextTask: Vcpu = this;
  nextTimeNs = Number.NaN;
  /** Of the unit: the decision took it from another pCPU. */
  migrated = false;

  readonly hardAffinity: Cpumask;
  readonly softAffinity: Cpumask;
  /** Of the unit: soft affinity says something that hard affinity does not (soft_aff_effective). */
  softAffinityEffective = false;

  /** The scheduler's own data (unit->priv). */
  schedulerData: unknown = undefined;
  /** Number among the guest vCPUs in the order (domain id, vCPU id); -1 for idle vCPUs. */
  guestIndex = -1;

  constructor(domain: Domain, id: number, hardAffinity: Cpumask, softAffinity: Cpumask) {
    this.domain = domain;
    this.id = id;
    this.isIdle = domain.isIdle;
    this.packedId = ((domain.id << 16) | id) >>> 0;
    this.hardAffinity = hardAffinity;
    this.softAffinity = softAffinity;
  }

  /** Whether nothing keeps it from running (vcpu_runnable, unit_runnable). */
  get isRunnable(): boolean {
    return this.pauseFlags === 0 && this.pauseCount === 0 && this.domain.pauseCount === 0;
  }

  /** Whether its guest has brought it up (is_unit_online). */
  get isOnline(): boolean {
    return (this.pauseFlags & VPF_DOWN) === 0;
  }

  /**
   * Whether it is runnable, and notes the runstate that it will have if it is chosen (unit_runnable_state).
   * Schedulers ask this of whom they choose.
   */
  checkRunnable(): boolean {
    if (this.isIdle) return true;
    if (this.isRunnable) {
      this.newState = RUNSTATE_RUNNING;
      return true;
    }
    this.newState = (this.pauseFlags & VPF_BLOCKED) !== 0 ? RUNSTATE_BLOCKED : RUNSTATE_OFFLINE;
    return false;
  }

  /** How it is written: `d1v0`, `d[IDLE]v3`. */
  toString(): string {
    return this.isIdle ? `d[IDLE]v${this.id}` : `d${this.domain.id}v${this.id}`;
  }
}
