import { UserError } from '../base/errors.ts';

/**
 * What is told of a whole trace must not be told of the rest of one.
 *
 * @param what it would be of: `tables are`, `a timeline is`
 * @throws UserError already-read, where records of `trace` have been read.
 */
export function refuseUsed(
  trace: { readonly name: string; counts(): { readonly records: number } },
  what: string,
): void {
  const { records } = trace.counts();
  if (records === 0) return;
  const sentence = `${what} of a whole trace, and ${records} records of ${trace.name} were read before`;
  throw new UserError('already-read', sentence, { hint: 'reopen() gives a reader from the start' });
}
