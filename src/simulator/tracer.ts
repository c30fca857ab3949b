import type { Host } from '../scenario/scenario.ts';
import type { Machine } from './machine.ts';
import type { TraceSink } from './trace-sink.ts';
import { tscTicks } from './tsc.ts';

const TWO_32 = 0x1_0000_0000;

/**
 * Makes the trace records of the hypervisor (Xen's __trace_var) and hands them to the sink.
 *
 * Invariants:
 * 1. A record goes to the buffer of the pCPU in whose context it is made.
 * 2. No two of Xen's records share a TSC, on whatever pCPUs: each is at least one tick after the one made
 *    before it, so that records of one instant keep their causal order. A record that is not wanted takes none.
 * 3. Records of guest jobs, and others that Xen does not make, take no tick of their own: every other record
 *    is what it would be without them.
 *
 * Words are cut to 32 bits as Xen's uint32_t are.
 */
export class Tracer {
  /** Off until the machine is up. */
  enabled = false;
  readonly #machine: Machine;
  readonly #sink: TraceSink;
  readonly #hz: number;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  readonly #skewTicks: readonly number[];
  readonly #words = new Uint32Array(7);
  /** The record clock: ticks since t = 0 of the record made last. A float from the start (see FLOAT_ZERO). */
  #lastTicks = -Infinity;

  constructor(machine: Machine, host: Host, sink: TraceSink) {
    this.#machine = machine;
    this.#sink = sink;
    this.#hz = host.tscHz;
    this.#baseLow = Number(host.tscBase & 0xffffffffn);
    this.#baseHigh = Number((host.tscBase >> 32n) & 0xffffffffn);
    this.#skewTicks = host.tscSkewTicks;
  }

  /** A record without extra words; `record1` to `record6` have that many. */
  record0(event: number): void {
    if (this.wants(event)) this.#put(event, 0);
  }

  record1(event: number, a: number): void {
    if (!this.wants(event)) return;
    this.#words[0] = a;
    this.#put(event, 1);
  }

  record2(event: number, a: number, b: number): void {
    if (!this.wants(event)) return;
    const words = this.#words;
    words[0] = a;
    words[1] = b;
    this.#put(event, 2);
  }

  record3(event: number, a: number, b: number, c: number): void {
    if (!this.wants(event)) return;
    const words = this.#words;
    words[0] = a;
    words[1] = b;
    words[2] = c;
    this.#put(event, 3);
  }

  record4(event: number, a: number, b: number, c: number, d: number): void {
    if (!this.wants(event)) return;
    const words = this.#words;
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    this.#put(event, 4);
  }

  record6(event: number, a: number, b: number, c: number, d: number, e: number, f: number): void {
    if (!this.wants(event)) return;
    const words = this.#words;
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    words[4] = e;
    words[5] = f;
    this.#put(event, 6);
  }

  /**
   * For records that `record0` to `record4` do not suit: where to put the extra words, at most 7, before
   * {@link commit}; undefined if the record is not wanted.
   */
  begin(event: number): Uint32Array | undefined {
    return this.wants(event) ? this.#words : undefined;
  }

  /** Makes the record that `begin` was asked for. */
  commit(event: number, wordCount: number): void {
    this.#put(event, wordCount);
  }

  /** As `commit`, for a record that Xen does not make. */
  commitOwn(event: number, wordCount: number): void {
    this.#emit(event, this.#ownTicks(), wordCount);
  }

  /** A record that Xen does not make, of these words. */
  ownRecord(event: number, ...words: readonly number[]): void {
    this.begin(event)?.set(words);
    if (this.wants(event)) this.commitOwn(event, words.length);
  }

  /** A record of a guest's job: the vCPU, the task's number, the job's number. */
  jobRecord(event: number, packedVcpu: number, task: number, job: number): void {
    if (!this.wants(event)) return;
    this.#jobWords(packedVcpu, task, job);
    this.#emit(event, this.#ownTicks(), 3);
  }

  /** A release also says the deadline, relative to it, and how long before the record it was. */
  releaseRecord(
    event: number,
    packedVcpu: number,
    task: number,
    job: number,
    deadlineNs: number,
    lateNs: number,
  ): void {
    if (!this.wants(event)) return;
    this.#jobWords(packedVcpu, task, job);
    const words = this.#words;
    words[3] = deadlineNs;
    words[4] = Math.floor(deadlineNs / TWO_32);
    words[5] = lateNs;
    words[6] = Math.floor(lateNs / TWO_32);
    this.#emit(event, this.#ownTicks(), 7);
  }

  /** Whether a record of `event`, made now and here, would be kept. */
  wants(event: number): boolean {
    return this.enabled && this.#sink.wants(this.#machine.cpu, event);
  }

  #jobWords(packedVcpu: number, task: number, job: number): void {
    const words = this.#words;
    words[0] = packedVcpu;
    words[1] = task;
    words[2] = job;
  }

  #ownTicks(): number {
    const now = tscTicks(this.#machine.nowNs, this.#hz);
    return Math.max(now, this.#lastTicks);
  }

  #put(event: number, wordCount: number): void {
    const now = tscTicks(this.#machine.nowNs, this.#hz);
    const ticks = now > this.#lastTicks ? now : this.#lastTicks + 1;
    this.#lastTicks = ticks;
    this.#emit(event, ticks, wordCount);
  }

  #emit(event: number, ticks: number, wordCount: number): void {
    const { cpu, pcpus } = this.#machine;
    const shown = this.#skewTicks.length === 0 ? ticks : ticks + (this.#skewTicks[cpu] ?? 0);
    // Exact, as both are far below 2^53; `>>>` takes the rest of a division by 2^32.
    const fromBase = shown + this.#baseLow;
    const { current } = pcpus[cpu]!;
    this.#sink.emit(
      cpu,
      event,
      fromBase >>> 0,
      (this.#baseHigh + Math.floor(fromBase / TWO_32)) >>> 0,
      this.#words,
      wordCount,
      current.domain.id,
      current.id,
    );
  }
}
