import { assert } from '../base/assert.ts';
import { UserError } from '../base/errors.ts';
import type { SampleLimits } from './cycle-summary.ts';
import type { RunstateLines, RunstateTimes } from './runstate-times.ts';
import {
  DONE,
  IS_SHORT,
  LABEL_BYTES,
  LABEL_LENGTH,
  LABELS,
  LINES,
  PROGRESS,
  RING,
  SAMPLES,
  TALLIES_USED,
} from './wasm/runstate-layout.ts';
import { createMemory, PAGE_BYTES, startWasm } from './wasm-program.ts';

export interface RunstateCounterOptions extends SampleLimits {
  /** The TSC that stands for none. */
  readonly never: number;
  readonly cpuHz: number;
  /** What the lines begin with: by {@link RUNSTATES}, {@link CAUSES}, and what a domain's vCPUs do together. */
  readonly labels: readonly string[];
}

/** What wasm/runstate-counter.ts exports. */
interface Program {
  begin(never: number, cpuHz: number, sampleSize: number, sampleMax: number): void;
  take(from: number, to: number): void;
  end(): void;
  findNext(thread: number): number;
  vcpuLines(index: number): number;
  restOfLines(): number;
  domainLines(index: number): number;
  exitLine(vcpu: number, key: number, totalCycles: number): number;
}

const PAGES_MAX = 65_536;
const PATIENCE_MS = 60_000;

/**
 * Counts how long vCPUs, and the vCPUs of each domain together, are in each runstate, and how long exits of guests are,
 * finds percentiles of that, and writes the lines of the summary that tell it. All of it is done by the program in
 * wasm/, in a memory that two threads can share: one counts, then both look for percentiles.
 */
export class RunstateCounter implements RunstateTimes {
  readonly #memory: WebAssembly.Memory;
  readonly #program: Program;

  constructor(options: RunstateCounterOptions, memory = runstateMemory()) {
    const { never, cpuHz, sampleSize, sampleMax, labels } = options;
    this.#memory = memory;
    this.#program = startWasm<Program>('runstate-counter', memory);
    this.#program.begin(never, cpuHz, sampleSize, sampleMax);
    const bytes = Buffer.from(memory.buffer);
    for (const [nth, label] of labels.entries()) {
      const at = LABELS + nth * LABEL_BYTES;
      bytes[at + LABEL_LENGTH] = bytes.write(label, at, 'latin1');
    }
  }

  take(words: Int32Array): void {
    new Int32Array(this.#memory.buffer, RING).set(words);
    this.takeFrom(RING, words.length);
  }

  /** As {@link take}, of so many words at an address of the memory. */
  takeFrom(address: number, words: number): void {
    this.#program.take(address, address + words * 4);
  }

  lines(): RunstateLines {
    this.end();
    this.findPercentiles(0);
    return this.linesFound();
  }

  /** All was taken. */
  end(): void {
    this.#program.end();
  }

  /** Finds percentiles, as one of two threads: 0 or 1. */
  findPercentiles(thread: number): void {
    if (this.#isShort) return;
    while (this.#program.findNext(thread) !== 0);
  }

  /**
   * The lines, when both threads have found percentiles.
   *
   * @throws UserError where there was not enough memory for all samples.
   */
  linesFound(): RunstateLines {
    if (this.#isShort)
      throw new UserError('too-many-samples', 'there are more durations than 4 GiB have room for', {
        hint: 'give --sample-max=1000000, or less',
      });
    const { buffer } = this.#memory;
    const progress = new Int32Array(buffer, PROGRESS);
    const tallies = progress[TALLIES_USED / 4];
    waitUntil(progress, DONE / 4, (done) => done === tallies);
    const linesTo = (end: number) => new Uint8Array(buffer, LINES, end - LINES);
    return {
      ofVcpu: (index) => linesTo(this.#program.vcpuLines(index)),
      rest: () => linesTo(this.#program.restOfLines()),
      ofExits: (index, key, total) => linesTo(this.#program.exitLine(index, key, total)),
      ofDomain: (index) => linesTo(this.#program.domainLines(index)),
    };
  }

  /** Whether there was not enough memory for all samples. */
  get #isShort(): boolean {
    return new Int32Array(this.#memory.buffer)[(PROGRESS + IS_SHORT) / 4] !== 0;
  }
}

/** Waits for another thread. */
export function waitUntil(words: Int32Array, index: number, isDone: (value: number) => boolean): void {
  for (;;) {
    const value = Atomics.load(words, index);
    if (isDone(value)) return;
    const waited = Atomics.wait(words, index, value, PATIENCE_MS);
    assert(waited !== 'timed-out', 'the thread that counts has stopped answering');
  }
}

/** A memory for a {@link RunstateCounter}. Only what is used of it takes room. */
export function runstateMemory(): WebAssembly.Memory {
  return createMemory({ initial: SAMPLES / PAGE_BYTES, maximum: PAGES_MAX, shared: true });
}
