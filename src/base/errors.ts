/** Where in a user's file a mistake is; lines and columns start at 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`, the form that editors and terminals turn into a link. */
export function formatPosition({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}

/**
 * A user's mistake, told in one sentence with a position and a hint where there is one. The command line prints it
 * without a stack and ends with exit code 2. `code` is stable, for programs.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** Stable, for programs: `not-a-trace`, `unknown-table`, ... */
  readonly code: string;
  /** Where in a file of the user's it is; undefined where the mistake is in no file. The message begins with it. */
  readonly position: Position | undefined;
  /** What to do about it; the message ends with it. */
  readonly hint: string | undefined;

  constructor(code: string, sentence: string, at: { position?: Position; hint?: string } = {}) {
    const place = at.position ? `${formatPosition(at.position)}: ` : '';
    super(place + sentence + (at.hint ? ` (${at.hint})` : ''));
    this.code = code;
    this.position = at.position;
    this.hint = at.hint;
  }
}

/**
 * Several mistakes of one file, one a line, in the order of their positions. What a single mistake has, `code` and
 * `position`, is that of the first: who looks for no more than a UserError finds it.
 */
export class UserErrors extends UserError {
  override readonly position: Position | undefined;
  readonly errors: readonly UserError[];

  constructor(errors: readonly UserError[]) {
    super(errors[0]?.code ?? 'user-errors', errors.map((error) => error.message).join('\n'));
    this.position = errors[0]?.position;
    this.errors = errors;
  }
}
