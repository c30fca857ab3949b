import type { ClockedMachine } from '../../src/recorder/index.ts';
import type { TraceSink } from '../../src/simulator/trace-sink.ts';

/** One record of a {@link ScriptedMachine}. */
export interface ScriptedRecord {
  readonly ns: number;
  readonly pcpu: number;
  /** A 16-byte record (one extra word) of the scheduler's class unless told otherwise. */
  readonly event?: number;
  readonly words?: readonly number[];
}

/**
 * The smallest machine there can be: it makes the records that it is told to, each at its time; 1 ns is one
 * tick.
 */
export class ScriptedMachine implements ClockedMachine {
  nowNs = 0;
  readonly #records: readonly ScriptedRecord[];
  readonly #sink: TraceSink;
  #next = 0;

  /** `records` in the order of their times. */
  constructor(sink: TraceSink, records: readonly ScriptedRecord[]) {
    this.#sink = sink;
    this.#records = records;
  }

  runUntil(ns: number): void {
    for (; this.#next < this.#records.length && this.#records[this.#next]!.ns < ns; this.#next += 1) {
      const { ns: at, pcpu, event = 0x28006, words = [at] } = this.#records[this.#next]!;
      this.nowNs = at;
      this.#sink.emit(pcpu, event, at, 0, Uint32Array.from(words), words.length, 1, 0);
    }
    this.nowNs = ns;
  }
}

/** A record of pCPU `pcpu` every `everyNs`, from `fromNs` up to, but not at, `toNs`. */
export function every(everyNs: number, pcpu: number, fromNs: number, toNs: number): ScriptedRecord[] {
  const records: ScriptedRecord[] = [];
  for (let ns = fromNs; ns < toNs; ns += everyNs) records.push({ ns, pcpu });
  return records;
}

/** Several scripts as one, in the order of time; at one instant the earlier script first. */
export function together(...scripts: readonly ScriptedRecord[][]): ScriptedRecord[] {
  return scripts.flat().toSorted((a, b) => a.ns - b.ns);
}
