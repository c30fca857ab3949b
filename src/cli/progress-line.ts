import { formatNanoseconds } from '../base/nanoseconds.ts';

/** What is over sooner needs no progress. */
const PATIENCE_MS = 1000;
/** A line that changes more often cannot be read. */
const REDRAW_MS = 100;

/** The line that stands on the terminal now; there is one at most. */
let standing: ProgressLine | undefined;

/** Wipes the line that stands on the terminal, if any: something else is about to be written there. */
export function wipeProgress(): void {
  standing?.wipe();
}

/** One line on standard error that is written over, from a second after its start on; only for a terminal. */
export class ProgressLine {
  readonly #startMs = performance.now();
  #drawnMs = 0;
  #width = 0;
  /** What had been done when the total became known, and when that was. */
  #first: number | undefined;
  #firstMs = 0;

  /** @param text makes the line; `left` is how long it still takes, `12 s left`, or empty where nobody can tell */
  update(done: number, total: number, text: (left: string) => string): void {
    const nowMs = performance.now();
    if (this.#first === undefined && total > 0) {
      this.#first = done;
      this.#firstMs = nowMs;
    }
    if (nowMs - this.#startMs < PATIENCE_MS || nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const line = text(this.#left(done, total, nowMs)).slice(0, (process.stderr.columns || 80) - 1);
    process.stderr.write(`\r${line.padEnd(this.#width)}`);
    this.#width = line.length;
    standing = this;
  }

  /** Takes the line away. */
  wipe(): void {
    if (this.#width > 0) process.stderr.write(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
    this.#drawnMs = 0;
    if (standing === this) standing = undefined;
  }

  #left(done: number, total: number, nowMs: number): string {
    if (this.#first === undefined || !(done > this.#first && done < total)) return '';
    const leftMs = ((nowMs - this.#firstMs) * (total - done)) / (done - this.#first);
    return `${formatNanoseconds(Math.max(1, Math.round(leftMs / 1000)) * 1e9, 2)} left`;
  }
}
