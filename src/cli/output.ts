/**
 * Standard output as a byte sink: synchronous, so that memory stays bounded however slow the reader is, and quiet when
 * the reader went away (`| head`).
 * @module
 */
import { statSync, writeSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { ProgressLine, wipeProgress } from './progress-line.ts';

const BUFFER_BYTES = 1 << 16;
let pending: string[] = [];
let pendingChars = 0;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes text to standard output, gathered into large writes. Throws an error with code EPIPE when nobody reads. */
export function print(text: string): void {
  pending.push(text);
  pendingChars += text.length;
  if (pendingChars >= BUFFER_BYTES) flushOutput();
}

/** Writes what {@link print} has gathered. Silent when the reader is gone. */
export function flushOutput(): void {
  if (pending.length === 0) return;
  const bytes = Buffer.from(pending.join(''), 'utf8');
  pending = [];
  pendingChars = 0;
  writeAll(1, bytes);
}

/** Writes bytes to standard output, after all text so far. */
export function printBytes(bytes: Uint8Array): void {
  flushOutput();
  writeAll(1, bytes);
}

/** @throws UserError where what would be written to `output` is one of the files that are read. */
export function refuseOverwriting(output: string, inputs: readonly string[]): void {
  const target = statSync(output, { throwIfNoEntry: false });
  if (!target?.isFile()) return;
  const same = inputs.find((input) => {
    const source = statSync(input, { throwIfNoEntry: false });
    return source?.ino === target.ino && source.dev === target.dev;
  });
  if (same === undefined) return;
  throw new UserError('usage', `${output} is what is read: it would be overwritten`, {
    hint: 'name another file',
  });
}

/** Writes all of `bytes` to a descriptor, waiting where a non-blocking pipe is full. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  if (fd === 1 && process.stdout.isTTY) wipeProgress();
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 2);
    }
  }
}

/** One progress line on standard error, only on a terminal; `done()` wipes it. */
export interface Progress {
  update(done: number, total: number): void;
  done(): void;
}

/** Progress of work that may take long: `decoding  42 %, 12 s left`; `decoding  123 MB` where nobody knows the end. */
export function createProgress(label: string): Progress {
  if (!process.stderr.isTTY) return { update() {}, done() {} };
  const line = new ProgressLine();
  return {
    update(done, total) {
      line.update(done, total, (left) => {
        if (Number.isNaN(total)) return `${label}  ${Math.floor(done / 1e6)} MB`;
        const percent = total > 0 ? Math.min(100, Math.floor((done * 100) / total)) : 0;
        return `${label} ${percent.toString().padStart(3)} %${left === '' ? '' : `, ${left}`}`;
      });
    },
    done: () => line.wipe(),
  };
}
