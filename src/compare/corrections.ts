/**
 * p-values of many figures: among twenty, one is below 0.05 by chance alone.
 * @module
 */

/**
 * Holm's step-down adjustment: whoever calls every figure with a result of at most 0.05 different is wrong
 * about any of them with a probability of at most 0.05, however the figures depend on each other. Source:
 * Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6,
 * 1979.
 */
export function holm(ps: readonly number[]): number[] {
  const order = ascending(ps);
  const adjusted = new Array<number>(ps.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.max(least, Math.min(1, (ps.length - rank) * ps[index]));
    adjusted[index] = least;
  }
  return adjusted;
}

/**
 * Benjamini and Hochberg's step-up adjustment: of those called different by a result of at most 0.05, at most
 * 5 % are wrong on average, if the figures are independent or depend on each other positively. Source:
 * Benjamini and Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical Society B
 * 57, 1995; Benjamini and Yekutieli, Annals of Statistics 29, 2001, for the condition.
 */
export function benjaminiHochberg(ps: readonly number[]): number[] {
  const order = ascending(ps);
  const adjusted = new Array<number>(ps.length);
  let most = 1;
  for (let rank = ps.length; rank >= 1; rank--) {
    const index = order[rank - 1];
    most = Math.min(most, (ps.length / rank) * ps[index]);
    adjusted[index] = most;
  }
  return adjusted;
}

/** Indices by value, equal ones in their order. */
function ascending(ps: readonly number[]): number[] {
  return ps.map((_, index) => index).sort((a, b) => ps[a] - ps[b] || a - b);
}
