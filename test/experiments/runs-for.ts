import type { Run } from './experiment.ts';

/** The runs that `make` makes of each value, together. */
export function runsFor<T>(
  values: readonly T[],
  make: (value: T) => Record<string, Run>,
): Record<string, Run> {
  return Object.assign({}, ...values.map(make));
}
