/**
 * Zero as the first value of a field that will hold nanoseconds or other large numbers.
 *
 * V8 keeps a field that has held nothing but integers below 2^31 as such an integer, and discards all compiled
 * code that touches it as soon as it holds more, which a clock in nanoseconds does after 2.1 seconds. Negative
 * zero is a floating-point number from the start; it adds, compares and prints as zero.
 */
export const FLOAT_ZERO = -0;
