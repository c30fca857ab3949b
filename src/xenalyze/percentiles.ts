import { UserError } from '../base/errors.ts';
import { SCRATCH_BYTES } from './wasm/percentile-layout.ts';
import { createMemory, PAGE_BYTES, startWasm } from './wasm-program.ts';

/** The 5th, the 50th and the 95th percentile of some durations. */
export interface Percentiles {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
}

const NONE: Percentiles = { p5: 0, p50: 0, p95: 0 };
/** Behind what the program has for itself. */
const VALUES = 4096 + SCRATCH_BYTES;
/** What a memory of 4 GiB has room for. */
const SAMPLE_MAX = (2 ** 32 - VALUES) / 8;

/** What wasm/percentile-search.ts exports. */
interface Program {
  begin(values: number, count: number): void;
  percentile(percent: number): number;
  selfWeighted(percent: number): number;
}

/**
 * Finds percentiles by partition in place, as xenalyze does: with the middle one first, as each search leaves the
 * values partly sorted for the next. Which of several near values is found depends on that order, so each partition
 * moves exactly what xenalyze's does; but it goes through the values in blocks, without branches that depend on them,
 * and what the partitions so far have put on one side of the pivot is passed over.
 *
 * It is WebAssembly, because this is most of what a summary takes behind the last record: it takes a quarter of the
 * time of the same in JavaScript, which has to become warm first.
 */
export class PercentileSearch {
  readonly #memory = createMemory({ initial: 1 });
  readonly #program = startWasm<Program>('percentile-search', this.#memory);
  #values = new Float64Array(this.#memory.buffer, VALUES);

  /** Of the first `count` values: those that so many percent of them are below. */
  percentiles(values: Float64Array, count: number): Percentiles {
    return this.#inSample(values, count, (percent) => this.#program.percentile(percent));
  }

  /**
   * Of the first `count` values: those below which lie so many percent of their sum. Half of all the time was spent in
   * stretches shorter than the 50th.
   *
   * @param before Called before each of the three searches, with the values as they are by then.
   */
  selfWeighted(values: Float64Array, count: number, before?: (values: Float64Array) => void): Percentiles {
    return this.#inSample(values, count, (percent, sample) => {
      before?.(sample);
      return this.#program.selfWeighted(percent);
    });
  }

  /**
   * Room for so many values, or more, in the memory in which they are searched; until the next call.
   *
   * @throws UserError for more than half a billion.
   */
  room(count: number): Float64Array {
    if (count > SAMPLE_MAX)
      throw new UserError('too-many-samples', `${count} durations are more than percentiles are found of`, {
        hint: 'give --sample-max=100000000, or less',
      });
    if (this.#values.length < count) {
      this.#memory.grow(Math.ceil(((count - this.#values.length) * 8) / PAGE_BYTES));
      this.#values = new Float64Array(this.#memory.buffer, VALUES);
    }
    return this.#values;
  }

  #inSample(
    values: Float64Array,
    count: number,
    search: (percent: number, sample: Float64Array) => number,
  ): Percentiles {
    if (count === 0) return NONE;
    if (count === 1 && values[0] >= 0) return { p5: values[0], p50: values[0], p95: values[0] };
    const sample = this.room(count).subarray(0, count);
    sample.set(values.subarray(0, count));
    this.#program.begin(VALUES, count);
    const p50 = search(50, sample);
    const found = { p50, p5: search(5, sample), p95: search(95, sample) };
    values.set(sample);
    return found;
  }
}
