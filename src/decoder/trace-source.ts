import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/errors.ts';

/** The bytes of a (decompressed) trace, in random order and synchronously. */
export interface TraceSource {
  /** What stands for it in messages: a path, `(memory)`, ... */
  readonly name: string;
  readonly bytes: number;
  /**
   * Copies `length` bytes from position `at` to `target[targetAt]` on. Returns how many there were: fewer
   * only where the trace ends, or where the file became shorter while it was read.
   */
  read(target: Uint8Array, targetAt: number, at: number, length: number): number;
  close(): void;
}

/** A regular file. Its length is taken once: what is appended later is not seen. */
export class FileSource implements TraceSource {
  readonly name: string;
  readonly bytes: number;
  readonly #fd: number;

  constructor(name: string, fd: number, bytes: number) {
    this.name = name;
    this.#fd = fd;
    this.bytes = bytes;
  }

  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    const wanted = Math.max(0, Math.min(length, this.bytes - at));
    return readFully(this.#fd, this.name, target, targetAt, at, wanted);
  }

  /** Standard input stays open: its number would go to whatever is opened next, which Node must not close. */
  close(): void {
    if (this.#fd > 2) closeSync(this.#fd);
  }
}

/** Bytes in memory, for traces that a program made. */
export class MemorySource implements TraceSource {
  readonly name: string;
  readonly bytes: number;
  readonly #content: Uint8Array;

  constructor(name: string, content: Uint8Array) {
    this.name = name;
    this.#content = content;
    this.bytes = content.length;
  }

  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    const wanted = Math.max(0, Math.min(length, this.bytes - at));
    target.set(this.#content.subarray(at, at + wanted), targetAt);
    return wanted;
  }

  close(): void {}
}

/** Bytes of a stream that stay in memory; what comes after them goes to a temporary file. */
export const SPOOL_MEMORY_BYTES = 16 * 1024 * 1024;
const SPOOL_CHUNK_BYTES = 1024 * 1024;

/** Makes a stream readable in random order: append its bytes, then read them. */
export class SpoolSource implements TraceSource {
  readonly name: string;
  readonly #memoryBytes: number;
  #bytes = 0;
  readonly #chunks: Uint8Array[] = [];
  #file: TemporaryFile | undefined;

  /** @param memoryBytes How much stays in memory, rounded up to whole MiB. */
  constructor(name: string, memoryBytes = SPOOL_MEMORY_BYTES) {
    this.name = name;
    this.#memoryBytes = Math.ceil(memoryBytes / SPOOL_CHUNK_BYTES) * SPOOL_CHUNK_BYTES;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(piece: Uint8Array): void {
    let from = 0;
    while (from < piece.length && this.#bytes < this.#memoryBytes) {
      const inChunk = this.#bytes % SPOOL_CHUNK_BYTES;
      if (inChunk === 0) this.#chunks.push(new Uint8Array(SPOOL_CHUNK_BYTES));
      const length = Math.min(piece.length - from, SPOOL_CHUNK_BYTES - inChunk);
      this.#chunks.at(-1)!.set(piece.subarray(from, from + length), inChunk);
      this.#bytes += length;
      from += length;
    }
    if (from === piece.length) return;
    this.#file ??= new TemporaryFile();
    this.#file.write(piece.subarray(from), this.#bytes - this.#memoryBytes);
    this.#bytes += piece.length - from;
  }

  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    const end = Math.min(at + length, this.#bytes);
    let position = at;
    while (position < Math.min(end, this.#memoryBytes)) {
      const inChunk = position % SPOOL_CHUNK_BYTES;
      const piece = Math.min(end - position, SPOOL_CHUNK_BYTES - inChunk);
      const chunk = this.#chunks[(position - inChunk) / SPOOL_CHUNK_BYTES];
      target.set(chunk.subarray(inChunk, inChunk + piece), targetAt + position - at);
      position += piece;
    }
    if (position < end && this.#file) {
      const filePosition = position - this.#memoryBytes;
      position += this.#file.read(target, targetAt + position - at, filePosition, end - position);
    }
    return Math.max(0, position - at);
  }

  close(): void {
    this.#chunks.length = 0;
    this.#file?.close();
    this.#file = undefined;
  }
}

/** A file that has no name any more: its space comes back when the process ends, however it ends. */
export class TemporaryFile {
  readonly #fd: number;

  constructor() {
    this.#fd = failingFriendly(() => {
      const folder = mkdtempSync(join(tmpdir(), 'xenscope-'));
      const path = join(folder, 'spool');
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      rmdirSync(folder);
      return fd;
    });
  }

  write(bytes: Uint8Array, at: number): void {
    failingFriendly(() => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
      }
    });
  }

  read(target: Uint8Array, targetAt: number, at: number, length: number): number {
    return readFully(this.#fd, 'the temporary file', target, targetAt, at, length);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function failingFriendly<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UserError(
      'temporary-file',
      `cannot keep the trace in ${tmpdir()}: ${(error as Error).message}`,
      {
        hint: 'set TMPDIR to a folder with enough space, or save the trace to a file first',
      },
    );
  }
}

function readFully(
  fd: number,
  name: string,
  target: Uint8Array,
  targetAt: number,
  at: number,
  length: number,
): number {
  let done = 0;
  try {
    while (done < length) {
      const got = readSync(fd, target, targetAt + done, length - done, at + done);
      if (got === 0) break;
      done += got;
    }
  } catch (error) {
    throw new UserError(
      'read-failed',
      `cannot read ${name} at byte ${at + done}: ${(error as Error).message}`,
    );
  }
  return done;
}
