import { type Position, UserError, UserErrors } from '../base/errors.ts';

/** More mistakes than this in one file help nobody. */
const PROBLEMS_MAX = 50;
/** After so many they are only counted: finding the place of each takes time. */
const PLACED_MAX = 1000;

/** Stable codes of what can be wrong with a scenario's text. */
export type ProblemCode =
  | 'scenario-syntax'
  | 'scenario-unknown-key'
  | 'scenario-missing-key'
  | 'scenario-duplicate-key'
  | 'scenario-bad-value'
  | 'scenario-conflict';

/**
 * Collects all mistakes of one text, so that a file is told everything at once. Whoever finds a mistake
 * adds it and goes on with what is left.
 */
export class Problems {
  readonly #file: string;
  readonly #text: string;
  readonly #found = new Map<string, { offset: number; error: UserError }>();

  #onlyCounted = 0;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  get count(): number {
    return this.#found.size + this.#onlyCounted;
  }

  /** Whether further mistakes are only counted, so that nobody need look for words for them. */
  get isFull(): boolean {
    return this.#found.size >= PLACED_MAX;
  }

  has(code: ProblemCode): boolean {
    return [...this.#found.values()].some(({ error }) => error.code === code);
  }

  /**
   * `offset` counts UTF-16 units from the start of the text. The same sentence at the same place counts
   * once.
   */
  add(code: ProblemCode, offset: number, sentence: string): void {
    if (this.isFull) {
      this.#onlyCounted += 1;
      return;
    }
    const position = this.positionAt(offset);
    const error = new UserError(code, sentence, { position });
    if (!this.#found.has(error.message)) this.#found.set(error.message, { offset, error });
  }

  /** Throws what was found, in the order of the text; does nothing when nothing was. */
  throwIfAny(): void {
    if (this.#found.size === 0) return;
    const errors = [...this.#found.values()].sort((a, b) => a.offset - b.offset).map(({ error }) => error);
    if (errors.length === 1) throw errors[0]!;
    const told = errors.slice(0, PROBLEMS_MAX);
    const { code, position } = errors[PROBLEMS_MAX] ?? {};
    if (code !== undefined && position !== undefined) {
      const sentence = `and ${this.count - PROBLEMS_MAX} more mistakes from here on`;
      told.push(new UserError(code, sentence, { position }));
    }
    throw new UserErrors(told);
  }

  positionAt(offset: number): Position {
    const end = Math.max(0, Math.min(offset, this.#text.length));
    let line = 1;
    let lineStart = 0;
    for (let next = this.#text.indexOf('\n'); next !== -1 && next < end; ) {
      line += 1;
      lineStart = next + 1;
      next = this.#text.indexOf('\n', lineStart);
    }
    return { file: this.#file, line, column: end - lineStart + 1 };
  }
}
