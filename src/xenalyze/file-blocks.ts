import { PagedReader, type TraceSource } from '../decoder/index.ts';
import type { Analyser } from './analyser.ts';
import type { Pcpu } from './state.ts';
import {
  HEADER_SCRATCH,
  READ_AHEAD,
  READ_AHEAD_BYTES,
  RECORD_BYTES,
  RECORD_WORDS,
  WINDOW_HEADER_BYTES,
} from './wasm/walk-layout.ts';

const PAGES = 512;

const BLOCK_WORDS_MAX = 16 * 1024;
const BLOCK_WORDS_MIN = 512;
/** All blocks that pCPUs have of their own together, however many pCPUs there are. */
const BLOCKS_WORDS = 1024 * 1024;
/** Blocks do not begin at multiples of a power of 2, which would share few lines of a cache. */
const STAGGER_WORDS = 16;

/** What is read ahead at once. */
const CHUNK_BYTES = 256 * 1024;
/** Longer windows, and those further away, are not waited for. */
const WINDOW_BYTES_MAX = READ_AHEAD_BYTES / 4;
const FURTHEST_BYTES = READ_AHEAD_BYTES / 4;

/** What {@link FileBlocks.peek} finds. */
export interface Peeked {
  readonly event: number;
  readonly timed: boolean;
  readonly size: number;
  /** As a signed number. */
  readonly window: number;
  readonly bytes: number;
}

/**
 * What pCPUs have of the file in the memory of the walk: each has a block, which began at its place when it was loaded.
 *
 * The file is read ahead, so that pCPUs whose windows lie near to each other have their blocks there, where no byte is
 * moved again. A pCPU that lags behind so far that its block would be written over takes it along to one of its own;
 * so does one whose window is long, or far ahead.
 */
export class FileBlocks {
  readonly #a: Analyser;
  readonly #run: Analyser['run'];
  readonly #source: TraceSource;
  readonly #reader: PagedReader;
  readonly #words = new Uint32Array(RECORD_WORDS);
  readonly #record = new Uint8Array(this.#words.buffer);

  constructor(a: Analyser, source: TraceSource) {
    this.#a = a;
    this.#source = source;
    this.#reader = new PagedReader(source, PAGES);
    this.#run = a.run;
    this.#run.fileBytes = source.bytes;
    a.memory.onReadHeader = (offset) => this.#readHeader(offset);
  }

  /**
   * Loads the block that begins at a pCPU's place. Returns how many bytes of its record are there; behind the end of
   * the file, the bytes of the record before it stay.
   */
  load(pcpu: Pcpu): number {
    const { fileOffset } = pcpu;
    const left = pcpu.nextCpuChangeOffset - fileOffset;
    const wanted = left > 0 ? left + RECORD_BYTES : RECORD_BYTES;
    const ahead = this.#readAhead(pcpu, wanted);
    if (ahead !== 0) {
      pcpu.setBlock(ahead / 4, fileOffset, Math.floor(wanted / 4));
      this.#run.oldestAhead = Math.min(this.#run.oldestAhead, fileOffset);
      return RECORD_BYTES;
    }
    const { bytes } = this.#a.memory;
    const own = this.#ownBlock(pcpu);
    const inFile = this.#source.bytes - fileOffset;
    // If that was as near to the end of the file, it is there already, with what was read before it.
    if (inFile < RECORD_BYTES && pcpu.recordOffset + RECORD_BYTES <= this.#source.bytes)
      this.#source.read(bytes, own * 4, pcpu.recordOffset, RECORD_BYTES);
    const length = Math.min(wanted, pcpu.blockRoom * 4, inFile);
    const got = inFile > 0 ? this.#reader.read(bytes, own * 4, fileOffset, length) : 0;
    pcpu.setBlock(own, fileOffset, Math.floor(got / 4));
    return Math.min(got, RECORD_BYTES);
  }

  /** The record at `offset`, whatever it is; undefined where there is no whole one. */
  peek(offset: number, complain: (message: string) => void): Peeked | undefined {
    this.#words.fill(0);
    const length = Math.min(RECORD_BYTES, this.#source.bytes - offset);
    const got = length > 0 ? this.#readRecord(offset, length) : 0;
    if (got === 0) return undefined;
    if (got < 4) {
      complain(`__read_record: short read (${got} bytes)\n`);
      return undefined;
    }
    const header = this.#words[0];
    const timed = header >>> 31 === 1;
    const size = (1 + ((header >>> 28) & 7) + (timed ? 2 : 0)) * 4;
    if (got < size) {
      complain(`__read_record: short read (${got}, expected ${size})\n`);
      return undefined;
    }
    return {
      event: header & 0x0fffffff,
      timed,
      size,
      window: this.#words[1] | 0,
      bytes: this.#words[2],
    };
  }

  /** Reads some bytes into {@link #record}; returns how many there are. */
  #readRecord(offset: number, length: number): number {
    const at = this.#ahead(offset, length);
    if (at === 0) return this.#reader.read(this.#record, 0, offset, length);
    this.#record.set(this.#a.memory.bytes.subarray(at, at + length));
    return length;
  }

  /** The address of what lies at a pCPU's place, which is read first if that is near; or 0. */
  #readAhead(pcpu: Pcpu, bytes: number): number {
    const { fileOffset } = pcpu;
    if (bytes > WINDOW_BYTES_MAX || fileOffset + bytes > this.#source.bytes) return 0;
    if (fileOffset < this.#run.readFrom || fileOffset > this.#run.readTo + FURTHEST_BYTES) {
      if (this.#findOldest(pcpu) < Number.POSITIVE_INFINITY) return 0;
      const start = fileOffset - (fileOffset % CHUNK_BYTES);
      this.#run.readFrom = start;
      this.#run.readTo = start;
    }
    while (this.#run.readTo < fileOffset + bytes) if (!this.#readChunk(pcpu)) return 0;
    return this.#a.memory.program.addressOf(fileOffset, bytes);
  }

  /** Reads the next piece of the file for a pCPU; others keep what they need. False at the end of the file. */
  #readChunk(pcpu: Pcpu | undefined): boolean {
    const to = this.#run.readTo;
    if (to % CHUNK_BYTES !== 0) return false;
    const from = Math.max(this.#run.readFrom, to + CHUNK_BYTES - READ_AHEAD_BYTES);
    if (!this.#isFree(from))
      for (const other of this.#a.pcpus)
        if (other !== undefined && other !== pcpu && this.#placeAhead(other) < from) this.#moveOut(other);
    const at = READ_AHEAD + (to % READ_AHEAD_BYTES);
    const got = this.#source.read(this.#a.memory.bytes, at, to, CHUNK_BYTES);
    this.#run.readFrom = from;
    this.#run.readTo = to + got;
    return got > 0;
  }

  /** Whether no pCPU needs what lies in front of a place among what was read ahead. */
  #isFree(from: number): boolean {
    if (this.#run.oldestAhead < from) this.#run.oldestAhead = this.#findOldest(undefined);
    return this.#run.oldestAhead >= from;
  }

  #findOldest(except: Pcpu | undefined): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const pcpu of this.#a.pcpus)
      if (pcpu !== undefined && pcpu !== except) oldest = Math.min(oldest, this.#placeAhead(pcpu));
    return oldest;
  }

  /** The place of a pCPU whose block is among what was read ahead; or Infinity. */
  #placeAhead(pcpu: Pcpu): number {
    const isAhead = pcpu.active && pcpu.blockWords > 0 && pcpu.blockAt !== pcpu.ownBlockAt;
    if (!isAhead) return Number.POSITIVE_INFINITY;
    return pcpu.parked ? pcpu.blockOffset + (pcpu.parkedAt - pcpu.blockAt) * 4 : pcpu.fileOffset;
  }

  /** Gives a pCPU a block of its own with what is left of its block. */
  #moveOut(pcpu: Pcpu): void {
    const { memory } = this.#a;
    if (pcpu.parked) memory.program.count(pcpu.address);
    const { fileOffset, blockAt, blockOffset, blockWords } = pcpu;
    const at = blockAt + (fileOffset - blockOffset) / 4;
    const own = this.#ownBlock(pcpu);
    const words = Math.min(blockAt + blockWords - at, pcpu.blockRoom);
    memory.words.copyWithin(own, at, at + words);
    pcpu.wordsAt += own - at;
    if (pcpu.parked) {
      pcpu.parkedFrom = own;
      pcpu.parkedAt = own;
    }
    pcpu.setBlock(own, fileOffset, Math.max(0, words));
  }

  /** Where a pCPU's own block is among the words. */
  #ownBlock(pcpu: Pcpu): number {
    if (pcpu.blockRoom === 0) {
      const share = Math.floor(BLOCKS_WORDS / this.#a.pcpus.length);
      pcpu.blockRoom = Math.max(BLOCK_WORDS_MIN, Math.min(BLOCK_WORDS_MAX, share));
      pcpu.ownBlockAt = this.#a.memory.addBlock(pcpu.blockRoom + STAGGER_WORDS);
    }
    return pcpu.ownBlockAt;
  }

  /** Reads a window header for wasm/window-chain.ts. */
  #readHeader(offset: number): boolean {
    if (this.#ahead(offset, WINDOW_HEADER_BYTES) !== 0) return true;
    const { bytes } = this.#a.memory;
    return this.#reader.read(bytes, HEADER_SCRATCH, offset, WINDOW_HEADER_BYTES) === WINDOW_HEADER_BYTES;
  }

  /** The address of some bytes, if they have been read ahead, or can be so without that a pCPU needs another block. */
  #ahead(offset: number, bytes: number): number {
    const { addressOf } = this.#a.memory.program;
    const to = this.#run.readTo;
    const isNext = offset + bytes > to && offset + bytes <= to + CHUNK_BYTES;
    if (isNext && this.#isFree(to + CHUNK_BYTES - READ_AHEAD_BYTES)) this.#readChunk(undefined);
    return addressOf(offset, bytes);
  }
}
