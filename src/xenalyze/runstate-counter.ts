import { divide, grownSampleSize, replacedIndex, type SampleLimits } from './cycle-summary.ts';
import { PercentileSearch } from './percentiles.ts';
import type { CycleTotals, RunstateTimes, RunstateTotals } from './runstate-times.ts';
import {
  BASE,
  COUNT,
  CYCLES,
  NUMBER_BYTES,
  NUMBERS,
  NUMBERS_OF_INDEX,
  RING,
  ROOM,
  RUNSTATES,
  SAMPLES,
  SUM,
} from './wasm/runstate-layout.ts';
import { PAGE_BYTES, startWasm } from './wasm-program.ts';

export interface RunstateCounterOptions extends SampleLimits {
  /** The TSC that stands for none. */
  readonly never: number;
}

/** What was counted, as threads can share it. */
export interface RunstateCounts {
  readonly memory: WebAssembly.Memory;
  /** Pieces of samples for which there was no room in the memory: from the address {@link OUTSIDE} on. */
  readonly outside: readonly Int32Array[];
  /** By number: the addresses of the pieces of its sample, and how many durations that may have. */
  readonly pieces: readonly (readonly number[] | undefined)[];
  readonly sampleSizes: readonly (number | undefined)[];
  /** By address: durations that are too long for a sample's word, which is 0. */
  readonly long: ReadonlyMap<number, number>;
}

/** What wasm/runstate-counter.ts exports. */
interface Program {
  begin(never: number): void;
  take(from: number, to: number): void;
}

const PIECE = 1024;
const PIECE_BYTES = PIECE * 4;
const CYCLES_MAX = 2 ** 31 - 1;
const PAGES_MAX = 65_536;
const GROWN_PAGES = 256;
const OUTSIDE = 2 ** 32;

/**
 * Counts how long vCPUs, and the vCPUs of each domain together, are in each runstate. The program in wasm/ does what is
 * to be done for each of millions of transitions; here a sample gets more room, or a duration a place in a full one.
 */
export class RunstateCounter implements RunstateTimes {
  readonly #limits: SampleLimits;
  readonly #memory: WebAssembly.Memory;
  readonly #program: Program;
  #ints: Int32Array;
  #cycles: BigInt64Array;
  readonly #pieces: number[][] = [];
  readonly #sampleSizes: number[] = [];
  readonly #long = new Map<number, number>();
  readonly #outside: Int32Array[] = [];
  #samplesEnd = SAMPLES;

  constructor({ sampleSize, sampleMax, never }: RunstateCounterOptions, memory = runstateMemory()) {
    this.#limits = { sampleSize, sampleMax };
    this.#memory = memory;
    this.#ints = new Int32Array(memory.buffer);
    this.#cycles = new BigInt64Array(memory.buffer);
    this.#program = startWasm<Program>('runstate-counter', memory, {
      'runstate-counter': { addSpecial: (number, cycles) => this.#addSpecial(number, cycles) },
    });
    this.#program.begin(never);
  }

  take(words: Int32Array): void {
    this.#ints.set(words, RING / 4);
    this.takeFrom(RING, words.length);
  }

  /** As {@link take}, of so many words at an address of the memory. */
  takeFrom(address: number, words: number): void {
    this.#program.take(address, address + words * 4);
  }

  get counts(): RunstateCounts {
    return {
      memory: this.#memory,
      outside: this.#outside,
      pieces: this.#pieces,
      sampleSizes: this.#sampleSizes,
      long: this.#long,
    };
  }

  totals(): RunstateTotals {
    const percentiles = new Float64Array(this.#pieces.length * 3);
    findPercentiles(this.counts, percentiles, new Int32Array(2));
    return runstateTotals(this.counts, percentiles);
  }

  /** Where a sample has no room, or for a long duration. */
  #addSpecial(address: number, cycles: number): void {
    const number = (address - NUMBERS) / NUMBER_BYTES;
    const count = this.#ints[(address + COUNT) / 4];
    let size = this.#sampleSizes[number] ?? 0;
    if (count >= size) size = grownSampleSize(size, count, this.#limits);
    this.#sampleSizes[number] = size;
    const index = count < size ? count : replacedIndex(count, size);
    if (index >= 0) this.#sample(address, index, cycles, size);
    this.#ints[(address + COUNT) / 4] = count + 1;
    this.#cycles[(address + CYCLES) / 8] += BigInt(cycles);
  }

  /** Puts a duration in its place of a number's sample, and has the program put there those that follow. */
  #sample(address: number, index: number, cycles: number, size: number): void {
    const number = (address - NUMBERS) / NUMBER_BYTES;
    this.#pieces[number] ??= [];
    const pieces = this.#pieces[number];
    const ordinal = Math.floor(index / PIECE);
    pieces[ordinal] ??= this.#newPiece();
    const piece = pieces[ordinal];
    const inPiece = index - ordinal * PIECE;
    const isLong = cycles > CYCLES_MAX;
    if (isLong) this.#long.set(piece + inPiece * 4, cycles);
    const value = isLong ? 0 : cycles;
    if (piece >= OUTSIDE) {
      this.#outside[(piece - OUTSIDE) / PIECE_BYTES][inPiece] = value;
      return;
    }
    this.#ints[piece / 4 + inPiece] = value;
    if (index !== this.#ints[(address + COUNT) / 4]) return;
    this.#ints[(address + BASE) / 4] = piece - ordinal * PIECE_BYTES;
    this.#ints[(address + ROOM) / 4] = Math.min(size, (ordinal + 1) * PIECE);
  }

  /** Takes room for a piece of a sample. Returns its address. */
  #newPiece(): number {
    const address = this.#samplesEnd;
    if (address + PIECE_BYTES > this.#memory.buffer.byteLength && !this.#grow()) {
      this.#outside.push(new Int32Array(new SharedArrayBuffer(PIECE_BYTES)));
      return OUTSIDE + (this.#outside.length - 1) * PIECE_BYTES;
    }
    this.#samplesEnd += PIECE_BYTES;
    return address;
  }

  /** Makes the memory larger, if that can be. */
  #grow(): boolean {
    try {
      this.#memory.grow(GROWN_PAGES);
    } catch {
      return false;
    }
    this.#ints = new Int32Array(this.#memory.buffer);
    this.#cycles = new BigInt64Array(this.#memory.buffer);
    return true;
  }
}

/**
 * Finds the 5th, 50th and 95th percentile of each number's sample; several threads can do so together.
 *
 * @param results Three for each number.
 * @param progress Shared by the threads: the next number, and how many are done.
 */
export function findPercentiles(counts: RunstateCounts, results: Float64Array, progress: Int32Array): void {
  const { memory, pieces, outside, sampleSizes, long } = counts;
  const ints = new Int32Array(memory.buffer);
  const search = new PercentileSearch();
  const numbers = results.length / 3;
  for (;;) {
    const number = Atomics.add(progress, 0, 1);
    if (number >= numbers) return;
    const of = isAllOfSum(ints, number) ? undefined : pieces[number];
    if (of !== undefined) {
      const values = search.room(of.length * PIECE);
      for (const [ordinal, piece] of of.entries())
        values.set(
          piece >= OUTSIDE
            ? outside[(piece - OUTSIDE) / PIECE_BYTES]
            : ints.subarray(piece / 4, piece / 4 + PIECE),
          ordinal * PIECE,
        );
      const count = Math.min(countOf(ints, number), sampleSizes[number] ?? 0);
      if (long.size > 0) takeLong(values, count, of, long);
      const { p5, p50, p95 } = search.selfWeightedInRoom(count);
      results.set([p5, p50, p95], number * 3);
    }
    if (Atomics.add(progress, 1, 1) === numbers - 1) Atomics.notify(progress, 1);
  }
}

function takeLong(
  values: Float64Array,
  count: number,
  pieces: readonly number[],
  long: ReadonlyMap<number, number>,
): void {
  for (let i = 0; i < count; i++) {
    if (values[i] === 0) values[i] = long.get(pieces[Math.floor(i / PIECE)] + (i % PIECE) * 4) ?? 0;
  }
}

/** What was counted, with percentiles as {@link findPercentiles} has found them. */
export function runstateTotals({ memory }: RunstateCounts, percentiles: Float64Array): RunstateTotals {
  const ints = new Int32Array(memory.buffer);
  const sums = new BigInt64Array(memory.buffer);
  const totals = (index: number, inIndex: number): CycleTotals => {
    const number = index * NUMBERS_OF_INDEX + inIndex;
    const count = countOf(ints, number);
    if (count === 0) return NOTHING;
    const cycles = Number(sums[(addressOf(number) + CYCLES) / 8]);
    const at = (isAllOfSum(ints, number) ? sumOf(ints, number) : number) * 3;
    const [p5, p50, p95] = [percentiles[at] ?? 0, percentiles[at + 1] ?? 0, percentiles[at + 2] ?? 0];
    return { count, cycles, mean: divide(cycles, count), percentiles: { p5, p50, p95 } };
  };
  return {
    ofRunstate: totals,
    ofCause: (vcpu, cause) => totals(vcpu, RUNSTATES + cause),
    ofDomain: totals,
  };
}

const NOTHING: CycleTotals = { count: 0, cycles: 0, mean: 0, percentiles: { p5: 0, p50: 0, p95: 0 } };

/** Whether nothing else is in the sum to which a number adds: then both have the same sample. */
function isAllOfSum(ints: Int32Array, number: number): boolean {
  const sum = sumOf(ints, number);
  return sum >= 0 && countOf(ints, number) === countOf(ints, sum);
}

/** The number under which the durations of another are counted as well, or -1. */
function sumOf(ints: Int32Array, number: number): number {
  const address = ints[(addressOf(number) + SUM) / 4];
  return address === 0 ? -1 : (address - NUMBERS) / NUMBER_BYTES;
}

function countOf(ints: Int32Array, number: number): number {
  return ints[(addressOf(number) + COUNT) / 4];
}

function addressOf(number: number): number {
  return NUMBERS + number * NUMBER_BYTES;
}

/** A memory for a {@link RunstateCounter}. Only what is used of it takes room. */
export function runstateMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: SAMPLES / PAGE_BYTES, maximum: PAGES_MAX, shared: true });
}
