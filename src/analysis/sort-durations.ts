const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
/** Below this many the sort that the language has is as fast. */
const RADIX_MIN = 512;

/** Sorts whole numbers, 0 or more, in place: by their digits, several times as fast as by comparing them. */
export function sortDurations(values: Uint32Array | Float64Array): void {
  if (values.length < RADIX_MIN || values instanceof Float64Array) values.sort();
  else radixSort(values);
}

function radixSort(values: Uint32Array): void {
  const starts = countDigits(values);
  let from: Uint32Array = values;
  let to: Uint32Array = new Uint32Array(values.length);
  for (let digit = 0; digit < 3; digit++) {
    const shift = digit * DIGIT_BITS;
    const next = starts.subarray(digit * DIGITS, (digit + 1) * DIGITS);
    if (next[(from[0] >>> shift) & (DIGITS - 1)] === values.length) continue;
    let sum = 0;
    for (let index = 0; index < DIGITS; index++) {
      const count = next[index];
      next[index] = sum;
      sum += count;
    }
    for (let index = 0; index < from.length; index++) {
      const value = from[index];
      to[next[(value >>> shift) & (DIGITS - 1)]++] = value;
    }
    [from, to] = [to, from];
  }
  if (from !== values) values.set(from);
}

/** How many values have each digit, for the three digits in turn. */
function countDigits(values: Uint32Array): Uint32Array {
  const counts = new Uint32Array(3 * DIGITS);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    counts[value & (DIGITS - 1)]++;
    counts[DIGITS + ((value >>> DIGIT_BITS) & (DIGITS - 1))]++;
    counts[2 * DIGITS + (value >>> (2 * DIGIT_BITS))]++;
  }
  return counts;
}
