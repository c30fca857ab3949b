import { UserError } from '../base/errors.ts';
import { WINDOW_HEADER_BYTES } from '../format/record.ts';
import type { ByteSink } from './byte-sink.ts';
import { type WindowSink, windowHeader } from './window-sink.ts';

interface Window {
  readonly pcpu: number;
  readonly bytes: number;
}

/**
 * xentrace's -M: a circular buffer that holds the newest windows and is written out at the end.
 *
 * Room is made in whole windows, the oldest first, until the new one fits; and then on, until the next window
 * left is of the same or a lower pCPU than the one dropped before it, so that what remains starts with a
 * sweep's low pCPUs and time does not start with a step back (membuf_reserve_window()). A window that would
 * fill the buffer to its last byte makes room too: xentrace asks for less than what is free.
 *
 * Where xentrace reads or writes past the end of its buffer this one goes around it: a header that meets the
 * end, and the search for a low pCPU when no window is left. A buffer that nothing was put into is written
 * out as nothing.
 */
export class MemoryBuffer implements WindowSink {
  readonly #out: ByteSink;
  readonly #data: Uint8Array;
  /** The windows held, oldest first, from index `#oldest` on. */
  #windows: Window[] = [];
  #oldest = 0;
  /** Bytes ever written and ever dropped; their places are these modulo the size. */
  #prod = 0;
  #cons = 0;

  constructor(out: ByteSink, bytes: number) {
    this.#out = out;
    this.#data = new Uint8Array(bytes);
  }

  /**
   * Throws UserError `memory-buffer-too-small` for a window that cannot fit at all, as xentrace gives up
   * then.
   */
  window(pcpu: number, first: Uint8Array, second: Uint8Array): void {
    const bytes = first.length + second.length;
    const needed = bytes + WINDOW_HEADER_BYTES;
    if (needed > this.#data.length) {
      throw new UserError(
        'memory-buffer-too-small',
        `-M: a window of ${bytes} bytes does not fit into a memory buffer of ${this.#data.length} bytes`,
        { hint: 'make it larger, or sweep more often with -s' },
      );
    }
    const free = this.#data.length - (this.#prod - this.#cons);
    if (needed >= free) this.#makeRoom(needed - free);
    this.#windows.push({ pcpu, bytes });
    this.#append(windowHeader(pcpu, bytes));
    this.#append(first);
    this.#append(second);
  }

  finish(): void {
    const start = this.#cons % this.#data.length;
    const held = this.#prod - this.#cons;
    const toEnd = Math.min(held, this.#data.length - start);
    if (toEnd > 0) this.#out.write(this.#data.subarray(start, start + toEnd));
    if (held > toEnd) this.#out.write(this.#data.subarray(0, held - toEnd));
  }

  /** How many windows the buffer has dropped. */
  droppedWindows = 0;

  #makeRoom(bytes: number): void {
    let missing = bytes;
    let lastPcpu = -1;
    while (missing > 0) {
      const dropped = this.#dropOldest();
      missing -= dropped.bytes + WINDOW_HEADER_BYTES;
      lastPcpu = dropped.pcpu;
    }
    while (this.#oldest < this.#windows.length && this.#windows[this.#oldest]!.pcpu > lastPcpu) {
      lastPcpu = this.#dropOldest().pcpu;
    }
    // The list of windows is kept short without moving it for each window.
    if (this.#oldest > 1024 && this.#oldest * 2 > this.#windows.length) {
      this.#windows = this.#windows.slice(this.#oldest);
      this.#oldest = 0;
    }
  }

  #dropOldest(): Window {
    const window = this.#windows[this.#oldest]!;
    this.#oldest += 1;
    this.#cons += window.bytes + WINDOW_HEADER_BYTES;
    this.droppedWindows += 1;
    return window;
  }

  #append(bytes: Uint8Array): void {
    const at = this.#prod % this.#data.length;
    const toEnd = Math.min(bytes.length, this.#data.length - at);
    this.#data.set(bytes.subarray(0, toEnd), at);
    if (toEnd < bytes.length) this.#data.set(bytes.subarray(toEnd), 0);
    this.#prod += bytes.length;
  }
}
