/**
 * Whole numbers as bytes of variable length (LEB128): small ones, which most are, take one byte, and nothing is lost up
 * to 2^53. The browser reads what is written here.
 * @module
 */

const CONTINUES = 0x80;

/** Writes numbers into bytes that grow. */
export class VarintWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** A whole number, 0 or more. */
  put(value: number): void {
    if (this.#length + 10 > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    let left = value;
    while (left >= CONTINUES) {
      this.#bytes[this.#length++] = (left % CONTINUES) | CONTINUES;
      left = Math.floor(left / CONTINUES);
    }
    this.#bytes[this.#length++] = left;
  }

  /** A whole number of either sign: small ones of both stay small. */
  putSigned(value: number): void {
    this.put(value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads them back, in the same order. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  next(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (byte < CONTINUES) return value + byte * scale;
      value += (byte - CONTINUES) * scale;
      scale *= CONTINUES;
    }
  }

  nextSigned(): number {
    const value = this.next();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
