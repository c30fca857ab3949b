import { meanNsOf } from '../../scenario/drawn-duration.ts';
import type { GuestSpec, TaskSpec } from '../../scenario/guest-spec.ts';

/**
 * The rank of each task, by its number, the smaller first; undefined under EDF, where it is the job's. Rate
 * and deadline monotonic make no equals: of two the first in the list goes first.
 */
export function fixedRanks({ scheduler, tasks }: GuestSpec): readonly number[] | undefined {
  switch (scheduler) {
    case 'edf':
      return undefined;
    case 'rr':
      return tasks.map(() => 0);
    case 'fp':
      return tasks.map(({ priority }) => -priority);
    case 'rm':
      return ranksBy(tasks.map(distanceNs));
    case 'dm':
      return ranksBy(tasks.map(({ deadlineNs }) => (deadlineNs === 0 ? Infinity : deadlineNs)));
  }
}

/** The place of each value in their order. */
function ranksBy(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => {
    return values[a] === values[b] ? a - b : values[a]! - values[b]!;
  });
  const ranks = new Array<number>(values.length);
  for (const [rank, index] of order.entries()) ranks[index] = rank;
  return ranks;
}

/** The distance of arrivals that are told by one, else Infinity: those tasks come last. */
function distanceNs({ arrivals }: TaskSpec): number {
  if (arrivals.kind === 'periodic') return arrivals.periodNs;
  return arrivals.kind === 'sporadic' ? meanNsOf(arrivals.interarrival) : Infinity;
}
