/**
 * How a {@link CycleSummary} is printed: four kinds of lines.
 * @module
 */
import type { Analyser } from './analyser.ts';
import type { CycleSummary } from './cycle-summary.ts';
import type { CycleTotals } from './cycle-table.ts';
import type { Percentiles } from './percentiles.ts';

/** `name: count seconds mean {p5|p50|p95}`, the percentiles weighted by time; nothing where nothing was counted. */
export function printCycleSummary(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.count === 0) return;
  const { count, cycles, mean } = summary;
  printCycleTotals(a, { count, cycles, mean, percentiles: selfWeighted(a, summary) }, name);
}

/** As {@link printCycleSummary}. */
export function printCycleTotals(a: Analyser, totals: CycleTotals, name: string): void {
  const { count, cycles, mean, percentiles } = totals;
  if (count === 0) return;
  a.out.printf('%s: %7d %5.2lfs %6lld', name, count, cycles / a.options.cpuHz, mean);
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
  const seconds = summary.cycles / a.options.cpuHz;
  const percent = (summary.cycles * 100) / total;
  a.out.printf('%s: %7d %5.2lfs %5.2lf%% %6lld', name, summary.count, seconds, percent, summary.mean);
  printPercentiles(a, selfWeighted(a, summary), 6);
}

/** `name: count mean {p5|p50|p95}` of stays on a pCPU. */
export function printAffinity(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.count === 0) return;
  a.out.printf('%s: %7d %6lld', name, summary.count, summary.mean);
  printPercentiles(a, percentiles(a, summary), 6);
}

/** `name events seconds percent mean cyc {p5|p50|p95}`; nothing where nothing happened. */
export function printEventSummary(a: Analyser, summary: CycleSummary, name: string): void {
  if (summary.eventCount === 0) return;
  const { out, options } = a;
  const percent = (summary.cycles * 100) / a.totalCycles;
  out.printf(
    '%s %7d %5.2lfs %5.2lf%% %5lld cyc',
    name,
    summary.eventCount,
    summary.cycles / options.cpuHz,
    percent,
    summary.mean,
  );
  printPercentiles(a, percentiles(a, summary), 5);
}

function selfWeighted({ search }: Analyser, { sample, samples }: CycleSummary): Percentiles {
  return search.selfWeighted(sample, samples);
}

function percentiles({ search }: Analyser, { sample, samples }: CycleSummary): Percentiles {
  return search.percentiles(sample, samples);
}

function printPercentiles({ out, options }: Analyser, { p5, p50, p95 }: Percentiles, width: number): void {
  if (options.sampleSize !== 0) {
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
