/**
 * Dumped lines as data: what a record is shown as, by event and number of extra words.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { classOf, type Pcpu } from './state.ts';
import { structOf } from './struct.ts';
import { LINE_PIECE } from './wasm/structs.mjs';
import {
  ARGUMENTS,
  COMPUTED,
  CYCLES,
  EMPTY_LINE,
  END,
  HEX,
  MICROSECONDS,
  NAMES,
  NO_LINE,
  OVERSHOOT,
  PERCENT,
  PIECE_BYTES,
  PLAIN,
  SIGNED,
  SIGNED_WIDE,
  SKIP,
  SKIP_UNLESS,
  UNSIGNED,
  UNSIGNED_SHORT,
  WIDE,
  WIDE_HEX,
} from './wasm/walk-layout.ts';

/**
 * A line after the header of time and place, without its newline: text in which `{2}` is extra word 2 as an unsigned
 * number, `{2d}` as a signed one, `{2.lo}`, `{2.hi}` its halves, `{2.3}` its byte 3, `{2.slo}` its lower half as a
 * signed number, `{2.shi}` its upper half as a signed number that is shown as an unsigned one, `{2q}` words 2 and 3 as
 * an unsigned number of 64 bits, `{2qd}` as a signed one, `{2x}`, `{2qx}` the same in hexadecimal, `{2us}` nanoseconds
 * as xenalyze's `microseconds.nanoseconds`, not padded. What depends on more than that is a function.
 */
export type LineTemplate = string | readonly Field[];

type Field = string | Choice | Name | HexBits | Cycles | Percentage | Arguments | ((p: Pcpu) => string);

/** Some bits of an extra word: the word, how many bits are below them, how many they are. */
export type Bits = readonly [word: number, shift: number, width: number];

/** One of two texts, by what some bits are. */
export interface Choice {
  readonly bits: Bits;
  readonly value: number;
  readonly ifEqual: LineTemplate;
  readonly otherwise: LineTemplate;
}

/** The name of what some bits are; where there is none, another text. */
export interface Name {
  readonly bits: Bits;
  readonly names: readonly (string | undefined)[];
  readonly otherwise: LineTemplate;
}

/** Some bits in hexadecimal. */
export interface HexBits {
  readonly hex: Bits;
}

/** How long the exit of the guest that is entered was (the run's exitCycles), or else what is no exact number. */
export interface Cycles {
  readonly cyclesOr: (p: Pcpu) => string;
}

/** The arguments of a hypercall, which has in its first word how many words each of them has. */
export const HYPERCALL_ARGUMENTS = { isArguments: true } as const;
type Arguments = typeof HYPERCALL_ARGUMENTS;

/**
 * Two words as a fixed-point number, as a percentage; the lowest six bits of another word, from a bit on, are how many
 * bits it has behind its point.
 */
export interface Percentage {
  readonly word: number;
  readonly shiftWord: number;
  readonly shiftBit: number;
  /** For numbers that are too large for whole thousandths. */
  readonly compute: (p: Pcpu) => string;
}

/** How the records of an event are shown. */
export interface RecordLine {
  readonly event: number;
  /** By number of extra words. Records with other numbers are shown raw. An empty array of pieces: no line at all. */
  readonly byWords: Readonly<Record<number, LineTemplate>>;
  /** For all other numbers of extra words. */
  readonly byDefault?: LineTemplate;
  /** What xenalyze 4.17 shows whatever the number of words, where that is not the only one of {@link byWords}. */
  readonly in417?: LineTemplate;
}

/** The first text where bits are `value`, or else the other one. */
export function ifEqual(bits: Bits, value: number, text: LineTemplate, otherwise: LineTemplate): Choice {
  return { bits, value, ifEqual: text, otherwise };
}

/** The first text where bits are not all 0, or else the other one. */
export function ifSet(bits: Bits, text: LineTemplate, otherwise: LineTemplate = ''): Choice {
  return ifEqual(bits, 0, otherwise, text);
}

/** The lines of a class of events: of one with so many extra words. */
export type LinesOfClass = (event: number, extraWords: number) => LineTemplate | undefined;

/** So many words in hexadecimal, with a blank behind each. */
export function wordsInHex(words: number): string {
  return Array.from({ length: words }, (_, i) => `{${i}x} `).join('');
}

/** Tables of lines, which are compiled when they are first needed; wasm/record-lines.ts writes them. */
export class RecordLines {
  readonly #a: Analyser;
  readonly #byEvent = new Map<number, RecordLine>();
  /** By class: of events that are not in the table. */
  readonly #byClass: LinesOfClass[] = [];
  /** By event and number of extra words. */
  readonly #addresses = new Map<number, number>();
  readonly #compiled = new Map<LineTemplate, number>();

  constructor(a: Analyser) {
    this.#a = a;
  }

  add(lines: readonly RecordLine[]): void {
    for (const line of lines) this.#byEvent.set(line.event, line);
  }

  addClass(recordClass: number, lines: LinesOfClass): void {
    this.#byClass[recordClass] = lines;
  }

  /** Whether an event is in the table, with any number of words. */
  has(event: number): boolean {
    return this.#byEvent.has(event);
  }

  /** Whether the current record is of a layout in the table. */
  knows({ event, extraWords }: Pcpu): boolean {
    return this.find(event, extraWords) !== NO_LINE;
  }

  /** Writes the line of the current record, as if it were of an event; false where that has none. */
  write(p: Pcpu, event = p.event, mark = PLAIN): boolean {
    const line = this.find(event, p.extraWords);
    if (line === NO_LINE) return false;
    if (line !== EMPTY_LINE) this.#a.memory.program.writeLine(p.address, line, mark);
    return true;
  }

  /** Writes the line of the current record, as if it were of an event, if records are dumped. */
  dump(p: Pcpu, event = p.event, mark = PLAIN): void {
    if (this.#a.options.dumpAll) this.write(p, event, mark);
  }

  /** The address of a compiled line; or that there is none, or an empty one. */
  find(event: number, extraWords: number): number {
    const key = event * 8 + extraWords;
    let address = this.#addresses.get(key);
    if (address === undefined) {
      const template = this.#template(event, extraWords);
      address = template === undefined ? NO_LINE : this.#compile(template);
      this.#addresses.set(key, address);
    }
    return address;
  }

  /** The address of a line, of which there is only one for all events and numbers of words. */
  #compile(template: LineTemplate): number {
    const address = this.#compiled.get(template) ?? new CompiledLine(this.#a, template).address;
    this.#compiled.set(template, address);
    return address;
  }

  #template(event: number, extraWords: number): LineTemplate | undefined {
    const line = this.#byEvent.get(event);
    if (line === undefined) return this.#byClass[classOf(event)]?.(event, extraWords);
    const { byWords, byDefault, in417 } = line;
    if (this.#a.options.compat417 && byDefault === undefined) return in417 ?? Object.values(byWords)[0];
    return byWords[extraWords] ?? byDefault;
  }
}

class LinePiece extends structOf(LINE_PIECE) {}

/** A {@link LinePiece} that is not in the memory yet. */
interface Piece {
  readonly text: string;
  readonly kind: number;
  readonly word: number;
  readonly shift: number;
  readonly shiftLeft: number;
  readonly mask: number;
  readonly value: number;
  skipped: number;
}

const NOTHING: Piece = {
  text: '',
  kind: SKIP,
  word: 0,
  shift: 0,
  shiftLeft: 0,
  mask: 0,
  value: 0,
  skipped: 0,
};

/** A line as pieces in the memory: each text is joined to the field behind it; a space comes before the line. */
class CompiledLine {
  readonly address: number;
  readonly #a: Analyser;
  readonly #pieces: Piece[] = [];
  /** What comes before the next piece. */
  #text = ' ';

  constructor(a: Analyser, template: LineTemplate) {
    this.#a = a;
    if (template.length === 0) {
      this.address = EMPTY_LINE;
      return;
    }
    this.#add(template);
    this.#text += '\n';
    this.#push({ kind: END });
    this.address = this.#put();
  }

  #add(template: LineTemplate): void {
    for (const field of typeof template === 'string' ? [template] : template)
      if (typeof field === 'string') this.#addText(field);
      else if (typeof field === 'function') this.#push({ kind: COMPUTED, value: this.#compute(field) });
      else if ('ifEqual' in field) this.#addChoice(field);
      else if ('names' in field) this.#addName(field);
      else if ('hex' in field) this.#push({ kind: HEX, ...bitsOf(field.hex) });
      else if ('isArguments' in field) this.#push({ kind: ARGUMENTS });
      else if ('cyclesOr' in field) this.#push({ kind: CYCLES, value: this.#compute(field.cyclesOr) });
      else this.#addPercentage(field);
  }

  #addText(template: string): void {
    for (const [i, part] of template.split(/(\{\d[^{}]*\})/).entries())
      if (i % 2 === 0) this.#text += part;
      else this.#push(compileField(Number(part[1]), part.slice(2, -1)));
  }

  #addChoice({ bits, value, ifEqual, otherwise }: Choice): void {
    const test = this.#push({ kind: SKIP_UNLESS, value, ...bitsOf(bits) });
    this.#add(ifEqual);
    const end = this.#push(NOTHING);
    this.#skipFrom(test);
    this.#addOtherwise(end, otherwise);
  }

  #addName({ bits, names, otherwise }: Name): void {
    this.#addOtherwise(this.#push({ kind: NAMES, value: this.#putNames(names), ...bitsOf(bits) }), otherwise);
  }

  /** Adds what a piece skips. */
  #addOtherwise(piece: Piece, otherwise: LineTemplate): void {
    this.#add(otherwise);
    if (this.#text !== '') this.#push(NOTHING);
    this.#skipFrom(piece);
  }

  /** How many names there are; of each, where it is and its length, which is 0 where there is none. */
  #putNames(names: readonly (string | undefined)[]): number {
    const { memory } = this.#a;
    const words = [names.length, 0];
    for (const name of names) words.push(this.#putText(name ?? ''), name?.length ?? 0);
    return memory.addToTemplates(new Uint8Array(Uint32Array.from(words).buffer), 0);
  }

  #putText(text: string): number {
    return this.#a.memory.addToTemplates(Buffer.from(text, 'latin1'), OVERSHOOT);
  }

  #addPercentage({ word, shiftWord, shiftBit, compute }: Percentage): void {
    const value = this.#compute(compute);
    this.#push({ kind: PERCENT, word, shiftLeft: shiftWord * 4, shift: shiftBit, value });
    this.#text += '%';
  }

  /** The number of a function that writes what another makes of a record. */
  #compute(textOf: (p: Pcpu) => string): number {
    const { memory, out } = this.#a;
    return memory.computed.push((p) => out.text(textOf(p))) - 1;
  }

  #push(piece: Partial<Piece>): Piece {
    const pushed = { ...NOTHING, ...piece, text: this.#text };
    this.#pieces.push(pushed);
    this.#text = '';
    return pushed;
  }

  /** Lets a piece skip those behind it. */
  #skipFrom(piece: Piece): void {
    piece.skipped = (this.#pieces.length - 1 - this.#pieces.indexOf(piece)) * PIECE_BYTES;
  }

  #put(): number {
    const { memory } = this.#a;
    const line = memory.addToTemplates(new Uint8Array(this.#pieces.length * PIECE_BYTES), 0);
    for (const [i, { text, word, ...others }] of this.#pieces.entries())
      Object.assign(new LinePiece(memory, line + i * PIECE_BYTES), {
        ...others,
        text: this.#putText(text),
        textLength: text.length,
        wordAt: word * 4,
      });
    return line;
  }
}

function bitsOf([word, shift, width]: Bits): Partial<Piece> {
  return { word, shift, mask: 2 ** width - 1 };
}

function compileField(word: number, kind: string): Partial<Piece> {
  if (kind in KINDS) return { word, ...KINDS[kind] };
  return { word, kind: UNSIGNED, shift: Number(kind.slice(1)) * 8, mask: 0xff };
}

const KINDS: Readonly<Record<string, Partial<Piece>>> = {
  '': { kind: UNSIGNED, mask: 0xffffffff },
  '.lo': { kind: UNSIGNED, mask: 0xffff },
  '.hi': { kind: UNSIGNED, shift: 16, mask: 0xffff },
  d: { kind: SIGNED },
  '.slo': { kind: SIGNED, shiftLeft: 16, shift: 16 },
  '.shi': { kind: UNSIGNED_SHORT, shift: 16 },
  q: { kind: WIDE },
  qd: { kind: SIGNED_WIDE },
  x: { kind: HEX, mask: 0xffffffff },
  qx: { kind: WIDE_HEX },
  us: { kind: MICROSECONDS },
};
