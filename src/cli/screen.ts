/**
 * The terminal as a screen of its own: what was there before comes back however the program ends.
 * @module
 */
import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { writeAll } from './output.ts';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** Ctrl-Z, which does not stop a program while keys come raw. */
const SUSPEND = '\x1a';
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export interface ScreenOptions {
  /** Whether standard input is something else than keys. */
  readonly inputTaken: boolean;
  readonly onKeys: (input: string) => void;
  /** The size has changed, or the screen has come back: draw again. */
  readonly onRedraw: () => void;
}

export class Screen {
  /** Undefined where nobody can press a key. */
  readonly #keys: ReadStream | undefined;
  readonly #options: ScreenOptions;
  #open = false;
  readonly #stop: (() => void)[] = [];

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#keys = openKeys(options.inputTaken);
    this.#enter();
    this.#keys?.setEncoding('utf8');
    this.#keys?.on('data', (input) => this.#onKeys(String(input)));
    this.#listen(process, 'exit', () => this.close());
    for (const [signal, number] of Object.entries(SIGNALS))
      this.#listen(process, signal, () => process.exit(128 + number));
    this.#listen(process, 'SIGCONT', () => this.#resume());
    this.#listen(process.stdout, 'resize', options.onRedraw);
  }

  /** Whether keys can be pressed at all. */
  get hasKeys(): boolean {
    return this.#keys !== undefined;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = process.stdout;
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** Shows these lines and nothing else. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const { rows } = this.size;
    const text = lines.slice(0, rows).map((line) => `${line}${CLEAR_LINE_END}`);
    writeAll(1, Buffer.from(`${HOME}${text.join('\r\n')}${CLEAR_BELOW}`));
  }

  /** Gives the terminal back. */
  close(): void {
    for (const stop of this.#stop.splice(0)) stop();
    this.#leave();
    this.#keys?.destroy();
  }

  #enter(): void {
    if (this.#open) return;
    this.#open = true;
    this.#keys?.setRawMode(true);
    writeAll(1, Buffer.from(ENTER));
  }

  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#keys?.setRawMode(false);
      writeAll(1, Buffer.from(LEAVE));
    } catch {
      // The terminal itself is gone.
    }
  }

  #onKeys(input: string): void {
    if (!input.includes(SUSPEND)) {
      this.#options.onKeys(input);
      return;
    }
    this.#leave();
    process.kill(0, 'SIGTSTP');
  }

  #resume(): void {
    this.#enter();
    this.#options.onRedraw();
  }

  #listen(target: NodeJS.EventEmitter, event: string, listener: () => void): void {
    target.on(event, listener);
    this.#stop.push(() => target.off(event, listener));
  }
}

/** Standard input, or the terminal itself where that is taken. */
function openKeys(inputTaken: boolean): ReadStream | undefined {
  if (!inputTaken && process.stdin.isTTY) return process.stdin;
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return undefined;
  }
}
