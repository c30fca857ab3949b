import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writevSync } from 'node:fs';
import { UserError } from '../base/errors.ts';

/**
 * Where the bytes of one table, or of one exported file, go: {@link FileSink}, {@link DescriptorSink},
 * {@link MemoryOutputSink}, or one of your own. `write` is called as often as there is something, then `commit` or
 * `abort`; `abort` also where `commit` has failed. Whatever a method throws goes to whoever asked for the output.
 */
export interface OutputSink {
  /**
   * Takes the next bytes, all chunks one after the other. The chunks are only lent: when this returns they are used for
   * something else, so a sink that keeps bytes copies them.
   */
  write(chunks: readonly Uint8Array[]): void;
  /** Everything was written: makes the result appear. */
  commit(): void;
  /** Something went wrong: leaves nothing behind that looks finished. */
  abort(): void;
}

/**
 * A file that appears under its name only when it is complete: it grows as `PATH.PID.partial` and is renamed by
 * `commit`. A device or a named pipe is written to as it is, and a symbolic link stays one.
 */
export class FileSink implements OutputSink {
  readonly path: string;
  /** Written so far. */
  bytes = 0;
  /** Where it goes at last, and where it grows: the same for what is no regular file. */
  readonly #final: string;
  readonly #partial: string;
  #fd: number | undefined;

  /** @throws UserError where the file cannot be made. */
  constructor(path: string) {
    this.path = path;
    const existing = orUserError(path, () => statSync(path, { throwIfNoEntry: false }));
    const isReplaced = existing === undefined || existing.isFile() || existing.isDirectory();
    // The place of a pipe behind a link, as /dev/stdout is one, is no path.
    this.#final = isReplaced && existing !== undefined ? realpathSync(path) : path;
    this.#partial = isReplaced ? `${this.#final}.${process.pid}.partial` : path;
    this.#fd = orUserError(path, () => openSync(this.#partial, 'w'));
  }

  write(chunks: readonly Uint8Array[]): void {
    this.bytes += orUserError(this.path, () => writeAll(this.#fd as number, chunks));
  }

  /** Closes the file, which keeps its temporary name: so that several can be committed together. */
  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    orUserError(this.path, () => closeSync(fd));
  }

  commit(): void {
    this.close();
    if (this.#partial === this.#final) return;
    // Removed first: renaming over a large file makes some file systems write the new one to the disk there and then.
    orUserError(this.path, () => rmSync(this.#final, { force: true }));
    orUserError(this.path, () => renameSync(this.#partial, this.#final));
  }

  abort(): void {
    try {
      this.close();
    } finally {
      if (this.#partial !== this.#final) rmSync(this.#partial, { force: true });
    }
  }
}

/**
 * Writes to a sink and commits it; where that fails, aborts it, and throws what went wrong.
 *
 * @param write what writes to it
 */
export async function committed<T>(sink: OutputSink, write: () => T | Promise<T>): Promise<T> {
  try {
    const result = await write();
    sink.commit();
    return result;
  } catch (error) {
    abortBehind(sink);
    throw error;
  }
}

/** Aborts a sink after an error, which is what has to be told: another one, in aborting, would take its place. */
export function abortBehind(sink: Pick<OutputSink, 'abort'>): void {
  try {
    sink.abort();
  } catch {
    // There may be other sinks, which are to be aborted as well.
  }
}

/**
 * An open descriptor, as of standard output; it stays open. An EPIPE error passes through: nobody reads any
 * more.
 */
export class DescriptorSink implements OutputSink {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(chunks: readonly Uint8Array[]): void {
    try {
      writeAll(this.#fd, chunks);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') throw error;
      orUserError('the output', () => {
        throw error;
      });
    }
  }

  commit(): void {}

  abort(): void {}
}

/** Bytes in memory, for tables that are known to be small; `bytes()` has them, nothing after `abort`. */
export class MemoryOutputSink implements OutputSink {
  readonly #chunks: Uint8Array[] = [];

  write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#chunks.push(chunk.slice());
  }

  commit(): void {}

  abort(): void {
    this.#chunks.length = 0;
  }

  /** All that was written, in one piece. */
  bytes(): Uint8Array {
    const joined = new Uint8Array(this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }
}

/** The most buffers that one call of writev takes (IOV_MAX of Linux). */
const VECTORS_MAX = 1024;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all chunks, however the system cuts them up, waiting where a non-blocking pipe is full. Returns the
 * bytes.
 */
function writeAll(fd: number, chunks: readonly Uint8Array[]): number {
  let pending = chunks.filter((chunk) => chunk.length > 0);
  let total = 0;
  while (pending.length > 0) {
    let written = 0;
    try {
      written = writevSync(fd, pending.slice(0, VECTORS_MAX));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 2);
    }
    total += written;
    pending = dropBytes(pending, written);
  }
  return total;
}

function dropBytes(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0;
  let left = bytes;
  while (index < chunks.length && left >= chunks[index].length) left -= chunks[index++].length;
  const rest = chunks.slice(index);
  if (left > 0) rest[0] = rest[0].subarray(left);
  return rest;
}

/** Runs `action`, turning the system's refusals into a sentence. */
export function orUserError<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const reason = REASONS[code] ?? message;
    throw new UserError('cannot-write', `${path}: cannot be written: ${reason}`);
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  ERR_FS_EISDIR: 'a folder of that name is in the way',
  EEXIST: 'a file of that name is in the way',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would be larger than files may be',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
};
