/**
 * Dumped lines as data: what a record is shown as, by event and number of extra words.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { AsciiText, putAscii, putByte, putHex, putHex64, putInteger, putText } from './ascii.ts';
import type { Pcpu } from './state.ts';

const SPACE = 0x20;

/**
 * A line after the header of time and place, without its newline: text in which `{2}` is extra word 2 as an unsigned
 * number, `{2d}` as a signed one, `{2.lo}`, `{2.hi}` its halves, `{2.3}` its byte 3, `{2q}` words 2 and 3 as an
 * unsigned number of 64 bits, `{2x}`, `{2qx}` the same in hexadecimal, `{2us}` nanoseconds as xenalyze's
 * `microseconds.nanoseconds`, not padded. What depends on more than one field is a function.
 */
export type LineTemplate = string | readonly Field[];

type Field = string | ComputedPiece | ComputedPut;

type ComputedPiece = (p: Pcpu) => string;
/** Puts a piece of a line into a buffer and returns the place behind it. */
/** A piece that is put without making a string of it. */
export interface ComputedPut {
  readonly put: PutPiece;
}
type PutPiece = (view: DataView, at: number, p: Pcpu) => number;

/** How the records of an event are shown. */
export interface RecordLine {
  readonly event: number;
  /** By number of extra words. Records with other numbers are shown raw. An empty array of pieces: no line at all. */
  readonly byWords: Readonly<Record<number, LineTemplate>>;
  /** What xenalyze 4.17 shows whatever the number of words, where that is not the only one of {@link byWords}. */
  readonly in417?: LineTemplate;
}

const NOTHING = 0;
const UNSIGNED = 1;
const SIGNED = 2;
const WIDE = 3;
const MICROSECONDS = 4;
const WORD = 5;
const COMPUTED = 6;
const HEX = 7;
const WIDE_HEX = 8;

/** A piece of a line: a text, and what follows it. */
interface Piece {
  readonly text: AsciiText;
  readonly kind: number;
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  readonly put: PutPiece;
}

type CompiledLine = readonly Piece[];

/** A table of lines, ready to be written. */
export class RecordLines {
  /** By sub-class and minor part of an event: its lines by number of extra words. */
  readonly #byEvent: (readonly (CompiledLine | undefined)[] | undefined)[][] = Array.from(
    { length: 16 },
    () => [],
  );

  /**
   * @param lines Of events of one class.
   * @param compat417 Whether layouts that 4.17 does not know are shown as it shows them.
   */
  constructor(lines: readonly RecordLine[], compat417: boolean) {
    for (const { event, byWords, in417 } of lines) {
      const only = in417 ?? Object.values(byWords)[0];
      this.#byEvent[(event >>> 12) & 15][event & 0xfff] = Array.from({ length: 8 }, (_, words) => {
        const template = compat417 ? only : byWords[words];
        return template === undefined ? undefined : compile(template);
      });
    }
    // No holes, which would be looked for elsewhere.
    for (const minors of this.#byEvent)
      for (let minor = 0; minor < minors.length; minor++) minors[minor] ??= undefined;
  }

  /** Whether an event is in the table, with any number of words. */
  has(event: number): boolean {
    return this.#layouts(event) !== undefined;
  }

  /** Whether the current record is of a layout in the table. */
  knows({ event, extraWords }: Pcpu): boolean {
    return this.#layouts(event)?.[extraWords] !== undefined;
  }

  #layouts(event: number): readonly (CompiledLine | undefined)[] | undefined {
    const minors = this.#byEvent[(event >>> 12) & 15];
    const minor = event & 0xfff;
    return minor < minors.length ? minors[minor] : undefined;
  }

  /** Writes the line of the current record; false where it has none. */
  write(a: Analyser, p: Pcpu): boolean {
    const line = this.#layouts(p.event)?.[p.extraWords];
    if (line === undefined) return false;
    if (line.length === 0) return true;
    const { out } = a;
    out.reserve();
    const { view } = out;
    const at = a.putHeader(view, putByte(view, out.at, SPACE));
    out.at = putPieces(view, at, line, p);
    return true;
  }
}

/** A table of lines in both ways of decoding, of which each run picks one. */
export function recordLines(lines: readonly RecordLine[]): (a: Analyser) => RecordLines {
  const made: (RecordLines | undefined)[] = [undefined, undefined];
  return ({ options }) => {
    const which = Number(options.compat417);
    made[which] ??= new RecordLines(lines, options.compat417);
    return made[which];
  };
}

function putPieces(view: DataView, start: number, line: CompiledLine, p: Pcpu): number {
  const { words, wordsAt } = p;
  let at = start;
  for (let i = 0; i < line.length; i++) {
    const piece = line[i];
    at = putAscii(view, at, piece.text);
    const value = words[wordsAt + piece.word];
    switch (piece.kind) {
      case NOTHING:
        break;
      case WORD:
        at = putInteger(view, at, value);
        break;
      case UNSIGNED:
        at = putInteger(view, at, (value >>> piece.shift) & piece.mask);
        break;
      case SIGNED:
        at = putInteger(view, at, value | 0);
        break;
      case WIDE:
        at = putWide(view, at, words[wordsAt + piece.word + 1], value);
        break;
      case MICROSECONDS:
        at = putMicroseconds(view, at, value);
        break;
      case HEX:
        at = putHex(view, at, value);
        break;
      case WIDE_HEX:
        at = putHex64(view, at, words[wordsAt + piece.word + 1], value);
        break;
      default:
        at = piece.put(view, at, p);
    }
  }
  return at;
}

function putWide(view: DataView, at: number, high: number, low: number): number {
  if (high < 0x200000) return putInteger(view, at, high * 2 ** 32 + low);
  return putText(view, at, ((BigInt(high) << 32n) | BigInt(low)).toString());
}

/** Puts nanoseconds as xenalyze shows them: `12.5` is 12 microseconds and 5 nanoseconds. */
export function putMicroseconds(view: DataView, start: number, ns: number): number {
  const whole = Math.floor(ns / 1000);
  const at = putByte(view, putInteger(view, start, whole), 0x2e);
  return putInteger(view, at, ns - whole * 1000);
}

/** Joins each text to the field behind it; a space comes before the line and its end behind it. */
function compile(template: LineTemplate): CompiledLine {
  const given: readonly Field[] = typeof template === 'string' ? [template] : template;
  const parts = given.flatMap((part): readonly Field[] =>
    typeof part === 'string' ? part.split(/(\{[^}]*\})/) : [part],
  );
  if (parts.length === 0) return [];
  const pieces: Piece[] = [];
  let text = ' ';
  for (const part of parts) {
    if (typeof part === 'string' && !part.startsWith('{')) text += part;
    else {
      pieces.push({ ...EMPTY, ...compileField(part), text: new AsciiText(text) });
      text = '';
    }
  }
  return [...pieces, { ...EMPTY, text: new AsciiText(`${text}\n`) }];
}

const EMPTY: Piece = {
  text: new AsciiText(''),
  kind: NOTHING,
  word: 0,
  shift: 0,
  mask: 0,
  put: (_, at) => at,
};

function compileField(field: Field): Partial<Piece> {
  if (typeof field === 'function')
    return { kind: COMPUTED, put: (view, at, p) => putText(view, at, field(p)) };
  if (typeof field === 'object') return { kind: COMPUTED, put: field.put };
  const word = Number(field[1]);
  const kind = field.slice(2, -1);
  if (kind in KINDS) return { kind: KINDS[kind], word };
  if (kind === '.lo') return { kind: UNSIGNED, word, mask: 0xffff };
  if (kind === '.hi') return { kind: UNSIGNED, word, shift: 16, mask: 0xffff };
  return { kind: UNSIGNED, word, shift: Number(kind.slice(1)) * 8, mask: 0xff };
}

const KINDS: Readonly<Record<string, number>> = {
  '': WORD,
  d: SIGNED,
  q: WIDE,
  x: HEX,
  qx: WIDE_HEX,
  us: MICROSECONDS,
};
