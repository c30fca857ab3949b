import { cutText, floatText, integerText, type Layout } from './python-text.ts';
import { type RecordValues, TSC, VALUE_NAMES } from './record-values.ts';

/** A part of a format, ready to be written. */
export type Piece = TextPiece | NumberPiece | OtherPiece;

interface TextPiece {
  readonly kind: 'text';
  readonly text: string;
}

/** `%d` or `%x` with nothing but a width: most of what there is, and quick to write. */
export interface NumberPiece {
  readonly kind: 'decimal' | 'hex';
  readonly index: number;
  readonly width: number;
  /** The byte that fills the width. */
  readonly fill: number;
  readonly conversion: Conversion;
}

interface OtherPiece {
  readonly kind: 'other';
  readonly conversion: Conversion;
}

/** `%(name)type`; `index` is undefined where no name was given before: then the value is the whole dictionary. */
interface Conversion extends Layout {
  readonly index: number | undefined;
  readonly type: string;
}

/**
 * A format that Python refuses. At a mistake in types, xentrace_format prints the rule and the values instead; of any
 * other it dies.
 */
export interface Refusal {
  readonly isTypeError: boolean;
  readonly message: string;
}

/** A format of Python's `%` operator, taken apart. */
export interface CompiledFormat {
  readonly pieces: readonly Piece[];
  /** The values that have to be bytes, for `%c`. */
  readonly bytes: readonly number[];
  readonly refusal: Refusal | undefined;
}

const NO_BYTE: Refusal = { isTypeError: false, message: '%c of a number that is no byte' };
/** Longer text is written in several pieces. */
const TEXT_LENGTH_MAX = 4096;
/** Python 2 has room for no more digits in an integer. */
const INTEGER_PRECISION_MAX = 116;
/** What follows `%` and a name. */
const CONVERSION = /^([-0 +#]*)(\d*|\*)(?:\.(\d*|\*))?[hlL]?(.?)/s;
const ZERO = 0x30;
const SPACE = 0x20;

/** @param tscInSeconds whether `tsc` is a number with a fraction, which some conversions refuse. */
export function compileFormat(format: string, tscInSeconds: boolean): CompiledFormat {
  const pieces: Piece[] = [];
  let refusal: Refusal | undefined;
  try {
    for (const piece of parse(format, tscInSeconds)) pieces.push(piece);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    refusal = error;
  }
  const bytes = pieces.flatMap((piece) =>
    piece.kind === 'other' && piece.conversion.type === 'c' ? [piece.conversion.index!] : [],
  );
  return { pieces, bytes, refusal };
}

/** What a conversion makes of the values. */
export function convert(conversion: Conversion, values: RecordValues): string {
  const { index, type } = conversion;
  if (type === 's' || type === 'r') {
    return cutText(index === undefined ? values.dictionary() : values.name(index, type), conversion);
  }
  const value = values.value(index!);
  if (type === 'c')
    return cutText(String.fromCharCode(Number(value)), { ...conversion, precision: undefined });
  if ('eEfFgG'.includes(type)) return floatText(Number(value), type, conversion);
  return integerText(value, type, conversion, values.isLong(index!));
}

/** Why Python does not apply the format to these values, if so. */
export function refusalOf({ refusal, bytes }: CompiledFormat, values: RecordValues): Refusal | undefined {
  if (refusal !== undefined || bytes.length === 0) return refusal;
  return bytes.some((index) => values.value(index) < 0 || values.value(index) > 255) ? NO_BYTE : undefined;
}

class FormatError extends Error implements Refusal {
  readonly isTypeError: boolean;

  constructor(message: string, isTypeError = false) {
    super(message);
    this.isTypeError = isTypeError;
  }
}

function* parse(format: string, tscInSeconds: boolean): Generator<Piece> {
  // What the next conversion without a name takes: at first the dictionary, then what a %(name)% has left.
  let pending: { index: number | undefined } | undefined = { index: undefined };
  for (let at = 0; at < format.length; ) {
    const next = format.indexOf('%', at);
    yield* textPieces(format.slice(at, next < 0 ? undefined : next));
    if (next < 0) return;
    at = next + 1;
    if (format[at] === '(') {
      const end = closingParenthesis(format, at);
      pending = { index: indexOf(format.slice(at + 1, end)) };
      at = end + 1;
    }
    const [text, flags, width, precision, type] = CONVERSION.exec(format.slice(at))!;
    at += text.length;
    if (width === '*' || precision === '*') throw new FormatError('a width of * is not to be had', true);
    if (type === '') throw new FormatError('it ends in the middle of a conversion');
    const layout = {
      flags,
      width: Number(width),
      precision: precision === undefined ? undefined : Number(precision),
    };
    if (type === '%') {
      yield* textPieces(cutText('%', { ...layout, precision: undefined }));
      continue;
    }
    if (pending === undefined) throw new FormatError(`%${type} has no name`, true);
    const conversion: Conversion = { ...layout, ...pending, type: 'iu'.includes(type) ? 'd' : type };
    check(conversion, tscInSeconds);
    yield pieceOf(conversion);
    pending = undefined;
  }
}

function* textPieces(text: string): Generator<Piece> {
  for (let at = 0; at < text.length; at += TEXT_LENGTH_MAX) {
    yield { kind: 'text', text: text.slice(at, at + TEXT_LENGTH_MAX) };
  }
}

function closingParenthesis(format: string, open: number): number {
  let depth = 0;
  for (let at = open; at < format.length; at++) {
    if (format[at] === '(') depth++;
    else if (format[at] === ')' && --depth === 0) return at;
  }
  throw new FormatError('a parenthesis is not closed');
}

function indexOf(name: string): number {
  const index = (VALUE_NAMES as readonly string[]).indexOf(name);
  if (index < 0) throw new FormatError(`there is no "${name}"; there are ${VALUE_NAMES.join(', ')}`);
  return index;
}

function check({ index, type, precision = 0 }: Conversion, tscInSeconds: boolean): void {
  if (!'doxXeEfFgGcsr'.includes(type)) throw new FormatError(`%${type} is no conversion`);
  if (index === undefined && type !== 's' && type !== 'r')
    throw new FormatError(`%${type} has no name`, true);
  if (type === 'c' && index === TSC && tscInSeconds) throw new FormatError('%c of a fraction', true);
  if ('doxX'.includes(type) && precision > INTEGER_PRECISION_MAX) {
    throw new FormatError(`a precision of ${precision} is too large`);
  }
}

function pieceOf(conversion: Conversion): Piece {
  const { index, type, flags, width, precision } = conversion;
  const quick = index !== undefined && precision === undefined && (flags === '' || flags === '0');
  if (!quick || (type !== 'd' && type !== 'x')) return { kind: 'other', conversion };
  const fill = flags === '0' ? ZERO : SPACE;
  return { kind: type === 'd' ? 'decimal' : 'hex', index, width, fill, conversion };
}
