/**
 * How a {@link CycleSummary} is printed: four kinds of lines.
 * @module
 */
import type { Analyser } from './analyser.ts';
import type { CycleSummary } from './cycle-summary.ts';
import type { Percentiles } from './percentiles.ts';

/** `name: count seconds mean {p5|p50|p95}`, the percentiles weighted by time; nothing where nothing was counted. */
export function printCycleSummary(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.count === 0) return;
  const percentiles = weightedPercentiles(a, summary);
  a.out.printf('%s: %7d %5.2lfs %6lld', name, summary.count, secondsOf(a, summary), summary.mean);
  printPercentiles(a, percentiles, 6);
}

/** As {@link printCycleSummary}, with the share of `total` cycles. */
export function printCyclePercentSummary(
  a: Analyser,
  summary: CycleSummary,
  total: number,
  name: string,
): void {
  if (summary.count === 0) return;
  const percentiles = weightedPercentiles(a, summary);
  a.out.printf(
    '%s: %7d %5.2lfs %5.2lf%% %6lld',
    name,
    summary.count,
    secondsOf(a, summary),
    unsigned(summary.cycles * 100) / unsigned(total),
    summary.mean,
  );
  printPercentiles(a, percentiles, 6);
}

/** `name events seconds percent mean cyc {p5|p50|p95}`; nothing where nothing happened. */
export function printEventSummary(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.eventCount === 0) return;
  a.out.printf(
    '%s %7d %5.2lfs %5.2lf%% %5lld cyc',
    name,
    summary.eventCount,
    secondsOf(a, summary),
    (summary.cycles * 100) / a.totalCycles,
    summary.mean,
  );
  printPercentiles(a, plainPercentiles(a, summary), 5);
}

function secondsOf({ options }: Analyser, { cycles }: CycleSummary): number {
  return unsigned(cycles) / options.cpuHz;
}

/** A sum of durations as xenalyze has it, without a sign: TSC skew may make it negative. */
function unsigned(sum: number): number {
  return sum < 0 ? 2 ** 64 + sum : sum;
}

function weightedPercentiles(a: Analyser, { sample, samples, hasNegative }: CycleSummary): Percentiles {
  const warnOfNegative = (values: Float64Array) => {
    for (const cycles of values)
      if (cycles < 0) a.warn.printf('self_weighted_percentile: Value %lld less than zero!\n', cycles);
  };
  return a.search.selfWeighted(sample, samples, hasNegative ? warnOfNegative : undefined);
}

function plainPercentiles({ search }: Analyser, { sample, samples }: CycleSummary): Percentiles {
  return search.percentiles(sample, samples);
}

function printPercentiles({ out, options }: Analyser, { p5, p50, p95 }: Percentiles, width: number): void {
  const padded = (value: number) => `${value}`.padStart(width);
  out.text(options.sampleSize === 0 ? '\n' : ` {${padded(p5)}|${padded(p50)}|${padded(p95)}}\n`);
}
