/**
 * How a {@link CycleSummary} is printed: four kinds of lines.
 * @module
 */
import type { Analyser } from './analyser.ts';
import { type CycleSummary, percentile, selfWeightedPercentile } from './cycle-summary.ts';

/** `name: count seconds mean {p5|p50|p95}`, the percentiles weighted by time; nothing where nothing was counted. */
export function printCycleSummary(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.count === 0) return;
  a.out.printf('%s: %7d %5.2lfs %6lld', name, summary.count, summary.cycles / a.options.cpuHz, summary.mean);
  printPercentiles(a, summary, selfWeightedPercentile, 6);
}

/** As {@link printCycleSummary}, with the share of `total` cycles. */
export function printCyclePercentSummary(
  a: Analyser,
  summary: CycleSummary,
  total: number,
  name: string,
): void {
  if (summary.count === 0) return;
  const seconds = summary.cycles / a.options.cpuHz;
  const percent = (summary.cycles * 100) / total;
  a.out.printf('%s: %7d %5.2lfs %5.2lf%% %6lld', name, summary.count, seconds, percent, summary.mean);
  printPercentiles(a, summary, selfWeightedPercentile, 6);
}

/** `name: count mean {p5|p50|p95}` of stays on a pCPU. */
export function printAffinity(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.count === 0) return;
  a.out.printf('%s: %7d %6lld', name, summary.count, summary.mean);
  printPercentiles(a, summary, percentile, 6);
}

/** `name events seconds percent mean cyc {p5|p50|p95}`; nothing where nothing happened. */
export function printEventSummary(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.eventCount === 0) return;
  const { out, options } = a;
  const percent = (summary.cycles * 100) / a.totalCycles;
  // The percentiles are taken first: a sample is partly sorted by each.
  out.printf(
    '%s %7d %5.2lfs %5.2lf%% %5lld cyc',
    name,
    summary.eventCount,
    summary.cycles / options.cpuHz,
    percent,
    summary.mean,
  );
  printPercentiles(a, summary, percentile, 5);
}

function printPercentiles(
  { out, options }: Analyser,
  { sample, samples }: CycleSummary,
  of: (sample: Float64Array, count: number, percent: number) => number,
  width: number,
): void {
  if (options.sampleSize !== 0) {
    // The middle one comes first: each search leaves the sample partly sorted for the next.
    const p50 = of(sample, samples, 50);
    const p5 = of(sample, samples, 5);
    const p95 = of(sample, samples, 95);
    out.text(' {');
    out.padded(p5, width);
    out.text('|');
    out.padded(p50, width);
    out.text('|');
    out.padded(p95, width);
    out.text('}');
  }
  out.newline();
}
