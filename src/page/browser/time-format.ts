import { formatInstant, formatNs } from '../../report/quantities.ts';

/** An instant as exact as a picture of `spanNs` needs: `1.2345 s`. */
export function formatTime(tNs: number, spanNs: number): string {
  const decimals = Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(Math.max(1, spanNs)) + 2)));
  return `${(tNs / 1e9).toFixed(decimals)} s`;
}

/** To the nanosecond. */
export function formatExact(tNs: number): string {
  return `${(tNs / 1e9).toFixed(9)} s`;
}

export { formatInstant, formatNs };

/** Round steps for an axis of `spanNs` with about `ticks` ticks: 1, 2 or 5 times a power of ten. */
export function tickStep(spanNs: number, ticks: number): number {
  const rough = Math.max(1, spanNs / Math.max(1, ticks));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10;
  return Math.max(1, step * power);
}
