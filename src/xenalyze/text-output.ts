import { writeSync } from 'node:fs';
import { OUTPUT_BYTES, OUTPUT_FULL, OVERSHOOT } from './wasm/walk-layout.ts';

/** Text up to this length is written character by character, which takes less than a call of V8. */
const SHORT = 16;
/** There is always room for text of this length. */
const LONG = OUTPUT_BYTES - OUTPUT_FULL;

/** Takes finished bytes; what it is given is reused afterwards. */
export type ByteSink = (bytes: Uint8Array) => void;

/** An argument of {@link TextOutput.printf}. A whole number beyond 2^53 is a bigint. */
export type PrintfArgument = number | bigint | string;

/**
 * Text as bytes in a buffer that is used over and over: lines are put together from numbers and constant text without
 * making strings of them.
 */
export class TextOutput {
  #view: DataView = new DataView(new ArrayBuffer(OUTPUT_BYTES + OVERSHOOT));
  #bytes = bytesOf(this.#view);
  /** Where what was written and not flushed yet ends. */
  #end: Int32Array = new Int32Array(1);
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /**
   * Goes on in a buffer that a program writes to as well, as long as its own; the only element of `end` is where what
   * was written ends.
   */
  moveTo(view: DataView, end: Int32Array): void {
    this.flush();
    this.#view = view;
    this.#bytes = bytesOf(view);
    this.#end = end;
  }

  get view(): DataView {
    return this.#view;
  }

  /** Where what was written and not flushed yet ends; who writes there directly calls {@link reserve} before. */
  get at(): number {
    return this.#end[0];
  }

  set at(at: number) {
    this.#end[0] = at;
  }

  /** Writes what is in the buffer. */
  flush(): void {
    if (this.at === 0) return;
    this.#sink(new Uint8Array(this.#view.buffer, this.#view.byteOffset, this.at));
    this.at = 0;
  }

  /** Makes room for a line; called by everything that writes a line of bounded length. */
  reserve(): void {
    if (this.at > OUTPUT_FULL) this.flush();
  }

  /** ASCII text. */
  text(text: string): void {
    this.reserve();
    if (text.length > LONG) {
      this.text(text.slice(0, LONG));
      this.text(text.slice(LONG));
    } else if (text.length > SHORT) this.at += this.#bytes.write(text, this.at, 'latin1');
    else {
      const { at } = this;
      for (let i = 0; i < text.length; i++) this.#view.setUint8(at + i, text.charCodeAt(i));
      this.at = at + text.length;
    }
  }

  /** Finished text, no longer than a line of bounded length. */
  bytes(bytes: Uint8Array): void {
    this.reserve();
    this.#bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  byte(code: number): void {
    this.#view.setUint8(this.at++, code);
  }

  newline(): void {
    this.byte(10);
    this.reserve();
  }

  /**
   * As C's printf: %d %i %u %x %X %c %s %f and %%, with flags, width and precision; length modifiers are read and
   * ignored. Numbers are taken as they are: a field of 32 bits has to be made signed or unsigned before. %f rounds to
   * even, as the C library does.
   */
  printf(format: string, ...values: readonly PrintfArgument[]): void {
    this.text(sprintf(format, ...values));
  }
}

/** The same bytes, with what V8 has to write text. */
function bytesOf({ buffer, byteOffset, byteLength }: DataView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** C's `snprintf` as a string: see {@link TextOutput.printf}. */
export function sprintf(format: string, ...values: readonly PrintfArgument[]): string {
  const pieces = piecesOf(format);
  let next = 0;
  let text = '';
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    if (typeof piece === 'string') text += piece;
    else text += piece.isPlain ? values[next++] : convert(piece, values[next++]);
  }
  return text;
}

interface Conversion {
  readonly type: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  /** Whether it gives what JavaScript makes of the value as well. */
  readonly isPlain: boolean;
}

type Piece = string | Conversion;

const formats = new Map<string, readonly Piece[]>();

function piecesOf(format: string): readonly Piece[] {
  let pieces = formats.get(format);
  if (pieces === undefined) {
    pieces = parseFormat(format);
    formats.set(format, pieces);
  }
  return pieces;
}

function parseFormat(format: string): Piece[] {
  const pieces: Piece[] = [];
  const pattern = /%([-0 +#]*)(\d*)(?:\.(\d+))?(?:hh|h|ll|l|z|j|t)*([diuxXcsf%])/g;
  let from = 0;
  for (const match of format.matchAll(pattern)) {
    if (match.index > from) pieces.push(format.slice(from, match.index));
    from = match.index + match[0].length;
    const [, flags, width, precision, type] = match;
    if (type === '%') pieces.push('%');
    else
      pieces.push({
        type,
        flags,
        width: Number(width),
        precision: precision === undefined ? undefined : Number(precision),
        isPlain: width === '' && precision === undefined && 'dius'.includes(type),
      });
  }
  if (from < format.length) pieces.push(format.slice(from));
  return pieces;
}

function convert({ type, flags, width, precision }: Conversion, value: PrintfArgument): string {
  let text: string;
  if (type === 's') text = precision === undefined ? String(value) : String(value).slice(0, precision);
  else if (type === 'c') text = typeof value === 'number' ? String.fromCharCode(value) : String(value);
  else if (type === 'f') text = fixed(Number(value), precision ?? 6);
  else if (type === 'x') text = value.toString(16 as never);
  else if (type === 'X') text = value.toString(16 as never).toUpperCase();
  else text = value.toString();
  if (text.length >= width) return text;
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || type === 's' || type === 'c') return text.padStart(width);
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
}

/** A number with `digits` decimals as C prints it: a tie goes to the even digit, where toFixed goes up. */
export function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return '-nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  // A number that ends in the middle between two decimals is an odd multiple of 1 / 2^(digits + 1).
  const halves = value * 2 ** (digits + 1);
  if (Number.isInteger(halves) && halves % 2 !== 0) {
    const scaled = value * 10 ** digits;
    const floor = Math.floor(scaled);
    const even = floor % 2 === 0 ? floor : floor + 1;
    return (even / 10 ** digits).toFixed(digits);
  }
  // Beyond this, toFixed has an exponent.
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.${'0'.repeat(digits)}`;
  return value.toFixed(digits);
}

/** Writes to a file descriptor; waits where it is a pipe that is full. */
export function descriptorSink(fd: number): ByteSink {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return (bytes) => {
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(fd, bytes, done, bytes.length - done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        Atomics.wait(pause, 0, 0, 1);
      }
    }
  };
}
