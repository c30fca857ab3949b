import type { OutputSink } from '../tables/byte-sink.ts';

const BUFFER_CHARS = 1 << 16;

/** Gathers text into large writes. */
export class TextOutput {
  readonly #sink: OutputSink;
  #pending = '';

  constructor(sink: OutputSink) {
    this.#sink = sink;
  }

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= BUFFER_CHARS) this.flush();
  }

  flush(): void {
    if (this.#pending.length > 0) this.#sink.write([Buffer.from(this.#pending)]);
    this.#pending = '';
  }
}
