/**
 * Reads a text that a user wrote, and says what is wrong with the file where that cannot be.
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { Problems } from './problems.ts';

/** Larger files are nothing that a person wrote. */
const BYTES_MAX = 8 * 1024 * 1024;

/**
 * The text of the file `path`, in UTF-8.
 *
 * @param what completes "expected ... file"
 * @param syntax what it should be written in
 * @throws UserError
 */
export function readText(path: string, what: string, syntax: string): string {
  return decodeUtf8(readBytes(path, what), path, syntax);
}

function readBytes(path: string, what: string): Uint8Array {
  const refuse = (why: string): never => {
    throw new UserError('scenario-file', `${path}: ${why}`);
  };
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    if (fstatSync(file).isDirectory()) return refuse(`is a directory, expected ${what} file`);
    const bytes = readAtMost(file, BYTES_MAX + 1);
    if (bytes.length > BYTES_MAX) return refuse(`is too large for ${what}, at most ${BYTES_MAX} bytes are`);
    return bytes;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return refuse('no such file');
    if (code === 'EACCES' || code === 'EPERM') return refuse('no permission to read it');
    return refuse(`cannot be read: ${message}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The bytes of an open file, or as many as `bytesMax` of them: a device may have no end. */
function readAtMost(file: number, bytesMax: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let left = bytesMax;
  while (left > 0) {
    const chunk = new Uint8Array(Math.min(left, 65_536));
    const count = readSync(file, chunk);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    left -= count;
  }
  return Buffer.concat(chunks);
}

function decodeUtf8(bytes: Uint8Array, path: string, syntax: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Without `fatal` the first undecodable byte becomes U+FFFD, in its place.
    const lossy = new TextDecoder('utf-8').decode(bytes);
    const position = new Problems(path, lossy).positionAt(Math.max(0, lossy.indexOf('\ufffd')));
    throw new UserError('scenario-syntax', `not UTF-8 text, expected ${syntax}`, { position });
  }
  const zero = text.indexOf('\0');
  if (zero === -1) return text;
  const position = new Problems(path, text).positionAt(zero);
  throw new UserError('scenario-syntax', `a NUL byte, expected ${syntax} in UTF-8`, { position });
}
