import type { DiagnosticLog } from '../decoder/index.ts';
import { eventOf, extraWordsOf, hasCycles, TRC_TRACE_CPU_CHANGE } from '../format/index.ts';
import type { TextOutput } from '../xenalyze/text-output.ts';
import { putHex, putInteger } from './ascii.ts';
import {
  type CompiledFormat,
  compileFormat,
  convert,
  type NumberPiece,
  refusalOf,
} from './compile-format.ts';
import { DEFAULT_RULE, type Rule } from './parse-rules.ts';
import { CPU, EVENT, RELTSC, RecordValues, TSC, WORD_1 } from './record-values.ts';

export const TRC_TRACE_IRQ = 0x1f004;
/** One more than the highest vector for which xentrace_format keeps sums. */
const VECTORS = 256;
/**
 * Hypercalls whose first word loses the bits that say which arguments follow. The second id was meant to be that of
 * hypercalls in a multicall, which is 0x20200e: those keep them.
 */
const MASKED_HYPERCALLS: ReadonlySet<number> = new Set([0x20100d, 0x20100e]);
export const HYPERCALL_MASK = 0xfffff;

const WORDS_MAX = 7;
/** The high words from which a TSC is beyond 2^53, and beyond 2^63. */
const LARGE_HIGH = 0x20_0000;
const LONG_HIGH = 0x8000_0000;
const HEX_MAX = 0xffff_ffff;
/** Wider numbers, and longer text, are written in pieces. */
const SHORT_WIDTH = 64;
const PIECE_LENGTH = 4096;

interface CompiledRule extends Rule, CompiledFormat {}

/** The last TSC of a pCPU. */
interface LastTsc {
  high: number;
  low: number;
}

/** Whether the words of this event's records lose bits: see {@link MASKED_HYPERCALLS}. */
export function isMasked(event: number): boolean {
  return MASKED_HYPERCALLS.has(event);
}

/** Prints records one after the other, as their rules say and as xentrace_format would. */
export class RecordPrinter {
  readonly out: TextOutput;
  readonly log: DiagnosticLog;
  readonly #rules = new Map<number, CompiledRule>();
  readonly #default: CompiledRule | undefined;
  readonly #values: RecordValues;
  readonly #ticksPerSecond: number;
  readonly #lastTscs = new Map<number, LastTsc>();
  #last: LastTsc = { high: 0, low: 0 };
  #pcpu: number | undefined;
  /** Sums over all vectors together: in the original, the 256 entries of its table are one. */
  readonly #irqs = { count: 0, cycles: 0, cyclesMax: 0 };
  /** What has been told in {@link log} already. */
  readonly #told = new Set<string>();

  /**
   * @param mhz MHz of the TSC, to show `tsc` in seconds; 0: in ticks.
   * @param log gets what is wrong with the trace or with the rules that its records need.
   */
  constructor(rules: ReadonlyMap<number, Rule>, mhz: number, out: TextOutput, log: DiagnosticLog) {
    this.out = out;
    this.log = log;
    this.#values = new RecordValues(mhz !== 0);
    this.#ticksPerSecond = mhz * 1e6;
    for (const [event, rule] of rules) {
      this.#rules.set(event, { ...rule, ...compileFormat(rule.format, mhz !== 0) });
    }
    this.#default = this.#rules.get(DEFAULT_RULE);
  }

  /** The pCPU of the records that follow; undefined before there was any. */
  get pcpu(): number | undefined {
    return this.#pcpu;
  }

  set pcpu(pcpu: number) {
    if (pcpu === this.#pcpu) return;
    this.#pcpu = pcpu;
    this.#values.numbers[CPU] = pcpu;
    let last = this.#lastTscs.get(pcpu);
    if (last === undefined) {
      last = { high: 0, low: 0 };
      this.#lastTscs.set(pcpu, last);
    }
    this.#last = last;
  }

  /**
   * Prints the record with this header and TSC (0 where it has none), whose words are words[at] on. A record that
   * changes the pCPU does so. Returns false where xentrace_format ends.
   */
  print(header: number, tscHigh: number, tscLow: number, words: Uint32Array, at: number): boolean {
    const event = eventOf(header);
    const { numbers } = this.#values;
    const count = extraWordsOf(header);
    for (let i = 0; i < count; i++) numbers[WORD_1 + i] = words[at + i];
    for (let i = count; i < WORDS_MAX; i++) numbers[WORD_1 + i] = 0;
    numbers[EVENT] = event;
    if (event === TRC_TRACE_CPU_CHANGE) this.pcpu = numbers[WORD_1];
    else if (event === TRC_TRACE_IRQ && !this.#addIrq()) return false;
    else if (MASKED_HYPERCALLS.has(event)) numbers[WORD_1] &= HYPERCALL_MASK;
    this.#setTime(hasCycles(header), tscHigh, tscLow);
    const rule = this.#rules.get(event) ?? this.#default;
    if (rule !== undefined) this.#apply(rule);
    return true;
  }

  #addIrq(): boolean {
    const { numbers } = this.#values;
    const cycles = numbers[WORD_1 + 2] - numbers[WORD_1 + 1];
    if (cycles < 0) {
      this.#tell('irq_backwards', 'An interrupt ends before it begins: here xentrace_format ends.');
      return false;
    }
    if (numbers[WORD_1] >= VECTORS) {
      this.#tell('irq_vector', `An interrupt has vector ${numbers[WORD_1]}: here xentrace_format dies.`);
    }
    const irqs = this.#irqs;
    irqs.count++;
    irqs.cycles += cycles;
    irqs.cyclesMax = Math.max(irqs.cyclesMax, cycles);
    numbers[WORD_1 + 1] = irqs.count;
    numbers[WORD_1 + 2] = irqs.cycles;
    numbers[WORD_1 + 3] = irqs.cyclesMax;
    return true;
  }

  /** Sets `tsc` and `reltsc`, and tells of a TSC that went back. */
  #setTime(timed: boolean, high: number, low: number): void {
    const values = this.#values;
    const { numbers } = values;
    values.exactTsc = undefined;
    values.exactReltsc = undefined;
    values.reltscIsLong = false;
    numbers[TSC] = 0;
    numbers[RELTSC] = 0;
    if (!timed) return;
    const last = this.#last;
    const { high: lastHigh, low: lastLow } = last;
    const ticks = (high - lastHigh) * 2 ** 32 + (low - lastLow);
    const large = high >= LARGE_HIGH || lastHigh >= LARGE_HIGH;
    if (ticks < 0) {
      const [tsc, lastTsc] = [tscOf(high, low), tscOf(lastHigh, lastLow)];
      this.#line(`TSC stepped backward cpu ${this.#pcpu} !  ${tsc} ${lastTsc}`);
    }
    if (lastHigh !== 0 || lastLow !== 0) {
      numbers[RELTSC] = ticks;
      if (large) {
        values.exactReltsc = tscOf(high, low) - tscOf(lastHigh, lastLow);
        values.reltscIsLong = high >= LONG_HIGH || lastHigh >= LONG_HIGH;
      }
    }
    last.high = high;
    last.low = low;
    if (values.tscInSeconds) numbers[TSC] = Number(tscOf(high, low)) / this.#ticksPerSecond;
    else if (high >= LARGE_HIGH) values.exactTsc = tscOf(high, low);
    else numbers[TSC] = high * 2 ** 32 + low;
  }

  #apply(rule: CompiledRule): void {
    const values = this.#values;
    const refusal = refusalOf(rule, values);
    if (refusal !== undefined) {
      if (!refusal.isTypeError) {
        this.#tell('bad-rule', `${rule.place}: ${refusal.message}: at such a record xentrace_format dies.`);
      }
      this.#line(rule.format);
      this.#line(values.dictionary());
      return;
    }
    const { out } = this;
    for (const piece of rule.pieces) {
      out.reserve();
      if (piece.kind === 'text') out.text(piece.text);
      else if (piece.kind === 'other') this.#long(convert(piece.conversion, values));
      else this.#number(piece);
    }
    out.newline();
  }

  #number(piece: NumberPiece): void {
    const { out } = this;
    const values = this.#values;
    const { index, kind, width, fill } = piece;
    const value = values.numbers[index];
    const size = kind === 'hex' ? HEX_MAX : Number.MAX_SAFE_INTEGER;
    if (values.isWhole(index) && value >= 0 && value <= size && width <= SHORT_WIDTH) {
      const from = out.at;
      out.at = kind === 'hex' ? putHex(out.view, from, value) : putInteger(out.view, from, value);
      if (out.at - from < width) out.at = shift(out.view, from, out.at, width, fill);
    } else this.#long(convert(piece.conversion, values));
  }

  #line(text: string): void {
    this.#long(text);
    this.out.newline();
  }

  /** Text of any length. */
  #long(text: string): void {
    for (let at = 0; at < text.length; at += PIECE_LENGTH) this.out.text(text.slice(at, at + PIECE_LENGTH));
  }

  /** Notes what is wrong, once of each kind. */
  #tell(code: string, message: string): void {
    if (this.#told.has(code)) return;
    this.#told.add(code);
    this.log.add({ severity: 'error', code, message, advice: 'See docs/xentrace-format.md.' });
  }
}

/** Moves the bytes from..end to the right end of `width` bytes and fills what is free. Returns the new end. */
function shift(view: DataView, from: number, end: number, width: number, fill: number): number {
  const free = width - (end - from);
  for (let at = end - 1; at >= from; at--) view.setUint8(at + free, view.getUint8(at));
  for (let at = from; at < from + free; at++) view.setUint8(at, fill);
  return from + width;
}

function tscOf(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
