import { divide, grownSampleSize, replacedIndex, type SampleLimits } from './cycle-summary.ts';
import { PercentileSearch, type Percentiles } from './percentiles.ts';

/** What came together under one number of a table. */
export interface CycleTotals {
  readonly count: number;
  readonly cycles: number;
  /** Rounded down. */
  readonly mean: number;
  /** Weighted by time; zeros where no sample was kept. */
  readonly percentiles: Percentiles;
}

/** A table's content, which threads can share. */
export interface CycleTableContent {
  /** By number, of {@link FIELDS} each. */
  readonly data: Float64Array;
  /** By number: the chunks of its sample. */
  readonly chunks: readonly (readonly number[] | undefined)[];
  readonly samples: readonly Int32Array[];
  /** By number: the one under which its durations are counted as well; -1: none. */
  readonly sums: Int32Array;
  readonly sampleSizes: readonly (number | undefined)[];
  /** By place: durations that are too long for a sample's word, which is 0. */
  readonly long: ReadonlyMap<number, number>;
}

// The fields of a number: how many durations, and their sum; up to how many of them a new one goes to the place that
// is BASE + count.
const COUNT = 0;
const CYCLES = 1;
const ROOM = 2;
const BASE = 3;
const FIELDS = 4;

const CHUNK = 1024;
const SEGMENT_BITS = 22;
const SEGMENT = 2 ** SEGMENT_BITS;
const CYCLES_MAX = 2 ** 31 - 1;

/**
 * Many {@link CycleSummary}s in one: what is counted in each of several millions of records lies close together, and a
 * duration takes four bytes of its number's sample.
 */
export class CycleTable {
  readonly #limits: SampleLimits;
  #data = new Float64Array(new SharedArrayBuffer(1024 * FIELDS * 8));
  #sums = new Int32Array(1024).fill(-1);
  readonly #sampleSizes: number[] = [];
  readonly #chunks: number[][] = [];
  readonly #samples: Int32Array[] = [];
  readonly #long = new Map<number, number>();
  #chunksUsed = 0;

  constructor({ sampleSize, sampleMax }: SampleLimits) {
    this.#limits = { sampleSize, sampleMax };
  }

  /** Counts a duration, a whole number above 0, under a number from 0 on. */
  add(number: number, cycles: number): void {
    const data = this.#data;
    const at = number * FIELDS;
    const count = data[at + COUNT];
    if (count < data[at + ROOM] && cycles <= CYCLES_MAX) {
      const place = data[at + BASE] + count;
      this.#samples[place >>> SEGMENT_BITS][place & (SEGMENT - 1)] = cycles;
      data[at + COUNT] = count + 1;
      data[at + CYCLES] += cycles;
    } else this.#addSpecial(number, cycles);
    const sum = this.#sums[number];
    if (sum >= 0) this.add(sum, cycles);
  }

  /** From now on, what is counted under `number` is counted under `sum` as well. */
  addTo(sum: number, number: number): void {
    while (number >= this.#sums.length) this.#grow();
    this.#sums[number] = sum;
  }

  get content(): CycleTableContent {
    return {
      data: this.#data,
      chunks: this.#chunks,
      samples: this.#samples,
      sums: this.#sums,
      sampleSizes: this.#sampleSizes,
      long: this.#long,
    };
  }

  /** What was counted; nothing can be added afterwards. */
  totals(): (number: number) => CycleTotals {
    const percentiles = new Float64Array(this.#chunks.length * 3);
    findPercentiles(this.content, percentiles, new Int32Array(2));
    return (number) => totalsOf(this.content, percentiles, number);
  }

  /** Where there is no room, or for a long duration. */
  #addSpecial(number: number, cycles: number): void {
    const at = number * FIELDS;
    while (at >= this.#data.length) this.#grow();
    const data = this.#data;
    const count = data[at + COUNT];
    let size = this.#sampleSizes[number] ?? 0;
    if (count >= size) size = grownSampleSize(size, count, this.#limits);
    this.#sampleSizes[number] = size;
    const index = count < size ? count : replacedIndex(count, size);
    if (index >= 0) {
      const place = this.#placeOf(number, index);
      const isLong = cycles > CYCLES_MAX;
      this.#samples[place >>> SEGMENT_BITS][place & (SEGMENT - 1)] = isLong ? 0 : cycles;
      if (isLong) this.#long.set(place, cycles);
      if (index === count) {
        data[at + BASE] = place - count;
        data[at + ROOM] = Math.min(size, count - (count % CHUNK) + CHUNK);
      }
    }
    data[at + COUNT] = count + 1;
    data[at + CYCLES] += cycles;
  }

  #placeOf(number: number, index: number): number {
    this.#chunks[number] ??= [];
    const chunks = this.#chunks[number];
    const ordinal = Math.floor(index / CHUNK);
    chunks[ordinal] ??= this.#newChunk();
    return chunks[ordinal] * CHUNK + (index % CHUNK);
  }

  #newChunk(): number {
    if (this.#chunksUsed * CHUNK === this.#samples.length * SEGMENT)
      this.#samples.push(new Int32Array(new SharedArrayBuffer(SEGMENT * 4)));
    return this.#chunksUsed++;
  }

  #grow(): void {
    const data = new Float64Array(new SharedArrayBuffer(this.#data.byteLength * 2));
    data.set(this.#data);
    this.#data = data;
    const sums = new Int32Array(data.length / FIELDS).fill(-1);
    sums.set(this.#sums);
    this.#sums = sums;
  }
}

export function totalsOf(content: CycleTableContent, percentiles: Float64Array, number: number): CycleTotals {
  const { data } = content;
  const count = data[number * FIELDS + COUNT] ?? 0;
  const cycles = data[number * FIELDS + CYCLES] ?? 0;
  const [p5, p50, p95] = percentiles.subarray(
    (isAllOfSum(content, number) ? content.sums[number] : number) * 3,
  );
  return { count, cycles, mean: count === 0 ? 0 : divide(cycles, count), percentiles: { p5, p50, p95 } };
}

/** Whether nothing else is in the sum to which a number adds: then both have the same sample. */
function isAllOfSum({ data, sums }: CycleTableContent, number: number): boolean {
  const sum = sums[number] ?? -1;
  return sum >= 0 && data[number * FIELDS + COUNT] === data[sum * FIELDS + COUNT];
}

/**
 * Finds the 5th, 50th and 95th percentile of each number's sample; several threads can do so together.
 *
 * @param results Three for each number.
 * @param progress Shared by the threads: the next number, and how many are done.
 */
export function findPercentiles(
  content: CycleTableContent,
  results: Float64Array,
  progress: Int32Array,
): void {
  const { data, chunks, samples, sampleSizes, long } = content;
  const search = new PercentileSearch();
  const numbers = results.length / 3;
  for (;;) {
    const number = Atomics.add(progress, 0, 1);
    if (number >= numbers) return;
    const of = isAllOfSum(content, number) ? [] : (chunks[number] ?? []);
    const values = search.sample(of.length * CHUNK);
    for (const [i, chunk] of of.entries()) {
      const segment = samples[Math.floor((chunk * CHUNK) / SEGMENT)];
      const start = (chunk * CHUNK) % SEGMENT;
      values.set(segment.subarray(start, start + CHUNK), i * CHUNK);
    }
    const count = of.length === 0 ? 0 : Math.min(data[number * FIELDS + COUNT], sampleSizes[number] ?? 0);
    if (long.size > 0) takeLong(values, count, of, long);
    if (count > 0) {
      const { p5, p50, p95 } = search.selfWeightedInSample(count);
      results.set([p5, p50, p95], number * 3);
    }
    if (Atomics.add(progress, 1, 1) === numbers - 1) Atomics.notify(progress, 1);
  }
}

function takeLong(
  values: Float64Array,
  count: number,
  chunks: readonly number[],
  long: ReadonlyMap<number, number>,
): void {
  for (let i = 0; i < count; i++) {
    if (values[i] === 0) values[i] = long.get(chunks[Math.floor(i / CHUNK)] * CHUNK + (i % CHUNK)) ?? 0;
  }
}
