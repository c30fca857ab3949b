/**
 * Quantities for people: three to four digits and a unit that fits. Programs get the plain numbers.
 * @module
 */

/** What people see where a figure is not available. */
export const NOT_AVAILABLE = 'n/a';

/** A duration or an instant: `0`, `830 ns`, `12.35 us`, `60.00 ms`, `5.000 s`. */
export function formatNs(ns: number): string {
  const size = Math.abs(ns);
  if (size === 0) return '0';
  if (size < 999.5) return `${digits(ns)} ns`;
  if (size < 999_950) return `${digits(ns / 1e3)} us`;
  if (size < 999_950_000) return `${digits(ns / 1e6)} ms`;
  return `${digits(ns / 1e9)} s`;
}

/** A point in time, in seconds since the start of the trace: `2.220134 s`. */
export function formatInstant(ns: number): string {
  return `${(ns / 1e9).toFixed(6)} s`;
}

/** A count, with a comma for each thousand: `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A ratio as a percentage: `49.9 %`. Not quite all is never shown as 100 %, nor not quite nothing as 0 %. */
export function formatPercent(ratio: number): string {
  if (ratio < 0) return ratio > -0.0005 ? '0.0 %' : `-${formatPercent(-ratio)}`;
  const percent = ratio * 100;
  if (ratio < 1 && percent >= 99.95) return `>99.9 %`;
  if (ratio > 0 && percent < 0.05) return '<0.1 %';
  return `${percent.toFixed(1)} %`;
}

/** Bytes: `512 B`, `1.20 kB`, `4.05 GB`, in powers of ten. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${(bytes / 1e3).toPrecision(3)} kB`;
  if (bytes < 999_500_000) return `${(bytes / 1e6).toPrecision(3)} MB`;
  return `${digits(bytes / 1e9)} GB`;
}

/** A frequency: `2.4000 GHz`. */
export function formatHz(hz: number): string {
  if (hz >= 1e9) return `${(hz / 1e9).toFixed(4)} GHz`;
  return hz >= 1e6 ? `${(hz / 1e6).toFixed(3)} MHz` : `${(hz / 1e3).toFixed(3)} kHz`;
}

/** Four digits; a whole number without decimals. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  return value.toFixed(size >= 10 ? 2 : 3);
}
