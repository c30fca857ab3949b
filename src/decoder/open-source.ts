import {
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
} from 'node:fs';
import { createGunzip, type Gunzip } from 'node:zlib';
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
/** The pieces in which zlib takes its input and hands over its output. */
interface PieceSizes {
  readonly packedBytes: number;
  readonly inflatedBytes: number;
}
/** What can be read again is inflated in large ones, which takes a third of the time; damage is looked for then. */
const LARGE_PIECES: PieceSizes = { packedBytes: 16 * 1024, inflatedBytes: 256 * 1024 };
/** Damage is looked for by pieces of these sizes, one after the other: that takes fewer than single bytes would. */
const DAMAGE_PIECES_BYTES = [256, 1];
/** What zlib says when all was inflated, and the sums at the end are those of other bytes. */
const WRONG_SUMS: readonly string[] = ['incorrect data check', 'incorrect length check'];
/** At damage zlib keeps back less than one of these. */
const SMALL_PIECES: PieceSizes = { packedBytes: 4096, inflatedBytes: 4096 };
const FILE_PIECE_BYTES = 64 * 1024;

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
    return spool('(memory)', [input], log, options, () => [input]);
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
  const pieces = () => filePieces(fd);
  try {
    return await spool(name, pieces(), log, options, pieces);
  } finally {
    // Standard input stays open: see FileSource.
    if (fd > 2) closeSync(fd);
  }
}

/** A regular file from its start; a piece is there until the next one is asked for. */
function* filePieces(fd: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(FILE_PIECE_BYTES);
  for (let at = 0; ; ) {
    const bytes = readSync(fd, buffer, 0, FILE_PIECE_BYTES, at);
    if (bytes === 0) return;
    at += bytes;
    yield buffer.subarray(0, bytes);
  }
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
type Take = (piece: Uint8Array) => void;

async function spool(
  name: string,
  pieces: Pieces,
  log: DiagnosticLog,
  options: SourceOptions,
  again?: () => Pieces,
): Promise<TraceSource> {
  const target = new SpoolSource(name, options.spoolMemoryBytes);
  const take = (piece: Uint8Array) => {
    target.append(piece);
    options.onProgress?.(target.bytes, Number.NaN);
  };
  try {
    await takePieces(name, pieces, take, log, again);
  } catch (error) {
    target.close();
    throw error;
  }
  return target;
}

/**
 * Hands over what comes in a stream, inflated where it is gzip, until it ends. Of gzip that is damaged the last bytes
 * before the damage are had only where the stream can be read `again`.
 *
 * @throws UserError read-failed, bad-input, and those that `take` throws.
 */
export async function takePieces(
  name: string,
  pieces: Pieces,
  take: Take,
  log: DiagnosticLog,
  again?: () => Pieces,
): Promise<void> {
  const iterator = bytesOf(pieces);
  try {
    const { head, ended } = await readHead(iterator);
    const rest = ended ? [head] : withHead(head, iterator);
    if (isGzip(head)) await inflate(rest, take, log, again);
    else for await (const piece of rest) take(piece);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('read-failed', `cannot read ${name}: ${(error as Error).message}`);
  } finally {
    // What is not read to its end has to know that nobody will.
    await iterator.return(undefined);
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
 * Inflates all members of a gzip stream. Damage ends it with a diagnostic; what came before has been taken: to the
 * last byte where the stream can be read `again`, since zlib keeps what it inflated of the piece that it fails at.
 */
async function inflate(
  pieces: Pieces,
  take: Take,
  log: DiagnosticLog,
  again: (() => Pieces) | undefined,
): Promise<void> {
  const { packedBytes, inflatedBytes } = again ? LARGE_PIECES : SMALL_PIECES;
  const inflater = new Inflater(take, inflatedBytes);
  let soundBytes = 0;
  for await (const piece of split(pieces, () => packedBytes)) {
    if (!(await inflater.write(piece))) break;
    soundBytes += piece.length;
  }
  await inflater.end();
  const { error } = inflater;
  if (!error) return;
  const truncated = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
  let inflated = inflater.bytes;
  if (!truncated && again) {
    for (const finerBytes of DAMAGE_PIECES_BYTES) {
      const found = await inflateToDamage(again(), soundBytes, finerBytes, inflated, take);
      soundBytes = found.soundBytes;
      inflated = found.inflated;
    }
  }
  const lost = truncated || again ? '' : `, and less than ${inflatedBytes} more are lost with it`;
  const isWrong = WRONG_SUMS.includes(error.message);
  log.add({
    severity: 'data_loss',
    code: truncated ? 'truncated_gzip' : isWrong ? 'gzip_checksum' : 'corrupt_gzip',
    offset: inflated,
    message: truncated
      ? `The gzip file ends too early: ${inflated} bytes could be inflated.`
      : isWrong
        ? `The gzip file's checksum is wrong: some of its ${inflated} bytes are not what was packed${lost}.`
        : `The gzip file is damaged (${error.message}): ${inflated} bytes before that could be inflated${lost}.`,
    advice: isWrong
      ? 'Copy the file again and check it with gzip -t; nobody can tell which bytes are wrong.'
      : 'Copy the file again and check it with gzip -t; what is shown covers only its first part.',
  });
}

/**
 * Inflates once more what is damaged behind `soundBytes`, in pieces of `finerBytes` from there on: of the piece that it
 * fails at, zlib keeps what it inflated. Takes what comes after the first `known` bytes; tells how many there are in
 * all, and how many come before that piece.
 */
async function inflateToDamage(
  pieces: Pieces,
  soundBytes: number,
  finerBytes: number,
  known: number,
  take: Take,
): Promise<{ soundBytes: number; inflated: number }> {
  const { packedBytes, inflatedBytes } = LARGE_PIECES;
  let skip = known;
  const inflater = new Inflater((piece) => {
    if (skip < piece.length) take(piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }, inflatedBytes);
  const lengthAt = (at: number) => (at < soundBytes ? Math.min(packedBytes, soundBytes - at) : finerBytes);
  let done = 0;
  for await (const piece of split(pieces, lengthAt)) {
    if (!(await inflater.write(piece))) break;
    done += piece.length;
  }
  return { soundBytes: done, inflated: inflater.bytes };
}

/** Pieces no longer than `lengthAt` gives for where they begin. */
async function* split(pieces: Pieces, lengthAt: (at: number) => number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const length = Math.min(piece.length - from, lengthAt(at));
      yield piece.subarray(from, from + length);
      from += length;
      at += length;
    }
  }
}

/** zlib, of which one knows how far it got. */
class Inflater {
  /** Those that were inflated and handed over. */
  bytes = 0;
  /** Why there will be no more. */
  error: Error | undefined;
  readonly #gunzip: Gunzip;
  #takeError: unknown;
  #goOn = () => {};

  constructor(take: Take, pieceBytes: number) {
    this.#gunzip = createGunzip({ chunkSize: pieceBytes });
    this.#gunzip.on('data', (piece: Uint8Array) => {
      this.bytes += piece.length;
      try {
        take(piece);
      } catch (error) {
        this.#takeError = error;
        this.#gunzip.destroy();
      }
    });
    this.#gunzip.on('error', (error) => {
      this.error = error;
    });
    this.#gunzip.on('close', () => this.#goOn());
  }

  /** Resolves when what `piece` holds has been taken; to false, where nothing more can be. */
  async write(piece: Uint8Array): Promise<boolean> {
    await this.#until((done) => this.#gunzip.write(piece, done));
    return !this.#gunzip.destroyed;
  }

  /** Nothing more comes. */
  async end(): Promise<void> {
    await this.#until(() => this.#gunzip.end());
  }

  async #until(action: (done: () => void) => void): Promise<void> {
    if (!this.#gunzip.destroyed) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
        action(resolve);
      });
    }
    if (this.#takeError !== undefined) throw this.#takeError;
  }
}
