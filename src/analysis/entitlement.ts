/** What one claimant may have of a capacity, in the same unit as the capacity. */
export interface Claim {
  readonly weight: number;
  /** What it wants, or is allowed, at most. */
  readonly limit: number;
}

/**
 * Water-filling: capacity is poured into the claims in proportion to their weights; a claim that is full leaves the
 * rest to the others. It is the only division in which nobody can get more without someone of a smaller or equal ratio
 * of share to weight getting less (weighted max-min fairness; Bertsekas and Gallager, Data Networks, 6.5.2).
 *
 * @returns what each claim is entitled to, in the order of `claims`
 */
export function entitlements(capacity: number, claims: readonly Claim[]): number[] {
  const result = claims.map(() => 0);
  const order = claims.map((_, index) => index);
  order.sort((a, b) => claims[a].limit / claims[a].weight - claims[b].limit / claims[b].weight || a - b);
  let left = capacity;
  let weightLeft = claims.reduce((sum, { weight }) => sum + weight, 0);
  for (const index of order) {
    const { weight, limit } = claims[index];
    const level = Math.max(0, (left * weight) / weightLeft);
    result[index] = Math.min(limit, level);
    left -= result[index];
    weightLeft -= weight;
  }
  return result;
}
