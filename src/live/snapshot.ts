/** How a vCPU, or all vCPUs of a domain together, fared in a window of time. Nanoseconds are sums over vCPUs. */
export interface Fared {
  /** Time in which the state is known: all ratios are over it. */
  readonly knownNs: number;
  /** The rest: the start of the trace, after losses. */
  readonly unknownNs: number;
  readonly runNs: number;
  /** It wanted to run, was free to, and did not: CPU ready (docs/metrics.md). */
  readonly readyNs: number;
  /** Its own cap or budget kept it back. */
  readonly throttledNs: number;
  /** Waits that began with a wake-up and ended in the window, and how long they were (nearest rank). */
  readonly wakes: number;
  readonly wakeNsP50: number | null;
  readonly wakeNsP99: number | null;
  /** Guests' jobs that were judged in the window, and those of them that missed their deadline. */
  readonly jobs: number;
  readonly missed: number;
  /** Who has the largest part in the waits that ended in the window, a vCPU or a domain; `unknown`: nobody can tell. */
  readonly culprit: string | null;
  /** That part over all of the waits. */
  readonly culpritRatio: number | null;
}

/** How one vCPU fared, and what it does now. */
export interface VcpuFared extends Fared {
  readonly dom: number;
  readonly vcpu: number;
  /** What it does now, or did just before the trace ended, by the names of RUNSTATE_NAMES; null: it is no more. */
  readonly state: string | null;
  /** Where it runs, or last ran; null where not known. */
  readonly pcpu: number | null;
}

/** How the vCPUs of one domain fared together. */
export interface DomainFared extends Fared {
  readonly dom: number;
  /** How many they are. */
  readonly vcpus: number;
}

/** What a pCPU did in a window of time. */
export interface PcpuLoad {
  readonly pcpu: number;
  readonly busyNs: number;
  readonly idleNs: number;
  /** The rest of the window: nobody can tell who ran. */
  readonly unknownNs: number;
  /** Times that another vCPU, the idle one included, began to run there. */
  readonly switches: number;
  readonly lostRecords: number;
  /** Which vCPU runs there now; null where that is not known. */
  readonly runs: string | null;
}

/** How things stand at an instant, and how they went in the window before it. */
export interface Snapshot {
  /** Nanoseconds since the start of the trace. */
  readonly tNs: number;
  /** The window: whole slices (SLICE_NS), but for the last one of a trace, or when it goes back to the start. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly vcpus: readonly VcpuFared[];
  readonly domains: readonly DomainFared[];
  readonly pcpus: readonly PcpuLoad[];
  /** Since the start of the trace. */
  readonly lostRecords: number;
  /** Losses that were learnt of only when the time before had been told; some of it is not known to be true. */
  readonly lateLosses: number;
  /** Records of some pCPU are missing altogether. */
  readonly partial: boolean;
}
