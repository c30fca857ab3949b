const GIGA = 1_000_000_000;

/**
 * Ticks of a TSC of `hz` since t = 0: floor(ns * hz / 1e9), exact as long as the result is below 2^53.
 *
 * The product is far beyond 2^53, so seconds and the nanoseconds within one go separately, the latter in two
 * halves.
 */
export function tscTicks(ns: number, hz: number): number {
  if (hz === GIGA) return ns;
  const seconds = Math.floor(ns / GIGA);
  const rest = ns - seconds * GIGA;
  const whole = Math.floor(hz / GIGA);
  const part = hz - whole * GIGA;
  const partHigh = part >>> 15;
  const partLow = part & 0x7fff;
  const high = rest * partHigh;
  const highTicks = Math.floor(high / GIGA);
  const low = (high - highTicks * GIGA) * 32768 + rest * partLow;
  return seconds * hz + rest * whole + highTicks * 32768 + Math.floor(low / GIGA);
}
