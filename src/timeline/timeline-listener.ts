import { type BlameBatch, createBlameBatch } from './blame-batch.ts';
import { createJobBatch, type JobBatch } from './job-batch.ts';
import {
  createRunstateBatch,
  createWaitBatch,
  type RunstateBatch,
  type WaitBatch,
} from './runstate-batch.ts';
import { createTransitionBatch, type TransitionBatch } from './transition-batch.ts';

/** Takes what a {@link Timeline} finds, batch by batch. Batches are reused: copy what you keep past the call. */
export interface TimelineListener {
  /** Intervals in one runstate, each when it has ended. */
  onRunstates?(batch: RunstateBatch): void;
  /** Waits for a pCPU, each when it has ended. */
  onWaits?(batch: WaitBatch): void;
  /** The guests' jobs, each when it is completed or given up. */
  onJobs?(batch: JobBatch): void;
  /** Changes of state, each when it happens; costs time. */
  onTransitions?(batch: TransitionBatch): void;
  /** Because of whom and why, for the waits that {@link onWaits} is told; costs time. */
  onBlames?(batch: BlameBatch): void;
}

/** Rows of a batch that listeners get, at most. */
export const LISTENER_ROWS = 16_384;

/** Gathers rows into batches and hands full ones to the listeners. Internal to timeline/. */
export class TimelineOutput {
  readonly #listeners: readonly TimelineListener[];
  readonly #runstates: RunstateBatch = createRunstateBatch(LISTENER_ROWS);
  readonly #waits: WaitBatch = createWaitBatch(LISTENER_ROWS);
  readonly #jobs: JobBatch = createJobBatch(LISTENER_ROWS);
  readonly #transitions: TransitionBatch = createTransitionBatch(LISTENER_ROWS);
  readonly #blames: BlameBatch = createBlameBatch(LISTENER_ROWS);
  /** Whether anybody listens to transitions, and to blames: they cost time. */
  readonly tellsTransitions: boolean;
  readonly tellsBlames: boolean;

  constructor(listeners: readonly TimelineListener[]) {
    this.#listeners = listeners;
    this.tellsTransitions = listeners.some(({ onTransitions }) => onTransitions !== undefined);
    this.tellsBlames = listeners.some(({ onBlames }) => onBlames !== undefined);
  }

  runstate(
    key: number,
    vcpuIndex: number,
    state: number,
    xenState: number,
    previous: number,
    startNs: number,
    endNs: number,
    pcpu: number,
    complete: number,
    wakerPcpu: number,
    wakerKey: number,
  ): void {
    const batch = this.#runstates;
    const row = batch.count;
    batch.dom[row] = key >>> 16;
    batch.vcpu[row] = key;
    batch.vcpuIndex[row] = vcpuIndex;
    batch.state[row] = state;
    batch.xenState[row] = xenState;
    batch.previous[row] = previous;
    batch.startNs[row] = startNs;
    batch.endNs[row] = endNs;
    batch.pcpu[row] = pcpu;
    batch.complete[row] = complete;
    batch.wakerPcpu[row] = wakerPcpu;
    batch.wakerKey[row] = wakerKey;
    batch.count = row + 1;
    if (batch.count === LISTENER_ROWS) this.#flushRunstates();
  }

  wait(
    key: number,
    vcpuIndex: number,
    cause: number,
    startNs: number,
    endNs: number,
    fromPcpu: number,
    toPcpu: number,
    ranKey: number,
    ranNs: number,
    throttledNs: number,
  ): void {
    const batch = this.#waits;
    const row = batch.count;
    batch.dom[row] = key >>> 16;
    batch.vcpu[row] = key;
    batch.vcpuIndex[row] = vcpuIndex;
    batch.cause[row] = cause;
    batch.startNs[row] = startNs;
    batch.endNs[row] = endNs;
    batch.fromPcpu[row] = fromPcpu;
    batch.toPcpu[row] = toPcpu;
    batch.ranDom[row] = ranKey < 0 ? -1 : ranKey >>> 16;
    batch.ranVcpu[row] = ranKey < 0 ? -1 : ranKey & 0xffff;
    batch.ranNs[row] = ranNs;
    batch.throttledNs[row] = throttledNs;
    batch.count = row + 1;
    if (batch.count === LISTENER_ROWS) this.#flushWaits();
  }

  job(
    key: number,
    task: number,
    job: number,
    releaseNs: number,
    deadlineNs: number,
    startNs: number,
    completionNs: number,
    executionNs: number,
    missed: number,
  ): void {
    const batch = this.#jobs;
    const row = batch.count;
    batch.dom[row] = key >>> 16;
    batch.vcpu[row] = key;
    batch.task[row] = task;
    batch.job[row] = job;
    batch.releaseNs[row] = releaseNs;
    batch.deadlineNs[row] = deadlineNs;
    batch.startNs[row] = startNs;
    batch.completionNs[row] = completionNs;
    batch.executionNs[row] = executionNs;
    batch.missed[row] = missed;
    batch.count = row + 1;
    if (batch.count === LISTENER_ROWS) this.#flushJobs();
  }

  transition(
    tNs: number,
    key: number,
    vcpuIndex: number,
    from: number,
    to: number,
    pcpu: number,
    wakerPcpu: number,
    wakerKey: number,
  ): void {
    const batch = this.#transitions;
    const row = batch.count;
    batch.tNs[row] = tNs;
    batch.dom[row] = key >>> 16;
    batch.vcpu[row] = key;
    batch.vcpuIndex[row] = vcpuIndex;
    batch.from[row] = from;
    batch.to[row] = to;
    batch.pcpu[row] = pcpu;
    batch.wakerPcpu[row] = wakerPcpu;
    batch.wakerKey[row] = wakerKey;
    batch.count = row + 1;
    if (batch.count === LISTENER_ROWS) this.#flushTransitions();
  }

  blame(
    vcpuIndex: number,
    vcpuKey: number,
    startNs: number,
    endNs: number,
    toPcpu: number,
    culpritIndex: number,
    culpritKey: number,
    reason: number,
    ns: number,
  ): void {
    const batch = this.#blames;
    const row = batch.count;
    batch.vcpuIndex[row] = vcpuIndex;
    batch.vcpuKey[row] = vcpuKey;
    batch.startNs[row] = startNs;
    batch.endNs[row] = endNs;
    batch.toPcpu[row] = toPcpu;
    batch.culpritIndex[row] = culpritIndex;
    batch.culpritKey[row] = culpritKey;
    batch.reason[row] = reason;
    batch.ns[row] = ns;
    batch.count = row + 1;
    if (batch.count === LISTENER_ROWS) this.#flushBlames();
  }

  flush(): void {
    this.#flushRunstates();
    this.#flushWaits();
    this.#flushJobs();
    this.#flushTransitions();
    this.#flushBlames();
  }

  #flushRunstates(): void {
    if (this.#runstates.count === 0) return;
    for (const listener of this.#listeners) listener.onRunstates?.(this.#runstates);
    this.#runstates.count = 0;
  }

  #flushWaits(): void {
    if (this.#waits.count === 0) return;
    for (const listener of this.#listeners) listener.onWaits?.(this.#waits);
    this.#waits.count = 0;
  }

  #flushJobs(): void {
    if (this.#jobs.count === 0) return;
    for (const listener of this.#listeners) listener.onJobs?.(this.#jobs);
    this.#jobs.count = 0;
  }

  #flushTransitions(): void {
    if (this.#transitions.count === 0) return;
    for (const listener of this.#listeners) listener.onTransitions?.(this.#transitions);
    this.#transitions.count = 0;
  }

  #flushBlames(): void {
    if (this.#blames.count === 0) return;
    for (const listener of this.#listeners) listener.onBlames?.(this.#blames);
    this.#blames.count = 0;
  }
}
