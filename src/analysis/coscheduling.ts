import type { DomainActivity } from './domain-activity.ts';

/** Beyond as many vCPUs, what chance would give is not worked out: it takes time by the square. */
const VCPUS_MAX = 1024;

/**
 * How likely it is that k of several vCPUs run at once, if each runs its part of the time and none minds the others:
 * the Poisson binomial distribution.
 *
 * @param shares the part of the time that each runs, 0 to 1
 * @returns by k, 0 to the number of vCPUs
 */
export function independentRunning(shares: readonly number[]): number[] {
  const chances = [1];
  for (const share of shares) {
    chances.push(0);
    for (let k = chances.length - 1; k > 0; k--) {
      chances[k] = chances[k] * (1 - share) + chances[k - 1] * share;
    }
    chances[0] *= 1 - share;
  }
  return chances;
}

/** What chance would give a domain, by the number of its vCPUs that run; null where it cannot be told. */
export function expectedRunning({ siblings, knownNs }: DomainActivity): number[] | null {
  if (knownNs === 0 || siblings.length > VCPUS_MAX) return null;
  return independentRunning(siblings.map(({ ranNs }) => ranNs / knownNs));
}

/** Pairs of vCPUs that run at once, on average, where `shares[k]` is the part of the time in which k of them run. */
export function pairsRunning(shares: readonly number[]): number {
  return shares.reduce((sum, share, k) => sum + (share * k * (k - 1)) / 2, 0);
}

/** Part of the time in which at least two run. */
export function togetherShare(shares: readonly number[]): number {
  return shares.reduce((sum, share, k) => (k < 2 ? sum : sum + share), 0);
}
