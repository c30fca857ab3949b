import type { Prng } from '../../base/prng.ts';
import type { TaskSpec, TaskStep, Waiting } from '../../scenario/guest-spec.ts';
import { ArrivalSource } from './arrival-source.ts';
import { DurationSource } from './duration-source.ts';
import type { GuestSystem } from './guest-system.ts';
import type { TaskVcpu } from './task-vcpu.ts';

/** One job of a guest's task. */
export interface TaskJob {
  /** From 0 for each task. */
  readonly number: number;
  /** When it arrived; its deadline counts from then. */
  readonly arrivalNs: number;
  /** An instant; Infinity without a deadline. */
  readonly dueNs: number;
  /** How long each step takes, drawn when it arrives so that no scheduler changes the draws. */
  readonly times: readonly number[];
  /** Called when a job that serves a request is complete. */
  readonly reply: (() => void) | undefined;
  /** The step that it is in; -1 before the first. */
  step: number;
  /** CPU time left of that step. */
  remainingNs: number;
  /** Whether it has had CPU time. */
  started: boolean;
}

/** A thread of a guest. */
export class Task {
  readonly system: GuestSystem;
  readonly spec: TaskSpec;
  /** Within its domain. */
  readonly number: number;
  readonly arrivals: ArrivalSource;
  /** Where it may run; undefined: on all vCPUs of the guest. */
  readonly home: TaskVcpu | undefined;
  /** What it works on, and what waits for that. */
  job: TaskJob | undefined;
  readonly waiting: TaskJob[] = [];
  /** Jobs at the device, the first in service. */
  readonly atDevice: TaskJob[] = [];
  /** Where it is on, or was last. */
  vcpu: TaskVcpu | undefined;
  /** It burns CPU time until it is told that what it waits for is there. */
  spinning: Waiting | undefined;
  /** CPU time spun since the last yield. */
  spunNs = 0;
  /** It holds a spin lock or waits for it: the guest does not preempt it. */
  isPinned = false;
  /** CPU time left of its turn, under round robin. */
  sliceLeftNs: number;
  /** Order among the ready: by rank, then by turn. */
  rank = 0;
  turn = 0;
  readonly #times: readonly (DurationSource | undefined)[];
  #nextNumber = 0;

  /** `stream` names its random streams, e.g. `d1/control`; `nowNs` is when its domain begins. */
  constructor(
    system: GuestSystem,
    spec: TaskSpec,
    number: number,
    home: TaskVcpu | undefined,
    sliceNs: number,
    root: Prng,
    stream: string,
    nowNs: number,
  ) {
    this.system = system;
    this.spec = spec;
    this.number = number;
    this.home = home;
    this.sliceLeftNs = sliceNs;
    this.arrivals = new ArrivalSource(spec.arrivals, nowNs, root, stream);
    this.#times = spec.steps.map((step, index) => {
      return 'time' in step ? new DurationSource(step.time, root, `${stream}/step${index}`) : undefined;
    });
  }

  /** A new job that arrived at `arrivalNs`. */
  createJob(arrivalNs: number, reply: (() => void) | undefined): TaskJob {
    const { deadlineNs } = this.spec;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    return {
      number,
      arrivalNs,
      dueNs: deadlineNs === 0 ? Infinity : arrivalNs + deadlineNs,
      times: this.#times.map((time) => time?.next() ?? 0),
      reply,
      step: -1,
      remainingNs: 0,
      started: false,
    };
  }

  /** The step that its job is in. */
  get step(): TaskStep | undefined {
    return this.spec.steps[this.job!.step];
  }
}
