/**
 * How a {@link CycleSummary} is printed: four kinds of lines.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { type CycleSummary, percentile, selfWeightedPercentile } from './cycle-summary.ts';

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

/** `name: count mean {p5|p50|p95}` of stays on a pCPU. */
export function printAffinity(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.count === 0) return;
  a.out.printf('%s: %7d %6lld', name, summary.count, summary.mean);
  printPercentiles(a, plainPercentiles(a, summary), 6);
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

/** The 5th, 50th and 95th percentile; undefined where no sample is taken. */
type Percentiles = readonly [p5: number, p50: number, p95: number] | undefined;

function weightedPercentiles(a: Analyser, summary: CycleSummary): Percentiles {
  const warnOfNegative = () => {
    for (const cycles of summary.sample.subarray(0, summary.samples))
      if (cycles < 0) a.warn.printf('self_weighted_percentile: Value %lld less than zero!\n', cycles);
  };
  return percentilesOf(a, summary, (sample, count, percent) => {
    if (summary.hasNegative) warnOfNegative();
    return selfWeightedPercentile(sample, count, percent);
  });
}

function plainPercentiles(a: Analyser, summary: CycleSummary): Percentiles {
  return percentilesOf(a, summary, percentile);
}

function percentilesOf(
  { options }: Analyser,
  { sample, samples }: CycleSummary,
  of: (sample: Float64Array, count: number, percent: number) => number,
): Percentiles {
  if (options.sampleSize === 0) return undefined;
  // The middle one comes first: each search leaves the sample partly sorted for the next.
  const p50 = of(sample, samples, 50);
  const p5 = of(sample, samples, 5);
  return [p5, p50, of(sample, samples, 95)];
}

function printPercentiles({ out }: Analyser, percentiles: Percentiles, width: number): void {
  if (percentiles !== undefined) {
    for (const [i, value] of percentiles.entries()) {
      out.text(i === 0 ? ' {' : '|');
      out.padded(value, width);
    }
    out.text('}');
  }
  out.newline();
}
