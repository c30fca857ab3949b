import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import { toUnsigned64 } from './c-numbers.ts';
import type { TextOutput } from './text-output.ts';

/** Names for guest addresses. */
export interface SymbolTable {
  /** Whether the real xenalyze refuses the file, because addresses are not in ascending order. */
  readonly refused: boolean;
  /** `(name +offset)` as in dumped lines, the offset from the last symbol before the address; empty without a file. */
  find(addressHigh: number, addressLow: number): string;
}

/** An address and a name, of which at most so many characters are read; the rest is taken for the next address. */
const ENTRY = /[ \t-\r]*([-+]?)(?:0[xX])?([\da-fA-F]+)[ \t-\r]*([^ \t-\r]{0,128})/y;
/** The address that 4.17 finds behind a newline at the end of the file, and in an empty one. */
const AT_END = 0xdeadbeefn;
const TEXT_MAX = 143;

/**
 * Reads pairs of hexadecimal address and name, in ascending order. As in xenalyze, the file ends with the first word
 * that should be an address and is none.
 *
 * @throws UserError if the file cannot be read.
 */
export function loadSymbols(path: string | undefined, stderr: TextOutput): SymbolTable {
  if (path === undefined) return { refused: false, find: () => '' };
  try {
    return new Symbols(readFileSync(path, 'latin1'), stderr);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(code ?? 'symbol-file', `could not open symbol file ${path}: ${message}`);
  }
}

class Symbols implements SymbolTable {
  refused = false;
  readonly #entries: { readonly address: bigint; readonly name: string }[] = [];
  #last = 0n;

  constructor(text: string, stderr: TextOutput) {
    let at = 0;
    while (at < text.length) {
      ENTRY.lastIndex = at;
      const match = ENTRY.exec(text);
      if (match === null) break;
      const [entry, sign, digits, name] = match;
      at += entry.length;
      const value = BigInt(`0x${digits}`);
      this.#add(toUnsigned64(sign === '-' ? -value : value), name, stderr);
    }
    if (text === '' || /^[ \t-\r]+$/.test(text.slice(at))) this.#add(AT_END, '', stderr);
  }

  #add(address: bigint, name: string, stderr: TextOutput): void {
    if (address > 0n && address < this.#last) {
      const format = 'Symbol file not properly ordered: %llx %s < %llx!\n';
      stderr.printf(format, address, name, this.#last);
      this.refused = true;
    } else {
      this.#last = address;
      this.#entries.push({ address, name });
    }
  }

  find(high: number, low: number): string {
    const address = (BigInt(high) << 32n) | BigInt(low);
    const entries = this.#entries;
    let from = 0;
    let to = entries.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (entries[middle].address > address) to = middle;
      else from = middle + 1;
    }
    const found = from === 0 ? { address: 0n, name: 'ZERO' } : entries[from - 1];
    return `(${found.name} +${(address - found.address).toString(16)})`.slice(0, TEXT_MAX);
  }
}
