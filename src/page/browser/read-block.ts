import type { PageData, Place } from '../page-data.ts';
import { VarintReader } from '../varints.ts';

/** The bytes that the JSON text has places in. */
export class Block {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bytes({ at, length }: Place): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  /** 16 bits each. */
  words(place: Place): Uint16Array {
    return new Uint16Array(this.bytes(place).slice().buffer);
  }

  varints(place: Place): VarintReader {
    return new VarintReader(this.bytes(place));
  }
}

/** Reads what packer.ts wrote. */
export async function readBlock(base64: string): Promise<{ data: PageData; block: Block }> {
  const packed = bytesOf(base64);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { data, block: new Block(bytes.subarray(4 + length)) };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
