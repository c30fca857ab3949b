/** A programmer's mistake: a broken invariant, never a user's input and never damage in a trace. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws {@link InvariantError} unless `condition` holds. Always on: it is for control paths, not for hot loops. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
