/**
 * Dumped lines as data: what a record is shown as, by event and number of extra words.
 * @module
 */
import type { Analyser } from './analyser.ts';
import type { Pcpu } from './state.ts';
import type { TextOutput } from './text-output.ts';

/**
 * A line after the header of time and place, without its newline: text in which `{2}` is extra word 2 as an unsigned
 * number, `{2d}` as a signed one, `{2.lo}`, `{2.hi}` its halves, `{2.3}` its byte 3, `{2q}` words 2 and 3 as an unsigned
 * number of 64 bits, `{2x}`, `{2qx}` the same in hexadecimal, `{2us}` nanoseconds as xenalyze's `microseconds.nanoseconds`, not padded. What depends on more than
 * one field is a function.
 */
export type LineTemplate = string | readonly (string | ((p: Pcpu) => string))[];

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
  readonly compute: (p: Pcpu) => string;
}

type CompiledLine = readonly Piece[];

/** A table of lines, ready to be written. */
export class RecordLines {
  /** By event * 8 + number of extra words. */
  readonly #byLayout = new Map<number, CompiledLine>();
  readonly #events = new Set<number>();

  /** @param compat417 Whether layouts that 4.17 does not know are shown as it shows them. */
  constructor(lines: readonly RecordLine[], compat417: boolean) {
    for (const { event, byWords, in417 } of lines) {
      this.#events.add(event);
      const only = in417 ?? Object.values(byWords)[0];
      for (let words = 0; words < 8; words++) {
        const template = compat417 ? only : byWords[words];
        if (template !== undefined) this.#byLayout.set(event * 8 + words, compile(template));
      }
    }
  }

  /** Whether an event is in the table, with any number of words. */
  has(event: number): boolean {
    return this.#events.has(event);
  }

  /** Whether the current record is of a layout in the table. */
  knows({ event, extraWords }: Pcpu): boolean {
    return this.#byLayout.has(event * 8 + extraWords);
  }

  /** Writes the line of the current record; false where it has none. */
  write(a: Analyser, p: Pcpu): boolean {
    const line = this.#byLayout.get(p.event * 8 + p.extraWords);
    if (line === undefined) return false;
    if (line.length === 0) return true;
    const { out } = a;
    out.byte(0x20);
    a.writeHeader();
    out.byte(0x20);
    writePieces(out, line, p);
    out.newline();
    return true;
  }
}

/** A table of lines in both ways of decoding, of which each run picks one. */
export function recordLines(lines: readonly RecordLine[]): (a: Analyser) => RecordLines {
  const right = new RecordLines(lines, false);
  const in417 = new RecordLines(lines, true);
  return ({ options }) => (options.compat417 ? in417 : right);
}

function writePieces(out: TextOutput, line: CompiledLine, p: Pcpu): void {
  const { words, wordsAt } = p;
  for (let i = 0; i < line.length; i++) {
    const piece = line[i];
    const value = words[wordsAt + piece.word];
    switch (piece.kind) {
      case LITERAL:
        out.bytes(piece.bytes);
        break;
      case WORD:
        out.integer(value);
        break;
      case UNSIGNED:
        out.integer((value >>> piece.shift) & piece.mask);
        break;
      case SIGNED:
        out.integer(value | 0);
        break;
      case WIDE:
        out.unsigned64(words[wordsAt + piece.word + 1], value);
        break;
      case HEX:
        out.hex(value);
        break;
      case WIDE_HEX:
        out.hex64(words[wordsAt + piece.word + 1], value);
        break;
      case MICROSECONDS:
        writeMicroseconds(out, value);
        break;
      default:
        out.text(piece.compute(p));
    }
  }
}

function writeMicroseconds(out: TextOutput, ns: number): void {
  const whole = Math.floor(ns / 1000);
  out.integer(whole);
  out.byte(0x2e);
  out.integer(ns - whole * 1000);
}

/** Nanoseconds as xenalyze shows them: `12.5us` is 12 microseconds and 5 nanoseconds. */
export function microseconds(ns: number): string {
  return `${Math.floor(ns / 1000)}.${ns % 1000}us`;
}

function compile(template: LineTemplate): CompiledLine {
  const parts = typeof template === 'string' ? [template] : template;
  return parts.flatMap((part) => (typeof part === 'string' ? compileText(part) : [computed(part)]));
}

const NOTHING: Piece = {
  kind: LITERAL,
  bytes: new Uint8Array(0),
  word: 0,
  shift: 0,
  mask: 0,
  compute: () => '',
};

function computed(compute: (p: Pcpu) => string): Piece {
  return { ...NOTHING, kind: COMPUTED, compute };
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
