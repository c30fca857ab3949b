import { floatName } from './python-text.ts';

/** The names that a rule may use, in the order of {@link RecordValues.numbers}: `1` to `7` are the record's words. */
export const VALUE_NAMES = ['cpu', 'tsc', 'event', 'reltsc', '1', '2', '3', '4', '5', '6', '7'] as const;
export const CPU = 0;
export const TSC = 1;
export const EVENT = 2;
export const RELTSC = 3;
export const WORD_1 = 4;

/** From here on Python 2 has its other type of integers, which shows in `%r` and in `%.0d` alone. */
const PYTHON_LONG = 2n ** 63n;
/** The order in which a 64-bit Python 2 prints a dictionary with these keys. */
const DICTIONARY_ORDER = ['2', 'event', 'tsc', '1', '3', 'reltsc', '5', '4', '7', '6', 'cpu'] as const;

/** What is shown of the record at hand. */
export class RecordValues {
  readonly numbers = new Float64Array(VALUE_NAMES.length);
  /** The exact values of `tsc` and `reltsc` where they are beyond 2^53 in size. */
  exactTsc: bigint | undefined;
  exactReltsc: bigint | undefined;
  /** Whether `tsc` is in seconds, a number with a fraction. */
  readonly tscInSeconds: boolean;
  /** Whether `reltsc` comes of a TSC beyond 2^63. */
  reltscIsLong = false;

  constructor(tscInSeconds: boolean) {
    this.tscInSeconds = tscInSeconds;
  }

  /** Whether {@link numbers} has the exact value, and one without a fraction. */
  isWhole(index: number): boolean {
    if (index === TSC) return this.exactTsc === undefined && !this.tscInSeconds;
    return index !== RELTSC || this.exactReltsc === undefined;
  }

  /** The exact value of a name. */
  value(index: number): number | bigint {
    if (index === TSC && this.exactTsc !== undefined) return this.exactTsc;
    if (index === RELTSC && this.exactReltsc !== undefined) return this.exactReltsc;
    return this.numbers[index];
  }

  /** The value by `%s`, or by `%r`. */
  name(index: number, type: 's' | 'r'): string {
    if (index === TSC && this.tscInSeconds) return floatName(this.numbers[TSC], type);
    return `${this.value(index)}${type === 'r' && this.isLong(index) ? 'L' : ''}`;
  }

  /** All of them as Python prints a dictionary. */
  dictionary(): string {
    const pairs = DICTIONARY_ORDER.map((name) => `'${name}': ${this.name(VALUE_NAMES.indexOf(name), 'r')}`);
    return `{${pairs.join(', ')}}`;
  }

  /** Whether Python 2 has the value as a long and not as an int. */
  isLong(index: number): boolean {
    if (index === RELTSC) return this.reltscIsLong;
    return index === TSC && this.exactTsc !== undefined && this.exactTsc >= PYTHON_LONG;
  }
}
