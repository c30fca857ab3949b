import type { GuestSpec } from './guest-spec.ts';

/**
 * A checked scenario: what to simulate, with every default filled in and every time in integer nanoseconds.
 *
 * The simulator sees this type only, never the text it came from. The values mean what section 2 to 7 of
 * the machine model in docs/machine-model.md say.
 */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /**
   * Series of Xen that is modelled, one of XEN_SERIES: '4.17', '4.21', 'head', ... The newest unless given.
   */
  readonly xen: string;
  readonly scheduler: SchedulerName;
  /**
   * Xen boot parameters by their own names, only those that were given and that the scheduler reads.
   * Switches are true or false however they were written; numbers are in Xen's range, in the unit of the
   * parameter.
   */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  readonly durationNs: number;
  readonly host: Host;
  readonly trace: TraceSettings;
  /** Those besides Pool-0, which has the scenario's scheduler and what pCPUs are left. */
  readonly cpupools?: readonly CpupoolSpec[] | undefined;
  /** In the order of their creation; those that an action creates do not exist before. */
  readonly domains: readonly DomainSpec[];
  /** The first table of ARINC653, set when all domains exist. */
  readonly arinc653?: Arinc653Table | undefined;
  /** What the toolstack does while the host runs, in the order of time. */
  readonly actions?: readonly Action[] | undefined;
  /** Root of every random stream of the run (variants of workloads, jitter); same seed, same bytes. */
  readonly seed: number;
}

/** The schedulers of Xen, and of patches to it, as scenarios name them. */
export type SchedulerName =
  | 'credit'
  | 'credit2'
  | 'rtds'
  | 'null'
  | 'arinc653'
  | 'sedf'
  | 'rtxen'
  | 'rtglobal'
  | 'rtpartition'
  | 'bcredit';

/** The machine: its pCPUs, how they lie together, and its clocks. docs/machine-model.md says what each of it does. */
export interface Host {
  readonly pcpus: number;
  readonly sockets: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  /** NUMA nodes, over which the sockets are spread. */
  readonly nodes: number;
  readonly tscHz: number;
  /** TSC at t = 0; a bigint because a host that was up for months is beyond 2^53. */
  readonly tscBase: bigint;
  /** Skew of each pCPU's TSC in ticks, as its records show it; empty means none. */
  readonly tscSkewTicks: readonly number[];
  /** What a switch to a guest's vCPU costs: charged to it, but of no use to its guest. */
  readonly contextSwitchNs: number;
  /** Each timer fires U[0, J) late; 0 is off. */
  readonly timerJitterNs: number;
  readonly jitterSeed: number;
  /**
   * A timer that is set to the present or the past fires so much later; undefined: as the version demands.
   */
  readonly timerMinNs?: number | undefined;
  /** Whether all expired timers of a pCPU run before softirqs are drained (Xen's way), or one at a time. */
  readonly timerBatch: boolean;
  /** 0: get_random() answers 0, as on the reference machine. */
  readonly randomSeed: number;
  /**
   * What memory holds before its first use, 0 to 2: which tick of Xen 3.3 is the first that does the
   * accounting.
   */
  readonly xmallocFill?: number | undefined;
}

/** What of the run is recorded. */
export interface TraceSettings {
  /** xentrace's event mask, as Xen's tb_event_mask. */
  readonly eventMask: number;
  /** How often the recorder drains the rings. */
  readonly flushNs: number;
  /** The trace stops here; the run does not. */
  readonly endNs: number;
}

/** A domain: its parameters for the scheduler, and its vCPUs. */
export interface DomainSpec {
  readonly id: number;
  readonly name: string;
  /** undefined: not given, so the toolstack does not set it (it matters for the records made at creation). */
  readonly weight: number | undefined;
  /** In percent of one pCPU; 0: none. undefined: not given. */
  readonly cap: number | undefined;
  /** What SEDF is told; undefined: not given. */
  readonly sedf?: SedfParameters | undefined;
  /** Its vCPUs may run without budget (RT-Xen 2.0). */
  readonly extratime?: boolean | undefined;
  /** For how long its vCPUs may save up boost credit, and how much they are given (bcredit). */
  readonly maxBoostPeriodMs?: number | undefined;
  readonly boostRatio?: number | undefined;
  /** Settings after those, one after the other. */
  readonly adjust?: readonly DomainSettings[] | undefined;
  /** Id of the domain whose time slices it shares from its creation on (credit). */
  readonly schedulingDomain?: number | undefined;
  /** Name of the pool in which it is created; undefined: Pool-0. */
  readonly cpupool?: string | undefined;
  /** The operating system that runs on those of its vCPUs whose workload is `tasks`. */
  readonly guest?: GuestSpec | undefined;
  /** One entry per vCPU, `count` already expanded. */
  readonly vcpus: readonly VcpuSpec[];
}

/** What one setting of a domain's parameters asks for; undefined ones stay. Xen may refuse parts of it. */
export interface DomainSettings {
  /** Of RT-Xen 2.0: the vCPU that it is about, and its server in milliseconds. */
  readonly vcpu?: number | undefined;
  readonly periodMs?: number | undefined;
  readonly budgetMs?: number | undefined;
  readonly extratime?: boolean | undefined;
  readonly weight?: number | undefined;
  readonly cap?: number | undefined;
  readonly maxBoostPeriodMs?: number | undefined;
  readonly boostRatio?: number | undefined;
  /** The parameters are only read. */
  readonly isInquiry?: boolean | undefined;
}

/** A vCPU: what its guest does, where it may run, and what it is reserved. */
export interface VcpuSpec {
  readonly workload: Workload;
  /** After every n ns of its own CPU time the vCPU yields; 0 is never. */
  readonly yieldEveryNs: number;
  /** pCPU numbers, ascending; undefined: all. */
  readonly hardAffinity: readonly number[] | undefined;
  readonly softAffinity: readonly number[] | undefined;
  readonly rtds: RtdsParameters | undefined;
  /** Its server under RT-Xen; also that under RTDS, as `rtds` is that under RT-Xen, where only one is given. */
  readonly server?: ServerParameters | undefined;
}

/** A table of ARINC653: slots one after the other, from the start of each major frame. */
export interface Arinc653Table {
  readonly majorFrameNs: number;
  readonly entries: readonly { readonly dom: number; readonly vcpu: number; readonly runtimeNs: number }[];
}

/** A pool of pCPUs with a scheduler of its own. */
export interface CpupoolSpec {
  readonly name: string;
  readonly scheduler: SchedulerName;
  /** Ascending; pCPU 0 is always in Pool-0. */
  readonly pcpus: readonly number[];
}

/** Something that the toolstack does at an instant, before anything else of that instant. */
export type Action =
  /** A new table for ARINC653, or one that Xen refuses. */
  | { readonly atNs: number; readonly arinc653: Arinc653Table; readonly command?: undefined }
  | { readonly atNs: number; readonly command: Command; readonly arinc653?: undefined };

/** A command of `xl`. Domains are named by their ids, pools by their names; undefined parameters stay. */
export type Command = { /** As written. */ readonly text: string } & (
  | {
      /** `sched-credit -d`, `sched-credit2 -d`, `sched-bcredit -d` */
      readonly kind: 'sched-domain';
      readonly scheduler: SchedulerName;
      readonly dom: number;
      readonly weight: number | undefined;
      readonly cap: number | undefined;
      readonly maxBoostPeriodMs?: number | undefined;
      readonly boostRatio?: number | undefined;
    }
  | {
      /**
       * Hypercalls without a tool that checks: one that sets parameters of a domain, and one that reads them.
       * They come after what guests do at that instant, and before timers.
       */
      readonly kind: 'sched-domctl';
      readonly dom: number;
      readonly settings: DomainSettings;
    }
  | {
      /** `sched-rtds -d -v` */
      readonly kind: 'sched-vcpu';
      readonly dom: number;
      /** undefined: all. */
      readonly vcpu: number | undefined;
      readonly periodUs: number | undefined;
      readonly budgetUs: number | undefined;
      readonly extratime: boolean | undefined;
    }
  | {
      /** `sched-sedf -d` */
      readonly kind: 'sched-sedf';
      readonly dom: number;
      /** undefined stays as it is. */
      readonly sedf: SedfChange;
    }
  | {
      /** `sched-rtglobal -d`, `sched-rtpartition -d`, `sched-rtxen -d -v` */
      readonly kind: 'sched-server';
      readonly scheduler: SchedulerName;
      readonly dom: number;
      /** undefined: all. */
      readonly vcpu: number | undefined;
      readonly server: ServerParameters;
    }
  | {
      /** `sched-credit -s` and its like */
      readonly kind: 'sched-pool';
      readonly scheduler: SchedulerName;
      readonly cpupool: string;
      readonly tsliceMs: number | undefined;
      readonly ratelimitUs: number | undefined;
      readonly migrationDelayUs: number | undefined;
      /** Of RT-Xen. */
      readonly serverKind?: ServerKind | undefined;
      readonly scheme?: PriorityScheme | undefined;
    }
  | {
      readonly kind: 'vcpu-pin';
      readonly dom: number;
      readonly vcpu: number | undefined;
      readonly hard: readonly number[] | undefined;
      readonly soft: readonly number[] | undefined;
    }
  | { readonly kind: 'pause' | 'unpause' | 'create' | 'destroy'; readonly dom: number }
  | {
      /** `nemesis`: scheduling domains. `dom` is the master; `destroy` has no member. */
      readonly kind: 'nemesis';
      readonly action: 'add' | 'remove' | 'destroy';
      readonly dom: number;
      readonly member: number | undefined;
    }
  | { readonly kind: 'vcpu-set'; readonly dom: number; readonly count: number }
  | {
      readonly kind: 'cpupool-create';
      readonly cpupool: string;
      readonly scheduler: SchedulerName;
      readonly pcpus: readonly number[];
    }
  | { readonly kind: 'cpupool-destroy'; readonly cpupool: string }
  | {
      readonly kind: 'cpupool-cpu-add' | 'cpupool-cpu-remove';
      readonly cpupool: string;
      readonly pcpus: readonly number[];
    }
  | { readonly kind: 'cpupool-migrate'; readonly dom: number; readonly cpupool: string }
);

/** The server of a vCPU under RTDS: it may run for its budget in each period, and beyond with extratime. */
export interface RtdsParameters {
  readonly periodUs: number;
  readonly budgetUs: number;
  readonly extratime: boolean;
}

/** The servers of RT-Xen: what becomes of budget while there is no work, and when it comes back. */
export type ServerKind = 'deferrable' | 'periodic' | 'polling' | 'sporadic';

/** What decides between servers of RT-Xen 2.0: the earlier deadline, or the shorter period. */
export type PriorityScheme = 'edf' | 'rm';

/** The server of a vCPU under RT-Xen; undefined stays, or is the scheduler's default. */
export interface ServerParameters {
  readonly periodUs?: number | undefined;
  readonly budgetUs?: number | undefined;
  /** Of RT-Xen 1.0: lower numbers go first. */
  readonly priority?: number | undefined;
  /** Of RT-Xen 1.0. */
  readonly serverKind?: ServerKind | undefined;
  /** Of the whole domain under RT-Xen 2.0, of the vCPU under RTDS. */
  readonly extratime?: boolean | undefined;
}

/**
 * A domain under SEDF, each of its vCPUs alike. With a weight `periodNs` and `sliceNs` count for nothing, but
 * that with extra time and a period of 0 the weight is one of extra time only.
 */
export interface SedfParameters {
  readonly periodNs: number;
  readonly sliceNs: number;
  readonly latencyNs: number;
  readonly extratime: boolean;
  /** 0: none. */
  readonly weight: number;
}

/** New parameters of a domain under SEDF; undefined stays as it is. */
export type SedfChange = { readonly [Name in keyof SedfParameters]?: SedfParameters[Name] | undefined };

/**
 * A duration that is fixed, or drawn anew for each use from a distribution with integer nanosecond results.
 */
export type Duration =
  | { readonly kind: 'fixed'; readonly ns: number }
  | { readonly kind: 'uniform'; readonly minNs: number; readonly maxNs: number }
  /** With `maxNs`: truncated there, by drawing again. */
  | { readonly kind: 'exponential'; readonly meanNs: number; readonly maxNs?: number };

/** What the guest on a vCPU does. `offsetNs` is when it first wakes. */
export type Workload =
  | { readonly kind: 'idle' }
  /** The tasks of the domain's guest. */
  | { readonly kind: 'tasks' }
  | { readonly kind: 'hog'; readonly offsetNs: number }
  | { readonly kind: 'duty'; readonly run: Duration; readonly sleep: Duration; readonly offsetNs: number }
  | {
      readonly kind: 'periodic';
      readonly periodNs: number;
      readonly burst: Duration;
      /** Relative to the release; the period unless given. */
      readonly deadlineNs: number;
      readonly offsetNs: number;
    }
  | {
      /**
       * Jobs at drawn distances: `poisson` is exponential interarrival. Each has a deadline relative to its
       * release.
       */
      readonly kind: 'sporadic';
      readonly interarrival: Duration;
      readonly burst: Duration;
      readonly deadlineNs: number;
      readonly offsetNs: number;
    }
  | { readonly kind: 'once'; readonly run: Duration; readonly offsetNs: number }
  | {
      readonly kind: 'dodge';
      readonly periodNs: number;
      readonly guardNs: number;
      readonly offsetNs: number;
    };
