import { UserError } from '../base/errors.ts';
import { WINDOW_HEADER_BYTES } from '../format/record.ts';
import type { TraceRings } from '../ring/index.ts';
import { type ByteSink, TraceFile } from './byte-sink.ts';
import { MemoryBuffer } from './memory-buffer.ts';
import type { RecordingPlan } from './plan.ts';
import { DISK_SPACE_LIMIT, type WindowSink, WindowWriter } from './window-sink.ts';

/** Anything that makes records as its clock goes on: the simulated host, or a test. */
export interface ClockedMachine {
  /** The instant that the machine is at, in nanoseconds; while it runs, that of the event it is handling. */
  readonly nowNs: number;
  /** Runs everything that happens before `ns`. What happens at `ns` itself is left to the next call. */
  runUntil(ns: number): void;
}

/** What became of a recording. */
export interface Recording {
  /** Windows taken from the rings, and their bytes with headers. */
  readonly windows: number;
  readonly bytes: number;
  /** Bytes of the trace. With -M fewer than those: what the circular buffer held in the end. */
  readonly writtenBytes: number;
  /** Times that the recorder looked at the rings. */
  readonly sweeps: number;
  /** Of these, those that VIRQ_TBUF caused. */
  readonly wakes: number;
  /** Records of the machine that went into the rings. */
  readonly keptRecords: number;
  /** Records that found no space, and those of them that no lost-records record tells of. */
  readonly lostRecords: number;
  readonly untoldLostRecords: number;
}

/** Eyes on a recording. */
export interface RecordHooks {
  /** Called after each sweep. */
  onProgress?(nowNs: number, stopNs: number): void;
}

/**
 * Runs `machine` up to plan.stopNs and records what it puts into `rings` as a trace, as xentrace would: a
 * sweep over the rings every plan.pollNs and at the end, pCPUs ascending, a window for each that has records.
 *
 * 1. A sweep at an instant comes before everything that the machine does at that instant.
 * 2. At the end there are two sweeps, with tracing on in the first and off in the second (unless -x).
 * 3. The machine is left at plan.stopNs. Its run goes on or not, as the caller likes; with -x the rings fill
 *    up then.
 *
 * Throws UserError: what `out` throws, `disk-space-limit` and `memory-buffer-too-small`.
 */
export function record(
  machine: ClockedMachine,
  rings: TraceRings,
  plan: RecordingPlan,
  out: ByteSink,
  hooks: RecordHooks = {},
): Recording {
  const counted = new CountedSink(out);
  const windows: WindowSink =
    plan.memoryBufferBytes > 0
      ? new MemoryBuffer(counted, plan.memoryBufferBytes)
      : new WindowWriter(counted, plan.reserveDiskMegabytes);
  const recorder = new Recorder(machine, rings, plan, windows);
  recorder.start();
  for (let nowNs = plan.startNs; nowNs < plan.stopNs; ) {
    nowNs = recorder.step();
    hooks.onProgress?.(nowNs, plan.stopNs);
  }
  const recording = recorder.stop();
  windows.finish();
  return { ...recording, writtenBytes: counted.bytes };
}

/**
 * {@link record} into a file, or standard output for `-`. A recording that fails leaves no file and whatever
 * was under the name before; one that the disk reservation ends (-r) leaves what it has, which is a whole
 * trace, and still throws.
 */
export function recordToFile(
  machine: ClockedMachine,
  rings: TraceRings,
  plan: RecordingPlan,
  path: string,
  hooks: RecordHooks = {},
): Recording {
  const file = new TraceFile(path);
  try {
    const recording = record(machine, rings, plan, file, hooks);
    file.commit();
    return recording;
  } catch (error) {
    if (error instanceof UserError && error.code === DISK_SPACE_LIMIT) file.commit();
    throw error;
  } finally {
    file.abandon();
  }
}

/** xentrace's monitor_tbufs() on the clock of a machine. */
class Recorder {
  readonly #machine: ClockedMachine;
  readonly #rings: TraceRings;
  readonly #plan: RecordingPlan;
  readonly #windows: WindowSink;
  /** When the sleep ends that the last sweep began. */
  #pollAtNs: number;
  /** When a notification of a half full ring takes effect; Infinity while there is none under way. */
  #wakeAtNs = Number.POSITIVE_INFINITY;
  /** When tracing is still to be switched on; Infinity for never. */
  #enableAtNs: number;
  #windowCount = 0;
  #bytes = 0;
  #sweeps = 0;
  #wakes = 0;

  constructor(machine: ClockedMachine, rings: TraceRings, plan: RecordingPlan, windows: WindowSink) {
    this.#machine = machine;
    this.#rings = rings;
    this.#plan = plan;
    this.#windows = windows;
    this.#pollAtNs = plan.startNs + plan.pollNs;
    this.#enableAtNs = plan.startsDisabled
      ? (plan.enableAtNs ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
  }

  /**
   * At instant 0 the rings are empty and as createTraceRings() left them; later they hold what came before.
   */
  start(): void {
    const plan = this.#plan;
    if (plan.startNs > 0) {
      this.#machine.runUntil(plan.startNs);
      if (plan.startsDisabled) this.#rings.disable();
      if (plan.discardBuffers) this.#discard();
      this.#sweep(plan.startNs, plan.logThreshold);
    }
    if (plan.wakeLatencyNs !== undefined) this.#listen(plan.wakeLatencyNs);
  }

  /** Runs to the next instant at which there is something to do, and does it. */
  step(): number {
    const { stopNs } = this.#plan;
    const nextNs = Math.min(this.#pollAtNs, this.#enableAtNs, stopNs);
    this.#machine.runUntil(nextNs);
    // A notification that no record came after: the rings are still as they were when it was due.
    if (this.#wakeAtNs <= nextNs) this.#wake();
    if (nextNs === this.#enableAtNs) {
      this.#rings.enable();
      this.#enableAtNs = Number.POSITIVE_INFINITY;
    }
    if (nextNs < stopNs && nextNs >= this.#pollAtNs) this.#sweep(nextNs, this.#plan.logThreshold);
    return nextNs;
  }

  stop(): Omit<Recording, 'writtenBytes'> {
    this.#rings.onHighWater = undefined;
    this.#rings.beforeRecord = undefined;
    this.#sweep(this.#plan.stopNs, 1);
    if (!this.#plan.dontDisableTracing) this.#rings.disable();
    this.#sweep(this.#plan.stopNs, 1);
    return {
      windows: this.#windowCount,
      bytes: this.#bytes,
      sweeps: this.#sweeps,
      wakes: this.#wakes,
      keptRecords: this.#rings.keptRecords,
      lostRecords: this.#rings.lostRecords,
      untoldLostRecords: this.#rings.untoldLostRecords,
    };
  }

  #sweep(nowNs: number, threshold: number): void {
    this.#sweeps += 1;
    this.#pollAtNs = nowNs + this.#plan.pollNs;
    for (let pcpu = 0; pcpu < this.#rings.pcpus; pcpu += 1) {
      const ring = this.#rings.ring(pcpu);
      if (ring.unconsumedRecords < threshold) continue;
      ring.unread((first, second) => {
        this.#windows.window(pcpu, first, second);
        this.#windowCount += 1;
        this.#bytes += WINDOW_HEADER_BYTES + first.length + second.length;
      });
      ring.consume();
    }
  }

  #discard(): void {
    for (let pcpu = 0; pcpu < this.#rings.pcpus; pcpu += 1) this.#rings.ring(pcpu).consume();
  }

  /**
   * Sweeps `latencyNs` after a ring has reached its high-water mark. Nothing but a record changes a ring, so
   * that it is enough to look at the clock in front of each record while a notification is under way.
   */
  #listen(latencyNs: number): void {
    this.#rings.onHighWater = () => {
      if (this.#wakeAtNs !== Number.POSITIVE_INFINITY) return;
      this.#wakeAtNs = this.#machine.nowNs + latencyNs;
      this.#rings.beforeRecord = () => {
        if (this.#machine.nowNs >= this.#wakeAtNs) this.#wake();
      };
    };
  }

  #wake(): void {
    const wakeAtNs = this.#wakeAtNs;
    this.#wakeAtNs = Number.POSITIVE_INFINITY;
    this.#rings.beforeRecord = undefined;
    this.#wakes += 1;
    this.#sweep(wakeAtNs, this.#plan.logThreshold);
  }
}

/** Passes everything on and counts it. */
class CountedSink implements ByteSink {
  bytes = 0;
  readonly #out: ByteSink;

  constructor(out: ByteSink) {
    this.#out = out;
  }

  write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#out.write(bytes);
  }

  freeBytes(): number | undefined {
    return this.#out.freeBytes?.();
  }
}
