import type { Duration } from './scenario.ts';

/** How a guest orders its tasks: rate or deadline monotonic, given priorities, EDF, round robin. */
export type GuestScheduler = 'rm' | 'dm' | 'fp' | 'edf' | 'rr';

/** A guest's operating system: tasks, and how they share the domain's vCPUs. */
export interface GuestSpec {
  readonly scheduler: GuestScheduler;
  /** Whether each task has a vCPU of its own choice, or all vCPUs serve all tasks. */
  readonly placement: 'partitioned' | 'global';
  /** Longest turn of a task under round robin, in CPU time. */
  readonly sliceNs: number;
  /** In the order of their numbers, from 0. */
  readonly tasks: readonly TaskSpec[];
}

/** A thread of a guest: when it has jobs, and what each job does. */
export interface TaskSpec {
  /** Unique in its guest; names its random streams. */
  readonly name: string;
  readonly arrivals: Arrivals;
  /** What a job does, one after the other. */
  readonly steps: readonly TaskStep[];
  /** Latest completion, counted from the arrival; 0 is none. */
  readonly deadlineNs: number;
  /** Under fixed priorities: the larger goes first. */
  readonly priority: number;
  /** Where it runs if the guest is partitioned; undefined if it is global. */
  readonly vcpu: number | undefined;
}

/** When jobs arrive. The first arrival that has an offset comes so long after the domain's creation. */
export type Arrivals =
  | {
      readonly kind: 'periodic';
      readonly periodNs: number;
      /** How long after its arrival a job is released; its deadline counts from the arrival. */
      readonly jitter: Duration | undefined;
      readonly offsetNs: number;
      /** Jobs at each arrival. */
      readonly batch: number;
    }
  | {
      readonly kind: 'sporadic';
      readonly interarrival: Duration;
      readonly offsetNs: number;
      readonly batch: number;
    }
  | {
      /**
       * One phase after the other and then the first again, each with distances of its own; undefined: without
       * arrivals.
       */
      readonly kind: 'phases';
      readonly phases: readonly { readonly length: Duration; readonly interarrival: Duration | undefined }[];
      readonly offsetNs: number;
      readonly batch: number;
    }
  /** The next job arrives `think` after the last one is complete. */
  | { readonly kind: 'closed'; readonly think: Duration; readonly offsetNs: number }
  /** A job for each request that a task sends. */
  | { readonly kind: 'requests' };

/** How a task waits for what is not there yet; when spinning it may yield its vCPU after each so much CPU time. */
export interface Waiting {
  readonly spins: boolean;
  /** 0: never. */
  readonly yieldAfterNs: number;
}

/** One thing that a job does. */
export type TaskStep =
  | { readonly kind: 'compute'; readonly time: Duration }
  /** Waits for the clock, without CPU time. */
  | { readonly kind: 'sleep'; readonly time: Duration }
  /** Takes a lock of the guest, computes for `time`, and releases it. */
  | { readonly kind: 'lock'; readonly lock: string; readonly time: Duration; readonly waiting: Waiting }
  /** Waits until all tasks that have such a step are there, of whatever domains. */
  | { readonly kind: 'barrier'; readonly barrier: string; readonly waiting: Waiting }
  /** Sends a request to a task, perhaps of another domain, and waits until that job is complete. */
  | { readonly kind: 'request'; readonly dom: number; readonly task: number }
  /** The job, not the task, waits for a device that serves the task's jobs one at a time. */
  | { readonly kind: 'device'; readonly time: Duration };
