import { allMetrics, type Figures, type Metric } from './metric.ts';
import { worth } from './verdict.ts';

/** One trace and what it says. */
export interface TraceFigures {
  readonly name: string;
  readonly figures: Figures;
}

/**
 * What became of a figure: `same` to the last digit; `better`, `worse`, or `lower`, `higher` where neither
 * way is an improvement; `only_baseline`, `only_other` where the other trace has no such row or cannot know
 * it; `unknown` where neither knows.
 */
export type Change =
  | 'same'
  | 'better'
  | 'worse'
  | 'lower'
  | 'higher'
  | 'only_baseline'
  | 'only_other'
  | 'unknown';

/** One figure of a trace beside the baseline's. */
export interface TraceComparison {
  readonly metric: Metric;
  /** Names of the two. */
  readonly baseline: string;
  readonly trace: string;
  /** In the figure's unit; null where the baseline does not have it or cannot know it. */
  readonly baselineValue: number | null;
  /** That of the other trace likewise. */
  readonly value: number | null;
  /** `value` less `baselineValue`. */
  readonly difference: number | null;
  /** Null where the baseline's is 0 or a figure is negative. */
  readonly ratio: number | null;
  readonly change: Change;
}

/**
 * Every figure of each trace beside the first one's, headline figures first, then in the order of the
 * results. A single pair of traces says nothing about chance, and so does this.
 */
export function compareTraces(traces: readonly TraceFigures[]): TraceComparison[] {
  const [baseline, ...others] = traces;
  return others.flatMap((other) => {
    const metrics = allMetrics([baseline.figures, other.figures]);
    return metrics.map((metric) => compareOne(metric, baseline, other));
  });
}

function compareOne(metric: Metric, baseline: TraceFigures, other: TraceFigures): TraceComparison {
  const before = baseline.figures.values.get(metric.id) ?? null;
  const after = other.figures.values.get(metric.id) ?? null;
  const both = before !== null && after !== null;
  return {
    metric,
    baseline: baseline.name,
    trace: other.name,
    baselineValue: before,
    value: after,
    difference: both ? after - before : null,
    ratio: both && before > 0 && after >= 0 ? after / before : null,
    change: changeOf(metric, before, after),
  };
}

function changeOf({ better }: Metric, before: number | null, after: number | null): Change {
  if (before === null) return after === null ? 'unknown' : 'only_other';
  if (after === null) return 'only_baseline';
  if (before === after) return 'same';
  const direction = after < before ? 'lower' : 'higher';
  return worth(direction, better) ?? direction;
}
