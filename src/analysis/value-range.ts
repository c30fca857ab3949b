/** Count, sum and extremes of numbers of either sign that come one by one. */
export class ValueRange {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** When the largest was, the first of equals. */
  maxAtNs = Number.NaN;

  add(value: number, atNs = Number.NaN): void {
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) {
      this.max = value;
      this.maxAtNs = atNs;
    }
  }

  /** Largest less smallest; null where there are none. */
  get spread(): number | null {
    return this.count === 0 ? null : this.max - this.min;
  }
}

/** All numbers of several ranges. */
export function joinRanges(ranges: readonly ValueRange[]): ValueRange {
  const joined = new ValueRange();
  for (const { count, sum, min, max, maxAtNs } of ranges) {
    joined.count += count;
    joined.sum += sum;
    if (min < joined.min) joined.min = min;
    if (max > joined.max) {
      joined.max = max;
      joined.maxAtNs = maxAtNs;
    }
  }
  return joined;
}

/** Mean, minimum and maximum; null where there are no numbers. */
export function rangeCells({
  count,
  sum,
  min,
  max,
}: ValueRange): [number | null, number | null, number | null] {
  return count === 0 ? [null, null, null] : [sum / count, min, max];
}
