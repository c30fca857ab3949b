/**
 * Dumped lines as data: what a record is shown as, by event and number of extra words.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { putBytes, putHex, putHex64, putInteger, putText } from './ascii.ts';
import type { Pcpu } from './state.ts';

/**
 * A line after the header of time and place, without its newline: text in which `{2}` is extra word 2 as an unsigned
 * number, `{2d}` as a signed one, `{2.lo}`, `{2.hi}` its halves, `{2.3}` its byte 3, `{2q}` words 2 and 3 as an
 * unsigned number of 64 bits, `{2x}`, `{2qx}` the same in hexadecimal, `{2us}` nanoseconds as xenalyze's
 * `microseconds.nanoseconds`, not padded. What depends on more than one field is a function.
 */
export type LineTemplate = string | readonly (string | ComputedPiece | { readonly put: PutPiece })[];

type ComputedPiece = (p: Pcpu) => string;
/** Puts a piece of a line into a buffer and returns the place behind it. */
type PutPiece = (buffer: Uint8Array, at: number, p: Pcpu) => number;

/** How the records of an event are shown. */
export interface RecordLine {
  readonly event: number;
  /** By number of extra words. Records with other numbers are shown raw. An empty array of pieces: no line at all. */
  readonly byWords: Readonly<Record<number, LineTemplate>>;
  /** What xenalyze 4.17 shows whatever the number of words, where that is not the only one of {@link byWords}. */
  readonly in417?: LineTemplate;
}

const LITERAL = 0;
const UNSIGNED = 1;
const SIGNED = 2;
const WIDE = 3;
const MICROSECONDS = 4;
const WORD = 5;
const COMPUTED = 6;
const HEX = 7;
const WIDE_HEX = 8;

interface Piece {
  readonly kind: number;
  readonly bytes: Uint8Array;
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  readonly put: PutPiece;
}

type CompiledLine = readonly Piece[];

/** A table of lines, ready to be written. */
export class RecordLines {
  /** By the low 16 bits of an event, which tell those of a class apart: its lines by number of extra words. */
  readonly #byEvent: (readonly (CompiledLine | undefined)[] | undefined)[] = new Array(0x10000).fill(
    undefined,
  );

  /**
   * @param lines Of events of one class.
   * @param compat417 Whether layouts that 4.17 does not know are shown as it shows them.
   */
  constructor(lines: readonly RecordLine[], compat417: boolean) {
    for (const { event, byWords, in417 } of lines) {
      const only = in417 ?? Object.values(byWords)[0];
      this.#byEvent[event & 0xffff] = Array.from({ length: 8 }, (_, words) => {
        const template = compat417 ? only : byWords[words];
        return template === undefined ? undefined : compile(template);
      });
    }
  }

  /** Whether an event is in the table, with any number of words. */
  has(event: number): boolean {
    return this.#byEvent[event & 0xffff] !== undefined;
  }

  /** Whether the current record is of a layout in the table. */
  knows({ event, extraWords }: Pcpu): boolean {
    return this.#byEvent[event & 0xffff]?.[extraWords] !== undefined;
  }

  /** Writes the line of the current record; false where it has none. */
  write(a: Analyser, p: Pcpu): boolean {
    const line = this.#byEvent[p.event & 0xffff]?.[p.extraWords];
    if (line === undefined) return false;
    if (line.length === 0) return true;
    const { out } = a;
    out.reserve();
    const { buffer } = out;
    let { at } = out;
    buffer[at++] = 0x20;
    at = a.putHeader(buffer, at);
    buffer[at++] = 0x20;
    at = putPieces(buffer, at, line, p);
    buffer[at++] = 0x0a;
    out.at = at;
    return true;
  }
}

/** A table of lines in both ways of decoding, of which each run picks one. */
export function recordLines(lines: readonly RecordLine[]): (a: Analyser) => RecordLines {
  const right = new RecordLines(lines, false);
  const in417 = new RecordLines(lines, true);
  return ({ options }) => (options.compat417 ? in417 : right);
}

function putPieces(buffer: Uint8Array, start: number, line: CompiledLine, p: Pcpu): number {
  const { words, wordsAt } = p;
  let at = start;
  for (let i = 0; i < line.length; i++) {
    const piece = line[i];
    const value = words[wordsAt + piece.word];
    switch (piece.kind) {
      case LITERAL:
        at = putBytes(buffer, at, piece.bytes, piece.bytes.length);
        break;
      case WORD:
        at = putInteger(buffer, at, value);
        break;
      case UNSIGNED:
        at = putInteger(buffer, at, (value >>> piece.shift) & piece.mask);
        break;
      case SIGNED:
        at = putInteger(buffer, at, value | 0);
        break;
      case WIDE:
        at = putWide(buffer, at, words[wordsAt + piece.word + 1], value);
        break;
      case MICROSECONDS:
        at = putMicroseconds(buffer, at, value);
        break;
      case HEX:
        at = putHex(buffer, at, value);
        break;
      case WIDE_HEX:
        at = putHex64(buffer, at, words[wordsAt + piece.word + 1], value);
        break;
      default:
        at = piece.put(buffer, at, p);
    }
  }
  return at;
}

function putWide(buffer: Uint8Array, at: number, high: number, low: number): number {
  if (high < 0x200000) return putInteger(buffer, at, high * 2 ** 32 + low);
  return putText(buffer, at, ((BigInt(high) << 32n) | BigInt(low)).toString());
}

/** Puts nanoseconds as xenalyze shows them: `12.5` is 12 microseconds and 5 nanoseconds. */
export function putMicroseconds(buffer: Uint8Array, start: number, ns: number): number {
  const whole = Math.floor(ns / 1000);
  const at = putInteger(buffer, start, whole);
  buffer[at] = 0x2e;
  return putInteger(buffer, at + 1, ns - whole * 1000);
}

function compile(template: LineTemplate): CompiledLine {
  const parts = typeof template === 'string' ? [template] : template;
  return parts.flatMap((part) => {
    if (typeof part === 'string') return compileText(part);
    return typeof part === 'function' ? [computed(part)] : [{ ...NOTHING, kind: COMPUTED, put: part.put }];
  });
}

const NOTHING: Piece = {
  kind: LITERAL,
  bytes: new Uint8Array(0),
  word: 0,
  shift: 0,
  mask: 0,
  put: (_, at) => at,
};

function computed(piece: ComputedPiece): Piece {
  return { ...NOTHING, kind: COMPUTED, put: (buffer, at, p) => putText(buffer, at, piece(p)) };
}

function compileText(text: string): Piece[] {
  return text
    .split(/(\{[^}]*\})/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') ? compileField(part.slice(1, -1)) : literal(part)));
}

function literal(text: string): Piece {
  return { ...NOTHING, bytes: Uint8Array.from(text, (char) => char.charCodeAt(0)) };
}

function compileField(field: string): Piece {
  const word = Number(field[0]);
  const kind = field.slice(1);
  if (kind === 'd') return { ...NOTHING, kind: SIGNED, word };
  if (kind === 'q') return { ...NOTHING, kind: WIDE, word };
  if (kind === 'x') return { ...NOTHING, kind: HEX, word };
  if (kind === 'qx') return { ...NOTHING, kind: WIDE_HEX, word };
  if (kind === 'us') return { ...NOTHING, kind: MICROSECONDS, word };
  if (kind === '') return { ...NOTHING, kind: WORD, word };
  if (kind === '.lo') return { ...NOTHING, kind: UNSIGNED, word, mask: 0xffff };
  if (kind === '.hi') return { ...NOTHING, kind: UNSIGNED, word, shift: 16, mask: 0xffff };
  return { ...NOTHING, kind: UNSIGNED, word, shift: Number(kind.slice(1)) * 8, mask: 0xff };
}
