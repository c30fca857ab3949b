import { once } from 'node:events';
import {
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
} from 'node:fs';
import { createGunzip } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import type { DiagnosticLog } from './diagnostic-log.ts';
import { FileSource, MemorySource, SpoolSource, type TraceSource } from './trace-source.ts';

/** Where a trace comes from: a path, `-` for standard input, bytes, or a stream of pieces of any size. */
export type TraceInput = string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** What {@link openSource} may be told. */
export interface SourceOptions {
  /** Called while a stream or a gzip file is taken in; the total is NaN because nobody knows it yet. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Bytes of a stream that are kept in memory before a temporary file takes over. */
  readonly spoolMemoryBytes?: number | undefined;
}

const STANDARD_INPUT = '(standard input)';
/** zlib hands over its output in pieces of this size; damage costs at most one piece before it. */
const INFLATED_PIECE_BYTES = 4096;

/**
 * Opens `input` for reading in random order. Streams and gzip (told by its magic number, not by its name) are
 * spooled; gzip that ends too early or is damaged gives what could be inflated and a diagnostic.
 *
 * @throws UserError not-found, no-permission, is-a-directory, cannot-open, read-failed, temporary-file, bad-input.
 */
export async function openSource(
  input: TraceInput,
  log: DiagnosticLog,
  options: SourceOptions = {},
): Promise<TraceSource> {
  if (input instanceof Uint8Array) {
    if (!isGzip(input)) return new MemorySource('(memory)', input);
    return spool('(memory)', [input], log, options);
  }
  if (typeof input !== 'string') return spool('(stream)', input, log, options);
  if (input === '-') {
    refuseTerminalInput();
    const redirected = redirectedFile(process.stdin.fd);
    if (redirected === undefined) return spool(STANDARD_INPUT, process.stdin, log, options);
    return openRegular(STANDARD_INPUT, process.stdin.fd, redirected.size, log, options);
  }
  const { fd, stats } = openFile(input);
  if (!stats.isFile()) return spool(input, createReadStream('', { fd }), log, options);
  return openRegular(input, fd, stats.size, log, options);
}

/**
 * Nobody types a trace: refuses to read one from a terminal.
 *
 * @throws UserError stdin-is-a-terminal.
 */
export function refuseTerminalInput(): void {
  if (!process.stdin.isTTY) return;
  throw new UserError('stdin-is-a-terminal', 'standard input is a terminal, not a trace', {
    hint: 'pipe a trace into it: ssh dom0 xentrace ... | xenscope ... -',
  });
}

async function openRegular(
  name: string,
  fd: number,
  bytes: number,
  log: DiagnosticLog,
  options: SourceOptions,
): Promise<TraceSource> {
  const magic = new Uint8Array(2);
  readSync(fd, magic, 0, 2, 0);
  if (!isGzip(magic)) return new FileSource(name, fd, bytes);
  return spool(name, createReadStream('', { fd, start: 0, autoClose: fd > 2 }), log, options);
}

/**
 * What standard input is redirected to, if that is a file nobody has read from yet: then it need not be spooled. Only
 * Linux tells the position of a descriptor.
 */
function redirectedFile(fd: number | undefined): Stats | undefined {
  if (fd === undefined) return undefined;
  try {
    const stats = fstatSync(fd);
    const atStart = /^pos:\s*0$/m.test(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
    return stats.isFile() && atStart ? stats : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a file for reading; the caller closes the descriptor.
 *
 * @throws UserError not-found, no-permission, is-a-directory, cannot-open.
 */
export function openFile(path: string): { fd: number; stats: Stats } {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const stats = fstatSync(fd);
    if (stats.isDirectory()) {
      throw new UserError('is-a-directory', `${path} is a directory, not a trace file`);
    }
    return { fd, stats };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UserError('not-found', `there is no file ${path}`);
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new UserError('no-permission', `no permission to read ${path}`, {
        hint: 'xentrace runs as root and its files belong to root: chmod or sudo',
      });
    }
    throw new UserError('cannot-open', `cannot open ${path}: ${message}`);
  }
}

/** A stream, in pieces of any size. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

async function spool(
  name: string,
  pieces: Pieces,
  log: DiagnosticLog,
  options: SourceOptions,
): Promise<TraceSource> {
  const target = new SpoolSource(name, options.spoolMemoryBytes);
  const take = (piece: Uint8Array) => {
    target.append(piece);
    options.onProgress?.(target.bytes, Number.NaN);
  };
  try {
    await takePieces(name, pieces, take, log);
  } catch (error) {
    target.close();
    throw error;
  }
  return target;
}

/**
 * Hands over what comes in a stream, inflated where it is gzip, until it ends.
 *
 * @throws UserError read-failed, bad-input, and those that `take` throws.
 */
export async function takePieces(
  name: string,
  pieces: Pieces,
  take: (piece: Uint8Array) => void,
  log: DiagnosticLog,
): Promise<void> {
  try {
    const iterator = bytesOf(pieces);
    const { head, ended } = await readHead(iterator);
    const rest = ended ? [head] : withHead(head, iterator);
    if (isGzip(head)) await inflate(rest, take, log);
    else for await (const piece of rest) take(piece);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('read-failed', `cannot read ${name}: ${(error as Error).message}`);
  }
}

/** The pieces of a stream, which in plain JavaScript may be anything. */
async function* bytesOf(pieces: Pieces): AsyncGenerator<Uint8Array> {
  if (Object(pieces) !== pieces || !(Symbol.asyncIterator in pieces || Symbol.iterator in pieces)) {
    const what = Object(pieces) === pieces ? `an instance of ${pieces.constructor?.name}` : String(pieces);
    const sentence = `a trace comes from a path, bytes or a stream of bytes, not from ${what}`;
    throw new UserError('bad-input', sentence, { hint: 'a path is a text, bytes are a Uint8Array' });
  }
  for await (const piece of pieces) {
    if (!ArrayBuffer.isView(piece)) {
      const sentence = `a trace is a stream of bytes, and this one gives a ${typeof piece}`;
      throw new UserError('bad-input', sentence, { hint: 'read it without an encoding' });
    }
    yield piece;
  }
}

type PieceIterator = AsyncIterator<Uint8Array>;

/** Enough of the stream to tell what it is: two bytes, however small its pieces are. */
async function readHead(iterator: PieceIterator): Promise<{ head: Uint8Array; ended: boolean }> {
  let head = new Uint8Array(0);
  while (head.length < 2) {
    const { value, done } = await iterator.next();
    if (done) return { head, ended: true };
    const longer = new Uint8Array(head.length + value.length);
    longer.set(head);
    longer.set(value, head.length);
    head = longer;
  }
  return { head, ended: false };
}

async function* withHead(head: Uint8Array, iterator: PieceIterator): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

function isGzip(head: Uint8Array): boolean {
  return head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Inflates all members of a gzip stream. Damage ends it with a diagnostic; what came before has been taken.
 */
async function inflate(pieces: Pieces, take: (piece: Uint8Array) => void, log: DiagnosticLog): Promise<void> {
  const gunzip = createGunzip({ chunkSize: INFLATED_PIECE_BYTES });
  let inflated = 0;
  let readerError: unknown;
  gunzip.on('data', (piece: Uint8Array) => {
    inflated += piece.length;
    try {
      take(piece);
    } catch (error) {
      readerError = error;
      gunzip.destroy();
    }
  });
  const finished = new Promise<Error | undefined>((resolve) => {
    gunzip.on('end', () => resolve(undefined));
    gunzip.on('error', resolve);
    gunzip.on('close', () => resolve(undefined));
  });
  let failed = false;
  finished.then((error) => {
    failed = error !== undefined;
  });
  for await (const piece of pieces) {
    if (failed || gunzip.destroyed) break;
    if (!gunzip.write(piece)) await Promise.race([once(gunzip, 'drain').catch(() => undefined), finished]);
  }
  if (!gunzip.destroyed) gunzip.end();
  const error = await finished;
  if (readerError) throw readerError;
  if (!error) return;
  const truncated = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
  log.add({
    severity: 'data_loss',
    code: truncated ? 'truncated_gzip' : 'corrupt_gzip',
    offset: inflated,
    message: truncated
      ? `The gzip file ends too early: ${inflated} bytes could be inflated.`
      : `The gzip file is damaged (${error.message}): ${inflated} bytes before the damage could be inflated.`,
    advice: 'Copy the file again and check it with gzip -t; what is shown covers only its first part.',
  });
}
