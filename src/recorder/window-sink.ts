import { UserError } from '../base/errors.ts';
import { WINDOW_HEADER, WINDOW_HEADER_BYTES } from '../format/record.ts';
import type { ByteSink } from './byte-sink.ts';

/** What the recorder does with a pCPU's new records: they come in one or two pieces and make one window. */
export interface WindowSink {
  /** `second` is empty unless the records went around the end of their ring. Both are only lent. */
  window(pcpu: number, first: Uint8Array, second: Uint8Array): void;
  /** No more windows. */
  finish(): void;
}

/** Writes every window at once: header, then records. */
export class WindowWriter implements WindowSink {
  readonly #out: ByteSink;
  readonly #reserveMegabytes: number;

  /**
   * With `reserveMegabytes` above 0, a window is written only if more than that stays free on the disk after
   * it.
   */
  constructor(out: ByteSink, reserveMegabytes = 0) {
    this.#out = out;
    this.#reserveMegabytes = reserveMegabytes;
  }

  window(pcpu: number, first: Uint8Array, second: Uint8Array): void {
    const bytes = first.length + second.length;
    if (this.#reserveMegabytes > 0) this.#checkDisk(bytes);
    this.#out.write(windowHeader(pcpu, bytes));
    this.#out.write(first);
    if (second.length > 0) this.#out.write(second);
  }

  finish(): void {}

  /** As in xentrace's write_buffer(): whole megabytes, rounded down, and the limit itself is too little. */
  #checkDisk(bytes: number): void {
    const free = this.#out.freeBytes?.();
    if (free === undefined) {
      throw new UserError('disk-space-unknown', '-r: there is no telling how much space a pipe has left');
    }
    const freeMegabytes = Math.floor((free - bytes) / 2 ** 20);
    if (freeMegabytes > this.#reserveMegabytes) return;
    throw new UserError(
      DISK_SPACE_LIMIT,
      `disk space limit reached: ${Math.max(0, freeMegabytes)} MB would be free, ` +
        `${this.#reserveMegabytes} MB are to stay free; the trace ends here`,
    );
  }
}

/** The code of the error that ends a recording for want of disk space; what was written is a whole trace. */
export const DISK_SPACE_LIMIT = 'disk-space-limit';

/** The three words in front of a window's records. */
export function windowHeader(pcpu: number, bytes: number): Uint8Array {
  const header = new Uint8Array(WINDOW_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, WINDOW_HEADER, true);
  view.setUint32(4, pcpu, true);
  view.setUint32(8, bytes, true);
  return header;
}
