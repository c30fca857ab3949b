/**
 * Water-filling: capacity is poured into claims in proportion to their weights; a claim that is full leaves the
 * rest to the others. It is the only division in which nobody can get more without someone of a smaller or equal
 * ratio of share to weight getting less (weighted max-min fairness; Bertsekas and Gallager, Data Networks, 6.5.2).
 *
 * @param weights above 0
 * @param limits what each claim wants, or is allowed, at most; at least 0
 * @param shares what each claim is entitled to; `[from, to)` of the three arrays are the claims
 */
export function pour(
  capacity: number,
  weights: Float64Array,
  limits: Float64Array,
  shares: Float64Array,
  from: number,
  to: number,
): void {
  let left = capacity;
  let weightLeft = 0;
  let open = to - from;
  for (let claim = from; claim < to; claim++) {
    shares[claim] = OPEN;
    weightLeft += weights[claim];
  }
  // Those that are full below the level raise it for the others: again, until nobody is full any more.
  while (open > 0) {
    const level = Math.max(0, left / weightLeft);
    let full = 0;
    for (let claim = from; claim < to; claim++) {
      if (shares[claim] !== OPEN || limits[claim] > weights[claim] * level) continue;
      shares[claim] = limits[claim];
      left -= limits[claim];
      weightLeft -= weights[claim];
      full++;
    }
    open -= full;
    if (full > 0) continue;
    for (let claim = from; claim < to; claim++) {
      if (shares[claim] === OPEN) shares[claim] = weights[claim] * level;
    }
    return;
  }
}

/** Stands in `shares` for a claim that has not been given its share yet. */
const OPEN = -1;
