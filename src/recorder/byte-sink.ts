import {
  closeSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { UserError } from '../base/errors.ts';

/** Where a trace goes. `bytes` belongs to the caller and is only lent: a sink that keeps it makes a copy. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
  /**
   * What is free where the bytes go, in bytes, after everything written so far; absent or undefined where the
   * question has no answer (memory, a pipe).
   */
  freeBytes?(): number | undefined;
}

/** Keeps the trace in memory. */
export class MemorySink implements ByteSink {
  readonly #chunks: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
  }

  /** All that was written, in one piece. */
  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }
}

const BUFFER_BYTES = 1 << 20;
const STDOUT = 1;

/**
 * A trace file, written synchronously in pieces of a megabyte; the path `-` is standard output.
 *
 * Nothing stands under the final name until {@link commit}: up to then the bytes go to a hidden file beside
 * it, which commit() renames and abandon() deletes. What already exists and is no ordinary file (a pipe, a
 * device, a symbolic link), and a file in a folder that cannot be written to, is written in place.
 *
 * Throws UserError: `output-unwritable`, `output-is-terminal` (xentrace does not write to one either),
 * `output-closed` when the reader of a pipe has gone, `output-failed` for anything else, a full disk for
 * example.
 */
export class TraceFile implements ByteSink {
  readonly path: string;
  readonly #fd: number;
  /** The hidden file, or undefined where the target is written in place. */
  readonly #temporary: string | undefined;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #buffered = 0;
  #open = true;

  constructor(path: string) {
    this.path = path;
    if (path === '-') {
      if (isatty(STDOUT)) {
        throw new UserError('output-is-terminal', 'a trace is binary and standard output is a terminal', {
          hint: 'name a file with -o, or pipe it into a reader',
        });
      }
      this.#fd = STDOUT;
      return;
    }
    const existing = statOf(path);
    if (existing?.isDirectory()) {
      throw new UserError('output-unwritable', `cannot write ${path}: it is a directory`);
    }
    if (existing === undefined || existing.isFile()) {
      const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
      const fd = tryOpen(temporary);
      if (fd !== undefined) {
        this.#fd = fd;
        this.#temporary = temporary;
        if (existing !== undefined) fchmodSync(fd, existing.mode & 0o7777);
        return;
      }
    }
    try {
      this.#fd = openSync(path, 'w', 0o644);
    } catch (error) {
      throw unwritable(path, error);
    }
    if (isatty(this.#fd)) {
      closeSync(this.#fd);
      throw new UserError('output-is-terminal', `a trace is binary and ${path} is a terminal`);
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#buffered + bytes.length > BUFFER_BYTES) this.#flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#writeAll(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  freeBytes(): number | undefined {
    if (!fstatSync(this.#fd).isFile()) return undefined;
    const { bsize, bfree } = statfsSync(this.path === '-' ? '/dev/fd/1' : dirname(this.path));
    return bsize * bfree - this.#buffered;
  }

  /** Writes what is still buffered and puts the file under its final name. */
  commit(): void {
    this.#flush();
    this.#close();
    if (this.#temporary === undefined) return;
    try {
      renameSync(this.#temporary, this.path);
    } catch (error) {
      rmSync(this.#temporary, { force: true });
      throw unwritable(this.path, error);
    }
  }

  /** Gives up: what was written to a hidden file vanishes. After {@link commit} it does nothing. */
  abandon(): void {
    if (!this.#open) return;
    this.#close();
    if (this.#temporary !== undefined) rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    this.#open = false;
    if (this.#fd !== STDOUT) closeSync(this.#fd);
  }

  #flush(): void {
    const pending = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    this.#writeAll(pending);
  }

  #writeAll(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(this.#fd, bytes, done);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        // A pipe that its reader has made non-blocking is full: wait a moment, as a blocking one would.
        if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        else if (code === 'EPIPE') {
          throw new UserError('output-closed', `the reader of ${this.#name} closed it before the end`);
        } else {
          throw new UserError('output-failed', `writing ${this.#name} failed: ${reasonOf(error)}`);
        }
      }
    }
  }

  get #name(): string {
    return this.path === '-' ? 'standard output' : this.path;
  }
}

/** What stands under `path`, a symbolic link itself rather than its target; undefined for nothing. */
function statOf(path: string): Stats | undefined {
  const itself = lstatSync(path, { throwIfNoEntry: false });
  const target = itself?.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : undefined;
  return target?.isDirectory() ? target : itself;
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'w', 0o644);
  } catch {
    return undefined;
  }
}

function unwritable(path: string, error: unknown): UserError {
  return new UserError('output-unwritable', `cannot write ${path}: ${reasonOf(error)}`);
}

/** The system's reason without Node's code and path: "ENOENT: no such file or directory, open 'x'". */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
