import { deflateRawSync } from 'node:zlib';
import type { PageData, Place } from './page-data.ts';

/** Gathers bytes, and puts them and a JSON text into one compressed block. */
export class Packer {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  add(bytes: Uint8Array): Place {
    const place = { at: this.#length, length: bytes.length };
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return place;
  }

  /** The block, in base64: deflate of the length of the JSON text (32 bits, little-endian), the text, the bytes. */
  pack(data: PageData): string {
    const text = Buffer.from(JSON.stringify(data));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return deflateRawSync(Buffer.concat([length, text, ...this.#parts])).toString('base64');
  }
}
