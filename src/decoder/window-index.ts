import { TemporaryFile } from './trace-source.ts';

/** One stretch of records of one pCPU. */
export interface Window {
  /** Offset of the first record, behind the header. */
  readonly offset: number;
  readonly bytes: number;
  readonly pcpu: number;
}

/**
 * pCPU numbers at or above this one are damage: Xen's largest configurable number of pCPUs is 16383, built
 * for 4095.
 */
export const PCPU_LIMIT = 4096;

/**
 * Windows per chunk; a chunk is [number of the next chunk, count, then offset and bytes * 65536 + pCPU each].
 */
const CHUNK_WINDOWS = 255;
const CHUNK_DOUBLES = 2 + 2 * CHUNK_WINDOWS;
const CHUNK_BYTES = CHUNK_DOUBLES * 8;
/** 4 KiB each: 2 million windows are kept in memory, the others in a temporary file. */
const CHUNKS_IN_MEMORY = 8192;

/**
 * Where the windows of a trace are: one chain of windows per pCPU, or a single chain in file order. Memory is
 * bounded however many windows there are.
 */
export class WindowIndex {
  readonly #byPcpu: boolean;
  readonly #chains = new Map<number, Chain>();
  readonly #seen = new Uint8Array(PCPU_LIMIT);
  readonly #pool = new ChunkPool();
  #windows = 0;

  constructor(order: 'time' | 'file') {
    this.#byPcpu = order === 'time';
  }

  get windows(): number {
    return this.#windows;
  }

  /** The pCPUs that have windows, ascending. */
  get pcpus(): number[] {
    return [...this.#seen.keys()].filter((pcpu) => this.#seen[pcpu] === 1);
  }

  add(offset: number, bytes: number, pcpu: number): void {
    const key = this.#byPcpu ? pcpu : 0;
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      const first = this.#pool.allocate();
      chain = { first, number: first, chunk: new Float64Array(CHUNK_DOUBLES) };
      this.#chains.set(key, chain);
    }
    let count = chain.chunk[1];
    if (count === CHUNK_WINDOWS) {
      const next = this.#pool.allocate();
      chain.chunk[0] = next;
      this.#pool.store(chain.number, chain.chunk);
      chain.number = next;
      chain.chunk = new Float64Array(CHUNK_DOUBLES);
      count = 0;
    }
    chain.chunk[2 + 2 * count] = offset;
    chain.chunk[3 + 2 * count] = bytes * 65_536 + pcpu;
    chain.chunk[1] = count + 1;
    this.#seen[pcpu] = 1;
    this.#windows++;
  }

  /** A fresh reader for each chain, in ascending order of pCPUs; may be called again. */
  feeds(): WindowFeed[] {
    const chains = [...this.#chains.entries()].sort(([a], [b]) => a - b);
    for (const [, chain] of chains) this.#pool.store(chain.number, chain.chunk);
    return chains.map(([, chain]) => new WindowFeed(this.#pool, chain.first));
  }

  close(): void {
    this.#pool.close();
  }
}

interface Chain {
  readonly first: number;
  number: number;
  chunk: Float64Array;
}

/** Hands out windows, those of one pCPU or all. */
export interface WindowQueue {
  /** The next one; undefined where there is none (yet). */
  next(): Window | undefined;
  /** Puts a window that was found late in front of those that are still to come. */
  insert(window: Window): void;
}

/** Hands out the windows of one chain in file order. */
export class WindowFeed implements WindowQueue {
  readonly #pool: ChunkPool;
  #chunk: Float64Array;
  #at = 0;
  readonly #inserted: Window[] = [];

  constructor(pool: ChunkPool, first: number) {
    this.#pool = pool;
    this.#chunk = pool.load(first);
  }

  next(): Window | undefined {
    const inserted = this.#inserted.shift();
    if (inserted) return inserted;
    if (this.#at === this.#chunk[1]) {
      if (this.#chunk[0] === 0) return undefined;
      this.#chunk = this.#pool.load(this.#chunk[0]);
      this.#at = 0;
    }
    const offset = this.#chunk[2 + 2 * this.#at];
    const packed = this.#chunk[3 + 2 * this.#at];
    this.#at++;
    return { offset, bytes: Math.floor(packed / 65_536), pcpu: packed % 65_536 };
  }

  insert(window: Window): void {
    this.#inserted.push(window);
    this.#inserted.sort((a, b) => a.offset - b.offset);
  }
}

/** Numbered chunks, from 1; the first {@link CHUNKS_IN_MEMORY} in memory. */
class ChunkPool {
  readonly #memory: (Float64Array | undefined)[] = [];
  #file: TemporaryFile | undefined;
  #allocated = 0;

  allocate(): number {
    return ++this.#allocated;
  }

  store(number: number, chunk: Float64Array): void {
    if (number <= CHUNKS_IN_MEMORY) {
      this.#memory[number] = chunk;
      return;
    }
    this.#file ??= new TemporaryFile();
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, CHUNK_BYTES);
    this.#file.write(bytes, (number - CHUNKS_IN_MEMORY - 1) * CHUNK_BYTES);
  }

  load(number: number): Float64Array {
    const kept = this.#memory[number];
    if (kept) return kept;
    const chunk = new Float64Array(CHUNK_DOUBLES);
    const bytes = new Uint8Array(chunk.buffer);
    this.#file?.read(bytes, 0, (number - CHUNKS_IN_MEMORY - 1) * CHUNK_BYTES, CHUNK_BYTES);
    return chunk;
  }

  close(): void {
    this.#memory.length = 0;
    this.#file?.close();
    this.#file = undefined;
  }
}
