import { FLOAT_ZERO } from '../../../base/zero.ts';
import type { BootParameters } from '../../boot-parameters.ts';
import { Cpumask } from '../../cpumask.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import { Link } from '../../linked-list.ts';
import type { Machine } from '../../machine.ts';
import type { Pcpu } from '../../pcpu.ts';
import type { Timer } from '../../timers.ts';
import type { Tracer } from '../../tracer.ts';
import type { Domain, Vcpu } from '../../vcpu.ts';
import type { Credit2Version } from '../../versions.ts';

const US = 1000;
const MS = 1_000_000;

const DEFAULT_WEIGHT = 256;
/** The shortest time slice (CSCHED2_MIN_TIMER). */
export const MIN_TIMER_NS = 500 * US;
/** What everybody starts with and what a reset adds (CSCHED2_CREDIT_INIT). A credit is a nanosecond. */
export const CREDIT_INIT = 10 * MS;
/** Nobody owes more than this (CSCHED2_CREDIT_MIN). */
export const CREDIT_MIN = -CREDIT_INIT;
/** Less than anybody else can have. */
export const CREDIT_IDLE = CREDIT_MIN - 1;
/** What may be left from before a reset, at most (CSCHED2_CARRYOVER_MAX). */
export const CARRYOVER_MAX = MIN_TIMER_NS;
/** At this much for the best of a run queue, its credits are reset (CSCHED2_CREDIT_RESET). */
export const CREDIT_RESET = 0;
/** A gift at each change of pCPU (CSCHED2_MIGRATE_COMPENSATION). */
export const MIGRATE_COMPENSATION = 50 * US;
/** By how much a wake-up underruns the rate limit (CSCHED2_RATELIMIT_TICKLE_TOLERANCE). */
export const RATELIMIT_TOLERANCE_NS = 50 * US;
/** The longest time slice (CSCHED2_MAX_TIMER). */
export const MAX_TIMER_NS = CREDIT_INIT;

/**
 * Load is computed in ticks of 2^10 ns (LOADAVG_GRANULARITY_SHIFT). Multiplying by powers of two is exact.
 */
const LOAD_GRANULARITY_SHIFT = 10;
export const LOAD_TICKS_PER_NS = 2 ** -LOAD_GRANULARITY_SHIFT;
const LOAD_WINDOW_SHIFT = 30;
const LOAD_PRECISION_SHIFT_MIN = 4;
const DEFAULT_CAP_PERIOD_MS = 10;

/** Runs, or its context is not saved yet (CSFLAG_scheduled). */
export const FLAG_SCHEDULED = 1 << 1;
/** Goes to the run queue once its context is saved (CSFLAG_delayed_runq_add). */
export const FLAG_DELAYED_ADD = 1 << 2;
/** Is to move to `migrateTo` (CSFLAG_runq_migrate_request). */
export const FLAG_MIGRATE_REQUEST = 1 << 3;
/** Gave way to others (CSFLAG_unit_yield). */
export const FLAG_YIELD = 1 << 4;
/** Its hard affinity is a single pCPU (CSFLAG_pinned). */
export const FLAG_PINNED = 1 << 5;

/** The budget of a vCPU whose domain has no cap (Xen's STIME_MAX). */
export const NO_CAP = Infinity;
/** A load that was not looked at (MAX_LOAD); 2^63 - 1 in records. */
export const MAX_LOAD = Infinity;

/** A vCPU as credit2 sees it (struct csched2_unit). */
export class Credit2Vcpu {
  readonly vcpu: Vcpu;
  /** undefined for idle vCPUs. */
  readonly domain: Credit2Domain | undefined;
  /** In a run queue, waiting, unless alone (runq_elem). */
  readonly queued: Link<Credit2Vcpu>;
  /** Among those that are assigned to a run queue, unless alone (rqd_elem). */
  readonly assigned: Link<Credit2Vcpu>;
  /** Among those of its domain that wait for budget, unless alone (parked_elem). */
  readonly parked: Link<Credit2Vcpu>;
  /** The run queue that it is assigned to (rqd). */
  runQueue: RunQueue | undefined = undefined;
  /** Where it is to move (migrate_rqd), while it has FLAG_MIGRATE_REQUEST. */
  migrateTo: RunQueue | undefined = undefined;
  flags = 0;
  credit: number;
  weight: number;
  /** What the last charge left over, in nanoseconds times weight. */
  residual = 0;
  /** Up to when its CPU time is paid. */
  startNs = FLOAT_ZERO;
  /** CPU time that it may use before it asks its domain for more; NO_CAP if there is no cap. */
  budgetNs = NO_CAP;
  /** How much it asks for. */
  budgetQuotaNs = 0;
  /** How much of the time it wanted to run of late, as a fixed-point number. */
  avgLoad = 0;
  /** When that was computed, in ticks of load. */
  loadUpdatedAt = FLOAT_ZERO;
  /** The pCPU that was told to pick it up; -1: none. */
  tickledPcpu = -1;

  constructor(vcpu: Vcpu, domain: Credit2Domain | undefined) {
    this.vcpu = vcpu;
    this.domain = domain;
    this.queued = new Link<Credit2Vcpu>(this);
    this.assigned = new Link<Credit2Vcpu>(this);
    this.parked = new Link<Credit2Vcpu>(this);
    this.credit = vcpu.isIdle ? CREDIT_IDLE : CREDIT_INIT;
    this.weight = domain === undefined ? 0 : domain.weight;
  }

  /** Whether its CPU time is limited (has_cap). */
  get isCapped(): boolean {
    return this.budgetNs !== NO_CAP;
  }

  /** Whether it waits in a run queue (unit_on_runq). */
  get isQueued(): boolean {
    return !this.queued.isAlone;
  }
}

/** A domain as credit2 sees it (struct csched2_dom). */
export class Credit2Domain {
  readonly domain: Domain;
  /** Replenishes the budget. */
  readonly replenishTimer: Timer;
  /** Head of the list of vCPUs that wait for budget. */
  readonly parkedVcpus = new Link<Credit2Vcpu>();
  weight = DEFAULT_WEIGHT;
  /** Percent of one pCPU; 0 is no cap. */
  cap = 0;
  /** What it may use in each period. */
  totalBudgetNs = 0;
  /** What none of its vCPUs has taken yet. */
  budgetNs = 0;
  nextReplenishNs = FLOAT_ZERO;
  vcpuCount = 0;

  constructor(domain: Domain, replenishTimer: Timer) {
    this.domain = domain;
    this.replenishTimer = replenishTimer;
  }
}

/** A pCPU as credit2 sees it (struct csched2_pcpu). */
export class Credit2Pcpu {
  readonly runQueue: RunQueue;
  /** The threads of its core that share its run queue, itself included (sibling_mask). */
  readonly siblings: Cpumask;

  constructor(runQueue: RunQueue, siblings: Cpumask) {
    this.runQueue = runQueue;
    this.siblings = siblings;
  }
}

/** A run queue, which several pCPUs share (struct csched2_runqueue_data). */
export class RunQueue {
  readonly id: number;
  /** Head of the list of those that wait, sorted by credit (runq). */
  readonly waiting = new Link<Credit2Vcpu>();
  /** Head of the list of all that are assigned here (svc). */
  readonly assigned = new Link<Credit2Vcpu>();
  /** Its pCPUs. */
  readonly active: Cpumask;
  /** Those that run nothing. */
  readonly idle: Cpumask;
  /** Those that were told to schedule and have not done so. */
  readonly tickled: Cpumask;
  /** Those all of whose core is idle and not tickled. */
  readonly smtIdle: Cpumask;
  pcpuCount = 0;
  maxWeight = 1;
  /** The pCPU picked last: the next search goes on behind it. */
  pickBias: number;
  /** How many vCPUs run or wait. */
  load = 0;
  /** When the averages were computed, in ticks of load. */
  loadUpdatedAt = FLOAT_ZERO;
  /** The decaying average of `load`, as a fixed-point number. */
  avgLoad = 0;
  /** The same, as if migrations already showed in it (b_avgload). */
  balancedLoad = 0;

  constructor(id: number, size: number, pickBias: number) {
    this.id = id;
    this.pickBias = pickBias;
    this.active = new Cpumask(size);
    this.idle = new Cpumask(size);
    this.tickled = new Cpumask(size);
    this.smtIdle = new Cpumask(size);
  }
}

/** What credit2 knows of the whole pool (struct csched2_private and the boot parameters). */
export class Credit2System {
  readonly xen: Hypervisor;
  readonly machine: Machine;
  readonly tracer: Tracer;
  readonly version: Credit2Version;

  /** `cpu`, `core`, `socket`, `node` or `all`. */
  readonly arrangement: string;
  readonly pcpusPerQueueMax: number;
  ratelimitNs: number;
  readonly migrateResist: number;
  readonly capPeriodNs: number;
  /** Fraction bits of loads. */
  readonly precisionShift: number;
  /** One vCPU's worth of load. */
  readonly loadUnit: number;
  readonly windowShift: number;
  /** The window over which load is averaged, in ticks of load. */
  readonly windowTicks: number;
  /** 1 / windowTicks */
  readonly windowScale: number;
  readonly underloadTolerance: number;
  readonly overloadTolerance: number;
  readonly savesPower: boolean;

  /** In the order in which they are searched. */
  readonly runQueues: RunQueue[] = [];
  /** Candidates of load balancing; empty outside of it. */
  readonly pulls: Credit2Vcpu[] = [];
  /** Masks to compute in, none of which outlives a function. */
  readonly scratch: Cpumask;
  readonly scratch2: Cpumask;

  constructor(xen: Hypervisor) {
    const { machine, parameters, version } = xen;
    const { pcpus } = machine.topology;
    this.xen = xen;
    this.machine = machine;
    this.tracer = machine.tracer;
    this.version = version.credit2;
    this.arrangement = parameters.text('credit2_runqueue');
    this.pcpusPerQueueMax = parameters.integer('sched_credit2_max_cpus_runqueue');
    this.ratelimitNs = parameters.integer('sched_ratelimit_us') * US;
    this.migrateResist = parameters.integer('sched_credit2_migrate_resist') * US;
    this.capPeriodNs = capPeriodOf(parameters);
    this.precisionShift = Math.max(
      parameters.integer('credit2_load_precision_shift'),
      LOAD_PRECISION_SHIFT_MIN,
    );
    this.loadUnit = 2 ** this.precisionShift;
    this.windowShift = windowShiftOf(parameters) - LOAD_GRANULARITY_SHIFT;
    this.windowTicks = 2 ** this.windowShift;
    this.windowScale = 2 ** -this.windowShift;
    this.underloadTolerance = toleranceOf(this.precisionShift, parameters.integer('credit2_balance_under'));
    this.overloadTolerance = toleranceOf(this.precisionShift, parameters.integer('credit2_balance_over'));
    this.savesPower = parameters.boolean('sched_smt_power_savings');
    this.scratch = new Cpumask(pcpus);
    this.scratch2 = new Cpumask(pcpus);
  }

  pcpu(id: number): Credit2Pcpu {
    return this.machine.pcpus[id]!.schedulerData as Credit2Pcpu;
  }

  /** The run queue of a pCPU (c2rqd). */
  queueOf(pcpu: number): RunQueue {
    return (this.machine.pcpus[pcpu]!.schedulerData as Credit2Pcpu).runQueue;
  }

  /** Who was chosen last on a pCPU (curr_on_cpu). */
  currentOn(pcpu: number): Credit2Vcpu {
    return this.machine.pcpus[pcpu]!.chosen.schedulerData as Credit2Vcpu;
  }
}

/** Parameters out of range are set back as csched2_global_init() does. */
function capPeriodOf(parameters: BootParameters): number {
  const periodMs = parameters.integer('credit2_cap_period_ms');
  return (periodMs * MS < MIN_TIMER_NS ? DEFAULT_CAP_PERIOD_MS : periodMs) * MS;
}

function windowShiftOf(parameters: BootParameters): number {
  const shift = parameters.integer('credit2_load_window_shift');
  return shift <= LOAD_GRANULARITY_SHIFT ? LOAD_WINDOW_SHIFT : shift;
}

/** A load of 2^tolerance. Xen shifts a 64-bit one, and the machine looks at six bits of the count. */
function toleranceOf(precisionShift: number, tolerance: number): number {
  return 2 ** ((precisionShift + tolerance) & 63);
}

export function credit2OfVcpu(vcpu: Vcpu): Credit2Vcpu {
  return vcpu.schedulerData as Credit2Vcpu;
}

export function credit2OfPcpu(pcpu: Pcpu): Credit2Pcpu {
  return pcpu.schedulerData as Credit2Pcpu;
}

export function credit2OfDomain(domain: Domain): Credit2Domain {
  return domain.schedulerData as Credit2Domain;
}
