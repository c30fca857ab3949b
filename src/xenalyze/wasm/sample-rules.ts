/**
 * Which durations a sample keeps: xenalyze's rules. These functions are TypeScript and AssemblyScript at once, so they
 * keep to numbers, and to what both languages have.
 * @module
 */

/** How large a sample of `size` gets when it is full and one more duration comes after `count` others; 0: no limit. */
export function grownSampleSize(size: number, count: number, sampleSize: number, sampleMax: number): number {
  if (count !== 0 && sampleMax !== 0 && size >= sampleMax) return size;
  const grown = size !== 0 ? size * 2 : sampleSize;
  return Math.max(0, sampleMax !== 0 && grown > sampleMax ? sampleMax : grown);
}

/**
 * After how many others, but not less than `count`, a duration replaces one in a full sample: that whose place is this
 * number, modulo `size`. The first one that comes after the sample is full always does.
 */
export function nextReplacement(count: number, size: number): number {
  let laps = size === 0 ? 0 : Math.floor(count / size);
  let from = count - laps * size;
  let first = Math.floor((laps + 1) / 3);
  while (first < size) {
    const index = from <= first ? first : first + Math.ceil((from - first) / (laps + 1)) * (laps + 1);
    if (index < size) return laps * size + index;
    laps++;
    from = 0;
    first = Math.floor((laps + 1) / 3);
  }
  return Infinity;
}

/** Whole-number division towards zero, exact below 2^53. */
export function divide(dividend: number, divisor: number): number {
  const quotient = Math.trunc(dividend / divisor);
  const rest = dividend - quotient * divisor;
  if (rest < 0 && dividend > 0) return quotient - 1;
  if (rest > 0 && dividend < 0) return quotient + 1;
  return quotient;
}
