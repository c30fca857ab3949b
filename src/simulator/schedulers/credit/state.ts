import { FLOAT_ZERO } from '../../../base/zero.ts';
import { hasSoftAffinity } from '../../affinity.ts';
import type { BootParameters } from '../../boot-parameters.ts';
import { Cpumask } from '../../cpumask.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import { Link } from '../../linked-list.ts';
import type { Pcpu } from '../../pcpu.ts';
import { isRatelimit, type PoolParameters } from '../../scheduler.ts';
import type { Timer } from '../../timers.ts';
import type { Domain, Vcpu } from '../../vcpu.ts';
import type { CreditVersion } from './version.ts';

/** Priorities, higher before lower. BOOST: just woken. UNDER: has credit. OVER: has none. */
export const PRI_BOOST = 0;
export const PRI_UNDER = -1;
export const PRI_OVER = -2;
export const PRI_IDLE = -64;

const DEFAULT_WEIGHT = 256;
const DEFAULT_TSLICE_MS = 30;
const TSLICE_MS_MAX = 1000;
const DEFAULT_RATELIMIT_US = 1000;
export const TICKS_PER_TSLICE = 3;
export const CREDITS_PER_MS = 10;
const MIGRATION_DELAY_US_MAX = 100_000;
const LOAD_BALANCE_RATELIMIT_US_MAX = 1_000_000;
/**
 * A vCPU under the ratelimit that has run for less than this gets a slice of this, others the rest of the limit.
 * Xen compares XEN_SYSCTL_SCHED_RATELIMIT_MIN, 100 microseconds, with nanoseconds in csched_schedule().
 */
export const MIN_TIMER_NS = 100;

/**
 * A vCPU as credit sees it (struct csched_unit). In a scheduling domain the vCPUs of several domains are one
 * to it: they take turns in its time slices.
 */
export class CreditVcpu {
  /** Who runs, or would run next. Where the others are counts only once it is their turn. */
  vcpu: Vcpu;
  /** All that take turns; its own comes first. */
  readonly vcpus: Vcpu[];
  /** Whose turn was the last one. */
  lastTurn: Vcpu;
  /** undefined for idle vCPUs. */
  readonly domain: CreditDomain | undefined;
  /** In a run queue, unless alone. */
  readonly queued: Link<CreditVcpu>;
  /** In its domain's list of those that earn credit, unless alone. */
  readonly active: Link<CreditVcpu>;
  pri: number;
  credit = 0;
  /** What the last charge left over, in nanoseconds times credits per millisecond. */
  residual = 0;
  /** Up to when its CPU time is paid; while it does not run, relative to the end of its run. */
  startNs = FLOAT_ZERO;
  /** When it was last descheduled; for cache heat. */
  lastSchedNs = FLOAT_ZERO;
  /** Kept from running because its domain's cap is used up. */
  parked = false;
  yielding = false;
  /** Has been placed anew: the next wake-up is not one that deserves a boost. */
  migrating = false;
  /** Its hard affinity is a single pCPU. */
  pinned = false;

  constructor(vcpu: Vcpu, domain: CreditDomain | undefined) {
    this.vcpu = vcpu;
    this.vcpus = [vcpu];
    this.lastTurn = vcpu;
    this.domain = domain;
    this.queued = new Link<CreditVcpu>(this);
    this.active = new Link<CreditVcpu>(this);
    this.pri = vcpu.isIdle ? PRI_IDLE : PRI_UNDER;
  }
}

/** A domain as credit sees it (struct csched_dom). */
export class CreditDomain {
  readonly domain: Domain;
  /** Head of the list of its vCPUs that earn credit. */
  readonly activeVcpus = new Link<CreditVcpu>();
  /** In the list of domains that have such vCPUs, unless alone. */
  readonly active: Link<CreditDomain>;
  activeCount = 0;
  weight = DEFAULT_WEIGHT;
  /** Percent of one pCPU; 0 is no cap. */
  cap = 0;
  /** In whose time slices its vCPUs run; undefined: in its own. */
  master: CreditDomain | undefined;
  /** Who else runs in its time slices, in the order in which they joined. */
  readonly members: CreditDomain[] = [];

  constructor(domain: Domain) {
    this.domain = domain;
    this.active = new Link<CreditDomain>(this);
  }
}

/** A pCPU as credit sees it (struct csched_pcpu). */
export class CreditPcpu {
  /** Head of the run queue. */
  readonly queue = new Link<CreditVcpu>();
  readonly ticker: Timer;
  /** The accounting after which the run queue was sorted last. */
  sortedAfter: number;
  /** From where on the search for an idle neighbour goes. */
  idleBias: number;
  /** Guest vCPUs that run or are queued here. */
  runnable = 0;
  /** When it last looked for work to steal. */
  lastLoadBalanceNs: number;
  /** Ticks so far: every third is one for accounting where that has no timer of its own. */
  ticks = 0;

  constructor(ticker: Timer, sortedAfter: number, idleBias: number, nowNs: number) {
    this.ticker = ticker;
    this.sortedAfter = sortedAfter;
    this.idleBias = idleBias;
    this.lastLoadBalanceNs = nowNs;
  }
}

/** What credit knows of the whole pool (struct csched_private). */
export class CreditSystem {
  readonly xen: Hypervisor;
  readonly version: CreditVersion;

  tsliceNs!: number;
  tickPeriodNs!: number;
  creditsPerTslice!: number;
  ratelimitNs: number;
  migrationDelayNs: number;
  readonly loadBalanceRatelimitNs: number;
  readonly ticklesOneIdle: boolean;
  readonly savesPower: boolean;

  readonly pcpus: Cpumask;
  readonly idlers: Cpumask;
  /** By node: the pCPU after which the search for work to steal begins. */
  readonly balanceBias: Int32Array;
  /** Number of accountings that changed priorities. */
  accountings = 0;
  pcpuCount = 0;
  /** The pCPU that does the accounting; -1 before there is one. */
  master = -1;
  masterTicker: Timer | undefined;

  /** Head of the list of domains that have vCPUs that earn credit. */
  readonly activeDomains = new Link<CreditDomain>();
  /** Sum of the weights of all vCPUs that earn credit. */
  weight = 0;
  /** Credit that one accounting gives out. */
  credit = 0;
  /** Sum of all credits after the last accounting. */
  creditBalance = 0;

  readonly #creditsPerMs: number;

  constructor(xen: Hypervisor, creditsPerMs = CREDITS_PER_MS) {
    this.#creditsPerMs = creditsPerMs;
    const { parameters, machine } = xen;
    const { pcpus, nodes } = machine.topology;
    this.xen = xen;
    const version = xen.version.credit;
    this.version = version;
    const tsliceMs = version.hasTimeSlice ? tsliceOf(parameters) : DEFAULT_TSLICE_MS;
    const ratelimitUs = version.hasRatelimit ? ratelimitOf(parameters, version) : 0;
    const delayUs = version.hasDelayAndSavings ? parameters.integer('vcpu_migration_delay') : 0;
    const balanceUs = parameters.integer('load-balance-ratelimit');
    this.setTslice(tsliceMs);
    this.ratelimitNs = Math.min(ratelimitUs * 1000, this.tsliceNs);
    this.migrationDelayNs = delayUs > MIGRATION_DELAY_US_MAX ? 0 : delayUs * 1000;
    this.loadBalanceRatelimitNs = Math.min(balanceUs, LOAD_BALANCE_RATELIMIT_US_MAX) * 1000;
    this.ticklesOneIdle = parameters.boolean('tickle_one_idle_cpu');
    this.savesPower = version.hasDelayAndSavings && parameters.boolean('sched_smt_power_savings');
    this.pcpus = new Cpumask(pcpus);
    this.idlers = new Cpumask(pcpus);
    this.balanceBias = new Int32Array(nodes);
  }

  /** __csched_set_tslice() */
  setTslice(tsliceMs: number): void {
    const ticks = tsliceMs < TICKS_PER_TSLICE ? 1 : TICKS_PER_TSLICE;
    this.tsliceNs = tsliceMs * 1_000_000;
    this.tickPeriodNs = Math.floor((tsliceMs * 1000) / ticks) * 1000;
    this.creditsPerTslice = this.#creditsPerMs * tsliceMs;
  }

  /** csched_sys_cntl(): all or nothing. Timers that are set keep their instants. */
  adjust({ tsliceMs, ratelimitUs, migrationDelayUs }: PoolParameters): boolean {
    const { version } = this;
    if (!version.hasTimeSlice) return false;
    const newTsliceMs = tsliceMs ?? this.tsliceNs / 1_000_000;
    const newRatelimitUs = ratelimitUs ?? this.ratelimitNs / 1000;
    const newDelayUs = migrationDelayUs ?? this.migrationDelayNs / 1000;
    if (newTsliceMs < 1 || newTsliceMs > TSLICE_MS_MAX || newDelayUs > MIGRATION_DELAY_US_MAX) return false;
    const isKnown = isRatelimit(newRatelimitUs) && (newRatelimitUs > 0 || version.mayLackRatelimit);
    if (!isKnown || newRatelimitUs > newTsliceMs * 1000) return false;
    if (version.slicesTicks) this.setTslice(newTsliceMs);
    else this.tsliceNs = newTsliceMs * 1_000_000;
    if (version.slicesCredit) this.credit = this.creditsPerTslice * this.pcpuCount;
    this.ratelimitNs = newRatelimitUs * 1000;
    this.migrationDelayNs = newDelayUs * 1000;
    return true;
  }

  /** Whether soft affinity makes a difference for a vCPU (__vcpu_has_soft_affinity, later has_soft_affinity). */
  hasSoftAffinity(vcpu: Vcpu): boolean {
    if (this.version.skipsUselessSoftAffinity) return hasSoftAffinity(vcpu);
    const { softAffinity, hardAffinity } = vcpu;
    return softAffinity.weight() < softAffinity.size && softAffinity.intersects(hardAffinity);
  }

  pcpu(id: number): CreditPcpu {
    return creditOfPcpu(this.xen.machine.pcpus[id]!);
  }
}

function tsliceOf(parameters: BootParameters): number {
  const tsliceMs = parameters.integer('sched_credit_tslice_ms');
  return tsliceMs < 1 || tsliceMs > TSLICE_MS_MAX ? DEFAULT_TSLICE_MS : tsliceMs;
}

function ratelimitOf(parameters: BootParameters, { mayLackRatelimit }: CreditVersion): number {
  const ratelimitUs = parameters.integer('sched_ratelimit_us');
  return ratelimitUs === 0 && !mayLackRatelimit ? DEFAULT_RATELIMIT_US : ratelimitUs;
}

export function creditOfVcpu(vcpu: Vcpu): CreditVcpu {
  return vcpu.schedulerData as CreditVcpu;
}

export function creditOfPcpu(pcpu: Pcpu): CreditPcpu {
  return pcpu.schedulerData as CreditPcpu;
}

export function creditOfDomain(domain: Domain): CreditDomain {
  return domain.schedulerData as CreditDomain;
}
